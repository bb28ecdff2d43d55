-- A case moves up the lists when anybody adds to it. Only its lead may update the row (row-level security), so a partner's
-- contribution moves it through this trigger, which sets `changed_at` and nothing else; the revision stays as it is.
CREATE FUNCTION public.touch_case() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE case_record SET changed_at = least(NEW.created_at, clock_timestamp())
        WHERE id = NEW.record_id AND changed_at < least(NEW.created_at, clock_timestamp());
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION public.touch_case() FROM PUBLIC;

CREATE TRIGGER touch_case AFTER INSERT ON entry FOR EACH ROW EXECUTE FUNCTION public.touch_case();
CREATE TRIGGER touch_case AFTER INSERT ON attachment FOR EACH ROW EXECUTE FUNCTION public.touch_case();
CREATE TRIGGER touch_case AFTER INSERT ON involvement FOR EACH ROW EXECUTE FUNCTION public.touch_case();
CREATE TRIGGER touch_case AFTER INSERT ON case_incident FOR EACH ROW EXECUTE FUNCTION public.touch_case();
CREATE TRIGGER touch_case AFTER INSERT ON case_status_change FOR EACH ROW EXECUTE FUNCTION public.touch_case();
CREATE TRIGGER touch_case AFTER INSERT ON record_grant FOR EACH ROW EXECUTE FUNCTION public.touch_case();
