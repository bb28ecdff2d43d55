-- Nobody signs in as the hub's own account of an organisation: it can hold nothing to prove it by.
ALTER TABLE app_user ADD CONSTRAINT ck_app_user_service_without_proof
    CHECK (email NOT LIKE '%@hub.invalid' OR (password_hash IS NULL AND enrolment_hash IS NULL AND totp_sealed IS NULL));
