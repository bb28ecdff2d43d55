"""The whole way in Chromium with an independent provider: connect it, link, sign in, confirm, and sign out at either end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser

from tests.conftest import settings_for
from tests.fixtures.browser import Visitor, chromium
from tests.fixtures.server import serving
from tests.fixtures.site import Site
from tests.providers.independent import SECRET, independent

__all__ = ["chromium"]
NAME = "Council sign-in"


def _as_one_of_the_demonstration(visitor: Visitor, name: str) -> None:
    visitor.go("/sign-in")
    visitor.page.get_by_role("button", name=name).click()
    visitor.page.wait_for_url(f"{visitor.address}/**")


def _connect(visitor: Visitor, issuer: str) -> None:
    page = visitor.page
    _as_one_of_the_demonstration(visitor, "Lena Marsh")
    visitor.go("/admin/provider")
    visitor.look("connect")
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("Issuer").fill(issuer + "/")
    page.get_by_label("Client ID").fill("hub")
    page.get_by_label("Client secret").fill(SECRET)
    page.get_by_label("Domains of your email addresses").fill("example.org")
    page.get_by_role("button", name="Check and connect").click()
    # to the letter: the slash at the end is not in the provider's own name
    visitor.see("calls itself by another name")
    page.get_by_label("Issuer").fill(issuer)
    page.get_by_label("Client secret").fill(SECRET)
    page.get_by_role("button", name="Check and connect").click()
    visitor.see(
        "The sign-in service is connected",
        f"{visitor.address}/sign-in/return",
        "Tells the hub of a sign-out Yes",
    )
    visitor.see_nothing_of(SECRET)
    visitor.look("connected")


def _at_the_provider(visitor: Visitor, login: str) -> None:
    visitor.see("Work account")
    visitor.page.get_by_label("Name").fill(login)
    visitor.page.get_by_role("button", name="Go on").click()


def _sign_in(visitor: Visitor) -> None:
    visitor.go("/sign-in?next=/account")
    visitor.look("sign in")
    visitor.page.get_by_label("Work email address").fill("anybody@example.org")
    visitor.page.get_by_role("button", name="Continue").click()


def _leave(visitor: Visitor) -> None:
    """Without scripts the menu of the header is a `details`."""
    visitor.page.locator("details.hub-account > summary").click()
    visitor.page.get_by_role("button", name="Sign out").click()


@pytest.mark.slow
@pytest.mark.browser
def test_people_sign_in_with_their_work_account_and_a_sign_out_at_either_end_is_one_at_both(
    site: Site, database: SimpleNamespace, root_key_file: Path, tmp_path: Path, chromium: Browser
) -> None:
    settings = settings_for(database.app, root_key_file)
    with serving(settings, tmp_path) as hub, independent(hub.address, tmp_path) as issuer:
        spoc, officer = Visitor(chromium, hub.address), Visitor(chromium, hub.address)
        page = officer.page
        _connect(spoc, issuer)

        _as_one_of_the_demonstration(officer, "Amara Okafor")
        officer.go("/account/organisation")
        officer.look("link")
        page.get_by_role("button", name=f"Link {NAME}").click()
        _at_the_provider(officer, "amara")
        officer.see("is linked to your account", NAME)
        officer.look("linked")
        _leave(officer)
        page.wait_for_url(f"{hub.address}/sign-in")

        # the provider still knows them: one address is enough
        _sign_in(officer)
        page.wait_for_url(f"{hub.address}/account")
        officer.see("Amara Okafor")

        # back-channel: signed out at the provider, the next request here leads to the door
        other = officer.context.new_page()
        other.goto(f"{issuer}/session/end")
        other.get_by_role("button", name="Yes, sign me out").click()
        other.wait_for_url(f"{issuer}/session/end/success**")
        other.close()
        officer.page.goto("/account")
        page.wait_for_url(f"{hub.address}/sign-in**")
        told = site.sql(
            database.superuser,
            "SELECT convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'why' FROM audit.event WHERE act = 'session.revoked'",
        )
        assert [row[0] for row in told] == ["provider"]

        _sign_in(officer)
        _at_the_provider(officer, "amara")
        page.wait_for_url(f"{hub.address}/account")

        # who it is again: asked at the provider, though it knows them
        officer.go("/session/confirm?next=/account/sessions")
        officer.look("confirm")
        page.get_by_role("button", name=f"Go to {NAME}").click()
        _at_the_provider(officer, "amara")
        page.wait_for_url(f"{hub.address}/account/sessions")
        officer.go("/session/confirm?next=/account/sessions")
        page.get_by_role("button", name=f"Go to {NAME}").click()
        _at_the_provider(officer, "somebody-else")
        # the provider ended its session of the one, with ours, before it let in the other
        officer.see("This did not work", "You are not signed in")
        officer.look("refused")
        _sign_in(officer)
        officer.see("it is not linked to an account of the hub")
        page.goto(f"{issuer}/session/end")
        page.get_by_role("button", name="Yes, sign me out").click()
        page.wait_for_url(f"{issuer}/session/end/success**")
        _sign_in(officer)
        _at_the_provider(officer, "amara")
        page.wait_for_url(f"{hub.address}/account")

        # from here: the provider's session ends too
        _leave(officer)
        page.get_by_role("button", name="Yes, sign me out").click()
        page.wait_for_url(f"{hub.address}/sign-in")
        _sign_in(officer)
        officer.see("Work account")
        # what the provider's own pages lack, such as an icon, is not ours
        complaints = [one for visitor in (spoc, officer) for one in visitor.complaints if hub.address in one]
        assert complaints == []
        for visitor in (spoc, officer):
            visitor.close()
