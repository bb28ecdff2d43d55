-- Declared interests: the database itself turns them into exclusions, whichever path a person, a name, a date of birth or an
-- address came by. The owner of the tables does it, past the walls: nobody needs to see a record to be kept from it.

-- Folds as hub/core/text.py does: case, diacritics and punctuation gone, single spaces.
CREATE FUNCTION public.fold_text(given text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT btrim(regexp_replace(regexp_replace(
        replace(lower(normalize(translate(given, 'łŁøØ', 'lLoO'), NFKD)), 'ß', 'ss'),
        '[\u0300-\u036f]', '', 'g'), '[^[:alnum:]]+', ' ', 'g'))
$$;

CREATE FUNCTION public.first_word(given text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT nullif(split_part(fold_text(given), ' ', 1), '') $$;

-- The words that an interest is found by are the database's own, so that they are compared with what folds in the same way.
-- A declaration is new when it is made, and ends once, by somebody else.
CREATE FUNCTION public.watch_interest() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF tg_op = 'INSERT' THEN
        new.words := fold_text(CASE WHEN new.kind = 'address' THEN new.address ELSE new.family_name END);
        IF new.ended_at IS NOT NULL THEN
            RAISE EXCEPTION 'a declaration begins open' USING ERRCODE = '42501';
        END IF;
    ELSIF current_user = 'hub_app' AND (old.ended_at IS NOT NULL
            OR new.ended_by IS DISTINCT FROM nullif(current_setting('hub.user_id', true), '')::uuid) THEN
        RAISE EXCEPTION 'a declaration is ended once, by a supervisor' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_interest BEFORE INSERT OR UPDATE ON declared_interest
    FOR EACH ROW EXECUTE FUNCTION public.watch_interest();

-- An exclusion is lifted once, by somebody else, with a reason.
CREATE FUNCTION public.watch_exclusion() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me uuid := nullif(current_setting('hub.user_id', true), '')::uuid;
BEGIN
    -- that nobody lifts their own is a constraint of the table
    IF current_user = 'hub_app' AND (old.ended_at IS NOT NULL OR new.ended_by IS DISTINCT FROM me) THEN
        RAISE EXCEPTION 'an exclusion is lifted once, by somebody else' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_exclusion BEFORE UPDATE ON exclusion FOR EACH ROW EXECUTE FUNCTION public.watch_exclusion();

-- The family name is the interest's own when this is asked. Dates of birth must agree where both sides have a whole one.
CREATE FUNCTION public.is_meant(i declared_interest, n person_name) RETURNS boolean
    LANGUAGE sql STABLE
AS $$
    SELECT i.kind = 'surname' OR i.kind = 'person'
        AND first_word(i.given_names) IN (first_word(n.given_names), first_word(n.known_as))
        AND coalesce((SELECT bool_or(f.value = i.date_of_birth) FROM person_fact f
            WHERE f.person_id = n.person_id AND f.kind = 'date_of_birth'
              AND length(f.value) = 10 AND length(i.date_of_birth) = 10), true)
$$;

-- At one and the same postcode the numbers of the address are enough; else all its words must be there.
CREATE FUNCTION public.is_address(i declared_interest, p place) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    wanted text[] := string_to_array(i.words, ' ');
    numbers text[];
BEGIN
    IF i.postcode <> '' AND p.postcode IS NOT NULL THEN
        IF i.postcode <> p.postcode THEN
            RETURN false;
        END IF;
        numbers := ARRAY(SELECT word FROM unnest(wanted) AS word WHERE word ~ '[0-9]');
        IF cardinality(numbers) > 0 THEN
            wanted := numbers;
        END IF;
    END IF;
    RETURN wanted <@ string_to_array(p.words, ' ');
END
$$;

-- A declaration and a person that come at the same moment would miss each other: who declares waits for those who are just
-- adding people, and they for him.
CREATE FUNCTION public.exclude_by_interest() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    longest text := (SELECT word FROM unnest(string_to_array(new.words, ' ')) AS word ORDER BY length(word) DESC, word LIMIT 1);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('declared_interest'));
    IF new.kind = 'address' THEN
        INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why, interest_id)
            SELECT DISTINCT ON (v.record_id) gen_random_uuid(), now(), new.user_id, new.organisation_id, v.record_id,
                'Declared interest', new.id
            FROM place p JOIN involvement v ON v.place_id = p.id
            WHERE (p.postcode = nullif(new.postcode, '') OR p.words LIKE '%' || longest || '%') AND is_address(new, p)
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;
    INSERT INTO exclusion (id, created_at, user_id, organisation_id, person_id, why, interest_id)
        SELECT DISTINCT ON (n.person_id) gen_random_uuid(), now(), new.user_id, new.organisation_id, n.person_id,
            'Declared interest', new.id
        FROM person_name n
        WHERE n.words LIKE '%' || new.words || '%' AND fold_text(n.family_name) = new.words AND is_meant(new, n)
        ON CONFLICT DO NOTHING;
    INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why, interest_id)
        SELECT DISTINCT ON (v.record_id) gen_random_uuid(), now(), new.user_id, new.organisation_id, v.record_id,
            'Declared interest', new.id
        FROM exclusion e JOIN involvement v ON v.person_id = e.person_id
        WHERE e.interest_id = new.id
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER exclude_by_interest AFTER INSERT ON declared_interest
    FOR EACH ROW EXECUTE FUNCTION public.exclude_by_interest();

