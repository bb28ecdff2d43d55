-- Giving a role takes two people. The pages ask for them; here it is seen to that no other path of the service gives one.

-- Whether somebody is an administrator in the partnership now.
CREATE FUNCTION public.administers(who uuid, area uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM role_holding h JOIN app_user u ON u.id = h.user_id
        WHERE h.user_id = who AND h.partnership_id = area AND h.role = 'administrator' AND u.disabled_at IS NULL
          AND (h.ended_at IS NULL OR h.ended_at > clock_timestamp()))
$$;

-- Whether nobody else could decide: no other administrator of the same organisation in the partnership, and none in the last
-- seven days, so that closing the other one's account or taking their role away wins nothing.
CREATE FUNCTION public.stands_alone(who uuid, area uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT NOT EXISTS (SELECT FROM role_holding h JOIN app_user u ON u.id = h.user_id
        WHERE h.partnership_id = area AND h.role = 'administrator' AND h.user_id <> who
          AND u.organisation_id = (SELECT me.organisation_id FROM app_user me WHERE me.id = who)
          AND (h.ended_at IS NULL OR h.ended_at > clock_timestamp() - interval '7 days')
          AND (u.disabled_at IS NULL OR u.disabled_at > clock_timestamp() - interval '7 days'))
$$;

-- Whether what was asked for can still be decided.
CREATE FUNCTION public.role_change_lives(asker uuid, person uuid, area uuid, until timestamptz) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT until > clock_timestamp() AND administers(asker, area)
        AND NOT EXISTS (SELECT FROM app_user u WHERE u.id = person AND u.disabled_at IS NOT NULL)
$$;

-- Whether one of two has reset how the other signs in within seven days: whoever holds the link of a reset holds the account
-- until its owner is back, so that these two may be one. The log says so; its reader's function asks it.
CREATE FUNCTION public.reset_between(one uuid, other uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, audit, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM audit.event e
        WHERE e.act = 'user.reset' AND e.outcome = 'ok' AND e.at > clock_timestamp() - interval '7 days'
          AND (e.object_id, e.user_id) IN ((one, other), (other, one)))
$$;

-- By whose hand: that of the token's holder, as a definer because only the log may look a token up.
CREATE FUNCTION public.watch_role_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    hand uuid;
    alive boolean;
BEGIN
    IF NOT public.is_service(session_user) THEN
        RETURN new;
    END IF;
    hand := audit.find_reader(current_setting('hub.token', true));
    IF hand IS NULL OR new.partnership_id::text <> current_setting('hub.partnership_id', true)
            OR NOT public.administers(hand, new.partnership_id)
            OR (SELECT count(*) FROM app_user u WHERE u.id IN (hand, new.user_id)
                AND u.organisation_id = new.organisation_id) <> 2 THEN
        RAISE EXCEPTION 'roles are the matter of administrators of the same organisation and partnership' USING ERRCODE = '42501';
    END IF;
    IF TG_OP = 'INSERT' THEN
        new.created_at := clock_timestamp();
        new.expires_at := least(new.expires_at, clock_timestamp() + interval '14 days');
        IF new.asked_by <> hand OR coalesce(new.outcome, 'alone') <> 'alone' THEN
            RAISE EXCEPTION 'a role is asked for in one’s own name' USING ERRCODE = '42501';
        END IF;
        IF new.outcome = 'alone' AND NOT public.stands_alone(hand, new.partnership_id) THEN
            RAISE EXCEPTION 'another administrator could decide' USING ERRCODE = '42501';
        END IF;
    ELSE
        IF old.outcome IS NOT NULL THEN
            RAISE EXCEPTION 'what is decided stays decided' USING ERRCODE = '42501';
        END IF;
        alive := public.role_change_lives(old.asked_by, old.user_id, old.partnership_id, old.expires_at);
        -- that the two are different people is a constraint of the table
        IF NOT coalesce(CASE new.outcome
                WHEN 'approved' THEN alive AND new.decided_by = hand AND NOT public.reset_between(old.asked_by, hand)
                WHEN 'refused' THEN new.decided_by = hand
                WHEN 'withdrawn' THEN new.decided_by = hand
                WHEN 'lapsed' THEN NOT alive END, false) THEN
            RAISE EXCEPTION 'this is not for this hand to decide' USING ERRCODE = '42501';
        END IF;
    END IF;
    IF new.outcome IS NOT NULL THEN
        new.decided_at := clock_timestamp();
    END IF;
    new.decided_xid := CASE WHEN new.outcome IN ('approved', 'alone') THEN pg_current_xact_id()::text::bigint END;
    RETURN new;
END
$$;
REVOKE ALL ON FUNCTION public.watch_role_change() FROM PUBLIC;
CREATE TRIGGER watch_role_change BEFORE INSERT OR UPDATE ON role_change
    FOR EACH ROW EXECUTE FUNCTION public.watch_role_change();

-- A role begins (or begins anew, or lasts longer) in the transaction of its decision alone. It may end at any time, from now
-- on and not before: who was an administrator until when is what `stands_alone` asks.
CREATE FUNCTION public.watch_role_holding() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT public.is_service(session_user) THEN
        RETURN new;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (new.user_id, new.partnership_id, new.role) IS DISTINCT FROM (old.user_id, old.partnership_id, old.role) THEN
            RAISE EXCEPTION 'a role is ended and another asked for' USING ERRCODE = '42501';
        END IF;
        IF new.ended_at IS NOT DISTINCT FROM old.ended_at THEN
            new.granted_at := old.granted_at;
            RETURN new;
        ELSIF new.ended_at < coalesce(old.ended_at, 'infinity') THEN
            new.granted_at := old.granted_at;
            new.ended_at := CASE WHEN old.ended_at <= now() THEN old.ended_at ELSE greatest(new.ended_at, now()) END;
            RETURN new;
        END IF;
    END IF;
    -- the loader makes an invented partnership whole, and the operator the first administrator of an organisation that joins one
    IF session_user = 'hub_loader' OR (session_user = 'hub_cli' AND new.role = 'administrator' AND NOT EXISTS (
            SELECT FROM role_holding h JOIN app_user held ON held.id = h.user_id
                JOIN app_user one ON one.organisation_id = held.organisation_id
            WHERE one.id = new.user_id AND h.partnership_id = new.partnership_id)) THEN
        RETURN new;
    END IF;
    IF new.ended_at IS NOT NULL OR NOT EXISTS (SELECT FROM role_change c
            WHERE c.user_id = new.user_id AND c.partnership_id = new.partnership_id AND c.role = new.role
              -- a restored database may count its transactions anew: the decision is no older than this one
              AND c.outcome IN ('approved', 'alone') AND c.decided_xid = pg_current_xact_id()::text::bigint
              AND c.decided_at >= transaction_timestamp()) THEN
        RAISE EXCEPTION 'giving a role takes two people' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
REVOKE ALL ON FUNCTION public.watch_role_holding() FROM PUBLIC;
CREATE TRIGGER watch_role_holding BEFORE INSERT OR UPDATE ON role_holding
    FOR EACH ROW EXECUTE FUNCTION public.watch_role_holding();
