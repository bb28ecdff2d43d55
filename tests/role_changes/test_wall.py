"""No path of the service gives a role by itself: straight SQL as the application's role, with a token or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.access.actor import Actor
from tests.fixtures.site import Site
from tests.fixtures.world import act_as
from tests.role_changes.conftest import Sql, roles_of

REFUSED = psycopg.errors.InsufficientPrivilege
HOLD = "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (%(user)s, %(area)s, %(role)s, now())"
ASK = (
    "INSERT INTO role_change (id, created_at, asked_by, user_id, organisation_id, partnership_id, role, expires_at, outcome,"
    " decided_by, decided_at) VALUES (%(id)s, now(), %(by)s, %(user)s, %(organisation)s, %(area)s, %(role)s,"
    " now() + interval '14 days', %(outcome)s, %(decider)s, CASE WHEN %(outcome)s::text IS NOT NULL THEN now() END)"
)
DECIDE = (
    "UPDATE role_change SET outcome = %(outcome)s, decided_by = %(by)s, decided_at = now() WHERE id = %(id)s"
)


class Door:
    """One connection of a role of the service; `become` says whose token is in hand for the transaction."""

    def __init__(self, site: Site, url: str) -> None:
        address = make_url(url)
        self.site = site
        self.connection = psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.username,
            password=address.password,
            dbname=address.database,
        )

    def become(self, user: str | None) -> None:
        self.connection.rollback()
        if user is None:
            return
        with self.site.inside():
            actor: Actor = act_as(self.site.world, user)
        context = actor.context
        many = {"principals": context.principals, "audiences": context.audiences}
        one = {
            name: getattr(context, name)
            for name in ("user_id", "organisation_id", "partnership_id", "team_id", "clearance", "purpose")
        }
        values = {
            **{name: str(value) for name, value in one.items()},
            **{name: "{" + ",".join(map(str, value)) + "}" for name, value in many.items()},
            "token": actor.token,
        }
        for name, value in values.items():
            self.connection.execute("SELECT set_config(%s, %s, true)", (f"hub.{name}", value))

    def run(self, statement: str, **values: Any) -> None:
        self.connection.execute(statement, values)

    def commit(self) -> None:
        self.connection.commit()


@pytest.fixture
def door(site: Site, database: SimpleNamespace) -> Iterator[Door]:
    one = Door(site, database.app)
    yield one
    one.connection.close()


@pytest.fixture
def key(site: Site) -> dict[str, Any]:
    """The role that is wanted: supervisor, for the reader."""
    world = site.world
    return {
        "user": world.users["reader"],
        "area": world.partnerships["northbrook"],
        "organisation": world.organisations["council"],
        "role": "supervisor",
    }


def asked(site: Site, by: str, *, outcome: str | None = None, decider: UUID | None = None) -> dict[str, Any]:
    return {"id": uuid4(), "by": site.world.users[by], "outcome": outcome, "decider": decider}


@pytest.mark.parametrize("who", [None, "spoc", "manager", "officer"])
def test_no_role_begins_without_a_decision(
    site: Site, sql: Sql, second: str, door: Door, key: dict[str, Any], who: str | None
) -> None:
    door.become(who)
    with pytest.raises(REFUSED, match="giving a role takes two people"):
        door.run(HOLD, **key)


@pytest.mark.parametrize("role", ["worker", "cli"])
def test_nor_by_a_job_or_a_command(
    site: Site, database: SimpleNamespace, key: dict[str, Any], role: str
) -> None:
    other = Door(site, getattr(database, role))
    with pytest.raises(REFUSED, match="giving a role takes two people"):
        other.run(HOLD, **key)
    other.connection.close()


def test_a_role_that_ended_does_not_begin_again_or_last_longer(
    site: Site, sql: Sql, second: str, door: Door
) -> None:
    reader = site.world.users["reader"]
    for ended in ("now() - interval '1 day'", "now() + interval '1 day'"):
        sql(f"UPDATE role_holding SET ended_at = {ended} WHERE user_id = :id", id=reader)
        for later in ("NULL", "now() + interval '2 days'"):
            door.become("spoc")
            with pytest.raises(REFUSED, match="giving a role takes two people"):
                door.run(f"UPDATE role_holding SET ended_at = {later} WHERE user_id = %(id)s", id=reader)
    door.become("spoc")
    with pytest.raises(REFUSED, match="ended and another asked for"):
        door.run("UPDATE role_holding SET role = 'administrator' WHERE user_id = %(id)s", id=reader)
    door.become("spoc")
    with pytest.raises(REFUSED):
        door.run("DELETE FROM role_holding WHERE user_id = %(id)s", id=reader)


def test_a_role_ends_from_now_on_and_not_in_the_past(site: Site, sql: Sql, second: str, door: Door) -> None:
    """Else whoever ends the other administrator's role would be alone at once."""
    door.become("spoc")
    door.run(
        "UPDATE role_holding SET ended_at = now() - interval '30 days', granted_at = now() - interval '60 days'"
        " WHERE user_id = %(id)s AND role = 'administrator'",
        id=site.world.users["manager"],
    )
    door.commit()
    [row] = sql(
        "SELECT ended_at > now() - interval '1 minute' AS now_, granted_at > now() - interval '1 day' AS kept"
        " FROM role_holding WHERE user_id = :id AND role = 'administrator'",
        id=site.world.users["manager"],
    )
    assert row.now_ and row.kept
    door.become("spoc")
    with pytest.raises(REFUSED, match="another administrator could decide"):
        door.run(
            ASK, **key_of(site), **asked(site, "spoc", outcome="alone", decider=site.world.users["spoc"])
        )


