"""How the tests of hand-overs look: at the database past the walls, and at who reads what."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.vocabulary import Audience, Section
from hub.cases.models import Case
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.chronology.models import Entry
from hub.extensions import db
from tests.fixtures.world import World

CHRONOLOGY = Section.CHRONOLOGY


def sql(url: str, statement: str, **values: Any) -> list[Any]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement), values)
        rows = list(result) if result.returns_rows else []
    engine.dispose()
    return rows


def entry(actor: Actor, case_id: UUID, text: str, audience: Audience | None = None) -> UUID:
    key = add_entry(actor, case_id, EntryForm(text, audience=audience)).id
    db.session.commit()
    return key


def reads(actor: Actor, entry_id: UUID) -> bool:
    return db.session.scalar(sa.select(Entry.id).where(Entry.id == entry_id)) is not None


def sees(actor: Actor, case_id: UUID) -> bool:
    return db.session.scalar(sa.select(Case.id).where(Case.id == case_id)) is not None


def refused(error: type[Exception], act: Callable[[], Any]) -> str:
    with pytest.raises(error) as found:
        act()
    db.session.rollback()
    return str(getattr(found.value, "code", ""))


def suspend(database: SimpleNamespace, world: World) -> None:
    sql(
        database.superuser,
        "UPDATE agreement SET suspended_at = now(), suspended_why = 'A breach' WHERE id = :id",
        id=world.agreements["sharing"],
    )
