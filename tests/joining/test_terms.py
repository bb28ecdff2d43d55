"""Nobody works before having accepted the terms in force: whatever they ask for, and however they came in."""

from __future__ import annotations

import hashlib
import re
from types import SimpleNamespace
from typing import Any

import pytest

import hub.joining.actions
import hub.joining.terms
import hub.joining.views
from hub.web.routes import DECLARED, Door
from tests.fixtures.door import accept_terms, set_up_door, sign_in
from tests.fixtures.site import Client, Site
from tests.rules.source import ROOT

# The words that people have accepted. A changed text is a new version.
TEXTS = {"2026-11": "3b5a10a42eb3b51027a980d613bead489d14b17ad852c5e28d8f2f8d8cdb5957"}


def never_accepted(
    site: Site, database: SimpleNamespace, user: str = "officer", before: str = "NULL"
) -> None:
    site.sql(
        database.superuser,
        f"UPDATE app_user SET terms_version = {before}, terms_accepted_at = CASE WHEN {before} IS NULL THEN NULL ELSE now() END"
        " WHERE id = :id",
        id=site.world.users[user],
    )


def accepted(site: Site, database: SimpleNamespace, user: str = "officer") -> list[Any]:
    return site.sql(
        database.superuser,
        "SELECT convert_from(e.body, 'UTF8')::jsonb -> 'facts' ->> 'terms' AS terms, u.terms_version FROM audit.event e JOIN app_user u ON u.id = e.object_id"
        " WHERE e.act = 'terms.accepted' AND e.user_id = u.id AND u.id = :id",
        id=site.world.users[user],
    )


def test_a_text_that_was_accepted_is_never_changed() -> None:
    found = {
        one.stem: hashlib.sha256(one.read_bytes()).hexdigest()
        for one in (ROOT / "templates/joining/terms").glob("*.html")
    }
    assert found == TEXTS and tuple(sorted(TEXTS)) == hub.joining.terms.VERSIONS
    text = re.sub(r"<[^>]+>|{#.*?#}", " ", (ROOT / "templates/joining/terms/2026-11.html").read_text())
    assert 200 < len(text.split()) < 350


def test_no_page_opens_before_the_terms_are_accepted_but_those_at_the_door(
    site: Site, database: SimpleNamespace
) -> None:
    never_accepted(site, database)
    client = site.as_user("officer")
    open_to_all = {name for name, one in DECLARED.items() if one.needs is Door.PUBLIC or one.before_terms}
    assert {name for name, one in DECLARED.items() if one.before_terms} == {
        "accounts.sign_out",
        "accounts.stay",
        "joining.terms",
        "joining.accept",
    }
    asked = 0
    adapter = site.app.url_map.bind("127.0.0.1:8480")
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint not in DECLARED or rule.endpoint in open_to_all:
            continue
        values = {
            name: site.world.users["reader"] if name.endswith("_id") else 1 if name == "number" else "x"
            for name in rule.arguments
        }
        for method in (rule.methods or set()) & {"GET", "POST"}:
            address = adapter.build(rule.endpoint, values, method=method)
            answer = client.get(address) if method == "GET" else client.post(address, {})
            assert answer.status_code == 303 and answer.location.startswith("/terms"), (
                address,
                answer.status,
            )
            asked += 1
    assert asked > 150
    written = site.sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE user_id = :id AND act NOT LIKE 'agreement.%'",
        id=site.world.users["officer"],
    )
    assert written[0][0] == 0


def test_accepting_leads_to_the_page_that_was_asked_for_and_is_written_down_once(
    site: Site, database: SimpleNamespace
) -> None:
    never_accepted(site, database)
    client = site.as_user("officer")
    sent = client.get("/cases?scope=team")
    assert sent.location == "/terms?next=/cases?scope%3Dteam" or "next=" in sent.location
    page = client.get(sent.location)
    assert page.status_code == 200 and "Accept and continue" in page.text and "/sign-out" in page.text
    token = re.search(r'name="next" value="([^"]+)"', page.text)
    assert token and token.group(1) == "/cases?scope=team"
    answer = accept_terms(client, "/cases?scope=team")
    assert answer.status_code == 303 and answer.location == "/cases?scope=team"
    assert client.get("/cases?scope=team").status_code == 200
    accept_terms(client)
    assert [(row.terms, row.terms_version) for row in accepted(site, database)] == [("2026-11", "2026-11")]
    assert "Accept and continue" not in client.get("/terms").text


def test_the_terms_lead_to_no_other_site(site: Site, database: SimpleNamespace) -> None:
    never_accepted(site, database)
    client = site.as_user("officer")
    assert accept_terms(client, "https://evil.example/").location == "/"


def test_a_script_is_told_with_a_code_and_signing_out_stays_open(
    site: Site, database: SimpleNamespace
) -> None:
    never_accepted(site, database)
    client = site.as_user("officer")
    for headers in (
        {"Sec-Fetch-Mode": "cors"},
        {"X-CSRF-Token": client.csrf},
        {"Accept": "application/json"},
    ):
        answer = client.get("/cases", headers=headers)
        assert answer.status_code == 403 and answer.json["code"] == "terms_not_accepted", headers
    kept = client.post("/drafts/cases.new", {"title": "x"}, headers={"X-CSRF-Token": client.csrf})
    assert kept.status_code == 403 and kept.json["code"] == "terms_not_accepted"
    assert client.get("/cases", headers={"Sec-Fetch-Mode": "navigate"}).status_code == 303
    with client.get("/static/js/drafts.js") as script:
        assert script.status_code == 200
    assert client.post("/sign-out").location == "/sign-in"
    assert client.get("/terms").status_code == 302


def test_a_new_version_asks_again_once_and_keeps_what_was_being_typed(
    site: Site, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site.as_user("officer")
    assert client.get("/cases").status_code == 200
    never_accepted(site, database, before="'2025-01'")
    sent = client.post(
        "/cases/new", {"title": "Half a title", "draft_key": "cases.new", "back": "/cases/new"}
    )
    assert sent.location == "/terms?next=/cases/new"
    assert "The terms have changed" in client.get(sent.location).text
    # what is accepted is what was read: another version is shown anew
    other = client.post("/terms", {"version": "2025-01"})
    assert other.status_code == 422 and "have changed" in other.text and accepted(site, database) == []
    assert accept_terms(client, "/cases/new").location == "/cases/new"
    assert "Half a title" in client.get("/cases/new").text


def test_who_comes_in_by_password_and_code_meets_the_terms(site: Site, database: SimpleNamespace) -> None:
    set_up_door(site, "officer")
    never_accepted(site, database)
    client: Client = site.visitor()
    assert sign_in(client, site, "officer").status_code == 303
    assert client.get("/").location.startswith("/terms")
    assert accept_terms(client).status_code == 303
    assert client.get("/").status_code == 200


def test_it_costs_no_query(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's row is read at every request anyhow: the page of one who accepted asks as often as it would without a rule."""
    from sqlalchemy import event

    from hub.extensions import db

    client = site.as_user("officer")
    client.get("/account")
    counts = []
    for rule in (site.app.extensions["hub_duty"], lambda _visit: None):
        asked: list[str] = []
        monkeypatch.setitem(site.app.extensions, "hub_duty", rule)
        with site.inside():
            engine = db.engine

        def count(*given: Any, into: list[str] = asked) -> None:
            into.append(given[2])

        event.listen(engine, "before_cursor_execute", count)
        assert client.get("/account").status_code == 200
        event.remove(engine, "before_cursor_execute", count)
        counts.append(len(asked))
    assert counts[0] == counts[1] > 3
