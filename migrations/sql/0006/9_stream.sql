-- The service looks at what is stored and never counts it itself.
GRANT SELECT ON file_use TO hub_app, hub_finder;
