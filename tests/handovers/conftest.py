"""What the tests of hand-overs start from: supervisors in the teams that may take a case over."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.fixtures.shares import led_case
from tests.fixtures.world import World, act_as

SUPERVISORS = ("sergeant", "housing_officer", "yot_worker")


@pytest.fixture(autouse=True)
def supervisors(database: SimpleNamespace, world: World) -> None:
    """Of each team that is offered a case in these tests, somebody who may take it over."""
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for key in SUPERVISORS:
            connection.execute(
                sa.text(
                    "INSERT INTO role_holding (user_id, partnership_id, role, granted_at)"
                    " VALUES (:user, :area, 'supervisor', now())"
                ),
                {"user": world.users[key], "area": world.partnerships["northbrook"]},
            )
    engine.dispose()


@pytest.fixture
def case_id(app: Flask, world: World) -> UUID:
    return led_case(act_as(world, "officer"))
