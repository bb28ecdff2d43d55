-- The records that the rule could open to the actor at all, for lists: his team's, those opened to his organisation, those
-- shared, those in emergency. No more than asked for, and no promise that he may read them: both walls still decide.
CREATE FUNCTION public.find_list_candidates(kind_wanted text, most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp ROWS 100
AS $$
DECLARE
    me uuid := nullif(current_setting('hub.user_id', true), '')::uuid;
    ours uuid := nullif(current_setting('hub.organisation_id', true), '')::uuid;
    team uuid := nullif(current_setting('hub.team_id', true), '')::uuid;
BEGIN
    RETURN QUERY
        SELECT r.id FROM record r WHERE r.lead_team_id = team AND r.kind = kind_wanted
        UNION ALL
        SELECT r.id FROM record r WHERE r.owner_organisation_id = ours AND r.open_to_owner AND r.kind = kind_wanted
        UNION ALL
        SELECT g.record_id FROM record_grant g
        WHERE (g.to_organisation_id = ours OR g.to_team_id IS NOT NULL AND g.to_team_id = team)
          AND g.state = 'accepted' AND (g.ends_at IS NULL OR g.ends_at > now())
        UNION ALL
        SELECT e.record_id FROM emergency e WHERE e.user_id = me AND e.expires_at > now()
        LIMIT least(most, 1001);
END
$$;
