"""Who offers a case and who answers, in what state, and under which agreement."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from hub.access.actor import Actor
from hub.access.guard import enter
from hub.access.models import Record
from hub.access.vocabulary import Marking, Section
from hub.cases.vocabulary import CaseKind, CaseStatus
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.handovers.actions import (
    accept_hand_over,
    offer_hand_over,
    refuse_hand_over,
    withdraw_hand_over,
)
from hub.handovers.queries import HandOverPart, list_hand_overs, open_hand_over
from tests.cases.making import at_status
from tests.fixtures.handing import RESTATED, handed_over, offer_form, offered
from tests.fixtures.shares import led_case, shared
from tests.fixtures.world import World, act_as, look_at
from tests.handovers.seeing import refused, sees, sql, suspend


@pytest.mark.parametrize(
    ("user", "error"),
    # the council's cases are open to its other teams: they see that it isn't theirs
    [("officer", Denied), ("housing_officer", Denied), ("sergeant", NotVisible)],
)
def test_only_a_supervisor_of_the_lead_team_offers_it(
    case_id: UUID, world: World, user: str, error: type[Exception]
) -> None:
    look_at(act_as(world, "officer"))
    db.session.execute(sa.update(Record).where(Record.id == case_id).values(open_to_owner=True))
    db.session.commit()
    actor = act_as(world, user)
    refused(error, lambda: offer_hand_over(actor, case_id, offer_form(world), case_kind="ASB"))


def test_what_a_partner_shares_with_us_is_not_ours_to_give(case_id: UUID, world: World) -> None:
    shared(world, case_id, sections=tuple(Section), may_contribute=True)
    actor = act_as(world, "sergeant")
    form = offer_form(world, "yjs", purpose=offer_form(world).purpose)
    assert refused(Denied, lambda: offer_hand_over(actor, case_id, form, case_kind="ASB")) == "not_lead"


def test_one_offer_at_a_time(case_id: UUID, world: World) -> None:
    first = offered(world, case_id)
    actor = act_as(world, "manager")
    again = refused(
        Conflict, lambda: offer_hand_over(actor, case_id, offer_form(world, "yjs"), case_kind="ASB")
    )
    assert again == "offered_already"
    withdraw_hand_over(act_as(world, "manager"), first)
    db.session.commit()
    offered(world, case_id, "yjs")


@pytest.mark.parametrize("end", ["accept", "refuse", "withdraw"])
def test_an_offer_is_answered_once(case_id: UUID, world: World, end: str) -> None:
    key = offered(world, case_id)
    acts: dict[str, tuple[str, Callable[[Actor], Any]]] = {
        "accept": ("sergeant", lambda actor: accept_hand_over(actor, key, RESTATED)),
        "refuse": ("sergeant", lambda actor: refuse_hand_over(actor, key, reason="Not ours")),
        "withdraw": ("manager", lambda actor: withdraw_hand_over(actor, key)),
    }
    user, act = acts[end]
    act(act_as(world, user))
    db.session.commit()
    for user, act in acts.values():
        actor = act_as(world, user)
        assert refused(Conflict, lambda act=act, actor=actor: act(actor)) == "answered_already"  # type: ignore[misc]
    assert sees(act_as(world, "sergeant"), case_id) == (end == "accept")


def test_each_side_answers_for_itself_and_a_third_organisation_finds_nothing(
    case_id: UUID, world: World
) -> None:
    key = offered(world, case_id)
    assert refused(Denied, lambda: accept_hand_over(act_as(world, "manager"), key, RESTATED))
    assert refused(Denied, lambda: refuse_hand_over(act_as(world, "manager"), key, reason="No"))
    assert refused(Denied, lambda: withdraw_hand_over(act_as(world, "sergeant"), key))
    for user in ("yot_worker", "outreach_worker", "east_officer"):
        actor = act_as(world, user)
        refused(NotVisible, lambda actor=actor: open_hand_over(actor, key))  # type: ignore[misc]
        assert [list_hand_overs(actor, part).rows for part in HandOverPart] == [[], [], []]
    refused(NotVisible, lambda: accept_hand_over(act_as(world, "yot_worker"), key, RESTATED))


def test_a_team_of_another_hat_of_the_same_user_does_not_answer(case_id: UUID, world: World) -> None:
    key = offered(world, case_id)
    assert refused(Denied, lambda: accept_hand_over(act_as(world, "sergeant_east"), key, RESTATED))


def test_only_a_case_that_has_not_ended_is_taken_over(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    key = offered(world, case_id)
    sql(
        database.superuser,
        "UPDATE case_record SET status = 'merged' WHERE id = :id",
        id=case_id,
    )
    assert refused(Conflict, lambda: accept_hand_over(act_as(world, "sergeant"), key, RESTATED)) == "not_open"
    assert not sees(act_as(world, "sergeant"), case_id)


def test_nobody_below_the_case_s_marking_takes_it_over(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    case_id = led_case(act_as(world, "officer"), marking=Marking.OFFICIAL_SENSITIVE)
    sql(database.superuser, "UPDATE app_user SET clearance = 1 WHERE id = :id", id=world.users["sergeant"])
    sql(database.superuser, "UPDATE app_user SET clearance = 1 WHERE id = :id", id=world.users["manager"])
    key = offered(world, case_id)
    sql(database.superuser, "UPDATE app_user SET clearance = 0 WHERE id = :id", id=world.users["sergeant"])
    refused(NotVisible, lambda: accept_hand_over(act_as(world, "sergeant"), key, RESTATED))
    actor = act_as(world, "manager")
    withdraw_hand_over(actor, key)
    db.session.commit()
    with pytest.raises(Invalid) as wrong:
        offer_hand_over(act_as(world, "manager"), case_id, offer_form(world), case_kind="ASB")
    assert set(wrong.value.errors) == {"to"}


def test_a_team_without_a_supervisor_is_not_offered_a_case(case_id: UUID, world: World) -> None:
    with pytest.raises(Invalid) as wrong:
        offer_hand_over(
            act_as(world, "manager"),
            case_id,
            offer_form(world, "npt_east"),
            case_kind="ASB",
        )
    assert "supervisor" in wrong.value.errors["to"]


@pytest.mark.parametrize("kind", [CaseKind.ASB, CaseKind.DOMESTIC_ABUSE])
def test_no_kind_of_case_hinders_it(app: Flask, world: World, kind: CaseKind) -> None:
    case_id = at_status(act_as(world, "officer"), CaseStatus.OPEN, kind).id
    handed_over(world, case_id)
    assert sees(act_as(world, "sergeant"), case_id)


def test_two_who_accept_at_the_same_moment_take_it_once(
    case_id: UUID, world: World, app: Flask, database: SimpleNamespace
) -> None:
    key = offered(world, case_id)
    tokens = [act_as(world, "sergeant") for _ in range(2)]
    db.session.remove()
    gate, ends = threading.Barrier(2), []

    def take(actor: Actor) -> None:
        with app.app_context():
            enter(db.session(), actor)
            gate.wait()
            try:
                accept_hand_over(actor, key, RESTATED)
                db.session.commit()
                ends.append("taken")
            except Conflict as conflict:
                db.session.rollback()
                ends.append(conflict.code)

    threads = [threading.Thread(target=take, args=(actor,)) for actor in tokens]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=20)
    assert sorted(ends) in (["not_open", "taken"], ["answered_already", "taken"])
    written = sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE act IN ('handover.accepted', 'case.changed')",
    )
    assert written == [(2,)]


def test_without_an_agreement_nothing_is_offered_and_the_refusal_is_written(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    sql(
        database.superuser,
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, 'supervisor', now())",
        user=world.users["outreach_worker"],
        area=world.partnerships["northbrook"],
    )
    with pytest.raises(Denied) as denied:
        offer_hand_over(act_as(world, "manager"), case_id, offer_form(world, "outreach"), case_kind="ASB")
    assert "not signed yet by Lantern Outreach" in denied.value.message
    written = sql(database.superuser, "SELECT outcome FROM audit.event WHERE act = 'share.denied'")
    assert [row[0] for row in written] == ["denied"]
    assert sql(database.superuser, "SELECT id FROM hand_over") == []


def test_an_agreement_suspended_in_between_stops_it_with_the_reason(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    key = offered(world, case_id)
    suspend(database, world)
    with pytest.raises(Denied) as denied:
        accept_hand_over(act_as(world, "sergeant"), key, RESTATED)
    assert "has been suspended since" in denied.value.message
    assert not sees(act_as(world, "sergeant"), case_id)
    rows = sql(
        database.superuser,
        "SELECT outcome, cardinality(organisation_ids) FROM audit.event WHERE act = 'handover.accepted'",
    )
    assert [tuple(row) for row in rows] == [("denied", 2)]
    assert sql(database.superuser, "SELECT state FROM hand_over") == [("offered",)]


def test_the_database_asks_for_the_agreement_too(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    key = offered(world, case_id)
    suspend(database, world)
    act_as(world, "sergeant")
    with pytest.raises(DBAPIError, match="no agreement in force"):
        db.session.execute(sa.select(sa.func.accept_hand_over(key, "cda_115", "art6_1e", "")))
    db.session.rollback()
