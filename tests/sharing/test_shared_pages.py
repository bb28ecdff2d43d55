"""Shared with us, part by part: what is live, what waits, what has ended and what we added, each in pages of its own."""

from __future__ import annotations

import re
from types import SimpleNamespace
from uuid import UUID

import pytest

from hub.access.models import Grant
from hub.access.vocabulary import Section
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from hub.sharing.actions import answer_share, revoke_share, share_record
from tests.fixtures.shares import led_case, share_form, shared
from tests.fixtures.site import Site
from tests.fixtures.turning import refuses_strange_cursors, turned
from tests.fixtures.world import act_as

REFERENCE = r"(NBC-CS-[0-9A-Z]{6})<"
MANY = 52


def offered(site: Site, number: int = MANY) -> list[Grant]:
    """Shares of as many cases with the police, in the order in which they were made."""
    officer = act_as(site.world, "officer")
    grants = []
    for count in range(number):
        case = create_case(officer, CaseForm(kind=CaseKind.ASB, title=f"Noise {count}"))
        grants.append(share_record(officer, case.id, share_form(site.world)))
        db.session.commit()
    return grants


def logged(site: Site, database: SimpleNamespace) -> list[set[UUID]]:
    rows = site.sql(
        database.superuser, "SELECT record_ids FROM audit.event WHERE act = 'share.listed' ORDER BY at, id"
    )
    return [set(row.record_ids) for row in rows]


def test_live_shares_turn_their_pages_newest_first_and_each_page_is_logged(
    site: Site, database: SimpleNamespace
) -> None:
    with site.inside():
        grants = offered(site)
        references = [one.record_reference for one in grants]
        records = [one.record_id for one in grants]
        sergeant = act_as(site.world, "sergeant")
        for one in grants:
            answer_share(sergeant, one.id, accept=True)
        db.session.commit()
    pages = turned(site.as_user("sergeant"), "/shared", r'hub-list__hint">' + REFERENCE)
    assert [len(page) for page in pages] == [50, 2]
    assert [one for page in pages for one in page] == references[::-1]
    assert logged(site, database) == [set(records[2:]), set(records[:2])]


def test_what_waits_turns_its_pages_oldest_first_and_its_first_lines_stand_before_the_rest(
    site: Site, database: SimpleNamespace
) -> None:
    with site.inside():
        references = [one.record_reference for one in offered(site)]
    sergeant = site.as_user("sergeant")
    pages = turned(sergeant, "/shared?show=waiting", r'hub-list__value">' + REFERENCE)
    assert [len(page) for page in pages] == [50, 2]
    assert [one for page in pages for one in page] == references
    front = sergeant.get("/shared").get_data(as_text=True)
    assert re.findall(r'hub-list__value">' + REFERENCE, front) == references[:5]
    assert "See all that wait for your answer" in front and 'class="hub-count">52<' in front
    # nothing of a record is told before it is accepted: only its reference
    assert logged(site, database) == [set(), set(), set()]


def test_one_far_down_the_list_can_be_rejected_too(site: Site) -> None:
    with site.inside():
        last = offered(site, 7)[-1].id
    sergeant = site.as_user("sergeant")
    for show in ("", "show=waiting&"):
        page = sergeant.get(f"/shared?{show}reject={last}").get_data(as_text=True)
        assert "Why your organisation does not take it" in page
    assert "Why your organisation" not in sergeant.get("/shared?reject=nonsense").get_data(as_text=True)
    other = site.as_user("yot_worker").get(f"/shared?reject={last}").get_data(as_text=True)
    assert "Why your organisation" not in other


def test_ended_shares_turn_their_pages(site: Site, database: SimpleNamespace) -> None:
    with site.inside():
        grants = offered(site)
        references = [one.record_reference for one in grants]
        officer = act_as(site.world, "officer")
        for one in grants:
            revoke_share(officer, one.id, reason="Solved")
        db.session.commit()
    sergeant = site.as_user("sergeant")
    pages = turned(sergeant, "/shared?show=ended", r'hub-list__value">' + REFERENCE)
    assert [len(page) for page in pages] == [50, 2]
    assert [one for page in pages for one in page] == references[::-1]
    assert "No share has ended" not in sergeant.get("/shared?show=ended").get_data(as_text=True)
    assert set().union(*logged(site, database)) == set()


def test_what_we_added_turns_its_pages_and_is_logged_with_the_record(
    site: Site, database: SimpleNamespace
) -> None:
    with site.inside():
        case = led_case(act_as(site.world, "officer"), "Graffiti, Mill Lane")
        grant = shared(site.world, case, sections=(Section.SUMMARY, Section.CHRONOLOGY), may_contribute=True)
        sergeant = act_as(site.world, "sergeant")
        entries = [str(add_entry(sergeant, case, EntryForm(text=f"Patrol {n}")).id) for n in range(MANY)]
        db.session.commit()
        revoke_share(act_as(site.world, "officer"), grant, reason="Solved")
        db.session.commit()
    client = site.as_user("sergeant")
    pages = turned(client, "/shared?show=contributed", r'href="/contributed/([0-9a-f-]+)"')
    assert [len(page) for page in pages] == [50, 2]
    assert {one for page in pages for one in page} == set(entries)
    assert logged(site, database) == [{case}, {case}]
    assert "/contributed/" not in client.get("/shared").get_data(as_text=True)


@pytest.mark.parametrize("part", ["live", "waiting", "ended", "contributed"])
def test_each_part_narrows_to_one_lead_organisation_and_refuses_strange_cursors(
    site: Site, part: str
) -> None:
    with site.inside():
        case = led_case(act_as(site.world, "officer"))
        if part == "contributed":
            grant = shared(
                site.world, case, sections=(Section.SUMMARY, Section.CHRONOLOGY), may_contribute=True
            )
            add_entry(act_as(site.world, "sergeant"), case, EntryForm(text="Patrol"))
            db.session.commit()
        else:
            grant = shared(site.world, case, taken_by=None if part == "waiting" else "sergeant")
        if part in ("ended", "contributed"):
            revoke_share(act_as(site.world, "officer"), grant, reason="Solved")
            db.session.commit()
    client, address = site.as_user("sergeant"), f"/shared?show={part}"
    council, police = (site.world.organisations[one] for one in ("council", "police"))
    assert "NBC-CS-" in client.get(f"{address}&from={council}").get_data(as_text=True)
    if part != "waiting":
        assert "NBC-CS-" not in client.get(f"{address}&from={police}").get_data(as_text=True)
    else:
        assert "Nothing waits" in client.get(f"{address}&from={police}").get_data(as_text=True)
    assert client.get(f"{address}&from=nobody").status_code == 200
    refuses_strange_cursors(client, address)


def test_an_unknown_part_is_the_first_one(site: Site) -> None:
    page = site.as_user("sergeant").get("/shared?show=nonsense").get_data(as_text=True)
    assert "Nothing is shared with you for this purpose" in page
