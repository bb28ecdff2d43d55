"""A stolen password of the application and a live session's token, used from somebody's psql."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from hub.access.actor import Actor
from hub.access.guard import SETTINGS, _setting
from tests.audit.conftest import Connect, Door
from tests.fixtures.shares import led_case

TITLES = "SELECT title FROM case_record ORDER BY id"
Row = tuple[Any, ...]


class Stolen:
    """The application's password, and a live session's token, in somebody's psql."""

    def __init__(self, connect: Connect, door: Door, officer: Actor) -> None:
        self.door = door
        self.officer = officer
        self.sql = connect("app")

    def begin(self, *looks: object, token: str | None = None, **said: str) -> None:
        """A transaction in the officer's name, under these events; what is `said` of him may be untrue."""
        self.sql.execute("BEGIN")
        values = {name: _setting(self.officer.context, name) for name in SETTINGS} | said
        values["looks"] = ",".join(str(one) for one in looks)
        values["token"] = self.officer.token if token is None else token
        for name, value in values.items():
            self.sql.execute("SELECT set_config(%s, %s, true)", [f"hub.{name}", value])

    def logged(self, *records: UUID, **changes: Any) -> UUID:
        """A committed look, unless a transaction is open already."""
        given = {"records": list(records), "object_id": None, "object_version": None, **changes}
        found: UUID = self.door.record(self.sql, **given)
        return found

    def rows(self, statement: str = TITLES, *values: Any) -> list[Row]:
        return self.sql.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def seen(self, *looks: object, token: str | None = None) -> list[Row]:
        """The titles that a transaction under these events gives out."""
        self.begin(*looks, token=token)
        try:
            return self.rows()
        finally:
            self.sql.execute("ROLLBACK")


@pytest.fixture
def stolen(connect: Connect, door: Door, officer: Actor) -> Stolen:
    return Stolen(connect, door, officer)


@pytest.fixture
def case(officer: Actor) -> UUID:
    """A case that the officer made in another transaction."""
    return led_case(officer, "Noise, Ward X")


@pytest.fixture
def other(officer: Actor, case: UUID) -> UUID:
    return led_case(officer, "Fires, Ward Y")
