"""A second administrator of the council, and short ways to ask for a role and to find what waits."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from tests.fixtures.site import Client, Site

Sql = Callable[..., list[Any]]
LIST = "/admin/role-changes"


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


@pytest.fixture
def give(site: Site, sql: Sql) -> Callable[..., None]:
    """Plants a role, past the rule."""

    def plant(user: str, role: str, area: str = "northbrook") -> None:
        sql(
            "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, :role, now())",
            user=site.world.users[user],
            area=site.world.partnerships[area],
            role=role,
        )

    return plant


@pytest.fixture
def second(give: Callable[..., None]) -> str:
    """Rhys Llewellyn is an administrator of the council as well as Lena Marsh."""
    give("manager", "administrator")
    return "manager"


@pytest.fixture
def ask(site: Site, sql: Sql) -> Callable[..., UUID]:
    """Asks for roles beside those that the user holds; the id of what waits newest."""

    def asked(user: str, *roles: str, by: str = "spoc", also: tuple[str, ...] = ()) -> UUID:
        answer = site.as_user(by).post(address(site, user), {"roles": [*also, *roles]})
        assert answer.status_code == 303, answer.text
        return UUID(
            str(sql("SELECT id FROM role_change WHERE outcome IS NULL ORDER BY id DESC LIMIT 1")[0][0])
        )

    return asked


def address(site: Site, user: str) -> str:
    return f"/admin/users/{site.world.users[user]}/roles"


def decide(client: Client, change_id: UUID, act: str = "approve", **options: Any) -> Any:
    return client.post(f"{LIST}/{change_id}/{act}", **options)


def roles_of(site: Site, sql: Sql, user: str) -> set[str]:
    rows = sql(
        "SELECT role FROM role_holding WHERE user_id = :user AND (ended_at IS NULL OR ended_at > now())",
        user=site.world.users[user],
    )
    return {row.role for row in rows}
