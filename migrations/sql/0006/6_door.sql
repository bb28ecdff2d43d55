-- What a session is recognised by (a code and a network instead of what the browser says of itself), accounts that nobody
-- uses, and cases whose lead officer can't work on them.
ALTER TABLE user_session RENAME COLUMN user_agent TO device;
UPDATE user_session SET device = NULL;
ALTER TABLE user_session
    ADD COLUMN network text,
    ADD CONSTRAINT ck_user_session_device_is_a_code CHECK (device ~ '^[a-z]+[.][a-z]+$');

ALTER TABLE app_user
    ADD COLUMN reinstated_at timestamptz,
    DROP CONSTRAINT ck_app_user_disabled_why_known,
    ADD CONSTRAINT ck_app_user_disabled_why_known CHECK (disabled_why IN ('left', 'not_attested', 'dormant'));

-- Open cases by team and lead officer where that officer's account is closed or the team's hat was taken off, with the moment
-- since when. Ids and numbers only: the worker tells the team's supervisors, who find the cases under their own rule.
CREATE FUNCTION public.find_stranded_leads()
    RETURNS TABLE (organisation_id uuid, team_id uuid, officer_id uuid, since timestamptz, cases integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT c.owner_organisation_id, c.lead_team_id, c.lead_officer_id,
        coalesce(u.disabled_at, m.left_at, max(c.changed_at)), count(*)::integer
    FROM case_record c
        JOIN app_user u ON u.id = c.lead_officer_id
        LEFT JOIN team_membership m ON m.team_id = c.lead_team_id AND m.user_id = c.lead_officer_id
    WHERE c.status NOT IN ('closed', 'signposted', 'no_further_action', 'rejected_duplicate', 'merged', 'transferred')
      AND (u.disabled_at IS NOT NULL OR m.user_id IS NULL OR m.left_at <= now())
    GROUP BY c.owner_organisation_id, c.lead_team_id, c.lead_officer_id, u.disabled_at, m.left_at
$$;
