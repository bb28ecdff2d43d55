"""The database stops or restarts exactly between the two steps of a look: no bytes without an event, no event lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from hub.extensions import db
from hub.launcher.postgres import Postgres
from hub.launcher.processes import wait_until
from tests.attacks.own_server import PATIENCE_SECONDS, STOPS, OwnServer, all_covered, own_server, sequencer
from tests.audit.test_sequencing import defined_root, events, newest
from tests.fixtures.site import Client
from tests.rules.canaries import Canaries

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def restarted(
    template: SimpleNamespace, root_key_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnServer]:
    server = Postgres(tmp_path_factory.mktemp("restarted"), test=False)
    with own_server(server, template, root_key_file) as owned:
        yield owned


@contextmanager
def _between(application: Any, place: str, act: Callable[[], None]) -> Iterator[None]:
    """Carries `act` out once, when the first look inside the block has come to that place.

    `before the commit`: its event is written, COMMIT is not yet sent. `after the commit`: it was answered, and the
    transaction that reads the rows has begun on a live connection.
    """
    with application.app_context():
        engine = db.engine
    seen: list[str] = []

    def written(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "audit.record_event(" in statement and not seen:
            seen.append("written")

    def commits(_connection: Any) -> None:
        if seen == ["written"]:
            seen.append("committing")
            if place == "before the commit":
                act()

    def reads(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if seen == ["written", "committing"] and place == "after the commit":
            seen.append("reading")
            act()

    listeners = (
        ("after_cursor_execute", written),
        ("commit", commits),
        ("before_cursor_execute", reads),
    )
    for name, listener in listeners:
        sa.event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners:
            sa.event.remove(engine, name, listener)


def _pages(canaries: Canaries) -> list[str]:
    case, incident, person = canaries.ids[:3]
    return [f"/incidents/{incident}", "/people", f"/cases/{case}", f"/people/{person}"]


@pytest.mark.parametrize("comes_back", [True, False], ids=["restarted", "stopped"])
@pytest.mark.parametrize("how", STOPS)
@pytest.mark.parametrize("place", ["before the commit", "after the commit"])
def test_a_look_that_the_database_leaves_half_way_shows_nothing(
    restarted: OwnServer, place: str, how: str, comes_back: bool
) -> None:
    """Before the commit, the event must not be there; after it, it must. In neither case does a word of a record come,
    and the next look at the same page shows it, with an event. The second page of each is a list."""
    client = restarted.site.as_user("officer")
    pages = _pages(restarted.canaries)
    chosen = pages[:2] if how == "immediate" else pages[2:] + pages[1:2]
    for address in chosen[:2]:
        _interrupted(restarted, client, address, place, how, comes_back)


def _interrupted(
    restarted: OwnServer, client: Client, address: str, place: str, how: str, comes_back: bool
) -> None:
    whole = client.get(address)
    words = restarted.words_in(whole.text)
    assert whole.status_code == 200 and words, "the page must show something, or this proves nothing"
    before = restarted.named()

    def interrupt() -> None:
        restarted.stop(how)
        if comes_back:
            restarted.start()

    restarted.moments.clear()
    with _between(restarted.site.app, place, interrupt):
        cut = client.get(address)
    assert restarted.moments == ["stopped"]
    if not comes_back:
        restarted.start()
    assert (cut.status_code, restarted.words_in(cut.text)) == (503, set())
    after = restarted.named()
    assert [one for one in before if one not in after] == [], "an event was lost"
    named = [ids for request, ids in after if request == cut.headers["X-Request-Id"]]
    owners = set().union(*(restarted.canaries.texts[word] for word in words))
    assert any(ids & owners for ids in named) == (place == "after the commit")
    again = client.get(address)
    assert again.status_code == 200 and restarted.words_in(again.text) == words
    shown = [ids for request, ids in restarted.named() if request == again.headers["X-Request-Id"]]
    assert any(ids & owners for ids in shown)


def test_the_sequencer_resumes_with_the_same_root(restarted: OwnServer, tmp_path: Path) -> None:
    """The database restarts under it while the log grows; the launcher's next sequencer signs the tree of all events."""
    client = restarted.site.as_user("officer")
    for how in STOPS:
        with sequencer(restarted, tmp_path) as process:
            assert wait_until(lambda: all_covered(restarted), seconds=PATIENCE_SECONDS, every=0.1)
            for address in _pages(restarted.canaries):
                assert client.get(address).status_code == 200
            restarted.stop(how)
            assert process.wait(PATIENCE_SECONDS) == 1
        restarted.start()
    with sequencer(restarted, tmp_path):
        assert wait_until(lambda: all_covered(restarted), seconds=PATIENCE_SECONDS, every=0.1)
    with restarted.asked() as owner:
        assert newest(owner)[:2] == (len(events(owner)), defined_root(owner))
