-- What ends with what: when an agreement is suspended or ended, a party leaves, or a consent is withdrawn, the shares that
-- stand on it are closed in the same transaction, whichever path the change took. A resumed agreement reopens nothing.
CREATE FUNCTION public.close_shares(ended uuid, why text, agreement uuid, party uuid, consent uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    UPDATE record_grant SET revoked_at = now(), revoked_why = why, closed_with = ended,
        revoked_by = nullif(current_setting('hub.user_id', true), '')::uuid
    WHERE (record_grant.agreement_id = agreement OR record_grant.consent_id = consent)
      AND (party IS NULL OR party IN (owner_organisation_id, to_organisation_id))
      AND revoked_at IS NULL AND state <> 'rejected' AND (ends_at IS NULL OR ends_at > now())
$$;

CREATE FUNCTION public.close_shares_of_agreement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF new.ended_at IS NOT NULL AND old.ended_at IS NULL THEN
        PERFORM close_shares(new.id, 'The agreement was ended', new.id, NULL, NULL);
    ELSIF new.suspended_at IS NOT NULL AND old.suspended_at IS NULL THEN
        PERFORM close_shares(new.id, 'The agreement was suspended', new.id, NULL, NULL);
    ELSIF new.suspended_at IS NULL AND old.suspended_at IS NOT NULL THEN
        -- what was asked for before the suspension and written after it
        PERFORM close_shares(new.id, 'The agreement had been suspended', new.id, NULL, NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER close_shares AFTER UPDATE OF suspended_at, ended_at ON agreement
    FOR EACH ROW EXECUTE FUNCTION public.close_shares_of_agreement();

CREATE FUNCTION public.close_shares_of_party() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF new.left_at <= now() AND (old.left_at IS NULL OR old.left_at > now()) THEN
        PERFORM close_shares(new.agreement_id, 'A party left the agreement', new.agreement_id, new.organisation_id, NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER close_shares AFTER UPDATE OF left_at ON agreement_party
    FOR EACH ROW EXECUTE FUNCTION public.close_shares_of_party();

CREATE FUNCTION public.close_shares_of_consent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF new.withdrawn_at IS NOT NULL AND old.withdrawn_at IS NULL THEN
        PERFORM close_shares(new.id, 'Consent was withdrawn', NULL, NULL, new.id);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER close_shares AFTER UPDATE OF withdrawn_at ON consent
    FOR EACH ROW EXECUTE FUNCTION public.close_shares_of_consent();

-- What this transaction closed with an agreement, a consent or a hand-over: for the log and for telling those concerned.
CREATE FUNCTION public.shares_closed_now(ended uuid)
    RETURNS TABLE (grant_id uuid, record_id uuid, revision integer, record_reference text, requested_by uuid,
        partnership_id uuid, agreement_id uuid, owner_organisation_id uuid, to_organisation_id uuid, to_team_id uuid,
        to_user_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT g.id, g.record_id, g.revision, g.record_reference, g.requested_by, g.partnership_id, g.agreement_id,
        g.owner_organisation_id, g.to_organisation_id, g.to_team_id, g.to_user_id
    FROM record_grant g WHERE g.closed_with = ended AND g.revoked_at = now() ORDER BY g.id
$$;

-- Of a share's row its lead may change the terms and the end, its recipient the answer. A policy sees the new row alone, so
-- the step from the old one is watched here.
CREATE OR REPLACE FUNCTION public.watch_share() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    organisation uuid := nullif(current_setting('hub.organisation_id', true), '')::uuid;
    team uuid := nullif(current_setting('hub.team_id', true), '')::uuid;
    leads boolean := old.lead_team_id IS NOT DISTINCT FROM team
        OR old.open_to_owner AND old.owner_organisation_id IS NOT DISTINCT FROM organisation;
BEGIN
    -- the owner of the tables cascades facts, closes and migrates; it carries no user's rights
    IF current_user <> 'hub_app' THEN
        RETURN new;
    END IF;
    IF (new.state, new.answered_at, new.answered_by) IS DISTINCT FROM (old.state, old.answered_at, old.answered_by)
        AND (old.state <> 'pending' OR old.to_organisation_id IS DISTINCT FROM organisation
            AND old.to_team_id IS DISTINCT FROM team) THEN
        RAISE EXCEPTION 'a share is answered once, by its recipient' USING ERRCODE = '42501';
    END IF;
    IF (new.revoked_at, new.revoked_by, new.revoked_why)
            IS DISTINCT FROM (old.revoked_at, old.revoked_by, old.revoked_why)
        AND (old.revoked_at IS NOT NULL OR NOT leads) THEN
        RAISE EXCEPTION 'a share is ended once, by the team that leads the record' USING ERRCODE = '42501';
    END IF;
    IF (new.sections, new.max_marking, new.may_contribute, new.ends_at)
            IS DISTINCT FROM (old.sections, old.max_marking, old.may_contribute, old.ends_at)
        AND (NOT leads OR old.revoked_at IS NOT NULL OR old.state = 'rejected' OR old.ends_at <= now()) THEN
        RAISE EXCEPTION 'what a share opens is changed by the team that leads the record, while it holds'
            USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;

-- A share waits for its recipient's answer, unless the recipient agreed beforehand: as a member of a panel, or by asking.
CREATE FUNCTION public.watch_new_share() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- a share is born open: only what ends it closes it
    IF session_user = 'hub_app' AND (new.closed_with IS NOT NULL OR new.revoked_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a new share is not closed' USING ERRCODE = '42501';
    END IF;
    IF session_user <> 'hub_app' OR new.state = 'pending' THEN
        RETURN new;
    END IF;
    IF new.state = 'accepted' AND (EXISTS (
            SELECT FROM panel p JOIN panel_member m ON m.panel_id = p.id
            WHERE p.id = new.panel_id AND p.organisation_id = new.owner_organisation_id AND p.ended_at IS NULL
              AND p.agreement_id = new.agreement_id AND p.purpose = new.purpose AND new.sections <@ p.sections
              AND new.max_marking <= p.max_marking AND (p.may_contribute OR NOT new.may_contribute)
              AND new.ends_at <= new.starts_at + make_interval(days => p.lasts_days + 1)
              AND m.organisation_id = new.to_organisation_id AND m.team_id IS NOT DISTINCT FROM new.to_team_id
              AND new.to_user_id IS NULL AND m.accepted_at <= clock_timestamp() AND (m.left_at IS NULL OR m.left_at > now())
        ) OR EXISTS (
            SELECT FROM access_request r JOIN sought_record s ON s.access_request_id = r.id
            WHERE r.id = new.access_request_id AND s.record_id = new.record_id AND r.purpose = new.purpose
              AND r.from_organisation_id = new.to_organisation_id AND r.from_team_id IS NOT DISTINCT FROM new.to_team_id
              AND r.state = 'waiting' AND new.to_user_id IS NULL
        )) THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'a share waits for its recipient' USING ERRCODE = '42501';
END
$$;
CREATE TRIGGER watch_new_share BEFORE INSERT ON record_grant
    FOR EACH ROW EXECUTE FUNCTION public.watch_new_share();
