"""What the tests of settings share: setting a value as an administrator does, and letting its day come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hub.core import clock
from hub.extensions import db
from hub.settings.actions import set_value
from hub.settings.catalogue import Setting
from hub.settings.forms import SettingForm
from tests.fixtures.site import Site
from tests.fixtures.world import act_as

Sql = Callable[..., list[Any]]


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


class Hand:
    """An administrator of the council's who sets something for tomorrow; and tomorrow."""

    def __init__(self, site: Site, sql: Sql) -> None:
        self.site, self.sql = site, sql

    def set(self, setting: Setting[Any], value: Any, *, days: int = 1, user: str = "spoc") -> None:
        with self.site.inside():
            actor = act_as(self.site.world, user)
            set_value(actor, setting, SettingForm(value, clock.today() + timedelta(days=days)))
            db.session.commit()

    def come(self, days: int = 1) -> None:
        """Everything that was set was set so many days earlier, and its day is that much nearer."""
        self.sql(
            "UPDATE setting SET effective_from = effective_from - CAST(:days AS integer),"
            " created_at = created_at - make_interval(days => :days)",
            days=days,
        )


@pytest.fixture
def hand(site: Site, sql: Sql) -> Hand:
    return Hand(site, sql)
