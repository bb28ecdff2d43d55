"""The door in a browser: a lost phone from the call to the first page, changing one's own ways in, with and without scripts."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from tests.fixtures.browser import PHONE, WIDE, Visitor, assert_content, chromium
from tests.fixtures.door import PASSWORD, code_of, next_code, offered, set_up_door
from tests.fixtures.site import Site
from tests.journeys.pages import follow, press

__all__ = ["chromium"]

NEW = "gondola drizzle turnip"
# where pictures of each page go, for people to look at
PICTURES = os.environ.get("HUB_PICTURES")
Arrive = Callable[..., Visitor]


@pytest.fixture
def arrive(site: Site, chromium: Browser) -> Iterator[Arrive]:
    """The hub outside a demonstration, and browsers of its own for each who comes."""
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    visitors: list[Visitor] = []

    def come(*, scripts: bool = True) -> Visitor:
        visitors.append(Visitor(chromium, f"http://127.0.0.1:{server.port}", scripts=scripts))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert_content(visitors)


def look(visitor: Visitor, name: str) -> None:
    visitor.look(name)
    if PICTURES and visitor.scripts:
        for size in (WIDE, PHONE):
            visitor.page.set_viewport_size(size)
            visitor.page.screenshot(path=Path(PICTURES) / f"{name}-{size['width']}.png", full_page=True)
        visitor.page.set_viewport_size(WIDE)


def give_password(visitor: Visitor, user: str, password: str) -> None:
    visitor.page.get_by_label("Email address").fill(f"{user}@example.org")
    visitor.page.get_by_label("Password", exact=True).fill(password)
    look(visitor, "sign-in")
    press(visitor, "Continue")


def sign_in(visitor: Visitor, site: Site, user: str) -> None:
    visitor.go("/sign-in")
    give_password(visitor, user, PASSWORD)
    visitor.page.get_by_label("Six-digit code").fill(next_code(site, user))
    press(visitor, "Sign in")
    visitor.see("Notifications")


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without"])
def test_who_lost_the_phone_walks_back_in(site: Site, arrive: Arrive, scripts: bool) -> None:
    set_up_door(site, "officer", "spoc")
    spoc = arrive()
    sign_in(spoc, site, "spoc")
    spoc.go(f"/admin/users/{site.world.users['officer']}")
    look(spoc, "admin-user")
    press(spoc, "Reset how they sign in")
    spoc.see("Give this link to Amara Okafor", "60 minutes")
    look(spoc, "reset-link")
    link = re.search(r"/enrol/[\w-]+", spoc.page.content())
    assert link

    officer = arrive(scripts=scripts)
    officer.go(link.group())
    officer.see("Set your password")
    look(officer, "enrol")
    officer.page.get_by_label("Password", exact=True).fill("passwordpassword")
    officer.page.get_by_label("The same password again").fill("passwordpassword")
    press(officer, "Set password and continue")
    officer.see("easy to guess")
    look(officer, "enrol-refused")
    officer.page.get_by_label("Password", exact=True).fill(NEW)
    officer.page.get_by_label("The same password again").fill(NEW)
    press(officer, "Set password and continue")
    officer.see("Set up your authenticator app")
    officer.page.get_by_text("I cannot scan it").click()
    look(officer, "set-up")
    width = officer.page.get_by_alt_text("QR code for your authenticator app").evaluate(
        "one => one.naturalWidth", None
    ) if scripts else 1  # fmt: skip
    assert width > 0, "the content policy let the picture through"
    secret = offered(officer.page.content())
    officer.page.get_by_label("Six-digit code").fill("000000")
    press(officer, "Set up and sign in")
    officer.see("The code is not right")
    assert offered(officer.page.content()) == secret
    officer.page.get_by_label("Six-digit code").fill(code_of(secret))
    press(officer, "Set up and sign in")
    officer.see("Your authenticator app is set up", "Amara Okafor")

    elsewhere = arrive(scripts=scripts)
    elsewhere.go("/sign-in?next=/cases/new")
    give_password(elsewhere, "officer", NEW)
    elsewhere.see("Enter your code")
    look(elsewhere, "code")
    elsewhere.page.get_by_label("Six-digit code").fill("000000")
    press(elsewhere, "Sign in")
    elsewhere.see("The code is not right")
    look(elsewhere, "code-refused")
    elsewhere.page.get_by_label("Six-digit code").fill(code_of(secret, 1))
    press(elsewhere, "Sign in")
    elsewhere.see("Open a case")


@pytest.mark.browser
def test_users_change_their_own_password_and_app(site: Site, arrive: Arrive) -> None:
    set_up_door(site, "officer")
    officer = arrive()
    sign_in(officer, site, "officer")
    officer.go("/account")
    officer.see("How you sign in")
    look(officer, "account")
    follow(officer, "Change your password")
    look(officer, "password")
    officer.page.get_by_label("Present password").fill(PASSWORD)
    officer.page.get_by_label("New password", exact=True).fill(NEW)
    officer.page.get_by_label("The new password again").fill(NEW)
    press(officer, "Change password")
    officer.see("Your password is changed")
    follow(officer, "set up another authenticator app")
    look(officer, "app-start")
    press(officer, "Start")
    officer.page.get_by_text("I cannot scan it").click()
    look(officer, "app")
    officer.page.get_by_label("Six-digit code").fill(code_of(offered(officer.page.content())))
    press(officer, "Use this app from now on")
    officer.see("Your new authenticator app is set up")
    officer.go("/session/confirm?next=/account")
    look(officer, "confirm")
