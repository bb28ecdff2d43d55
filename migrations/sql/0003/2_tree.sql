-- The tree over the log: which event is which leaf, the tiles, the signed checkpoints and the witnesses' cosignatures.
-- hub_sequencer writes them, in a process and with a password of its own; it can read events and change none.

CREATE TABLE audit.leaf (
    idx bigint PRIMARY KEY CHECK (idx >= 0),
    event_id uuid NOT NULL UNIQUE,
    event_at timestamptz NOT NULL
);
-- level L, number N: the hashes 256 N to 256 N + 255 of the complete subtrees of 256 ** L leaves (C2SP tlog-tiles)
CREATE TABLE audit.tile (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea NOT NULL CHECK (length(hashes) % 32 = 0 AND length(hashes) BETWEEN 32 AND 8192),
    PRIMARY KEY (level, number)
);
-- how far the sequencer has come
CREATE TABLE audit.tree (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    size bigint NOT NULL,
    xid xid8 NOT NULL,
    event_id uuid NOT NULL
);
INSERT INTO audit.tree (size, xid, event_id) VALUES (0, '0', '00000000-0000-0000-0000-000000000000');
-- a checkpoint is signed only when its tree is committed: until then it has no note
CREATE TABLE audit.checkpoint (
    size bigint PRIMARY KEY CHECK (size > 0),
    root bytea NOT NULL CHECK (length(root) = 32),
    note text,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE audit.cosignature (
    size bigint NOT NULL REFERENCES audit.checkpoint (size),
    name text NOT NULL,
    line text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (size, name)
);
-- the log's public keys; an old one is kept for the checkpoints that it signed
CREATE TABLE audit.log_key (
    vkey text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- and those of its witnesses
CREATE TABLE audit.witness_key (
    vkey text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE POLICY hub_sequence ON audit.event FOR SELECT TO hub_sequencer USING (true);
GRANT USAGE ON SCHEMA audit TO hub_sequencer;
GRANT SELECT (id, at, xid, body) ON audit.event TO hub_sequencer;
GRANT SELECT, INSERT ON audit.leaf, audit.checkpoint, audit.cosignature, audit.log_key, audit.witness_key
    TO hub_sequencer;
GRANT SELECT, INSERT, UPDATE (hashes) ON audit.tile TO hub_sequencer;
GRANT SELECT, UPDATE ON audit.tree TO hub_sequencer;
GRANT UPDATE (note) ON audit.checkpoint TO hub_sequencer;
GRANT SELECT ON audit.leaf, audit.tile, audit.tree, audit.checkpoint, audit.cosignature, audit.log_key, audit.witness_key
    TO hub_app, hub_reader;

-- A tile only grows and a signed note stays, whoever holds the sequencer's password.
CREATE FUNCTION audit.keep_tile() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF substring(new.hashes FOR length(old.hashes)) <> old.hashes THEN
        RAISE EXCEPTION 'the tree only grows' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE FUNCTION audit.keep_note() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF old.note IS NOT NULL THEN
        RAISE EXCEPTION 'a signed checkpoint stays' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER keep_tile BEFORE UPDATE ON audit.tile FOR EACH ROW EXECUTE FUNCTION audit.keep_tile();
CREATE TRIGGER keep_note BEFORE UPDATE ON audit.checkpoint FOR EACH ROW EXECUTE FUNCTION audit.keep_note();

-- How many events no leaf covers yet (at most 100,000 are counted), and since when the oldest of them waits.
CREATE FUNCTION audit.tree_lag() RETURNS TABLE (waiting bigint, oldest timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
    SELECT count(*), min(waits.at) FROM (
        SELECT e.at FROM audit.event e, audit.tree t WHERE (e.xid, e.id) > (t.xid, t.event_id)
        ORDER BY e.xid, e.id LIMIT 100000) AS waits
$$;

-- The sweep: events between the two ages that have no leaf. Below the sequencer's horizon none
-- can be skipped; this says so if one ever is, or if the sequencer stands still.
CREATE FUNCTION audit.find_skipped(younger_than interval, older_than interval) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, audit, pg_temp
AS $$
    SELECT e.id FROM audit.event e
    WHERE e.at BETWEEN clock_timestamp() - younger_than AND clock_timestamp() - older_than
      AND NOT EXISTS (SELECT FROM audit.leaf l WHERE l.event_id = e.id) LIMIT 100
$$;
REVOKE ALL ON FUNCTION audit.tree_lag(), audit.find_skipped(interval, interval), audit.keep_tile(), audit.keep_note() FROM PUBLIC;
GRANT CREATE ON SCHEMA audit TO hub_reader;
ALTER FUNCTION audit.tree_lag() OWNER TO hub_reader;
ALTER FUNCTION audit.find_skipped(interval, interval) OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA audit FROM hub_reader;
GRANT EXECUTE ON FUNCTION audit.tree_lag(), audit.find_skipped(interval, interval) TO hub_app, hub_sequencer;
