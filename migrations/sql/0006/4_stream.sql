-- The last event of a few minutes by which this very session, in the same hat and under the same purpose, opened a file by
-- the same right: what goes on reading it needs no second one. A look opens for ten minutes; who goes on is still reading then.
CREATE FUNCTION audit.find_opening(token text, p_act text, file uuid, p_version integer, p_basis jsonb) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    SELECT e.id
    FROM user_session s CROSS JOIN audit.session_key k JOIN audit.event e ON e.user_id = s.user_id
        CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::jsonb AS told) AS body
    WHERE s.token_hash = sha256(convert_to(find_opening.token, 'UTF8')) AND s.ended_at IS NULL
      AND s.expires_at > clock_timestamp() AND public.is_own_kind(s.kind)
      AND e.object_id = find_opening.file AND e.at > now() - interval '8 minutes'
      AND e.act = find_opening.p_act AND e.outcome = 'ok' AND e.team_id = s.team_id
      AND e.object_version IS NOT DISTINCT FROM find_opening.p_version
      AND e.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()
      AND told -> 'actor' ->> 'session' = encode(hmac(uuid_send(s.id), k.secret, 'sha256'), 'hex')
      AND told -> 'basis' = jsonb_strip_nulls(find_opening.p_basis || jsonb_build_object('purpose', s.purpose))
    ORDER BY e.at DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION audit.find_opening(text, text, uuid, integer, jsonb) FROM PUBLIC;
GRANT CREATE ON SCHEMA audit TO hub_log;
ALTER FUNCTION audit.find_opening(text, text, uuid, integer, jsonb) OWNER TO hub_log;
REVOKE CREATE ON SCHEMA audit FROM hub_log;
GRANT EXECUTE ON FUNCTION audit.find_opening(text, text, uuid, integer, jsonb) TO hub_app;

-- What each user has stored, counted where the rows are made. Adding takes a lock on the user's own row until the commit,
-- which comes at once: no transaction is held over a stream.
CREATE FUNCTION public.count_file_use() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    told jsonb := to_jsonb(CASE TG_OP WHEN 'INSERT' THEN new ELSE old END);
    organisation uuid := told ->> TG_ARGV[0];
    who uuid := told ->> TG_ARGV[1];
    size bigint := told ->> 'size';
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO file_use AS held (organisation_id, user_id, files, stored_bytes) VALUES (organisation, who, 1, size)
            ON CONFLICT (organisation_id, user_id) DO UPDATE
            SET files = held.files + 1, stored_bytes = held.stored_bytes + excluded.stored_bytes;
    ELSE
        UPDATE file_use held SET files = held.files - 1, stored_bytes = held.stored_bytes - size
            WHERE held.organisation_id = organisation AND held.user_id = who;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION public.count_file_use() FROM PUBLIC;
INSERT INTO file_use (organisation_id, user_id, files, stored_bytes)
    SELECT organisation_id, user_id, count(*), sum(size) FROM (
        SELECT contributor_organisation_id, contributed_by, size FROM attachment
        UNION ALL SELECT organisation_id, added_by, size FROM paper) AS stored (organisation_id, user_id, size)
    GROUP BY organisation_id, user_id;
CREATE TRIGGER count_file_use AFTER INSERT OR DELETE ON attachment
    FOR EACH ROW EXECUTE FUNCTION public.count_file_use('contributor_organisation_id', 'contributed_by');
CREATE TRIGGER count_file_use AFTER INSERT OR DELETE ON paper
    FOR EACH ROW EXECUTE FUNCTION public.count_file_use('organisation_id', 'added_by');
