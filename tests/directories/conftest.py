"""Directories of the small world's organisations: a token that works, and a client that asks with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.directories.actions import make_token
from hub.extensions import db
from tests.fixtures.site import Site
from tests.fixtures.world import act_as

BASE = "/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Asking:
    """What a directory sends, by its token."""

    http: FlaskClient
    token: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.http.open(
            f"{BASE}{path}",
            method=method,
            data=data,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/scim+json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    def make_user(self, email: str = "new.person@example.org", **more: Any) -> dict[str, Any]:
        answer = self("POST", "/Users", user(email, **more))
        assert answer.status_code == 201, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.json
        return found

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> TestResponse:
        return self("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def close(self, user_id: UUID | str) -> TestResponse:
        return self.patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False})

    def reopen(self, user_id: UUID | str) -> TestResponse:
        return self.patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": True})


def user(email: str, **more: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": email, "displayName": "New Person", "active": True, **more}


@pytest.fixture
def token_of(site: Site) -> Callable[[str], tuple[UUID, str]]:
    """The id and the text of a new token that this administrator makes."""

    def make(administrator: str, days: int = 90) -> tuple[UUID, str]:
        with site.inside():
            made, token = make_token(act_as(site.world, administrator), timedelta(days=days))
            found = made.id
            db.session.commit()
        return found, token

    return make


@pytest.fixture
def directory(site: Site, token_of: Callable[[str], tuple[UUID, str]]) -> Asking:
    """The council's."""
    return Asking(site.app.test_client(), token_of("spoc")[1])


@pytest.fixture
def police_directory(site: Site, token_of: Callable[[str], tuple[UUID, str]]) -> Asking:
    return Asking(site.app.test_client(), token_of("police_spoc")[1])


@pytest.fixture
def events(site: Site, database: SimpleNamespace) -> Callable[[UUID | str], list[str]]:
    """The acts written about an object, in order."""

    def find(about: UUID | str) -> list[str]:
        rows = site.sql(
            database.superuser,
            "SELECT act FROM audit.event WHERE object_id = :about ORDER BY at, id",
            about=str(about),
        )
        return [row.act for row in rows]

    return find
