-- The sequencer's role: made with a password by `hub db upgrade`; without one where no sequencer is set up yet.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hub_sequencer') THEN
        CREATE ROLE hub_sequencer NOLOGIN;
    END IF;
END
$$;
