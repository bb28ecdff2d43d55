-- The user's own event of one act about one thing, young enough to be read under: pages of a preview are looked at under the
-- event that opened it. The gate takes events of ten minutes; a page may take some of that to be drawn.
CREATE FUNCTION audit.find_opening(token text, wanted_act text, wanted_object uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
SELECT e.id FROM user_session s JOIN audit.event e ON e.user_id = s.user_id
WHERE s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
  AND e.at > now() - interval '8 minutes' AND e.outcome = 'ok' AND e.act = wanted_act AND e.object_id = wanted_object
  AND e.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()
ORDER BY e.at DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION audit.find_opening(text, text, uuid) FROM PUBLIC;
GRANT CREATE ON SCHEMA audit TO hub_log;
ALTER FUNCTION audit.find_opening(text, text, uuid) OWNER TO hub_log;
REVOKE CREATE ON SCHEMA audit FROM hub_log;
