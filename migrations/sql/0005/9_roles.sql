-- What earlier functions say of hub_app holds for each of the service's roles; and the log's door, and the one that tells
-- whose a token is, know a session only where its kind belongs to the role that signed in.
DO $$
DECLARE
    one record;
    body text;
    changed text;
    swaps text[] := ARRAY[
        ['AND u.disabled_at IS NULL;', 'AND u.disabled_at IS NULL AND public.is_own_kind(s.kind);', 'audit.record_event'],
        -- a refusal at the door is a matter of the pages
        ['ELSIF p_category <> ''security''', 'ELSIF session_user <> ''hub_app'' OR p_category <> ''security''', 'audit.record_event'],
        ['convert_to(token, ''UTF8''))', 'convert_to(token, ''UTF8'')) AND public.is_own_kind(kind)', 'public.find_session']];
BEGIN
    FOR one IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace IN ('public'::regnamespace, 'audit'::regnamespace)
          AND p.prosrc ~ '(current_user|session_user) (=|<>) ''hub_app'''
    LOOP
        body := pg_get_functiondef(one.oid);
        changed := regexp_replace(body, '(current_user|session_user) = ''hub_app''', 'public.is_service(\1)', 'g');
        EXECUTE regexp_replace(changed, '(current_user|session_user) <> ''hub_app''', 'NOT public.is_service(\1)', 'g');
    END LOOP;
    FOR place IN 1 .. array_length(swaps, 1) LOOP
        SELECT pg_get_functiondef(p.oid) INTO STRICT body FROM pg_proc p
            WHERE p.pronamespace::regnamespace::text || '.' || p.proname = swaps[place][3];
        IF length(body) - length(replace(body, swaps[place][1], '')) <> length(swaps[place][1]) THEN
            RAISE EXCEPTION '% is not as it was', swaps[place][3];
        END IF;
        EXECUTE replace(body, swaps[place][1], swaps[place][2]);
    END LOOP;
END
$$;
