-- Background work: procrastinate's own tables and functions are made by its schema just before; the service may use them.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'procrastinate_%' LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO hub_app', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND sequencename LIKE 'procrastinate_%' LOOP
        EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE public.%I TO hub_app', name);
    END LOOP;
END
$$;
