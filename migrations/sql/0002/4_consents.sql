-- A share that rests on consent: the consent is of this record, for this purpose and this recipient, and not withdrawn.
-- The lock makes a withdrawal under way be seen: one of the two comes first, and the share never outlives the consent.
CREATE FUNCTION public.watch_consent_of_share() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM FROM consent c WHERE c.id = new.consent_id AND c.record_id = new.record_id AND c.purpose = new.purpose
        AND c.to_organisation_id = new.to_organisation_id
        AND c.contributor_organisation_id = new.owner_organisation_id AND c.withdrawn_at IS NULL
        FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this consent does not carry this share' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_consent_of_share BEFORE INSERT ON record_grant
    FOR EACH ROW WHEN (new.consent_id IS NOT NULL) EXECUTE FUNCTION public.watch_consent_of_share();
