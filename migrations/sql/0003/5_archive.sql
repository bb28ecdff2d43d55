-- The log's second place: how far the copying has come, and which months the database gave up.

CREATE TABLE audit.archive (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- the tree that is copied whole, checkpoint and all
    size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
    -- events in full bundles that are copied, maybe more than that while much is being caught up
    entries bigint NOT NULL DEFAULT 0 CHECK (entries >= 0),
    at timestamptz,
    -- when all bundles and tiles that are not full were last put under their short lock
    renewed_at timestamptz
);
INSERT INTO audit.archive DEFAULT VALUES;

-- A month whose events are in the archive alone. Their leaves and tiles stay.
CREATE TABLE audit.archived_month (
    month date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    first_idx bigint NOT NULL,
    last_idx bigint NOT NULL,
    events bigint NOT NULL,
    -- the tree against whose checkpoint the archive was read back
    size bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (first_idx <= last_idx AND last_idx < size)
);
-- Of a month that is gone: which revisions its events told of, so that the search for untold ones still answers.
CREATE TABLE audit.archived_revision (
    object_type text NOT NULL,
    object_id uuid NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (object_id, object_type, version)
);

-- Events that are not in the archive yet, since when the oldest of them waits, and when the last copy was made.
CREATE FUNCTION audit.archive_lag() RETURNS TABLE (waiting bigint, oldest timestamptz, copied_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
    SELECT t.size - a.size + l.waiting, coalesce((SELECT f.event_at FROM audit.leaf f WHERE f.idx = a.size), l.oldest), a.at
    FROM audit.archive a, audit.tree t, audit.tree_lag() l
$$;

CREATE OR REPLACE FUNCTION audit.find_missing_revisions() RETURNS TABLE (object_type text, object_id uuid, version integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    SELECT f.object_type, f.object_id, one.version
    FROM audit.find_revisions() AS f CROSS JOIN LATERAL generate_series(1, f.revision) AS one (version)
    WHERE NOT EXISTS (SELECT FROM audit.event e WHERE e.object_id = f.object_id AND e.object_type = f.object_type
            AND e.object_version = one.version AND e.outcome = 'ok' AND e.category <> 'consultation')
        AND NOT EXISTS (SELECT FROM audit.archived_revision r WHERE r.object_id = f.object_id
            AND r.object_type = f.object_type AND r.version = one.version)
$$;
