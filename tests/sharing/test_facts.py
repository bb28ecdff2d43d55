"""The minimum share: one fact told to a landlord, who reads it and nothing else, until the share ends."""

from __future__ import annotations

import html
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.access.models import Grant
from hub.access.vocabulary import Marking, Purpose, Section
from hub.accounts.models import TeamMembership, User
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.extensions import db
from hub.sharing.actions import revoke_share
from hub.sharing.changing import change_share
from hub.sharing.ending import suspend_agreement
from hub.sharing.facts import fact_of, open_fact, share_fact
from hub.sharing.forms import ShareChange
from hub.sharing.models import SharedFact
from hub.sharing.queries import SharedView, list_shared
from tests.fixtures.facts import fact_form, told_fact
from tests.fixtures.planting import plant_roles
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as, look_at

SUMMARY: dict[str, Any] = {"sections": (Section.SUMMARY,)}


@pytest.fixture
def case(site: Site, world: World) -> UUID:
    with site.inside():
        return led_case(act_as(world, "officer"), "Graffiti, Mill Lane")


def filled(world: World, to: str = "landlord", **changes: Any) -> dict[str, Any]:
    until = clock.now() + timedelta(days=20)
    return {
        "to": f"organisation:{world.organisations[to]}",
        "purpose": "tenancy",
        "code": "closure_order",
        "concerning": "Flat 2, 14 Quay Street",
        "wording": "Made by the magistrates",
        "reason": "The landlord has to decide on the tenancy",
        "from_on-day": "3",
        "from_on-month": "10",
        "from_on-year": "2026",
        "until_on-day": "2",
        "until_on-month": "1",
        "until_on-year": "2027",
        "ends-day": str(until.day),
        "ends-month": str(until.month),
        "ends-year": str(until.year),
        **changes,
    }


def events(site: Site, database: SimpleNamespace, act: str) -> list[Any]:
    return site.sql(
        database.superuser,
        "SELECT outcome, category, object_id, record_ids, convert_from(body, 'UTF8')::jsonb AS body"
        " FROM audit.event WHERE act = :act ORDER BY at, id",
        act=act,
    )


# ---- told ---------------------------------------------------------------------------------------------------------


