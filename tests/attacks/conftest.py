"""The ground of the attacks: a planted site, and clients who are signed in once for a whole walk."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.attacks.arena import Arena, prepare
from tests.attacks.checks import Tables, tables_of
from tests.fixtures.site import Client, Site
from tests.fixtures.store import bucket, object_store_server

__all__ = ["bucket", "object_store_server"]


@pytest.fixture
def arena(site: Site) -> Arena:
    return prepare(site)


@pytest.fixture
def tables(arena: Arena, database: SimpleNamespace) -> Iterator[Tables]:
    with tables_of(database.superuser) as found:
        yield found


class Cast:
    """Users of the small world, signed in at first need; the auditor has said what she uses the log for."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.clients: dict[str, Client] = {}

    def __call__(self, user: str) -> Client:
        if user not in self.clients:
            client = self.clients[user] = self.site.as_user(user)
            if user == "auditor":
                assert client.post("/audit/purpose", {"purpose": "lawfulness"}).status_code == 303
        return self.clients[user]


@pytest.fixture
def cast(site: Site) -> Cast:
    return Cast(site)
