"""Asking a partner after a search told only that it holds a record; and opening a record in an emergency."""

from __future__ import annotations

import pytest

from tests.access_requests.conftest import known_case
from tests.fixtures.site import Site
from tests.fixtures.world import World
from tests.journeys import pages
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WHY = "A caller says that he threatens her with a knife now; officers must know of weapons there"


@pytest.fixture
def known(site: Site, world: World) -> tuple[str, str]:
    """The reference and the path of a case of the council that partners may know of."""
    with site.inside():
        case = known_case(world)
        return case.reference, f"/cases/{case.id}"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_partner_is_asked_and_supplies_a_part(visit: Visit, known: tuple[str, str], scripts: bool) -> None:
    reference, case = known
    sergeant = visit(scripts=scripts)
    pages.sign_in(sergeant, "Tomasz Nowak")
    sergeant.go("/search?q=Devon+Marchbanks")
    sergeant.see("Northbrook Council holds a record")
    sergeant.see_nothing_of(reference, case)
    sergeant.look("Search with a blind hit")
    pages.press(sergeant, "Ask Northbrook Council")
    sergeant.look("Ask a partner")
    pages.press(sergeant, "Send the request to Northbrook Council")
    sergeant.see("There is a problem")
    sergeant.look("Ask a partner, with mistakes")
    page = sergeant.page
    page.get_by_label("Within 24 hours").check()
    page.get_by_label("Exactly what you need to know").fill("Whether he has threatened staff")
    page.get_by_label("Why it is necessary").fill("Officers call there tomorrow")
    pages.press(sergeant, "Send the request to Northbrook Council")
    asked = page.url
    sergeant.see("Waiting for an answer")
    sergeant.see_nothing_of(reference, case)
    sergeant.look("A request asked")
    sergeant.go("/requests?by=ours")
    sergeant.look("Requests asked by us")

    officer = visit(scripts=scripts)
    pages.sign_in(officer, "Amara Okafor")
    officer.go("/requests?state=waiting")
    officer.look("Requests asked of us")
    pages.leave_by(officer, officer.page.locator("main .hub-list__link").first)
    officer.see("Devon Marchbanks", reference, "Officers call there tomorrow")
    officer.look("A request to answer")
    officer.page.get_by_label("Supply a part of it").check()
    officer.page.get_by_label("What you say to them").fill("Nothing on the people next door.")
    officer.page.get_by_label("People, places and vehicles").check()
    pages.press(officer, "Send the answer")
    officer.see("Supplied in part")
    officer.look("A request answered")

    sergeant.go(asked.removeprefix(sergeant.address))
    sergeant.see("Supplied in part", "Nothing on the people next door.", reference)
    sergeant.go(f"{case}/people")
    sergeant.see("Devon Marchbanks")
    sergeant.see_nothing_of("Rosegarden")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_record_is_opened_in_an_emergency_given_back_and_signed_off(
    visit: Visit, known: tuple[str, str], scripts: bool
) -> None:
    reference, case = known
    sergeant = visit(scripts=scripts)
    pages.sign_in(sergeant, "Tomasz Nowak")
    sergeant.go(case, status=404)
    sergeant.go("/emergency")
    sergeant.look("Emergency access")
    page = sergeant.page
    page.get_by_label("Reference of the record").fill(reference)
    page.get_by_label("Why it cannot wait").fill(WHY)
    pages.press(sergeant, "Continue")
    sergeant.see("You will see the whole of", "60 minutes", "Data Protection Act 2018, section 170")
    sergeant.look("Emergency access: check")
    pages.press(sergeant, "Back")
    sergeant.see("Reference of the record")
    pages.press(sergeant, "Continue")
    pages.press(sergeant, "Open it now")
    assert page.url.endswith(case)
    sergeant.see(f"Emergency access to {reference} until", "You see this record by emergency access")
    sergeant.look("A case open in an emergency")
    sergeant.go("/")
    sergeant.see(f"Emergency access to {reference} until")
    pages.press(sergeant, f"Give it back now {reference}")
    sergeant.go(case, status=404)

    manager = visit(scripts=scripts)
    pages.sign_in(manager, "Rhys Llewellyn")
    pages.go_to(manager, "Emergencies")
    manager.see("Tomasz Nowak", "Waiting for review")
    manager.look("Emergencies")
    pages.leave_by(manager, manager.page.locator("main .hub-list__link").first)
    manager.see(WHY, "Case viewed: 1 time")
    manager.look("One emergency access")
    manager.page.get_by_label("Explained: it was needed").check()
    manager.page.get_by_label("What you looked at and what you found").fill("A knife was found.")
    pages.press(manager, "Sign it off")
    manager.go("/emergencies?state=reviewed")
    manager.see("Explained: it was needed", "Rhys Llewellyn")
    sergeant.go("/emergency")
    sergeant.see("Explained: it was needed")
    sergeant.look("Emergency access with earlier ones")
