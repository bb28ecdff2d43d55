GRANT SELECT, INSERT ON role_change TO hub_app;
-- who asked for what and until when stays as it was asked
GRANT UPDATE (outcome, decided_by, decided_at) ON role_change TO hub_app;
GRANT SELECT ON role_change TO hub_finder;
REVOKE ALL ON FUNCTION public.administers(uuid, uuid), public.stands_alone(uuid, uuid),
    public.role_change_lives(uuid, uuid, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.administers(uuid, uuid), public.stands_alone(uuid, uuid),
    public.role_change_lives(uuid, uuid, uuid, timestamptz) TO hub_app, hub_finder;
