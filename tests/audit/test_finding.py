"""The finder, by whom lists and searches look for ids: no content, no change, and every statement in the role that it needs."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from hub.access.finding import role_for
from hub.access.policy import GUARDED
from hub.access.walls import is_content
from hub.cases.models import Case
from hub.cases.queries import CaseFilter, list_cases, open_case
from hub.core.paging import PAGE_SIZE
from hub.extensions import db, live_session
from tests.audit.stolen import Stolen, case, other, stolen
from tests.fixtures.world import World, act_as, look_at

__all__ = ["case", "other", "stolen"]


def test_the_finder_reads_no_content(stolen: Stolen, case: UUID) -> None:
    stolen.begin()
    stolen.sql.execute("SET LOCAL ROLE hub_finder")
    assert stolen.rows("SELECT id, status FROM case_record") == [(case, "new")]
    for model, rules in GUARDED.items():
        table = sa.inspect(model).local_table
        for column in table.columns if rules.opened_by is not None else ():
            stolen.sql.execute("SAVEPOINT one")
            statement = f"SELECT {column.name} FROM {table.name}"
            if is_content(column):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    stolen.rows(statement)
            else:
                stolen.rows(statement)
            stolen.sql.execute("ROLLBACK TO one")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE case_record SET status = 'closed'",
        "INSERT INTO record_team SELECT * FROM record_team",
        "DELETE FROM draft",
        "SELECT id FROM case_record FOR UPDATE",
        "SELECT body FROM audit.event",
    ],
)
def test_and_changes_nothing(stolen: Stolen, case: UUID, statement: str) -> None:
    stolen.begin()
    stolen.sql.execute("SET LOCAL ROLE hub_finder")
    if "audit.event" in statement:
        assert stolen.rows(statement) == []
        return
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stolen.sql.execute(statement)  # type: ignore[call-overload]


def test_each_statement_takes_the_role_that_it_needs() -> None:
    finder = "hub_finder"
    for statement, role in (
        ("SELECT case_record.id FROM case_record WHERE case_record.status = %(s)s", finder),
        ("SELECT case_record.id, case_record.title FROM case_record", "NONE"),
        (
            "SELECT case_record_1.id FROM case_record AS case_record_1 WHERE case_record_1.title = %(t)s",
            "NONE",
        ),
        ("SELECT record_grant.reason FROM record_grant", "NONE"),
        (
            "SELECT case_record.id FROM case_record WHERE case_record.id IN (SELECT record_grant.record_id)",
            finder,
        ),
        ("SELECT event.id FROM audit.event AS event", "NONE"),
        ("SELECT record.id FROM record WHERE record.id = %(id)s FOR UPDATE", "NONE"),
        ("UPDATE case_record SET revision = 2", "NONE"),
        ("INSERT INTO notification (id) VALUES (%(id)s)", "NONE"),
        ("SELECT app_user.name FROM app_user", None),
        ("SELECT audit.record_event(%(token)s)", None),
        ("ROLLBACK TO SAVEPOINT sa_savepoint_1", None),
    ):
        assert role_for(statement) == role, statement


def test_a_forgotten_look_shows_nothing(case: UUID, world: World) -> None:
    act_as(world, "officer")
    assert db.session.scalars(sa.select(Case.id)).all() == [case]
    assert db.session.scalars(sa.select(Case.title)).all() == []
    assert db.session.scalars(sa.select(Case)).all() == []


def test_the_pages_ways_open_what_they_logged_and_no_more(case: UUID, other: UUID, world: World) -> None:
    officer = act_as(world, "officer")
    assert open_case(officer, case, "summary").case.title == "Noise, Ward X"
    assert db.session.scalars(sa.select(Case.title)).all() == ["Noise, Ward X"]
    officer = act_as(world, "officer")
    assert {row.title for row in list_cases(officer, CaseFilter()).rows} == {"Noise, Ward X", "Fires, Ward Y"}
    assert PAGE_SIZE > 2


def test_the_role_is_right_after_a_savepoint_and_in_the_next_transaction(case: UUID, world: World) -> None:
    officer = act_as(world, "officer")
    session = live_session()
    whose = sa.text("SELECT current_user")
    with session.begin_nested() as inner:
        session.scalars(sa.select(Case.id)).all()
        assert session.scalar(whose) == "hub_finder"
        inner.rollback()
    assert session.scalars(sa.select(Case.title)).all() == []
    assert session.scalar(whose) == "hub_app"
    session.commit()
    assert session.scalar(whose) == "hub_finder"
    look_at(officer, case)
    session.commit()
    assert session.scalar(whose) == "hub_app"
