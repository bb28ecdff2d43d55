-- What an account stands on: the terms that its user accepted, training, vetting, and the last day of temporary staff.
ALTER TABLE app_user
    ADD COLUMN terms_version text,
    ADD COLUMN terms_accepted_at timestamptz,
    ADD COLUMN trained_on date,
    ADD COLUMN vetting text,
    ADD COLUMN vetting_expires_on date,
    ADD COLUMN access_ends_on date,
    ADD COLUMN conditions_set_at timestamptz,
    ADD COLUMN conditions_set_by uuid,
    ADD CONSTRAINT fk_app_user_conditions_set_by FOREIGN KEY (conditions_set_by) REFERENCES app_user (id),
    ADD CONSTRAINT ck_app_user_vetting_known CHECK (vetting IN ('none', 'dbs_basic', 'dbs_standard', 'dbs_enhanced', 'bpss', 'ctc', 'sc', 'nppv2_abbreviated', 'nppv2_full', 'nppv3', 'recruitment', 'management')),
    ADD CONSTRAINT ck_app_user_vetting_with_end CHECK ((vetting IS NULL OR vetting = 'none') = (vetting_expires_on IS NULL)),
    ADD CONSTRAINT ck_app_user_terms_with_time CHECK ((terms_version IS NULL) = (terms_accepted_at IS NULL)),
    ADD CONSTRAINT ck_app_user_conditions_with_setter CHECK ((conditions_set_at IS NULL) = (conditions_set_by IS NULL)),
    DROP CONSTRAINT ck_app_user_disabled_why_known,
    ADD CONSTRAINT ck_app_user_disabled_why_known CHECK (disabled_why IN ('left', 'not_attested', 'dormant', 'directory', 'ended'));

-- Past that day a token opens nothing and writes nothing, as if the account were closed, and whether or not the job has run
-- that closes it.
DO $$
DECLARE
    one text;
    body text;
    before text := 'AND u.disabled_at IS NULL AND public.is_own_kind(s.kind)';
BEGIN
    FOREACH one IN ARRAY ARRAY['record_event', 'find_reader'] LOOP
        SELECT pg_get_functiondef(p.oid) INTO STRICT body FROM pg_proc p
            WHERE p.pronamespace = 'audit'::regnamespace AND p.proname = one;
        IF length(body) - length(replace(body, before, '')) <> length(before) THEN
            RAISE EXCEPTION '% is not as it was', one;
        END IF;
        EXECUTE replace(body, before, before
            || ' AND (u.access_ends_on IS NULL OR u.access_ends_on >= (clock_timestamp() AT TIME ZONE ''Europe/London'')::date)');
    END LOOP;
END
$$;