def key_of(site: Site) -> dict[str, Any]:
    world = site.world
    return {
        "user": world.users["reader"],
        "area": world.partnerships["northbrook"],
        "organisation": world.organisations["council"],
        "role": "supervisor",
    }


def test_nobody_asks_or_decides_in_anothers_name(
    site: Site, sql: Sql, second: str, door: Door, key: dict[str, Any]
) -> None:
    users = site.world.users
    for who, row in (
        (None, asked(site, "spoc")),
        ("officer", asked(site, "spoc")),
        ("officer", asked(site, "officer")),
        ("manager", asked(site, "spoc")),
        ("police_spoc", asked(site, "police_spoc")),
        ("spoc", asked(site, "spoc", outcome="approved", decider=users["manager"])),
        ("spoc", asked(site, "spoc", outcome="alone", decider=users["spoc"])),
    ):
        door.become(who)
        with pytest.raises(REFUSED):
            door.run(ASK, **key, **row)
    ask = asked(site, "spoc")
    door.become("spoc")
    door.run(ASK, **key, **ask)
    door.commit()
    for who, outcome, by in (
        ("spoc", "approved", "manager"),
        ("officer", "approved", "manager"),
        (None, "approved", "manager"),
        ("police_spoc", "approved", "manager"),
        ("manager", "withdrawn", "spoc"),
        ("manager", "alone", "manager"),
    ):
        door.become(who)
        with pytest.raises(REFUSED):
            door.run(DECIDE, id=ask["id"], outcome=outcome, by=users[by])
    door.become("spoc")
    with pytest.raises(psycopg.errors.CheckViolation, match="two_people"):
        door.run(DECIDE, id=ask["id"], outcome="approved", by=users["spoc"])
    for change in ("asked_by = %(by)s", "user_id = %(by)s", "role = 'administrator'", "decided_xid = 1"):
        door.become("manager")
        with pytest.raises(REFUSED):
            door.run(f"UPDATE role_change SET {change} WHERE id = %(id)s", id=ask["id"], by=users["officer"])
    door.become("manager")
    with pytest.raises(REFUSED, match="not for this hand"):
        # it lives: it can't be made to lapse
        door.run(
            "UPDATE role_change SET outcome = 'lapsed', decided_at = now() WHERE id = %(id)s", id=ask["id"]
        )


