-- An organisation's people read and add its own thresholds; nobody changes or removes one, and the rules' bounds are nobody's.
ALTER TABLE audit.alert_setting ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.alert_setting FORCE ROW LEVEL SECURITY;
CREATE POLICY hub_owner_all ON audit.alert_setting TO hub_owner USING (true) WITH CHECK (true);
CREATE POLICY hub_read ON audit.alert_setting FOR SELECT TO hub_app USING (organisation_id = (SELECT audit.my_organisation()));
CREATE POLICY hub_add ON audit.alert_setting FOR INSERT TO hub_app WITH CHECK (
    organisation_id = (SELECT audit.my_organisation())
    AND set_by = (SELECT nullif(current_setting('hub.user_id', true), '')::uuid));
GRANT SELECT, INSERT ON audit.alert_setting TO hub_app;
GRANT SELECT ON audit.alert_rule TO hub_app;

REVOKE ALL ON FUNCTION audit.watch_setting(), audit.thresholds_of(uuid), audit.is_outside(uuid, uuid, timestamptz),
    audit.hits_high_profile(uuid, uuid[], timestamptz, timestamptz, integer), audit.raise_alerts(uuid, timestamptz) FROM PUBLIC;
GRANT CREATE ON SCHEMA audit TO hub_reader;
ALTER FUNCTION audit.hits_high_profile(uuid, uuid[], timestamptz, timestamptz, integer) OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA audit FROM hub_reader;
GRANT EXECUTE ON FUNCTION audit.hits_high_profile(uuid, uuid[], timestamptz, timestamptz, integer) TO hub_owner;
GRANT EXECUTE ON FUNCTION audit.is_outside(uuid, uuid, timestamptz) TO hub_reader;
GRANT EXECUTE ON FUNCTION audit.raise_alerts(uuid, timestamptz) TO hub_app;
