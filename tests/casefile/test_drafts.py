"""Drafts: kept while one writes and when the session runs out, shown again to their writer and to nobody else."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace
from uuid import UUID

import pytest

from hub.cases.vocabulary import CaseStatus
from hub.web.identity import COOKIE
from tests.cases.making import at_status
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as

LONG = ("Zażółć gęślą 🚲 & <i>jaźń</i>\n" * 900)[:20_000].strip()


@pytest.fixture
def case_id(site: Site) -> UUID:
    with site.inside():
        return at_status(act_as(site.world, "officer"), CaseStatus.OPEN).id


def text_of(page: str) -> str:
    found = re.search(r"<textarea[^>]*name=\"text\"[^>]*>\n(.*?)</textarea>", page, re.S)
    assert found
    return html.unescape(found.group(1))


def test_a_draft_is_given_back_at_its_form_and_goes_when_the_form_is_saved(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    kept = officer.post(f"/drafts/case_log.add:{case_id}", {"text": "Half a sente", "kind": "visit"})
    assert kept.status_code == 200 and kept.json["saved_at"]
    page = officer.get(f"/cases/{case_id}/log").get_data(as_text=True)
    assert text_of(page) == "Half a sente" and "We kept what you wrote" in page
    officer.post(f"/cases/{case_id}/log", {"text": "A whole sentence", "kind": "visit"})
    page = officer.get(f"/cases/{case_id}/log").get_data(as_text=True)
    assert text_of(page) == "" and "We kept what you wrote" not in page


def test_a_draft_can_be_thrown_away(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    key = f"case_log.add:{case_id}"
    officer.post(f"/drafts/{key}", {"text": "Never mind"})
    gone = officer.post(f"/drafts/{key}/discard?back=/cases/{case_id}/log")
    assert (gone.status_code, gone.location) == (303, f"/cases/{case_id}/log")
    assert text_of(officer.get(f"/cases/{case_id}/log").get_data(as_text=True)) == ""
    assert officer.post(f"/drafts/{key}/discard?back=//evil.example").location == "/"


def test_a_draft_of_the_details_stands_beside_what_is_saved_now(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    officer.post(f"/drafts/cases.edit:{case_id}", {"title": "My title", "summary": "My summary"})
    page = officer.get(f"/cases/{case_id}/edit").get_data(as_text=True)
    assert "Your draft and what is saved now" in page and "My title" in page and "Noise, Ward 3" in page


def test_a_draft_of_no_form_or_too_long_is_refused(site: Site) -> None:
    officer = site.as_user("officer")
    assert officer.post("/drafts/No%20Form", {"text": "x"}).status_code == 422
    assert officer.post("/drafts/cases.new", {"summary": "x" * 200_001}).status_code == 422


def test_a_session_that_ends_mid_form_loses_nothing_and_shows_it_to_nobody_else(
    site: Site, case_id: UUID, database: SimpleNamespace
) -> None:
    officer = site.as_user("officer")
    officer.get(f"/cases/{case_id}/log")
    token = officer.csrf
    site.sql(database.superuser, "UPDATE user_session SET expires_at = now() - interval '1 second'")
    late = officer.http.post(
        f"/cases/{case_id}/log",
        data={
            "csrf_token": token,
            "form_key": "0192f0c1-0000-7000-8000-000000000001",
            "draft_key": f"case_log.add:{case_id}",
            "back": f"/cases/{case_id}/log",
            "text": LONG.replace("\n", "\r\n"),
            "kind": "visit",
            "significant": "yes",
        },
    )
    assert (
        late.status_code == 302
        and "/sign-in" in late.location
        and f"next=/cases/{case_id}/log" in late.location
    )
    assert "is kept as a draft" in officer.get(late.location).get_data(as_text=True)
    kept = site.sql(database.superuser, "SELECT sealed FROM draft")
    assert len(kept) == 1 and b"jaz" not in bytes(kept[0].sealed)
    # a colleague on the same computer sees the case, and not the draft
    other = signed_in_again(site, officer, "manager")
    assert text_of(other.get(f"/cases/{case_id}/log").get_data(as_text=True)) == ""
    again = signed_in_again(site, officer, "officer")
    page = again.get(f"/cases/{case_id}/log").get_data(as_text=True)
    assert text_of(page).replace("\r\n", "\n") == LONG
    assert re.search(r'<input[^>]*name="significant"[^>]*checked', page)
    assert re.search(r'value="visit" selected', page)


def signed_in_again(site: Site, browser: Client, user: str) -> Client:
    """The same browser, signed in afresh."""
    with site.inside():
        token = act_as(site.world, user).token
    browser.http.set_cookie(COOKIE, token, secure=True)
    return Client(browser.http)
