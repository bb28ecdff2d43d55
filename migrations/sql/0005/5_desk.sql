-- What the auditor's desk still needed: the numbers of the rules of alerts, kept by the database with the day from which they
-- hold, and a rule for looks at restricted records.

-- Every rule, the number that it has of itself, and how far an organisation may move it: a rule that can never be met, or is
-- met by everything, watches nobody.
CREATE TABLE audit.alert_rule (
    code text PRIMARY KEY,
    threshold integer NOT NULL,
    lowest integer NOT NULL CHECK (lowest > 0),
    highest integer NOT NULL,
    CHECK (threshold BETWEEN lowest AND highest)
);
INSERT INTO audit.alert_rule (code, threshold, lowest, highest) VALUES
    ('same_surname', 1, 1, 5),
    ('same_address', 1, 1, 3),
    ('declared_interest', 1, 1, 3),
    ('high_profile', 3, 1, 10),
    ('no_relation', 5, 2, 20),
    ('out_of_hours', 10, 3, 50),
    ('bulk', 40, 10, 200),
    ('leaver', 25, 5, 100),
    ('denied_series', 10, 3, 30);
ALTER TABLE audit.alert DROP CONSTRAINT alert_rule_check;
ALTER TABLE audit.alert ADD CONSTRAINT alert_rule_fkey FOREIGN KEY (rule) REFERENCES audit.alert_rule;

-- An organisation's own number for a rule. Nothing is changed or removed here: the one that was set last for the latest day
-- that has come is in force.
CREATE TABLE audit.alert_setting (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    organisation_id uuid NOT NULL,
    rule text NOT NULL REFERENCES audit.alert_rule,
    threshold integer NOT NULL,
    -- a day in London
    valid_from date NOT NULL,
    set_by uuid NOT NULL
);
CREATE INDEX ix_alert_setting_rule ON audit.alert_setting (organisation_id, rule, valid_from, id);

CREATE FUNCTION audit.watch_setting() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, audit, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit.alert_rule r
            WHERE r.code = new.rule AND new.threshold BETWEEN r.lowest AND r.highest) THEN
        RAISE EXCEPTION 'a threshold stays within the bounds of its rule' USING ERRCODE = '23514';
    END IF;
    -- what was no alert yesterday does not become one afterwards, nor the other way round
    IF new.valid_from < (clock_timestamp() AT TIME ZONE 'Europe/London')::date THEN
        RAISE EXCEPTION 'a threshold holds from today or later' USING ERRCODE = '23514';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_setting BEFORE INSERT ON audit.alert_setting FOR EACH ROW EXECUTE FUNCTION audit.watch_setting();

-- The numbers of every rule with the days on which they hold: from the first, up to and without the last.
CREATE FUNCTION audit.thresholds_of(organisation uuid)
    RETURNS TABLE (code text, threshold integer, first_day date, end_day date)
    LANGUAGE sql STABLE SET search_path = pg_catalog, audit, pg_temp
AS $$
    WITH one AS (
        SELECT r.code, r.threshold, '-infinity'::date AS first_day FROM audit.alert_rule r
        UNION ALL
        (SELECT DISTINCT ON (s.rule, s.valid_from) s.rule, s.threshold, s.valid_from FROM audit.alert_setting s
            WHERE s.organisation_id = organisation ORDER BY s.rule, s.valid_from, s.id DESC)
    )
    SELECT one.code, one.threshold, one.first_day,
        lead(one.first_day, 1, 'infinity'::date) OVER (PARTITION BY one.code ORDER BY one.first_day)
    FROM one
$$;

-- Whether somebody was outside a record's named team when they met it restricted. What the record was then is told by the last
-- event about it; where that has left the database, by what it is now and since when anybody is named on it.
CREATE FUNCTION audit.is_outside(record_id uuid, user_id uuid, moment timestamptz) RETURNS boolean
    LANGUAGE sql STABLE
