"""The ground of the attacks: a planted site, and clients who are signed in once for a whole walk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from types import SimpleNamespace

import pytest

from hub.extensions import db
from tests.attacks.arena import Arena, prepare
from tests.attacks.checks import Tables, tables_of
from tests.conftest import connected_to, lent, on_database
from tests.fixtures.clones import Clones
from tests.fixtures.site import Client, Site
from tests.fixtures.store import bucket, object_store_server

__all__ = ["bucket", "object_store_server"]


@pytest.fixture(scope="session")
def planted(cluster: SimpleNamespace, template: SimpleNamespace) -> SimpleNamespace:
    """What `prepare` plants takes longer than most attacks last: it's planted once, and its database cloned."""
    name = template.clones.take()
    with connected_to(on_database(cluster.app, name)):
        site = Site(template.application, template.world)
        arena = prepare(site)
        with site.inside():
            db.session.remove()
            db.engine.dispose()
    return SimpleNamespace(arena=arena, clones=Clones(template.admin, cluster.superuser, name))


@pytest.fixture
def database(
    request: pytest.FixtureRequest, cluster: SimpleNamespace, template: SimpleNamespace
) -> Iterator[SimpleNamespace]:
    """For a test with an arena one that is planted, for the others one that is not."""
    planted = "arena" in request.fixturenames
    clones = request.getfixturevalue("planted").clones if planted else template.clones
    with lent(cluster, clones) as found:
        yield found


@pytest.fixture
def arena(planted: SimpleNamespace, site: Site) -> Arena:
    """The test's own, on its site: what it notes in it, no other test sees."""
    own: Arena = deepcopy(planted.arena, {id(planted.arena.site): site})
    return own


@pytest.fixture
def tables(arena: Arena, database: SimpleNamespace) -> Iterator[Tables]:
    with tables_of(database.superuser) as found:
        yield found


# well within the five minutes for which a proof of who one is counts
CONFIRM_SECONDS = 60.0


class Cast:
    """Users of the small world, signed in at first need; the auditor has said what she uses the log for.

    Through a whole walk they prove again and again who they are, unless a test says that they don't.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.clients: dict[str, Client] = {}
        self.confirms = True
        self.confirmed = time.monotonic()

    def __call__(self, user: str) -> Client:
        if self.confirms and time.monotonic() - self.confirmed > CONFIRM_SECONDS:
            self.site.confirm_all()
            self.confirmed = time.monotonic()
        if user not in self.clients:
            client = self.clients[user] = self.site.as_user(user)
            if user == "auditor":
                assert client.post("/audit/purpose", {"purpose": "lawfulness"}).status_code == 303
        return self.clients[user]


@pytest.fixture
def cast(site: Site) -> Cast:
    return Cast(site)
