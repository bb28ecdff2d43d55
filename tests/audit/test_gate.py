"""The write-ahead gate, tried in straight SQL as the application's role: no event, no content (SECURITY 3, nothing unlogged)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from hub.access.guard import SETTINGS, _setting
from hub.access.policy import GUARDED
from hub.accounts.vocabulary import OrganisationKind
from hub.core import clock
from hub.core.ids import new_id
from tests.audit.conftest import Connect, Door
from tests.audit.stolen import Row, Stolen, case, other, stolen
from tests.fixtures.world import World, act_as

__all__ = ["case", "other", "stolen"]


def gated() -> list[str]:
    return [model.__tablename__ for model, rules in GUARDED.items() if rules.opened_by is not None]


def test_without_an_event_no_table_of_a_record_gives_a_row(stolen: Stolen, case: UUID) -> None:
    assert {"record", "case_record", "incident", "entry", "person_name", "attachment"} <= set(gated())
    stolen.begin()
    for table in gated():
        assert stolen.rows(f"SELECT * FROM {table}") == [], table


def test_a_committed_event_opens_what_it_names_and_nothing_else(
    stolen: Stolen, case: UUID, other: UUID
) -> None:
    assert stolen.seen(stolen.logged(case)) == [("Noise, Ward X",)]
    assert stolen.seen(stolen.logged(other)) == [("Fires, Ward Y",)]
    assert stolen.seen(stolen.logged(case), stolen.logged(other)) == [("Noise, Ward X",), ("Fires, Ward Y",)]
    assert stolen.seen(stolen.logged()) == []


def test_a_look_that_could_be_rolled_back_shows_nothing(stolen: Stolen, case: UUID) -> None:
    stolen.begin()
    look = stolen.logged(case)
    stolen.sql.execute("SELECT set_config('hub.looks', %s, true)", [str(look)])
    assert stolen.rows() == []
    stolen.sql.execute("ROLLBACK")
    assert stolen.seen(look) == []


def test_neither_does_one_in_a_savepoint_nor_a_later_statement(stolen: Stolen, case: UUID) -> None:
    stolen.begin()
    stolen.sql.execute("SAVEPOINT one")
    look = stolen.logged(case)
    stolen.sql.execute("RELEASE one")
    stolen.sql.execute("SELECT set_config('hub.looks', %s, true)", [str(look)])
    assert stolen.rows() == [] and stolen.rows() == []
    stolen.sql.execute("COMMIT")
    assert stolen.seen(look) == [("Noise, Ward X",)]


def test_an_event_opens_for_ten_minutes(stolen: Stolen, case: UUID, connect: Connect) -> None:
    look = stolen.logged(case)
    for age, shown in (("9 minutes", [("Noise, Ward X",)]), ("2 minutes", [])):
        connect("superuser").execute(
            "UPDATE audit.event SET at = at - %s::interval WHERE id = %s", [age, look]
        )
        assert stolen.seen(look) == shown, age


@pytest.mark.parametrize("outcome", ["denied", "error", "intent", "withheld"])
def test_an_event_that_says_that_nothing_was_shown_shows_nothing(
    stolen: Stolen, case: UUID, outcome: str
) -> None:
    assert stolen.seen(stolen.logged(case, outcome=outcome)) == []


def test_without_a_live_session_s_token_an_event_is_worth_nothing(
    stolen: Stolen, case: UUID, world: World, connect: Connect
) -> None:
    look = stolen.logged(case)
    another = act_as(world, "manager").token
    for token in ("", "guessed", another):
        assert stolen.seen(look, token=token) == [], token
    connect("superuser").execute("UPDATE user_session SET ended_at = now()")
    assert stolen.seen(look) == []


def test_another_hat_than_the_session_s_opens_nothing(stolen: Stolen, case: UUID, world: World) -> None:
    """The token alone is no leave to say anything of its holder: not another team, nor more clearance, nor less."""
    look, mine = stolen.logged(case), stolen.officer
    other = act_as(world, "sergeant").context
    untrue = [
        {name: _setting(other, name)}
        for name in ("user_id", "organisation_id", "team_id", "principals", "audiences")
    ]
    untrue += [
        {"team_id": str(world.teams["housing"])},
        {"partnership_id": str(world.partnerships["eastmere"])},
        {"purpose": "licensing"},
        {"clearance": str(mine.clearance - 1)},
        {"clearance": str(mine.clearance + 1)},
        {"audiences": "{victim_safe,supervisor_only}"},
        {"audiences": "{}"},
        {"principals": f"{{{mine.user_id}}}"},
        {name: _setting(other, name) for name in SETTINGS},
        dict.fromkeys(SETTINGS, ""),
    ]
    for said in ({}, *untrue):
        stolen.begin(look, **said)
        opened = stolen.rows("SELECT count(*) FROM audit.opened()")
        (found,) = stolen.rows("SELECT event_id FROM audit.find_looks(%s, %s)", mine.token, [case])
        shown = bool(stolen.rows())
        stolen.sql.execute("ROLLBACK")
        assert (opened != [(0,)], found[0] == look, shown) == (not said, not said, not said), said


def test_what_an_administrator_changes_holds_for_the_next_statement(
    stolen: Stolen, case: UUID, connect: Connect
) -> None:
    look, me = stolen.logged(case), [stolen.officer.user_id]
    for change, back in (
        ("clearance = 1 - clearance", "clearance = 1 - clearance"),
        ("disabled_at = now()", "disabled_at = NULL"),
    ):
        assert stolen.seen(look) == [("Noise, Ward X",)]
        connect("superuser").execute(f"UPDATE app_user SET {change} WHERE id = %s", me)  # type: ignore[call-overload]
        assert stolen.seen(look) == [], change
        connect("superuser").execute(f"UPDATE app_user SET {back} WHERE id = %s", me)  # type: ignore[call-overload]


@pytest.mark.parametrize("supervises", ["never", "now", "until tomorrow", "until yesterday"])
def test_the_gate_and_the_hub_say_the_same_of_everybody(
    stolen: Stolen, case: UUID, world: World, connect: Connect, supervises: str
) -> None:
    """Whatever kind of organisation, whatever role: what the hub says of its user is what the gate takes for true."""
    superuser, me = connect("superuser"), stolen.officer
    ends = {
        "until tomorrow": clock.now() + timedelta(days=1),
        "until yesterday": clock.now() - timedelta(days=1),
    }
    if supervises != "never":
        superuser.execute(
            "INSERT INTO role_holding (user_id, partnership_id, role, granted_at, ended_at)"
            " VALUES (%s, %s, 'supervisor', now() - interval '2 days', %s)",
            [me.user_id, me.partnership_id, ends.get(supervises)],
        )
    for kind in OrganisationKind:
        superuser.execute("UPDATE organisation SET kind = %s WHERE id = %s", [kind.value, me.organisation_id])
        stolen.officer = act_as(world, "officer")
        stolen.door.token = stolen.officer.token
        assert ("supervisor_only" in stolen.officer.audiences) == (supervises in ("now", "until tomorrow"))
        assert stolen.seen(stolen.logged(case)) == [("Noise, Ward X",)], kind


def test_an_event_opens_nothing_beyond_the_rule(stolen: Stolen, case: UUID, world: World) -> None:
    """Whoever holds a token can write an event on anything; the rule still decides."""
    sergeant = act_as(world, "sergeant")
    thief = Stolen(stolen.door.connect, Door(stolen.door.connect, sergeant.token), sergeant)
    assert thief.seen(thief.logged(case)) == []


def test_a_forged_alteration_of_this_transaction_shows_nothing_new(
    stolen: Stolen, case: UUID, connect: Connect
) -> None:
    connect("superuser").execute("DELETE FROM audit.event")  # as if the officer had never looked
    stolen.begin()
    forged = stolen.logged(case, category="alteration", act="case.changed", facts="{}")
    stolen.sql.execute("SELECT set_config('hub.looks', %s, true)", [str(forged)])
    assert stolen.rows() == []


@pytest.mark.parametrize("category", ["collection", "alteration"])
def test_a_change_reads_what_its_actor_had_seen(stolen: Stolen, case: UUID, category: str) -> None:
    stolen.logged(case)
    stolen.begin()
    own = stolen.logged(case, category=category, act="case.changed")
    stolen.sql.execute("SELECT set_config('hub.looks', %s, true)", [str(own)])
    change = "UPDATE case_record SET title = 'Noise, Ward Z' WHERE id = %s RETURNING title"
    assert stolen.rows(change, case) == [("Noise, Ward Z",)]
    lock = "SELECT title FROM case_record WHERE id = %s FOR UPDATE"
    assert stolen.rows(lock, case) == [("Noise, Ward Z",)]


def test_without_its_event_an_update_meets_no_row(stolen: Stolen, case: UUID) -> None:
    stolen.logged(case)
    stolen.begin()
    for statement in (
        "UPDATE case_record SET title = 'Mine' WHERE id = %s",
        "UPDATE case_record SET title = 'Mine' WHERE id = %s RETURNING title",
        "UPDATE record SET restricted = true WHERE id = %s",
    ):
        assert stolen.sql.execute(statement, [case]).rowcount == 0, statement  # type: ignore[call-overload]
    for statement in ("DELETE FROM case_record", "TRUNCATE case_record CASCADE"):
        stolen.sql.execute("SAVEPOINT one")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stolen.sql.execute(statement)
        stolen.sql.execute("ROLLBACK TO one")


def _new_record(stolen: Stolen, key: UUID) -> Row:
    actor = stolen.officer
    values = [key, f"X-{str(key)[-6:]}", actor.partnership_id, actor.organisation_id, actor.team_id]
    (row,) = stolen.rows(
        "INSERT INTO record (id, created_at, kind, reference, partnership_id, owner_organisation_id, lead_team_id,"
        " marking, restricted, breakable, knowable, open_to_owner)"
        " VALUES (%s, now(), 'case', %s, %s, %s, %s, 0, false, true, false, false) RETURNING id",
        *values,
    )
    return row


def test_an_insert_returns_its_row_and_an_upsert_meets_it(stolen: Stolen) -> None:
    key = new_id()
    stolen.begin()
    stolen.logged(category="collection", act="case.created")
    assert _new_record(stolen, key) == (key,)
    upsert = (
        "INSERT INTO record SELECT * FROM record WHERE id = %s"
        " ON CONFLICT (id) DO UPDATE SET knowable = true RETURNING knowable"
    )
    assert stolen.rows(upsert, key) == [(True,)]
    assert stolen.rows("UPDATE record SET breakable = false WHERE id = %s RETURNING id", key) == [(key,)]
    stolen.sql.execute("ROLLBACK")


def test_a_record_of_which_no_event_tells_does_not_come_into_being(stolen: Stolen, connect: Connect) -> None:
    key = new_id()
    stolen.begin()
    _new_record(stolen, key)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="no event"):
        stolen.sql.execute("COMMIT")
    stolen.begin()
    _new_record(stolen, key)
    stolen.door.record(stolen.sql, category="collection", act="case.created", object_id=key, facts="{}")
    stolen.sql.execute("COMMIT")
    (found,) = connect("superuser").execute("SELECT born FROM record WHERE id = %s", [key]).fetchall()
    assert found[0] > 0
    # and that it was made by that transaction, nobody can say of it later
    stolen.begin(stolen.logged(key))
    stolen.sql.execute("UPDATE record SET born = 1 WHERE id = %s", [key])
    assert stolen.rows("SELECT born FROM record WHERE id = %s", key) == [found]


def test_nobody_switches_the_gate_off(stolen: Stolen, case: UUID) -> None:
    for statement in (
        "ALTER TABLE case_record DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE case_record NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON case_record USING (true)",
        "DROP POLICY hub_read ON case_record",
        "ALTER FUNCTION audit.opened() OWNER TO hub_app",
        "CREATE OR REPLACE FUNCTION audit.opened() RETURNS SETOF uuid LANGUAGE sql AS 'SELECT id FROM record'",
        "SET ROLE hub_reader",
        "SET ROLE hub_log",
    ):
        with pytest.raises(psycopg.Error):
            stolen.sql.execute(statement)
    stolen.sql.execute("SET row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stolen.rows()
