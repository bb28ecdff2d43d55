-- The sequencer's role keeps the books of the copying; only the owner gives up a month.
GRANT SELECT ON audit.archive TO hub_sequencer, hub_app, hub_reader;
GRANT UPDATE (size, entries, at, renewed_at) ON audit.archive TO hub_sequencer;
GRANT SELECT ON audit.archived_month TO hub_sequencer, hub_app, hub_reader;
GRANT SELECT ON audit.archived_revision TO hub_reader;
REVOKE ALL ON FUNCTION audit.archive_lag() FROM PUBLIC;
GRANT CREATE ON SCHEMA audit TO hub_reader;
ALTER FUNCTION audit.archive_lag() OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA audit FROM hub_reader;
GRANT EXECUTE ON FUNCTION audit.archive_lag() TO hub_app, hub_sequencer;
