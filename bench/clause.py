"""What the sharing rule costs: the same list, count and look-up with both walls and without any.

    .venv/bin/python -m bench.clause [ROUNDS]

With: as the application, whose statements carry the rule twice (in the statement, and as row-level security). Without: as
superuser, whom no policy holds, and with the guard taken off. `page` is the whole list of cases as a browser gets it,
`list` its first statement
alone (the ids of a page of 50) without the hint of `access.candidates`. Rounds with and without alternate, on warm
connections.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import make_url

from bench import clause_data
from hub.access import guard
from hub.access.actor import NOBODY, Actor
from hub.access.candidates import among_candidates
from hub.access.guard import enter
from hub.accounts import sessions
from hub.accounts.models import Team, User
from hub.accounts.vocabulary import Method
from hub.app import ENGINE, create_app
from hub.cases import queries
from hub.cases.models import Case
from hub.cli.db import upgrade
from hub.config import Settings
from hub.core.paging import PAGE_SIZE
from hub.extensions import db, live_session
from hub.launcher.postgres import Postgres
from hub.web.identity import COOKIE

ROUNDS = 40
WARMING = 8
AT_MOST = 1.2

LIST = sa.select(Case.id).order_by(Case.changed_at.desc(), Case.id.desc()).limit(PAGE_SIZE + 1)
COUNT = sa.select(sa.func.count()).select_from(Case)


@dataclass
class Asked:
    """One question of one reader: how long it took with the rule and without, in milliseconds."""

    reader: str
    question: str
    answer: int = 0
    ruled: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ruled) / statistics.median(self.plain)

    def __str__(self) -> str:
        ruled, plain = statistics.median(self.ruled), statistics.median(self.plain)
        return f"{self.reader:<8} {self.question:<8} {self.answer:>7} {ruled:9.2f} {plain:9.2f} {self.ratio:8.2f}"


class Bench:
    """The application on the filled database, whose walls can be taken off."""

    def __init__(self, app: Flask, superuser_url: str) -> None:
        self.app = app
        with app.app_context():
            self.walled = db.engine
        self.plain = sa.create_engine(superuser_url, **ENGINE)

    @contextmanager
    def walls(self, up: bool) -> Iterator[None]:
        """An application context in which both walls stand with what makes them cheaper, or nothing of it."""
        options = guard.guard_options() if up else ()
        hint = among_candidates if up else lambda *_, **__: []
        with (
            self.app.app_context(),
            mock.patch.object(guard, "guard_options", return_value=options),
            mock.patch.object(queries, "among_candidates", hint),
        ):
            db.engines[None] = self.walled if up else self.plain
            yield
            live_session().leave()
            db.session.remove()
            db.engines[None] = self.walled

    def sign_in(self, number: int) -> Actor:
        with self.walls(True):
            enter(db.session(), NOBODY)
            user = db.session.scalars(sa.select(User).where(User.email == f"u{number}.1@example.org")).one()
            mine = sa.select(Team).where(Team.organisation_id == user.organisation_id, Team.name == "Team 1")
            token = sessions.start(user, db.session.scalars(mine).one(), method=Method.OPERATOR)
            db.session.commit()
            return sessions.actor_of(token)

    def measure(self, rounds: int) -> Iterator[Asked]:
        for reader, (number, _, _) in clause_data.READERS.items():
            actor = self.sign_in(number)
            yield self._alternate(Asked(reader, "page"), lambda: self._page(actor), rounds)  # noqa: B023
            one = self._ask(actor, LIST, up=True)[1] or self._ask(actor, LIST, up=False)[1]
            statements = {"list": LIST, "count": COUNT, "by id": sa.select(Case.id).where(Case.id == one[0])}
            for question, statement in statements.items():
                yield self._alternate(Asked(reader, question), lambda: statement, rounds, actor)  # noqa: B023

    def _alternate(
        self, asked: Asked, what: Callable[[], Any], rounds: int, actor: Actor | None = None
    ) -> Asked:
        for round_number in range(WARMING + rounds):
            for up, times in ((True, asked.ruled), (False, asked.plain)):
                if actor is None:
                    with self.walls(up):
                        client, address = what()
                        began = time.perf_counter()
                        page = client.get(address).get_data(as_text=True)
                        taken, found = time.perf_counter() - began, page.count('href="/cases/')
                else:
                    taken, rows = self._ask(actor, what(), up=up)
                    found = rows[0] if asked.question == "count" else len(rows)
                if round_number >= WARMING:
                    times.append(taken * 1000)
                if up:
                    asked.answer = found
        return asked

    def _page(self, actor: Actor) -> tuple[Any, str]:
        client = self.app.test_client()
        client.set_cookie(COOKIE, actor.token, secure=True)
        return client, "/cases"

    def _ask(self, actor: Actor, statement: Any, *, up: bool) -> tuple[float, list[Any]]:
        with self.walls(up):
            enter(db.session(), actor)
            db.session.connection()  # outside the measure: a transaction begins, and says who acts
            began = time.perf_counter()
            rows = list(db.session.scalars(statement))
            return time.perf_counter() - began, rows


@contextmanager
def filled() -> Iterator[tuple[str, str]]:
    """A throw-away server with the data; the superuser's and the application's address."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        server = Postgres(Path(folder), test=True)
        address = server.start()
        try:
            upgrade(address.owner_url)
            superuser = make_url(address.superuser_url).set(database=make_url(address.app_url).database)
            clause_data.fill(superuser.set(drivername="postgresql").render_as_string(hide_password=False))
            yield superuser.render_as_string(hide_password=False), address.app_url
        finally:
            server.destroy()


def application(app_url: str, folder: Path) -> Flask:
    root_key = folder / "root.key"
    root_key.write_bytes(secrets.token_bytes(32))
    root_key.chmod(0o600)
    environment = {
        "HUB_VAR": str(folder), "HUB_DATABASE_URL": app_url, "HUB_DEMO": "1", "HUB_ROOT_KEY_FILE": str(root_key),
        "HUB_SECRET_KEY": secrets.token_hex(32), "HUB_S3_ENDPOINT": "http://127.0.0.1:1", "HUB_S3_BUCKET": "none",
        "HUB_S3_ACCESS_KEY": "none", "HUB_S3_SECRET_KEY": "none",
    }  # fmt: skip
    return create_app(Settings.from_environment(environment))


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(
        f"{clause_data.CASES:,} cases, {clause_data.SHARES:,} shares, {clause_data.ORGANISATIONS} organisations"
    )
    too_dear = 0
    with tempfile.TemporaryDirectory() as folder, filled() as (superuser_url, app_url):
        bench = Bench(application(app_url, Path(folder)), superuser_url)
        print(
            f"{'reader':<8} {'question':<8} {'answer':>7} {'with':>9} {'without':>9} {'ratio':>8}   ms, medians"
        )
        for asked in bench.measure(rounds):
            dear = asked.question == "page" and asked.ratio > AT_MOST
            too_dear += dear
            print(asked, f"  more than {AT_MOST}" if dear else "", flush=True)
        bench.walled.dispose()
        bench.plain.dispose()
    return 1 if too_dear else 0


if __name__ == "__main__":
    raise SystemExit(main())
