"""The walls themselves: nobody in particular sees nothing, others' rows can't be written, and the database holds our text."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.actions import create_record
from hub.access.actor import NOBODY
from hub.access.guard import CONTEXT_KEY, SETTINGS, NoContext, enter, looks_in_hand
from hub.access.models import Record
from hub.access.policy import GUARDED
from hub.access.vocabulary import RecordKind
from hub.access.walls import policies, set_bodies
from hub.cases.models import Case
from hub.core.errors import Denied
from hub.core.ids import new_id
from hub.extensions import db
from tests.fixtures.shares import led_case
from tests.fixtures.world import World, act_as, look_at


@pytest.fixture
def case(app: Flask, world: World) -> UUID:
    return led_case(act_as(world, "officer"))


@pytest.fixture
def raw(database: SimpleNamespace) -> Iterator[sa.Connection]:
    """Raw SQL as the application's role."""
    engine = sa.create_engine(database.app, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def announce(connection: sa.Connection, who: Any) -> None:
    from hub.access.guard import _setting

    for name in SETTINGS:
        setting = {"name": f"hub.{name}", "value": _setting(who.context, name)}
        connection.execute(sa.text("SELECT set_config(:name, :value, true)"), setting)
    for name, value in (("token", who.token), ("looks", looks_in_hand(db.session()))):
        connection.execute(
            sa.text("SELECT set_config(:name, :value, true)"), {"name": f"hub.{name}", "value": value}
        )


def test_a_statement_without_a_context_is_an_error(app: Flask) -> None:
    db.session().info.pop(CONTEXT_KEY, None)
    with pytest.raises(NoContext):
        db.session.scalars(sa.select(Record.id)).all()


def test_nobody_sees_nothing(case: UUID, app: Flask) -> None:
    enter(db.session(), NOBODY)
    for model in GUARDED:
        assert db.session.scalar(sa.select(sa.func.count()).select_from(model)) == 0, model


def test_raw_sql_without_settings_sees_nothing(case: UUID, raw: sa.Connection) -> None:
    for model in GUARDED:
        assert raw.execute(sa.text(f"SELECT count(*) FROM {model.__tablename__}")).scalar() == 0, model


def test_a_pooled_connection_carries_no_context_to_the_next(case: UUID, app: Flask, world: World) -> None:
    act_as(world, "officer")
    assert db.session.scalars(sa.select(Record.id)).all() == [case]
    db.session.remove()
    with db.engine.connect() as connection:
        for name in SETTINGS:
            assert connection.execute(sa.text(f"SELECT current_setting('hub.{name}', true)")).scalar() in (
                None,
                "",
            )
        assert connection.execute(sa.text("SELECT count(*) FROM record")).scalar() == 0


def test_a_row_of_another_organisation_is_refused_by_the_orm(app: Flask, world: World) -> None:
    record = create_record(act_as(world, "officer"), RecordKind.CASE, session=db.session())
    db.session.expunge(record)
    db.session.rollback()
    act_as(world, "sergeant")
    columns = {
        name: getattr(record, name)
        for name in (column.key for column in Record.__table__.columns)
        if name != "id"
    }
    db.session.add(Record(id=new_id(), **columns))
    with pytest.raises(Denied):
        db.session.flush()


def test_a_row_of_another_organisation_is_refused_by_the_database(
    case: UUID, raw: sa.Connection, world: World
) -> None:
    sergeant = act_as(world, "sergeant")
    announce(raw, sergeant)
    values = {
        "id": new_id(), "created": "now", "area": sergeant.partnership_id, "owner": world.organisations["council"],
        "team": sergeant.team_id,
    }  # fmt: skip
    with pytest.raises(sa.exc.ProgrammingError) as refused:
        raw.execute(
            sa.text(
                "INSERT INTO record (id, created_at, kind, reference, partnership_id, owner_organisation_id, lead_team_id,"
                " marking, restricted, breakable, knowable, open_to_owner)"
                " VALUES (:id, :created, 'case', 'X-1', :area, :owner, :team, 0, false, true, false, false)"
            ),
            values,
        )
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_updates_and_deletes_of_others_rows_do_nothing(
    case: UUID, raw: sa.Connection, app: Flask, world: World
) -> None:
    # whatever the log opens, the rule does not let it be changed
    sergeant = look_at(act_as(world, "sergeant"), case)
    announce(raw, sergeant)
    for table in ("record", "case_record"):
        assert raw.execute(sa.text(f"UPDATE {table} SET knowable = true")).rowcount == 0
    assert db.session.execute(sa.update(Case).values(title="Mine now")).rowcount == 0
    look_at(act_as(world, "officer"))
    assert db.session.scalars(sa.select(Case.title)).all() == ["Noise, Ward X"]


def test_the_application_can_delete_no_guarded_row(case: UUID, raw: sa.Connection, world: World) -> None:
    announce(raw, act_as(world, "officer"))
    for model in GUARDED:
        with pytest.raises(sa.exc.ProgrammingError) as refused, raw.begin_nested():
            raw.execute(sa.text(f"DELETE FROM {model.__tablename__}"))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege), model


def test_the_database_holds_the_policies_that_are_compiled_here(database: SimpleNamespace) -> None:
    """Each compiled text is put up as a probe beside the real policy, and PostgreSQL says how it reads both."""
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    read = (
        "SELECT pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), polcmd::text FROM pg_policy"
        " WHERE polrelid = '{}'::regclass AND polname = '{}'"
    )
    with engine.connect() as connection:
        run = connection.exec_driver_sql
        listed = run(
            "SELECT polrelid::regclass::text, polname FROM pg_policy WHERE polname NOT LIKE 'hub\\_%%\\_all'"
        )
        guarded = {model.__tablename__ for model in GUARDED}
        assert {tuple(row) for row in listed if row[0] in guarded} == set(policies())
        for (table, name), (command, using, check) in policies().items():
            sql = f"CREATE POLICY probe ON {table} FOR {command} TO hub_app"
            sql += (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")
            run(sql.replace("%", "%%"))
            assert run(read.format(table, name)).one() == run(read.format(table, "probe")).one(), (
                table,
                name,
            )
            run(f"DROP POLICY probe ON {table}")
        connection.rollback()
    engine.dispose()


def test_the_database_holds_the_sets_that_are_compiled_here(database: SimpleNamespace) -> None:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.connect() as connection:
        for name, body in set_bodies().items():
            source = connection.execute(
                sa.text("SELECT prosrc FROM pg_proc WHERE proname = :name AND prosecdef"), {"name": name}
            ).scalar_one()
            assert body in source, name
    engine.dispose()


def test_row_security_is_forced_on_every_guarded_table(database: SimpleNamespace) -> None:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.connect() as connection:
        forced = {
            row[0]
            for row in connection.exec_driver_sql(
                "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
            )
        }
    engine.dispose()
    assert {model.__tablename__ for model in GUARDED} <= forced
