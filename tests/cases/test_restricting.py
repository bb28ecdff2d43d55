"""Marking a case higher or lower, restricting it to named people, and opening it again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from hub.access.models import Involvement, Record, RecordTeam
from hub.access.vocabulary import Marking
from hub.accounts.models import User
from hub.cases.actions import change_case
from hub.cases.models import Case
from hub.cases.restricting import restrict_case
from hub.core.errors import Invalid, NotVisible
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from tests.cases.test_actions import a_case, changes_of, events_of
from tests.fixtures.world import World, act_as


def test_raising_the_marking_reaches_every_item_and_lowering_needs_a_reason(
    app: object, world: World
) -> None:
    officer = act_as(world, "officer")
    case = a_case(officer)
    add_person(officer, case, role=InvolvementRole.SUBJECT, given_names="Kit", family_name="Marlow")
    change_case(
        officer, case.id, changes_of(case, marking=Marking.OFFICIAL_SENSITIVE), revision=case.revision
    )
    db.session.commit()
    assert db.session.scalars(sa.select(Involvement.marking)).all() == [1]
    assert db.session.scalar(sa.select(Record.marking).where(Record.id == case.id)) == 1
    with pytest.raises(Invalid) as refused:
        change_case(officer, case.id, changes_of(case, marking=Marking.OFFICIAL), revision=case.revision)
    assert set(refused.value.errors) == {"marking_reason"}
    lower = changes_of(case, marking=Marking.OFFICIAL, marking_reason="The victim has moved away")
    assert change_case(officer, case.id, lower, revision=case.revision).marking == 0


def test_nobody_marks_a_case_above_their_own_clearance(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    db.session.execute(sa.update(User).where(User.id == officer.user_id).values(clearance=0))
    db.session.commit()
    officer = act_as(world, "officer")
    case = a_case(officer)
    with pytest.raises(Invalid, match="marked_above"):
        change_case(
            officer, case.id, changes_of(case, marking=Marking.OFFICIAL_SENSITIVE), revision=case.revision
        )


def test_a_restricted_case_is_seen_by_its_named_people_alone(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    case = a_case(officer, restricted=True, restricted_reason="A colleague's relative is involved")
    db.session.commit()
    manager = act_as(world, "manager")
    with pytest.raises(NotVisible):
        restrict_case(manager, case.id, restricted=False, reason="Let me in")
    officer = act_as(world, "officer")
    restrict_case(
        officer, case.id, restricted=True, reason="The manager joins", members=frozenset({manager.user_id})
    )
    db.session.commit()
    act_as(world, "manager")
    assert db.session.scalar(sa.select(Case.id).where(Case.id == case.id)) == case.id
    assert len(events_of(case.id, "case.restricted")) == 2
    assert db.session.scalars(sa.select(RecordTeam.user_id)).all() != []


def test_restricting_needs_a_reason_and_opening_again_lets_the_team_in(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    case = a_case(officer)
    with pytest.raises(Invalid) as refused:
        restrict_case(officer, case.id, restricted=True, reason="")
    assert set(refused.value.errors) == {"reason"}
    restrict_case(officer, case.id, restricted=True, reason="A colleague is named")
    restrict_case(officer, case.id, restricted=False, reason="It was another person")
    db.session.commit()
    act_as(world, "manager")
    assert db.session.scalar(sa.select(Case.id).where(Case.id == case.id)) == case.id
