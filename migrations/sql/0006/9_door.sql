-- The service replaces a session's token at each step up, and still can't read one's hash.
GRANT SELECT (network), UPDATE (token_hash) ON user_session TO hub_app;
GRANT SELECT (network) ON user_session TO hub_finder;
REVOKE ALL ON FUNCTION public.find_stranded_leads() FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO hub_reader;
ALTER FUNCTION public.find_stranded_leads() OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA public FROM hub_reader;
GRANT EXECUTE ON FUNCTION public.find_stranded_leads() TO hub_app, hub_finder;
