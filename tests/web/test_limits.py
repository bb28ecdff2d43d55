"""Searching and exporting have a bound per user and per organisation: 429, when to try again, and one event."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hub.web.routes import Limit
from tests.fixtures.site import Site


def bounded(
    monkeypatch: pytest.MonkeyPatch, limit: Limit, *, user: int = 1000, organisation: int = 1000
) -> None:
    monkeypatch.setattr(limit, "per_user", user)
    monkeypatch.setattr(limit, "per_organisation", organisation)


def test_a_user_searches_so_often_and_a_colleague_is_not_held_up(
    site: Site, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, Limit.SEARCH, user=3)
    officer, colleague = site.as_user("officer"), site.as_user("manager")
    assert [officer.get("/search?q=noise").status_code for _ in range(5)] == [200] * 3 + [429] * 2
    refused = officer.get("/search?q=noise")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "more searches than the hub allows" in refused.text and "You can try again in" in refused.text
    assert colleague.get("/search?q=noise").status_code == 200
    rows = site.sql(database.superuser, "SELECT outcome, convert_from(body, 'UTF8')::jsonb -> 'facts' AS facts"
                    " FROM audit.event WHERE act = 'access.limited'")  # fmt: skip
    assert [(row.outcome, row.facts) for row in rows] == [("denied", {"what": "search", "whose": "user"})]
    searches = site.sql(database.superuser, "SELECT count(*) FROM audit.event WHERE act = 'search.run'")
    assert searches[0][0] == 4
    site.sql(database.superuser, "UPDATE throttle SET expires_at = now() - interval '1 second'")
    assert officer.get("/search?q=noise").status_code == 200


def test_an_organisation_has_a_bound_of_its_own_which_the_refused_do_not_use_up(
    site: Site, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, Limit.SEARCH, user=3, organisation=5)
    officer, colleague, partner = (site.as_user(user) for user in ("officer", "manager", "sergeant"))
    for _ in range(20):
        officer.get("/search?q=noise")
    assert [colleague.get("/search?q=noise").status_code for _ in range(3)] == [200, 200, 429]
    assert partner.get("/search?q=noise").status_code == 200


def test_exports_of_the_log_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, Limit.EXPORT, user=1)
    auditor = site.as_user("auditor")
    assert auditor.post("/audit/purpose", {"purpose": "lawfulness"}).status_code == 303
    assert auditor.get("/audit/exports/desk.csv").status_code == 200
    refused = auditor.get("/audit/exports/desk.xlsx")
    assert refused.status_code == 429 and "minutes" in refused.text
