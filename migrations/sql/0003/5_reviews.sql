-- What auditors review: alerts, which the database draws from the log by its rules, and random samples whose users are asked.
-- No foreign keys into live data, as in the log itself: both outlive what they tell of.

CREATE TABLE audit.alert (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    organisation_id uuid NOT NULL,
    user_id uuid NOT NULL,
    rule text NOT NULL CHECK (rule IN ('same_surname', 'same_address', 'declared_interest', 'no_relation', 'out_of_hours',
        'bulk', 'leaver', 'denied_series')),
    day date NOT NULL,
    -- a second alert of the same day holds what came after the first was reviewed
    part smallint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    events integer NOT NULL CHECK (events > 0),
    records integer NOT NULL,
    event_ids uuid[] NOT NULL CHECK (cardinality(event_ids) <= 50),
    revision integer NOT NULL DEFAULT 1,
    reviewed_at timestamptz,
    reviewed_by uuid CHECK (reviewed_by <> user_id),
    decision text CHECK (decision IN ('justified', 'training', 'referred', 'false_alarm', 'data_breach')),
    -- the event of the review, beside which its note is sealed
    review_event_id uuid,
    CHECK (num_nulls(reviewed_at, reviewed_by, decision, review_event_id) IN (0, 4)),
    UNIQUE (organisation_id, rule, user_id, day, part)
);
CREATE INDEX ix_alert_list ON audit.alert (organisation_id, created_at DESC, id DESC);

-- how far each organisation's log has been read
CREATE TABLE audit.alert_cursor (
    organisation_id uuid PRIMARY KEY,
    seen_until timestamptz NOT NULL
);

CREATE TABLE audit.sample (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    organisation_id uuid NOT NULL,
    drawn_by uuid NOT NULL,
    seed bigint NOT NULL CHECK (seed > 0),
    since timestamptz NOT NULL,
    before timestamptz NOT NULL CHECK (before > since),
    category text,
    act text,
    size smallint NOT NULL CHECK (size BETWEEN 1 AND 50),
    due_at timestamptz NOT NULL
);
CREATE INDEX ix_sample_list ON audit.sample (organisation_id, created_at DESC, id DESC);

CREATE TABLE audit.sampled_access (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    sample_id uuid NOT NULL REFERENCES audit.sample,
    organisation_id uuid NOT NULL,
    place smallint NOT NULL,
    event_id uuid NOT NULL,
    event_at timestamptz NOT NULL,
    act text NOT NULL,
    object_type text,
    object_id uuid,
    user_id uuid NOT NULL,
    answered_at timestamptz,
    answer_event_id uuid,
    verdict text CHECK (verdict IN ('accepted', 'not_accepted')),
    judged_at timestamptz,
    judged_by uuid CHECK (judged_by <> user_id),
    verdict_event_id uuid,
    revision integer NOT NULL DEFAULT 1,
    CHECK (num_nulls(answered_at, answer_event_id) IN (0, 2)),
    CHECK (num_nulls(verdict, judged_at, judged_by, verdict_event_id) IN (0, 4)),
    UNIQUE (sample_id, place),
    UNIQUE (sample_id, event_id)
);
CREATE INDEX ix_sampled_access_user ON audit.sampled_access (user_id, created_at DESC);

-- Reviewed once, by whoever acts now; answered once, by the user who was asked; judged once, by somebody else.
CREATE FUNCTION audit.watch_review() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me uuid := nullif(current_setting('hub.user_id', true), '')::uuid;
BEGIN
    IF current_user <> 'hub_app' THEN
        RETURN new;
    END IF;
    IF TG_TABLE_NAME = 'alert' THEN
        IF old.reviewed_at IS NOT NULL OR new.reviewed_by IS DISTINCT FROM me THEN
            RAISE EXCEPTION 'an alert is reviewed once, by whoever acts' USING ERRCODE = '42501';
        END IF;
    ELSIF new.answered_at IS DISTINCT FROM old.answered_at AND (old.answered_at IS NOT NULL OR me IS DISTINCT FROM old.user_id)
            OR new.judged_at IS DISTINCT FROM old.judged_at AND (old.judged_at IS NOT NULL OR new.judged_by IS DISTINCT FROM me) THEN
        RAISE EXCEPTION 'an access is answered for once, by its user, and judged once' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_review BEFORE UPDATE ON audit.alert FOR EACH ROW EXECUTE FUNCTION audit.watch_review();
