"""A case is shared in three steps after a look as its recipient; what is shared is changed, and an incident goes alone."""

from __future__ import annotations

import pytest

from hub.access.models import Record
from hub.access.vocabulary import Audience
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from tests.fixtures.shares import led_case
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as
from tests.journeys import pages
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WHY = "Patrols need to know when and where it happens"


@pytest.fixture
def worked_case(site: Site, world: World) -> str:
    """The path of a case of the council with people and a log, of which a part is for supervisors."""
    with site.inside():
        officer = act_as(world, "officer")
        case = led_case(officer, "Noise, Rope Walk", summary="Loud at night since May")
        record = db.session.get_one(Record, case)
        for role, name in ((InvolvementRole.SUBJECT, "Danny"), (InvolvementRole.VICTIM, "Mrs Ayling")):
            add_person(officer, record, role=role, given_names=name)
        add_entry(officer, case, EntryForm("Drums until three in the morning"))
        db.session.commit()
        manager = act_as(world, "manager")
        add_entry(manager, case, EntryForm("Review of the officer", audience=Audience.SUPERVISOR_ONLY))
        db.session.commit()
        return f"/cases/{case}"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_case_is_shared_after_a_look_as_its_recipient(
    visit: Visit, worked_case: str, scripts: bool
) -> None:
    officer = visit(scripts=scripts)
    page = officer.page
    pages.sign_in(officer, "Amara Okafor")
    officer.go(f"{worked_case}/sharing")
    officer.look("Sharing of a case, with nobody")
    officer.go(f"{worked_case}/share")
    officer.see("Step 1 of 3", "Lantern Outreach")
    officer.look("Share: who")
    page.get_by_label("Northbrook Police: Northbrook neighbourhood team").check()
    pages.press(officer, "Continue")
    officer.see("Step 2 of 3", "Crime and Disorder Act 1998 s.115")
    officer.look("Share: what and why")
    pages.press(officer, "Continue")
    officer.see("Say why sharing this is necessary")
    officer.look("Share: what and why, with mistakes")
    page.get_by_label("Why is it necessary?").fill(WHY)
    page.get_by_label("People, places and vehicles").check()
    pages.press(officer, "Continue")
    officer.see("Check before you share", "Public task (UK GDPR Art 6(1)(e))")
    officer.look("Share: check")
    pages.press(officer, "See what they would see")
    officer.see("You see this as Tomasz Nowak", "Drums until three in the morning", "Danny")
    officer.see_nothing_of("Mrs Ayling", "Review of the officer")
    officer.look("Preview before sharing")
    pages.press(officer, "Back to the check")
    officer.see("Check before you share", WHY)
    pages.press(officer, "Share now")
    officer.see("Waiting for an answer", WHY)

    sergeant = visit(scripts=scripts)
    pages.sign_in(sergeant, "Tomasz Nowak")
    sergeant.go(worked_case, status=404)
    sergeant.go("/shared")
    sergeant.page.get_by_role("button", name="Accept").click()
    sergeant.go(worked_case)
    sergeant.page.get_by_text("Who shared it, why, and on what it stands").click()
    sergeant.see(WHY, "Amara Okafor, Northbrook Council", "Crime and Disorder Act 1998 s.115")
    sergeant.look("A shared case")
    sergeant.see_nothing_of("Mrs Ayling", "Review of the officer")

    officer.go(f"{worked_case}/sharing")
    officer.look("Sharing of a case")
    pages.follow(officer, "See as they see it")
    officer.see("You see this as Tomasz Nowak", "Drums until three in the morning")
    officer.look("Preview of a live share")
    pages.follow(officer, "Back to who can see this case")
    pages.follow(officer, "Change")
    officer.look("Change a share")
    page.get_by_label("Log", exact=True).uncheck()
    page.get_by_label("Why this changes").fill("The patrol is over")
    pages.press(officer, "Change this share")
    officer.see("The share has changed")
    sergeant.go(f"{worked_case}/log", status=404)
    sergeant.go(worked_case)


def test_an_incident_is_shared_without_its_case(visit: Visit, site: Site, world: World) -> None:
    with site.inside():
        form = IncidentForm(IncidentKind.NOISE, "Drums until three", "2026-03-01")
        incident = f"/incidents/{log_incident(act_as(world, 'officer'), form).id}"
        db.session.commit()
    officer = visit()
    pages.sign_in(officer, "Amara Okafor")
    officer.go(incident)
    officer.see("Who can see this", "It is shared with nobody else")
    officer.go(f"{incident}/share")
    officer.look("Share an incident: who")
    officer.page.get_by_text("Share with one named person").click()
    officer.page.get_by_label("Organisation").select_option("Northbrook Police")
    pages.press(officer, "Show the people")
    officer.look("Share an incident: a named person")
    officer.page.get_by_label("Tomasz Nowak").check()
    pages.press(officer, "Continue")
    officer.look("Share an incident: what and why")
    officer.page.get_by_label("Why is it necessary?").fill(WHY)
    pages.press(officer, "Continue")
    officer.look("Share an incident: check")
    pages.press(officer, "Share now")
    officer.look("Sharing of an incident")
    officer.go(incident)
    officer.look("An incident that is shared")
    pages.follow(officer, "End")
    officer.see("Why it ends")
