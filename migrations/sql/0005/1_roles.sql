-- Command line, worker and loader sign in to the database as roles of their own (made with passwords by `hub db upgrade`;
-- without one where there is none yet). Each is a member of hub_app and so has the service's rights, owns nothing, and holds
-- sessions of one kind. What hub_app may take on for finding, they may take on too, and inherit it no more than hub_app does.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['hub_worker', 'hub_cli', 'hub_loader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = one) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', one);
        END IF;
        -- whoever made hub_app may have seen to it: only they may
        IF NOT pg_has_role(one, 'hub_app', 'USAGE') THEN
            EXECUTE format('GRANT hub_app TO %I', one);
        END IF;
    END LOOP;
END
$$;

-- The roles by which the hub's own processes come; who owns, migrates or sequences is none of them.
CREATE FUNCTION public.is_service(role name) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT role IN ('hub_app', 'hub_worker', 'hub_cli', 'hub_loader') $$;

-- Whether sessions of this kind belong to the role that signed in. That role can't be changed: SET ROLE leaves it as it is.
CREATE FUNCTION public.is_own_kind(kind text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT session_user = CASE kind WHEN 'web' THEN 'hub_app' WHEN 'job' THEN 'hub_worker' WHEN 'cli' THEN 'hub_cli'
        WHEN 'load' THEN 'hub_loader' END
$$;

-- A session is made, and its hat changed, by the role that its kind belongs to; a user's only in a team of theirs. Any of the
-- service's roles may end any session (an account is closed), and nothing else of one that isn't its own.
CREATE FUNCTION public.watch_session() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT public.is_service(session_user) THEN
        RETURN new;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- what has ended stays ended
        new.ended_at := coalesce(old.ended_at, new.ended_at);
    END IF;
    IF NOT public.is_own_kind(new.kind) AND (TG_OP = 'INSERT'
            OR (new.team_id, new.purpose, new.last_seen_at, new.expires_at, new.authenticated_at, new.method) IS DISTINCT FROM
               (old.team_id, old.purpose, old.last_seen_at, old.expires_at, old.authenticated_at, old.method)) THEN
        RAISE EXCEPTION 'sessions of this kind belong to another role' USING ERRCODE = '42501';
    END IF;
    IF new.kind = 'web' AND (TG_OP = 'INSERT' OR new.team_id <> old.team_id) AND NOT EXISTS (
            SELECT FROM team_membership m WHERE m.user_id = new.user_id AND m.team_id = new.team_id
              AND (m.left_at IS NULL OR m.left_at > now())) THEN
        RAISE EXCEPTION 'a session is in a team of its user' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
REVOKE ALL ON FUNCTION public.watch_session() FROM PUBLIC;
CREATE TRIGGER watch_session BEFORE INSERT OR UPDATE ON user_session FOR EACH ROW EXECUTE FUNCTION public.watch_session();
