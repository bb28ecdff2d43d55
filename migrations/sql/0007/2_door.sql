-- How somebody proved who they are, what vouched for it, and the secret of an authenticator app.
ALTER TABLE user_session
    ADD COLUMN provider_id uuid,
    ADD COLUMN provider_session text,
    DROP CONSTRAINT ck_user_session_method_known,
    ADD CONSTRAINT ck_user_session_method_known CHECK (method IN ('password', 'password_and_code', 'passkey', 'provider', 'demo', 'enrolment', 'operator'));

ALTER TABLE app_user
    ADD COLUMN totp_sealed bytea,
    ADD COLUMN totp_key_id uuid,
    ADD COLUMN totp_step bigint,
    ADD COLUMN totp_since timestamptz,
    ADD CONSTRAINT fk_app_user_totp_key_id FOREIGN KEY (totp_key_id) REFERENCES data_key (id),
    ADD CONSTRAINT ck_app_user_totp_whole CHECK ((totp_sealed IS NULL) = (totp_key_id IS NULL) AND (totp_sealed IS NULL) = (totp_since IS NULL)),
    DROP CONSTRAINT ck_app_user_disabled_why_known,
    ADD CONSTRAINT ck_app_user_disabled_why_known CHECK (disabled_why IN ('left', 'not_attested', 'dormant', 'directory'));
