-- Roles that nobody signs in as. hub_owner (migrations) and hub_app (the service) exist before the first migration.
-- hub_reader reads through definer functions that give ids only; hub_log writes events, and nothing else.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hub_reader') THEN
        CREATE ROLE hub_reader NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hub_log') THEN
        CREATE ROLE hub_log NOLOGIN;
    END IF;
END
$$;
-- the owner hands functions over to them, and so must be a member while it does
GRANT hub_reader TO hub_owner;
GRANT hub_log TO hub_owner;
GRANT hub_reader TO hub_log;

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

CREATE SCHEMA audit;
