"""A hand-over at the database's wall, in the log of both sides, and as it is told."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from hub.access.models import Grant
from hub.audit.verifying import verify
from hub.extensions import db
from hub.handovers.actions import (
    withdraw_hand_over,
)
from hub.handovers.models import HandOver
from hub.notifications.models import Notification
from tests.fixtures.handing import handed_over, offered
from tests.fixtures.shares import shared
from tests.fixtures.world import World, act_as, look_at
from tests.handovers.seeing import sql


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        ("sergeant", "UPDATE hand_over SET state = 'accepted', answered_at = now(), answered_by = :me"),
        ("sergeant", "UPDATE hand_over SET state = 'withdrawn', answered_at = now(), answered_by = :me"),
        ("manager", "UPDATE hand_over SET state = 'accepted', answered_at = now(), answered_by = :me"),
        ("manager", "UPDATE hand_over SET state = 'refused', answered_at = now(), answered_by = :me"),
        ("manager", "UPDATE hand_over SET answer = 'They agreed', answered_by = :me"),
        ("sergeant", "UPDATE hand_over SET to_team_id = from_team_id WHERE answered_by = :me"),
        ("sergeant", "UPDATE record SET owner_organisation_id = :org, lead_team_id = :team WHERE :me <> id"),
        ("manager", "UPDATE record SET owner_organisation_id = :org, lead_team_id = :team WHERE :me <> id"),
    ],
)
def test_the_service_cannot_write_that_an_offer_was_accepted(
    case_id: UUID, world: World, database: SimpleNamespace, user: str, statement: str
) -> None:
    offered(world, case_id)
    actor = look_at(act_as(world, user))
    values = {"me": actor.user_id, "org": world.organisations["police"], "team": world.teams["npt"]}
    if "record" in statement and user == "sergeant":
        # out of sight: nothing is there to change
        found = db.session.connection().execute(sa.text(statement), values)
        assert found.rowcount == 0
    else:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        with pytest.raises(DBAPIError) as refused_by:
            db.session.connection().execute(sa.text(statement), used)
        assert getattr(refused_by.value.orig, "sqlstate", "") == "42501"
    db.session.rollback()
    assert sql(database.superuser, "SELECT state, answer FROM hand_over") == [("offered", "")]


def test_an_offer_cannot_be_born_accepted(case_id: UUID, world: World) -> None:
    offered(world, case_id)
    actor = act_as(world, "manager")
    offer = db.session.scalar(sa.select(HandOver))
    assert offer is not None
    withdraw_hand_over(actor, offer.id)
    db.session.commit()
    columns = {column.key: getattr(offer, column.key) for column in sa.inspect(HandOver).mapper.column_attrs}
    forged = HandOver(**{**columns, "id": UUID(int=7), "state": "accepted", "restated_gateway": "cda_115"})
    forged.restated_basis, forged.answered_by = "art6_1e", actor.user_id
    db.session.add(forged)
    with pytest.raises(DBAPIError) as refused_by:
        db.session.flush()
    assert getattr(refused_by.value.orig, "sqlstate", "") == "42501"
    db.session.rollback()


def test_the_function_acts_for_the_team_that_it_was_offered_to_alone(case_id: UUID, world: World) -> None:
    key = offered(world, case_id)
    for user in ("manager", "yot_worker", "sergeant_east", "outreach_worker"):
        act_as(world, user)
        with pytest.raises(DBAPIError, match="not open to you"):
            db.session.execute(sa.select(sa.func.accept_hand_over(key, "cda_115", "art6_1e", "")))
        db.session.rollback()


def test_both_organisations_find_it_in_their_logs_and_nobody_else(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    shared(world, case_id, to="yjs", taken_by=None)
    handed_over(world, case_id)
    wanted = {"handover.offered", "handover.accepted", "case.changed", "share.closed"}
    for user in ("auditor", "police_auditor"):
        actor = act_as(world, user)
        found = db.session.connection().execute(
            sa.text(
                "SELECT act FROM audit.find_events_about(:id) f JOIN audit.event e ON e.id = f.id AND e.at = f.at"
            ),
            {"id": case_id},
        )
        assert wanted <= {row[0] for row in found}, actor.name
        db.session.rollback()
    act_as(world, "yot_worker")
    seen = db.session.connection().execute(sa.text("SELECT act FROM audit.event WHERE act LIKE 'handover.%'"))
    assert list(seen) == []
    db.session.rollback()
    names = sql(
        database.superuser,
        "SELECT act, organisation_ids FROM audit.event WHERE act IN ('handover.accepted', 'case.changed')",
    )
    both = {world.organisations["council"], world.organisations["police"]}
    assert [set(ids) for _, ids in names] == [both, both]


def test_the_log_has_every_revision_after_a_hand_over(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    shared(world, case_id, to="yjs", taken_by=None)
    handed_over(world, case_id)
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        report = verify(connection)
    engine.dispose()
    assert report.ok, report.problems
    (revision,) = sql(database.superuser, "SELECT revision FROM case_record")[0]
    (version, facts) = sql(
        database.superuser,
        "SELECT max(object_version), count(*) FROM audit.event WHERE act = 'case.changed' AND object_type = 'case'",
    )[0]
    assert (version, facts) == (revision, 1)


def test_the_acceptance_says_how_many_shares_ended(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    shared(world, case_id, to="yjs", taken_by=None)
    handed_over(world, case_id)
    ((facts, basis, texts),) = sql(
        database.superuser,
        "SELECT b -> 'facts', b -> 'basis', b -> 'commitments' FROM (SELECT convert_from(body, 'UTF8')::jsonb AS b"
        " FROM audit.event WHERE act = 'handover.accepted') e",
    )
    assert facts == {"shares": 1}
    assert basis["agreement"] == str(world.agreements["sharing"])
    assert set(texts) == {"answer"}


def test_those_concerned_are_told(case_id: UUID, world: World, database: SimpleNamespace) -> None:
    key = handed_over(world, case_id)
    told = sql(database.superuser, "SELECT user_id, kind, address FROM notification ORDER BY created_at")
    assert (world.users["sergeant"], "handover.offered", f"/hand-overs/{key}") in [tuple(row) for row in told]
    assert (world.users["manager"], "handover.accepted", f"/hand-overs/{key}") in [tuple(row) for row in told]
    assert Notification.__tablename__ == "notification"


def test_what_is_restated_stands_beside_what_was_given(case_id: UUID, world: World) -> None:
    key = handed_over(world, case_id)
    act_as(world, "manager")
    offer = db.session.get_one(HandOver, key)
    assert (offer.gateway, offer.lawful_basis) == ("cda_115", "art6_1e")
    assert (offer.restated_gateway, offer.restated_basis) == ("common_law_police", "p3_task")
    assert (offer.state, offer.answer) == ("accepted", "We take it")
    assert db.session.scalar(sa.select(Grant.id)) is None