def test_three_steps_tell_one_fact_and_the_last_shows_what_will_be_read(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    officer, address = site.as_user("officer"), f"/cases/{case}/share/fact"
    first = html.unescape(officer.get(address).text)
    assert "Harbour Homes: Tenancies" in first and "is not signed yet by Lantern Outreach" in first
    second = html.unescape(officer.post(address, {"to": filled(world)["to"], "go": "what"}).text)
    assert "Closure order made" in second and "Crime and Disorder Act 1998 s.115" in second
    assert 'value="tenancy" checked' in second
    third = html.unescape(officer.post(address, {**filled(world), "go": "check"}).text)
    assert "They will read this and nothing else" in third and "Flat 2, 14 Quay Street" in third
    assert "people of Harbour Homes will read this and nothing else" in third
    assert site.sql(database.superuser, "SELECT count(*) FROM record_grant")[0][0] == 0
    answer = officer.post(f"{address}/send", filled(world))
    assert answer.status_code == 303 and answer.location == f"/cases/{case}/sharing"
    grant = site.sql(database.superuser, "SELECT * FROM record_grant")[0]
    assert (grant.fact_only, grant.sections, grant.state) == (True, [], "pending")
    fact = site.sql(database.superuser, "SELECT * FROM shared_fact")[0]
    assert (fact.grant_id, fact.code, fact.from_on, fact.until_on) == (
        grant.id,
        "closure_order",
        "2026-10-03",
        "2027-01-02",
    )
    assert fact.concerning == "Flat 2, 14 Quay Street" and fact.wording == "Made by the magistrates"


def test_the_disclosure_is_an_event_with_its_recipient_and_the_landlord_is_told(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    site.as_user("officer").post(f"/cases/{case}/share/fact/send", filled(world))
    (event,) = events(site, database, "fact.shared")
    assert event.category == "disclosure" and event.record_ids == [case]
    assert event.body["facts"] == {"code": "closure_order"}
    assert event.body["recipients"][0]["organisation"] == str(world.organisations["landlord"])
    assert events(site, database, "case.shared") == []
    notices = site.sql(
        database.superuser,
        "SELECT u.email, n.kind FROM notification n JOIN app_user u ON u.id = n.user_id WHERE n.kind LIKE '%shared%'",
    )
    assert [tuple(row) for row in notices] == [("landlord_officer@example.org", "fact.shared")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": "gossip"}, "Choose the fact from the list"),
        ({"concerning": " "}, "Say which address or person it concerns"),
        ({"concerning": "x" * 201}, "one line of 200 characters"),
        ({"wording": "x" * 301}, "one line of 300 characters"),
        ({"wording": "two\nlines"}, "one line of 300 characters"),
        ({"from_on-year": ""}, "The date must include a year"),
        ({"from_on-day": "", "from_on-month": "", "from_on-year": ""}, "Enter when it happened"),
        ({"from_on-year": "2999"}, "must not be in the future"),
        ({"until_on-year": "2025"}, "The end must not be before the beginning"),
        ({"until_on-month": "13"}, "The month must be between 1 and 12"),
        ({"reason": ""}, "Say why telling this is necessary"),
        ({"purpose": ""}, "Choose what it is told for"),
        ({"purpose": "curiosity"}, "Choose a purpose from the list"),
        ({"ends-day": "", "ends-month": "", "ends-year": ""}, "Say until when they may read it"),
        ({"ends-year": "2020"}, "The end must be in the future"),
        ({"ends-year": "2999"}, "The end must not be after the agreement’s"),
        ({"to": "nobody"}, "Choose who to share with"),
        (
            {"to": "user:0190a0b0-0000-7000-8000-000000000001:0190a0b0-0000-7000-8000-000000000001"},
            "Choose an organisation",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(
    site: Site, world: World, case: UUID, change: dict[str, Any], words: str
) -> None:
    for address in (f"/cases/{case}/share/fact", f"/cases/{case}/share/fact/send"):
        answer = site.as_user("officer").post(address, {**filled(world), **change, "go": "check"})
        assert answer.status_code == 422, (address, answer.status_code)
        assert words in html.unescape(answer.text)


def test_all_that_is_wrong_is_said_at_once(site: Site, world: World, case: UUID) -> None:
    bad = filled(world, code="", concerning="", reason="")
    page = site.as_user("officer").post(f"/cases/{case}/share/fact/send", bad).text
    assert page.count("govuk-error-message") >= 3 and "Made by the magistrates" in page


@pytest.mark.parametrize(("to", "status"), [("charity", 403), ("other_council", 403), ("council", 422)])
def test_only_a_partner_with_an_agreement_in_force_is_told(
    site: Site, world: World, case: UUID, database: SimpleNamespace, to: str, status: int
) -> None:
    answer = site.as_user("officer").post(f"/cases/{case}/share/fact/send", filled(world, to))
    assert answer.status_code == status
    assert site.sql(database.superuser, "SELECT count(*) FROM record_grant")[0][0] == 0
    denied = [row.outcome for row in events(site, database, "share.denied")]
    assert denied == (["denied"] if status == 403 else [])


def test_a_team_of_our_own_is_not_told_a_fact_but_shared_the_case(app: Flask, world: World) -> None:
    case_id = led_case(act_as(world, "officer"))
    own = fact_form(world, "council", to_team_id=world.teams["housing"])
    with pytest.raises(Invalid) as invalid:
        share_fact(act_as(world, "officer"), case_id, own)
    assert "told to another organisation" in invalid.value.errors["to"]


def test_a_purpose_that_the_agreement_does_not_permit_is_refused_and_recorded(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    answer = site.as_user("officer").post(
        f"/cases/{case}/share/fact/send", filled(world, purpose="prevent_crime")
    )
    assert answer.status_code == 403 and "does not permit" in answer.text
    assert len(events(site, database, "share.denied")) == 1


def test_who_does_not_lead_the_case_tells_nothing_of_it(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        shared(world, case)
    for user, status in (("sergeant", 403), ("yot_worker", 404), ("reader", 403), ("landlord_officer", 403)):
        client = site.as_user(user)
        assert client.get(f"/cases/{case}/share/fact").status_code == status, user
        answer = client.post(f"/cases/{case}/share/fact/send", filled(world))
        assert answer.status_code == status, user


def test_a_draft_is_given_back_and_goes_when_it_was_told(site: Site, world: World, case: UUID) -> None:
    officer, key = site.as_user("officer"), f"case_facts.share:{case}"
    kept = {"concerning": "Half an address", "draft_key": key}
    assert officer.post(f"/drafts/{key}", kept).status_code < 300
    assert "Half an address" in officer.get(f"/cases/{case}/share/fact").text
    assert officer.post(f"/cases/{case}/share/fact/send", filled(world)).status_code == 303
    assert "Half an address" not in officer.get(f"/cases/{case}/share/fact").text


# ---- read ---------------------------------------------------------------------------------------------------------


def test_the_recipient_accepts_it_then_reads_it_and_each_look_is_recorded(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    with site.inside():
        grant = told_fact(world, case, taken_by=None)
    landlord = site.as_user("landlord_officer")
    assert landlord.get(f"/facts/{grant}").status_code == 404
    waiting = html.unescape(landlord.get("/shared").text)
    assert "You read it once you have accepted" in waiting and "One fact, and nothing else" in waiting
    assert "Quay Street" not in waiting and "Closure order" not in waiting
    assert landlord.post(f"/shared/{grant}/answer", {"answer": "accept"}).status_code == 303
    listed = html.unescape(landlord.get("/shared").text)
    assert f'href="/facts/{grant}"' in listed and "Closure order made" in listed and "New</span>" in listed
    page = html.unescape(landlord.get(f"/facts/{grant}").text)
    for words in (
        "Closure order made",
        "Flat 2, 14 Quay Street",
        "3 October 2026",
        "2 January 2027",
        "Made by the magistrates",
        "Amara Okafor, Northbrook Council",
        "Northbrook tenancy agreement",
    ):
        assert words in page
    assert "New</span>" not in landlord.get("/shared").text
    opened = events(site, database, "fact.opened")
    assert [row.outcome for row in opened] == ["denied", "ok"]
    assert opened[1].object_id == grant and opened[1].record_ids == [case]
    assert opened[1].body["basis"]["grant"] == str(grant)


def test_it_ends_like_any_share_and_then_there_is_nothing_at_its_address(
    site: Site, world: World, case: UUID
) -> None:
    with site.inside():
        first, second = told_fact(world, case), told_fact(world, case, concerning="Flat 3")
    officer, landlord = site.as_user("officer"), site.as_user("landlord_officer")
    assert landlord.get(f"/facts/{first}").status_code == 200
    assert officer.post(f"/cases/{case}/sharing/{first}/end", {"reason": "Lifted"}).status_code == 303
    assert landlord.get(f"/facts/{first}").status_code == 404
    assert landlord.get(f"/facts/{second}").status_code == 200
    page = landlord.get("/shared?show=ended").text
    assert "Ended early" in page and "Closure order" not in page
    with site.inside():
        suspend_agreement(act_as(world, "spoc"), world.agreements["tenancy"], why="Breach")
        db.session.commit()
    assert landlord.get(f"/facts/{second}").status_code == 404
    assert f"/facts/{second}" not in landlord.get("/shared").text


def test_its_end_is_the_clocks_own(site: Site, world: World, case: UUID, database: SimpleNamespace) -> None:
    with site.inside():
        grant = told_fact(world, case)
    site.sql(
        database.owner,
        "UPDATE record_grant SET starts_at = now() - interval '2 days', ends_at = now() - interval '1 second'",
    )
    assert site.as_user("landlord_officer").get(f"/facts/{grant}").status_code == 404


def test_it_is_read_under_its_purpose_by_its_recipient_alone(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        grant = told_fact(world, case)
    other = site.as_user("landlord_officer", purpose=Purpose.PREVENT_CRIME)
    assert other.get(f"/facts/{grant}").status_code == 404
    # those who lead the case read it on the case's own page; nobody else at all
    for user in ("officer", "sergeant", "yot_worker", "reader"):
        assert site.as_user(user).get(f"/facts/{grant}").status_code == 404, user
    for user in ("landlord_spoc", "spoc", "auditor"):
        assert site.as_user(user).get(f"/facts/{grant}").status_code == 403, user


def test_a_fact_that_was_told_to_a_team_is_not_the_organisations(app: Flask, world: World) -> None:
    case_id = led_case(act_as(world, "officer"))
    grant = told_fact(world, case_id, to_team_id=world.teams["tenancies"])
    assert open_fact(act_as(world, "landlord_officer"), grant).fact.label == "Closure order made"
    enter(db.session(), NOBODY)
    db.session.add(
        TeamMembership(
            team_id=world.teams["housing"], user_id=world.users["landlord_officer"], joined_at=clock.now()
        )
    )
    db.session.commit()
    with pytest.raises(NotVisible):
        open_fact(act_as(world, "landlord_officer", team="housing"), grant)


def test_a_fact_of_a_marked_case_needs_the_clearance(app: Flask, world: World) -> None:
    case_id = led_case(act_as(world, "officer"), marking=Marking.OFFICIAL_SENSITIVE)
    landlord = sa.update(User).where(User.organisation_id == world.organisations["landlord"])
    grant = told_fact(world, case_id)
    db.session.execute(landlord.values(clearance=0))
    db.session.commit()
    with pytest.raises(NotVisible):
        open_fact(act_as(world, "landlord_officer"), grant)
    with pytest.raises(Invalid) as invalid:
        share_fact(act_as(world, "officer"), case_id, fact_form(world))
    assert "not cleared" in invalid.value.errors["to"]


def test_the_lead_reads_what_was_told_after_its_end_too(app: Flask, world: World) -> None:
    case_id = led_case(act_as(world, "officer"))
    grant = told_fact(world, case_id)
    revoke_share(act_as(world, "officer"), grant, reason="Lifted")
    db.session.commit()
    assert fact_of(look_at(act_as(world, "officer")), [grant])[grant].concerning == "Flat 2, 14 Quay Street"
    assert fact_of(look_at(act_as(world, "landlord_officer"), case_id), [grant]) == {}
    assert fact_of(act_as(world, "sergeant"), [grant]) == {}


def test_the_leads_page_tells_which_fact_was_told_to_whom(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        told_fact(world, case)
        told_fact(world, case, taken_by=None, concerning="Flat 3")
    page = html.unescape(site.as_user("officer").get(f"/cases/{case}/sharing").text)
    for words in ("Closure order made, Flat 2, 14 Quay Street", "Closure order made, Flat 3"):
        assert words in page


def test_a_fact_opens_nothing_of_the_record_even_to_a_practitioner(
    site: Site, world: World, case: UUID
) -> None:
    with site.inside():
        grant = told_fact(world, case)
        _also_practitioner(world)
    landlord = site.as_user("landlord_officer")
    assert landlord.get(f"/facts/{grant}").status_code == 200
    for part in ("", "/log", "/people", "/files", "/sharing", "/access"):
        assert landlord.get(f"/cases/{case}{part}").status_code == 404, part
    assert "Graffiti" not in landlord.get("/search?q=Graffiti").text.replace('value="Graffiti"', "")
    assert "Graffiti" not in landlord.get("/cases").text


def test_a_fact_and_a_share_of_the_same_case_stand_side_by_side(app: Flask, world: World) -> None:
    case_id = led_case(act_as(world, "officer"))
    _also_practitioner(world)
    told_fact(world, case_id)
    told_fact(world, case_id, concerning="Flat 3")
    shared(world, case_id, to="landlord", taken_by="landlord_officer", purpose=Purpose.TENANCY, **SUMMARY)
    rows = list_shared(act_as(world, "landlord_officer"), SharedView.LIVE).rows
    assert sorted(row.grant.fact_only for row in rows) == [False, True, True]


def test_what_a_fact_tells_is_not_changed_but_told_anew(app: Flask, world: World) -> None:
    case_id = led_case(act_as(world, "officer"))
    grant = told_fact(world, case_id)
    ends_at = clock.now() + timedelta(days=60)
    change = ShareChange((Section.SUMMARY,), Marking.OFFICIAL, False, ends_at, "Longer")
    with pytest.raises(Conflict, match="one fact"):
        change_share(act_as(world, "officer"), grant, change)
    db.session.rollback()
    act_as(world, "officer")
    with pytest.raises(sa.exc.DBAPIError):
        db.session.execute(sa.update(SharedFact).values(wording="Something else"))


def test_nothing_but_the_fact_hangs_on_the_grant_in_the_database(app: Flask, world: World) -> None:
    case_id = led_case(act_as(world, "officer"))
    grant = told_fact(world, case_id)
    held = db.session.scalar(sa.select(Grant.sections).where(Grant.id == grant))
    assert held == []
    act_as(world, "officer")
    with pytest.raises(sa.exc.IntegrityError, match="summary_or_fact"):
        db.session.execute(sa.update(Grant).where(Grant.id == grant).values(sections=["summary"]))


def _also_practitioner(world: World) -> None:
    plant_roles([(world.users["landlord_officer"], world.partnerships["northbrook"], "practitioner")])