def test_a_decision_gives_the_role_it_was_about_in_its_own_transaction_only(
    site: Site, sql: Sql, second: str, door: Door, key: dict[str, Any]
) -> None:
    ask = asked(site, "spoc")
    door.become("spoc")
    door.run(ASK, **key, **ask)
    door.commit()
    for wrong in (
        {**key, "role": "administrator"},
        {**key, "user": site.world.users["officer"]},
        {**key, "area": site.world.partnerships["eastmere"]},
    ):
        door.become("manager")
        door.run(DECIDE, id=ask["id"], outcome="approved", by=site.world.users["manager"])
        with pytest.raises(REFUSED, match="giving a role takes two people"):
            door.run(HOLD, **wrong)
    door.become("manager")
    door.run(DECIDE, id=ask["id"], outcome="approved", by=site.world.users["manager"])
    door.commit()
    door.become("manager")
    with pytest.raises(REFUSED, match="giving a role takes two people"):
        door.run(HOLD, **key)
    with pytest.raises(REFUSED, match="stays decided"):
        door.become("manager")
        door.run(DECIDE, id=ask["id"], outcome="approved", by=site.world.users["manager"])
    assert roles_of(site, sql, "reader") == {"read_only"}
    # refusing gives nothing, and as it should be it is given
    for outcome, held in (("refused", False), ("approved", True)):
        again = asked(site, "spoc")
        door.become("spoc")
        door.run(ASK, **key, **again)
        door.commit()
        door.become("manager")
        door.run(DECIDE, id=again["id"], outcome=outcome, by=site.world.users["manager"])
        if held:
            door.run(HOLD, **key)
        else:
            with pytest.raises(REFUSED, match="giving a role takes two people"):
                door.run(HOLD, **key)
            door.connection.rollback()
            sql("DELETE FROM role_change WHERE id = :id", id=again["id"])
        door.commit()
    assert roles_of(site, sql, "reader") == {"read_only", "supervisor"}


def test_what_ran_out_gives_nothing(
    site: Site, sql: Sql, second: str, door: Door, key: dict[str, Any]
) -> None:
    ask = asked(site, "spoc")
    door.become("spoc")
    door.run(ASK, **key, **ask)
    door.commit()
    sql("UPDATE role_change SET expires_at = now() - interval '1 second'")
    door.become("manager")
    with pytest.raises(REFUSED, match="not for this hand"):
        door.run(DECIDE, id=ask["id"], outcome="approved", by=site.world.users["manager"])


def test_whose_sign_in_was_reset_by_the_asker_approves_nothing(
    site: Site, sql: Sql, second: str, door: Door, key: dict[str, Any]
) -> None:
    manager = site.world.users["manager"]
    assert site.as_user("spoc").post(f"/admin/users/{manager}/reset").status_code == 200
    sql("UPDATE app_user SET reset_at = NULL")
    ask = asked(site, "spoc")
    door.become("spoc")
    door.run(ASK, **key, **ask)
    door.commit()
    door.become("manager")
    with pytest.raises(REFUSED, match="not for this hand"):
        door.run(DECIDE, id=ask["id"], outcome="approved", by=manager)


def test_who_stands_alone_gives_in_the_transaction_of_saying_so(
    site: Site, sql: Sql, door: Door, key: dict[str, Any]
) -> None:
    alone = asked(site, "spoc", outcome="alone", decider=site.world.users["spoc"])
    door.become("spoc")
    with pytest.raises(REFUSED, match="giving a role takes two people"):
        door.run(HOLD, **key)
    door.become("spoc")
    door.run(ASK, **key, **alone)
    door.run(HOLD, **key)
    door.commit()
    assert "supervisor" in roles_of(site, sql, "reader")
    # and never to oneself
    door.become("spoc")
    with pytest.raises(REFUSED, match="matter of administrators"):
        door.run(ASK, **{**key, "user": site.world.users["spoc"]}, **{**alone, "id": uuid4()})


def test_a_command_makes_the_first_administrator_of_an_organisation_and_the_loader_goes_on(
    site: Site, database: SimpleNamespace, sql: Sql, key: dict[str, Any], give: Callable[..., None]
) -> None:
    loader = Door(site, database.loader)
    loader.run(HOLD, **key)
    loader.connection.rollback()
    loader.connection.close()
    command = Door(site, database.cli)
    with pytest.raises(REFUSED):
        command.run(HOLD, **key)
    command.connection.rollback()
    # once nobody of the organisation holds a role there, or ever did: an administrator, and nothing else
    sql(
        "DELETE FROM role_holding h USING app_user u WHERE u.id = h.user_id AND u.organisation_id = :council",
        council=site.world.organisations["council"],
    )
    with pytest.raises(REFUSED):
        command.run(HOLD, **{**key, "role": "practitioner"})
    command.connection.rollback()
    command.run(HOLD, **{**key, "role": "administrator"})
    command.connection.rollback()
    command.connection.close()
