-- What finding asks of content: each gives ids only, or answers yes or no about one id, and what it gives is then found
-- again under the reader's own rule. The finder itself can compare no name, no mark and no address.

CREATE FUNCTION public.find_title_candidates(words_given text, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT c.id FROM case_record c WHERE strpos(lower(c.title), lower(words_given)) > 0 LIMIT least(most, 1001)
$$;

-- For a title that too many have: asked of each case that the reader may read, until the page is full.
CREATE FUNCTION public.title_has(case_id uuid, words_given text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT strpos(lower(c.title), lower(words_given)) > 0 FROM case_record c WHERE c.id = case_id $$;

CREATE FUNCTION public.place_has(place_id uuid, words_given text[]) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT NOT EXISTS (SELECT FROM unnest(words_given) AS word WHERE strpos(p.words, word) = 0)
    FROM place p WHERE p.id = place_id
$$;

CREATE FUNCTION public.has_role(involvement_id uuid, wanted text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT i.role = wanted FROM involvement i WHERE i.id = involvement_id $$;

CREATE FUNCTION public.find_vehicle_candidates(pattern text, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT v.id FROM vehicle v WHERE v.vrm LIKE pattern LIMIT least(most, 1000) $$;

-- Vehicles with this mark about which nothing that is given is new; the oldest first.
CREATE FUNCTION public.find_same_vehicles(mark text, kind_given text, details text[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT v.id FROM vehicle v
    WHERE v.vrm = mark AND v.kind = kind_given AND NOT EXISTS (
        SELECT FROM unnest(details, ARRAY[v.frame_number, v.make, v.model, v.colour, v.description]) AS one (given, known)
        WHERE coalesce(one.given, '') <> '' AND one.given IS DISTINCT FROM one.known)
    ORDER BY v.id LIMIT 100
$$;

-- Other places with the postcode of one of these, or within so many degrees of latitude of it (longitude: as many metres).
CREATE FUNCTION public.find_near_candidates(own uuid[], degrees double precision, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT near.id FROM place mine CROSS JOIN LATERAL (
        SELECT p.id FROM place p WHERE p.postcode = mine.postcode
        UNION ALL
        SELECT p.id FROM place p
        WHERE p.latitude BETWEEN mine.latitude - degrees AND mine.latitude + degrees
          AND p.longitude BETWEEN mine.longitude - degrees / greatest(cos(radians(mine.latitude)), 0.01)
              AND mine.longitude + degrees / greatest(cos(radians(mine.latitude)), 0.01)
    ) AS near
    WHERE mine.id = ANY (own) AND near.id <> ALL (own) ORDER BY near.id DESC LIMIT least(most, 5000)
$$;

-- Street-level places that an earlier import made, by what the file says of them: the number in the file, and the id.
CREATE FUNCTION public.find_street_places(owner uuid, descriptions text[], areas text[], latitudes double precision[],
    longitudes double precision[]) RETURNS TABLE (number bigint, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT one.number, p.id
    FROM unnest(descriptions, areas, latitudes, longitudes) WITH ORDINALITY AS one (description, area, latitude, longitude, number)
        JOIN place p ON p.latitude = one.latitude AND p.longitude = one.longitude AND p.description = one.description
            AND coalesce(p.lsoa_code, '') = one.area AND p.organisation_id = owner
$$;

-- People whose name sounds like the one typed, or who were born on one of these days.
CREATE FUNCTION public.find_sound_candidates(family text, given text[], most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT n.id FROM person_name n
    WHERE n.family_key = family AND n.family_key <> '' AND (given = '{}' OR n.given_key = ANY (given))
    ORDER BY n.id DESC LIMIT least(most, 5000)
$$;
CREATE FUNCTION public.find_birth_candidates(days text[], most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT f.id FROM person_fact f WHERE f.kind = 'date_of_birth' AND f.value = ANY (days)
    ORDER BY f.id DESC LIMIT least(most, 5000)
$$;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO hub_reader;
    FOR one IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN (
        'find_title_candidates', 'title_has', 'place_has', 'has_role', 'find_vehicle_candidates', 'find_same_vehicles',
        'find_near_candidates', 'find_street_places', 'find_sound_candidates', 'find_birth_candidates') LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO hub_app', one);
        EXECUTE format('ALTER FUNCTION %s OWNER TO hub_reader', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM hub_reader;
END
$$;
