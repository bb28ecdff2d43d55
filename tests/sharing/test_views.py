"""Sharing as people do it: three steps, the tab, the answer, the end; without JavaScript."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.access.models import Grant
from hub.access.vocabulary import Purpose, Section
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.core import clock
from hub.extensions import db
from hub.sharing import queries
from hub.sharing.actions import revoke_share
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

WHY = "The patrol needs to know where it happens"


@pytest.fixture
def case(site: Site, world: World) -> UUID:
    with site.inside():
        return led_case(act_as(world, "officer"))


def filled(world: World, to: str = "police", **changes: Any) -> dict[str, Any]:
    until = clock.now() + timedelta(days=20)
    return {
        "to": f"organisation:{world.organisations[to]}",
        "purpose": "prevent_crime",
        "sections": ["summary", "chronology"],
        "reason": WHY,
        "max_marking": "0",
        "ends-day": str(until.day),
        "ends-month": str(until.month),
        "ends-year": str(until.year),
        **changes,
    }


def hidden_fields(page: str, action: str) -> dict[str, Any]:
    """The fields that the page's form would send, as a browser without scripts sends them."""
    form = next(one for one in re.findall(r"<form.*?</form>", page, re.S) if f'action="{action}"' in one)
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form):
        fields.setdefault(name, []).append(html.unescape(value))
    return fields


def test_three_steps_share_a_case_and_nothing_is_typed_twice(site: Site, world: World, case: UUID) -> None:
    officer, address = site.as_user("officer"), f"/cases/{case}/share"
    first = officer.get(address).get_data(as_text=True)
    assert "Northbrook Police: Northbrook neighbourhood team" in first and "Housing options" in first
    second = officer.post(address, {"to": f"organisation:{world.organisations['police']}", "go": "what"})
    words = second.get_data(as_text=True)
    assert second.status_code == 200 and "by Crime and Disorder Act 1998 s.115" in words
    third = officer.post(address, {**filled(world), "go": "check"}).get_data(as_text=True)
    assert "people of Northbrook Police can read, and not change, the parts of" in html.unescape(third)
    sent = hidden_fields(third, f"{address}/send")
    assert sent["reason"] == [WHY] and sent["sections"] == ["summary", "chronology"]
    back = officer.post(address, {**filled(world), "go": "what"}).get_data(as_text=True)
    assert WHY in back
    answer = officer.post(f"{address}/send", filled(world))
    assert answer.status_code == 303 and answer.location == f"/cases/{case}/sharing"
    tab = officer.get(answer.location).get_data(as_text=True)
    assert "Northbrook Police" in tab and "Waiting for an answer" in tab and WHY in tab


def test_an_organisation_without_a_live_agreement_is_named_with_the_reason(site: Site, case: UUID) -> None:
    page = html.unescape(site.as_user("officer").get(f"/cases/{case}/share").get_data(as_text=True))
    assert "is not signed yet by Lantern Outreach" in page
    assert "Eastmere Council</strong>: You have no agreement with them." in page


