-- A directory acts by sessions of a kind of its own, which the application may start: for the organisation's service account
-- only, and only where the organisation has a token that works in the partnership of the session's team.
ALTER TABLE user_session
    DROP CONSTRAINT ck_user_session_kind_known,
    ADD CONSTRAINT ck_user_session_kind_known CHECK (kind IN ('web', 'cli', 'job', 'load', 'directory'));
ALTER TABLE audit.event
    DROP CONSTRAINT event_source_check,
    ADD CONSTRAINT event_source_check CHECK (source IN ('web', 'cli', 'job', 'load', 'directory'));

CREATE OR REPLACE FUNCTION public.is_own_kind(kind text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT session_user = CASE kind WHEN 'web' THEN 'hub_app' WHEN 'directory' THEN 'hub_app' WHEN 'job' THEN 'hub_worker'
        WHEN 'cli' THEN 'hub_cli' WHEN 'load' THEN 'hub_loader' END
$$;

CREATE FUNCTION public.watch_directory_session() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF public.is_service(session_user) AND (new.kind = 'directory' OR (TG_OP = 'UPDATE' AND old.kind = 'directory'))
            AND (TG_OP = 'INSERT' OR (new.user_id, new.team_id, new.kind) IS DISTINCT FROM (old.user_id, old.team_id, old.kind))
            AND NOT EXISTS (
                SELECT FROM app_user u JOIN team t ON t.id = new.team_id AND t.organisation_id = u.organisation_id
                    JOIN directory d ON d.organisation_id = u.organisation_id AND d.partnership_id = t.partnership_id
                WHERE u.id = new.user_id AND u.email LIKE 'service.%@hub.invalid'
                  AND d.ended_at IS NULL AND d.expires_at > clock_timestamp()) THEN
        RAISE EXCEPTION 'a directory acts as the service account of an organisation with a token' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
REVOKE ALL ON FUNCTION public.watch_directory_session() FROM PUBLIC;
CREATE TRIGGER watch_directory_session BEFORE INSERT OR UPDATE ON user_session
    FOR EACH ROW EXECUTE FUNCTION public.watch_directory_session();