CREATE TRIGGER watch_review BEFORE UPDATE ON audit.sampled_access FOR EACH ROW EXECUTE FUNCTION audit.watch_review();

-- The rules. Each takes the organisation, the users whose log has grown, a period and its threshold, and gives the hits: who,
-- the day it counts for in London, the event (null where it must not be named), its time and what was opened.

CREATE FUNCTION audit.london_day(moment timestamptz) RETURNS date
    LANGUAGE sql IMMUTABLE AS $$ SELECT (moment AT TIME ZONE 'Europe/London')::date $$;
-- a night belongs to the evening it began in
CREATE FUNCTION audit.london_night(moment timestamptz) RETURNS date
    LANGUAGE sql IMMUTABLE AS $$ SELECT (moment AT TIME ZONE 'Europe/London' - interval '6 hours')::date $$;
CREATE FUNCTION audit.is_night(moment timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT extract(hour FROM moment AT TIME ZONE 'Europe/London') >= 22
        OR extract(hour FROM moment AT TIME ZONE 'Europe/London') < 6
$$;

-- Cases, incidents and people that somebody opened. (Lists and searches show many and choose none.)
CREATE FUNCTION audit.opens_of(users uuid[], since timestamptz, until timestamptz)
    RETURNS TABLE (user_id uuid, event_id uuid, at timestamptz, subject uuid, records uuid[], people uuid[], via text)
    LANGUAGE sql STABLE
AS $$
    SELECT e.user_id, e.id, e.at, e.object_id, e.record_ids || e.object_id, e.person_ids || e.object_id,
        convert_from(e.body, 'UTF8')::jsonb #>> '{basis,via}'
    FROM audit.event e
    WHERE e.user_id = ANY (users) AND e.at >= since AND e.at < until AND e.category = 'consultation' AND e.outcome = 'ok'
      AND e.object_type IN ('case', 'incident', 'person') AND e.act LIKE '%.opened' AND e.source NOT IN ('job', 'load')
$$;

CREATE FUNCTION audit.hits_same_surname(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    WITH hit AS (
        SELECT o.user_id, audit.london_day(o.at) AS day, o.event_id, o.at, o.subject
        FROM audit.opens_of(users, since, until) o JOIN app_user u ON u.id = o.user_id
        WHERE EXISTS (SELECT FROM person_name n WHERE n.person_id = ANY (o.people) AND fold_text(n.family_name) <> ''
            AND ' ' || fold_text(u.name) LIKE '% ' || fold_text(n.family_name))
    ), counted AS (SELECT *, count(*) OVER (PARTITION BY hit.user_id, hit.day) AS many FROM hit)
    SELECT c.user_id, c.day, c.event_id, c.at, c.subject FROM counted c WHERE c.many >= threshold
$$;

-- Looks at what a declaration of the user's excludes, made before it did; and refused looks, of which no event is named:
-- else an id that was guessed would be told apart from one that does not exist.
CREATE FUNCTION audit.hits_of_interest(users uuid[], since timestamptz, until timestamptz, threshold integer, kinds text[])
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    WITH mine AS (
        SELECT x.user_id, x.record_id, x.person_id, x.ended_at
        FROM exclusion x JOIN declared_interest i ON i.id = x.interest_id
        WHERE x.user_id = ANY (users) AND i.kind = ANY (kinds)
    ), hit AS (
        SELECT o.user_id, audit.london_day(o.at) AS day, o.event_id, o.at, o.subject
        FROM audit.opens_of(users, since, until) o
        WHERE EXISTS (SELECT FROM mine m WHERE m.user_id = o.user_id AND (m.ended_at IS NULL OR m.ended_at > o.at)
            AND (m.record_id = ANY (o.records) OR m.person_id = ANY (o.people)))
        UNION ALL
        SELECT e.user_id, audit.london_day(e.at), NULL, e.at, NULL
        FROM audit.event e
        WHERE e.user_id = ANY (users) AND e.at >= since AND e.at < until AND e.outcome = 'denied'
          AND EXISTS (SELECT FROM mine m WHERE m.user_id = e.user_id AND (m.ended_at IS NULL OR m.ended_at > e.at)
            AND e.object_id IN (m.record_id, m.person_id))
    ), counted AS (SELECT *, count(*) OVER (PARTITION BY hit.user_id, hit.day) AS many FROM hit)
    SELECT c.user_id, c.day, c.event_id, c.at, c.subject FROM counted c WHERE c.many >= threshold
$$;
CREATE FUNCTION audit.hits_declared_interest(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$ SELECT * FROM audit.hits_of_interest(users, since, until, threshold, '{person,surname}') $$;
CREATE FUNCTION audit.hits_same_address(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$ SELECT * FROM audit.hits_of_interest(users, since, until, threshold, '{address}') $$;

-- Records open to the whole organisation, opened by somebody whom nothing ties to them: neither a team of theirs that leads,
-- nor being its officer or on its team, nor a share, nor anything that their teams have added.
CREATE FUNCTION audit.hits_no_relation(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    WITH opened AS (
        SELECT o.user_id, audit.london_day(o.at) AS day, o.event_id, o.at, o.subject
        FROM audit.opens_of(users, since, until) o WHERE o.via = 'organisation'
    ), pair AS (
        SELECT o.user_id, o.subject,
            ARRAY(SELECT m.team_id FROM team_membership m WHERE m.user_id = o.user_id) AS teams
        FROM opened o GROUP BY o.user_id, o.subject
    ), stranger AS (
        SELECT p.user_id, p.subject FROM pair p JOIN record r ON r.id = p.subject
        WHERE NOT r.lead_team_id = ANY (p.teams)
          AND NOT EXISTS (SELECT FROM case_record c WHERE c.id = r.id AND c.lead_officer_id = p.user_id)
          AND NOT EXISTS (SELECT FROM record_team t WHERE t.record_id = r.id AND t.user_id = p.user_id)
          AND NOT EXISTS (SELECT FROM record_grant g WHERE g.record_id = r.id AND g.state = 'accepted'
            AND (g.to_user_id = p.user_id OR g.to_team_id = ANY (p.teams)))
          AND NOT EXISTS (SELECT FROM entry n WHERE n.record_id = r.id
            AND (n.contributed_by = p.user_id OR n.contributor_team_id = ANY (p.teams)))
          AND NOT EXISTS (SELECT FROM involvement v WHERE v.record_id = r.id AND v.contributed_by = p.user_id)
    ), hit AS (
        SELECT o.* FROM opened o JOIN stranger s ON s.user_id = o.user_id AND s.subject = o.subject
    ), many AS (
        SELECT h.user_id, h.day FROM hit h GROUP BY h.user_id, h.day HAVING count(DISTINCT h.subject) >= threshold
    )
    SELECT h.user_id, h.day, h.event_id, h.at, h.subject FROM hit h JOIN many m ON m.user_id = h.user_id AND m.day = h.day
$$;

-- Whoever looked at night in the four weeks before as well works at night: at least one look in four of twenty or more.
CREATE FUNCTION audit.hits_out_of_hours(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
    WITH hit AS (
        SELECT o.user_id, audit.london_night(o.at) AS day, o.event_id, o.at, o.subject
        FROM audit.opens_of(users, since, until) o WHERE audit.is_night(o.at)
    ), counted AS (
        SELECT *, count(*) OVER (PARTITION BY hit.user_id, hit.day) AS many FROM hit
    )
    SELECT c.user_id, c.day, c.event_id, c.at, c.subject FROM counted c
    WHERE c.many >= threshold AND c.user_id NOT IN (
        SELECT o.user_id FROM audit.opens_of(ARRAY(SELECT DISTINCT hit.user_id FROM hit), since - interval '28 days', since) o
        GROUP BY o.user_id HAVING count(*) >= 20 AND count(*) FILTER (WHERE audit.is_night(o.at)) * 4 >= count(*))
$$;

-- More different cases, incidents and people in an hour than the threshold, wherever the hour begins. Different ones are
-- counted only where there are enough looks at all.
CREATE FUNCTION audit.hits_bulk(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
    WITH opened AS (
        SELECT o.user_id, o.event_id, o.at, o.subject, count(*) OVER (PARTITION BY o.user_id ORDER BY o.at
            RANGE BETWEEN interval '1 hour' PRECEDING AND CURRENT ROW) AS looks
        FROM audit.opens_of(users, since, until) o
    ), marked AS (
        SELECT o.*, CASE WHEN o.looks > threshold THEN (SELECT count(DISTINCT w.subject)
            FROM audit.opens_of(ARRAY[o.user_id], o.at - interval '1 hour', o.at + interval '1 microsecond') w) > threshold
            END AS is_full
        FROM opened o
    ), around AS (
        SELECT m.*, bool_or(m.is_full) OVER (PARTITION BY m.user_id ORDER BY m.at
            RANGE BETWEEN CURRENT ROW AND interval '1 hour' FOLLOWING) AS counts
        FROM marked m
    )
    SELECT a.user_id, audit.london_day(a.at), a.event_id, a.at, a.subject FROM around a WHERE a.counts
$$;

-- The last fourteen days before an account was closed, or before the last day in every team.
CREATE FUNCTION audit.hits_leaver(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    WITH leaving AS (
        SELECT u.id, least(u.disabled_at, m.left_at) AS leaves_at
        FROM app_user u CROSS JOIN LATERAL (SELECT nullif(max(coalesce(m.left_at, 'infinity')), 'infinity') AS left_at
            FROM team_membership m WHERE m.user_id = u.id) AS m
        WHERE u.organisation_id = organisation
          AND least(u.disabled_at, m.left_at) BETWEEN since AND until + interval '14 days'
    ), hit AS (
        SELECT o.user_id, audit.london_day(l.leaves_at) AS day, o.event_id, o.at, o.subject
        FROM leaving l CROSS JOIN LATERAL audit.opens_of(ARRAY[l.id], l.leaves_at - interval '14 days',
            least(l.leaves_at, until)) AS o
    ), many AS (
        SELECT h.user_id FROM hit h GROUP BY h.user_id HAVING count(DISTINCT h.subject) >= threshold
    )
    SELECT h.user_id, h.day, h.event_id, h.at, h.subject FROM hit h JOIN many m ON m.user_id = h.user_id
$$;

CREATE FUNCTION audit.hits_denied_series(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
    WITH refused AS (
        SELECT e.user_id, e.id, e.at, e.object_id, count(*) OVER (PARTITION BY e.user_id ORDER BY e.at
            RANGE BETWEEN interval '15 minutes' PRECEDING AND CURRENT ROW) >= threshold AS is_full
        FROM audit.event e
        WHERE e.user_id = ANY (users) AND e.at >= since AND e.at < until AND e.outcome = 'denied'
          AND e.source NOT IN ('job', 'load')
    ), around AS (
        SELECT r.*, bool_or(r.is_full) OVER (PARTITION BY r.user_id ORDER BY r.at
            RANGE BETWEEN CURRENT ROW AND interval '15 minutes' FOLLOWING) AS counts
        FROM refused r
    )
    SELECT a.user_id, audit.london_day(a.at), a.id, a.at, a.object_id FROM around a WHERE a.counts
$$;

-- Organisations whose log has grown since it was last read, and those whose people have left meanwhile.
CREATE FUNCTION audit.find_organisations_to_watch(until timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    SELECT o.id FROM organisation o LEFT JOIN audit.alert_cursor c ON c.organisation_id = o.id
        CROSS JOIN LATERAL (SELECT coalesce(c.seen_until, until - interval '1 day') AS at) AS seen
    WHERE EXISTS (SELECT FROM app_user u WHERE u.organisation_id = o.id AND u.disabled_at > seen.at)
       OR EXISTS (SELECT FROM app_user u JOIN audit.event e ON e.user_id = u.id AND e.at > seen.at AND e.at < until
            WHERE u.organisation_id = o.id AND e.source NOT IN ('job', 'load'))
    ORDER BY o.id
$$;

-- Applies the rules ([{"code", "threshold"}]) to what has come since the last time, and gives the alerts that are new or have
-- grown. The users whose log has grown are read again from the beginning of the day before, so that an alert is always made
-- of all its events; what was reviewed is never touched, and what came after the review makes another alert.
CREATE FUNCTION audit.raise_alerts(organisation uuid, until timestamptz, rules jsonb)
    RETURNS TABLE (alert_id uuid, about uuid, code text, is_new boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
DECLARE
    ends timestamptz := least(until, clock_timestamp());
    seen timestamptz;
    begun timestamptz;
    users uuid[];
    one record;
BEGIN
    INSERT INTO audit.alert_cursor VALUES (organisation, ends - interval '1 day') ON CONFLICT DO NOTHING;
    SELECT c.seen_until INTO seen FROM audit.alert_cursor c WHERE c.organisation_id = organisation FOR UPDATE;
    begun := (audit.london_day(seen) - 1)::timestamp AT TIME ZONE 'Europe/London';
    -- ten minutes again, for transactions that took long
    SELECT array_agg(DISTINCT e.user_id) INTO users FROM app_user u JOIN audit.event e ON e.user_id = u.id
        WHERE u.organisation_id = organisation AND e.at > seen - interval '10 minutes' AND e.at < ends
          AND e.source NOT IN ('job', 'load');
    FOR one IN SELECT r.code, r.threshold FROM jsonb_to_recordset(rules) AS r(code text, threshold integer) LOOP
        RETURN QUERY EXECUTE format($rule$
            WITH reviewed AS (
                SELECT a.user_id, a.day, count(*) AS parts, max(a.last_at) AS last_at FROM audit.alert a
                WHERE a.organisation_id = $1 AND a.rule = $6 AND a.reviewed_at IS NOT NULL GROUP BY a.user_id, a.day
            ), hit AS (
                SELECT h.*, coalesce(r.parts, 0) AS part
                FROM audit.%I($1, $2, $3, $4, $5) AS h LEFT JOIN reviewed r ON r.user_id = h.user_id AND r.day = h.day
                WHERE h.day >= audit.london_day($3) AND (r.last_at IS NULL OR h.at > r.last_at)
            )
            INSERT INTO audit.alert AS a (organisation_id, user_id, rule, day, part, first_at, last_at, events, records, event_ids)
            SELECT $1, h.user_id, $6, h.day, h.part, min(h.at), max(h.at), count(*), count(DISTINCT h.subject),
                coalesce((array_agg(h.event_id ORDER BY h.at, h.event_id) FILTER (WHERE h.event_id IS NOT NULL))[1:50], '{}')
            FROM hit h GROUP BY h.user_id, h.day, h.part
            ON CONFLICT (organisation_id, rule, user_id, day, part) DO UPDATE
                SET first_at = excluded.first_at, last_at = excluded.last_at, events = excluded.events,
                    records = excluded.records, event_ids = excluded.event_ids, revision = a.revision + 1
                WHERE a.reviewed_at IS NULL AND excluded.events > a.events
            RETURNING a.id, a.user_id, a.rule, a.revision = 1
            $rule$, 'hits_' || one.code)
            USING organisation, coalesce(users, '{}'), begun, ends, one.threshold, one.code;
    END LOOP;
    UPDATE audit.alert_cursor c SET seen_until = greatest(c.seen_until, ends) WHERE c.organisation_id = organisation;
END
$$;

-- Events that the report to a person is made of: those that name them, and disclosures of records that they are involved in.
CREATE FUNCTION audit.find_events_of_person(subject uuid) RETURNS TABLE (id uuid, at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    SELECT e.id, e.at FROM audit.event e
    WHERE (e.person_ids @> ARRAY[subject] OR e.object_id = subject)
      AND e.organisation_ids @> ARRAY[audit.my_organisation()]
    UNION
    SELECT e.id, e.at FROM audit.event e
    WHERE e.record_ids && ARRAY(SELECT v.record_id FROM involvement v WHERE v.person_id = subject)
      AND e.category = 'disclosure' AND e.organisation_ids @> ARRAY[audit.my_organisation()]
$$;
