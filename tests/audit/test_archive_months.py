"""Giving up a month in the database: only what was just read back whole from the archive goes, and nothing is dropped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from hub.access.actions import create_record
from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.vocabulary import RecordKind
from hub.audit.archive_checking import Archive, ArchiveReport
from hub.audit.archive_months import Month, Refused, check_may_go, compare, detach
from hub.core import clock
from hub.crypto.tlog.hashing import leaf_hash
from hub.crypto.tlog.proof_files import ProofFile
from hub.crypto.tlog.tiles import Tree as Proofs
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.vocabulary import IncidentKind, IncidentSource
from tests.fixtures.archive import POLICY, SIGNER, Place, Tree
from tests.fixtures.world import told_of

JANUARY = Month.parse("2024-01")
IN_JANUARY = datetime(2024, 1, 10, 12, tzinfo=UTC)
IN_FEBRUARY = datetime(2024, 2, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def given_up(
    tree: Tree, place: Place, *, now: datetime = NOW, month: Month = JANUARY
) -> tuple[int, ArchiveReport]:
    report = ArchiveReport()
    archive = Archive(place.bucket, POLICY, report)
    assert archive.open(int(tree.one("SELECT size FROM audit.archive")))
    return detach(tree.owner, archive, month, online_months=24, now=now), report


def refused(tree: Tree, place: Place, **given: Any) -> str:
    with pytest.raises(Refused) as why:
        given_up(tree, place, **given)
    assert tree.one("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'audit.event_2024_01'::regclass") == 1
    assert tree.one("SELECT count(*) FROM audit.archived_month") == 0
    return str(why.value)


def problems(tree: Tree, place: Place) -> set[str]:
    report = ArchiveReport()
    archive = Archive(place.bucket, POLICY, report)
    if archive.open():
        compare(tree.owner, archive, JANUARY)
    return {code for code, _ in report.problems}


@pytest.fixture
def aged(tree: Tree) -> Tree:
    """A log with two old months between events of today; some of January's stand among February's."""
    tree.write(20)
    tree.write(300, at=IN_JANUARY)
    tree.write(200, at=IN_FEBRUARY)
    tree.write(40, at=IN_JANUARY.replace(day=31))
    tree.write(300)
    tree.grow()
    return tree


@pytest.fixture
def copied(aged: Tree) -> Tree:
    aged.copier().step()
    return aged


def test_months() -> None:
    assert JANUARY.since == datetime(2024, 1, 1, tzinfo=UTC) and JANUARY.before == IN_FEBRUARY
    assert [str(JANUARY.later(number)) for number in (-1, 0, 11, 12, 25)] == [
        "2023-12", "2024-01", "2024-12", "2025-01", "2026-02",
    ]  # fmt: skip
    for wrong in ("2024-13", "2024-1", "24-01", "1024-01", "2024-01-01", "", "x"):
        with pytest.raises(ValueError, match="month"):
            Month.parse(wrong)


def test_a_month_that_is_wholly_in_the_archive_goes_and_its_proofs_still_hold(
    copied: Tree, place: Place
) -> None:
    index, body = copied.one(
        "SELECT l.idx, e.body FROM audit.leaf l JOIN audit.event e ON e.id = l.event_id"
        " WHERE e.at >= '2024-01-01' AND e.at < '2024-02-01' ORDER BY l.idx LIMIT 1 OFFSET 100"
    )
    kept = proof(copied, index, bytes(body)).text
    before = int(copied.one("SELECT count(*) FROM audit.event"))
    events, report = given_up(copied, place)
    assert (events, report.ok) == (340, True)
    assert copied.one("SELECT count(*) FROM audit.event") == before - 340
    month, first, last, number, size = copied.one(
        "SELECT month::text, first_idx, last_idx, events, size FROM audit.archived_month"
    )
    assert (month, last - first + 1, number, size) == ("2024-01-01", 540, 340, before)
    # nothing was dropped; its owner alone reads it
    assert copied.one("SELECT count(*) FROM audit.event_2024_01") == 340
    for role in ("app", "sequencer"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            copied.connect(role).execute("SELECT count(*) FROM audit.event_2024_01")
    # an old proof, and a new one whose event comes from the archive alone
    ProofFile.parse(kept).check(POLICY)
    copied.write(30)
    copied.grow()
    archive = Archive(place.bucket, POLICY, ArchiveReport())
    assert archive.open()
    ((_, archived),) = archive.entries(index, index)
    proof(copied, index, archived).check(POLICY)
    assert archived == bytes(body)
    # the copying goes on
    assert copied.last is not None and copied.last.step() == 30
    assert place.check().ok
    with pytest.raises(Refused, match="detached before"):
        given_up(copied, place)


def proof(tree: Tree, index: int, body: bytes) -> ProofFile:
    def read(level: int, number: int) -> bytes:
        row = tree.owner.execute(
            "SELECT hashes FROM audit.tile WHERE level = %s AND number = %s", [level, number]
        ).fetchone()
        return bytes(row[0]) if row else b""

    size, note = tree.one("SELECT size, note FROM audit.checkpoint ORDER BY size DESC LIMIT 1")
    found = Proofs(read, size)
    assert found.leaf(index) == leaf_hash(body)
    return ProofFile(index, tuple(found.inclusion(index)), note, body)


def test_a_young_month_and_one_that_is_none_stay(copied: Tree, place: Place) -> None:
    assert "until 2026-02-01" in refused(copied, place, now=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert "no month 2023-05" in refused(copied, place, month=Month.parse("2023-05"))
    check_may_go(copied.owner, JANUARY, online_months=24, now=NOW)


def test_a_month_that_is_not_copied_whole_stays(aged: Tree, place: Place) -> None:
    copier = aged.copier()
    copier.step()
    aged.write(5, at=IN_JANUARY.replace(day=20))
    assert "does not hold 2024-01" in refused(aged, place)
    assert problems(aged, place) == {"incomplete"}
    aged.grow()
    refused(aged, place)
    assert problems(aged, place) == {"incomplete", "missing"}
    copier.step()
    assert "not in a full bundle" in refused(aged, place)
    aged.write(300)
    aged.grow()
    copier.step()
    assert given_up(aged, place)[0] == 345


def test_a_month_whose_locks_have_ended_stays(copied: Tree, place: Place) -> None:
    report = ArchiveReport()
    archive = Archive(place.bucket, POLICY, report, held_at=datetime.now(UTC) + timedelta(days=2))
    assert archive.open()
    with pytest.raises(Refused, match="does not hold"):
        detach(copied.owner, archive, JANUARY, online_months=24, now=NOW)
    assert {code for code, _ in report.problems} == {"unlocked"}


@pytest.mark.parametrize("harm", ["bundle", "tile", "hidden", "checkpoint"])
def test_a_month_whose_archive_was_harmed_stays(copied: Tree, place: Place, harm: str) -> None:
    if harm == "bundle":
        place.flip("tile/entries/001")
    elif harm == "tile":
        place.destroy("tile/0/000")
    elif harm == "hidden":
        place.hide("tile/entries/001")
    else:
        place.overwrite("checkpoint", place.read("checkpoint"))
    refused(copied, place)


def test_an_event_that_the_database_lost_or_changed_keeps_its_month_there(copied: Tree, place: Place) -> None:
    superuser = copied.connect("superuser")
    first, second = (
        row[0]
        for row in copied.owner.execute(
            "SELECT id FROM audit.event WHERE at < '2024-02-01' ORDER BY id LIMIT 2"
        )
    )
    superuser.execute("UPDATE audit.event SET body = body || ' ' WHERE id = %s", [first])
    refused(copied, place)
    assert problems(copied, place) == {"differs", "incomplete"}
    superuser.execute("DELETE FROM audit.event WHERE id = %s", [first])
    assert problems(copied, place) == {"not_in_database", "incomplete"}
    superuser.execute("DELETE FROM audit.leaf WHERE event_id = %s", [second])
    refused(copied, place)


def test_revisions_of_an_archived_month_are_not_missed(copied: Tree, place: Place, officer: Actor) -> None:
    superuser = copied.connect("superuser")
    missing = "SELECT count(*) FROM audit.find_missing_revisions()"
    record = create_record(officer, RecordKind.INCIDENT, session=db.session())
    db.session.add(an_incident(record, officer))
    told_of(officer, record)
    db.session.commit()
    assert copied.one(missing) == 1
    superuser.execute(
        "UPDATE audit.event SET (category, outcome, object_type, object_id, object_version) ="
        " ('collection', 'ok', 'incident', %s, 1) WHERE id = (SELECT id FROM audit.event_2024_01 LIMIT 1)",
        [record.id],
    )
    assert copied.one(missing) == 0
    assert given_up(copied, place)[0] == 340
    assert copied.one(missing) == 0
    superuser.execute("DELETE FROM audit.archived_revision")
    assert copied.one(missing) == 1


def an_incident(record: Any, officer: Actor) -> Incident:
    return Incident(
        id=record.id,
        reference=record.reference,
        **facts_of(record),
        kind=next(iter(IncidentKind)).value,
        source=next(iter(IncidentSource)).value,
        title="Noise",
        description="Loud music",
        occurred_from="2026-03",
        occurred_at=clock.now(),
        reported_at=clock.now(),
        logged_by=officer.user_id,
    )


class Command:
    """`hub archive` in a process of its own."""

    def __init__(self, database: SimpleNamespace, root_key_file: Path, place: Place) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "HUB_VAR": str(root_key_file.parent),
            "HUB_DATABASE_URL": database.cli,
            "HUB_OWNER_DATABASE_URL": database.owner,
            "HUB_S3_ENDPOINT": place.address.endpoint,
            "HUB_S3_BUCKET": "hub-attachments",
            "HUB_S3_ACCESS_KEY": place.address.access_key,
            "HUB_S3_SECRET_KEY": place.address.secret_key,
            "HUB_DEMO": "1",
            "HUB_ROOT_KEY_FILE": str(root_key_file),
            "HUB_SECRET_KEY": "k" * 40,
            "HUB_ARCHIVE_BUCKET": place.name,
        }

    def __call__(self, *words: str, **changes: str) -> tuple[int, dict[str, Any]]:
        ran = subprocess.run(
            [sys.executable, "-m", "hub.cli", "archive", *words, "--json"],
            env={**self.environment, **changes},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, json.loads(ran.stdout) if ran.stdout else {}


@pytest.fixture
def command(database: SimpleNamespace, root_key_file: Path, place: Place) -> Command:
    return Command(database, root_key_file, place)


@pytest.mark.slow
def test_the_command(aged: Tree, place: Place, command: Command, tmp_path: Path) -> None:
    code, told = command("status")
    assert (told["copied_at"], told["locked"]) == (None, True) and told["waiting"] > 500
    assert command("status", HUB_ARCHIVE_BUCKET="not-there-at-all")[0] == 2
    shift = "UPDATE audit.leaf SET event_at = event_at + %s WHERE idx = 0"
    superuser = aged.connect("superuser")
    superuser.execute(shift, [-timedelta(hours=1)])
    code, told = command("status")
    assert code == 1 and told["seconds"] > 3_600
    superuser.execute(shift, [timedelta(hours=1)])
    assert command("check")[0] == 1
    size = aged.grow()
    aged.copier().step()
    assert command("status")[1]["waiting"] == 0
    code, told = command("check", "--month", "2024-01")
    assert (code, told["events"], told["size"]) == (0, 540, size)
    policy = tmp_path / "policy"
    policy.write_text(f"log {SIGNER.verifier}\n")
    # no database at all: the bucket and a key
    code, told = command("check", "--policy", str(policy), HUB_OWNER_DATABASE_URL="", HUB_DATABASE_URL="")
    assert (code, told["events"], told["signed_by"]) == (0, size, ["hub.example/log"])
    policy.write_text(f"log {SIGNER.from_seed('other.example', bytes(32)).verifier}\n")
    code, told = command("check", "--policy", str(policy))
    assert (code, [one["code"] for one in told["problems"]]) == (1, ["damaged"])
    assert command("check", HUB_S3_ENDPOINT="http://127.0.0.1:1")[0] == 2
    assert command("check", HUB_ARCHIVE_BUCKET="")[0] == 2
    assert command("check", HUB_ARCHIVE_DAYS="0")[0] == 2
    assert command("check", "--month", "2024-13")[0] == 2
    assert command("check", "--month", "2019-01")[0] == 2
    assert command("detach", "--month", "2024-01", HUB_OWNER_DATABASE_URL="")[0] == 2
    code, told = command("detach", "--month", "2026-11")
    assert (code, "stays in the database until" in told["refused"]) == (1, True)
    place.hide("tile/entries/001")
    code, told = command("detach", "--month", "2024-01")
    assert code == 1 and told["problems"][0]["code"] == "hidden" and "refused" in told
    place.admin.delete_object(Bucket=place.name, Key="tile/entries/001", VersionId=marker(place))
    assert command("detach", "--month", "2024-01") == (0, {"detached": "2024-01", "events": 340})
    # what is not in the database any more is read from the bucket
    file = tmp_path / "january"
    read = ("read", str(file), "--month", "2024-01", "--purpose", "proceedings")
    code, told = command(*read)
    before = file.read_bytes()
    assert (code, told["ok"]) == (0, True) and file.stat().st_mode & 0o077 == 0
    kept = aged.owner.execute("SELECT body FROM audit.event_2024_01").fetchall()
    assert sorted(before.splitlines()) == sorted(bytes(body) for (body,) in kept) and len(kept) == 340
    assert command(*read)[0] == 2 and file.read_bytes() == before
    acts = [
        row[0] for row in aged.owner.execute("SELECT act FROM audit.event WHERE act LIKE 'log.%' ORDER BY at")
    ]
    assert acts.count("log.month_detached") == 1 and acts.count("log.archive_checked") == 2
    assert acts.count("log.archive_read") == 2


def marker(place: Place) -> str:
    found = place.admin.list_object_versions(Bucket=place.name, Prefix="tile/entries/001")["DeleteMarkers"]
    return str(found[0]["VersionId"])
