-- A provider that was asked again who it is may call its session otherwise from then on.
GRANT UPDATE (provider_session) ON user_session TO hub_app;
