-- A file under legal hold stays where it is seen, whoever asks: its contributor may not even read the record any more.
CREATE FUNCTION public.watch_hiding() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM legal_hold h WHERE h.record_id = NEW.record_id AND h.lifted_at IS NULL
            AND (h.attachment_id IS NULL OR h.attachment_id = NEW.id)) THEN
        RAISE EXCEPTION 'a held file is not hidden' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_attachment_held';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER watch_hiding BEFORE UPDATE OF hidden_at ON attachment FOR EACH ROW
    WHEN (OLD.hidden_at IS NULL AND NEW.hidden_at IS NOT NULL) EXECUTE FUNCTION public.watch_hiding();

-- How many files those who lead a record can't read: a number and nothing else, and only to those who lead it.
CREATE FUNCTION public.count_files_of_led_record(wanted uuid) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*) FROM attachment a
    WHERE a.record_id = wanted AND a.hidden_at IS NULL AND a.superseded_at IS NULL
      AND (a.lead_team_id = nullif(current_setting('hub.team_id', true), '')::uuid
           OR (a.open_to_owner AND a.owner_organisation_id = nullif(current_setting('hub.organisation_id', true), '')::uuid))
$$;
