-- The gate asks for the whole hat: what a transaction says of its reader must be what the live session of the token says, and
-- that session must be of a kind that belongs to the role that signed in. Else whoever has a password of the service and a
-- token could put on another team, organisation, purpose or clearance beside it.

-- The user whose token this is, if everything said of them is true. Compared as texts, exactly as the hub says it: a list in
-- another order is no list of the hub's. It sets no search_path of its own: its callers' holds within it.
CREATE FUNCTION audit.find_reader(token text) RETURNS uuid
    LANGUAGE plpgsql STABLE
AS $$
DECLARE
    reader uuid;
BEGIN
    SELECT u.id INTO reader
    FROM public.user_session s JOIN public.app_user u ON u.id = s.user_id JOIN public.team t ON t.id = s.team_id
        JOIN public.organisation o ON o.id = u.organisation_id
    WHERE s.token_hash = sha256(convert_to(token, 'UTF8'))
      AND s.ended_at IS NULL AND s.expires_at > clock_timestamp() AND u.disabled_at IS NULL AND public.is_own_kind(s.kind)
      AND current_setting('hub.user_id', true) = u.id::text
      AND current_setting('hub.organisation_id', true) = u.organisation_id::text
      AND current_setting('hub.partnership_id', true) = t.partnership_id::text
      AND current_setting('hub.team_id', true) = s.team_id::text
      AND current_setting('hub.clearance', true) = u.clearance::text
      AND current_setting('hub.purpose', true) = s.purpose
      AND current_setting('hub.principals', true) = '{' || u.id || ',' || s.team_id || ',' || u.organisation_id || '}'
      AND current_setting('hub.audiences', true) = '{victim_safe'
          || CASE WHEN EXISTS (SELECT FROM public.role_holding h WHERE h.user_id = u.id AND h.partnership_id = t.partnership_id
                AND h.role = 'supervisor' AND (h.ended_at IS NULL OR h.ended_at > clock_timestamp()))
             THEN ',supervisor_only' ELSE '' END
          || CASE WHEN o.kind IN ('police_force', 'police_other') THEN ',police_only' ELSE '' END || '}';
    RETURN reader;
END
$$;

CREATE OR REPLACE FUNCTION audit.opened() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 COST 1000 SET search_path = pg_catalog, public, audit, pg_temp
AS $$
DECLARE
    looks uuid[] := string_to_array(nullif(current_setting('hub.looks', true), ''), ',')::uuid[];
    mine xid8 := pg_current_xact_id_if_assigned();
    reader uuid;
BEGIN
    IF looks IS NULL THEN
        RETURN;
    END IF;
    reader := audit.find_reader(current_setting('hub.token', true));
    IF reader IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT unnest(e.record_ids || e.person_ids || e.object_id) FROM audit.event e
        WHERE e.id = ANY (looks) AND e.at > now() - interval '10 minutes'
          AND e.user_id = reader AND e.outcome = 'ok' AND e.xid IS DISTINCT FROM mine;
    IF mine IS NOT NULL THEN
        RETURN QUERY
            SELECT named.id FROM audit.event e CROSS JOIN LATERAL unnest(e.record_ids || e.object_id) AS named (id)
            WHERE e.id = ANY (looks) AND e.at > now() - interval '10 minutes'
              AND e.user_id = reader AND e.outcome = 'ok' AND e.xid = mine AND e.category IN ('collection', 'alteration')
              AND EXISTS (SELECT FROM audit.event seen
                WHERE seen.user_id = reader AND seen.at > now() - interval '1 day' AND seen.xid <> mine
                  AND seen.outcome = 'ok' AND (seen.record_ids @> ARRAY[named.id] OR seen.object_id = named.id));
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION audit.find_looks(token text, wanted uuid[])
    RETURNS TABLE (record_id uuid, event_id uuid, made_here boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
DECLARE
    reader uuid := audit.find_reader(token);
BEGIN
    FOREACH record_id IN ARRAY wanted LOOP
        made_here := audit.made_here(record_id);
        event_id := NULL;
        IF NOT made_here THEN
            SELECT e.id INTO event_id FROM audit.event e
            WHERE e.user_id = reader AND e.at > now() - interval '8 minutes' AND e.outcome = 'ok'
              AND e.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()
              AND (e.record_ids @> ARRAY[find_looks.record_id] OR e.object_id = find_looks.record_id)
            ORDER BY e.at DESC LIMIT 1;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION audit.find_reader(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.find_reader(text) TO hub_log;
