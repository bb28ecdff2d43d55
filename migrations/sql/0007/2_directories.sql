-- A team that a directory deletes: gone where nothing refers to it but who was in it, else untouched. The application may
-- delete no team and no membership by itself.
CREATE FUNCTION public.remove_team(gone uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM team_membership WHERE team_id = gone;
    DELETE FROM directory_link WHERE id = gone;
    DELETE FROM team WHERE id = gone;
    RETURN true;
EXCEPTION WHEN foreign_key_violation THEN
    RETURN false;
END
$$;
REVOKE ALL ON FUNCTION public.remove_team(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.remove_team(uuid) TO hub_app;
