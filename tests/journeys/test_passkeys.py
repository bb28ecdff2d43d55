"""A passkey's life in a real browser: added, signed in with, confirmed with, renamed, removed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, CDPSession

from tests.fixtures.browser import Visitor, assert_content
from tests.fixtures.server import Served
from tests.fixtures.site import Site
from tests.journeys import pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AGED = "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'"
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def officer(chromium: Browser, served: Served) -> Iterator[Visitor]:
    """At a browser that reaches the hub by its name: an address of numbers can have no passkeys."""
    visitor = Visitor(chromium, served.address.replace("127.0.0.1", "localhost"))
    yield visitor
    assert_content([visitor])
    visitor.close()


def plug_in(visitor: Visitor, **changed: bool) -> tuple[CDPSession, str]:
    """A device that keeps passkeys, as Chromium simulates one."""
    tools = visitor.context.new_cdp_session(visitor.page)
    tools.send("WebAuthn.enable")
    made = tools.send("WebAuthn.addVirtualAuthenticator", {"options": {**KEY, **changed}})
    return tools, made["authenticatorId"]


def press_offer(visitor: Visitor, name: str) -> None:
    """The script asks the device, then leads on."""
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name=name, exact=True).click()


def test_a_passkey_is_added_used_and_removed(officer: Visitor, site: Site, database: SimpleNamespace) -> None:
    page = officer.page
    tools, device = plug_in(officer)
    pages.sign_in(officer, "Amara Okafor")
    officer.go("/account")
    officer.look("Your account")
    pages.follow(officer, "Your passkeys")
    officer.see("You have no passkey")
    officer.look("Your passkeys, none")
    pages.follow(officer, "Add a passkey")
    officer.look("Add a passkey")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("Enter a name for the passkey").wait_for()
    # the only answer that is not 200 so far was meant
    assert [one for one in officer.complaints if "422" in one] == officer.complaints
    officer.complaints.clear()
    page.get_by_label("Name of the passkey").fill("Work laptop")
    press_offer(officer, "Make the passkey")
    officer.see("The passkey is added", "Work laptop", "On one device")
    officer.look("Your passkeys, one")
    kept = tools.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert [(one["isResidentCredential"], one["rpId"]) for one in kept] == [(True, "localhost")]

    page.locator("summary", has_text="Your account").click()
    pages.press(officer, "Sign out")
    officer.look("Sign in, with a passkey")
    officer.go("/sign-in?next=/account/passkeys")
    press_offer(officer, "Sign in with a passkey")
    officer.see("Your passkeys", "Work laptop")
    assert page.url.endswith("/account/passkeys")

    site.sql(database.superuser, AGED)
    pages.follow(officer, "Remove")
    officer.see("Confirm that it is you")
    officer.look("Confirm, with a passkey")
    press_offer(officer, "Confirm with a passkey")
    officer.see("Remove a passkey", "Work laptop")
    officer.look("Remove a passkey")
    officer.go("/account/passkeys")
    pages.follow(officer, "Rename")
    officer.look("Rename a passkey")
    page.get_by_label("Name of the passkey").fill("Laptop at the desk")
    pages.press(officer, "Rename")
    pages.follow(officer, "Remove")
    pages.press(officer, "Remove this passkey")
    officer.see("“Laptop at the desk” is removed", "You have no passkey")
    methods = site.sql(
        database.superuser, "SELECT method FROM user_session WHERE method <> 'operator' ORDER BY id"
    )
    assert [row[0] for row in methods] == ["demo", "passkey"]


def test_a_device_that_verifies_nobody_and_one_that_stops_leave_the_page_standing(officer: Visitor) -> None:
    page = officer.page
    plug_in(officer, hasUserVerification=False, isUserVerified=False)
    pages.sign_in(officer, "Amara Okafor")
    officer.go("/account/passkeys/new")
    page.get_by_label("Name of the passkey").fill("Old key")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("Nothing was done").wait_for()
    officer.look("Add a passkey, stopped")
    assert page.get_by_label("Name of the passkey").input_value() == "Old key"
    assert not page.get_by_role("button", name="Make the passkey").get_attribute("aria-disabled")


def test_where_no_passkey_can_be_answered_none_is_offered(
    chromium: Browser, served: Served, officer: Visitor
) -> None:
    by_number = Visitor(chromium, served.address)
    by_number.go("/sign-in")
    by_number.see(f"Passkeys work at http://localhost:{served.port}")
    assert by_number.page.get_by_role("button", name="Sign in with a passkey").count() == 0
    by_number.look("Sign in, at a number")
    bare = Visitor(chromium, served.address.replace("127.0.0.1", "localhost"), scripts=False)
    bare.go("/sign-in")
    assert bare.page.get_by_role("button", name="Sign in with a passkey").count() == 0
    officer.go("/sign-in")
    assert officer.page.locator("main").get_by_role("button").first.inner_text() == "Sign in with a passkey"
    assert_content([by_number, bare])
    by_number.close()
    bare.close()


def test_the_rule_is_read_by_administrators(officer: Visitor) -> None:
    """Its page, as everyone must be able to use it."""
    pages.sign_in(officer, "Lena Marsh")
    officer.go("/admin")
    officer.look("Users")
    pages.follow(officer, "Passkeys")
    officer.see("The rule does not hold", "Miriam Castle")
    officer.look("The rule for passkeys")
    pages.press(officer, "Ask for it from now on")
    officer.see("your own account first")
    pages.follow(officer, "Passkeys of administrators and auditors")
