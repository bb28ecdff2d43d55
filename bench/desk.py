"""How long the auditor's desk takes on a log of N events (default 1,000,000): each inquiry as a browser gets it, and its parts.

    .venv/bin/python -m bench.desk [EVENTS] [ROUNDS]

Two years of events of 40 organisations and 1,000 users, in a throw-away database filled by SQL. `page` is the whole answer
with its event, `list` and `numbers` are its two statements. The hot record, person and user have 5,000 events each; the
largest organisation does a tenth of everything.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy.engine import make_url

from bench import desk_data
from bench.clause import Bench, application
from hub.access.actor import Actor
from hub.access.guard import enter
from hub.audit.inquiry_queries import find_summary
from hub.audit.queries import EventFilter, find_event_ids
from hub.cli.db import upgrade
from hub.core import clock
from hub.core.paging import PAGE_SIZE
from hub.extensions import db
from hub.launcher.postgres import Postgres
from hub.web.identity import COOKIE

EVENTS = 1_000_000
ROUNDS = 9
WARMING = 2
BUDGET_MS = 1000.0


class Desk(Bench):
    """The largest organisation's auditor at the desk."""

    def measure_desk(self, rounds: int) -> Iterator[tuple[str, str, int, float]]:
        actor = self.sign_in(1)
        client = self._client(actor)
        month = clock.now() - timedelta(days=31)
        key = desk_data.key
        questions: dict[str, tuple[str, EventFilter]] = {
            "person": ("/audit/people/P-1", EventFilter(subject=key("person", 1))),
            "record": ("/audit/records/ORG-CS-1", EventFilter(subject=key("case", 1))),
            "user": (f"/audit/users/{key('user', 11)}", EventFilter(user=key("user", 11), since=month)),
            "user, two years": (
                f"/audit/users/{key('user', 11)}?from=2020-01-01", EventFilter(user=key("user", 11)),
            ),
            "organisation": (
                f"/audit/organisations/{key('organisation', 2)}",
                EventFilter(organisation=key("organisation", 2), since=month),
            ),
            "our own": (
                f"/audit/organisations/{key('organisation', 1)}",
                EventFilter(organisation=key("organisation", 1), since=month),
            ),
            "our own, a year": (
                f"/audit/organisations/{key('organisation', 1)}?from={(month - timedelta(days=334)).date()}",
                EventFilter(organisation=key("organisation", 1), since=month - timedelta(days=334)),
            ),
            "person, narrowed": (
                "/audit/people/P-1?weekday=1&hour=10&outcome=ok&purpose=prevent_crime",
                EventFilter(subject=key("person", 1), weekday=1, hour=10, outcome="ok", purpose="prevent_crime"),
            ),
            "desk, a month": ("/audit", EventFilter(since=month)),
            "desk, something rare": ("/audit?outcome=denied&hour=4", EventFilter(since=month, outcome="denied", hour=4)),
        }  # fmt: skip
        for name, (address, asked) in questions.items():
            yield name, "page", *self._timed(lambda: self._page_of(client, address), rounds)  # noqa: B023
            yield name, "list", *self._timed(lambda: self._list(actor, asked), rounds)  # noqa: B023
            if not name.startswith("desk"):
                yield name, "numbers", *self._timed(lambda: self._numbers(actor, asked), rounds)  # noqa: B023
        one = replace(questions["person"][1])
        yield (
            "person",
            "export",
            *self._timed(lambda: self._page_of(client, "/audit/exports/person.csv?subject=P-1"), 1),
        )
        if not self._list(actor, one):
            raise SystemExit("the hot person has no events: nothing was measured")

    def _client(self, actor: Actor) -> FlaskClient:
        with self.walls(True):
            client = self.app.test_client()
            client.set_cookie(COOKIE, actor.token, secure=True)
            page = client.get("/audit/purpose").get_data(as_text=True)
            token = page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
            client.post("/audit/purpose", data={"csrf_token": token, "purpose": "lawfulness"})
        return client

    def _page_of(self, client: FlaskClient, address: str) -> int:
        with self.walls(True):
            answer = client.get(address)
            if answer.status_code != 200:
                raise SystemExit(f"{address} answered {answer.status_code}")
            return len(answer.get_data())

    def _list(self, actor: Actor, asked: EventFilter) -> int:
        with self.walls(True):
            enter(db.session(), actor)
            return len(find_event_ids(actor, asked, most=PAGE_SIZE + 1))

    def _numbers(self, actor: Actor, asked: EventFilter) -> int:
        with self.walls(True):
            enter(db.session(), actor)
            return find_summary(actor, asked).total

    def _timed(self, what: Callable[[], int], rounds: int) -> tuple[int, float]:
        times = []
        found = 0
        for number in range(WARMING + rounds):
            began = time.perf_counter()
            found = what()
            if number >= WARMING:
                times.append((time.perf_counter() - began) * 1000)
        return found, statistics.median(times)


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    slow = 0
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        server = Postgres(Path(folder) / "var", test=True)
        address = server.start()
        try:
            upgrade(address.owner_url)
            superuser = make_url(address.superuser_url).set(database=make_url(address.app_url).database)
            began = time.perf_counter()
            size = desk_data.fill(
                superuser.set(drivername="postgresql").render_as_string(hide_password=False), events
            )
            print(f"{events:,} events, {size}, filled in {time.perf_counter() - began:.0f} s", flush=True)
            bench = Desk(
                application(address.app_url, Path(folder)), superuser.render_as_string(hide_password=False)
            )
            print(f"{'inquiry':<22} {'part':<8} {'found':>9} {'median':>9}   ms, {rounds} rounds")
            for name, part, found, median in bench.measure_desk(rounds):
                late = part != "export" and median > BUDGET_MS
                slow += late
                print(
                    f"{name:<22} {part:<8} {found:>9,} {median:9.1f}{'  over budget' if late else ''}",
                    flush=True,
                )
            bench.walled.dispose()
            bench.plain.dispose()
        finally:
            server.destroy()
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
