-- The write-ahead gate. What is said in a record is given out only under a committed, recent event of the reader that names
-- it. Finding comes first and needs none: it asks as hub_finder, who can't read what is said in anything.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hub_finder') THEN
        CREATE ROLE hub_finder NOLOGIN;
    END IF;
    -- the service takes the role for a statement, and inherits nothing of it
    IF current_setting('server_version_num')::integer >= 160000 THEN
        EXECUTE 'GRANT hub_finder TO hub_app WITH INHERIT FALSE, SET TRUE';
    ELSE
        ALTER ROLE hub_app NOINHERIT;
        GRANT hub_finder TO hub_app;
    END IF;
END
$$;

-- In which transaction a record was made: until that one ends its maker reads it without an event.
ALTER TABLE record ADD COLUMN born bigint;
CREATE FUNCTION public.keep_born() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    new.born := CASE TG_OP WHEN 'INSERT' THEN pg_current_xact_id()::text::bigint ELSE old.born END;
    RETURN new;
END
$$;
REVOKE ALL ON FUNCTION public.keep_born() FROM PUBLIC;
CREATE TRIGGER keep_born BEFORE INSERT OR UPDATE ON record FOR EACH ROW EXECUTE FUNCTION public.keep_born();

-- Nor does the service make a record of which no event of the same transaction tells: asked when it commits.
CREATE FUNCTION audit.tells_of_record() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
BEGIN
    IF session_user = 'hub_app' AND NOT EXISTS (SELECT FROM audit.event e
            WHERE e.object_id = new.id AND e.at >= now() AND e.xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'no event tells of this record' USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER tells_of_record AFTER INSERT ON record DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION audit.tells_of_record();

CREATE FUNCTION audit.made_here(wanted uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1000 SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- nothing was made by a transaction that has written nothing
    RETURN pg_current_xact_id_if_assigned() IS NOT NULL
        AND EXISTS (SELECT FROM record r
            WHERE r.id = wanted AND r.born = pg_current_xact_id_if_assigned()::text::bigint);
END
$$;

-- The ids that the events in hand open to whoever holds the session token. hub.looks names the events; each must be the
-- reader's own, be committed and not older than ten minutes. An event of this very transaction opens for a change what a
-- committed event of the last day had shown the reader already, and nothing else: it could still be rolled back.
CREATE FUNCTION audit.opened() RETURNS SETOF uuid
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
    SELECT s.user_id INTO reader FROM user_session s
        WHERE s.token_hash = sha256(convert_to(current_setting('hub.token', true), 'UTF8'))
          AND s.ended_at IS NULL AND s.expires_at > clock_timestamp();
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

-- For a change: the last event of a few minutes that opened each of these records to the holder of the token, and whether
-- the record was made in this transaction.
CREATE FUNCTION audit.find_looks(token text, wanted uuid[])
    RETURNS TABLE (record_id uuid, event_id uuid, made_here boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
BEGIN
    FOREACH record_id IN ARRAY wanted LOOP
        made_here := audit.made_here(record_id);
        event_id := NULL;
        IF NOT made_here THEN
            SELECT e.id INTO event_id FROM user_session s JOIN audit.event e ON e.user_id = s.user_id
            WHERE s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
              AND e.at > now() - interval '8 minutes' AND e.outcome = 'ok'
              AND e.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()
              AND (e.record_ids @> ARRAY[find_looks.record_id] OR e.object_id = find_looks.record_id)
            ORDER BY e.at DESC LIMIT 1;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION audit.made_here(uuid), audit.opened(), audit.find_looks(text, uuid[]), audit.tells_of_record()
    FROM PUBLIC;
GRANT CREATE ON SCHEMA audit TO hub_log;
ALTER FUNCTION audit.tells_of_record() OWNER TO hub_log;
ALTER FUNCTION audit.made_here(uuid) OWNER TO hub_log;
ALTER FUNCTION audit.opened() OWNER TO hub_log;
ALTER FUNCTION audit.find_looks(text, uuid[]) OWNER TO hub_log;
REVOKE CREATE ON SCHEMA audit FROM hub_log;
GRANT EXECUTE ON FUNCTION audit.made_here(uuid), audit.opened(), audit.find_looks(text, uuid[]) TO hub_app;
