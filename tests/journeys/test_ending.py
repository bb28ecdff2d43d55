"""What ends under people's hands: an agreement suspended while a partner reads, a consent withdrawn."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from hub.cases.models import Case
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.core import clock
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import act_as
from tests.journeys import pages
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WHY = "Patrols must know when and where it happens."
SEEN = "Noise from the garages at ten."
FIRST, FAMILY = "Kit", "Ferrier"


@pytest.fixture
def case(site: Site) -> tuple[str, str]:
    """A case of the officer's team with a subject of concern and an entry; its path and its reference."""
    with site.inside():
        officer = act_as(site.world, "officer")
        case_id = led_case(officer, "Noise, Alderside")
        row = db.session.get_one(Case, case_id)
        role = InvolvementRole.SUBJECT
        add_person(officer, row, role=role, given_names=FIRST, family_name=FAMILY)
        add_entry(officer, case_id, EntryForm(SEEN))
        add_person(
            officer, row, role=InvolvementRole.COMPLAINANT, given_names="Hedwig", family_name="Tamblyn"
        )
        reference = row.reference
        db.session.commit()
    return f"/cases/{case_id}", reference


def test_an_agreement_is_suspended_while_the_partner_reads(
    visit: Visit, site: Site, case: tuple[str, str]
) -> None:
    address, reference = case
    with site.inside():
        shared(site.world, _id(address), may_contribute=True)
    sergeant, spoc = visit(), visit()
    pages.sign_in(sergeant, "Tomasz Nowak")
    pages.open_tab(sergeant, address, "Log")
    sergeant.see(SEEN)
    pages.sign_in(spoc, "Ola Brandt")
    spoc.go(f"/agreements/{site.world.agreements['sharing']}")
    spoc.look("Agreement")
    pages.follow(spoc, "Suspend this agreement")
    spoc.look("Suspend an agreement")
    spoc.see("Shares of your organisation that end now")
    spoc.page.get_by_label("Why").fill("A laptop with the panel's papers was lost.")
    pages.press(spoc, "Suspend this agreement")
    spoc.see("Suspended")
    # the page is still open; the next click finds nothing, and what was typed is not lost in silence
    sergeant.page.get_by_label("What happened", exact=True).fill("Seen again on patrol.")
    pages.leave_by(
        sergeant,
        sergeant.page.locator("section", has=sergeant.page.locator("#new-entry")).get_by_role(
            "button", name="Add to the log"
        ),
    )
    sergeant.see("Page not found")
    sergeant.go(address, status=404)
    sergeant.go("/shared?show=ended")
    sergeant.see(reference, "The agreement was suspended")
    sergeant.look("Shared with us, ended")


def test_withdrawn_consent_stops_what_stood_on_it(visit: Visit, case: tuple[str, str]) -> None:
    address, reference = case
    officer, sergeant = visit(), visit()
    pages.sign_in(officer, "Amara Okafor")
    officer.go(f"{address}/consents")
    officer.look("Consents")
    pages.follow(officer, "Record a consent")
    officer.page.get_by_label(re.compile(f"{FIRST} {FAMILY}")).check()
    pages.press(officer, "Continue")
    officer.look("Record a consent")
    page = officer.page
    page.locator('select[name="purpose"]').select_option("prevent_crime")
    page.locator('select[name="to_organisation"]').select_option(label="Northbrook Police")
    page.get_by_label("What were they told?").fill(
        "Read the notice of March 2026; what, with whom, and that it can be withdrawn."
    )
    today = clock.today()
    for part in ("day", "month", "year"):
        page.locator(f'input[name="given_on-{part}"]').fill(str(getattr(today, part)))
    pages.choose(officer, "given_by", "person")
    pages.choose(officer, "given_how", "in_person")
    pages.press(officer, "Record this consent")
    officer.see("Holds")

    pages.start_share(officer, address)
    page.get_by_label("Northbrook Police: Northbrook neighbourhood team", exact=True).check()
    pages.press(officer, "Continue")
    officer.look("Share: on consent")
    pages.choose_purpose(officer, "prevent_crime")
    pages.choose(officer, "lawful_basis", "art6_1a")
    page.locator('select[name="consent"]').select_option(index=1)
    page.get_by_label("Why is it necessary?").fill(WHY)
    pages.press(officer, "Continue")
    officer.see("Check before you share", "Consent")
    pages.send_share(officer)
    pages.sign_in(sergeant, "Tomasz Nowak")
    pages.accept(sergeant, reference)
    sergeant.go(address)

    officer.go(f"{address}/consents")
    officer.see("Stands on it")
    pages.follow(officer, "It was withdrawn")
    officer.look("Withdrawal of a consent")
    officer.see("can no longer see what is shared on this consent")
    pages.choose(officer, "withdrawn_how", "phone")
    pages.press(officer, "It was withdrawn: stop sharing on it")
    officer.see("Withdrawn")
    sergeant.go(address, status=404)
    sergeant.go("/shared?show=ended")
    sergeant.see(reference, "Consent was withdrawn")


def _id(address: str) -> UUID:
    return UUID(address.rsplit("/", 1)[1])
