"""The sequencer on real events: none missed or doubled however writers overlap, the same root after any interruption, and
no signature under a tree that does not extend the last signed one."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from hub.access.actor import Actor
from hub.audit.sequencing import Forked, Memory, Sequencer
from hub.crypto.tlog.checkpoints import Checkpoint
from hub.crypto.tlog.hashing import Frontier, check_inclusion, leaf_hash
from hub.crypto.tlog.notes import Signer, open_note
from hub.crypto.tlog.tiles import Tree
from tests.audit.conftest import Connect, Door

SIGNER = Signer.from_seed("hub.example/log", bytes(range(32)))


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "signed-last")


def started(connect: Connect, memory: Memory, *, at_once: int = 5000) -> Sequencer:
    """A sequencer with a lock and a connection of its own, once no earlier transaction holds the horizon back."""
    sequencer = Sequencer(connect("sequencer", autocommit=False), SIGNER, memory, at_once)
    try:
        sequencer.begin()
    except (Forked, SystemExit):
        _leave(sequencer)
        raise
    return sequencer


def drained(sequencer: Sequencer, *, until: int) -> int:
    """Steps until the tree holds so many; the horizon is the cluster's, so another database may hold it back a moment."""
    patience = time.monotonic() + 30
    size = _size(sequencer)
    while size < until and time.monotonic() < patience:
        sequencer.step() or time.sleep(0.02)
        size = _size(sequencer)
    return size


def _leave(sequencer: Sequencer) -> None:
    sequencer.connection.rollback()
    sequencer.connection.execute("SELECT pg_advisory_unlock_all()")
    sequencer.connection.close()


def _size(sequencer: Sequencer) -> int:
    row = sequencer.connection.execute("SELECT size FROM audit.tree").fetchone()
    sequencer.connection.commit()
    assert row is not None
    return int(row[0])


def events(owner: psycopg.Connection[Any]) -> list[tuple[UUID, bytes]]:
    rows = owner.execute("SELECT id, body FROM audit.event ORDER BY xid, id").fetchall()
    return [(row[0], bytes(row[1])) for row in rows]


def defined_root(owner: psycopg.Connection[Any]) -> bytes:
    frontier = Frontier()
    for _, body in events(owner):
        frontier.add(leaf_hash(body))
    return frontier.root()


