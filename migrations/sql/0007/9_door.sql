GRANT SELECT (provider_id, provider_session) ON user_session TO hub_app, hub_finder;
GRANT SELECT, INSERT, DELETE, UPDATE (tries) ON ceremony TO hub_app;
GRANT SELECT, INSERT, UPDATE ON passkey, identity_provider, provider_identity, directory, directory_link TO hub_app;
GRANT DELETE ON provider_identity TO hub_app;
GRANT SELECT ON ceremony, passkey, identity_provider, provider_identity, directory, directory_link TO hub_finder;
