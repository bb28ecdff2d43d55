-- The auditor's desk: inquiries by person, record, user and organisation, in lists and in numbers.

-- The working purpose that stands in the event's basis, drawn out of the bytes themselves for searching and counting. The basis
-- holds codes and ids alone, and in a string of JSON a quotation mark stands behind a backslash: so what is found is the basis.
-- Without a pattern, which would cost ten times as much for each event.
ALTER TABLE audit.event ADD COLUMN purpose text GENERATED ALWAYS AS (
    nullif(split_part(split_part(split_part(encode(substr(body, position('"basis":{'::bytea IN body), 400), 'escape'),
        '}', 1), '"purpose":"', 2), '"', 1), '')
) STORED;

-- what did people of that organisation do
CREATE INDEX ix_event_organisation ON audit.event (organisation_id, at);

-- The condition of an inquiry. Under row security array operators would read the whole log, because they aren't leakproof:
-- so the functions below read past it, and what this one writes names the organisation in hand first of all. Every value is
-- quoted and cast. As literals, so that each inquiry is planned for the months, users and records that it names.
--   asked  {subject, user, organisation, act, category, outcome, purpose, since, before, as_of, weekday, hour}, each optional;
--          'none' as the purpose asks for events without one; weekday 1 (Monday) to 7 and hour are those of London
CREATE FUNCTION audit.condition_of_inquiry(asked jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, audit, pg_temp
AS $$
    SELECT concat_ws(' AND ',
        format('e.organisation_ids @> ARRAY[%L::uuid]', audit.my_organisation()),
        CASE WHEN asked ? 'subject' THEN
            format('(e.record_ids @> ARRAY[%1$L::uuid] OR e.person_ids @> ARRAY[%1$L::uuid] OR e.object_id = %1$L::uuid)',
                asked ->> 'subject') END,
        CASE WHEN asked ? 'user' THEN format('e.user_id = %L::uuid', asked ->> 'user') END,
        CASE WHEN asked ? 'organisation' THEN format('e.organisation_id = %L::uuid', asked ->> 'organisation') END,
        CASE WHEN asked ? 'act' THEN format('e.act = %L', asked ->> 'act') END,
        CASE WHEN asked ? 'category' THEN format('e.category = %L', asked ->> 'category') END,
        CASE WHEN asked ? 'outcome' THEN format('e.outcome = %L', asked ->> 'outcome') END,
        CASE WHEN asked ->> 'purpose' = 'none' THEN 'e.purpose IS NULL'
             WHEN asked ? 'purpose' THEN format('e.purpose = %L', asked ->> 'purpose') END,
        CASE WHEN asked ? 'since' THEN format('e.at >= %L::timestamptz', asked ->> 'since') END,
        CASE WHEN asked ? 'before' THEN format('e.at < %L::timestamptz', asked ->> 'before') END,
        CASE WHEN asked ? 'as_of' THEN format('e.at <= %L::timestamptz', asked ->> 'as_of') END,
        CASE WHEN asked ? 'weekday' THEN
            format('extract(isodow FROM e.at AT TIME ZONE ''Europe/London'') = %L::integer', asked ->> 'weekday') END,
        CASE WHEN asked ? 'hour' THEN
            format('extract(hour FROM e.at AT TIME ZONE ''Europe/London'') = %L::integer', asked ->> 'hour') END)
$$;

-- A page of an inquiry: at most so many, after the last one of the page before.
CREATE FUNCTION audit.find_asked(asked jsonb, last_at timestamptz, last_id uuid, newest_first boolean, most integer)
    RETURNS TABLE (id uuid, at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
DECLARE
    direction text := CASE WHEN newest_first THEN 'DESC' ELSE 'ASC' END;
    sign text := CASE WHEN newest_first THEN '<' ELSE '>' END;
    condition text := audit.condition_of_inquiry(asked);
BEGIN
    IF last_at IS NOT NULL THEN
        -- the first half lets whole months be left out, which the second alone does not
        condition := condition || format(' AND e.at %1$s= %2$L::timestamptz AND (e.at, e.id) %1$s (%2$L::timestamptz, %3$L::uuid)',
            sign, last_at, last_id);
    END IF;
    -- about one record or person: by its own index, never through the whole order in vain
    RETURN QUERY EXECUTE format('SELECT f.id, f.at FROM (SELECT e.id, e.at FROM audit.event e WHERE %s %s) AS f
        ORDER BY f.at %s, f.id %3$s LIMIT %s',
        condition, CASE WHEN asked ? 'subject' THEN 'OFFSET 0' ELSE '' END, direction, most);
END
$$;

-- An inquiry in numbers, in one pass: all (part 'all'), by category, outcome, purpose, organisation, user, day and hour of the
-- week (1:00 is Monday's first hour). Counts no more than `most` events: then 'all' says one more than that. 'as_of' is the
-- moment of the count: asked for again under it, every number is the length of its list.
CREATE FUNCTION audit.count_asked(asked jsonb, most integer) RETURNS TABLE (part text, value text, events bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT 'as_of', coalesce(asked ->> 'as_of', to_char(statement_timestamp() AT TIME ZONE 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), 0::bigint;
    RETURN QUERY EXECUTE format($count$
        WITH found AS MATERIALIZED (
            SELECT e.category, e.outcome, e.purpose, e.organisation_id, e.user_id, e.at AT TIME ZONE 'Europe/London' AS moment
            FROM audit.event e WHERE %s LIMIT %s
        ), counted AS (
            SELECT f.category, f.outcome, coalesce(f.purpose, 'none') AS purpose, coalesce(f.organisation_id::text, 'none') AS organisation,
                coalesce(f.user_id::text, 'none') AS user_id, f.moment::date AS day,
                extract(isodow FROM f.moment)::integer * 100 + extract(hour FROM f.moment)::integer AS slot
            FROM found f
        )
        SELECT CASE WHEN grouping(category) = 0 THEN 'category' WHEN grouping(outcome) = 0 THEN 'outcome'
                WHEN grouping(purpose) = 0 THEN 'purpose' WHEN grouping(organisation) = 0 THEN 'organisation'
                WHEN grouping(user_id) = 0 THEN 'user' WHEN grouping(day) = 0 THEN 'day'
                WHEN grouping(slot) = 0 THEN 'slot' ELSE 'all' END,
            coalesce(category, outcome, purpose, organisation, user_id, day::text, slot::text, ''), count(*)
        FROM counted
        GROUP BY GROUPING SETS ((), (category), (outcome), (purpose), (organisation), (user_id), (day), (slot))
        $count$, audit.condition_of_inquiry(asked), most + 1);
END
$$;

-- References of the records and people that events of the organisation's log name; the times of the events let the other
-- months be left out. What a refused look was aimed at is named only to its owner: else an id guessed by a user would be told
-- apart from one that does not exist.
DROP FUNCTION audit.find_references(uuid[]);
CREATE FUNCTION audit.find_references(events uuid[], first_at timestamptz DEFAULT '-infinity', last_at timestamptz DEFAULT 'infinity')
    RETURNS TABLE (id uuid, kind text, reference text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    WITH named AS (
        SELECT one.id, bool_or(e.outcome = 'ok') AS known
        FROM audit.event e CROSS JOIN LATERAL unnest(e.record_ids || e.person_ids || e.object_id) AS one (id)
        WHERE e.id = ANY (events) AND e.at BETWEEN first_at AND last_at
          AND e.organisation_ids @> ARRAY[audit.my_organisation()]
        GROUP BY one.id
    )
    SELECT r.id, r.kind, r.reference FROM record r JOIN named n ON n.id = r.id
        WHERE n.known OR r.owner_organisation_id = audit.my_organisation()
    UNION ALL
    SELECT p.id, 'person', p.reference FROM person p JOIN named n ON n.id = p.id
        WHERE n.known OR p.organisation_id = audit.my_organisation()
$$;
