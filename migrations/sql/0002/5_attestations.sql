-- How many live shares reach each of these users of the actor's organisation: through it, through a team of theirs (also one
-- of another employer's) or by name. Numbers only: an administrator reads no content.
CREATE FUNCTION public.count_reaching_shares(users uuid[]) RETURNS TABLE (user_id uuid, shares bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT u.id, count(g.id)
    FROM app_user u JOIN record_grant g ON (g.to_user_id = u.id
            OR g.to_user_id IS NULL AND g.to_team_id IS NULL AND g.to_organisation_id = u.organisation_id
            OR g.to_user_id IS NULL AND g.to_team_id IN (SELECT m.team_id FROM team_membership m
                WHERE m.user_id = u.id AND (m.left_at IS NULL OR m.left_at > now())))
        LEFT JOIN agreement a ON a.id = g.agreement_id
    WHERE u.id = ANY (users) AND u.organisation_id = nullif(current_setting('hub.organisation_id', true), '')::uuid
      AND g.state = 'accepted' AND g.starts_at <= now() AND (g.ends_at IS NULL OR g.ends_at > now())
      AND (g.revoked_at IS NULL OR g.revoked_at > now())
      AND (g.agreement_id IS NULL OR a.in_force_at <= now() AND a.starts_at <= now() AND a.ends_at > now()
        AND (a.ended_at IS NULL OR a.ended_at > now()) AND (a.suspended_at IS NULL OR a.suspended_at > now()))
    GROUP BY u.id
$$;
REVOKE ALL ON FUNCTION public.count_reaching_shares(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.count_reaching_shares(uuid[]) TO hub_app;
