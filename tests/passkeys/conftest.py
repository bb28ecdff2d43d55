"""What the tests of passkeys look at: rows as they really are, and the refusals in the log."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fixtures.site import Site

Sql = Callable[..., list[Any]]
Refusals = Callable[[], list[tuple[str, str, str | None]]]


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


@pytest.fixture
def refusals(sql: Sql) -> Refusals:
    """Why, outcome and whose: of every refused sign-in, in order."""
    look = (
        "SELECT convert_from(body, 'UTF8')::jsonb #>> '{facts,why}', outcome, object_id::text FROM audit.event"
        " WHERE act = 'session.refused' ORDER BY at, id"
    )
    return lambda: [(row[0], row[1], row[2]) for row in sql(look)]
