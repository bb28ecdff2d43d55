"""The declarative base, naming of constraints, and the declaration of what each column holds.

Retention, subject access, redaction and scrubbing are driven by `Holds`; a rule test fails for a column without it.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, declared_attr, mapped_column

from hub.core import clock
from hub.core.ids import new_id

TIMESTAMP = sa.DateTime(timezone=True)
UUID_ARRAY = postgresql.ARRAY(sa.Uuid)
TEXT_ARRAY = postgresql.ARRAY(sa.Text)


def any_of(ids: Collection[UUID]) -> sa.CollectionAggregate[bool]:
    """What a column equals that is one of these: one statement for any number of them, so planned once."""
    return sa.any_(sa.literal(list(ids), UUID_ARRAY))


class Holds(enum.Enum):
    """What a column holds, as data protection sees it."""

    KEY = "key"
    REFERENCE = "reference"
    ACCESS_FACT = "access fact"
    CODE = "code"
    TIME = "time"
    COUNT = "count"
    NAME = "name of a person"
    PERSONAL = "personal data"
    SENSITIVE = "special category or criminal offence data"
    FREE_TEXT = "free text that may hold personal data"
    STAFF = "data about a user"
    LOCATION = "location"
    LABEL = "name of an organisation, team or setting"
    SECRET = "secret, wrapped or hashed"
    SEALED = "ciphertext"


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # rows under row-level security can't be returned by their own INSERT, so nothing is fetched back
    __mapper_args__ = {"eager_defaults": False}


def holds(what: Holds, *args: Any, **kwargs: Any) -> MappedColumn[Any]:
    """`mapped_column` that must say what it holds."""
    return mapped_column(*args, info={"holds": what}, **kwargs)


def reference_to(target: str, *, what: Holds = Holds.KEY, **kwargs: Any) -> MappedColumn[Any]:
    """A UUID column with a foreign key to `target` (such as `organisation.id`)."""
    return holds(what, sa.Uuid, sa.ForeignKey(target), **kwargs)


class Keyed:
    """A UUIDv7 key, and when the row was made."""

    id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid, primary_key=True, default=new_id)
    created_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP, default=clock.now)


class Revised:
    """Optimistic locking: an UPDATE names the revision that was read, else `StaleDataError` (mapped to `Conflict`)."""

    revision: Mapped[int] = holds(Holds.COUNT, sa.Integer)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.revision, "eager_defaults": False}


def one_of(column: str, values: type[enum.Enum], *, name: str | None = None) -> sa.CheckConstraint:
    """A CHECK that a code column holds one of an enum's values."""
    listed = ", ".join(f"'{member.value}'" for member in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")
