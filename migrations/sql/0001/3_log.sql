-- The log. Events are made by audit.record_event alone: it decides time, actor and transaction, and builds the bytes.

CREATE TABLE audit.event (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    xid xid8 NOT NULL,
    category text NOT NULL CHECK (category IN ('consultation', 'collection', 'alteration', 'disclosure', 'combination',
        'erasure', 'security', 'admin', 'audit')),
    act text NOT NULL CHECK (act ~ '^[a-z_]+\.[a-z_]+$'),
    outcome text NOT NULL CHECK (outcome IN ('ok', 'denied', 'error', 'intent', 'withheld')),
    source text NOT NULL CHECK (source IN ('web', 'cli', 'job', 'load')),
    user_id uuid,
    organisation_id uuid,
    team_id uuid,
    object_type text,
    object_id uuid,
    object_version integer,
    record_ids uuid[] NOT NULL,
    person_ids uuid[] NOT NULL,
    organisation_ids uuid[] NOT NULL,
    body bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- what the auditor's desk asks: by whom, about which record, person or organisation; and the sequencer's order
CREATE INDEX ix_event_at ON audit.event (at, id);
CREATE INDEX ix_event_user ON audit.event (user_id, at);
CREATE INDEX ix_event_object ON audit.event (object_id, at);
CREATE INDEX ix_event_order ON audit.event (xid, id);
CREATE INDEX ix_event_records ON audit.event USING gin (record_ids);
CREATE INDEX ix_event_people ON audit.event USING gin (person_ids);
CREATE INDEX ix_event_organisations ON audit.event USING gin (organisation_ids);

CREATE TABLE audit.event_text (
    event_id uuid NOT NULL,
    name text NOT NULL,
    salt bytea NOT NULL CHECK (length(salt) = 32),
    data_key_id uuid NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (event_id, name)
);

-- the key under which session ids are hashed for the log: readable by hub_log alone
CREATE TABLE audit.session_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    secret bytea NOT NULL
);
INSERT INTO audit.session_key (secret) VALUES (gen_random_bytes(32));

ALTER TABLE audit.event ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.event FORCE ROW LEVEL SECURITY;
CREATE POLICY hub_owner_all ON audit.event TO hub_owner USING (true) WITH CHECK (true);
CREATE POLICY hub_log_add ON audit.event FOR INSERT TO hub_log WITH CHECK (true);
CREATE POLICY hub_reader_all ON audit.event FOR SELECT TO hub_reader USING (true);
-- containment, so that the index on organisation_ids may be used
CREATE POLICY hub_read ON audit.event FOR SELECT TO hub_app USING (
    organisation_ids @> ARRAY[(SELECT nullif(current_setting('hub.organisation_id', true), '')::uuid)]
);

ALTER TABLE audit.event_text ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.event_text FORCE ROW LEVEL SECURITY;
CREATE POLICY hub_owner_all ON audit.event_text TO hub_owner USING (true) WITH CHECK (true);
CREATE POLICY hub_log_add ON audit.event_text FOR INSERT TO hub_log WITH CHECK (true);
CREATE POLICY hub_read ON audit.event_text FOR SELECT TO hub_app USING (
    EXISTS (SELECT FROM audit.event WHERE event.id = event_text.event_id
        AND event.organisation_id = (SELECT nullif(current_setting('hub.organisation_id', true), '')::uuid))
);

-- Partitions: this month and the next ones. Definer, so that the worker can make them without owning anything.
CREATE FUNCTION audit.ensure_partitions(months_ahead integer DEFAULT 3) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
DECLARE
    month date;
    name text;
    made integer := 0;
BEGIN
    FOR step IN 0..least(greatest(months_ahead, 0), 24) LOOP
        month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step))::date;
        name := 'event_' || to_char(month, 'YYYY_MM');
        IF to_regclass('audit.' || name) IS NULL THEN
            EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)', name,
                month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            EXECUTE format('ALTER TABLE audit.%I ENABLE ROW LEVEL SECURITY', name);
            EXECUTE format('ALTER TABLE audit.%I FORCE ROW LEVEL SECURITY', name);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;