def newest(owner: psycopg.Connection[Any]) -> tuple[int, bytes, str]:
    row = owner.execute("SELECT size, root, note FROM audit.checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    assert row is not None
    return int(row[0]), bytes(row[1]), row[2]


def written(door: Door, connect: Connect, number: int) -> None:
    app = connect("app")
    for _ in range(number):
        door.record(app)


def test_every_event_becomes_a_leaf_and_the_head_is_signed(
    door: Door, connect: Connect, memory: Memory
) -> None:
    written(door, connect, 20)
    owner = connect("owner")
    total = len(events(owner))
    sequencer = started(connect, memory, at_once=7)
    assert drained(sequencer, until=total) == total
    size, root, note = newest(owner)
    text, signed = open_note(note, [SIGNER.verifier])
    assert signed == {"hub.example/log": None}
    assert Checkpoint.parse(text) == Checkpoint("hub.example/log", size, root)
    assert (size, root) == (total, defined_root(owner))
    leaves = owner.execute("SELECT idx, event_id FROM audit.leaf ORDER BY idx").fetchall()
    assert leaves == [(number, key) for number, (key, _) in enumerate(events(owner))]
    assert owner.execute("SELECT vkey FROM audit.log_key").fetchall() == [(str(SIGNER.verifier),)]


def test_any_event_can_be_proved_out_of_the_tiles(door: Door, connect: Connect, memory: Memory) -> None:
    written(door, connect, 40)
    owner = connect("owner")
    drained(started(connect, memory, at_once=9), until=len(events(owner)))
    size, root, _ = newest(owner)

    def read(level: int, number: int) -> bytes:
        row = owner.execute(
            "SELECT hashes FROM audit.tile WHERE level = %s AND number = %s", [level, number]
        ).fetchone()
        return bytes(row[0]) if row else b""

    tree = Tree(read, size)
    for index, (_, body) in enumerate(events(owner)):
        check_inclusion(index, size, leaf_hash(body), tree.inclusion(index), root)


def test_a_second_sequencer_does_not_start(connect: Connect, memory: Memory) -> None:
    started(connect, memory)
    with pytest.raises(SystemExit, match="Another sequencer"):
        started(connect, memory)


def test_an_uncommitted_event_holds_the_order_back_and_a_rolled_back_one_is_no_leaf(
    door: Door, connect: Connect, memory: Memory, officer: Actor
) -> None:
    owner, slow, quick = connect("owner"), connect("app", autocommit=False), connect("app")
    sequencer = started(connect, memory)
    before = drained(sequencer, until=len(events(owner)))
    waiting = door.record(slow)
    later = door.record(quick)
    assert sequencer.step() == 0
    slow.commit()
    lost = connect("app", autocommit=False)
    door.record(lost)
    lost.rollback()
    assert drained(sequencer, until=before + 2) == before + 2
    leaves = owner.execute(
        "SELECT event_id FROM audit.leaf WHERE idx >= %s ORDER BY idx", [before]
    ).fetchall()
    assert [row[0] for row in leaves] == [waiting, later]


@pytest.mark.parametrize("cut", ["before_commit", "before_signing", "before_publishing"])
def test_after_any_cut_it_goes_on_with_the_same_root(
    door: Door, connect: Connect, memory: Memory, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    class Cut(Exception):
        pass

    def fail(*_: Any, **__: Any) -> Any:
        raise Cut

    written(door, connect, 12)
    owner = connect("owner")
    total = len(events(owner))
    first = started(connect, memory, at_once=5)
    first.step()
    target = {"before_commit": "_tree", "before_signing": "_sign"}.get(cut)
    with monkeypatch.context() as patch:
        if target:
            patch.setattr(Sequencer, target, fail)
        else:
            keep = Memory.keep

            def kept_then_cut(self: Memory, note: str) -> None:
                keep(self, note)
                raise Cut

            patch.setattr(Memory, "keep", kept_then_cut)
        with pytest.raises(Cut):
            first.step()
    _leave(first)
    again = started(connect, memory, at_once=5)
    assert drained(again, until=total) == total
    size, root, note = newest(owner)
    assert (size, root) == (total, defined_root(owner)) and note
    assert owner.execute("SELECT count(*) FROM audit.checkpoint WHERE note IS NULL").fetchone() == (0,)


def test_it_signs_nothing_once_the_database_was_set_back_or_rewritten(
    door: Door, connect: Connect, memory: Memory
) -> None:
    written(door, connect, 12)
    owner, admin = connect("owner"), connect("superuser")
    sequencer = started(connect, memory)
    total = drained(sequencer, until=len(events(owner)))
    _leave(sequencer)
    admin.execute("UPDATE audit.tree SET size = size - 3")
    with pytest.raises(Forked, match="set back"):
        started(connect, memory)
    admin.execute("UPDATE audit.tree SET size = size + 3")
    admin.execute("ALTER TABLE audit.tile DISABLE TRIGGER USER")
    admin.execute(
        "UPDATE audit.tile SET hashes = overlay(hashes PLACING '\\x00'::bytea FROM 40) WHERE level = 0"
    )
    with pytest.raises(Forked, match="does not extend"):
        started(connect, memory)
    memory.path.unlink()
    with pytest.raises(Forked, match="missing"):
        started(connect, memory)
    assert newest(owner)[0] == total


def test_a_database_that_counts_its_transactions_anew_is_refused(
    door: Door, connect: Connect, memory: Memory
) -> None:
    """After a dump the next events would come before those of old, and never into the tree."""
    written(door, connect, 3)
    connect("superuser").execute("UPDATE audit.tree SET xid = '4294967296000'")
    with pytest.raises(Forked, match="filled from a dump"):
        started(connect, memory)


def test_the_sequencer_s_password_rewrites_nothing(door: Door, connect: Connect, memory: Memory) -> None:
    written(door, connect, 3)
    drained(started(connect, memory), until=len(events(connect("owner"))))
    stolen = connect("sequencer")
    for statement in (
        "UPDATE audit.tile SET hashes = '\\x" + "00" * 32 + "'",
        "UPDATE audit.checkpoint SET note = 'x'",
        "UPDATE audit.checkpoint SET root = root",
        "DELETE FROM audit.leaf",
        "UPDATE audit.leaf SET idx = idx",
        "DELETE FROM audit.tile",
        "TRUNCATE audit.checkpoint CASCADE",
        "INSERT INTO audit.event (id) VALUES (gen_random_uuid())",
        "SELECT organisation_ids FROM audit.event",
        "SELECT * FROM audit.event_text",
        "SELECT * FROM public.record",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stolen.execute(statement)
    for statement in (
        "DELETE FROM audit.leaf",
        "INSERT INTO audit.leaf VALUES (999, gen_random_uuid(), now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect("app").execute(statement)


@pytest.mark.parametrize(
    "number",
    [pytest.param(4_000, marks=pytest.mark.slow), pytest.param(100_000, marks=pytest.mark.nightly)],
)
def test_eight_overlapping_writers_miss_and_double_none(
    door: Door, connect: Connect, memory: Memory, number: int
) -> None:
    owner = connect("owner")
    before = len(events(owner))
    committed: list[list[UUID]] = [[] for _ in range(8)]
    writers = [
        threading.Thread(
            target=_write, args=(door, connect("app", autocommit=False), mine, number // 8, seed)
        )
        for seed, mine in enumerate(committed)
    ]
    sequencer = started(connect, memory, at_once=700)
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        sequencer.step() or time.sleep(0.02)
    for writer in writers:
        writer.join()
    wanted = {one for mine in committed for one in mine}
    assert len(wanted) >= number
    assert drained(sequencer, until=before + len(wanted)) == before + len(wanted)
    leaves = owner.execute(
        "SELECT count(*), count(DISTINCT event_id), max(idx) + 1 FROM audit.leaf"
    ).fetchone()
    assert leaves == (before + len(wanted),) * 3
    assert newest(owner)[1] == defined_root(owner)


def _write(
    door: Door, connection: psycopg.Connection[Any], committed: list[UUID], number: int, seed: int
) -> None:
    """Transactions of one to three events, some slow to commit, some rolled back, until so many are committed."""
    draw = random.Random(seed)
    while len(committed) < number:
        made = [door.record(connection) for _ in range(draw.randint(1, 3))]
        if draw.random() < 0.1:
            time.sleep(draw.random() * 0.05)
        if draw.random() < 0.05:
            connection.rollback()
            continue
        connection.commit()
        committed.extend(made)
