"""The ORM wall holds for aliases too: alone, beside their own class, and in subqueries."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from hub.access import guard
from hub.access.models import Involvement
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind
from hub.chronology.models import Entry
from hub.extensions import db
from hub.people.models import Person
from tests.fixtures.world import World, act_as

GUARDED = [Case, Entry, Involvement, Person]


def _compiled(statement: sa.Select[tuple[object]]) -> str:
    return str(statement.options(*guard.guard_options()).compile(db.engine))


@pytest.mark.parametrize("model", GUARDED)
def test_an_alias_carries_the_rule(app: object, world: World, model: type[Case]) -> None:
    act_as(world, "officer")
    other = aliased(model)
    assert db.session.scalars(sa.select(other.id)).all() == []
    sql = _compiled(sa.select(other.id))
    assert sql.count("record_grant") >= 2


@pytest.mark.parametrize("model", GUARDED)
def test_an_alias_beside_its_class_carries_a_rule_of_its_own(
    app: object, world: World, model: type[Case]
) -> None:
    act_as(world, "officer")
    other = aliased(model)
    both = sa.select(model.id, other.id).join(other, other.id != model.id)
    assert db.session.execute(both).all() == []
    alone = _compiled(sa.select(model.id)).count("FROM record_grant")
    assert _compiled(both).count("FROM record_grant") >= 2 * alone


def test_somebody_elses_case_is_hidden_from_both(app: object, world: World) -> None:
    create_case(act_as(world, "officer"), CaseForm(kind=CaseKind.ASB, title="Noise, Harbour"))
    db.session.commit()
    act_as(world, "east_officer")
    other = aliased(Case)
    outside = sa.select(sa.exists().where(other.title == "Noise, Harbour"))
    assert db.session.scalar(outside) is False
    pair = sa.select(other.id).where(other.id.in_(sa.select(Case.id)))
    assert db.session.scalars(pair).all() == []
