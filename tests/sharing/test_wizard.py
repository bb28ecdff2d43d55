"""What the wizard offers and greys, on which agreement, basis and consent a share stands, and whom it reaches."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.access.models import Grant, Record
from hub.access.vocabulary import Purpose, Section
from hub.core import clock
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.sharing.actions import answer_share
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as
from tests.sharing.steps import filled, grant_of, joins, second_agreement, step, words


@pytest.fixture
def case(site: Site, world: World) -> UUID:
    with site.inside():
        return led_case(act_as(world, "officer"))


# ---- who ----------------------------------------------------------------------------------------------------------


def test_teams_of_other_partnerships_are_offered_with_where_they_work(site: Site, case: UUID) -> None:
    page = words(site.as_user("officer").get(f"/cases/{case}/share"))
    assert "Northbrook Police: Eastmere neighbourhood team (Eastmere Partnership)" in page


def test_a_share_across_partnerships_goes_through_the_same_steps(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    to = f"team:{world.organisations['police']}:{world.teams['npt_east']}"
    assert "Eastmere neighbourhood team" in step(
        site, case, "check", **filled(world, to="police") | {"to": to}
    )
    assert (
        site.as_user("officer").post(f"/cases/{case}/share/send", filled(world) | {"to": to}).status_code
        == 303
    )
    told = site.sql(database.superuser, "SELECT user_id FROM notification WHERE kind = 'case.shared'")
    assert {row[0] for row in told} == {world.users["sergeant_east"]}
    east = site.as_user("sergeant_east")
    assert east.post(f"/shared/{grant_of(site, case).id}/answer", {"answer": "accept"}).status_code == 303
    assert east.get(f"/cases/{case}").status_code == 200
    assert site.as_user("sergeant").get(f"/cases/{case}").status_code == 404


def test_named_people_are_found_by_part_of_their_name(site: Site, world: World, case: UUID) -> None:
    police = str(world.organisations["police"])
    page = step(site, case, "who", of=police, find="nowa")
    assert f'value="user:{police}:{world.users["sergeant"]}"' in page and "Imogen Farrow" not in page
    # an auditor opens no records, and nobody of a partner without an agreement can be looked for
    assert "Gareth Pugh" not in step(site, case, "who", of=police, find="")
    charity = str(world.organisations["charity"])
    assert "Noor Aziz" not in step(site, case, "who", of=charity, find="")
    assert "Nobody of that name" in step(site, case, "who", of=police, find="zzz")
    chosen = filled(world) | {"to": f"user:{police}:{world.users['sergeant']}"}
    assert "Tomasz Nowak, Northbrook Police can read" in step(site, case, "check", **chosen)


def test_a_colocated_team_is_reached_as_far_as_each_employer_is_party(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    for user in ("yot_worker", "outreach_worker"):
        joins(site, database.superuser, user, "npt")
    page = words(site.as_user("officer").get(f"/cases/{case}/share"))
    assert "All who wear this team’s hat and whose own employer is party to the agreement" in page
    to = f"team:{world.organisations['police']}:{world.teams['npt']}"
    form = filled(world) | {"to": to}
    assert "all who wear this team’s hat" in step(site, case, "check", **form)
    assert site.as_user("officer").post(f"/cases/{case}/share/send", form).status_code == 303
    grant = grant_of(site, case)
    assert grant.to_organisation_id == world.organisations["police"]
    told = site.sql(database.superuser, "SELECT user_id FROM notification WHERE kind = 'case.shared'")
    assert {row[0] for row in told} == {world.users["sergeant"], world.users["yot_worker"]}
    with site.inside():
        crime = Purpose.PREVENT_CRIME
        outside = act_as(world, "outreach_worker", team="npt", purpose=crime)
        assert not site_sees(outside, case)
        member = act_as(world, "yot_worker", team="npt", purpose=crime)
        answer_share(member, grant.id, accept=True)
        db.session.commit()
        assert site_sees(member, case)
        assert site_sees(act_as(world, "sergeant"), case)
        assert not site_sees(act_as(world, "outreach_worker", team="npt", purpose=crime), case)
        # the other team of the same employer is not reached
        assert not site_sees(act_as(world, "yot_worker", purpose=crime), case)


def site_sees(_actor: Any, case: UUID) -> bool:
    return db.session.query(Record.id).filter(Record.id == case).scalar() is not None


def test_others_in_our_own_colocated_team_are_reached_under_their_agreement(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    joins(site, database.superuser, "yot_worker", "housing")
    to = f"team:{world.organisations['council']}:{world.teams['housing']}"
    page = step(site, case, "what", to=to)
    assert "Only our own people in this team" in page and "Northbrook sharing agreement" in page
    own = filled(world) | {"to": to, "purpose": ""}
    assert site.as_user("officer").post(f"/cases/{case}/share/send", own).status_code == 303
    assert grant_of(site, case).agreement_id is None
    both = site.as_user("officer").post(f"/cases/{case}/share/send", filled(world) | {"to": to})
    assert both.status_code == 303
    with site.inside():
        housing = act_as(world, "housing_officer", purpose=Purpose.PREVENT_CRIME)
        for grant in db.session.query(Grant.id).all():
            answer_share(housing, grant.id, accept=True)
        db.session.commit()
        assert site_sees(act_as(world, "yot_worker", team="housing", purpose=Purpose.PREVENT_CRIME), case)


def test_a_team_is_shared_with_through_its_own_organisation(site: Site, world: World, case: UUID) -> None:
    to = f"team:{world.organisations['yjs']}:{world.teams['npt']}"
    answer = site.as_user("officer").post(f"/cases/{case}/share/send", filled(world) | {"to": to})
    assert answer.status_code == 422 and "Choose a team of that organisation" in words(answer)


# ---- what and why -------------------------------------------------------------------------------------------------


def test_of_several_agreements_the_chosen_one_carries_the_share(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    second = second_agreement(site, database.superuser, "summary,people")
    page = step(site, case, "what", to=f"organisation:{world.organisations['police']}")
    for key in (second, world.agreements["sharing"]):
        assert f'value="prevent_crime:{key}"' in page
    assert "Not under Second agreement (NBC-ISA-SECOND)" in page
    chosen = {"purpose": f"prevent_crime:{second}", "sections": ["summary", "people"]}
    check = step(site, case, "check", **filled(world, **chosen))
    assert "Second agreement (NBC-ISA-SECOND)" in check and "Public task" in check
    assert (
        site.as_user("officer").post(f"/cases/{case}/share/send", filled(world, **chosen)).status_code == 303
    )
    assert str(grant_of(site, case).agreement_id) == second
    late = filled(world, **chosen, **{"ends-year": str(clock.now().year + 1)})
    refused = site.as_user("officer").post(f"/cases/{case}/share", {**late, "go": "check"})
    assert refused.status_code == 422 and "must not be after the agreement" in words(refused)


def test_a_section_that_the_agreement_does_not_cover_is_greyed_and_refused(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    site.sql(
        database.superuser,
        "UPDATE agreement SET sections = ARRAY['summary', 'chronology'] WHERE id = :id",
        id=world.agreements["sharing"],
    )
    page = step(site, case, "what", to=f"organisation:{world.organisations['police']}")
    assert "Health: no agreement in force with them covers it" in page
    assert not re.search(r'name="sections" type="checkbox" value="health"', page)
    answer = site.as_user("officer").post(
        f"/cases/{case}/share/send", filled(world, sections=["summary", "health"])
    )
    assert answer.status_code == 403 and "does not cover Health" in words(answer)
    assert f'href="/cases/{case}/sharing"' in words(answer)
    denied = site.sql(database.superuser, "SELECT outcome FROM audit.event WHERE act = 'share.denied'")
    assert [row[0] for row in denied] == ["denied"]


def test_an_agreement_between_others_carries_nothing(site: Site, world: World, case: UUID) -> None:
    for key in (world.agreements["unsigned"], UUID(int=1)):
        form = filled(world, purpose=f"prevent_crime:{key}")
        answer = site.as_user("officer").post(f"/cases/{case}/share/send", form)
        assert answer.status_code == 403 and "does not name both organisations" in words(answer)


def test_another_basis_of_the_same_regime_may_be_chosen_and_no_other(
    site: Site, world: World, case: UUID
) -> None:
    page = step(site, case, "what", to=f"organisation:{world.organisations['police']}")
    values = re.findall(r'name="lawful_basis" type="radio" value="(\w*)"', page)
    assert values == ["", "art6_1c", "art6_1d", "art6_1a"]
    officer = site.as_user("officer")
    for wrong in ("p3_task", "art6_1f"):
        answer = officer.post(f"/cases/{case}/share/send", filled(world, lawful_basis=wrong))
        assert answer.status_code == 422 and "choose that, or one of its kind" in words(answer)
    made_up = officer.post(f"/cases/{case}/share/send", filled(world, lawful_basis="because"))
    assert made_up.status_code == 422 and "Choose a lawful basis from the list" in words(made_up)
    assert officer.post(f"/cases/{case}/share/send", filled(world, lawful_basis="art6_1d")).status_code == 303
    assert grant_of(site, case).lawful_basis == "art6_1d"


# ---- an incident without its case ---------------------------------------------------------------------------------


@pytest.fixture
def incident(site: Site, world: World) -> UUID:
    with site.inside():
        form = IncidentForm(IncidentKind.NOISE, "Drums until three", "2026-03-01")
        found = log_incident(act_as(world, "officer"), form).id
        db.session.commit()
        return found


def test_an_incident_is_shared_changed_and_ended_without_its_case(
    site: Site, world: World, incident: UUID
) -> None:
    officer, sergeant = site.as_user("officer"), site.as_user("sergeant")
    base = f"/incidents/{incident}"
    assert f'href="{base}/share"' in words(officer.get(base))
    assert "Step 1 of 3" in words(officer.get(f"{base}/share"))
    form = filled(world, sections=["summary", "people"])
    what = officer.post(f"{base}/share", {"to": form["to"], "go": "what"})
    assert what.status_code == 200 and 'value="youth_justice"' not in words(what)
    assert "Check before you share" in words(officer.post(f"{base}/share", {**form, "go": "check"}))
    sent = officer.post(f"{base}/share/send", form)
    assert sent.status_code == 303 and sent.location == f"{base}/sharing"
    grant = grant_of(site, incident)
    assert "Northbrook Police" in words(officer.get(base)) and "Waiting for an answer" in words(
        officer.get(base)
    )
    assert sergeant.get(base).status_code == 404
    assert sergeant.post(f"/shared/{grant.id}/answer", {"answer": "accept"}).status_code == 303
    seen = words(sergeant.get(base))
    assert "Drums until three" in seen and "Who shared it, why, and on what it stands" in seen
    changed = officer.post(
        f"{base}/sharing/{grant.id}/change", filled(world, sections=["summary"], reason="Less")
    )
    assert changed.status_code == 303
    assert f"{base}/sharing?end={grant.id}" in words(officer.get(base))
    assert "Why it ends" in words(officer.get(f"{base}/sharing?end={grant.id}"))
    assert officer.post(f"{base}/sharing/{grant.id}/end", {"reason": "Solved"}).status_code == 303
    assert sergeant.get(base).status_code == 404


def test_an_incident_that_others_lead_is_not_shared_on(site: Site, world: World, incident: UUID) -> None:
    with site.inside():
        shared(world, incident, sections=(Section.SUMMARY,))
    sergeant = site.as_user("sergeant")
    assert sergeant.get(f"/incidents/{incident}/share").status_code == 403
    assert sergeant.post(f"/incidents/{incident}/share/send", filled(world, "yjs")).status_code == 403
    assert site.as_user("yot_worker").get(f"/incidents/{incident}/share").status_code == 404
    assert site.as_user("yot_worker").get(f"/incidents/{incident}/sharing").status_code == 404
    refused = site.as_user("officer").post(
        f"/incidents/{incident}/share/send", filled(world, "other_council")
    )
    assert refused.status_code == 403 and f'href="/incidents/{incident}/sharing"' in words(refused)


# ---- why you see this ---------------------------------------------------------------------------------------------


def test_the_recipient_reads_on_what_it_stands(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        shared(world, case, may_contribute=True)
    page = words(site.as_user("sergeant").get(f"/cases/{case}"))
    for said in (
        "Amara Okafor, Northbrook Council",
        "The patrol needs to know where it happens",
        "Prevent crime and disorder",
        "Crime and Disorder Act 1998 s.115",
        "Public task (UK GDPR Art 6(1)(e))",
        f'href="/agreements/{world.agreements["sharing"]}"',
        "Summary, Log, up to OFFICIAL. You may add to these parts",
    ):
        assert said in page, said
    assert "Who shared it, why, and on what it stands" not in words(
        site.as_user("officer").get(f"/cases/{case}")
    )


def test_a_closed_case_is_not_shared_on(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    site.sql(
        database.superuser,
        "UPDATE case_record SET status = 'closed', closure_reason = 'resolved_mediation', closed_at = now() WHERE id = :id",
        id=case,
    )
    assert site.as_user("officer").get(f"/cases/{case}/share").status_code == 403
    answer = site.as_user("officer").post(f"/cases/{case}/share/send", filled(world))
    assert answer.status_code == 409 and f'href="/cases/{case}/sharing"' in words(answer)
