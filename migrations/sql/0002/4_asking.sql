-- Blind hits: that an organisation holds a record of somebody, where the record's policy lets it be known. Only people who
-- stand in the section of people: that somebody is a victim is never told. Which record it is stays inside. A name that only
-- a hidden record tells, or that is above the asker's clearance or for a narrower circle, finds nothing; nor
-- does any in a record of somebody to be protected: a child or adult at risk, a missing person.
CREATE FUNCTION public.find_sought_records(words_given text) RETURNS TABLE (record_id uuid, owner_organisation_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET pg_trgm.word_similarity_threshold = 0.8
AS $$
DECLARE
    clearance smallint := nullif(current_setting('hub.clearance', true), '')::smallint;
    tokens text[] := ARRAY(SELECT DISTINCT token FROM unnest(string_to_array(words_given, ' ')) AS token);
    longest text;
BEGIN
    -- one word alone, or the same one twice, would fish for everybody of a name
    IF coalesce(cardinality(tokens), 0) < 2 THEN
        RETURN;
    END IF;
    SELECT token INTO longest FROM unnest(tokens) AS token ORDER BY length(token) DESC, token LIMIT 1;
    RETURN QUERY SELECT * FROM my_knowable_record(ARRAY(
        SELECT i.record_id FROM involvement i JOIN person_name n ON n.person_id = i.person_id
        WHERE n.words %> longest AND i.section = 'people' AND i.ended_at IS NULL AND n.section = 'people'
          AND i.knowable AND n.knowable AND NOT i.restricted AND NOT n.restricted
          AND NOT EXISTS (SELECT FROM involvement v WHERE v.record_id = i.record_id
              AND (v.person_id = i.person_id AND v.section = 'victim'
                OR v.role IN ('child_at_risk', 'adult_at_risk', 'missing_person')))
          AND i.audience IS NULL AND n.audience IS NULL AND i.item_marking <= clearance AND n.item_marking <= clearance
          AND (SELECT bool_and(word_similarity(token, n.words) >= 0.8) FROM unnest(tokens) AS token)
          -- and two words typed mean two words of the name: `smith smit` is one
          AND (SELECT count(DISTINCT nearest.word) FROM unnest(tokens) AS token CROSS JOIN LATERAL (
                SELECT word FROM unnest(string_to_array(n.words, ' ')) AS word
                ORDER BY similarity(token, word) DESC, word LIMIT 1) AS nearest) >= 2
        ORDER BY i.id DESC LIMIT 200));
END
$$;

CREATE FUNCTION public.find_blind_hits(words_given text) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT k.owner_organisation_id FROM find_sought_records(words_given) AS k
    WHERE k.owner_organisation_id <> nullif(current_setting('hub.organisation_id', true), '')::uuid
$$;

-- Puts under a request of the actor's the records that it is about, and tells which teams lead them. None: nothing is held.
CREATE FUNCTION public.attach_sought_records(request uuid) RETURNS SETOF uuid
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH asked AS (
        SELECT r.id, k.record_id FROM access_request r CROSS JOIN LATERAL find_sought_records(r.sought) AS k
        WHERE r.id = request AND r.state = 'waiting' AND k.owner_organisation_id = r.to_organisation_id
          AND r.requested_by = nullif(current_setting('hub.user_id', true), '')::uuid
          AND r.purpose = nullif(current_setting('hub.purpose', true), '')
    ), put AS (
        INSERT INTO sought_record (id, created_at, access_request_id, record_id, partnership_id, owner_organisation_id,
            lead_team_id, marking, restricted, breakable, knowable, open_to_owner)
        SELECT gen_random_uuid(), now(), asked.id, c.id, c.partnership_id, c.owner_organisation_id, c.lead_team_id,
            c.marking, c.restricted, c.breakable, c.knowable, c.open_to_owner
        FROM asked JOIN record c ON c.id = asked.record_id
        ON CONFLICT DO NOTHING
        RETURNING lead_team_id
    )
    SELECT DISTINCT lead_team_id FROM put
$$;

-- A request is answered once, by those who lead what it is about, or withdrawn by the team that made it.
CREATE FUNCTION public.watch_access_request() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_user <> 'hub_app' THEN
        RETURN new;
    END IF;
    IF old.state <> 'waiting' OR new.answered_by IS DISTINCT FROM nullif(current_setting('hub.user_id', true), '')::uuid
            OR (new.state = 'withdrawn')
                <> (old.from_team_id = nullif(current_setting('hub.team_id', true), '')::uuid)
            -- under the reader's own rule: the asker sees none
            OR new.state <> 'withdrawn'
                AND NOT EXISTS (SELECT FROM public.sought_record s WHERE s.access_request_id = old.id) THEN
        RAISE EXCEPTION 'a request is answered once, by those who lead what it is about' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_access_request BEFORE UPDATE ON access_request
    FOR EACH ROW EXECUTE FUNCTION public.watch_access_request();

-- The owner's people who lead these records, as far as they may see them: those who are told.
CREATE FUNCTION public.find_leading_people(subjects uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT m.user_id FROM record r
        JOIN team_membership m ON m.team_id = r.lead_team_id
        JOIN app_user u ON u.id = m.user_id AND u.organisation_id = r.owner_organisation_id
    WHERE r.id = ANY (subjects) AND (m.left_at IS NULL OR m.left_at > now())
      AND (NOT r.restricted OR EXISTS (SELECT FROM record_team t WHERE t.record_id = r.id AND t.user_id = m.user_id))
      AND NOT EXISTS (SELECT FROM exclusion e
          WHERE e.record_id = r.id AND e.user_id = m.user_id AND (e.ended_at IS NULL OR e.ended_at > now()))
$$;

-- Who is told of a request: when it is made, by the asker; when it is late, by the hub itself in the transaction that says so.
CREATE FUNCTION public.find_people_asked(request uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT * FROM find_leading_people(ARRAY(
        SELECT s.record_id FROM sought_record s JOIN access_request r ON r.id = s.access_request_id
        WHERE r.id = request AND r.state = 'waiting' AND (r.late_at = now()
            OR r.requested_by = nullif(current_setting('hub.user_id', true), '')::uuid)))
$$;

-- Organisations that owe an answer beyond its time and have not been reminded; and the taking of their requests, once.
CREATE FUNCTION public.find_late_organisations() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT to_organisation_id FROM access_request WHERE state = 'waiting' AND due_at <= now() AND late_at IS NULL
$$;

CREATE FUNCTION public.take_late_requests(organisation uuid)
    RETURNS TABLE (request_id uuid, reference text, revision integer)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    UPDATE access_request r SET late_at = now()
    WHERE r.to_organisation_id = organisation AND r.state = 'waiting' AND r.due_at <= now() AND r.late_at IS NULL
    RETURNING r.id, r.reference, r.revision
$$;

-- The record behind a reference that the actor may open by emergency access: breakable, not excluded, of his own
-- organisation or of one that his shares an agreement in force with. The clause asks the same again at each look.
CREATE FUNCTION public.find_emergency_target(wanted text)
    RETURNS TABLE (record_id uuid, kind text, partnership_id uuid, owner_organisation_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT r.id, r.kind, r.partnership_id, r.owner_organisation_id FROM record r
    WHERE r.reference = wanted AND r.breakable
      AND r.id NOT IN (SELECT e.record_id FROM my_excluded_record() AS e)
      AND (r.owner_organisation_id = nullif(current_setting('hub.organisation_id', true), '')::uuid
        OR r.owner_organisation_id IN (SELECT p.organisation_id FROM my_partner() AS p))
$$;

-- Who leads the record that the actor has just opened in an emergency.
CREATE FUNCTION public.find_people_of_emergency(opened uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT * FROM find_leading_people(ARRAY(
        SELECT e.record_id FROM emergency e
        WHERE e.id = opened AND e.user_id = nullif(current_setting('hub.user_id', true), '')::uuid
          AND e.closed_at IS NULL AND e.reviewed_at IS NULL))
$$;

-- Given back once, by whoever opened it; signed off once, when it is over, by somebody else in his own name.
CREATE FUNCTION public.watch_emergency() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me uuid := nullif(current_setting('hub.user_id', true), '')::uuid;
BEGIN
    IF current_user <> 'hub_app' THEN
        RETURN new;
    END IF;
    IF new.closed_at IS DISTINCT FROM old.closed_at
            AND (old.closed_at IS NOT NULL OR new.closed_at IS NULL OR old.user_id IS DISTINCT FROM me) THEN
        RAISE EXCEPTION 'emergency access is given back once, by whoever opened it' USING ERRCODE = '42501';
    END IF;
    IF (new.reviewed_at, new.reviewed_by, new.outcome, new.review_note)
            IS DISTINCT FROM (old.reviewed_at, old.reviewed_by, old.outcome, old.review_note)
        AND (old.reviewed_at IS NOT NULL OR new.reviewed_by IS DISTINCT FROM me
            OR least(old.expires_at, old.closed_at) > now()) THEN
        RAISE EXCEPTION 'emergency access is signed off once, when it is over' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_emergency BEFORE UPDATE ON emergency FOR EACH ROW EXECUTE FUNCTION public.watch_emergency();

-- Whether what was asked for is withheld from the actor for a declared interest: so that the supervisor can be told.
CREATE FUNCTION public.is_excluded(subject uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT subject IN (SELECT e.record_id FROM my_excluded_record() AS e)
        OR subject IN (SELECT e.person_id FROM my_excluded_person() AS e)
$$;
