-- Answers are reviewed once, by somebody of another organisation.
CREATE FUNCTION public.watch_assurance() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF old.reviewed_at IS NOT NULL
            OR new.organisation_id = (SELECT u.organisation_id FROM app_user u WHERE u.id = new.reviewed_by) THEN
        RAISE EXCEPTION 'answers are reviewed once, by another organisation' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_assurance BEFORE UPDATE ON assurance FOR EACH ROW EXECUTE FUNCTION public.watch_assurance();
