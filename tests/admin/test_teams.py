"""Teams of several employers: who wears the hat, and that rights are the team's cut down to the own employer's agreement."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.vocabulary import Audience, Purpose, Section
from hub.accounts.models import TeamMembership, User
from hub.admin.teams import add_member, list_teams, remove_member
from hub.agreements.actions import draft_agreement, send_agreement, sign_agreement
from hub.agreements.forms import PartyLine, PermittedPurpose, TermsForm
from hub.cases.models import Case
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.chronology.models import Entry
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.sharing.ending import suspend_agreement
from tests.fixtures.shares import led_case
from tests.fixtures.site import Client, Site
from tests.fixtures.turning import copies, refuses_strange_cursors, turned
from tests.fixtures.world import World, act_as, look_at


def join(site: Site, user: str, team: str = "safety") -> Any:
    address = f"/admin/teams/{site.world.teams[team]}/members"
    return site.as_user("spoc").post(address, {"email": f"{user}@example.org"})


def in_hat(site: Site, user: str, team: str = "safety", purpose: Purpose = Purpose.PREVENT_CRIME) -> Client:
    """The user's own client, who then puts on the team's hat as the page does."""
    client = site.as_user(user)
    client.post("/hat", {"hat": f"{site.world.teams[team]}:{purpose.value}", "next": "/"})
    return client


def agreed(
    world: World, with_: str, sections: Sequence[Section], purpose: Purpose = Purpose.PREVENT_CRIME
) -> UUID:
    """An agreement in force of the council with one partner, for one purpose and some sections; committed."""
    now = clock.now()
    form = TermsForm(
        title=f"Working together with {with_}",
        parties=tuple(PartyLine(world.organisations[one]) for one in ("council", with_)),
        purposes=(PermittedPurpose(purpose, "cda_115", "art6_1e", "s1_p10"),),
        sections=tuple(sections),
        starts_at=now - timedelta(days=30),
        review_at=now + timedelta(days=100),
        ends_at=now + timedelta(days=200),
    )
    agreement_id = draft_agreement(act_as(world, "spoc"), form).id
    db.session.commit()
    send_agreement(act_as(world, "spoc"), agreement_id)
    db.session.commit()
    for signer in ("spoc", f"{with_}_spoc"):
        sign_agreement(act_as(world, signer), agreement_id)
        db.session.commit()
    return agreement_id


@pytest.fixture
def case(site: Site, world: World) -> UUID:
    """A case of the community safety team with somebody in it and an entry."""
    with site.inside():
        actor = act_as(world, "officer")
        case_id = led_case(actor, "Graffiti, Mill Lane")
        record = db.session.get_one(Case, case_id)
        add_person(actor, record, role=InvolvementRole.SUBJECT, given_names="Wanda", family_name="Quell")
        add_entry(actor, case_id, EntryForm(text="Seen at dusk"))
        db.session.commit()
        return case_id


# ---- who is in a team ---------------------------------------------------------------------------------------------


def test_an_administrator_adds_somebody_of_a_partner_and_the_page_tells_the_employer(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    spoc, address = site.as_user("spoc"), f"/admin/teams/{world.teams['safety']}"
    assert join(site, "sergeant").status_code == 303
    page = html.unescape(spoc.get(address).text)
    for words in (
        "Tomasz Nowak",
        "Northbrook Police",
        "For Prevent crime and disorder, Safeguard a child: every part",
    ):
        assert words in page
    events = site.sql(
        database.superuser,
        "SELECT object_id, convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'team' AS team FROM audit.event"
        " WHERE act = 'team.member_added'",
    )
    assert [tuple(row) for row in events] == [(world.users["sergeant"], str(world.teams["safety"]))]
    again = join(site, "sergeant")
    assert again.status_code == 422 and "in this team already" in again.text
    listed = spoc.get("/admin/teams").text
    assert "Community safety" in listed and "Neighbourhood" not in listed


@pytest.mark.parametrize("who", ["nobody", "outreach_worker", "east_officer", "closed"])
def test_an_address_tells_nobody_who_has_an_account_elsewhere(site: Site, world: World, who: str) -> None:
    if who == "closed":
        with site.inside():
            act_as(world, "police_spoc")
            closed = sa.update(User).where(User.id == world.users["sergeant"])
            db.session.execute(closed.values(disabled_at=clock.now()))
            db.session.commit()
    answer = join(site, "sergeant" if who == "closed" else who)
    assert answer.status_code == 422
    assert "There is no account with this address at your organisation or at a partner" in answer.text


def test_a_colleague_may_work_in_a_second_team(site: Site, world: World) -> None:
    assert join(site, "housing_officer").status_code == 303
    address = f"/admin/teams/{world.teams['safety']}/members/{world.users['housing_officer']}/remove"
    assert site.as_user("spoc").post(address).status_code == 303
    only = f"/admin/teams/{world.teams['safety']}/members/{world.users['reader']}/remove"
    refused = site.as_user("spoc").post(only)
    assert refused.status_code == 409 and "Close the account instead" in refused.text


def test_teams_of_others_and_of_other_partnerships_are_not_there(site: Site, world: World) -> None:
    spoc = site.as_user("spoc")
    for team in ("npt", "east_safety"):
        address = f"/admin/teams/{world.teams[team]}"
        assert spoc.get(address).status_code == 404
        assert spoc.post(f"{address}/members", {"email": "officer@example.org"}).status_code == 404
        assert spoc.post(f"{address}/members/{world.users['sergeant']}/remove").status_code == 404
    assert site.as_user("officer").get("/admin/teams").status_code == 403
    assert site.as_user("officer").get(f"/admin/teams/{world.teams['safety']}").status_code == 403


def test_who_has_been_confirmed_long_ago_confirms_first_and_types_nothing_twice(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    spoc, address = site.as_user("spoc"), f"/admin/teams/{world.teams['safety']}"
    spoc.get(address)
    site.sql(database.owner, "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    kept = re.search(r'name="draft_key" value="([^"]+)"', spoc.get(address).text)
    assert kept is not None
    form = {"email": "sergeant@example.org", "draft_key": kept[1], "back": address}
    answer = spoc.post(f"{address}/members", form)
    assert answer.status_code == 303 and answer.location == f"/session/confirm?next={address}"
    assert 'value="sergeant@example.org"' in spoc.get(address).text


def test_members_come_in_pages_by_name(site: Site, world: World, database: SimpleNamespace) -> None:
    copies(
        site,
        database.superuser,
        "app_user",
        53,
        "jsonb_build_object('id', gen_random_uuid(), 'email', 'copy' || n || '@example.org', 'password_hash', NULL,"
        " 'name', 'Copy ' || (n / 2))",
        f"id = '{world.users['reader']}'",
    )
    site.sql(
        database.superuser,
        "INSERT INTO team_membership (team_id, user_id, joined_at)"
        f" SELECT '{world.teams['safety']}', id, now() FROM app_user WHERE email LIKE 'copy%'",
    )
    address = f"/admin/teams/{world.teams['safety']}"
    found = turned(site.as_user("spoc"), address, r"remove=([0-9a-f-]{36})")
    assert [len(page) for page in found] == [50, 8] and len({one for page in found for one in page}) == 58
    refuses_strange_cursors(site.as_user("spoc"), address, by_name=True)


def test_only_an_administrator_changes_a_team(app: Flask, world: World) -> None:
    actor = act_as(world, "manager")
    with pytest.raises(Denied):
        add_member(actor, world.teams["safety"], "sergeant@example.org")
    with pytest.raises(Denied):
        remove_member(actor, world.teams["safety"], world.users["reader"])
    with pytest.raises(Denied):
        list_teams(actor)


def test_who_left_comes_back_with_a_new_day_and_who_is_not_in_it_is_not_removed(
    app: Flask, world: World
) -> None:
    spoc, team = act_as(world, "spoc"), world.teams["safety"]
    add_member(spoc, team, "Sergeant@Example.org ")
    db.session.commit()
    first = db.session.get_one(TeamMembership, (team, world.users["sergeant"])).joined_at
    remove_member(spoc, team, world.users["sergeant"])
    db.session.commit()
    with pytest.raises(NotVisible):
        remove_member(spoc, team, world.users["sergeant"])
    add_member(spoc, team, "sergeant@example.org")
    db.session.commit()
    held = db.session.get_one(TeamMembership, (team, world.users["sergeant"]))
    assert held.left_at is None and held.joined_at > first
    with pytest.raises(Invalid):
        add_member(spoc, team, "sergeant@example.org")
    with pytest.raises(Conflict):
        remove_member(spoc, team, world.users["reader"])


# ---- what a member of another employer sees: end to end -------------------------------------------------------------


def test_a_member_of_another_employer_reads_the_teams_cases_in_its_hat_alone(
    site: Site, world: World, case: UUID
) -> None:
    sergeant = site.as_user("sergeant")
    assert sergeant.get(f"/cases/{case}").status_code == 404
    assert join(site, "sergeant").status_code == 303
    assert sergeant.get(f"/cases/{case}").status_code == 404, "still in the hat of the neighbourhood team"
    colocated = in_hat(site, "sergeant")
    page = colocated.get(f"/cases/{case}")
    assert page.status_code == 200 and "your team leads this case" in page.text
    assert "Seen at dusk" in colocated.get(f"/cases/{case}/log").text
    assert "Quell" in colocated.get(f"/cases/{case}/people").text
    assert "Graffiti, Mill Lane" in colocated.get("/cases").text


def test_only_under_a_purpose_that_the_own_employers_agreement_permits(
    site: Site, world: World, case: UUID
) -> None:
    join(site, "sergeant")
    for purpose, status in (
        (Purpose.PREVENT_CRIME, 200),
        (Purpose.SAFEGUARD_CHILD, 200),
        (Purpose.TENANCY, 404),
        (Purpose.SUPPORT_VICTIM, 404),
    ):
        assert in_hat(site, "sergeant", purpose=purpose).get(f"/cases/{case}").status_code == status, purpose
    # the council's own people need none
    assert in_hat(site, "officer", purpose=Purpose.TENANCY).get(f"/cases/{case}").status_code == 200


def test_only_the_sections_that_the_own_employers_agreement_covers(
    site: Site, world: World, case: UUID
) -> None:
    with site.inside():
        agreed(world, "charity", (Section.SUMMARY, Section.CHRONOLOGY))
    assert join(site, "outreach_worker").status_code == 303
    worker = in_hat(site, "outreach_worker")
    assert worker.get(f"/cases/{case}").status_code == 200
    assert "Seen at dusk" in worker.get(f"/cases/{case}/log").text
    for address in (f"/cases/{case}", f"/cases/{case}/people", "/people", "/search?q=Wanda"):
        assert "Quell" not in worker.get(address).text, address
    assert "Quell" in site.as_user("officer").get(f"/cases/{case}/people").text


def test_when_the_agreement_is_suspended_the_next_request_finds_nothing(
    site: Site, world: World, case: UUID
) -> None:
    join(site, "sergeant")
    sergeant = in_hat(site, "sergeant")
    assert sergeant.get(f"/cases/{case}").status_code == 200
    with site.inside():
        suspend_agreement(act_as(world, "spoc"), world.agreements["sharing"], why="Breach at a processor")
        db.session.commit()
    assert sergeant.get(f"/cases/{case}").status_code == 404
    assert "Graffiti" not in sergeant.get("/cases").text
    page = html.unescape(site.as_user("spoc").get(f"/admin/teams/{world.teams['safety']}").text)
    assert "Nothing now." in page and "has been suspended since" in page
    # the council's own people go on
    assert site.as_user("officer").get(f"/cases/{case}").status_code == 200


def test_from_the_moment_of_removal_the_hat_opens_nothing(site: Site, world: World, case: UUID) -> None:
    join(site, "sergeant")
    sergeant = in_hat(site, "sergeant")
    assert sergeant.get(f"/cases/{case}").status_code == 200
    own = site.as_user("sergeant")
    address = f"/admin/teams/{world.teams['safety']}/members/{world.users['sergeant']}/remove"
    asked = site.as_user("spoc").get(f"/admin/teams/{world.teams['safety']}?remove={world.users['sergeant']}")
    assert "sees none of its records from the next click on" in asked.text
    assert site.as_user("spoc").post(address).status_code == 303
    assert sergeant.get(f"/cases/{case}").status_code in (302, 303)
    hat = {"hat": f"{world.teams['safety']}:prevent_crime", "next": "/"}
    assert own.post("/hat", hat).status_code == 403
    assert own.get("/shared").status_code == 200, "the session in the own team's hat goes on"


def test_an_entry_restricted_to_an_organisation_is_not_read_by_the_others_of_the_team(
    site: Site, world: World, case: UUID
) -> None:
    """As adult social care restricts a note to itself: here the youth justice service does."""
    for user in ("yot_worker", "sergeant"):
        assert join(site, user).status_code == 303
    with site.inside():
        worker = act_as(world, "yot_worker", team="safety", purpose=Purpose.PREVENT_CRIME)
        note = EntryForm(
            text="Known to the care team",
            audience=Audience.ORGANISATIONS,
            audience_ids=(world.organisations["yjs"],),
        )
        add_entry(worker, case, note)
        db.session.commit()
    assert "Known to the care team" in in_hat(site, "yot_worker").get(f"/cases/{case}/log").text
    for client in (site.as_user("officer"), site.as_user("manager"), in_hat(site, "sergeant")):
        page = client.get(f"/cases/{case}/log").text
        assert "Seen at dusk" in page and "Known to the care team" not in page
        assert "Known to the care team" not in client.get("/search?q=Known+care+team").text.split("<main")[1]


def test_a_member_of_another_employer_contributes_as_the_own_employer(
    site: Site, world: World, case: UUID
) -> None:
    join(site, "sergeant")
    sergeant = in_hat(site, "sergeant")
    form = {"text": "Patrolled, quiet", "kind": "visit", "nature": "fact", "audience": "", "marking": "0"}
    assert sergeant.post(f"/cases/{case}/log", form).status_code == 303
    with site.inside():
        look_at(act_as(world, "officer"))
        entry = db.session.scalars(sa.select(Entry).where(Entry.text == "Patrolled, quiet")).one()
        assert entry.contributor_organisation_id == world.organisations["police"]
        assert entry.owner_organisation_id == world.organisations["council"]
    assert "Northbrook Police" in site.as_user("officer").get(f"/cases/{case}/log").text
