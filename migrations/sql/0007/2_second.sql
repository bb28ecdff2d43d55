-- An administrator has reset how somebody signs in; and nobody stays in by a password alone.
ALTER TABLE app_user ADD COLUMN reset_at timestamptz;
UPDATE user_session SET ended_at = now() WHERE method = 'password' AND ended_at IS NULL;
