"""Pages, worker, command line and loader as the database knows them: what each role's password is good for, in straight SQL."""

from __future__ import annotations

import secrets
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, InvalidAuthorizationSpecification

from hub.access.actor import Actor
from hub.access.guard import SETTINGS, _setting
from hub.app import create_app
from hub.core.ids import new_id
from tests.audit.conftest import Connect, Door
from tests.conftest import connected_to, settings_for
from tests.fixtures.shares import led_case
from tests.fixtures.world import World

# fixture of the address → the kind of its sessions
KINDS = {"app": "web", "worker": "job", "cli": "cli", "loader": "load"}
OTHERS = [(role, kind) for role, own in KINDS.items() for kind in KINDS.values() if kind != own]
Connection = psycopg.Connection[Any]


def start(connection: Connection, actor: Actor, kind: str, *, team: UUID | None = None) -> str:
    """A session as a thief of the role's password would make it; its raw token."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        "INSERT INTO user_session (id, created_at, token_hash, user_id, team_id, purpose, kind, method, authenticated_at,"
        " last_seen_at, expires_at) VALUES (%s, now(), sha256(convert_to(%s, 'UTF8')), %s, %s, %s, %s, 'operator', now(),"
        " now(), now() + interval '1 hour')",
        [new_id(), token, actor.user_id, team or actor.team_id, actor.purpose, kind],
    )
    return token


def begin(connection: Connection, actor: Actor, token: str, look: object = "") -> None:
    connection.execute("BEGIN")
    values = {name: _setting(actor.context, name) for name in SETTINGS} | {"token": token, "looks": str(look)}
    for name, value in values.items():
        connection.execute("SELECT set_config(%s, %s, true)", [f"hub.{name}", value])


def one(connection: Connection, statement: str, *values: Any) -> Any:
    row = connection.execute(statement, values).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


@pytest.mark.parametrize(("role", "kind"), OTHERS)
def test_no_role_makes_a_session_of_another_s_kind(
    connect: Connect, officer: Actor, role: str, kind: str
) -> None:
    with pytest.raises(InsufficientPrivilege, match="belong to another role"):
        start(connect(role), officer, kind)


@pytest.mark.parametrize("owner", KINDS)
def test_a_session_is_used_by_the_role_of_its_kind_and_by_no_other(
    connect: Connect, door: Door, officer: Actor, owner: str
) -> None:
    case = led_case(officer, "Noise, Ward X")
    token = start(connect(owner), officer, KINDS[owner])
    look = door.record(connect(owner), token=token, records=[case], object_id=None, object_version=None)
    for role in KINDS:
        sql, own = connect(role), role == owner
        begin(sql, officer, token, look)
        assert one(sql, "SELECT count(*) > 0 FROM audit.opened()") is own, role
        assert (one(sql, "SELECT event_id FROM audit.find_looks(%s, %s)", token, [case]) == look) is own, role
        assert one(sql, "SELECT count(title) FROM case_record") == own, role
        assert (one(sql, "SELECT find_session(%s)", token) is not None) is own, role
        sql.execute("ROLLBACK")
        if not own:
            with pytest.raises(InvalidAuthorizationSpecification, match="no live session"):
                door.record(sql, token=token)


@pytest.mark.parametrize("role", ["worker", "cli", "loader"])
def test_another_role_ends_a_user_s_session_and_does_nothing_else_with_it(
    connect: Connect, officer: Actor, world: World, role: str
) -> None:
    sql, mine = connect(role), "WHERE user_id = %s AND kind = 'web'"
    for change in (
        "expires_at = now() + interval '1 year'",
        "authenticated_at = now() + interval '1 minute'",
        "purpose = 'licensing'",
        f"team_id = '{world.teams['housing']}'",
    ):
        with pytest.raises(InsufficientPrivilege, match="belong to another role"):
            sql.execute(f"UPDATE user_session SET {change} {mine}", [officer.user_id])
    for column in ("kind", "user_id", "token_hash"):
        with pytest.raises(InsufficientPrivilege, match="permission denied"):
            sql.execute(f"UPDATE user_session SET {column} = {column} {mine}", [officer.user_id])
    assert sql.execute(f"UPDATE user_session SET ended_at = now() {mine}", [officer.user_id]).rowcount >= 1
    # and not even the pages' own role brings it back
    connect("app").execute(f"UPDATE user_session SET ended_at = NULL {mine}", [officer.user_id])
    assert one(sql, f"SELECT count(*) FROM user_session {mine} AND ended_at IS NULL", officer.user_id) == 0


def test_a_user_s_session_is_in_a_team_of_theirs(connect: Connect, officer: Actor, world: World) -> None:
    sql = connect("app")
    with pytest.raises(InsufficientPrivilege, match="a team of its user"):
        start(sql, officer, "web", team=world.teams["housing"])
    with pytest.raises(InsufficientPrivilege, match="a team of its user"):
        sql.execute(
            "UPDATE user_session SET team_id = %s WHERE user_id = %s", [world.teams["npt"], officer.user_id]
        )


@pytest.mark.parametrize("role", ["worker", "cli", "loader"])
def test_a_refusal_at_the_door_is_written_by_the_pages_alone(connect: Connect, door: Door, role: str) -> None:
    refusal: dict[str, Any] = {
        "token": None, "category": "security", "act": "session.refused", "outcome": "denied", "object_type": "user",
        "object_id": None, "object_version": None, "basis": "{}", "facts": "{}",
    }  # fmt: skip
    door.record(connect("app"), **refusal)
    with pytest.raises(InvalidAuthorizationSpecification):
        door.record(connect(role), **refusal)


@pytest.mark.parametrize("role", KINDS)
def test_no_role_makes_a_record_of_which_no_event_tells(connect: Connect, officer: Actor, role: str) -> None:
    sql, key = connect(role), new_id()
    begin(sql, officer, "")
    sql.execute(
        "INSERT INTO record (id, created_at, kind, reference, partnership_id, owner_organisation_id, lead_team_id,"
        " marking, restricted, breakable, knowable, open_to_owner)"
        " VALUES (%s, now(), 'case', %s, %s, %s, %s, 0, false, true, false, false)",
        [key, f"X-{str(key)[-6:]}", officer.partnership_id, officer.organisation_id, officer.team_id],
    )
    with pytest.raises(InsufficientPrivilege, match="no event tells"):
        sql.execute("COMMIT")


@pytest.mark.parametrize("role", KINDS)
def test_no_role_changes_the_terms_of_an_agreement_that_was_sent(
    connect: Connect, officer: Actor, world: World, role: str
) -> None:
    sql = connect(role)
    begin(sql, officer, "")
    with pytest.raises(InsufficientPrivilege, match="terms of an agreement stand"):
        sql.execute("UPDATE agreement SET title = 'Mine' WHERE id = %s", [world.agreements["sharing"]])


@pytest.mark.parametrize("role", KINDS)
def test_each_takes_the_finder_s_role_and_inherits_nothing_of_it(
    connect: Connect, database: SimpleNamespace, officer: Actor, role: str
) -> None:
    led_case(officer, "Noise, Ward X")
    sql, name = connect(role), one(connect(role), "SELECT session_user")
    begin(sql, officer, "")
    assert one(sql, "SELECT count(id) FROM case_record") == 0
    sql.execute("SET LOCAL ROLE hub_finder")
    assert one(sql, "SELECT count(id) FROM case_record") == 1
    assert one(sql, "SELECT session_user") == name
    sql.execute("SET LOCAL ROLE NONE")
    assert one(sql, "SELECT current_user") == name
    sql.execute("ROLLBACK")
    for taken in ("hub_owner", "hub_reader", "hub_log", "hub_sequencer"):
        with pytest.raises(InsufficientPrivilege):
            sql.execute(f"SET ROLE {taken}")
    for other in {"hub_app", "hub_worker", "hub_cli", "hub_loader"} - {name}:
        with pytest.raises(InsufficientPrivilege):
            sql.execute(f"SET SESSION AUTHORIZATION {other}")
    # what they were given by name is nothing: all comes from hub_app
    owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = %s"
    assert one(connect("superuser"), owned, name) == 0


@pytest.mark.parametrize("role", KINDS)
def test_a_process_of_each_role_starts_behind_its_wall_and_not_beside_it(
    database: SimpleNamespace, connect: Connect, root_key_file: Path, role: str
) -> None:
    url = getattr(database, role)
    name, superuser = one(connect(role), "SELECT session_user"), connect("superuser")
    with connected_to(url):
        create_app(settings_for(url, root_key_file))
        superuser.execute(f"ALTER ROLE {name} BYPASSRLS")
        try:
            with pytest.raises(SystemExit, match="may bypass row security"):
                create_app(settings_for(url, root_key_file))
        finally:
            superuser.execute(f"ALTER ROLE {name} NOBYPASSRLS")
        if role != "app":
            superuser.execute(f"GRANT hub_finder TO {name}")
            try:
                with pytest.raises(SystemExit, match="inherits the rights of hub_finder"):
                    create_app(settings_for(url, root_key_file))
            finally:
                superuser.execute(f"REVOKE hub_finder FROM {name}")
