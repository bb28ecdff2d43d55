"""Events of a month long past, put straight into the log: what a rule meets must not depend on when the tests run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.extensions import db
from hub.reviews import jobs
from tests.conftest import by_worker
from tests.fixtures.site import Client, Site
from tests.fixtures.world import TEAMS, USERS

raise_alerts = by_worker(jobs.raise_alerts)

LONDON = ZoneInfo("Europe/London")
# a Wednesday; the clocks go forward at the end of that month
DAY = datetime(2025, 3, 12, tzinfo=LONDON)
PARTITION = (
    "CREATE TABLE IF NOT EXISTS audit.event_2025_03 PARTITION OF audit.event"
    " FOR VALUES FROM ('2025-02-01') TO ('2025-05-01')"
)
INSERT = (
    "INSERT INTO audit.event (id, at, xid, category, act, outcome, source, user_id, organisation_id, team_id, object_type,"
    " object_id, record_ids, person_ids, organisation_ids, body, hash)"
    " SELECT e.id, e.at, pg_current_xact_id(), e.category, e.act, e.outcome, e.source, e.user_id, e.organisation_id, e.team_id,"
    " e.object_type, e.object_id, e.record_ids, e.person_ids, e.organisation_ids, convert_to(e.told::text, 'UTF8'), '\\x00'"
    " FROM jsonb_to_recordset(CAST(:events AS jsonb)) AS e (id uuid, at timestamptz, category text, act text, outcome text,"
    " source text, user_id uuid, organisation_id uuid, team_id uuid, object_type text, object_id uuid, record_ids uuid[],"
    " person_ids uuid[], organisation_ids uuid[], told jsonb)"
)


def at(hour: int, minute: int = 0, *, days: int = 0, seconds: int = 0) -> datetime:
    """A moment of that day in London."""
    return DAY + timedelta(days=days, hours=hour, minutes=minute, seconds=seconds)


class Log:
    """The log of the test's database, to be filled and read by rules."""

    def __init__(self, site: Site, database: SimpleNamespace) -> None:
        self.site, self.database = site, database
        self.sql(PARTITION)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        return self.site.sql(self.database.superuser, statement, **values)

    def add(self, user: str, moments: Sequence[datetime], **facts: Any) -> list[UUID]:
        """One event of the user for each moment; `subjects` are what they opened, one each, else something new each time."""
        subjects = facts.pop("subjects", None) or [uuid4() for _ in moments]
        events = [
            self._event(user, moment, subject, **facts)
            for moment, subject in zip(moments, subjects, strict=True)
        ]
        self.sql(INSERT, events=json.dumps(events))
        self.rewind()
        return [UUID(one["id"]) for one in events]

    def rewind(self) -> None:
        """The next run reads again what has been read: as if what was added had been there in time."""
        self.sql("DELETE FROM audit.alert_cursor")

    def _event(
        self,
        user: str,
        moment: datetime,
        subject: UUID,
        *,
        act: str = "case.opened",
        outcome: str = "ok",
        category: str = "consultation",
        people: Sequence[UUID] = (),
        via: str = "lead",
        owners: Sequence[str] = (),
        recipients: Sequence[str] = (),
        source: str = "web",
        facts: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        world, team = self.site.world, USERS[user][0]
        own = world.organisations[TEAMS[team][0]]
        told = [world.organisations[one] for one in recipients]
        seen_by = {own, *(world.organisations[one] for one in owners), *told}
        kind = act.partition(".")[0]
        return {
            "id": str(uuid4()),
            "at": moment.isoformat(),
            "category": category,
            "act": act,
            "outcome": outcome,
            "source": source,
            "user_id": str(world.users[user]),
            "organisation_id": str(own),
            "team_id": str(world.teams[team]),
            "object_type": kind,
            "object_id": str(subject),
            "record_ids": [str(subject)] if kind != "person" and outcome == "ok" else [],
            "person_ids": [str(one) for one in people],
            "organisation_ids": [str(one) for one in seen_by],
            "told": {
                "basis": {"purpose": "prevent_crime", "via": via},
                "facts": dict(facts or {}),
                "recipients": [{"channel": "hub", "organisation": str(one)} for one in told],
            },
        }

    def run(self, until: datetime | None = None) -> int:
        """The job, as the worker runs it."""
        with self.site.inside():
            enter(db.session(), NOBODY)
            return raise_alerts(Event(), until=until or at(8, days=1))

    def alerts(self) -> list[tuple[str, str, int, int]]:
        """(rule, user, events, records) of every alert there is."""
        users = {key: name for name, key in self.site.world.users.items()}
        rows = self.sql(
            "SELECT rule, user_id, events, records FROM audit.alert ORDER BY rule, user_id, day, part"
        )
        return [(row[0], users[row[1]], row[2], row[3]) for row in rows]


def detached(log: Log, *months: str) -> None:
    """As `hub archive detach` leaves it: these months are in the archive alone (tests/audit/test_archive_months.py does it)."""
    for month in months:
        log.sql(
            "INSERT INTO audit.archived_month (month, first_idx, last_idx, events, size) VALUES (:month, 0, 9, 10, 20)",
            month=month,
        )


def with_purpose(client: Client) -> Client:
    assert client.post("/audit/purpose", {"purpose": "self_monitoring"}).status_code == 303
    return client
