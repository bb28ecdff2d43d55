"""The person, and what organisations have contributed about them: names and facts, each an item of a record."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.facts import ItemFacts, item_constraints
from hub.core.schema import Base, Holds, Keyed, holds, one_of, reference_to
from hub.people.vocabulary import FactKind, FactSource, NameKind

FIRST_SOUND = "left(dmetaphone(split_part(coalesce(nullif(given_names, ''), known_as), ' ', 1)), 2)"


class Person(Keyed, Base):
    """One person, without a single fact: all that is known is contributed, owned and marked."""

    __tablename__ = "person"

    organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)


class PersonName(Keyed, ItemFacts, Base):
    """A name that somebody goes by, as one organisation knows it through one record."""

    __tablename__ = "person_name"

    person_id: Mapped[UUID] = reference_to("person.id")
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    source: Mapped[str] = holds(Holds.CODE, sa.Text, default=FactSource.NOT_RECORDED)
    given_names: Mapped[str] = holds(Holds.NAME, sa.Text, default="")
    family_name: Mapped[str] = holds(Holds.NAME, sa.Text, default="")
    known_as: Mapped[str] = holds(Holds.NAME, sa.Text, default="")
    # all parts, folded: what search looks through
    words: Mapped[str] = holds(Holds.NAME, sa.Text)
    # how family name and first given name begin to sound: short, so that names written differently come together
    family_key: Mapped[str] = holds(
        Holds.NAME, sa.Text, sa.Computed("left(dmetaphone(family_name), 2)", persisted=True)
    )
    given_key: Mapped[str] = holds(Holds.NAME, sa.Text, sa.Computed(FIRST_SOUND, persisted=True))

    __table_args__ = (
        *item_constraints("person_name"),
        one_of("kind", NameKind),
        one_of("source", FactSource),
        sa.CheckConstraint("given_names <> '' OR family_name <> '' OR known_as <> ''", name="some_name"),
        sa.Index("ix_person_name_person", "person_id"),
        sa.Index("ix_person_name_keys", "family_key", "given_key"),
        sa.Index(
            "ix_person_name_words", "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}
        ),
    )

    @property
    def full(self) -> str:
        """The name as people write it; the name known as comes first (HANDBOOK 6.2)."""
        formal = " ".join(part for part in (self.given_names, self.family_name) if part)
        if self.known_as and formal:
            return f"{self.known_as} ({formal})"
        return self.known_as or formal


class PersonFact(Keyed, ItemFacts, Base):
    """Something else known about a person: date of birth, phone, reference."""

    __tablename__ = "person_fact"

    person_id: Mapped[UUID] = reference_to("person.id")
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    source: Mapped[str] = holds(Holds.CODE, sa.Text, default=FactSource.NOT_RECORDED)
    value: Mapped[str] = holds(Holds.PERSONAL, sa.Text)

    __table_args__ = (
        *item_constraints("person_fact"),
        one_of("kind", FactKind),
        one_of("source", FactSource),
        sa.CheckConstraint("value <> ''", name="value_given"),
        sa.Index("ix_person_fact_person", "person_id"),
        sa.Index("ix_person_fact_value", "kind", "value"),
    )