-- Interests that a person meets by any name, and from which nobody has lifted that person.
CREATE FUNCTION public.exclude_person(subject uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('declared_interest'));
    INSERT INTO exclusion (id, created_at, user_id, organisation_id, person_id, why, interest_id)
        SELECT DISTINCT ON (i.id) gen_random_uuid(), now(), i.user_id, i.organisation_id, subject, 'Declared interest', i.id
        FROM person_name n JOIN declared_interest i
            ON i.words = fold_text(n.family_name) AND i.kind <> 'address' AND i.ended_at IS NULL
        WHERE n.person_id = subject AND is_meant(i, n)
        ON CONFLICT DO NOTHING;
    INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why, interest_id)
        SELECT DISTINCT ON (i.id, v.record_id) gen_random_uuid(), now(), i.user_id, i.organisation_id, v.record_id,
            'Declared interest', i.id
        FROM person_name n JOIN declared_interest i
                ON i.words = fold_text(n.family_name) AND i.kind <> 'address' AND i.ended_at IS NULL
            JOIN exclusion e ON e.interest_id = i.id
                AND coalesce(e.record_id, '00000000-0000-0000-0000-000000000000'::uuid)
                    = '00000000-0000-0000-0000-000000000000'::uuid
                AND coalesce(e.person_id, '00000000-0000-0000-0000-000000000000'::uuid) = subject
            JOIN involvement v ON v.person_id = subject
        WHERE n.person_id = subject AND e.ended_at IS NULL
        ON CONFLICT DO NOTHING;
END
$$;

-- At the end of the transaction, when all that it tells of a person is there: a name without its date of birth means others.
CREATE FUNCTION public.exclude_by_person() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM exclude_person(new.person_id);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER exclude_by_person AFTER INSERT ON person_name DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.exclude_by_person();
CREATE CONSTRAINT TRIGGER exclude_by_person AFTER INSERT ON person_fact DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.kind = 'date_of_birth') EXECUTE FUNCTION public.exclude_by_person();
CREATE CONSTRAINT TRIGGER exclude_by_person AFTER INSERT ON involvement DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.person_id IS NOT NULL) EXECUTE FUNCTION public.exclude_by_person();

