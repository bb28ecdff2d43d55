"""The log's door as a stolen password of the service would find it: straight SQL as the application role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from hub.access.actor import Actor
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
