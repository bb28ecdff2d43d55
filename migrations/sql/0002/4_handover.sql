-- A hand-over changes who leads a case. Its old lead may not, once it is the new one's to say, and the new lead may not yet:
-- so these functions alone do it, for the team that it was offered to. What stays remains readable to its contributor.

-- Shares within the old owner's organisation need no agreement; when the record has another owner they stay as its history,
-- marked with the hand-over that ended them.
ALTER TABLE record_grant
    DROP CONSTRAINT ck_record_grant_outside_needs_agreement,
    ADD CONSTRAINT ck_record_grant_outside_needs_agreement CHECK (to_organisation_id = owner_organisation_id
        OR (agreement_id IS NOT NULL AND purpose IS NOT NULL AND gateway IS NOT NULL AND lawful_basis IS NOT NULL
            AND ends_at IS NOT NULL)
        OR closed_with IS NOT NULL);

-- Who may read an item that stays: of its contributor's own people those who could before, and nobody else.
CREATE FUNCTION public.audience_that_stays(audience text, ids uuid[], contributor uuid, area uuid) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT CASE
        WHEN audience IN ('organisations', 'people') THEN ARRAY(
            SELECT one FROM unnest(ids) AS one
            WHERE one = contributor
               OR one IN (SELECT u.id FROM app_user u WHERE u.organisation_id = contributor)
               OR one IN (SELECT t.id FROM team t WHERE t.organisation_id = contributor))
        WHEN audience = 'supervisor_only' THEN ARRAY(
            SELECT DISTINCT h.user_id FROM role_holding h JOIN app_user u ON u.id = h.user_id
            WHERE h.role = 'supervisor' AND h.partnership_id = area AND u.organisation_id = contributor
              AND (h.ended_at IS NULL OR h.ended_at > now()))
        WHEN audience = 'police_only' THEN ARRAY(
            SELECT o.id FROM organisation o WHERE o.id = contributor AND o.kind IN ('police_force', 'police_other'))
        ELSE ARRAY[contributor]
    END
$$;

