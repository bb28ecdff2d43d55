"""The log's door as a stolen password of the service would find it: straight SQL as the application role."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from hub.access.actions import create_record
from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.vocabulary import RecordKind
from hub.audit.recording import append
from hub.audit.verifier import single
from hub.core import clock
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.vocabulary import IncidentKind, IncidentSource
from tests.audit.forging import EVENTS, POLICY, WITNESS, fill, newest, sequenced
from tests.fixtures.archive import log_store, place, tree
from tests.fixtures.world import World, act_as

__all__ = ["log_store", "place", "tree"]

Connect = Callable[..., psycopg.Connection[Any]]

DEFAULTS: dict[str, Any] = {
    "category": "consultation",
    "act": "case.opened",
    "outcome": "ok",
    "object_type": "case",
    "object_id": "0197f1f0-0000-7000-8000-000000000001",
    "object_version": 1,
    "records": [],
    "people": [],
    "counted": None,
    "recipients": "[]",
    "basis": '{"via": "lead"}',
    "file": None,
    "facts": '{"part": "summary"}',
    "texts": "[]",
    "source": "{}",
}


class Door:
    """`audit.record_event` with everything given by the caller."""

    def __init__(self, connect: Connect, token: str) -> None:
        self.connect = connect
        self.token = token

    def record(self, connection: psycopg.Connection[Any], *, token: str | None = "", **changes: Any) -> Any:
        values = {**DEFAULTS, **changes, "token": self.token if token == "" else token}
        row = connection.execute(
            "SELECT audit.record_event(%(token)s, %(category)s, %(act)s, %(outcome)s, %(object_type)s,"
            " %(object_id)s::uuid, %(object_version)s::integer, %(records)s::uuid[], %(people)s::uuid[],"
            " %(counted)s::integer, %(recipients)s::jsonb, %(basis)s::jsonb, %(file)s::jsonb, %(facts)s::jsonb,"
            " %(texts)s::jsonb, %(source)s::jsonb)",
            values,
        ).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture
def connect(database: SimpleNamespace) -> Iterator[Connect]:
    """Opens connections to the test's database as one of its roles; they are closed afterwards."""
    with ExitStack() as stack:

        def opened(role: str, *, autocommit: bool = True) -> psycopg.Connection[Any]:
            url = getattr(database, role).replace("postgresql+psycopg", "postgresql")
            return stack.enter_context(psycopg.connect(url, autocommit=autocommit))

        yield opened


@pytest.fixture
def officer(app: object, world: World) -> Actor:
    return act_as(world, "officer")


@pytest.fixture
def door(connect: Connect, officer: Actor) -> Door:
    return Door(connect, officer.token)


@pytest.fixture
def single_file() -> ModuleType:
    """The one file, loaded by itself."""
    spec = importlib.util.spec_from_file_location("hub_audit_verify", single.TARGET)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def log(app: object, connect: Connect, tmp_path: Path) -> psycopg.Connection[Any]:
    """A log with a cosigned checkpoint."""
    superuser = connect("superuser")
    fill(superuser, EVENTS)
    sequenced(connect("sequencer", autocommit=False), tmp_path)
    size, note = newest(superuser)
    text = note.rpartition("\n\n")[0] + "\n"
    superuser.execute(
        "INSERT INTO audit.cosignature (size, name, line) VALUES (%s, %s, %s)",
        [size, WITNESS.name, WITNESS.sign(text, at=1_700_000_000)],
    )
    return superuser


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "my-policy"
    path.write_text(str(POLICY))
    return path


@pytest.fixture
def logged(officer: Actor) -> UUID:
    """An incident with its event, and a search with a sealed text."""
    record = create_record(officer, RecordKind.INCIDENT, session=db.session())
    now = clock.now()
    incident = Incident(
        id=record.id,
        reference=record.reference,
        **facts_of(record),
        kind=IncidentKind(next(iter(IncidentKind))).value,
        source=IncidentSource(next(iter(IncidentSource))).value,
        title="Noise",
        description="Loud music",
        occurred_from="2026-03",
        occurred_at=now,
        reported_at=now,
        logged_by=officer.user_id,
    )
    db.session.add(incident)
    append(
        officer,
        "incident.logged",
        object_id=record.id,
        version=1,
        records=[record.id],
        facts={"kind": "noise"},
    )
    append(officer, "search.run", texts={"terms": "Łucja"}, counted=2)
    db.session.commit()
    return record.id
