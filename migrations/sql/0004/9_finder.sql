-- Beside the guarded tables the finder reads what the service reads, and may call what it may call: what is joined to a
-- record in order to find it. It writes nothing.
GRANT USAGE ON SCHEMA public, audit TO hub_finder;
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace IN ('public'::regnamespace, 'audit'::regnamespace) AND c.relkind IN ('r', 'p')
          AND has_table_privilege('hub_app', c.oid, 'SELECT') AND NOT has_any_column_privilege('hub_finder', c.oid, 'SELECT')
          AND NOT c.relispartition
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO hub_finder', one.name);
    END LOOP;
    -- of some tables the service itself reads certain columns only
    FOR one IN
        SELECT c.oid::regclass AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace IN ('public'::regnamespace, 'audit'::regnamespace) AND c.relkind IN ('r', 'p')
          AND NOT has_table_privilege('hub_app', c.oid, 'SELECT') AND has_column_privilege('hub_app', c.oid, a.attnum, 'SELECT')
          AND NOT c.relispartition
        GROUP BY c.oid
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON %s TO hub_finder', one.columns, one.name);
    END LOOP;
    FOR one IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace IN ('public'::regnamespace, 'audit'::regnamespace)
          AND has_function_privilege('hub_app', p.oid, 'EXECUTE') AND NOT has_function_privilege('hub_finder', p.oid, 'EXECUTE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO hub_finder', one.name);
    END LOOP;
END
$$;
