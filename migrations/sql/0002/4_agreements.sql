-- The terms of an agreement stand from the moment it is sent out for signature: whatever a path through the service does,
-- parties, purposes, sections and days are not changed any more. Signing, leaving, suspending and ending are no terms.
CREATE FUNCTION public.watch_agreement() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_user = 'hub_app' AND old.sent_at IS NOT NULL AND
        (new.sent_at, new.reference, new.title, new.partnership_id, new.starts_at, new.review_at, new.ends_at, new.sections,
            new.owner_organisation_id, new.data_classes, new.receivers, new.not_shared) IS DISTINCT FROM
        (old.sent_at, old.reference, old.title, old.partnership_id, old.starts_at, old.review_at, old.ends_at, old.sections,
            old.owner_organisation_id, old.data_classes, old.receivers, old.not_shared) THEN
        RAISE EXCEPTION 'the terms of an agreement stand once it was sent out' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_agreement BEFORE UPDATE ON agreement FOR EACH ROW EXECUTE FUNCTION public.watch_agreement();

-- Parties and purposes: written and taken away with the draft alone; a party signs once, and leaves once.
CREATE FUNCTION public.watch_agreement_line() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    sent boolean := EXISTS (SELECT FROM public.agreement WHERE sent_at IS NOT NULL
        AND id = CASE WHEN TG_OP = 'INSERT' THEN new.agreement_id ELSE old.agreement_id END);
BEGIN
    IF current_user = 'hub_app' AND sent AND (TG_OP <> 'UPDATE' OR TG_TABLE_NAME <> 'agreement_party') THEN
        RAISE EXCEPTION 'the terms of an agreement stand once it was sent out' USING ERRCODE = '42501';
    ELSIF current_user = 'hub_app' AND TG_OP = 'UPDATE' THEN
        IF NOT sent OR (new.agreement_id, new.organisation_id, new.joined_at)
                IS DISTINCT FROM (old.agreement_id, old.organisation_id, old.joined_at)
            OR old.signed_at IS NOT NULL AND (new.signed_at, new.signed_by, new.signatory)
                IS DISTINCT FROM (old.signed_at, old.signed_by, old.signatory)
            OR old.left_at IS NOT NULL AND new.left_at IS DISTINCT FROM old.left_at THEN
            RAISE EXCEPTION 'a party signs once, and leaves once' USING ERRCODE = '42501';
        END IF;
    END IF;
    RETURN coalesce(new, old);
END
$$;
CREATE TRIGGER watch_agreement_line BEFORE INSERT OR UPDATE OR DELETE ON agreement_party
    FOR EACH ROW EXECUTE FUNCTION public.watch_agreement_line();
CREATE TRIGGER watch_agreement_line BEFORE INSERT OR UPDATE OR DELETE ON agreement_purpose
    FOR EACH ROW EXECUTE FUNCTION public.watch_agreement_line();

-- How many shares stand or wait on an agreement now, of the actor's organisation and with it: numbers, nothing else.
CREATE FUNCTION public.count_shares_on(agreement uuid) RETURNS TABLE (given integer, received integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT count(*) FILTER (WHERE g.owner_organisation_id = me.id)::integer,
        count(*) FILTER (WHERE g.to_organisation_id = me.id)::integer
    FROM (SELECT nullif(current_setting('hub.organisation_id', true), '')::uuid AS id) AS me
        LEFT JOIN record_grant g ON g.agreement_id = agreement AND me.id IN (g.owner_organisation_id, g.to_organisation_id)
            AND g.revoked_at IS NULL AND g.state <> 'rejected' AND g.ends_at > now()
$$;
