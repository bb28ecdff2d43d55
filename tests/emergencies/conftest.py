"""What the tests of emergency access start from: a case of the council, and a sergeant of the police who must see it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from hub.access.models import Emergency
from hub.emergencies.actions import open_emergency
from hub.emergencies.forms import EmergencyForm
from hub.extensions import db
from tests.fixtures.world import World, act_as

REASON = "A caller says Devon threatens her with a knife now; officers need to know of weapons there"
Sql = Callable[..., list[Any]]


def opened(world: World, reference: str, user: str = "sergeant", **changes: Any) -> Emergency:
    """Opened by that user, committed."""
    form = EmergencyForm(**{"reference": reference, "reason": REASON, **changes})
    emergency = open_emergency(act_as(world, user), form)
    db.session.commit()
    return emergency


@pytest.fixture
def sql(database: SimpleNamespace) -> Sql:
    """As superuser: to see what is really there, and to let time pass."""

    def run(statement: str, **values: object) -> list[Any]:
        engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            result = connection.execute(sa.text(statement), values)
            rows = list(result) if result.returns_rows else []
        engine.dispose()
        return rows

    return run


def later(sql: Sql, minutes: int) -> None:
    """So much time passes for all that has been opened."""
    sql(
        "UPDATE emergency SET granted_at = granted_at - make_interval(mins => :minutes),"
        " expires_at = expires_at - make_interval(mins => :minutes)",
        minutes=minutes,
    )


def give_role(sql: Sql, world: World, user: str, role: str) -> None:
    """Whatever roles the user held end, and this one begins."""
    sql("UPDATE role_holding SET role = :role WHERE user_id = :user", role=role, user=world.users[user])
