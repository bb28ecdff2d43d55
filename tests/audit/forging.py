"""Many events at once for tests of the log as a whole: valid bytes, columns and ids, written past the door as superuser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psycopg

from hub.audit.sequencing import Memory, Sequencer
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.notes import COSIGNATURE, Signer
from hub.witness.asking import cosign
from tests.witness.log import Running, made, running

__all__ = ["SIGNER", "cosigned", "fill", "made", "newest", "policy_of", "reader", "running", "sequenced"]

SIGNER = Signer.from_seed("hub.example/log", bytes(range(32)))
WITNESS = Signer.from_seed("council.example/witness", b"w" * 32, COSIGNATURE)
POLICY = Policy((SIGNER.verifier,), (WITNESS.verifier,), 1)
# in the log of the tests of exports
EVENTS = 300
A_BATCH = 10_000
# from ten minutes ago to one minute ago, in this month, because there is no partition before it
_FILL = """
    INSERT INTO audit.event (id, at, xid, category, act, outcome, source, user_id, organisation_id, team_id, object_type,
        object_id, object_version, record_ids, person_ids, organisation_ids, body, hash)
    SELECT id, at, pg_current_xact_id(), 'consultation', 'case.opened', 'ok', 'web', who, org, team, 'case', record, 1,
        ARRAY[record], '{{}}', ARRAY[org], body, sha256(body)
    FROM (SELECT *, convert_to('{{"act":"case.opened","actor":{{"authenticated":{{"at":"2026-01-05T09:00:00.000000Z",'
            '"how":"passkey"}},"organisation":"' || org || '","partnership":"' || org || '","roles":["practitioner"],'
            '"session":"' || repeat('5e', 32) || '","team":"' || team || '","user":"' || who || '"}},'
            '"basis":{{"purpose":"safeguarding","via":"lead"}},"category":"consultation","commitments":{{}},'
            '"facts":{{"part":"summary"}},"file":null,"id":"' || id || '","object":{{"id":"' || record
            || '","type":"case","version":1}},"outcome":"ok","recipients":[],"shown":{{"count":1,"owners":["' || org
            || '"],"people":[],"records":["' || record || '"]}},"source":{{"ip":"192.0.2.7","kind":"web","request":"'
            || md5(g::text) || '"}},"time":"' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            || '","v":1}}', 'UTF8') AS body
        FROM (SELECT g, at, audit.new_event_id(at) AS id, md5((g % 900)::text)::uuid AS record, md5('w')::uuid AS who,
                md5('o')::uuid AS org, md5('t')::uuid AS team
            FROM (SELECT g, date_trunc('milliseconds', base + (until - base) * (g::float8 / {total})) AS at
                FROM generate_series({first}, {last}) AS g, (SELECT greatest(date_trunc('month', now()),
                    now() - interval '10 min') AS base, now() - interval '1 min' AS until) AS times) AS moments) AS drawn
    ) AS made
"""


def fill(superuser: psycopg.Connection[Any], number: int) -> None:
    """Adds so many events, a transaction for each batch."""
    for first in range(0, number, A_BATCH):
        last = min(first + A_BATCH, number) - 1
        superuser.execute(_FILL.format(first=first, last=last, total=number))  # type: ignore[arg-type]
        if not superuser.autocommit:
            superuser.commit()


def sequenced(connection: psycopg.Connection[Any], folder: Path, *, at_once: int = 5_000) -> Memory:
    """Everything that is committed, in the tree and signed."""
    sequencer = Sequencer(connection, SIGNER, Memory(folder / "signed-last"), at_once)
    sequencer.begin()
    # the horizon is the cluster's: another database may hold it back a moment
    patience = time.monotonic() + 30
    while sequencer.step() or (_waiting(connection) and time.monotonic() < patience):
        pass
    assert not _waiting(connection)
    connection.execute("SELECT pg_advisory_unlock_all()")
    connection.commit()
    return sequencer.memory


def _waiting(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT waiting FROM audit.tree_lag()").fetchone()
    connection.commit()
    assert row is not None
    return int(row[0])


def reader(connection: psycopg.Connection[Any]) -> Any:
    def read(level: int, number: int) -> bytes:
        row = connection.execute(
            "SELECT hashes FROM audit.tile WHERE level = %s AND number = %s", [level, number]
        ).fetchone()
        return bytes(row[0]) if row else b""

    return read


def newest(connection: psycopg.Connection[Any]) -> tuple[int, str]:
    row = connection.execute(
        "SELECT size, note FROM audit.checkpoint WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


def cosigned(superuser: psycopg.Connection[Any], witness: Running) -> None:
    """The witness cosigns the newest checkpoint, as the log's own process has it done."""
    size, note = newest(superuser)
    signer = witness.file.read().signer
    line = cosign(witness.url, signer.verifier, note, 0, reader(superuser))
    superuser.execute(
        "INSERT INTO audit.cosignature (size, name, line) VALUES (%s, %s, %s)", [size, signer.name, line]
    )
    if not superuser.autocommit:
        superuser.commit()


def policy_of(witness: Running | None = None) -> Policy:
    """Of the log's key; with the witness, one cosignature is needed."""
    if witness is None:
        return Policy((SIGNER.verifier,))
    return Policy((SIGNER.verifier,), (witness.file.read().signer.verifier,), 1)
