-- What the malware scan asks past the walls, and the one thing that it writes there.

-- Files that wait for their scan, the oldest first, or one of them: where the ciphertext lies and the file's own key, wrapped
-- by a key that the database does not hold open. No name, no text; nothing of any file that does not wait, and nothing for
-- anybody but the worker.
CREATE FUNCTION public.pending_scans(most integer, only_this uuid DEFAULT NULL)
    RETURNS TABLE (id uuid, about text, about_id uuid, reference text, partnership_id uuid, organisation_id uuid,
        owner_organisation_id uuid, added_by uuid, version integer, media_type text, size bigint, stored_size bigint, stored_sha256 text,
        object_key text, object_version text, data_key_id uuid, wrapped_key bytea, tries integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT waiting.*, coalesce(t.tries, 0)
    FROM (
        SELECT a.id, r.kind, r.id AS about_id, r.reference, a.partnership_id, a.contributor_organisation_id, a.owner_organisation_id,
            a.contributed_by, a.version, a.media_type, a.size, a.stored_size, a.stored_sha256, a.object_key, a.object_version,
            a.data_key_id, a.wrapped_key
        FROM attachment a JOIN record r ON r.id = a.record_id
        WHERE a.scan_state = 'pending' AND (only_this IS NULL OR a.id = only_this)
        UNION ALL
        SELECT p.id, CASE WHEN p.agreement_id IS NULL THEN 'assurance' ELSE 'agreement' END,
            coalesce(p.agreement_id, p.assurance_id), g.reference, p.partnership_id, p.organisation_id, p.organisation_id,
            p.added_by, p.version, p.media_type, p.size, p.stored_size, p.stored_sha256, p.object_key, p.object_version,
            p.data_key_id, p.wrapped_key
        FROM paper p LEFT JOIN agreement g ON g.id = p.agreement_id
        WHERE p.scan_state = 'pending' AND (only_this IS NULL OR p.id = only_this)
    ) AS waiting
    LEFT JOIN scan_try t ON t.file_id = waiting.id
    WHERE public.is_own_kind('job') AND (t.due_at IS NULL OR t.due_at <= clock_timestamp())
    ORDER BY waiting.id LIMIT least(most, 1000)
$$;

-- What the scan found, once and for good: a file that does not wait keeps what was said of it. Whether this was the one. Only
-- the worker may say it: the pages' password makes nothing clean.
CREATE FUNCTION public.note_scan(file uuid, state text, finding text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    noted boolean;
BEGIN
    IF NOT public.is_own_kind('job') THEN
        RAISE EXCEPTION 'what a scan found is the worker''s to say' USING ERRCODE = '42501';
    END IF;
    IF state NOT IN ('clean', 'infected', 'unscannable') OR (finding IS NULL) <> (state = 'clean')
            OR finding !~ '^[A-Za-z0-9._-]{1,100}$' THEN
        RAISE EXCEPTION 'a scan finds a file clean, infected by a signature, or unscannable for a reason'
            USING ERRCODE = '22023';
    END IF;
    UPDATE attachment a SET scan_state = state, scan_finding = finding, scanned_at = clock_timestamp()
        WHERE a.id = file AND a.scan_state = 'pending';
    noted := FOUND;
    IF NOT noted THEN
        UPDATE paper p SET scan_state = state, scan_finding = finding, scanned_at = clock_timestamp()
            WHERE p.id = file AND p.scan_state = 'pending';
        noted := FOUND;
    END IF;
    DELETE FROM scan_try t WHERE noted AND t.file_id = file;
    RETURN noted;
END
$$;

-- For the health page: how many files have waited for longer than ten minutes; 1,000 stands for that and more.
CREATE FUNCTION public.scan_backlog() RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT count(*)::integer FROM (
        SELECT a.id FROM attachment a WHERE a.scan_state = 'pending' AND a.contributed_at < now() - interval '10 minutes'
        UNION ALL
        SELECT p.id FROM paper p WHERE p.scan_state = 'pending' AND p.created_at < now() - interval '10 minutes'
        LIMIT 1000) AS late
$$;

-- For the administrators of the organisation in hand: files with malware that its people added, or that lie on its records.
-- Where and by whom, and what was found: neither a name nor anything of the content. The latest first, below a given one.
CREATE INDEX ix_attachment_infected ON attachment (scanned_at, id) WHERE scan_state = 'infected';
CREATE FUNCTION public.find_quarantined(below timestamptz, below_id uuid, most integer)
    RETURNS TABLE (id uuid, reference text, organisation_id uuid, added_by uuid, added_at timestamptz,
        scanned_at timestamptz, finding text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, r.reference, a.contributor_organisation_id, a.contributed_by, a.contributed_at, a.scanned_at, a.scan_finding
    FROM attachment a JOIN record r ON r.id = a.record_id
    WHERE a.scan_state = 'infected' AND (below IS NULL OR (a.scanned_at, a.id) < (below, below_id))
      AND nullif(current_setting('hub.organisation_id', true), '')::uuid
        IN (a.contributor_organisation_id, a.owner_organisation_id)
    ORDER BY a.scanned_at DESC, a.id DESC LIMIT least(most, 1000)
$$;
