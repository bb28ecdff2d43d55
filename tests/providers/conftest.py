"""The council's provider, connected through the administrator's own page; and people who come back from it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from hub.web.identity import COOKIE
from tests.fixtures.site import Client, Site
from tests.providers.hostile import CLIENT, SECRET, Hostile, hostile

OFFICER = "officer@example.org"


def settings_of(issuer: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Council sign-in",
        "issuer": issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "domains": "example.org",
        "acr": "",
        "amr": ["mfa", "otp", "hwk"],
        "algorithms": ["RS256", "ES256", "PS256", "EdDSA"],
        **changes,
    }


class Door:
    """The site's door, and the provider behind it."""

    def __init__(self, site: Site, provider: Hostile, superuser: str) -> None:
        self.site = site
        self.provider = provider
        self.superuser = superuser

    def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.site.sql(self.superuser, statement, **values)]

    def events(self, act: str) -> list[tuple[str, Any]]:
        """Outcome and facts of the events of one act, the newest first."""
        rows = self.sql(
            "SELECT outcome, convert_from(body, 'UTF8')::jsonb -> 'facts' FROM audit.event WHERE act = :act ORDER BY at DESC",
            act=act,
        )
        return [(outcome, facts) for outcome, facts in rows]

    def set_out(self, visitor: Client, email: str = OFFICER) -> TestResponse:
        answer = visitor.post("/sign-in/organisation", {"email": email, "next": "/account"})
        if answer.status_code == 303 and answer.headers["Location"].startswith(self.provider.issuer):
            self.provider.begin(answer.headers["Location"])
        return answer

    def come_back(self, visitor: Client, code: str = "code-1", **changes: Any) -> TestResponse:
        asked = {"code": code, "state": self.provider.began["state"], **changes}
        return visitor.get(
            "/sign-in/return",
            query_string={name: value for name, value in asked.items() if value is not None},
        )

    def link(self, user: str = "officer") -> Client:
        """Somebody who is signed in links the account; the client that did."""
        client = self.site.as_user(user)
        answer = client.post("/account/organisation/link")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        self.provider.begin(answer.headers["Location"])
        back = self.come_back(client, "code-link")
        assert back.headers.get("Location") == "/account/organisation", back.get_data(as_text=True)
        self.provider.codes.clear()
        return client

    def signed_in(self) -> Client:
        visitor = self.site.visitor()
        self.set_out(visitor)
        back = self.come_back(visitor)
        assert back.status_code == 303 and back.headers["Location"] == "/account", back.get_data(as_text=True)
        self.provider.codes.clear()
        # the forms of a session bear another token than those before it
        return Client(visitor.http)


def is_in(client: Client) -> bool:
    return client.http.get_cookie(COOKIE, path="/") is not None and client.get("/account").status_code == 200


@pytest.fixture
def provider() -> Iterator[Hostile]:
    with hostile() as made:
        yield made


@pytest.fixture
def door(site: Site, database: SimpleNamespace, provider: Hostile) -> Door:
    answer = site.as_user("spoc").post("/admin/provider/add", settings_of(provider.issuer))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return Door(site, provider, database.superuser)
