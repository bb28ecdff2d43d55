"""The attacks on the log (SECURITY 3), each done with the database's highest rights, and what finds it.

    .venv/bin/python -m tests.audit.attacks [EVENTS]

Each is a transaction that is rolled back. The last has the log's private key too: only a witness finds it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from hub.audit.verifying import Report, verify_log
from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.hashing import leaf_hash
from hub.crypto.tlog.notes import write_note
from hub.crypto.tlog.tiles import Tree, grown
from hub.witness.asking import NotCosigned, cosign
from tests.audit.forging import SIGNER, cosigned, fill, made, newest, policy_of, reader, running, sequenced
from tests.witness.log import Running

EVENTS = 200_000
MOST_SECONDS = 20.0
SINGLE = Path(__file__).parents[2] / "deploy" / "hub-audit-verify.py"
VICTIM = 777  # its leaf
Connection = psycopg.Connection[Any]
Act = Callable[[Connection], None]


def alter_event(c: Connection) -> bytes:
    """Bytes and their hash: what a check without a tree would not find. Gives the new leaf hash."""
    row = c.execute(
        "UPDATE audit.event SET body = convert_to(replace(convert_from(body, 'UTF8'), 'summary', 'nothing'), 'UTF8')"
        " WHERE id = (SELECT event_id FROM audit.leaf WHERE idx = %s) RETURNING body",
        [VICTIM],
    ).fetchone()
    assert row is not None
    c.execute("UPDATE audit.event SET hash = sha256(body) WHERE body = %s", [row[0]])
    return leaf_hash(bytes(row[0]))


def set_hash(c: Connection, index: int, value: bytes) -> None:
    c.execute(
        "UPDATE audit.tile SET hashes = overlay(hashes PLACING %s FROM %s) WHERE level = 0 AND number = %s",
        [value, index % 256 * 32 + 1, index // 256],
    )


def alter_event_and_leaf(c: Connection) -> None:
    set_hash(c, VICTIM, alter_event(c))


def alter_event_and_all_tiles(c: Connection) -> None:
    alter_event(c)
    rebuild_tiles(c)


def delete_event(c: Connection) -> None:
    c.execute("DELETE FROM audit.event WHERE id = (SELECT event_id FROM audit.leaf WHERE idx = %s)", [VICTIM])


def delete_event_and_leaf(c: Connection) -> None:
    delete_event(c)
    c.execute("DELETE FROM audit.leaf WHERE idx = %s", [VICTIM])


def cut_newest(c: Connection) -> None:
    """Back to the checkpoint before, which is signed and witnessed: all that is left is sound in itself."""
    size = _one(c, "SELECT size FROM audit.checkpoint ORDER BY size DESC OFFSET 1 LIMIT 1")
    c.execute("DELETE FROM audit.cosignature WHERE size > %s", [size])
    c.execute("DELETE FROM audit.checkpoint WHERE size > %s", [size])
    c.execute("DELETE FROM audit.event WHERE id IN (SELECT event_id FROM audit.leaf WHERE idx >= %s)", [size])
    c.execute("DELETE FROM audit.leaf WHERE idx >= %s", [size])
    rebuild_tiles(c)


def swap_events(c: Connection) -> None:
    one, other = (
        _one(c, f"SELECT event_id FROM audit.leaf WHERE idx = {index}") for index in (VICTIM, VICTIM + 1)
    )
    c.execute("DELETE FROM audit.leaf WHERE event_id IN (%s, %s)", [one, other])
    for index, key in ((VICTIM, other), (VICTIM + 1, one)):
        c.execute("INSERT INTO audit.leaf SELECT %s, id, at FROM audit.event WHERE id = %s", [index, key])


def swap_events_and_leaves(c: Connection) -> None:
    read = reader(c)
    tile = read(0, VICTIM // 256)
    at = VICTIM % 256 * 32
    swap_events(c)
    set_hash(c, VICTIM, tile[at + 32 : at + 64])
    set_hash(c, VICTIM + 1, tile[at : at + 32])


def forge_event(c: Connection) -> None:
    """A copy of an old event under an id of its own, in the transaction of the old one: the sequencer is past it."""
    c.execute(
        "INSERT INTO audit.event (id, at, xid, category, act, outcome, source, user_id, organisation_id, team_id,"
        " object_type, object_id, object_version, record_ids, person_ids, organisation_ids, body, hash)"
        " SELECT n, at, xid, category, act, outcome, source, user_id, organisation_id, team_id, object_type, object_id,"
        " object_version, record_ids, person_ids, organisation_ids, b, sha256(b) FROM (SELECT *,"
        " convert_to(replace(convert_from(body, 'UTF8'), id::text, n::text), 'UTF8') AS b FROM (SELECT *,"
        " audit.new_event_id(at) AS n FROM audit.event WHERE id = (SELECT event_id FROM audit.leaf WHERE idx = %s)) AS o) AS f",
        [VICTIM],
    )


def rebuild_with_stolen_key(c: Connection) -> None:
    """One event is gone as if it had never been: leaves, tiles and checkpoint are made again and signed by the log's key."""
    delete_event_and_leaf(c)
    c.execute("DELETE FROM audit.cosignature")
    c.execute("DELETE FROM audit.checkpoint")
    c.execute("CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM audit.leaf")
    c.execute("DELETE FROM audit.leaf")
    c.execute(
        "INSERT INTO audit.leaf SELECT row_number() OVER (ORDER BY idx) - 1, event_id, event_at FROM kept"
    )
    size = rebuild_tiles(c)
    root = Tree(reader(c), size).root()
    text = Checkpoint(SIGNER.name, size, root).text
    note = write_note(text, SIGNER.sign(text))
    c.execute("INSERT INTO audit.checkpoint (size, root, note) VALUES (%s, %s, %s)", [size, root, note])


