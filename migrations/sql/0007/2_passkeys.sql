-- Whose administrators and auditors begin a session only with a passkey bound to one device, and which sessions began so.
ALTER TABLE organisation ADD COLUMN strict_passkeys boolean NOT NULL DEFAULT false;
ALTER TABLE user_session ADD COLUMN device_bound boolean NOT NULL DEFAULT false;
