"""Every block of My work has a list behind it that shows the same rows, in pages and narrowed."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace
from uuid import UUID

import pytest

from hub.access.vocabulary import Section
from hub.casefile import work
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind, CaseStatus
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.places.forms import PlaceForm
from hub.places.vocabulary import PlaceKind
from tests.cases.making import at_status
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Client, Site
from tests.fixtures.turning import refuses_strange_cursors, turned
from tests.fixtures.world import act_as

ROW = r'hub-list__link" href="(/(?:cases|incidents)/[0-9a-f-]+(?:/log)?)"'


def behind(client: Client, block: str) -> tuple[list[str], list[list[str]]]:
    """The addresses of a block's rows, and those of the list that the block leads to."""
    page = client.get("/").get_data(as_text=True)
    start = page.rindex(f">{block}<")
    end = min((at for at in (page.find("</section>", start),) if at > 0), default=len(page))
    rows = re.findall(r'href="(/(?:cases|incidents)/[0-9a-f-]+(?:/log)?)"', page[start:end])
    [link] = set(re.findall(r'href="(/(?:cases|work)[/?a-z]*\?[^"]+)"', page[start:end]))
    return rows, turned(client, html.unescape(link), ROW)


def incidents_logged(site: Site, number: int) -> list[UUID]:
    officer = act_as(site.world, "officer")
    made = []
    for n in range(number):
        kind = IncidentKind.NOISE if n else IncidentKind.BURGLARY
        place = PlaceForm(PlaceKind.ADDRESS, "1 Rope Walk", "Rope Walk", "Northbrook", "Harbour")
        made.append(log_incident(officer, IncidentForm(kind, f"Loud {n}", "2026-03-01", place=place)).id)
        db.session.commit()
    return made


def test_the_tray_and_the_cases_i_lead_are_found_whole_behind_their_blocks(site: Site) -> None:
    with site.inside():
        officer = act_as(site.world, "officer")
        made = [f"/cases/{create_case(officer, CaseForm(CaseKind.ASB, f'Noise {n}')).id}" for n in range(53)]
        db.session.commit()
        ended = at_status(act_as(site.world, "officer"), CaseStatus.CLOSED).id
    client = site.as_user("officer")
    for block in ("Cases you lead", "Your team’s tray"):
        rows, pages = behind(client, block)
        assert len(rows) == 15 and [len(page) for page in pages] == [50, 3]
        listed = [one for page in pages for one in page]
        assert set(listed) == set(made) and listed[:15] == rows
    assert f"/cases/{ended}" in client.get("/cases?scope=mine").get_data(as_text=True)
    page = client.get("/").get_data(as_text=True)
    assert re.search(r'href="#tray">\s*<span class="hub-stat__number">53<', page)


def test_closures_to_approve_are_those_of_colleagues(site: Site) -> None:
    with site.inside():
        theirs = at_status(act_as(site.world, "officer"), CaseStatus.CLOSURE_PENDING).id
        own = at_status(act_as(site.world, "manager"), CaseStatus.CLOSURE_PENDING).id
    rows, pages = behind(site.as_user("manager"), "Closures to approve")
    assert rows == [f"/cases/{theirs}"] and pages == [rows]
    assert f"/cases/{own}" not in rows


def test_what_others_added_turns_its_pages_and_is_narrowed(site: Site, database: SimpleNamespace) -> None:
    with site.inside():
        case = led_case(act_as(site.world, "officer"), "Graffiti, Mill Lane")
        shared(site.world, case, sections=(Section.SUMMARY, Section.CHRONOLOGY), may_contribute=True)
        sergeant = act_as(site.world, "sergeant")
        for n in range(52):
            add_entry(sergeant, case, EntryForm(text=f"Patrol {n}"))
        db.session.commit()
        add_entry(act_as(site.world, "officer"), case, EntryForm(text="My own"))
        db.session.commit()
        over = at_status(act_as(site.world, "officer"), CaseStatus.CLOSED).id
        add_entry(act_as(site.world, "manager"), over, EntryForm(text="On an ended case"))
        db.session.commit()
    client = site.as_user("officer")
    rows, pages = behind(client, "New on your cases")
    assert rows == [f"/cases/{case}/log"] * 8
    assert pages == [[f"/cases/{case}/log"] * 50, [f"/cases/{case}/log"] * 2]
    site.sql(database.superuser, "UPDATE entry SET contributed_at = contributed_at - interval '20 days'")
    assert turned(client, "/work/news?period=7", ROW) == [[]]
    assert sum(map(len, turned(client, "/work/news?period=28", ROW))) == 52
    assert sum(map(len, turned(client, "/work/news?kind=note", ROW))) in (0, 52)
    assert "Patrol 3" not in client.get("/work/news").get_data(as_text=True)
    assert turned(site.as_user("manager"), "/work/news", ROW) == [[]]
    shown = site.sql(
        database.superuser,
        "SELECT record_ids FROM audit.event WHERE act = 'work.viewed' ORDER BY at DESC, id DESC",
    )
    assert any(row.record_ids == [case] for row in shown)
    refuses_strange_cursors(client, "/work/news")


def test_incidents_without_a_case_turn_their_pages_and_are_narrowed(
    site: Site, database: SimpleNamespace
) -> None:
    with site.inside():
        made = incidents_logged(site, 53)
        officer = act_as(site.world, "officer")
        create_case(officer, CaseForm(CaseKind.ASB, "Noise"), from_incident=made[5])
        db.session.commit()
    loose = [f"/incidents/{key}" for key in reversed(made) if key != made[5]]
    client = site.as_user("officer")
    rows, pages = behind(client, "Incidents without a case")
    assert set(rows) == set(loose[:10])
    assert [len(page) for page in pages] == [50, 2] and [one for page in pages for one in page] == loose
    assert turned(client, "/work/incidents?kind=burglary", ROW) == [[f"/incidents/{made[0]}"]]
    site.sql(database.superuser, "UPDATE incident SET reported_at = reported_at - interval '20 days'")
    assert turned(client, "/work/incidents?period=14", ROW) == [[]]
    assert len(turned(client, "/work/incidents", ROW)) == 2
    assert turned(site.as_user("sergeant"), "/work/incidents", ROW) == [[]]
    refuses_strange_cursors(client, "/work/incidents")


def test_the_lists_are_for_those_who_work(site: Site) -> None:
    for address in ("/work/news", "/work/incidents"):
        assert site.as_user("auditor").get(address).status_code == 403
        assert site.as_user("spoc").get(address).status_code == 403


def test_what_is_overdue_is_never_cut_off(
    site: Site, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "MINE_AT_MOST", 3)
    with site.inside():
        officer = act_as(site.world, "officer")
        first = create_case(officer, CaseForm(CaseKind.ASB, "The first and late one")).id
        for n in range(5):
            create_case(officer, CaseForm(CaseKind.ASB, f"Noise {n}"))
        db.session.commit()
    site.sql(
        database.superuser, "UPDATE case_record SET next_review_on = '2026-01-05' WHERE id = :id", id=first
    )
    page = site.as_user("officer").get("/").get_data(as_text=True)
    led = page[page.index('id="mine"') : page.index('id="tray"')]
    assert led.index("The first and late one") < led.index("Noise 4") and "Noise 0" not in led
