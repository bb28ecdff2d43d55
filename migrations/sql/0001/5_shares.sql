-- A share is never widened: of its row only the answer and the end can be written (6_grants.sql), each once, and by whom
-- they belong to. A policy sees the new row alone, so the step from the old one is watched here.
CREATE FUNCTION public.watch_share() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    organisation uuid := nullif(current_setting('hub.organisation_id', true), '')::uuid;
    team uuid := nullif(current_setting('hub.team_id', true), '')::uuid;
BEGIN
    -- the owner of the tables cascades facts and migrates; it carries no user's context
    IF current_user <> 'hub_app' THEN
        RETURN new;
    END IF;
    IF (new.state, new.answered_at, new.answered_by) IS DISTINCT FROM (old.state, old.answered_at, old.answered_by)
        AND (old.state <> 'pending' OR old.to_organisation_id IS DISTINCT FROM organisation) THEN
        RAISE EXCEPTION 'a share is answered once, by its recipient' USING ERRCODE = '42501';
    END IF;
    IF (new.revoked_at, new.revoked_by, new.revoked_why)
            IS DISTINCT FROM (old.revoked_at, old.revoked_by, old.revoked_why)
        AND (old.revoked_at IS NOT NULL OR NOT (old.lead_team_id IS NOT DISTINCT FROM team
            OR old.open_to_owner AND old.owner_organisation_id IS NOT DISTINCT FROM organisation)) THEN
        RAISE EXCEPTION 'a share is ended once, by the team that leads the record' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER watch_share BEFORE UPDATE ON record_grant FOR EACH ROW EXECUTE FUNCTION public.watch_share();