def rebuild_tiles(c: Connection) -> int:
    leaves: list[bytes] = []
    with c.cursor("bodies") as cursor:
        cursor.execute(
            "SELECT e.body FROM audit.leaf l JOIN audit.event e ON e.id = l.event_id ORDER BY l.idx"
        )
        for (body,) in cursor:
            leaves.append(leaf_hash(bytes(body)))
    c.execute("DELETE FROM audit.tile")
    with c.cursor().copy("COPY audit.tile (level, number, hashes) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int2", "int8", "bytea"])
        for (level, number), hashes in grown(lambda *_: b"", 0, leaves).items():
            copy.write_row((level, number, hashes))
    return len(leaves)


def _one(c: Connection, statement: str) -> Any:
    row = c.execute(statement).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


@dataclass(frozen=True)
class Attack:
    """`by`: the code that must name it. `seen`: found by what the verifier saw before. `witness`: by nothing but a witness."""

    number: int
    name: str
    act: Callable[[Connection], Any]
    by: str
    seen: bool = False
    witness: bool = False


ATTACKS = (
    Attack(1, "event altered", alter_event, "event_altered"),
    Attack(2, "event and leaf altered", alter_event_and_leaf, "leaf_altered"),
    Attack(2, "event, leaf and all tiles altered", alter_event_and_all_tiles, "log_rewritten"),
    Attack(3, "event deleted", delete_event, "event_deleted"),
    Attack(4, "event and leaf deleted", delete_event_and_leaf, "entry_deleted"),
    Attack(5, "newest cut off", cut_newest, "newest_cut", seen=True),
    Attack(6, "two events swapped", swap_events, "events_swapped"),
    Attack(6, "two events and their leaves swapped", swap_events_and_leaves, "leaf_altered"),
    Attack(7, "old event forged", forge_event, "event_without_leaf"),
    Attack(8, "key stolen, tree rebuilt and signed", rebuild_with_stolen_key, "policy_not_met", witness=True),
)


@dataclass
class Field:
    """An honest log, sequenced and witnessed, on which the attacks are tried one after the other."""

    engine: sa.Engine
    witness: Running
    seen: Checkpoint

    @property
    def policy(self) -> Policy:
        return policy_of(self.witness)

    def check(
        self, act: Act | None, policy: Policy, seen: Checkpoint | None = None, *, ask: bool = False
    ) -> tuple[Report, str]:
        """The report on the attacked log; and what the witness says to its newest checkpoint, if it is asked."""
        with self.engine.connect() as connection:
            raw: Connection = connection.connection.driver_connection  # type: ignore[assignment]
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            if act is not None:
                act(raw)
            report = verify_log(connection, policy=policy, seen=seen)
            said = self._asked(raw) if ask else ""
            connection.rollback()
        return report, said

    def _asked(self, raw: Connection) -> str:
        try:
            cosign(
                self.witness.url,
                self.witness.file.read().signer.verifier,
                newest(raw)[1],
                self.seen.size,
                reader(raw),
            )
        except NotCosigned as refused:
            return str(refused)
        return ""

    def attempt(self, attack: Attack) -> tuple[bool, str]:
        """Whether it was found as it must be, and the line that says so."""
        report, said = self.check(
            attack.act, self.policy, self.seen if attack.seen else None, ask=attack.witness
        )
        finding = next((one for one in report.problems if one.code == attack.by), None)
        codes = sorted({one.code for one in report.problems})
        line = f"attack {attack.number} {attack.name}: "
        if finding is None:
            return False, f"{line}NOT FOUND as {attack.by} (found: {codes})"
        line += f"found by {finding.code}: {finding.words}"
        if not (attack.seen or attack.witness):
            return True, line
        # the same without what is said to find it
        other, _ = self.check(attack.act, policy_of() if attack.witness else self.policy)
        alone = other.ok and bool(said or attack.seen)
        by = "the witness" if attack.witness else "the checkpoint seen last"
        line += f" [by {by} alone: without it {'nothing is found' if other.ok else 'it is found too'}"
        return alone, line + (f"; asked to cosign it, it refuses: {said}]" if attack.witness else "]")


