"""Who may read a person: whoever may read an involvement or a fact that names them, and has no declared interest."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.access.policy import (
    Rules,
    Terms,
    actor_set,
    contributed,
    guard_class,
    item_rules,
    my_excluded_people,
    named,
    named_by,
)
from hub.people.models import Person, PersonFact, PersonName


def _my_contributed_people(terms: Terms) -> Any:
    """People about whom one's own organisation contributed a name or a fact to another's record."""
    return sa.union_all(
        *(
            sa.select(told.c.person_id).where(contributed(told.c, terms))
            for told in (PersonName.__table__.alias(), PersonFact.__table__.alias())
        )
    )


my_contributed_people = actor_set("my_contributed_person", ("person_id",), _my_contributed_people)


def _read(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return sa.and_(
        named("person_not_excluded", row.id.not_in(my_excluded_people(terms))),
        sa.or_(
            named_by(row.id, "person_id", terms),
            my_contributed_people.has("person_id", row.id, terms),
        ),
    )


def _add(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return row.organisation_id == terms.organisation_id  # type: ignore[no-any-return]


guard_class(Person, Rules(read=_read, add=_add))
guard_class(PersonName, item_rules(names_person=True))
guard_class(PersonFact, item_rules(names_person=True))
