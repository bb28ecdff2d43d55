"""A share is narrowed, widened and extended within its agreement by who leads the record, at the next request."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.models import Grant
from hub.access.vocabulary import Marking, Section
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.chronology.models import Entry
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.sharing.actions import revoke_share
from hub.sharing.changing import change_share
from hub.sharing.forms import ShareChange
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

BOTH = (Section.SUMMARY, Section.CHRONOLOGY)


def sql(url: str, statement: str, **values: Any) -> list[Any]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement), values)
        rows = list(result) if result.returns_rows else []
    engine.dispose()
    return rows


@pytest.fixture
def case(app: Flask, world: World) -> UUID:
    found = led_case(act_as(world, "officer"))
    add_entry(act_as(world, "officer"), found, EntryForm("Heard at dusk"))
    db.session.commit()
    return found


def to(**changes: Any) -> ShareChange:
    form = ShareChange(BOTH, Marking.OFFICIAL, False, clock.now() + timedelta(days=10), "The patrol is over")
    return replace(form, **changes)


def changed(world: World, grant: UUID, *, by: str = "officer", **changes: Any) -> Grant:
    found = change_share(act_as(world, by), grant, to(**changes))
    db.session.commit()
    return found


def test_narrowing_acts_at_the_next_request_without_a_new_answer(case: UUID, world: World) -> None:
    grant = shared(world, case)
    act_as(world, "sergeant")
    assert db.session.scalar(sa.select(Entry.id)) is not None
    changed(world, grant, sections=(Section.SUMMARY,))
    act_as(world, "sergeant")
    assert db.session.scalar(sa.select(Entry.id)) is None
    assert db.session.scalar(sa.select(Grant.state)) == "accepted"
    changed(world, grant, sections=BOTH, may_contribute=True)
    act_as(world, "sergeant")
    assert db.session.scalar(sa.select(Entry.id)) is not None


def test_a_change_is_an_event_with_what_was_and_tells_the_recipients(
    case: UUID, world: World, database: SimpleNamespace
) -> None:
    grant = shared(world, case)
    changed(world, grant, sections=(Section.SUMMARY,))
    (event,) = sql(
        database.superuser,
        "SELECT object_version, convert_from(body, 'UTF8')::jsonb AS body FROM audit.event WHERE act = 'share.changed'",
    )
    assert event.object_version == 3 and event.body["facts"] == {"sections": "summary"}
    assert event.body["recipients"] == [
        {"channel": "hub", "organisation": str(world.organisations["police"])}
    ]
    assert set(event.body["commitments"]) == {"reason", "change_sections", "change_ends_at"}
    told = sql(database.superuser, "SELECT user_id FROM notification WHERE kind = 'share.changed'")
    assert world.users["sergeant"] in {row.user_id for row in told}


def test_a_share_that_waits_is_changed_too(case: UUID, world: World) -> None:
    grant = shared(world, case, taken_by=None)
    assert changed(world, grant, sections=(Section.SUMMARY,)).state == "pending"


def test_only_the_lead_changes_a_share_and_only_while_it_holds(case: UUID, world: World) -> None:
    grant = shared(world, case)
    with pytest.raises(Denied):
        changed(world, grant, by="sergeant")
    with pytest.raises(NotVisible):
        changed(world, grant, by="yot_worker")
    with pytest.raises(Denied):
        changed(world, grant, by="reader")
    revoke_share(act_as(world, "officer"), grant, reason="Solved")
    db.session.commit()
    with pytest.raises(Conflict):
        changed(world, grant)


def test_what_somebody_changed_meanwhile_is_not_overwritten(case: UUID, world: World) -> None:
    grant = shared(world, case)
    with pytest.raises(Conflict, match="after you opened it"):
        changed(world, grant, revision=1)
    assert changed(world, grant, revision=2).revision == 3


def test_a_share_on_an_agreement_that_is_not_in_force_is_not_changed(
    case: UUID, world: World, database: SimpleNamespace
) -> None:
    grant = shared(world, case)
    sql(
        database.superuser,
        "UPDATE agreement SET in_force_at = NULL WHERE id = :id",
        id=world.agreements["sharing"],
    )
    with pytest.raises(Conflict, match="not in force"):
        changed(world, grant)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ends_at": None}, "ends"),
        ({"ends_at": clock.now() - timedelta(days=1)}, "ends"),
        ({"ends_at": clock.now() + timedelta(days=3000)}, "ends"),
        ({"sections": (Section.CHRONOLOGY,)}, "sections"),
    ],
)
def test_a_change_that_cannot_be_is_named_by_its_field(
    case: UUID, world: World, change: dict[str, Any], field: str
) -> None:
    grant = shared(world, case)
    with pytest.raises(Invalid) as wrong:
        changed(world, grant, **change)
    assert field in wrong.value.errors


def test_a_change_that_changes_nothing_is_none(case: UUID, world: World) -> None:
    grant = shared(world, case)
    act_as(world, "officer")
    ends = db.session.scalar(sa.select(Grant.ends_at))
    with pytest.raises(Invalid) as wrong:
        changed(world, grant, ends_at=ends)
    assert "Nothing is different" in wrong.value.errors["form"]


def test_nobody_is_given_a_marking_that_they_are_not_cleared_for(
    case: UUID, world: World, database: SimpleNamespace
) -> None:
    sql(
        database.superuser,
        "UPDATE app_user SET clearance = 0 WHERE organisation_id = :id",
        id=world.organisations["police"],
    )
    grant = shared(world, case)
    with pytest.raises(Invalid) as wrong:
        changed(world, grant, max_marking=Marking.OFFICIAL_SENSITIVE)
    assert "not cleared for OFFICIAL-SENSITIVE" in wrong.value.errors["max_marking"]


def narrow_agreement(database: SimpleNamespace, world: World) -> None:
    sql(
        database.superuser,
        "UPDATE agreement SET sections = ARRAY['summary', 'chronology', 'people'] WHERE id = :id",
        id=world.agreements["sharing"],
    )


def test_widening_beyond_the_agreement_is_refused_and_recorded(
    case: UUID, world: World, database: SimpleNamespace
) -> None:
    narrow_agreement(database, world)
    grant = shared(world, case)
    with pytest.raises(Denied, match="does not cover Health"):
        changed(world, grant, sections=(*BOTH, Section.HEALTH))
    (denied,) = sql(
        database.superuser,
        "SELECT outcome, convert_from(body, 'UTF8')::jsonb AS body FROM audit.event WHERE act = 'share.denied'",
    )
    assert denied.outcome == "denied" and denied.body["facts"]["why"] == "section"
    assert changed(world, grant, sections=(*BOTH, Section.PEOPLE)).sections == [
        "summary",
        "chronology",
        "people",
    ]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("sections = array_append(sections, 'health')", "sections_within_agreement"),
        ("ends_at = agreement_ends_at + interval '1 second'", "ends_within_agreement"),
    ],
)
def test_beyond_the_agreement_is_refused_by_the_database_too(
    case: UUID, world: World, database: SimpleNamespace, change: str, constraint: str
) -> None:
    narrow_agreement(database, world)
    grant = shared(world, case)
    act_as(world, "officer")
    with pytest.raises(sa.exc.IntegrityError, match=f"ck_record_grant_{constraint}"):
        db.session.execute(sa.text(f"UPDATE record_grant SET {change} WHERE id = :id"), {"id": grant})


# ---- the page -----------------------------------------------------------------------------------------------------


def typed(days: int = 10, **changes: Any) -> dict[str, Any]:
    until = clock.now() + timedelta(days=days)
    return {
        "sections": ["summary"],
        "max_marking": "0",
        "reason": "The patrol is over",
        "ends-day": str(until.day),
        "ends-month": str(until.month),
        "ends-year": str(until.year),
        **changes,
    }


def test_the_form_shows_what_is_shared_and_keeps_what_was_typed(site: Site, world: World) -> None:
    with site.inside():
        case = led_case(act_as(world, "officer"))
        grant = shared(world, case)
    officer, address = site.as_user("officer"), f"/cases/{case}/sharing/{grant}/change"
    assert f'href="{address}"' in officer.get(f"/cases/{case}/sharing").get_data(as_text=True)
    form = officer.get(address).get_data(as_text=True)
    assert 'value="chronology" checked' in form and 'name="revision" value="2"' in form
    wrong = officer.post(address, typed(reason=" ", may_contribute="yes"))
    words = wrong.get_data(as_text=True)
    assert wrong.status_code == 422 and "Say why this changes" in words
    assert 'name="may_contribute" type="checkbox" value="yes" checked' in words
    assert officer.post(address, typed()).status_code == 303
    tab = officer.get(f"/cases/{case}/sharing").get_data(as_text=True)
    assert "Summary. Up to OFFICIAL" in tab
    assert site.as_user("sergeant").get(f"/cases/{case}/log").status_code == 404


def test_a_refused_change_leads_back_to_the_sharing_of_the_record(site: Site, world: World) -> None:
    with site.inside():
        case = led_case(act_as(world, "officer"))
        grant = shared(world, case)
        other = led_case(act_as(world, "officer"), "Another")
    address = f"/cases/{case}/sharing/{grant}/change"
    stale = site.as_user("officer").post(address, typed(revision="1"))
    assert stale.status_code == 409 and f'href="/cases/{case}/sharing"' in stale.get_data(as_text=True)
    refused = site.as_user("sergeant").post(address, typed())
    assert refused.status_code == 403 and f'href="/cases/{case}/sharing"' in refused.get_data(as_text=True)
    assert site.as_user("sergeant").get(address).status_code == 403
    wrong = site.as_user("officer").post(f"/cases/{other}/sharing/{grant}/change", typed())
    assert wrong.status_code == 404 and "Back to the sharing" not in wrong.get_data(as_text=True)
