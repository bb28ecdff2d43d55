GRANT SELECT (device_bound) ON user_session TO hub_app, hub_finder;
