"""A log of N events made by SQL, as the log itself would have written them: what `bench.desk` measures on."""

from __future__ import annotations

import hashlib
from uuid import UUID

import psycopg

from bench import clause_data

MONTHS = 24
RECORDS = 20_000
HOT = 5_000
AT_ONCE = 500_000

_SUBJECTS = """
INSERT INTO role_holding (user_id, partnership_id, role, granted_at)
    VALUES (pg_temp.key('user', 11), pg_temp.key('area', 1), 'auditor', now());
INSERT INTO record (id, created_at, kind, reference, partnership_id, owner_organisation_id, lead_team_id, marking, restricted,
        breakable, knowable, open_to_owner)
    SELECT pg_temp.key('case', n), now(), 'case', 'ORG-CS-' || n, pg_temp.key('area', 1),
        pg_temp.key('organisation', n % 40 + 1), pg_temp.key('team', (n % 40 + 1) * 10 + 1), 0, false, true, false, false
    FROM generate_series(0, {records}) AS n;
UPDATE record SET owner_organisation_id = pg_temp.key('organisation', 1), lead_team_id = pg_temp.key('team', 11)
    WHERE reference = 'ORG-CS-1';
INSERT INTO person (id, created_at, organisation_id, reference)
    SELECT pg_temp.key('person', n), now(), pg_temp.key('organisation', n % 40 + 1), 'P-' || n
    FROM generate_series(0, {records}) AS n;
UPDATE person SET organisation_id = pg_temp.key('organisation', 1) WHERE reference = 'P-1';
"""
_MONTH = """
DO $$
DECLARE
    month timestamptz := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - make_interval(months => {back});
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)',
        'event_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM'), month, month + interval '1 month');
END
$$
"""
# Organisation 1 does a tenth, the others share the rest. Every tenth event is a list of 20 records; one in eight concerns
# a record of another organisation. The first so many are about the hot record, the next the hot person, the next by the hot
# user.
_EVENTS = """
WITH drawn AS (
    SELECT n, now() - random() * interval '{days} days' AS at,
        CASE WHEN random() < 0.1 THEN 1 ELSE 2 + (random() * 38)::int END AS organisation, 1 + (random() * 24)::int AS person,
        (random() * {records})::int AS record, random() AS kind, random() AS away, random() AS result
    FROM generate_series({first}, {last}) AS n
), told AS (
    SELECT n, at, CASE WHEN n <= 3 * {hot} AND n > 2 * {hot} THEN 1 ELSE organisation END AS organisation,
        CASE WHEN n <= 3 * {hot} AND n > 2 * {hot} THEN 11
            ELSE organisation * 100 + person + 1000 END AS user_number,
        CASE WHEN n <= {hot} THEN ARRAY[1] WHEN kind < 0.1 THEN ARRAY(SELECT (record + i * 41) % {records} FROM generate_series(0, 19) AS i)
            ELSE ARRAY[record] END AS records,
        CASE WHEN n > {hot} AND n <= 2 * {hot} THEN ARRAY[1] WHEN kind > 0.7 THEN ARRAY[record] ELSE '{{}}'::int[] END AS people,
        CASE WHEN n <= 2 * {hot} THEN 1 WHEN away < 0.125 THEN record % 40 + 1 ELSE organisation END AS owner,
        (ARRAY['consultation', 'consultation', 'consultation', 'consultation', 'collection', 'alteration', 'security'])[1 + (kind * 6)::int] AS category,
        CASE WHEN result < 0.99 THEN 'ok' ELSE 'denied' END AS outcome,
        (ARRAY['prevent_crime', 'safeguard_child', 'tenancy'])[1 + (away * 2)::int] AS purpose
    FROM drawn
), made AS (
    SELECT audit.new_event_id(at) AS id, t.*, pg_temp.key('organisation', organisation) AS organisation_id,
        pg_temp.key('user', user_number) AS user_id,
        ARRAY(SELECT pg_temp.key('case', r) FROM unnest(records) AS r) AS record_ids,
        ARRAY(SELECT pg_temp.key('person', p) FROM unnest(people) AS p) AS person_ids
    FROM told t
), written AS (
    SELECT m.*, convert_to('{{"act":"case.opened","actor":{{"authenticated":{{"at":"2026-01-01T00:00:00.000000Z","how":"password"}},"organisation":"'
        || organisation_id || '","partnership":"' || pg_temp.key('area', 1) || '","roles":["practitioner"],"session":"'
        || repeat('0', 64) || '","team":"' || pg_temp.key('team', organisation * 10 + 1) || '","user":"' || user_id
        || '"}},"basis":{{"purpose":"' || purpose || '","via":"lead"}},"category":"' || category
        || '","commitments":{{}},"facts":{{"part":"summary"}},"file":null,"id":"' || id || '","object":{{"id":"' || record_ids[1]
        || '","type":"case","version":1}},"outcome":"' || outcome || '","recipients":[],"shown":{{"count":1,"owners":[],"people":'
        || audit.uuid_list(person_ids) || ',"records":' || audit.uuid_list(record_ids)
        || '}},"source":{{"build":"bench","ip":"192.0.2.1","kind":"web"}},"time":"","v":1}}', 'UTF8') AS body
    FROM made m
)
INSERT INTO audit.event (id, at, xid, category, act, outcome, source, user_id, organisation_id, team_id, object_type, object_id,
        object_version, record_ids, person_ids, organisation_ids, body, hash)
    SELECT id, at, pg_current_xact_id(), category, 'case.opened', outcome, 'web', user_id, organisation_id,
        pg_temp.key('team', organisation * 10 + 1), 'case', record_ids[1], 1, record_ids, person_ids,
        ARRAY(SELECT DISTINCT one FROM unnest(ARRAY[organisation_id, pg_temp.key('organisation', owner)]) AS one), body,
        sha256(body)
    FROM written
"""


def key(kind: str, number: int) -> UUID:
    """The id that the statements give to this thing."""
    return UUID(hashlib.md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest())


def fill(superuser_url: str, events: int) -> str:
    """Fills an empty, migrated database; the size of the log in words. Indexes are made when all is in."""
    values = {"records": RECORDS, "hot": HOT, "days": MONTHS * 30}
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        run = connection.execute
        run("SET session_replication_role = replica")
        run("SET maintenance_work_mem = '1GB'")
        run("SELECT setseed(0.5)")
        run(
            "CREATE FUNCTION pg_temp.key(kind text, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE"
            " AS $$ SELECT md5(kind || n)::uuid $$"
        )
        run(clause_data._GROUND)
        run(_SUBJECTS.format(**values))
        for back in range(MONTHS + 1):
            run(_MONTH.format(back=back))
        indexes = run(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'audit' AND tablename = 'event'"
            " AND indexname <> 'event_pkey'"
        ).fetchall()
        for name, _ in indexes:
            run(f"DROP INDEX audit.{name}")
        for first in range(1, events + 1, AT_ONCE):
            run(_EVENTS.format(**values, first=first, last=min(events, first + AT_ONCE - 1)))
        for _, definition in indexes:
            run(definition.replace(" ON ONLY ", " ON "))
        run("VACUUM ANALYZE")
        size = run(
            "SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits"
            " WHERE inhparent = 'audit.event'::regclass"
        ).fetchone()
    return str(size[0]) if size else ""