SELECT audit.ensure_partitions(3);

-- How many of the next months have no partition yet: health and the worker's alarm ask it.
CREATE FUNCTION audit.missing_partitions(months_ahead integer DEFAULT 1) RETURNS integer
    LANGUAGE sql STABLE SET search_path = pg_catalog, audit, pg_temp
AS $$
    SELECT count(*)::integer FROM generate_series(0, months_ahead) AS step
    WHERE to_regclass('audit.event_'
        || to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step), 'YYYY_MM')) IS NULL
$$;

-- Canonical JSON (RFC 8785 under our rules: ASCII keys, no floats, |int| < 2^53). Never jsonb::text of a container: its key
-- order and spaces are its own; of a single string it is what RFC 8785 asks for. The helpers below set no search_path of
-- their own: record_event's holds within it, and one set at each call would cost as much as the work.
CREATE FUNCTION audit.whole_number(value jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF value::text !~ '^-?[0-9]{1,16}$' OR abs(value::text::numeric) >= 9007199254740992 THEN
        RAISE EXCEPTION 'an event holds whole numbers below 2^53 only' USING ERRCODE = '22003';
    END IF;
    RETURN value::text;
END
$$;

CREATE FUNCTION audit.canonical(value jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    CASE jsonb_typeof(value)
        WHEN 'object' THEN
            IF value = '{}' THEN
                RETURN '{}';
            END IF;
            RETURN (SELECT '{' || string_agg(to_json(key)::text || ':' || CASE jsonb_typeof(member)
                    WHEN 'string' THEN member::text ELSE audit.canonical(member) END, ',' ORDER BY key COLLATE "C") || '}'
                FROM jsonb_each(value) AS pair(key, member));
        WHEN 'array' THEN
            RETURN (SELECT '[' || coalesce(string_agg(audit.canonical(member), ',' ORDER BY position), '') || ']'
                FROM jsonb_array_elements(value) WITH ORDINALITY AS part(member, position));
        WHEN 'number' THEN
            RETURN audit.whole_number(value);
        ELSE
            RETURN coalesce(value::text, 'null');
    END CASE;
END
$$;

-- Facts, sources, recipients and bases are codes and ids under plain keys: a sentence, or a name with a space in it, can't
-- get in, whatever the caller does. (That a code is a code, and no name in one word, is the catalogue's matter.)
CREATE FUNCTION audit.holds_codes_only(value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    -- no bounded repetition in the pattern: it would cost fifty times as much
    SELECT coalesce(length(value::text) < 20000 AND value::text ~
        '^([][{}, ]|"[a-z][a-z0-9_]*": |"[A-Za-z0-9_:.+/=-]*"|-?[0-9]+|true|false|null)*$', true)
$$;

-- UUIDv7 from the database's clock.
CREATE FUNCTION audit.new_event_id(moment timestamptz) RETURNS uuid
    LANGUAGE sql VOLATILE
AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                PLACING substring(int8send(floor(extract(epoch FROM moment) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
            52, 1), 53, 1), 'hex')::uuid
$$;

CREATE FUNCTION audit.uuid_list(ids uuid[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN coalesce(cardinality(ids), 0) = 0 THEN '[]'
        ELSE '["' || array_to_string(ids, '","') || '"]' END
$$;

-- The one door into the log.
--   token       raw session token; the function hashes it and looks the actor up. NULL only for category security.
--   shown       ids of all records and people that the act shows or changes; counted shows a number without ids
--   recipients  [{"channel","organisation","team","user"}], required for a disclosure, refused otherwise
--   texts       [{"name","commitment","salt","key","sealed"}] (hex): reasons and before/after values, sealed
-- The checks stand here and not only in the application, so that a stolen password of the service forges no shape either.
CREATE FUNCTION audit.record_event(
    token text, p_category text, p_act text, p_outcome text,
    p_object_type text, p_object_id uuid, p_object_version integer,
    shown_records uuid[], shown_people uuid[], counted integer,
    recipients jsonb, basis jsonb, file jsonb, facts jsonb, texts jsonb, p_source jsonb
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    made_id uuid := audit.new_event_id(moment);
    who record;
    roles text[];
    session_mark text;
    owners uuid[] := '{}';
    told uuid[] := '{}';
    sought uuid;
    records uuid[] := array_remove(coalesce(shown_records, '{}'), NULL);
    people uuid[] := array_remove(coalesce(shown_people, '{}'), NULL);
    given_texts jsonb := coalesce(texts, '[]');
    given_recipients jsonb := coalesce(recipients, '[]');
    commitments jsonb := '{}';
    body text;
BEGIN
    IF token IS NOT NULL THEN
        SELECT s.id, s.kind, s.purpose, s.method, s.authenticated_at, s.user_id, s.team_id,
                u.organisation_id, t.partnership_id INTO who
            FROM user_session s JOIN app_user u ON u.id = s.user_id JOIN team t ON t.id = s.team_id
            WHERE s.token_hash = sha256(convert_to(token, 'UTF8'))
              AND s.ended_at IS NULL AND s.expires_at > moment AND u.disabled_at IS NULL;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no live session for this token' USING ERRCODE = '28000';
        END IF;
        SELECT coalesce(array_agg(h.role ORDER BY h.role COLLATE "C"), '{}') INTO roles FROM role_holding h
            WHERE h.user_id = who.user_id AND h.partnership_id = who.partnership_id
              AND (h.ended_at IS NULL OR h.ended_at > moment);
        SELECT encode(hmac(uuid_send(who.id), k.secret, 'sha256'), 'hex') INTO session_mark FROM audit.session_key k;
    ELSIF p_category <> 'security' OR p_outcome <> 'denied' OR cardinality(records) + cardinality(people) > 0
            OR given_texts <> '[]' THEN
        RAISE EXCEPTION 'without an actor only a refusal at the door is written' USING ERRCODE = '28000';
    ELSE
        SELECT NULL::uuid AS id, 'web' AS kind, NULL::text AS purpose, NULL::text AS method,
               NULL::timestamptz AS authenticated_at, NULL::uuid AS user_id, NULL::uuid AS team_id,
               NULL::uuid AS organisation_id, NULL::uuid AS partnership_id INTO who;
        roles := '{}';
    END IF;
    IF (p_category = 'disclosure' AND p_outcome = 'ok') <> (given_recipients <> '[]') THEN
        RAISE EXCEPTION 'a disclosure names its recipients, and nothing else does' USING ERRCODE = '22023';
    END IF;
    IF p_object_type IS NULL AND (p_object_id IS NOT NULL OR p_object_version IS NOT NULL) THEN
        RAISE EXCEPTION 'an object has a type' USING ERRCODE = '22023';
    END IF;
    IF NOT (coalesce(p_object_type, 'none') ~ '^[a-z_]{1,63}$' AND audit.holds_codes_only(given_recipients)
            AND audit.holds_codes_only(basis) AND audit.holds_codes_only(file) AND audit.holds_codes_only(facts)
            AND audit.holds_codes_only(p_source)) THEN
        RAISE EXCEPTION 'an event holds ids and codes, no names and no text' USING ERRCODE = '22023';
    END IF;
    IF given_recipients <> '[]' THEN
        IF EXISTS (SELECT FROM jsonb_array_elements(given_recipients) AS one
                WHERE one ->> 'organisation' IS NULL OR coalesce(one ->> 'channel', '') = '') THEN
            RAISE EXCEPTION 'a recipient is an organisation and the channel it was reached by' USING ERRCODE = '22023';
        END IF;
        SELECT array_agg(DISTINCT (one ->> 'organisation')::uuid) INTO told
            FROM jsonb_array_elements(given_recipients) AS one;
    END IF;
    IF given_texts <> '[]' THEN
        IF EXISTS (SELECT FROM jsonb_array_elements(given_texts) AS one
                WHERE coalesce(one ->> 'name', '') !~ '^[a-z][a-z0-9_]{0,79}$'
                   OR coalesce(one ->> 'commitment', '') !~ '^[0-9a-f]{64}$') THEN
            RAISE EXCEPTION 'a text stands in an event as a commitment only' USING ERRCODE = '22023';
        END IF;
        SELECT jsonb_object_agg(one ->> 'name', one ->> 'commitment') INTO commitments
            FROM jsonb_array_elements(given_texts) AS one;
    END IF;
    IF records <> '{}' THEN
        SELECT coalesce(array_agg(DISTINCT r.owner_organisation_id), '{}') INTO owners
            FROM record r WHERE r.id = ANY (records);
    END IF;
    -- a refused look is told to the owner of what it was aimed at, but not in its bytes: the looker's own auditor must not
    -- be able to tell a hidden record from one that does not exist
    IF p_outcome = 'denied' AND p_object_id IS NOT NULL THEN
        SELECT r.owner_organisation_id INTO sought FROM record r WHERE r.id = p_object_id;
    END IF;

    body := '{"act":' || to_json(p_act)::text
        || ',"actor":' || CASE WHEN who.user_id IS NULL THEN 'null' ELSE
            '{"authenticated":{"at":' || to_json(to_char(who.authenticated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text
            || ',"how":' || to_json(who.method)::text || '},"organisation":"' || who.organisation_id
            || '","partnership":"' || who.partnership_id || '","roles":' || to_json(roles)::text
            || ',"session":"' || session_mark || '","team":"' || who.team_id || '","user":"' || who.user_id || '"}' END
        || ',"basis":' || audit.canonical(coalesce(basis, '{}') || CASE WHEN who.purpose IS NULL THEN '{}'::jsonb
            ELSE jsonb_build_object('purpose', who.purpose) END)
        || ',"category":' || to_json(p_category)::text
        || ',"commitments":' || audit.canonical(commitments)
        || ',"facts":' || audit.canonical(coalesce(facts, '{}'))
        || ',"file":' || audit.canonical(file)
        || ',"id":"' || made_id || '"'
        || ',"object":' || CASE WHEN p_object_type IS NULL THEN 'null' ELSE
            '{"id":' || coalesce('"' || p_object_id || '"', 'null') || ',"type":' || to_json(p_object_type)::text
            || ',"version":' || coalesce(p_object_version::text, 'null') || '}' END
        || ',"outcome":' || to_json(p_outcome)::text
        || ',"recipients":' || audit.canonical(given_recipients)
        || ',"shown":{"count":' || coalesce(counted, cardinality(records) + cardinality(people))
            || ',"owners":' || audit.uuid_list(owners) || ',"people":' || audit.uuid_list(people)
            || ',"records":' || audit.uuid_list(records) || '}'
        || ',"source":' || audit.canonical(coalesce(p_source, '{}') || jsonb_build_object('kind', who.kind))
        || ',"time":' || to_json(to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text
        || ',"v":1}';

    INSERT INTO audit.event (id, at, xid, category, act, outcome, source, user_id, organisation_id, team_id,
            object_type, object_id, object_version, record_ids, person_ids, organisation_ids, body, hash)
        VALUES (made_id, moment, pg_current_xact_id(), p_category, p_act, p_outcome, who.kind, who.user_id,
            who.organisation_id, who.team_id, p_object_type, p_object_id, p_object_version, records, people,
            ARRAY(SELECT DISTINCT one FROM unnest(owners || told || who.organisation_id || sought) AS one WHERE one IS NOT NULL),
            convert_to(body, 'UTF8'), sha256(convert_to(body, 'UTF8')));
    IF given_texts <> '[]' THEN
        INSERT INTO audit.event_text (event_id, name, salt, data_key_id, sealed)
            SELECT made_id, one ->> 'name', decode(one ->> 'salt', 'hex'), (one ->> 'key')::uuid,
                decode(one ->> 'sealed', 'hex')
            FROM jsonb_array_elements(given_texts) AS one;
    END IF;
    RETURN made_id;
END
$$;

-- What the auditor's desk asks past row security, for ids and references alone. Array operators aren't leakproof, so that
-- under row security they would read the whole log; each of these names the organisation in hand itself.
CREATE FUNCTION audit.my_organisation() RETURNS uuid
    LANGUAGE sql STABLE
AS $$ SELECT nullif(current_setting('hub.organisation_id', true), '')::uuid $$;

-- Events that show, change or are about one record or person.
CREATE FUNCTION audit.find_events_about(subject uuid) RETURNS TABLE (id uuid, at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
    SELECT e.id, e.at FROM audit.event e
    WHERE (e.record_ids @> ARRAY[subject] OR e.person_ids @> ARRAY[subject] OR e.object_id = subject)
      AND e.organisation_ids @> ARRAY[audit.my_organisation()]
$$;

-- The id behind the reference of a record or person: where the organisation owns it, or its log tells of it.
CREATE FUNCTION audit.find_subject(wanted text) RETURNS TABLE (id uuid, kind text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    SELECT found.id, found.kind
    FROM (SELECT r.id, r.kind, r.owner_organisation_id AS owner FROM record r WHERE r.reference = wanted
          UNION ALL
          SELECT p.id, 'person', p.organisation_id FROM person p WHERE p.reference = wanted) AS found
    -- a look that was refused tells the organisation nothing of what was there
    WHERE found.owner = audit.my_organisation() OR EXISTS (
        SELECT FROM audit.find_events_about(found.id) AS about
            JOIN audit.event e ON e.id = about.id AND e.at = about.at AND e.outcome = 'ok')
$$;

-- References of the records and people that events of the organisation's log name. What a refused look was aimed at is
-- named only to its owner: else an id guessed by a user would be told apart from one that does not exist.
CREATE FUNCTION audit.find_references(events uuid[]) RETURNS TABLE (id uuid, kind text, reference text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    WITH named AS (
        SELECT one.id, bool_or(e.outcome = 'ok') AS known
        FROM audit.event e CROSS JOIN LATERAL unnest(e.record_ids || e.person_ids || e.object_id) AS one (id)
        WHERE e.id = ANY (events) AND e.organisation_ids @> ARRAY[audit.my_organisation()]
        GROUP BY one.id
    )
    SELECT r.id, r.kind, r.reference FROM record r JOIN named n ON n.id = r.id
        WHERE n.known OR r.owner_organisation_id = audit.my_organisation()
    UNION ALL
    SELECT p.id, 'person', p.reference FROM person p JOIN named n ON n.id = p.id
        WHERE n.known OR p.organisation_id = audit.my_organisation()
$$;

-- Every revision that there is of cases, incidents and shares: of one organisation, or of all for the owner of the schema.
CREATE FUNCTION audit.find_revisions() RETURNS TABLE (object_type text, object_id uuid, revision integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    SELECT 'case', c.id, c.revision FROM case_record c
        WHERE session_user = 'hub_owner' OR c.owner_organisation_id = audit.my_organisation()
    UNION ALL
    SELECT 'incident', i.id, i.revision FROM incident i
        WHERE session_user = 'hub_owner' OR i.owner_organisation_id = audit.my_organisation()
    UNION ALL
    SELECT 'record_grant', g.id, g.revision FROM record_grant g
        WHERE session_user = 'hub_owner' OR g.owner_organisation_id = audit.my_organisation()
$$;

CREATE FUNCTION audit.count_revisions() RETURNS bigint
    LANGUAGE sql STABLE
AS $$ SELECT coalesce(sum(f.revision), 0) FROM audit.find_revisions() AS f $$;

-- Those of them that no event tells of.
CREATE FUNCTION audit.find_missing_revisions() RETURNS TABLE (object_type text, object_id uuid, version integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    SELECT f.object_type, f.object_id, one.version
    FROM audit.find_revisions() AS f CROSS JOIN LATERAL generate_series(1, f.revision) AS one (version)
    WHERE NOT EXISTS (SELECT FROM audit.event e WHERE e.object_id = f.object_id AND e.object_type = f.object_type
        AND e.object_version = one.version AND e.outcome = 'ok' AND e.category <> 'consultation')
$$;

-- Sessions: the application role can't read a token's hash, so only this function tells whose a token is.
-- Expired and ended ones are found too (a form sent late is kept as a draft for its user); the caller looks at the times.
CREATE FUNCTION public.find_session(token text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT id FROM user_session WHERE token_hash = sha256(convert_to(token, 'UTF8'))
$$;
