-- What each role may do with settings and code lists: both are only added to. A coming setting is withdrawn, an entry ended.
GRANT SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_by) ON setting TO hub_app;
GRANT SELECT, INSERT, UPDATE (valid_to) ON code_list_entry TO hub_app;
GRANT SELECT ON setting, code_list_entry TO hub_finder;
