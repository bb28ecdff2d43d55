"""What the sharing rule costs: the same list, count and look-up with both walls and without any.

    .venv/bin/python -m bench.clause [ROUNDS]

With: as the application, whose statements carry the rule twice (in the statement, and as row-level security). Without: as
superuser, whom no policy holds, through a session without the guard. The rounds of both alternate.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

import hub.models  # noqa: F401
from bench import clause_data
from hub.access.actor import Context
from hub.access.guard import CONTEXT_KEY
from hub.app import ENGINE
from hub.cases.models import Case
from hub.cli.db import upgrade
from hub.core.paging import PAGE_SIZE
from hub.extensions import HubSession, db
from hub.launcher.postgres import Postgres

ROUNDS = 40
LIST_AT_MOST = 1.2

LIST = sa.select(Case.id).order_by(Case.changed_at.desc(), Case.id.desc()).limit(PAGE_SIZE + 1)
COUNT = sa.select(sa.func.count()).select_from(Case)


@dataclass
class Asked:
    """One question of one reader: how long it took with the rule and without, in milliseconds."""

    reader: str
    question: str
    rows: int
    ruled: list[float]
    plain: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ruled) / statistics.median(self.plain)

    def __str__(self) -> str:
        ruled, plain = statistics.median(self.ruled), statistics.median(self.plain)
        return f"{self.reader:<8} {self.question:<8} {self.rows:>7} {ruled:9.2f} {plain:9.2f} {self.ratio:8.2f}"


class Ruled(HubSession):
    """The hub's own session, guard and all, on an engine of our choice."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(db, autoflush=False)
        self._engine = engine

    def get_bind(self, *_: Any, **__: Any) -> sa.Engine:
        return self._engine


def measure(superuser_url: str, app_url: str, rounds: int) -> list[Asked]:
    ruled_engine, plain_engine = (
        sa.create_engine(url, poolclass=sa.StaticPool, connect_args=ENGINE["connect_args"])
        for url in (app_url, superuser_url)
    )
    found = []
    with Ruled(ruled_engine) as ruled, Session(plain_engine, autoflush=False) as plain:
        for reader, (number, _, _) in clause_data.READERS.items():
            ruled.rollback()
            ruled.info[CONTEXT_KEY] = _context(plain, number)
            seen = list(ruled.scalars(LIST))
            one = seen[len(seen) // 2] if seen else plain.scalars(LIST).first()
            by_id = sa.select(Case.id).where(Case.id == one)
            for question, statement in (("list", LIST), ("count", COUNT), ("by id", by_id)):
                asked = Asked(reader, question, 0, [], [])
                asked.rows = _alternate(statement, ruled, plain, asked, rounds)
                found.append(asked)
    ruled_engine.dispose()
    plain_engine.dispose()
    return found


def _context(plain: Session, number: int) -> Context:
    user, organisation, area, team = plain.execute(
        sa.text(
            "SELECT u.id, o.id, t.partnership_id, t.id FROM organisation o JOIN team t ON t.organisation_id = o.id"
            " JOIN team_membership m ON m.team_id = t.id JOIN app_user u ON u.id = m.user_id"
            " WHERE o.code = :code AND t.name = 'Team 1'"
        ),
        {"code": f"ORG{number}"},
    ).one()
    return Context(user, organisation, area, team, 1, "prevent_crime", ("victim_safe",))


def _alternate(statement: Any, ruled: Session, plain: Session, asked: Asked, rounds: int) -> int:
    rows = 0
    for counted in [False] * 5 + [True] * rounds:
        for session, times in ((ruled, asked.ruled), (plain, asked.plain)):
            # outside the measure: both begin a transaction, and only one says in it who acts
            session.commit()
            session.connection()
            began = time.perf_counter()
            values = session.scalars(statement).all()
            taken = (time.perf_counter() - began) * 1000
            if counted:
                times.append(taken)
            if session is ruled:
                rows = values[0] if asked.question == "count" else len(values)
    return rows


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


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"{clause_data.CASES:,} cases, {clause_data.SHARES:,} shares, {clause_data.ORGANISATIONS} organisations")
    with filled() as (superuser_url, app_url):
        found = measure(superuser_url, app_url, rounds)
    print(f"{'reader':<8} {'question':<8} {'rows':>7} {'with':>9} {'without':>9} {'ratio':>8}   ms, medians of {rounds}")
    for asked in found:
        print(asked)
    return 1 if any(one.question == "list" and one.ratio > LIST_AT_MOST for one in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