def prepared(superuser_url: str, sequencer_url: str, folder: Path, number: int, witness: Running) -> Field:
    """Two checkpoints at least, the newest two cosigned."""
    plain = superuser_url.replace("+psycopg", "")
    with (
        psycopg.connect(plain, autocommit=True) as superuser,
        psycopg.connect(sequencer_url.replace("+psycopg", "")) as sequencer,
    ):
        fill(superuser, number - number // 10)
        sequenced(sequencer, folder)
        cosigned(superuser, witness)
        fill(superuser, number // 10)
        memory = sequenced(sequencer, folder)
        cosigned(superuser, witness)
        superuser.execute("ANALYZE audit.event; ANALYZE audit.leaf")
    seen = memory.read(SIGNER)
    assert seen is not None
    engine = sa.create_engine(superuser_url, poolclass=sa.NullPool)
    return Field(engine, witness, seen)


def tried(field: Field) -> Iterator[tuple[bool, str]]:
    for attack in ATTACKS:
        yield field.attempt(attack)


def main() -> int:
    from hub.cli.db import upgrade
    from hub.launcher.postgres import Postgres

    number = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory(prefix="hub-attacks-") as name:
        folder = Path(name)
        server = Postgres(folder, test=True)
        address = server.start()
        try:
            upgrade(address.owner_url)
            superuser = make_url(address.superuser_url).set(database=make_url(address.app_url).database)
            with running(made(folder, trusting=SIGNER)) as witness:
                began = time.perf_counter()
                url = superuser.render_as_string(hide_password=False)
                field = prepared(url, address.sequencer_url, folder, number, witness)
                print(
                    f"{number:,} events written, sequenced and witnessed in {time.perf_counter() - began:.0f} s"
                )
                sound = _honest(field, url, folder)
                failed = False
                for found, line in tried(field):
                    print(line, flush=True)
                    failed |= not found
                field.engine.dispose()
        finally:
            server.destroy()
    print("NOT EVERY ATTACK WAS FOUND." if failed else "Every attack was found.")
    return int(failed or not sound)


def _honest(field: Field, url: str, folder: Path) -> bool:
    """The honest log is sound, and is checked fast enough in little memory, by the service and by the single file."""
    before = _peak("self")
    busy = time.process_time()
    report, _ = field.check(None, field.policy, field.seen)
    busy = time.process_time() - busy
    print(
        f"honest log: {'sound' if report.ok else report.problems[:3]}; {report.events:,} events checked in"
        f" {report.seconds:.1f} s ({busy:.1f} s of this process's own), peak memory {before} MiB before and {_peak('self')} MiB after"
    )
    policy = folder / "policy"
    policy.write_text(str(field.policy))
    began = time.perf_counter()
    command = [sys.executable, "-I", str(SINGLE), "database", url, "--policy", str(policy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        peak = 0
        while run.poll() is None:
            peak = max(peak, _peak(str(run.pid)))
            time.sleep(0.1)
        told = run.stdout.read() if run.stdout else ""
    seconds = time.perf_counter() - began
    print(
        f"honest log by hub-audit-verify.py: exit {run.returncode}; {told.splitlines()[0] if told else ''}"
        f" Peak memory {peak} MiB."
    )
    if (slowest := max(report.seconds, seconds)) > MOST_SECONDS:
        print(f"TOO SLOW: {slowest:.1f} s")
    return report.ok and not run.returncode and slowest <= MOST_SECONDS


def _peak(process: str) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) // 1024 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
