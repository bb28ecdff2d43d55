"""The log before a real witness: heads are cosigned, a rewritten log is not, and the proof of an event names who signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.access.actor import Actor
from hub.audit.policy import LogPurpose
from hub.audit.proofs import find_proof
from hub.audit.queries import open_event
from hub.audit.sequencing import Memory
from hub.audit.witnessing import Witness, Witnessing, read_witnesses
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.notes import COSIGNATURE, Signer, Verifier
from hub.extensions import db
from tests.audit.conftest import Connect, Door
from tests.audit.test_sequencing import SIGNER, drained, events, started, written
from tests.fixtures.world import World, act_as
from tests.witness.log import Running, made, running

NAME = "council.example/witness"


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Running]:
    with running(made(tmp_path, trusting=SIGNER)) as one:
        yield one


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "signed-last")


@pytest.fixture
def shown(connect: Connect, witness: Running) -> Witnessing:
    """The log's side, with this one witness."""
    found = Witnessing(connect("sequencer"), [Witness(_key(witness), witness.url)])
    found.introduce()
    return found


def _key(witness: Running) -> Verifier:
    return witness.file.read().signer.verifier


def cosigned(connect: Connect) -> list[Any]:
    return connect("owner").execute("SELECT size, name, line FROM audit.cosignature ORDER BY size").fetchall()


def test_each_new_head_is_shown_once_and_its_cosignature_kept(
    door: Door, connect: Connect, memory: Memory, shown: Witnessing
) -> None:
    assert shown.round() is False
    sequencer, owner = started(connect, memory), connect("owner")
    sizes = []
    for number in (3, 4):
        written(door, connect, number)
        sizes.append(drained(sequencer, until=len(events(owner))))
        assert shown.round() and shown.round()
    kept = cosigned(connect)
    assert [(row[0], row[1]) for row in kept] == [(size, NAME) for size in sizes]
    policy = Policy((SIGNER.verifier,), (shown.witnesses[0].verifier,), 1)
    note = owner.execute("SELECT note FROM audit.checkpoint WHERE size = %s", [sizes[-1]]).fetchone()
    assert note is not None
    head, signed = policy.open(note[0] + kept[-1][2])
    assert head.size == sizes[-1] and signed[NAME] is not None
    with pytest.raises(NotProven, match="0 of 1 witnesses"):
        policy.open(note[0])


def test_a_rewritten_and_signed_log_finds_no_cosignature(
    door: Door, connect: Connect, memory: Memory, shown: Witnessing, capsys: pytest.CaptureFixture[str]
) -> None:
    written(door, connect, 5)
    owner, admin = connect("owner"), connect("superuser")
    sequencer = started(connect, memory)
    total = drained(sequencer, until=len(events(owner)))
    shown.round()
    before = cosigned(connect)
    # whoever holds everything but the witness: one event gone, the tree built anew with the log's own key, and longer
    sequencer.connection.execute("SELECT pg_advisory_unlock_all()")
    sequencer.connection.close()
    for table in ("cosignature", "checkpoint", "leaf", "tile"):
        admin.execute(f"DELETE FROM audit.{table}")
    admin.execute("UPDATE audit.tree SET size = 0, xid = '0'")
    admin.execute("DELETE FROM audit.event WHERE id = (SELECT id FROM audit.event ORDER BY xid, id LIMIT 1)")
    memory.path.unlink()
    written(door, connect, 9)
    assert drained(started(connect, memory), until=total + 8) == total + 8
    shown.round()
    assert before and cosigned(connect) == []
    assert "witness_disagrees" in capsys.readouterr().out


def test_a_silent_witness_holds_nothing_up(
    door: Door, connect: Connect, memory: Memory, witness: Running
) -> None:
    written(door, connect, 2)
    drained(started(connect, memory), until=len(events(connect("owner"))))
    silent = Witness(SIGNER.verifier, "http://127.0.0.1:1")
    both = Witnessing(connect("sequencer"), [silent, Witness(_key(witness), witness.url)])
    assert both.round()
    assert [row[1] for row in cosigned(connect)] == [NAME]


def test_the_proof_of_an_event_holds_and_names_the_witness(
    door: Door, connect: Connect, memory: Memory, shown: Witnessing, world: World
) -> None:
    written(door, connect, 6)
    auditor = act_as(world, "auditor")
    event = open_event(auditor, _one(connect, auditor), purpose=LogPurpose.LAWFULNESS)
    assert find_proof(auditor, event) is None
    drained(started(connect, memory), until=len(events(connect("owner"))))
    shown.round()
    found = find_proof(auditor, event)
    assert found is not None and found.refused is None
    assert [name for name, _ in found.witnesses] == [NAME]
    head, _ = found.file.check(Policy((SIGNER.verifier,), (shown.witnesses[0].verifier,), 1))
    assert head.size == found.size
    with pytest.raises(NotProven):
        found.file.check(Policy((SIGNER.verifier,)), body=event.body.replace(b"case.opened", b"case.closed"))
    connect("superuser").execute(
        "ALTER TABLE audit.tile DISABLE TRIGGER USER;"
        "UPDATE audit.tile SET hashes = overlay(hashes PLACING decode(repeat('00', 32), 'hex') FROM 1)"
    )
    db.session.rollback()
    spoilt = find_proof(auditor, event)
    assert spoilt is not None and spoilt.refused


def _one(connect: Connect, auditor: Actor) -> Any:
    row = (
        connect("owner")
        .execute(
            "SELECT id FROM audit.event WHERE act = 'case.opened' AND organisation_ids @> ARRAY[%s] LIMIT 1",
            [auditor.organisation_id],
        )
        .fetchone()
    )
    assert row is not None
    return row[0]


def test_the_file_of_witnesses_is_read_strictly(tmp_path: Path) -> None:
    key = Signer.from_seed(NAME, bytes(32), COSIGNATURE).verifier
    file = tmp_path / "witnesses"
    file.write_text(f"# ours\n\nwitness {key} https://witness.example  # the county\n")
    assert read_witnesses(file) == [Witness(key, "https://witness.example")]
    for bad in (
        f"witness {key}",
        f"log {SIGNER.verifier} x",
        f"witness {SIGNER.verifier} http://x",
    ):
        file.write_text(bad)
        with pytest.raises(NotProven):
            read_witnesses(file)
