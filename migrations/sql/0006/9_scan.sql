-- The worker puts a scan off; what was found is written by the function alone.
GRANT SELECT, INSERT, UPDATE ON scan_try TO hub_worker;
GRANT SELECT ON scan_try TO hub_reader;

REVOKE ALL ON FUNCTION public.pending_scans(integer, uuid), public.note_scan(uuid, text, text), public.scan_backlog(),
    public.find_quarantined(timestamptz, uuid, integer) FROM PUBLIC;
-- in whichever of its two roles the application stands when it asks: such a statement meets no wall
GRANT EXECUTE ON FUNCTION public.pending_scans(integer, uuid), public.note_scan(uuid, text, text), public.scan_backlog(),
    public.find_quarantined(timestamptz, uuid, integer) TO hub_app, hub_finder;

GRANT CREATE ON SCHEMA public TO hub_reader;
ALTER FUNCTION public.pending_scans(integer, uuid) OWNER TO hub_reader;
ALTER FUNCTION public.scan_backlog() OWNER TO hub_reader;
ALTER FUNCTION public.find_quarantined(timestamptz, uuid, integer) OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA public FROM hub_reader;