-- A place is excluded from nobody; the records that it is involved in are. (A place is never changed once it is entered.)
CREATE FUNCTION public.exclude_by_place() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('declared_interest'));
    INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why, interest_id)
        SELECT gen_random_uuid(), now(), i.user_id, i.organisation_id, new.record_id, 'Declared interest', i.id
        FROM place p JOIN declared_interest i ON i.kind = 'address' AND i.ended_at IS NULL
        WHERE p.id = new.place_id AND is_address(i, p)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER exclude_by_place AFTER INSERT ON involvement DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.place_id IS NOT NULL) EXECUTE FUNCTION public.exclude_by_place();

CREATE FUNCTION public.end_exclusions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE exclusion SET ended_at = now() WHERE interest_id = new.id AND ended_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER end_exclusions AFTER UPDATE OF ended_at ON declared_interest
    FOR EACH ROW WHEN (old.ended_at IS NULL AND new.ended_at IS NOT NULL) EXECUTE FUNCTION public.end_exclusions();

-- Exclusions from records of a declaration by name that no person stands behind any more: the last one was lifted.
CREATE FUNCTION public.find_groundless_exclusions(interest uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT e.id FROM exclusion e JOIN declared_interest i ON i.id = e.interest_id
    WHERE i.id = interest AND i.kind <> 'address' AND e.record_id IS NOT NULL AND e.ended_at IS NULL
      AND i.organisation_id = nullif(current_setting('hub.organisation_id', true), '')::uuid
      AND NOT EXISTS (
        SELECT FROM involvement v JOIN exclusion p ON p.interest_id = e.interest_id AND p.person_id = v.person_id
        WHERE v.record_id = e.record_id AND p.ended_at IS NULL)
$$;

-- Asked at every refused look, so that each takes as long: where a declared interest withheld it, the worker will tell the
-- supervisors. Whose look it was is kept until then; what it was aimed at is not.
CREATE FUNCTION public.note_refused_look(subject uuid) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO stopped_look (id, created_at, user_id, organisation_id, partnership_id)
    SELECT gen_random_uuid(), now(), me.id, nullif(current_setting('hub.organisation_id', true), '')::uuid,
        nullif(current_setting('hub.partnership_id', true), '')::uuid
    FROM (SELECT nullif(current_setting('hub.user_id', true), '')::uuid AS id) AS me
    WHERE EXISTS (SELECT FROM exclusion e
        WHERE e.user_id = me.id AND (e.ended_at IS NULL OR e.ended_at > now())
          AND (e.person_id = subject OR e.record_id IN (subject, (SELECT a.record_id FROM attachment a WHERE a.id = subject))))
$$;

CREATE FUNCTION public.find_stopped_looks() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT DISTINCT organisation_id FROM stopped_look $$;

-- Each look is given out once, however many workers ask.
CREATE FUNCTION public.take_stopped_looks(organisation uuid) RETURNS TABLE (user_id uuid, partnership_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    DELETE FROM stopped_look s WHERE s.organisation_id = organisation RETURNING s.user_id, s.partnership_id
$$;

REVOKE ALL ON FUNCTION public.exclude_by_interest(), public.exclude_person(uuid), public.exclude_by_person(),
    public.exclude_by_place(), public.end_exclusions(), public.find_groundless_exclusions(uuid),
    public.note_refused_look(uuid), public.find_stopped_looks(), public.take_stopped_looks(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.find_groundless_exclusions(uuid), public.note_refused_look(uuid),
    public.find_stopped_looks(), public.take_stopped_looks(uuid) TO hub_app;

-- What the exclusions of a declaration are about, as far as the asking supervisor may read it and the own organisation holds
-- it: under the walls of whoever asks, so that a supervisor learns of nothing that they could not find.
CREATE FUNCTION public.find_exclusion_subjects(interest uuid) RETURNS TABLE (exclusion_id uuid, kind text, reference text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT e.id, coalesce(r.kind, 'person'), coalesce(r.reference, p.reference)
    FROM exclusion e LEFT JOIN record r ON r.id = e.record_id LEFT JOIN person p ON p.id = e.person_id
    WHERE e.interest_id = interest
      AND coalesce(r.owner_organisation_id, p.organisation_id)
        = nullif(current_setting('hub.organisation_id', true), '')::uuid
$$;