@pytest.mark.parametrize("to", ["charity", "other_council"])
def test_sharing_without_a_live_agreement_is_refused_with_the_reason_and_recorded(
    site: Site, world: World, case: UUID, database: SimpleNamespace, to: str
) -> None:
    for address in (f"/cases/{case}/share", f"/cases/{case}/share/send"):
        answer = site.as_user("officer").post(address, {**filled(world, to), "go": "check"})
        assert answer.status_code == 403
        assert "agreement" in answer.get_data(as_text=True)
    events = site.sql(
        database.superuser,
        "SELECT outcome, organisation_ids FROM audit.event WHERE act = 'share.denied' AND object_id = :id",
        id=case,
    )
    assert [row[0] for row in events] == ["denied", "denied"]
    assert site.sql(database.superuser, "SELECT count(*) FROM record_grant")[0][0] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reason": " "}, "Say why sharing this is necessary"),
        ({"ends-year": "", "ends-month": "", "ends-day": ""}, "Say until when they may see it"),
        ({"ends-year": "2020"}, "The end must be in the future"),
        ({"ends-year": "2999"}, "The end must not be after the agreement’s"),
        ({"ends-year": "9999", "ends-month": "12", "ends-day": "31"}, "far away"),
        ({"ends-month": "13"}, "The month must be between 1 and 12"),
        ({"sections": ["chronology"]}, "The summary is part of every share"),
        ({"sections": ["summary", "secrets"]}, "Choose sections from the list"),
        ({"purpose": "curiosity"}, "Choose a purpose from the list"),
        ({"purpose": ""}, "Choose what it is shared for"),
        ({"gateway": "cda_17a"}, ""),
        ({"to": "organisation:nobody"}, "Choose who to share with"),
        ({"to": "team:x"}, "Choose who to share with"),
        ({"also": ["not-an-id"]}, "Choose incidents from the list"),
        ({"max_marking": "9"}, "Choose the highest marking"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(
    site: Site, world: World, case: UUID, change: dict[str, Any], words: str
) -> None:
    for address in (f"/cases/{case}/share", f"/cases/{case}/share/send"):
        answer = site.as_user("officer").post(address, {**filled(world), **change, "go": "check"})
        assert answer.status_code == 422, (address, answer.status_code)
        assert words in html.unescape(answer.get_data(as_text=True))


def test_one_live_share_per_recipient_and_purpose(site: Site, world: World, case: UUID) -> None:
    officer = site.as_user("officer")
    assert officer.post(f"/cases/{case}/share/send", filled(world)).status_code == 303
    again = officer.post(f"/cases/{case}/share/send", filled(world))
    assert again.status_code == 409 and "for this purpose already" in again.get_data(as_text=True)
    other = officer.post(f"/cases/{case}/share/send", filled(world, purpose="safeguard_child"))
    assert other.status_code == 303


def test_a_form_sent_twice_shares_once(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    officer, key = site.as_user("officer"), "0190a0b0-0000-7000-8000-000000000001"
    for _ in range(2):
        assert officer.post(f"/cases/{case}/share/send", filled(world), form_key=key).status_code == 303
    assert site.sql(database.superuser, "SELECT count(*) FROM record_grant")[0][0] == 1


def test_before_the_answer_only_reference_owner_and_reason_are_shown(site: Site, world: World) -> None:
    with site.inside():
        case = led_case(act_as(world, "officer"), "Graffiti, Mill Lane")
        grant = shared(world, case, taken_by=None)
    sergeant = site.as_user("sergeant")
    page = sergeant.get("/shared").get_data(as_text=True)
    assert "The patrol needs to know" in page and "Northbrook Council" in page and "Graffiti" not in page
    assert sergeant.get(f"/cases/{case}").status_code == 404
    assert 'class="hub-count">1<' in page
    assert sergeant.post(f"/shared/{grant}/answer", {"answer": "accept"}).status_code == 303
    after = sergeant.get("/shared").get_data(as_text=True)
    assert "Graffiti, Mill Lane" in after and f'href="/cases/{case}"' in after and "New</span>" in after
    assert sergeant.get(f"/cases/{case}").status_code == 200
    assert "New</span>" not in sergeant.get("/shared").get_data(as_text=True)
    again = sergeant.post(f"/shared/{grant}/answer", {"answer": "accept"})
    assert again.status_code == 409


def test_a_share_is_rejected_with_a_reason_that_the_owner_reads(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        grant = shared(world, case, taken_by=None)
    sergeant = site.as_user("sergeant")
    assert "Why your organisation does not take it" in sergeant.get(f"/shared?reject={grant}").get_data(
        as_text=True
    )
    empty = sergeant.post(f"/shared/{grant}/answer", {"answer": "reject", "reason": " "})
    assert empty.status_code == 422 and "Say why your organisation" in empty.get_data(as_text=True)
    assert (
        sergeant.post(f"/shared/{grant}/answer", {"answer": "reject", "reason": "Not our area"}).status_code
        == 303
    )
    assert sergeant.get(f"/cases/{case}").status_code == 404
    assert "Refused" in site.as_user("officer").get(f"/cases/{case}/sharing").get_data(as_text=True)


def test_ending_a_share_holds_from_the_next_click_and_leaves_a_line(site: Site, world: World) -> None:
    with site.inside():
        case = led_case(act_as(world, "officer"), "Graffiti, Mill Lane")
        grant = shared(world, case)
    officer, sergeant = site.as_user("officer"), site.as_user("sergeant")
    assert sergeant.get(f"/cases/{case}").status_code == 200
    assert "Why it ends" in officer.get(f"/cases/{case}/sharing?end={grant}").get_data(as_text=True)
    assert officer.post(f"/cases/{case}/sharing/{grant}/end", {"reason": ""}).status_code == 422
    assert officer.post(f"/cases/{case}/sharing/{grant}/end", {"reason": "Solved"}).status_code == 303
    assert sergeant.get(f"/cases/{case}").status_code == 404
    line = sergeant.get("/shared?show=ended").get_data(as_text=True)
    assert "Ended early" in line and "Graffiti" not in line
    assert officer.post(f"/cases/{case}/sharing/{grant}/end", {"reason": "Again"}).status_code == 409


def test_a_share_of_another_case_is_not_ended_through_this_one(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        other = led_case(act_as(world, "officer"), "Another")
        grant = shared(world, other)
    answer = site.as_user("officer").post(f"/cases/{case}/sharing/{grant}/end", {"reason": "Wrong one"})
    assert answer.status_code == 404
    assert site.as_user("sergeant").get(f"/cases/{other}").status_code == 200


def test_shares_under_another_purpose_are_counted_and_one_click_away(
    site: Site, world: World, case: UUID
) -> None:
    with site.inside():
        shared(world, case, purpose=Purpose.SAFEGUARD_CHILD)
    sergeant = site.as_user("sergeant")
    page = sergeant.get("/shared").get_data(as_text=True)
    assert "1 more share waits under your purpose" in page and f"/cases/{case}" not in page
    hat = f"{world.teams['npt']}:safeguard_child"
    assert f'value="{hat}"' in page
    assert sergeant.post("/hat", {"hat": hat, "next": "/shared"}).location == "/shared"
    assert f"/cases/{case}" in sergeant.get("/shared").get_data(as_text=True)


def test_what_we_added_stays_readable_after_the_share_with_the_reference_only(
    site: Site, world: World
) -> None:
    with site.inside():
        case = led_case(act_as(world, "officer"), "Graffiti, Mill Lane")
        grant = shared(world, case, sections=(Section.SUMMARY, Section.CHRONOLOGY), may_contribute=True)
        entry = add_entry(act_as(world, "sergeant"), case, EntryForm(text="Patrolled at dusk, quiet")).id
        db.session.commit()
        officer = act_as(world, "officer")
        own = add_entry(officer, case, EntryForm(text="On our own record")).id
        revoke_share(officer, grant, reason="Solved")
        db.session.commit()
    sergeant = site.as_user("sergeant")
    assert f"/contributed/{entry}" in sergeant.get("/shared?show=contributed").get_data(as_text=True)
    page = sergeant.get(f"/contributed/{entry}").get_data(as_text=True)
    assert "Patrolled at dusk, quiet" in page and "NBC-CS-" in page and "Graffiti" not in page
    assert site.as_user("officer").get(f"/contributed/{entry}").status_code == 404
    assert site.as_user("yot_worker").get(f"/contributed/{entry}").status_code == 404
    # on our own record the record's page is the way, not this one
    assert site.as_user("officer").get(f"/contributed/{own}").status_code == 404


def test_who_does_not_lead_the_case_cannot_share_it_on(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        shared(world, case)
    sergeant = site.as_user("sergeant")
    assert sergeant.get(f"/cases/{case}/share").status_code == 403
    assert sergeant.post(f"/cases/{case}/share/send", filled(world, "yjs")).status_code == 403
    assert site.as_user("yot_worker").get(f"/cases/{case}/share").status_code == 404
    assert site.as_user("reader").get(f"/cases/{case}/share").status_code == 403


def test_what_is_shared_comes_in_pages_and_by_lead_organisation(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    references = []
    for _ in range(3):
        with site.inside():
            grant_id = shared(site.world, led_case(act_as(site.world, "officer")))
            references.append(db.session.get_one(Grant, grant_id).record_reference)
    client = site.as_user("sergeant")
    first = client.get("/shared").get_data(as_text=True)
    assert [reference in first for reference in references] == [False, True, True]
    following = re.search(r'href="(/shared\?after=[^"]+)"', first)
    assert following is not None
    second = client.get(following.group(1).replace("&amp;", "&")).get_data(as_text=True)
    assert [reference in second for reference in references] == [True, False, False]
    council, police = site.world.organisations["council"], site.world.organisations["police"]
    assert references[2] in client.get(f"/shared?from={council}").get_data(as_text=True)
    assert references[2] not in client.get(f"/shared?from={police}").get_data(as_text=True)
    assert client.get("/shared?from=nobody&after=").status_code == 200
    assert client.get("/shared?after=made-up").status_code == 422
