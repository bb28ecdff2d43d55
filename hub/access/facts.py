"""Access facts as columns: on a record's own row, and copied to all that hangs on it by a composite foreign key.

The copies can't drift: `ON UPDATE CASCADE` follows every change. Every column is NOT NULL, because a composite
foreign key with a NULL in it is not checked at all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr

from hub.access.vocabulary import Audience, Section
from hub.core import clock
from hub.core.schema import TIMESTAMP, UUID_ARRAY, Holds, holds, one_of, reference_to

FACT_NAMES = (
    "partnership_id",
    "owner_organisation_id",
    "lead_team_id",
    "marking",
    "restricted",
    "breakable",
    "knowable",
    "open_to_owner",
)


class RecordFacts:
    """Who leads a record and how closely it is held."""

    partnership_id: Mapped[UUID] = holds(Holds.ACCESS_FACT, sa.Uuid)
    owner_organisation_id: Mapped[UUID] = holds(Holds.ACCESS_FACT, sa.Uuid)
    lead_team_id: Mapped[UUID] = holds(Holds.ACCESS_FACT, sa.Uuid)
    marking: Mapped[int] = holds(Holds.ACCESS_FACT, sa.SmallInteger, default=0)
    restricted: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)
    # may emergency access open it?
    breakable: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=True)
    # may partners learn that it exists?
    knowable: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)
    # does the owner's policy open it to the whole owner organisation?
    open_to_owner: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)


def facts_of(row: Any) -> dict[str, Any]:
    """The facts of a record or of anything that carries them, ready for a new row's constructor."""
    return {name: getattr(row, name) for name in FACT_NAMES}


def facts_key(record_column: str, table: str) -> sa.ForeignKeyConstraint:
    """The composite foreign key by which `table` copies the facts of the record named in `record_column`."""
    return sa.ForeignKeyConstraint(
        [record_column, *FACT_NAMES],
        ["record.id", *(f"record.{name}" for name in FACT_NAMES)],
        onupdate="CASCADE",
        name=f"fk_{table}_record_facts",
    )


class ItemFacts(RecordFacts):
    """What every item adds to its record's facts: section, own marking, audience, and who contributed it."""

    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    section: Mapped[str] = holds(Holds.ACCESS_FACT, sa.Text)
    item_marking: Mapped[int] = holds(Holds.ACCESS_FACT, sa.SmallInteger, default=0)
    audience: Mapped[str | None] = holds(Holds.ACCESS_FACT, sa.Text)
    audience_ids: Mapped[list[UUID] | None] = holds(Holds.ACCESS_FACT, UUID_ARRAY)
    contributed_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP, default=clock.now)

    @declared_attr
    def contributor_organisation_id(cls) -> Mapped[UUID]:
        return reference_to("organisation.id", what=Holds.ACCESS_FACT)

    @declared_attr
    def contributed_by(cls) -> Mapped[UUID]:
        return reference_to("app_user.id", what=Holds.STAFF)


def item_constraints(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    """The constraints of an item's table; add them to its `__table_args__`."""
    return (
        facts_key("record_id", table),
        one_of("section", Section),
        sa.CheckConstraint("item_marking IN (0, 1)", name="item_marking_known"),
        sa.CheckConstraint(
            f"audience IS NULL OR audience IN ({', '.join(repr(a.value) for a in Audience)})",
            name="audience_known",
        ),
        sa.CheckConstraint(
            "(coalesce(audience, '') IN ('organisations', 'people')) = (audience_ids IS NOT NULL)",
            name="audience_named",
        ),
        sa.Index(f"ix_{table}_record", "record_id", "id"),
    )