-- Accepts an offer for the team in hand, and tells the case's new revision. The shares end and what stays is narrowed here
-- and now; the case changes its owner when the transaction commits (the trigger below), so that what is written of the
-- acceptance names the old owner too, and both may find it in their logs.
CREATE FUNCTION public.accept_hand_over(offer uuid, gateway_given text, basis_given text, answer_given text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    me uuid := nullif(current_setting('hub.user_id', true), '')::uuid;
    it hand_over%ROWTYPE;
    held text;
    named uuid[];
    made integer;
BEGIN
    -- the record before what hangs on it, as all that changes its facts does
    PERFORM FROM record WHERE id = (SELECT record_id FROM hand_over WHERE id = offer) FOR UPDATE;
    SELECT * INTO it FROM hand_over WHERE id = offer FOR UPDATE;
    IF NOT FOUND OR it.state <> 'offered' OR it.owner_organisation_id <> it.from_organisation_id
            OR it.lead_team_id <> it.from_team_id
            OR it.to_organisation_id IS DISTINCT FROM nullif(current_setting('hub.organisation_id', true), '')::uuid
            OR it.to_team_id IS DISTINCT FROM nullif(current_setting('hub.team_id', true), '')::uuid
            OR it.marking > coalesce(nullif(current_setting('hub.clearance', true), '')::smallint, -1)
            OR it.record_id IN (SELECT e.record_id FROM my_excluded_record() AS e) THEN
        RAISE EXCEPTION 'this hand-over is not open to you' USING ERRCODE = '42501';
    END IF;
    IF it.to_organisation_id <> it.from_organisation_id AND NOT EXISTS (
            SELECT FROM agreement a
                JOIN agreement_party ours ON ours.agreement_id = a.id AND ours.organisation_id = it.to_organisation_id
                JOIN agreement_party theirs ON theirs.agreement_id = a.id AND theirs.organisation_id = it.from_organisation_id
                JOIN agreement_purpose p ON p.agreement_id = a.id AND p.purpose = it.purpose
            WHERE a.id = it.agreement_id AND a.in_force_at <= now() AND a.starts_at <= now() AND a.ends_at > now()
              AND (a.suspended_at IS NULL OR a.suspended_at > now()) AND (a.ended_at IS NULL OR a.ended_at > now())
              AND ours.joined_at <= now() AND (ours.left_at IS NULL OR ours.left_at > now())
              AND theirs.joined_at <= now() AND (theirs.left_at IS NULL OR theirs.left_at > now())) THEN
        RAISE EXCEPTION 'no agreement in force carries this hand-over' USING ERRCODE = '42501';
    END IF;
    UPDATE case_record SET lead_officer_id = me, revision = revision + 1, changed_at = clock_timestamp()
        WHERE id = it.record_id AND status NOT IN ('closed', 'signposted', 'no_further_action', 'rejected_duplicate',
            'merged', 'transferred')
        RETURNING revision INTO made;
    IF made IS NULL THEN
        RAISE EXCEPTION 'only a case that has not ended is handed over' USING ERRCODE = '42501';
    END IF;
    named := ARRAY(SELECT t.user_id FROM record_team t WHERE t.record_id = it.record_id);
    FOR held IN SELECT c.relname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND t.attname = 'audience_ids' LOOP
        -- of a restricted case the old owner's people who were named keep what their organisation wrote, not all of them
        IF it.restricted AND it.to_organisation_id <> it.from_organisation_id THEN
            EXECUTE format('UPDATE %I SET audience = ''people'', audience_ids = ARRAY(
                    SELECT one FROM unnest($3) AS one
                    WHERE contributor_organisation_id = ANY (was) OR one = ANY (was)
                ) || CASE WHEN coalesce(audience, ''victim_safe'') = ''victim_safe'' THEN $4 ELSE $5 END
                FROM (SELECT i.id AS key, audience_that_stays(i.audience, i.audience_ids, i.contributor_organisation_id,
                    i.partnership_id) AS was FROM %I i WHERE i.record_id = $1) AS before
                WHERE id = key AND contributor_organisation_id = $2', held, held)
                USING it.record_id, it.from_organisation_id, named, it.to_team_id, me;
        END IF;
        EXECUTE format('UPDATE %I SET audience = CASE WHEN audience IN (''people'', ''supervisor_only'') THEN ''people''
                ELSE ''organisations'' END,
                audience_ids = audience_that_stays(audience, audience_ids, contributor_organisation_id, partnership_id)'
            ' WHERE record_id = $1 AND section = ANY ($2)', held) USING it.record_id, it.stays;
    END LOOP;
    UPDATE record_grant SET revoked_at = now(), revoked_by = me, revoked_why = 'The record was handed over',
            closed_with = it.id
        WHERE record_id = it.record_id AND revoked_at IS NULL AND state <> 'rejected' AND (ends_at IS NULL OR ends_at > now());
    UPDATE record_grant SET closed_with = it.id
        WHERE record_id = it.record_id AND agreement_id IS NULL AND closed_with IS NULL;
    -- whom a restricted case is restricted to, its new lead says
    DELETE FROM record_team WHERE record_id = it.record_id;
    IF it.restricted THEN
        INSERT INTO record_team (record_id, user_id, added_at, added_by, partnership_id, owner_organisation_id,
                lead_team_id, marking, restricted, breakable, knowable, open_to_owner)
            SELECT r.id, me, now(), me, r.partnership_id, r.owner_organisation_id, r.lead_team_id, r.marking, r.restricted,
                r.breakable, r.knowable, r.open_to_owner FROM record r WHERE r.id = it.record_id;
    END IF;
    UPDATE hand_over SET state = 'accepted', answered_at = now(), answered_by = me, answer = answer_given,
            restated_gateway = gateway_given, restated_basis = basis_given, revision = revision + 1
        WHERE id = it.id;
    RETURN made;
END
$$;

CREATE FUNCTION public.finish_hand_over() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE record SET owner_organisation_id = new.to_organisation_id, lead_team_id = new.to_team_id, open_to_owner = false
        WHERE id = new.record_id;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER finish_hand_over AFTER UPDATE OF state ON hand_over DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.state = 'accepted' AND old.state <> 'accepted') EXECUTE FUNCTION public.finish_hand_over();

-- The service offers; then it may refuse, for the team that was offered the case, or withdraw, for the team that leads it:
-- once. It can't write that an offer was accepted, nor change what was said.
CREATE FUNCTION public.watch_hand_over() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    team uuid := nullif(current_setting('hub.team_id', true), '')::uuid;
BEGIN
    -- the owner of the tables cascades facts, accepts and migrates; it carries no user's rights
    IF current_user <> 'hub_app' THEN
        RETURN new;
    END IF;
    IF tg_op = 'INSERT' THEN
        IF new.state = 'offered' AND new.from_team_id = team AND new.from_team_id = new.lead_team_id
                AND new.from_organisation_id = new.owner_organisation_id THEN
            RETURN new;
        END IF;
    ELSIF old.state = 'offered' AND (new.state = 'refused' AND old.to_team_id = team
            OR new.state = 'withdrawn' AND old.from_team_id = team) THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'a hand-over is offered by the lead team, answered once, and accepted through its function'
        USING ERRCODE = '42501';
END
$$;
CREATE TRIGGER watch_hand_over BEFORE INSERT OR UPDATE ON hand_over
    FOR EACH ROW EXECUTE FUNCTION public.watch_hand_over();
