"""The check of the log: a clean one passes; each way of tampering is named."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from hub.audit.verifier.findings import MAX_KEPT
from hub.audit.verifying import (
    Report,
    canonical,
    verify,
    verify_each_organisation,
    verify_log,
)
from tests.audit.conftest import Connect
from tests.audit.forging import fill, policy_of, sequenced

Check = Callable[[], Report]


@pytest.fixture
def check(database: SimpleNamespace) -> Iterator[Check]:
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)

    def run() -> Report:
        with engine.connect() as connection:
            return verify(connection)

    yield run
    engine.dispose()


def codes(report: Report) -> set[str]:
    return {problem.code for problem in report.problems}


def test_a_log_that_nobody_touched_is_in_order(check: Check, logged: UUID) -> None:
    report = check()
    assert report.problems == []
    assert (
        report.ok
        and report.events > 5
        and report.texts == 1
        and report.texts_absent == 0
        and report.revisions == 1
    )


def one_event(connection: psycopg.Connection[Any], act: str) -> tuple[UUID, bytes]:
    row = connection.execute("SELECT id, body FROM audit.event WHERE act = %s LIMIT 1", [act]).fetchone()
    assert row is not None
    return row[0], row[1]


def rewrite(connection: psycopg.Connection[Any], event: UUID, body: bytes, *, hashed: bool) -> None:
    connection.execute("UPDATE audit.event SET body = %s WHERE id = %s", [body, event])
    if hashed:
        digest = hashlib.sha256(body).digest()
        connection.execute("UPDATE audit.event SET hash = %s WHERE id = %s", [digest, event])


def test_changed_bytes_are_found_by_their_hash(check: Check, logged: UUID, connect: Connect) -> None:
    superuser = connect("superuser")
    event, body = one_event(superuser, "incident.logged")
    rewrite(superuser, event, body.replace(b'"noise"', b'"nois_"'), hashed=False)
    report = check()
    assert codes(report) == {"hash"}
    assert report.problems[0].event_id == str(event) and report.found == 1


def test_a_changed_hash_is_found(check: Check, logged: UUID, connect: Connect) -> None:
    superuser = connect("superuser")
    event, _ = one_event(superuser, "incident.logged")
    superuser.execute("UPDATE audit.event SET hash = sha256('') WHERE id = %s", [event])
    assert codes(check()) == {"hash"}


NAMES = (
    "id, at, xid, category, act, outcome, source, user_id, organisation_id, team_id, object_type, object_id,"
    " object_version, record_ids, person_ids, organisation_ids, body, hash"
)
COLUMNS = {
    "at": "at + interval '1 microsecond'",
    "category": "'erasure'",
    "act": "'incident.changed'",
    "outcome": "'error'",
    "source": "'job'",
    "user_id": "gen_random_uuid()",
    "organisation_id": "NULL",
    "team_id": "gen_random_uuid()",
    "object_type": "'case'",
    "object_id": "gen_random_uuid()",
    "object_version": "2",
    "record_ids": "'{}'",
    "person_ids": "ARRAY[gen_random_uuid()]",
    "organisation_ids": "'{}'",
    "id": "gen_random_uuid()",
}


def test_a_changed_column_is_found_whichever_it_is(check: Check, logged: UUID, connect: Connect) -> None:
    superuser = connect("superuser")
    event, _ = one_event(superuser, "incident.logged")
    superuser.execute("CREATE TEMP TABLE kept AS SELECT * FROM audit.event WHERE id = %s", [event])
    unnoticed = []
    for column, value in COLUMNS.items():
        superuser.execute(f"UPDATE audit.event SET {column} = {value} WHERE id = %s", [event])  # type: ignore[call-overload]
        if "column" not in codes(check()):
            unnoticed.append(column)
        superuser.execute("DELETE FROM audit.event WHERE hash = (SELECT hash FROM kept)")
        superuser.execute(f"INSERT INTO audit.event ({NAMES}) SELECT {NAMES} FROM kept")
    assert unnoticed == []
    assert check().ok


def test_two_swapped_bodies_are_found(check: Check, logged: UUID, connect: Connect) -> None:
    superuser = connect("superuser")
    (first, one), (second, other) = (
        one_event(superuser, "incident.logged"),
        one_event(superuser, "search.run"),
    )
    rewrite(superuser, first, other, hashed=True)
    rewrite(superuser, second, one, hashed=True)
    report = check()
    assert codes(report) == {"column", "text"}
    assert {problem.event_id for problem in report.problems} == {str(first), str(second)}


def test_the_missing_event_of_a_revision_is_named(check: Check, logged: UUID, connect: Connect) -> None:
    superuser = connect("superuser")
    superuser.execute("DELETE FROM audit.event WHERE act = 'incident.logged'")
    report = check()
    assert codes(report) == {"revision_without_event"}
    assert str(logged) in report.problems[0].words and "Revision 1" in report.problems[0].words


def test_a_change_past_the_log_is_named(check: Check, logged: UUID, connect: Connect) -> None:
    connect("superuser").execute("UPDATE incident SET revision = 3")
    assert [problem.words.split()[1] for problem in check().problems] == ["2", "3"]


def test_bytes_in_another_spelling_are_found_even_with_the_right_hash(
    check: Check, logged: UUID, connect: Connect
) -> None:
    superuser = connect("superuser")
    event, body = one_event(superuser, "search.run")
    told = json.loads(body)
    twice = body[:-1] + b',"v":1}'
    spellings = [
        json.dumps(told).encode(),
        twice,
        b"[]",
        b"not json",
        b"\xff",
        b"{}",
        canonical({**told, "v": 1.0}),
    ]
    for spelling in spellings:
        rewrite(superuser, event, spelling, hashed=True)
        assert codes(check()) == {"bytes"}, spelling


def test_an_event_moved_to_another_time_is_found_by_its_id(
    check: Check, logged: UUID, connect: Connect
) -> None:
    superuser = connect("superuser")
    event, body = one_event(superuser, "search.run")
    told = json.loads(body)
    told["time"] = told["time"][:-8] + ".000000Z"
    rewrite(superuser, event, canonical(told), hashed=True)
    superuser.execute("UPDATE audit.event SET at = %s WHERE id = %s", [told["time"], event])
    assert codes(check()) == {"time"}


def test_erasing_a_text_leaves_the_event_verifiable(check: Check, logged: UUID, connect: Connect) -> None:
    connect("superuser").execute("DELETE FROM audit.event_text")
    report = check()
    assert report.ok and (report.texts, report.texts_absent) == (0, 1)


def test_a_text_that_was_slipped_in_is_found(check: Check, logged: UUID, connect: Connect) -> None:
    superuser = connect("superuser")
    event, _ = one_event(superuser, "incident.logged")
    superuser.execute(
        "INSERT INTO audit.event_text (event_id, name, salt, data_key_id, sealed)"
        " SELECT %s, 'reason', salt, data_key_id, sealed FROM audit.event_text",
        [event],
    )
    assert codes(check()) == {"text"}


@pytest.mark.slow
def test_a_log_in_ruins_is_reported_whole_but_kept_short(
    check: Check, logged: UUID, connect: Connect
) -> None:
    copies(connect("superuser"), MAX_KEPT)
    report = check()
    assert len(report.problems) == MAX_KEPT and report.found >= 3 * MAX_KEPT
    assert json.loads(json.dumps(report.as_json()))["problems_found"] == report.found


def copies(connection: psycopg.Connection[Any], number: int) -> None:
    """Adds so many events that look like the search, under new ids."""
    connection.execute(
        f"INSERT INTO audit.event ({NAMES}) SELECT gen_random_uuid(), at, xid, category, act, outcome, source, user_id,"
        " organisation_id, team_id, object_type, object_id, object_version, record_ids, person_ids, organisation_ids,"
        " body, '\\x00' FROM audit.event, generate_series(1, %s) WHERE act = 'search.run'",
        [number],
    )


@pytest.mark.slow
def test_memory_does_not_grow_with_the_log(check: Check, logged: UUID, connect: Connect) -> None:
    copies(connect("superuser"), 20_000)
    check()
    tracemalloc.start()
    assert check().events > 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 20,000 events held at once would be some 40 MiB
    assert peak < 12 * 2**20


@pytest.mark.slow
def test_memory_does_not_grow_with_the_whole_log_either(
    logged: UUID, connect: Connect, database: SimpleNamespace, tmp_path: Path
) -> None:
    fill(connect("superuser"), 20_000)
    sequenced(connect("sequencer", autocommit=False), tmp_path)
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        tracemalloc.start()
        report = verify_log(connection, policy=policy_of())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    engine.dispose()
    assert report.problems == [] and report.events > 20_000
    assert peak < 12 * 2**20


def test_the_services_own_role_checks_what_it_may_see(
    logged: UUID, database: SimpleNamespace, connect: Connect
) -> None:
    engine = sa.create_engine(database.app, poolclass=sa.NullPool)
    with engine.connect() as connection:
        clean = verify_each_organisation(connection)
    connect("superuser").execute("DELETE FROM audit.event WHERE act = 'incident.logged'")
    with engine.connect() as connection:
        tampered = verify_each_organisation(connection)
    engine.dispose()
    every = connect("owner").execute("SELECT count(*) FROM audit.event WHERE user_id IS NOT NULL").fetchone()
    assert clean.ok and clean.revisions == 1
    assert every == (clean.events - 1,)
    assert codes(tampered) == {"revision_without_event"}