AS $$
    SELECT NOT EXISTS (SELECT FROM public.record_team t
            WHERE t.record_id = is_outside.record_id AND t.user_id = is_outside.user_id AND t.added_at <= moment)
        AND coalesce((SELECT convert_from(e.body, 'UTF8')::jsonb #>> '{facts,restricted}' = 'true' FROM audit.event e
                WHERE e.object_id = is_outside.record_id AND e.act = 'case.restricted' AND e.outcome = 'ok' AND e.at <= moment
                ORDER BY e.at DESC LIMIT 1),
            (SELECT r.restricted AND t.named_at <= moment FROM public.record r
                CROSS JOIN LATERAL (SELECT min(t.added_at) AS named_at FROM public.record_team t WHERE t.record_id = r.id) AS t
                WHERE r.id = is_outside.record_id),
            false)
$$;

-- Looks at restricted records by who was not on their named team (which only emergency access allows), and refused ones at the
-- organisation's own. Of those no event is named; at those of others they are left out: else an id that was guessed would be
-- told apart from one that does not exist. One look is enough; of refused ones alone it takes as many as the threshold.
CREATE FUNCTION audit.hits_high_profile(organisation uuid, users uuid[], since timestamptz, until timestamptz, threshold integer)
    RETURNS TABLE (user_id uuid, day date, event_id uuid, at timestamptz, subject uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    WITH hit AS (
        SELECT o.user_id, audit.london_day(o.at) AS day, o.event_id, o.at, o.subject
        FROM audit.opens_of(users, since, until) o
        WHERE EXISTS (SELECT FROM record r WHERE r.id = ANY (o.records) AND audit.is_outside(r.id, o.user_id, o.at))
        UNION ALL
        SELECT e.user_id, audit.london_day(e.at), NULL, e.at, NULL
        FROM audit.event e JOIN record r ON r.id = e.object_id AND r.owner_organisation_id = organisation
        WHERE e.user_id = ANY (users) AND e.at >= since AND e.at < until AND e.outcome = 'denied'
          AND e.category = 'consultation' AND e.source NOT IN ('job', 'load') AND audit.is_outside(r.id, e.user_id, e.at)
    ), counted AS (
        SELECT *, count(hit.event_id) OVER (PARTITION BY hit.user_id, hit.day) AS looks,
            count(*) OVER (PARTITION BY hit.user_id, hit.day) AS many
        FROM hit
    )
    SELECT c.user_id, c.day, c.event_id, c.at, c.subject FROM counted c WHERE c.looks > 0 OR c.many >= threshold
$$;

-- Applies every rule to what has come since the last time, as before; which rules there are and their numbers is no longer the
-- caller's to say. A day is judged by the number that held on it.
DROP FUNCTION audit.raise_alerts(uuid, timestamptz, jsonb);
CREATE FUNCTION audit.raise_alerts(organisation uuid, until timestamptz)
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
    FOR one IN SELECT t.* FROM audit.thresholds_of(organisation) t
            WHERE t.end_day > audit.london_day(begun) ORDER BY t.code, t.first_day LOOP
        RETURN QUERY EXECUTE format($rule$
            WITH reviewed AS (
                SELECT a.user_id, a.day, count(*) AS parts, max(a.last_at) AS last_at FROM audit.alert a
                WHERE a.organisation_id = $1 AND a.rule = $6 AND a.reviewed_at IS NOT NULL GROUP BY a.user_id, a.day
            ), hit AS (
                SELECT h.*, coalesce(r.parts, 0) AS part
                FROM audit.%I($1, $2, $3, $4, $5) AS h LEFT JOIN reviewed r ON r.user_id = h.user_id AND r.day = h.day
                WHERE h.day >= greatest(audit.london_day($3), $7) AND h.day < $8 AND (r.last_at IS NULL OR h.at > r.last_at)
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
            USING organisation, coalesce(users, '{}'), begun, ends, one.threshold, one.code, one.first_day, one.end_day;
    END LOOP;
    UPDATE audit.alert_cursor c SET seen_until = greatest(c.seen_until, ends) WHERE c.organisation_id = organisation;
END
$$;
