"""A live log, read through psycopg or, where that isn't installed, through the program `psql`. Reads, and changes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from hub.audit.verifier.findings import Findings
from hub.audit.verifier.heads import MOST_NOTES, Heads, Unusable, judge_heads, read_policy
from hub.audit.verifier.proving import GRACE_SECONDS, Prover
from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.tiles import Reader

# the newest signed checkpoint, and those that a witness cosigned, newest first
NOTES = f"""
    SELECT c.note, (SELECT string_agg(s.line, '' ORDER BY s.name) FROM audit.cosignature s WHERE s.size = c.size)
    FROM audit.checkpoint c WHERE c.note IS NOT NULL
        AND (c.size = (SELECT max(size) FROM audit.checkpoint WHERE note IS NOT NULL)
            OR EXISTS (SELECT FROM audit.cosignature s WHERE s.size = c.size))
    ORDER BY c.size DESC LIMIT {MOST_NOTES}
"""  # noqa: S608
_HEX_NOTES = f"SELECT encode(convert_to(note || coalesce(string_agg, ''), 'UTF8'), 'hex') FROM ({NOTES}) AS n"  # noqa: S608
# Whether the leaf `l` is of a month that the database gave up to the archive.
ARCHIVED = """EXISTS (SELECT FROM audit.archived_month m WHERE l.idx BETWEEN m.first_idx AND m.last_idx
        AND m.month = date_trunc('month', l.event_at AT TIME ZONE 'UTC')::date)"""
# An event is looked up where its leaf says, else by its id alone: then its time was altered. No sort, one look-up a leaf.
_LEAVES = f"""
    SELECT l.idx, l.event_id, l.event_at < now() - interval '{GRACE_SECONDS} s', encode(e.body, 'hex'),
        e.body IS NULL AND {ARCHIVED}
    FROM audit.leaf l LEFT JOIN LATERAL (
        (SELECT a.body FROM audit.event a WHERE a.id = l.event_id AND a.at = l.event_at
         UNION ALL SELECT b.body FROM audit.event b WHERE b.id = l.event_id) LIMIT 1
    ) AS e ON true ORDER BY l.idx
"""  # noqa: S608
_LEAFLESS = f"""
    SELECT e.id, e.at < now() - interval '{GRACE_SECONDS} s', encode(e.body, 'hex') FROM audit.event e
    WHERE NOT EXISTS (SELECT FROM audit.leaf l WHERE l.event_id = e.id AND l.event_at = e.at)
