"""The log: entries are added by those who may, never changed, and paged in the order in which things happened."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from hub.access.models import Emergency
from hub.access.vocabulary import Audience, Marking
from hub.audit.models import Event
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entries, add_entry
from hub.chronology.forms import EntryForm, parse_entry
from hub.chronology.models import Entry
from hub.chronology.queries import EntryFilter, find_entries
from hub.chronology.vocabulary import EntryKind, EntryNature
from hub.core import clock
from hub.core.errors import Denied, Invalid, NotVisible
from hub.core.paging import Cursor
from hub.crypto import keyring
from hub.extensions import db
from tests.fixtures.world import World, act_as


@pytest.fixture
def case(app: object, world: World) -> Case:
    made = create_case(act_as(world, "officer"), CaseForm(CaseKind.ASB, "Noise, Ward 3"))
    db.session.commit()
    return made


def test_an_entry_is_the_records_and_its_event_names_the_record(case: Case, world: World) -> None:
    officer = act_as(world, "officer")
    entry = add_entry(officer, case.id, EntryForm("Seen", kind=EntryKind.VISIT))
    db.session.commit()
    assert (entry.lead_team_id, entry.section, entry.contributor_team_id) == (
        officer.team_id,
        "chronology",
        officer.team_id,
    )
    event = db.session.scalar(sa.select(Event).where(Event.act == "entry.added"))
    assert event is not None and event.object_id == entry.id and list(event.record_ids) == [case.id]
    assert b"Seen" not in bytes(event.body)


def test_several_entries_are_added_together_or_not_at_all_with_an_event_each(
    case: Case, world: World
) -> None:
    officer = act_as(world, "officer")
    refused = EntryForm("Third", marking=Marking.OFFICIAL, audience=Audience.PEOPLE)
    with pytest.raises(Invalid):
        add_entries(officer, case.id, [(EntryForm("First"), None), (refused, None)])
    made = add_entries(
        officer, case.id, [(EntryForm("First", kind=EntryKind.VISIT), None), (EntryForm("Second"), None)]
    )
    db.session.commit()
    assert list(db.session.scalars(sa.select(Entry.text).order_by(Entry.id))) == ["First", "Second"]
    events = db.session.scalars(sa.select(Event).where(Event.act == "entry.added").order_by(Event.id)).all()
    assert [event.object_id for event in events] == [entry.id for entry in made]
    with pytest.raises(Denied, match="no_other_time"):
        add_entries(officer, case.id, [(EntryForm("Before"), clock.now() - timedelta(days=3))])


def test_an_entry_without_a_date_happened_now_with_the_time_of_day(case: Case, world: World) -> None:
    entry = add_entry(act_as(world, "officer"), case.id, EntryForm("Now"))
    local = clock.now().astimezone(clock.LONDON)
    assert entry.occurred_on == local.date().isoformat() and entry.occurred_time is not None
    assert timedelta(0) <= clock.now() - entry.occurred_at < timedelta(minutes=2)


def test_a_month_alone_is_kept_as_it_is_known(case: Case, world: World) -> None:
    entry = add_entry(act_as(world, "officer"), case.id, EntryForm("In March", occurred_on="2026-03"))
    assert (entry.occurred_on, entry.occurred_time) == ("2026-03", None)
    assert entry.occurred_at.astimezone(clock.LONDON).date().isoformat() == "2026-03-01"


def test_the_application_can_neither_change_nor_delete_an_entry(
    case: Case, world: World, database: SimpleNamespace
) -> None:
    add_entry(act_as(world, "officer"), case.id, EntryForm("As it was"))
    db.session.commit()
    for statement in (sa.update(Entry).values(text="Other"), sa.delete(Entry)):
        with pytest.raises(DBAPIError, match="permission denied"):
            db.session.execute(statement)
        db.session.rollback()
    assert db.session.scalars(sa.select(Entry.text)).all() == ["As it was"]


def test_strangers_and_readers_add_nothing(case: Case, world: World) -> None:
    with pytest.raises(NotVisible):
        add_entry(act_as(world, "sergeant"), case.id, EntryForm("Mine"))
    with pytest.raises(NotVisible):
        add_entry(act_as(world, "officer"), uuid4(), EntryForm("Nowhere"))
    with pytest.raises(Denied, match="no_permission"):
        add_entry(act_as(world, "reader"), case.id, EntryForm("Mine"))


def test_emergency_access_adds_an_entry(case: Case, world: World) -> None:
    sergeant = act_as(world, "sergeant")
    now = clock.now()
    db.session.add(
        Emergency(
            record_id=case.id,
            user_id=sergeant.user_id,
            organisation_id=sergeant.organisation_id,
            owner_organisation_id=case.owner_organisation_id,
            record_reference=case.reference,
            sealed_reason=b"x",
            data_key_id=keyring.data_key(db.session(), sergeant.partnership_id).id,
            granted_at=now,
            expires_at=now + timedelta(hours=4),
        )
    )
    db.session.commit()
    entry = add_entry(act_as(world, "sergeant"), case.id, EntryForm("At risk now"))
    db.session.commit()
    assert entry.contributor_organisation_id == sergeant.organisation_id


def test_nobody_marks_above_their_clearance_nor_names_nobody(case: Case, world: World) -> None:
    from dataclasses import replace

    low = replace(act_as(world, "officer"), clearance=0)
    with pytest.raises(Invalid, match="marked_above"):
        add_entry(low, case.id, EntryForm("x", marking=Marking.OFFICIAL_SENSITIVE))
    with pytest.raises(Invalid, match="bad_audience"):
        add_entry(act_as(world, "officer"), case.id, EntryForm("x", audience=Audience.PEOPLE))


def test_an_entry_for_named_people_is_read_by_them_alone(case: Case, world: World) -> None:
    manager = act_as(world, "manager")
    form = EntryForm("Between us", audience=Audience.PEOPLE, audience_ids=(manager.user_id,))
    add_entry(manager, case.id, form)
    db.session.commit()
    assert [row.text for row in find_entries(manager, case.id).rows] == ["Between us"]
    assert find_entries(act_as(world, "officer"), case.id).rows == []


def test_the_log_is_paged_by_when_things_happened(case: Case, world: World) -> None:
    officer = act_as(world, "officer")
    for day in range(1, 8):
        add_entry(
            officer, case.id, EntryForm(f"Day {day}", occurred_on=f"2026-05-0{day}", significant=day % 2 == 0)
        )
    db.session.commit()
    found, cursor = [], None
    while True:
        page = find_entries(officer, case.id, cursor=cursor, limit=3)
        found += [row.text for row in page.rows]
        if not page.more:
            break
        cursor = Cursor.parse(page.next_cursor)
    assert found == [f"Day {day}" for day in range(7, 0, -1)]
    significant = find_entries(officer, case.id, EntryFilter(significant=True)).rows
    assert [row.text for row in significant] == ["Day 6", "Day 4", "Day 2"]


def test_a_page_of_entries_costs_the_same_however_many(case: Case, world: World) -> None:
    officer = act_as(world, "officer")

    def cost() -> int:
        seen = []
        db.session.commit()
        sa.event.listen(db.engine, "before_cursor_execute", count := lambda *_: seen.append(1))
        find_entries(officer, case.id)
        sa.event.remove(db.engine, "before_cursor_execute", count)
        return len(seen)

    add_entry(officer, case.id, EntryForm("One"))
    one = cost()
    for number in range(12):
        add_entry(officer, case.id, EntryForm(f"More {number}"))
    assert cost() == one


FORM = {"text": "Seen", "kind": "visit", "nature": "fact", "marking": "0"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"text": " \u0000 "}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"kind": "gossip"}, "kind"),
        ({"nature": "rumour"}, "nature"),
        ({"marking": "9"}, "marking"),
        ({"audience": "people"}, "audience"),
        ({"audience": "all"}, "audience"),
        ({"occurred_time": "25:00"}, "occurred_time"),
        ({"occurred_on-year": "2026", "occurred_time": "10:00"}, "occurred_time"),
        ({"occurred_on-year": "2999"}, "occurred_on"),
        ({"occurred_on-year": "1899"}, "occurred_on"),
        ({"occurred_on-day": "31", "occurred_on-month": "2", "occurred_on-year": "2026"}, "occurred_on"),
        ({"corrects_id": "that one"}, "form"),
    ],
)
def test_each_mistake_is_told_beside_its_field(given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_entry({**FORM, **given})
    assert set(refused.value.errors) == {field}


def test_a_good_form_is_read_as_typed() -> None:
    form = parse_entry({**FORM, "text": " a\r\nb 🚲 ", "occurred_on-day": "3", "occurred_on-month": "5",
                        "occurred_on-year": "2026", "occurred_time": "9.05", "significant": "yes"})  # fmt: skip
    assert (form.text, form.occurred_on, form.occurred_time) == ("a\nb 🚲", "2026-05-03", "09:05")
    assert form.significant and form.nature is EntryNature.FACT
