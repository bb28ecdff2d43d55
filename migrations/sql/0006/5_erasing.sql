-- The erasure of a record, once two people have decided it: what is said in it, its key, what stands sealed beside its events
-- with their salts, and its objects' place in the ledger. Events stay as they are, and so does their tree.
CREATE FUNCTION public.record_is_held(wanted uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT EXISTS (SELECT FROM legal_hold h WHERE h.record_id = wanted AND h.lifted_at IS NULL) $$;

CREATE FUNCTION public.erase_record(erasure uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
DECLARE
    it record_erasure%ROWTYPE;
BEGIN
    SELECT * INTO it FROM record_erasure WHERE id = erasure FOR UPDATE;
    IF NOT FOUND OR it.approved_by IS NULL OR it.approved_by = it.asked_by
            OR it.approved_by IS DISTINCT FROM nullif(current_setting('hub.user_id', true), '')::uuid
            OR it.approved_at < now() - interval '10 minutes' OR record_is_held(it.record_id)
            OR NOT EXISTS (SELECT FROM case_record c WHERE c.id = it.record_id
                AND c.status IN ('closed', 'signposted', 'no_further_action', 'rejected_duplicate', 'merged', 'transferred')) THEN
        RAISE EXCEPTION 'this record may not be erased' USING ERRCODE = '42501';
    END IF;
    PERFORM FROM record WHERE id = it.record_id FOR UPDATE;
    -- the worker removes what these name from the store
    UPDATE stored_object SET removed_at = now()
        WHERE removed_at IS NULL AND object_key IN (SELECT a.object_key FROM attachment a WHERE a.record_id = it.record_id);
    DELETE FROM event_text WHERE data_key_id IN (SELECT d.id FROM data_key d WHERE d.record_id = it.record_id);
    PERFORM empty_record(it.record_id);
    DELETE FROM draft WHERE form LIKE '%' || it.record_id || '%';
    UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE record_id = it.record_id AND wrapped IS NOT NULL;
END
$$;

-- The objects of an erased record that may still lie in the store: for the worker, who reads no record.
CREATE FUNCTION public.find_erased_objects(erasure uuid) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.object_key FROM record_erasure e JOIN attachment a ON a.record_id = e.record_id
    WHERE e.id = erasure AND e.approved_at IS NOT NULL
$$;
REVOKE ALL ON FUNCTION public.record_is_held(uuid), public.erase_record(uuid), public.find_erased_objects(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.record_is_held(uuid), public.erase_record(uuid), public.find_erased_objects(uuid) TO hub_app;
-- asked by either role of the service; the deed itself by one alone
GRANT EXECUTE ON FUNCTION public.record_is_held(uuid), public.find_erased_objects(uuid) TO hub_finder;
