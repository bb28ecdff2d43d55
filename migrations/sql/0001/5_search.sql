-- Candidates for search: ids only, capped. Full text and trigram operators aren't leakproof, so under row-level
-- security they would scan; these read past it and what they return is then read under the reader's own rule.

CREATE FUNCTION public.find_name_candidates(words_given text, most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET pg_trgm.word_similarity_threshold = 0.5
AS $$
DECLARE
    tokens text[] := string_to_array(words_given, ' ');
    longest text;
BEGIN
    SELECT token INTO longest FROM unnest(tokens) AS token ORDER BY length(token) DESC LIMIT 1;
    RETURN QUERY
        SELECT n.id FROM person_name n
        WHERE n.words %> longest
          AND (SELECT bool_and(word_similarity(token, n.words) >= 0.5) FROM unnest(tokens) AS token)
        ORDER BY (SELECT sum(word_similarity(token, n.words)) FROM unnest(tokens) AS token) DESC, n.id DESC
        LIMIT least(most, 1000);
END
$$;

CREATE FUNCTION public.find_place_candidates(words_given text, most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET pg_trgm.word_similarity_threshold = 0.6
AS $$
DECLARE
    tokens text[] := string_to_array(words_given, ' ');
    longest text;
BEGIN
    SELECT token INTO longest FROM unnest(tokens) AS token ORDER BY length(token) DESC LIMIT 1;
    RETURN QUERY
        SELECT p.id FROM place p
        WHERE p.words %> longest
          AND (SELECT bool_and(word_similarity(token, p.words) >= 0.6) FROM unnest(tokens) AS token)
        ORDER BY (SELECT sum(word_similarity(token, p.words)) FROM unnest(tokens) AS token) DESC, p.id DESC
        LIMIT least(most, 1000);
END
$$;

CREATE FUNCTION public.find_entry_candidates(words_given text, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT e.id FROM entry e
    WHERE e.words @@ websearch_to_tsquery('english', words_given)
    ORDER BY e.occurred_at DESC, e.id DESC
    LIMIT least(most, 1000)
$$;

CREATE FUNCTION public.find_record_candidates(words_given text, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    (SELECT c.id FROM case_record c WHERE c.words @@ websearch_to_tsquery('english', words_given)
        ORDER BY c.changed_at DESC LIMIT least(most, 1000))
    UNION ALL
    (SELECT i.id FROM incident i WHERE i.words @@ websearch_to_tsquery('english', words_given)
        ORDER BY i.occurred_at DESC LIMIT least(most, 1000))
$$;
