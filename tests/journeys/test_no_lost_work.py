"""A session that ends in the middle of a form loses nothing: warned of, kept, and back at the same place in the same text."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from tests.fixtures.site import Site
from tests.journeys import pages
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# 20,000 characters of lines that differ, with what is awkward in a form
TEXT = "".join(f"Line {number}: “noise” & <smoke> at the café\n" for number in range(600))[:19_999] + "."
PLACE = 12_345


def end_sessions(site: Site, database: SimpleNamespace) -> None:
    site.sql(database.superuser, "UPDATE user_session SET expires_at = now() - interval '1 second'")


def test_a_session_that_runs_out_in_the_middle_of_a_text_brings_it_back_with_the_caret(
    visit: Visit, site: Site, database: SimpleNamespace
) -> None:
    officer = visit()
    officer.page.clock.install()
    pages.sign_in(officer, "Amara Okafor")
    officer.go("/incidents/new?from=work")
    page = officer.page
    box = page.locator('textarea[name="description"]')
    box.fill(TEXT)
    box.evaluate(f"(box) => box.setSelectionRange({PLACE}, {PLACE + 5})")
    page.clock.run_for(3_000)
    page.locator("[data-draft-status]", has_text="Saved as a draft").first.wait_for()
    # nothing is said until two minutes before the end
    warning = page.get_by_role("alertdialog", name="You will be signed out soon")
    page.clock.run_for(12 * 60_000)
    assert not warning.is_visible()
    page.clock.run_for(75_000)
    warning.wait_for()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Stay signed in"
    officer.look("Warning before the session ends")
    # the warning by itself has kept nothing alive
    seen = "SELECT count(*) FROM user_session WHERE last_seen_at > authenticated_at + interval '5 minutes'"
    assert site.sql(database.superuser, seen)[0][0] == 0
    # one key stays, and one is back in the text. The browser's clock is ahead by what it was wound on, and the server's is not
    ahead = "UPDATE user_session SET last_seen_at = now(), expires_at = now() + interval '28 minutes'"
    site.sql(database.superuser, ahead)
    page.keyboard.press("Enter")
    warning.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.name") == "description"
    assert page.evaluate("document.activeElement.selectionStart") == PLACE
    page.clock.run_for(13 * 60_000 + 30_000)
    warning.wait_for()
    end_sessions(site, database)
    with page.expect_navigation():
        page.clock.run_for(3 * 60_000)
    officer.see("Sign in", "is kept as a draft")
    assert re.search(r"/sign-in\?kept=1&next=%2Fincidents%2Fnew%3Ffrom%3Dwork$", page.url)
    pages.leave_by(officer, page.get_by_role("button", name=re.compile("^Amara Okafor")))
    assert page.url.endswith("/incidents/new?from=work")
    assert box.input_value() == TEXT
    assert page.evaluate("document.activeElement.name") == "description"
    place = page.evaluate("[document.activeElement.selectionStart, document.activeElement.selectionEnd]")
    assert place == [PLACE, PLACE + 5]


def test_without_scripts_a_form_sent_too_late_comes_back_as_it_was(
    visit: Visit, site: Site, database: SimpleNamespace
) -> None:
    officer = visit(scripts=False)
    pages.sign_in(officer, "Amara Okafor")
    officer.go("/incidents/new")
    officer.see("If you do nothing, you are signed out at")
    box = officer.page.locator('textarea[name="description"]')
    box.fill(TEXT)
    end_sessions(site, database)
    pages.press(officer, "Log incident")
    officer.see("is kept as a draft")
    pages.leave_by(officer, officer.page.get_by_role("button", name=re.compile("^Amara Okafor")))
    assert officer.page.url.endswith("/incidents/new")
    assert box.input_value() == TEXT
