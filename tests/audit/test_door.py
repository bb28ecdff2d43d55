"""What the log's one door refuses, and what nobody can steer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from hub.access.actor import Actor, RequestFacts
from hub.audit.recording import Recipient, WrongEvent, append, append_nobody
from hub.core.errors import Unavailable
from hub.crypto import keyring, wrapping
from hub.crypto.commitments import commitment
from hub.extensions import db
from tests.audit.conftest import Connect, Door
from tests.fixtures.world import World

COUNCIL = str(uuid4())
TO_COUNCIL = json.dumps([{"channel": "hub", "organisation": COUNCIL}])
COMMITMENT = "ab" * 32


def text(**changes: str) -> str:
    given = {
        "name": "reason",
        "commitment": COMMITMENT,
        "salt": "00" * 32,
        "key": str(uuid4()),
        "sealed": "00",
    }
    return json.dumps([{**given, **changes}])


NO_CODES: list[tuple[str, dict[str, Any]]] = [
    ("facts", {"part": "Amara Okafor"}),
    ("facts", {"part": "summary\nforged"}),
    ("facts", {"part": "\u202eevil"}),
    ("facts", {"part": "O'Brien"}),
    ("facts", {"Amara Okafor": 1}),
    ("facts", {"deep": [{"er": "a name"}]}),
    ("facts", {"part": "x: y"}),
    ("facts", {"part": 1.5}),
    ("facts", {"part": 2**53}),
    ("basis", {"via": "because I say so"}),
    ("source", {"ip": "10.0.0.1 forwarded"}),
    ("file", {"id": "holiday photo.jpg"}),
]
FORGED_SHAPES: list[dict[str, Any]] = [
    {"category": "disclosure", "act": "case.shared"},
    {"recipients": TO_COUNCIL},
    {"category": "disclosure", "act": "case.shared", "outcome": "denied", "recipients": TO_COUNCIL},
    {"category": "disclosure", "act": "case.shared", "recipients": '[{"channel": "hub"}]'},
    {"category": "disclosure", "act": "case.shared", "recipients": json.dumps([{"organisation": COUNCIL}])},
    {"object_type": "A name"},
    {"object_type": None},
    {"texts": text(commitment="the reason itself")},
    {"texts": text(name="Amara Okafor")},
]
UNKNOWN: list[dict[str, Any]] = [{"category": "gossip"}, {"act": "no act"}, {"outcome": "fine"}]
BEYOND_A_REFUSAL: list[dict[str, Any]] = [
    {},
    {"category": "security", "outcome": "ok"},
    {"category": "security", "outcome": "denied", "records": [str(uuid4())]},
    {"category": "security", "outcome": "denied", "people": [str(uuid4())]},
    {"category": "security", "outcome": "denied", "texts": text()},
]


def taken(
    door: Door, forged: list[dict[str, Any]], *refusals: type[psycopg.Error], **also: Any
) -> list[dict[str, Any]]:
    """Those of the forged events that the door takes, or refuses for another reason than it should."""
    found = []
    connection = door.connect("app")
    for changes in forged:
        try:
            door.record(connection, **{**changes, **also})
        except refusals:
            continue
        found.append(changes)
    return found


def test_a_name_a_sentence_or_a_float_does_not_get_in(door: Door) -> None:
    forged = [{field: json.dumps(value)} for field, value in NO_CODES]
    refusals = (psycopg.errors.InvalidParameterValue, psycopg.errors.NumericValueOutOfRange)
    assert taken(door, forged, *refusals) == []


def test_the_shape_of_an_event_is_the_doors_to_decide(door: Door) -> None:
    assert taken(door, FORGED_SHAPES, psycopg.errors.InvalidParameterValue) == []
    assert taken(door, UNKNOWN, psycopg.errors.CheckViolation) == []


def test_only_a_live_session_may_write(door: Door, connect: Connect, officer: Actor) -> None:
    connection, owner = connect("app"), connect("superuser")
    refused = psycopg.errors.InvalidAuthorizationSpecification
    with pytest.raises(refused):
        door.record(connection, token="a token that was never issued")
    door.record(connection)
    for ending in ("ended_at = now()", "ended_at = NULL, expires_at = now() - interval '1 second'"):
        owner.execute(f"UPDATE user_session SET {ending} WHERE user_id = %s", [officer.user_id])
        with pytest.raises(refused):
            door.record(connection)
    owner.execute("UPDATE user_session SET expires_at = now() + interval '1 hour'")
    door.record(connection)
    owner.execute("UPDATE app_user SET disabled_at = now() WHERE id = %s", [officer.user_id])
    with pytest.raises(refused):
        door.record(connection)


def test_nobody_writes_more_than_a_refusal_at_the_door(door: Door) -> None:
    refused = psycopg.errors.InvalidAuthorizationSpecification
    assert taken(door, BEYOND_A_REFUSAL, refused, token=None) == []
    facts = '{"why": "credentials"}'
    door.record(
        door.connect("app"),
        token=None,
        category="security",
        act="session.refused",
        outcome="denied",
        facts=facts,
    )


def test_time_actor_and_transaction_are_the_databases_own(
    door: Door, officer: Actor, connect: Connect
) -> None:
    connection = connect("app", autocommit=False)
    began = datetime.now(UTC)
    connection.execute("SELECT set_config('hub.user_id', %s, true)", [str(uuid4())])
    written = door.record(
        connection,
        source='{"kind": "load", "time": "2001-01-01T00:00:00.000000Z", "user": "somebody-else"}',
        basis='{"via": "lead", "purpose": "licensing"}',
        facts='{"time": "2001-01-01", "xid": 1, "actor": "somebody-else"}',
    )
    xid = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
    connection.commit()
    row = (
        connect("owner")
        .execute(
            "SELECT at, xid::text, user_id, organisation_id, team_id, source, body FROM audit.event WHERE id = %s",
            [written],
        )
        .fetchone()
    )
    assert row is not None and xid is not None
    at, written_in, user, organisation, team, source, body = row
    assert began - timedelta(seconds=1) < at < datetime.now(UTC) + timedelta(seconds=1)
    assert written_in == xid[0]
    assert (user, organisation, team, source) == (
        officer.user_id,
        officer.organisation_id,
        officer.team_id,
        "web",
    )
    told = json.loads(body)
    assert told["time"] == at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert told["actor"]["user"] == str(officer.user_id)
    assert told["source"]["kind"] == "web"
    assert told["basis"]["purpose"] == officer.purpose
    assert officer.token not in body.decode()


def test_a_commitment_is_the_hmac_of_the_sealed_text_and_outlives_it(
    officer: Actor, connect: Connect
) -> None:
    reason = "Told her neighbour, who must not know: Łucja"
    written = append(officer, "share.rejected", object_id=uuid4(), version=2, texts={"reason": reason})
    db.session.commit()
    owner = connect("superuser")
    salt, key_id, sealed = owner.execute(
        "SELECT salt, data_key_id, sealed FROM audit.event_text WHERE event_id = %s AND name = 'reason'",
        [written],
    ).fetchone() or (b"", uuid4(), b"")
    key = keyring.key_by_id(db.session(), key_id)
    opened = wrapping.open_text(key.key, sealed, purpose="event", ids=(key_id, "reason"))
    body, digest = owner.execute(
        "SELECT body, hash FROM audit.event WHERE id = %s", [written]
    ).fetchone() or (b"", b"")
    assert opened == reason
    assert json.loads(body)["commitments"] == {"reason": commitment(salt, reason)}
    assert b"Told her" not in body and "Łucja".encode() not in body

    owner.execute("DELETE FROM audit.event_text WHERE event_id = %s", [written])
    after = owner.execute("SELECT body, hash FROM audit.event WHERE id = %s", [written]).fetchone()
    assert after == (body, digest)


def test_the_application_is_held_to_the_catalogue(officer: Actor) -> None:
    for act, facts in (
        ("case.opened", {}),
        ("case.opened", {"part": "log", "more": 1}),
        ("case.vanished", {}),
    ):
        with pytest.raises(WrongEvent):
            append(officer, act, object_id=uuid4(), facts=facts)
    with pytest.raises(WrongEvent):
        append(officer, "case.opened", object_id=uuid4(), facts={"part": "log"}, texts={"reason": "because"})
    with pytest.raises(WrongEvent):
        append_nobody(RequestFacts(), "case.opened", user_id=None, facts={"part": "log"})


def test_an_event_that_cannot_be_written_is_unavailable_and_leaves_nothing(
    officer: Actor, world: World
) -> None:
    with pytest.raises(Unavailable) as refused:
        append(officer, "case.shared", object_id=uuid4(), facts={"sections": "summary"})
    assert refused.value.code == "log_unavailable"
    told = [Recipient(world.organisations["police"])]
    append(officer, "case.shared", object_id=uuid4(), facts={"sections": "summary"}, recipients=told)
    db.session.commit()


def test_the_owner_of_a_record_and_its_recipients_may_read_the_event(
    officer: Actor, world: World, connect: Connect
) -> None:
    police, yjs = world.organisations["police"], world.organisations["yjs"]
    told = [Recipient(police), Recipient(yjs, team_id=world.teams["yjs"])]
    written = append(
        officer, "case.shared", object_id=uuid4(), facts={"sections": "summary"}, recipients=told
    )
    db.session.commit()
    app = connect("app")
    seen = {}
    for name, organisation in world.organisations.items():
        with app.transaction():
            app.execute("SELECT set_config('hub.organisation_id', %s, true)", [str(organisation)])
            seen[name] = (
                app.execute("SELECT 1 FROM audit.event WHERE id = %s", [written]).fetchone() is not None
            )
    assert {name for name, sees in seen.items() if sees} == {"council", "police", "yjs"}
    assert set(seen) > {"council", "police", "yjs"}
    assert app.execute("SELECT count(*) FROM audit.event").fetchone() == (0,)
