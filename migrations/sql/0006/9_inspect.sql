-- What each role may do with what the checks of files add.
-- a policy is never changed: a new one takes its place from its day on
GRANT SELECT, INSERT ON file_policy TO hub_app;
GRANT SELECT ON file_policy TO hub_finder, hub_reader;
