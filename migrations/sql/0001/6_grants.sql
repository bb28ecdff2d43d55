-- What each role may do. The application role owns nothing, deletes nothing of the records, and can't touch the log.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
REVOKE ALL ON FUNCTION public.find_session(text), public.find_name_candidates(text, integer),
    public.find_place_candidates(text, integer), public.find_entry_candidates(text, integer),
    public.find_record_candidates(text, integer) FROM PUBLIC;

GRANT USAGE ON SCHEMA public, audit TO hub_app, hub_reader, hub_log;

-- records and what hangs on them: read and added under the wall, changed only where the wall has a policy for it
GRANT SELECT, INSERT ON record, case_record, incident, involvement, record_grant, record_team, exclusion, emergency,
    person, person_name, person_fact, place, vehicle, case_status_change, case_incident, entry, attachment TO hub_app;
GRANT UPDATE ON record, case_record, incident, involvement, emergency TO hub_app;
GRANT UPDATE (state, answered_by, answered_at, revoked_at, revoked_by, revoked_why, revision) ON record_grant TO hub_app;

-- every section at every marking: what a grant unfolds to
INSERT INTO section_level (section, marking)
    SELECT section, marking FROM unnest(ARRAY['summary', 'people', 'victim', 'chronology', 'risk', 'enforcement', 'files',
        'tasks', 'meetings', 'safeguarding', 'youth_justice', 'health']) AS section, generate_series(0, 1) AS marking;
GRANT SELECT ON section_level TO hub_app;

-- organisations, accounts, agreements
GRANT SELECT, INSERT, UPDATE ON partnership, organisation, team, team_membership, app_user, role_holding, agreement,
    agreement_party, agreement_purpose TO hub_app;
GRANT INSERT, UPDATE ON user_session TO hub_app;
-- only the worker's: sessions that ended long ago
GRANT DELETE ON user_session TO hub_app;
GRANT SELECT (id, created_at, user_id, team_id, purpose, kind, method, authenticated_at, last_seen_at, expires_at,
    ended_at, user_agent) ON user_session TO hub_app;
REVOKE UPDATE ON user_session FROM hub_app;
GRANT UPDATE (team_id, purpose, last_seen_at, expires_at, ended_at, authenticated_at, method) ON user_session TO hub_app;

-- keys: wrapped ones may be replaced when an epoch turns, and emptied when a case is erased
GRANT SELECT, INSERT, UPDATE ON key_epoch, data_key, stored_object TO hub_app;

-- the web's own
GRANT SELECT, INSERT, UPDATE, DELETE ON draft, submission, throttle TO hub_app;
GRANT SELECT, INSERT, UPDATE ON notification, outbox_message TO hub_app;

-- the log
GRANT SELECT ON audit.event, audit.event_text TO hub_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO hub_reader;
GRANT SELECT ON audit.event TO hub_reader;
GRANT INSERT ON audit.event, audit.event_text TO hub_log;
GRANT SELECT ON audit.session_key TO hub_log;

GRANT CREATE ON SCHEMA audit, public TO hub_log, hub_reader;
ALTER FUNCTION audit.record_event(text, text, text, text, text, uuid, integer, uuid[], uuid[], integer, jsonb, jsonb,
    jsonb, jsonb, jsonb, jsonb) OWNER TO hub_log;
ALTER FUNCTION public.find_session(text) OWNER TO hub_log;
ALTER FUNCTION public.find_name_candidates(text, integer) OWNER TO hub_reader;
ALTER FUNCTION public.find_place_candidates(text, integer) OWNER TO hub_reader;
ALTER FUNCTION public.find_entry_candidates(text, integer) OWNER TO hub_reader;
ALTER FUNCTION public.find_record_candidates(text, integer) OWNER TO hub_reader;
ALTER FUNCTION audit.find_events_about(uuid) OWNER TO hub_reader;
ALTER FUNCTION audit.find_subject(text) OWNER TO hub_reader;
ALTER FUNCTION audit.find_references(uuid[]) OWNER TO hub_reader;
ALTER FUNCTION audit.find_revisions() OWNER TO hub_reader;
ALTER FUNCTION audit.find_missing_revisions() OWNER TO hub_reader;
-- the actor's own sets, which the policies ask for: as the reader's functions, what they read is not walled a second time
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'my\_%' LOOP
        EXECUTE format('ALTER FUNCTION public.%I() OWNER TO hub_reader', name);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA audit, public FROM hub_log, hub_reader;

GRANT EXECUTE ON FUNCTION audit.whole_number(jsonb), audit.canonical(jsonb), audit.holds_codes_only(jsonb),
    audit.new_event_id(timestamptz),
    audit.uuid_list(uuid[]) TO hub_log;
GRANT EXECUTE ON FUNCTION audit.record_event(text, text, text, text, text, uuid, integer, uuid[], uuid[], integer, jsonb,
    jsonb, jsonb, jsonb, jsonb, jsonb), public.find_session(text), public.find_name_candidates(text, integer),
    public.find_place_candidates(text, integer), public.find_entry_candidates(text, integer),
    public.find_record_candidates(text, integer), audit.ensure_partitions(integer), audit.missing_partitions(integer) TO hub_app;
-- what the auditor's desk reads past row security: ids and references, of the organisation in hand
GRANT EXECUTE ON FUNCTION audit.my_organisation() TO hub_app, hub_reader;
GRANT EXECUTE ON FUNCTION audit.find_events_about(uuid), audit.find_subject(text), audit.find_references(uuid[]),
    audit.find_revisions(), audit.count_revisions(), audit.find_missing_revisions() TO hub_app, hub_owner;
