"""Revoking while somebody reads (SECURITY Z9): no read that begins after the revocation is committed succeeds. Two threads,
two connections, a thousand rounds through the layer that the pages use, and fifty through the pages themselves."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from hub.access.guard import enter
from hub.audit.reading import Shown, opened, withheld
from hub.cases.models import Case
from hub.core.errors import NotVisible
from hub.extensions import db, live_session
from hub.sharing.actions import revoke_share
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import act_as

ROUNDS, PAGES = 1_000, 50
WAITS = random.Random(7)
Read = Callable[[], str]


@contextmanager
def restoring(url: str, grant_id: UUID) -> Iterator[Callable[[], None]]:
    """Makes the share live again, past all rules: only so can a round begin like the one before."""
    address = make_url(url)
    with psycopg.connect(
        host=address.host, port=address.port, user=address.username, password=address.password, dbname=address.database,
        autocommit=True,
    ) as connection:  # fmt: skip

        def restore() -> None:
            connection.execute(
                "UPDATE record_grant SET revoked_at = NULL, revoked_by = NULL, revoked_why = NULL WHERE id = %s", (grant_id,)
            )  # fmt: skip

        yield restore


def played(rounds: int, read: Read, revoke: Callable[[], None], restore: Callable[[], None]) -> Counter[str]:
    """What came of the reads: each is `before` or `after` by whether the commit had returned when it began."""
    seen: Counter[str] = Counter()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(rounds):
            restore()
            committed, reading = threading.Event(), threading.Event()
            reader = pool.submit(_reads, read, committed, reading)
            reading.wait()
            time.sleep(WAITS.random() * 0.01)
            revoke()
            committed.set()
            seen.update(reader.result(timeout=60))
    return seen


def _reads(read: Read, committed: threading.Event, reading: threading.Event) -> list[str]:
    """Reads again and again, until one has begun after the commit."""
    found = []
    late = False
    while not late:
        late = committed.is_set()
        reading.set()
        found.append(f"{'after' if late else 'before'}: {read()}")
    return found


@pytest.fixture
def grant(site: Site) -> SimpleNamespace:
    with site.inside():
        case_id = led_case(act_as(site.world, "officer"))
        return SimpleNamespace(id=shared(site.world, case_id), case_id=case_id)


@pytest.mark.slow
def test_no_read_begun_after_the_commit_succeeds(
    site: Site, database: SimpleNamespace, grant: SimpleNamespace
) -> None:
    with site.inside():
        sergeant, officer = (act_as(site.world, name) for name in ("sergeant", "officer"))

    def read() -> str:
        """The two steps of every read: ids, which are written down and committed, then the rows."""
        with site.app.app_context():
            enter(db.session(), sergeant)
            found = db.session.scalar(sa.select(Case.id).where(Case.id == grant.case_id))
            try:
                shown = Shown(records=[grant.case_id]) if found else None
                opened(sergeant, "case.opened", grant.case_id, shown, facts={"part": "summary"})
            except NotVisible:
                return "refused"
            row = db.session.scalar(sa.select(Case).where(Case.id == grant.case_id))
            if row is None:
                withheld(sergeant, "case.opened", [grant.case_id], [])
            live_session().leave()
            return "read" if row is not None else "withheld"

    def revoke() -> None:
        with site.app.app_context():
            enter(db.session(), officer)
            revoke_share(officer, grant.id, reason="Over")
            db.session.commit()

    with restoring(database.superuser, grant.id) as restore:
        seen = played(ROUNDS, read, revoke, restore)
    assert seen["after: read"] == 0, seen
    assert seen["after: refused"] == ROUNDS, seen
    # reads did succeed up to the commit, and some were cut in two by it
    assert seen["before: read"] >= ROUNDS / 2, seen


@pytest.mark.slow
def test_no_page_asked_for_after_the_commit_shows_it(
    site: Site, database: SimpleNamespace, grant: SimpleNamespace
) -> None:
    sergeant, officer = site.as_user("sergeant"), site.as_user("officer")
    assert officer.csrf

    def read() -> str:
        answer = sergeant.get(f"/cases/{grant.case_id}")
        assert answer.status_code in (200, 404)
        shown = "Noise, Ward X" in answer.get_data(as_text=True)
        assert shown == (answer.status_code == 200)
        return "read" if shown else "refused"

    def revoke() -> None:
        answer = officer.post(f"/cases/{grant.case_id}/sharing/{grant.id}/end", {"reason": "Over"})
        assert answer.status_code == 303

    with restoring(database.superuser, grant.id) as restore:
        seen = played(PAGES, read, revoke, restore)
    assert seen["after: read"] == 0, seen
    assert seen["after: refused"] == PAGES and seen["before: read"] > 0, seen
