-- What each role may do with alerts and samples. The application makes no alert and deletes nothing: it writes a review down.
ALTER TABLE audit.alert ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.alert FORCE ROW LEVEL SECURITY;
ALTER TABLE audit.sample ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.sample FORCE ROW LEVEL SECURITY;
ALTER TABLE audit.sampled_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.sampled_access FORCE ROW LEVEL SECURITY;
CREATE POLICY hub_owner_all ON audit.alert TO hub_owner USING (true) WITH CHECK (true);
CREATE POLICY hub_owner_all ON audit.sample TO hub_owner USING (true) WITH CHECK (true);
CREATE POLICY hub_owner_all ON audit.sampled_access TO hub_owner USING (true) WITH CHECK (true);
-- nobody meets an alert about themselves
CREATE POLICY hub_read ON audit.alert FOR SELECT TO hub_app USING (
    organisation_id = (SELECT audit.my_organisation())
    AND user_id <> (SELECT nullif(current_setting('hub.user_id', true), '')::uuid));
CREATE POLICY hub_change ON audit.alert FOR UPDATE TO hub_app USING (
    organisation_id = (SELECT audit.my_organisation())
    AND user_id <> (SELECT nullif(current_setting('hub.user_id', true), '')::uuid));
CREATE POLICY hub_own ON audit.sample TO hub_app USING (organisation_id = (SELECT audit.my_organisation()))
    WITH CHECK (organisation_id = (SELECT audit.my_organisation()));
CREATE POLICY hub_own ON audit.sampled_access TO hub_app USING (organisation_id = (SELECT audit.my_organisation()))
    WITH CHECK (organisation_id = (SELECT audit.my_organisation()));

GRANT SELECT, UPDATE (reviewed_at, reviewed_by, decision, review_event_id, revision) ON audit.alert TO hub_app;
GRANT SELECT, INSERT ON audit.sample, audit.sampled_access TO hub_app;
GRANT UPDATE (answered_at, answer_event_id, verdict, judged_at, judged_by, verdict_event_id, revision)
    ON audit.sampled_access TO hub_app;
GRANT SELECT ON audit.alert_cursor TO hub_reader;

REVOKE ALL ON FUNCTION audit.watch_review(), audit.london_day(timestamptz), audit.london_night(timestamptz),
    audit.is_night(timestamptz), audit.opens_of(uuid[], timestamptz, timestamptz),
    audit.hits_of_interest(uuid[], timestamptz, timestamptz, integer, text[]),
    audit.hits_same_surname(uuid, uuid[], timestamptz, timestamptz, integer),
    audit.hits_declared_interest(uuid, uuid[], timestamptz, timestamptz, integer),
    audit.hits_same_address(uuid, uuid[], timestamptz, timestamptz, integer),
    audit.hits_no_relation(uuid, uuid[], timestamptz, timestamptz, integer),
    audit.hits_out_of_hours(uuid, uuid[], timestamptz, timestamptz, integer),
    audit.hits_bulk(uuid, uuid[], timestamptz, timestamptz, integer),
    audit.hits_leaver(uuid, uuid[], timestamptz, timestamptz, integer),
    audit.hits_denied_series(uuid, uuid[], timestamptz, timestamptz, integer),
    audit.find_organisations_to_watch(timestamptz), audit.raise_alerts(uuid, timestamptz, jsonb),
    audit.find_events_of_person(uuid) FROM PUBLIC;

-- what reads the log past its walls reads as hub_reader, which can change nothing
GRANT CREATE ON SCHEMA audit TO hub_reader;
DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN SELECT p.oid FROM pg_proc p
            WHERE p.pronamespace = 'audit'::regnamespace
              AND (p.proname LIKE 'hits\_%' OR p.proname IN ('find_organisations_to_watch', 'find_events_of_person')) LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO hub_reader', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO hub_owner', one);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA audit FROM hub_reader;
GRANT EXECUTE ON FUNCTION audit.london_day(timestamptz), audit.london_night(timestamptz), audit.is_night(timestamptz),
    audit.opens_of(uuid[], timestamptz, timestamptz) TO hub_reader;
GRANT EXECUTE ON FUNCTION audit.find_organisations_to_watch(timestamptz), audit.raise_alerts(uuid, timestamptz, jsonb),
    audit.find_events_of_person(uuid) TO hub_app;
