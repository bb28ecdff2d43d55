GRANT SELECT, INSERT ON role_change TO hub_app;
-- who asked for what and until when stays as it was asked
GRANT UPDATE (outcome, decided_by, decided_at) ON role_change TO hub_app;
GRANT SELECT ON role_change TO hub_finder;
REVOKE ALL ON FUNCTION public.administers(uuid, uuid), public.stands_alone(uuid, uuid),
    public.role_change_lives(uuid, uuid, uuid, timestamptz), public.reset_between(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.administers(uuid, uuid), public.stands_alone(uuid, uuid),
    public.role_change_lives(uuid, uuid, uuid, timestamptz), public.reset_between(uuid, uuid) TO hub_app, hub_finder;
-- the trigger asks as the owner of the tables, the function as the reader of the log
GRANT EXECUTE ON FUNCTION public.reset_between(uuid, uuid) TO hub_owner;
GRANT CREATE ON SCHEMA public TO hub_reader;
ALTER FUNCTION public.reset_between(uuid, uuid) OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA public FROM hub_reader;
