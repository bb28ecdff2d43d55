"""Logging an incident: what is kept, who may, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.actor import Source
from hub.access.vocabulary import Marking
from hub.core.errors import Denied, Invalid, NotVisible
from hub.core.paging import Cursor
from hub.extensions import db
from hub.incidents import queries
from hub.incidents.actions import log_incident
from hub.incidents.forms import WRONG_TIME, IncidentForm, parse_time
from hub.incidents.queries import IncidentFilter, find_recent_nearby, list_incidents, load_for_change
from hub.incidents.vocabulary import IncidentKind, IncidentSource
from hub.people.actions import add_person
from hub.people.queries import find_people_of, list_people
from hub.people.vocabulary import InvolvementRole
from hub.places import queries as place_queries
from hub.places.forms import PlaceForm
from hub.places.queries import find_places_of
from hub.places.vocabulary import PlaceKind
from tests.fixtures.world import World, act_as


def noise(**changes: object) -> IncidentForm:
    place = PlaceForm(
        PlaceKind.STREET,
        "Behind the shops",
        street="Quarry Row",
        town="Northbrook",
        ward="Quarry",
        postcode="nb1 4qt",
    )
    values: dict[str, object] = {
        "kind": IncidentKind.NOISE,
        "description": "Music until 3am.",
        "occurred_from": "2026-11-20",
        "place": place,
    }
    return IncidentForm(**{**values, **changes})  # type: ignore[arg-type]


def test_an_incident_is_logged_with_its_place_and_a_title_without_names(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    incident = log_incident(actor, noise())
    person = add_person(
        actor,
        incident,
        role=InvolvementRole.VICTIM,
        given_names="Zoë",
        family_name="Wadsworth",
        date_of_birth="1990-03",
    )
    db.session.commit()
    assert incident.title == "Noise, Quarry" and incident.reference.startswith("NBC-IN-")
    places = find_places_of(actor, [incident.id])[incident.id]
    assert [place.line for place in places] == ["Behind the shops, Quarry Row, Northbrook, NB1 4QT"]
    people = find_people_of(actor, [incident.id])[incident.id]
    assert [(one.name, one.role_label, one.victim_side) for one in people] == [
        ("Zoë Wadsworth", "Victim", True)
    ]
    page = list_incidents(actor, IncidentFilter(where="quarry"))
    assert [row.reference for row in page.rows] == [incident.reference] and page.rows[
        0
    ].why == "Led by your team"
    assert not list_incidents(actor, IncidentFilter(where="elsewhere")).rows
    rows = list_people(actor).rows
    assert [row.person.person_id for row in rows] == [person.id] and rows[
        0
    ].record_reference == incident.reference
    other = log_incident(actor, noise(kind=IncidentKind.DRUGS))
    db.session.commit()
    assert [(one.incident_id, one.why) for one in find_recent_nearby(actor, other.id)] == [
        (incident.id, ("Close by",))
    ]


def test_only_who_may_log_logs(app: object, world: World) -> None:
    for user in ("reader", "auditor", "spoc"):
        with pytest.raises(Denied):
            log_incident(act_as(world, user), noise())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"description": "  "}, "description"),
        ({"description": "x" * 20_001}, "description"),
        ({"occurred_from": "2199"}, "occurred_from"),
        ({"occurred_from": "not a date"}, "occurred_from"),
        ({"source": IncidentSource.ANONYMOUS, "told_by": "Somebody"}, "told_by"),
    ],
)
def test_a_wrong_incident_is_refused(app: object, world: World, wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        log_incident(act_as(world, "officer"), noise(**wrong))
    assert set(refused.value.errors) == {field}


def test_only_the_loader_says_when_it_was_reported(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    past = datetime(2026, 3, 1, 9, tzinfo=UTC)
    with pytest.raises(Invalid) as refused:
        log_incident(actor, noise(occurred_from="2026-02"), reported_at=past)
    assert refused.value.code == "bad_report_time"
    loader = replace(actor, source=Source.LOAD)
    incident = log_incident(loader, noise(occurred_from="2026-02"), reported_at=past)
    assert incident.reported_at == past
    with pytest.raises(Invalid):
        log_incident(loader, noise(occurred_from="2026-04"), reported_at=past)


def test_every_letter_of_a_long_text_is_kept(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    text = ("Zoë – “Łuć” 👩‍👧 said:\n\n" + "Ω" * 20_000)[:20_000]
    incident = log_incident(actor, noise(description=text, marking=Marking.OFFICIAL_SENSITIVE))
    db.session.commit()
    db.session.expire_all()
    assert incident.description == text and incident.marking == 1


def test_pages_of_incidents_hold_each_once_and_the_latest_first(
    app: object, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    actor = act_as(world, "officer")
    for day in (3, 1, 3, 2, 3):
        log_incident(actor, noise(occurred_from=f"2026-10-0{day}"))
    db.session.commit()
    seen: list[str] = []
    ids = set()
    cursor = None
    for _ in range(4):
        page = list_incidents(actor, IncidentFilter(), cursor=Cursor.parse(cursor))
        seen += [row.occurred_from[-1] for row in page.rows]
        ids |= {row.id for row in page.rows}
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["3", "3", "3", "2", "1"] and len(ids) == 5


def test_the_list_is_narrowed_by_kind_source_and_period(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    log_incident(actor, noise(occurred_from="2026-01-05"))
    log_incident(
        actor, noise(kind=IncidentKind.DRUGS, source=IncidentSource.POLICE, occurred_from="2026-11-01")
    )
    db.session.commit()

    def kinds(**wanted: object) -> list[str]:
        return [row.kind for row in list_incidents(actor, IncidentFilter(**wanted)).rows]  # type: ignore[arg-type]

    assert kinds() == ["Drugs", "Noise"]
    assert kinds(kinds=("noise",)) == ["Noise"] and kinds(sources=("police",)) == ["Drugs"]
    assert kinds(first=datetime(2026, 6, 1, tzinfo=UTC)) == ["Drugs"]
    assert kinds(before=datetime(2026, 6, 1, tzinfo=UTC)) == ["Noise"]
    assert kinds(where="quarry row nb1 4qt") == ["Drugs", "Noise"] and kinds(where="quarry moor") == []


def test_words_that_too_many_places_bear_still_find_each_incident(
    app: object, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_queries, "CANDIDATES", 1)
    actor = act_as(world, "officer")
    incident = log_incident(actor, noise())
    log_incident(actor, noise(place=None))
    db.session.commit()
    assert [row.id for row in list_incidents(actor, IncidentFilter(where="Quarry")).rows] == [incident.id]


def test_the_history_reaches_back_twelve_months_and_only_to_what_is_readable(
    app: object, world: World
) -> None:
    sergeant = act_as(world, "sergeant")
    log_incident(sergeant, noise(occurred_from="2026-11-10"))
    db.session.commit()
    actor = act_as(world, "officer")
    log_incident(actor, noise(occurred_from="2025-11-01"))
    near = log_incident(actor, noise(occurred_from="2026-01-01"))
    now = log_incident(actor, noise())
    db.session.commit()
    assert [one.incident_id for one in find_recent_nearby(actor, now.id)] == [near.id]
    now_id = now.id
    assert find_recent_nearby(act_as(world, "sergeant"), now_id) == []


def test_only_the_lead_loads_an_incident_to_change_it(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    key = log_incident(actor, noise()).id
    db.session.commit()
    assert load_for_change(actor, key).id == key
    with pytest.raises(NotVisible):
        load_for_change(act_as(world, "sergeant"), key)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("9:30pm", "21:30"),
        ("12am", "00:00"),
        ("12:05 PM", "12:05"),
        ("7.15", "07:15"),
        ("23:59", "23:59"),
        (" ", None),
    ],
)
def test_a_time_is_taken_as_people_write_it(typed: str, kept: str | None) -> None:
    assert parse_time(typed) == kept


@given(st.text(max_size=8))
def test_no_text_breaks_the_time(text: str) -> None:
    try:
        kept = parse_time(text)
    except ValueError as wrong:
        if str(wrong) != WRONG_TIME:
            raise
        return
    assert kept is None or parse_time(kept) == kept


@pytest.mark.parametrize("typed", ["9", "25:00", "13pm", "12:60", "0am", "noon", "١:٠٠x"])
def test_a_wrong_time_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="21:30"):
        parse_time(typed)
