-- What the application may do with holds, and which columns of a file it may change.
REVOKE ALL ON FUNCTION public.watch_hiding(), public.count_files_of_led_record(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.count_files_of_led_record(uuid) TO hub_app, hub_finder;
GRANT SELECT, INSERT ON legal_hold TO hub_app;
GRANT UPDATE (lift_asked_at, lift_asked_by, lift_reason, lifted_at, lifted_by, revision) ON legal_hold TO hub_app;
GRANT UPDATE (kind, description, taken_on, source, exhibit, section, item_marking, audience, superseded_at,
    hidden_at, hidden_by, hidden_reason, revision) ON attachment TO hub_app;
GRANT SELECT, INSERT ON disclosure_line, disclosure TO hub_app;
GRANT UPDATE (relevance, sensitivity, note, assessed_at, assessed_by, revision) ON disclosure_line TO hub_app;
GRANT UPDATE (approved_at, approved_by, released_at, revision) ON disclosure TO hub_app;
GRANT SELECT ON legal_hold, disclosure_line, disclosure TO hub_reader;

GRANT CREATE ON SCHEMA public TO hub_reader;
ALTER FUNCTION public.watch_hiding() OWNER TO hub_reader;
ALTER FUNCTION public.count_files_of_led_record(uuid) OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA public FROM hub_reader;
