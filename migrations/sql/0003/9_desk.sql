-- What the desk reads past row security: ids, and numbers, of the organisation in hand.
REVOKE ALL ON FUNCTION audit.condition_of_inquiry(jsonb), audit.find_asked(jsonb, timestamptz, uuid, boolean, integer),
    audit.count_asked(jsonb, integer), audit.find_references(uuid[], timestamptz, timestamptz) FROM PUBLIC;
GRANT CREATE ON SCHEMA audit TO hub_reader;
ALTER FUNCTION audit.condition_of_inquiry(jsonb) OWNER TO hub_reader;
ALTER FUNCTION audit.find_asked(jsonb, timestamptz, uuid, boolean, integer) OWNER TO hub_reader;
ALTER FUNCTION audit.count_asked(jsonb, integer) OWNER TO hub_reader;
ALTER FUNCTION audit.find_references(uuid[], timestamptz, timestamptz) OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA audit FROM hub_reader;
GRANT EXECUTE ON FUNCTION audit.find_asked(jsonb, timestamptz, uuid, boolean, integer), audit.count_asked(jsonb, integer) TO hub_app;
GRANT EXECUTE ON FUNCTION audit.find_references(uuid[], timestamptz, timestamptz) TO hub_app, hub_owner;
