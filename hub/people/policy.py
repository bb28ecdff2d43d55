"""Who may read a person: whoever may read an involvement or a fact that names them, and has no declared interest."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.access.policy import Rules, guard_class, item_rules, named_by, told_by_us
from hub.access.sets import Terms, my_excluded_people, named
from hub.people.models import Person, PersonFact, PersonName


def _read(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return sa.and_(
        named("person_not_excluded", row.id.not_in(my_excluded_people(terms))),
        sa.or_(
            named_by(row.id, "person_id", terms),
            told_by_us(row.id, PersonName.__table__.alias(), terms),
            told_by_us(row.id, PersonFact.__table__.alias(), terms),
        ),
    )


def _add(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return row.organisation_id == terms.organisation_id  # type: ignore[no-any-return]


guard_class(Person, Rules(read=_read, add=_add, opened_by=()))
guard_class(PersonName, item_rules(names_person=True))
guard_class(PersonFact, item_rules(names_person=True))