"""  # noqa: S608
_LOWEST = "SELECT number, encode(hashes, 'hex') FROM audit.tile WHERE level = 0 ORDER BY number"
_UPPER = "SELECT level, number, encode(hashes, 'hex') FROM audit.tile WHERE level > 0"
KEYS = "SELECT 'log ' || vkey FROM audit.log_key UNION ALL SELECT 'witness ' || vkey FROM audit.witness_key"
_NARROW = "hub_app"
# to compile such a statement would take longer than to run it
_OPTIONS = "-c default_transaction_read_only=on -c jit=off"
_NULL = b"\\N"

Rows = Generator[list[bytes], None, None]


def check_database(
    findings: Findings, address: str, policy: Policy | None = None, seen: Checkpoint | None = None
) -> tuple[Heads, int]:
    """The heads, and how many events were checked. Without a policy the keys in the database are taken, and that is said."""
    ((role,),) = _rows(address, "SELECT current_user")
    if role.decode() == _NARROW:
        raise Unusable(
            f"The role {_NARROW} sees one organisation's events; the check needs one that sees all."
        )
    if policy is None:
        policy = own_policy(findings, "".join(f"{key.decode()}\n" for (key,) in _rows(address, KEYS)))
    notes = [
        bytes.fromhex(note.decode()).decode("utf-8", "replace") for (note,) in _rows(address, _HEX_NOTES)
    ]
    heads = judge_heads(findings, policy, notes, seen)
    events = 0
    with closing(_rows(address, _LEAVES)) as leaves:
        first = next(leaves, None)  # the leaves' snapshot is the older one: no tile lacks what it should hold
        prover = Prover(findings, _tiles(address), heads)
        while first is not None:
            index, event_id, old, body, archived = first
            if body == _NULL:
                prover.entry(int(index), event_id.decode(), None, old=old == b"t", archived=archived == b"t")
            else:
                prover.entry(int(index), event_id.decode(), bytes.fromhex(body.decode()), old=old == b"t")
            events += body != _NULL
            first = next(leaves, None)
    for event_id, old, body in _rows(address, _LEAFLESS):
        prover.without_leaf(event_id.decode(), bytes.fromhex(body.decode()), old=old == b"t")
        events += 1
    prover.finish()
    return heads, events


def own_policy(findings: Findings, keys: str) -> Policy | None:
    """The log's and its witnesses' keys as the database itself has them; None where the log has none yet."""
    if "log " not in keys:
        return None
    findings.notes.append(
        "No policy was given: keys were taken from the database itself, and no witness had to have signed."
    )
    return read_policy(f"{keys}quorum 0\n")


def _tiles(address: str) -> Reader:
    """The lowest level as a stream beside the leaves, in order; the levels above, a 256th of it, in memory."""
    upper = {
        (int(level), int(number)): bytes.fromhex(hashes.decode())
        for level, number, hashes in _rows(address, _UPPER)
    }
    lowest = _rows(address, _LOWEST)
    ahead: list[tuple[int, bytes]] = []

    def read(level: int, number: int) -> bytes:
        if level:
            return upper.get((level, number), b"")
        while not ahead or ahead[0][0] < number:
            row = next(lowest, None)
            if row is None:
                return b""
            ahead[:] = [(int(row[0]), bytes.fromhex(row[1].decode()))]
        return ahead[0][1] if ahead[0][0] == number else b""

    return read


def _rows(address: str, statement: str) -> Rows:
    """The rows of one statement as text, streamed. Each has a connection of its own."""
    copy = f"COPY ({statement}) TO STDOUT"
    if find_spec("psycopg") is not None:
        lines = _by_psycopg(address.replace("postgresql+psycopg:", "postgresql:", 1), copy)
    elif shutil.which("psql"):
        lines = _by_psql(address.replace("postgresql+psycopg:", "postgresql:", 1), copy)
    else:
        raise Unusable("A database is read through psycopg or psql, and neither is installed.")
    for line in lines:
        yield line.rstrip(b"\n").split(b"\t")


def _by_psycopg(address: str, copy: str) -> Iterator[bytes]:
    driver: Any = import_module("psycopg")
    try:
        with (
            driver.connect(address, autocommit=True, connect_timeout=10, options=_OPTIONS) as connection,
            connection.cursor().copy(copy) as rows,
        ):
            for row in rows:
                yield bytes(row)
    except driver.Error as error:
        raise Unusable(f"The database can't be read: {_first_line(str(error))}") from None


def _by_psql(address: str, copy: str) -> Iterator[bytes]:
    parts = urlsplit(address)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@", 1)))
    environment = {
        **os.environ,
        "PGOPTIONS": _OPTIONS,
        "PGCONNECT_TIMEOUT": "10",
    }
    if parts.password is not None:
        environment["PGPASSWORD"] = unquote(parts.password)  # not where other users' `ps` shows it
    command = ["psql", "-X", "-q", "-w", "-d", plain, "-c", copy]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=environment
        ) as program,
    ):
        try:
            yield from program.stdout or ()
        finally:
            if program.stdout:
                program.stdout.close()
            program.wait()
        if program.returncode:
            said.seek(0)
            raise Unusable(
                f"The database can't be read: {_first_line(said.read(4096).decode(errors='replace'))}"
            )


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no reason was given")
