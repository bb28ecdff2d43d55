"""Warnings 60, 30 and 7 days before the end: each given once to every party, however often and however late the worker looks."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from types import SimpleNamespace
from uuid import UUID

import pytest
from flask import Flask

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.agreements.warning import threshold, warn_parties
from hub.core import clock
from hub.extensions import db
from hub.jobs import warnings
from hub.jobs.app import REGULAR
from hub.settings.values import Values
from hub.sharing.ending import end_agreement
from tests.agreements.drafting import agreed, sent, told
from tests.conftest import by_worker
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

warn_of_ends = by_worker(warnings.warn_of_ends)


@pytest.fixture
def pact(app: Flask, world: World) -> UUID:
    return agreed(world, "council", "police", days=100)


def with_days_left(site: Site, database: SimpleNamespace, agreement_id: UUID, days: float) -> int:
    db.session.rollback()
    site.sql(
        database.superuser,
        "UPDATE agreement SET ends_at = now() + make_interval(hours => :hours) WHERE id = :id",
        hours=int(days * 24),
        id=agreement_id,
    )
    enter(db.session(), NOBODY)
    return warn_of_ends(Event())


def warned(site: Site, database: SimpleNamespace, agreement_id: UUID) -> list[int]:
    rows = site.sql(
        database.superuser,
        "SELECT (convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'days')::int AS days FROM audit.event"
        " WHERE act = 'agreement.warned' AND object_id = :id ORDER BY at",
        id=agreement_id,
    )
    return [row.days for row in rows]


def test_each_of_the_three_is_given_once(pact: UUID, site: Site, database: SimpleNamespace) -> None:
    given = []
    for days in (61, 59.9, 45, 30, 29, 8, 6.9, 3, 0.1):
        given.append(with_days_left(site, database, pact, days))
        assert with_days_left(site, database, pact, days) == 0, "told again"
    assert given == [0, 1, 0, 1, 0, 0, 1, 0, 0]
    assert warned(site, database, pact) == [60, 30, 7]
    assert told(site, database, "agreement.warned", pact) == ["police_spoc"] * 3 + ["spoc"] * 3


def test_a_worker_that_comes_late_gives_the_nearest_warning_alone(
    pact: UUID, site: Site, database: SimpleNamespace
) -> None:
    assert with_days_left(site, database, pact, 5) == 1
    assert warned(site, database, pact) == [7]
    assert with_days_left(site, database, pact, 0.5) == 0


def test_what_is_not_in_force_or_is_over_is_not_warned_of(
    pact: UUID, site: Site, world: World, database: SimpleNamespace
) -> None:
    out = sent(world, "council", "yjs", days=20)
    end_agreement(act_as(world, "spoc"), pact, why="Not needed")
    db.session.commit()
    assert with_days_left(site, database, pact, 20) == 0
    assert with_days_left(site, database, pact, -1) == 0
    assert warned(site, database, pact) == warned(site, database, out) == []


def test_the_service_of_the_owner_signs_the_warning(
    pact: UUID, site: Site, world: World, database: SimpleNamespace
) -> None:
    with_days_left(site, database, pact, 20)
    row = site.sql(
        database.superuser,
        "SELECT e.source, e.organisation_id, u.name FROM audit.event e JOIN app_user u ON u.id = e.user_id"
        " WHERE act = 'agreement.warned'",
    )[0]
    assert (row.source, row.organisation_id, row.name) == (
        "job",
        world.organisations["council"],
        "Hub service",
    )


def test_the_register_and_the_page_say_how_long_is_left(
    pact: UUID, site: Site, database: SimpleNamespace
) -> None:
    db.session.remove()
    site.sql(
        database.superuser,
        "UPDATE agreement SET ends_at = date_trunc('day', now() AT TIME ZONE 'Europe/London') AT TIME ZONE 'Europe/London'"
        " + interval '13 days' WHERE id = :id",
        id=pact,
    )
    officer = site.as_user("officer")
    assert "12 days left" in officer.get("/agreements").get_data(as_text=True)
    assert "in 12 days" in officer.get(f"/agreements/{pact}").get_data(as_text=True)


def test_thresholds() -> None:
    now = clock.now()
    reached = {
        days: threshold(now + timedelta(days=days), now, Values())
        for days in (61, 60, 31, 30, 8, 7, 1, 0, -1)
    }
    assert reached == {61: None, 60: 60, 31: 60, 30: 30, 8: 30, 7: 7, 1: 7, 0: None, -1: None}


def test_one_that_has_no_warning_due_any_more_is_told_of_to_nobody(pact: UUID, world: World) -> None:
    """It may have been ended, or the days set anew, between being found and being taken up."""
    assert warn_parties(act_as(world, "spoc"), pact) == 0


def test_the_worker_looks_every_hour() -> None:
    assert next(one for one in REGULAR if one.name == "warn_of_ends").cron == "45 * * * *"
