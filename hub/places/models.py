"""The place: an address or a location. What happened there is an involvement."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import Base, Holds, Keyed, holds, one_of, reference_to
from hub.places.vocabulary import PlaceKind


class Place(Keyed, Base):
    """One address or location, as its organisation entered it. Readable through an involvement only."""

    __tablename__ = "place"

    organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    description: Mapped[str] = holds(Holds.LOCATION, sa.Text)
    street: Mapped[str] = holds(Holds.LOCATION, sa.Text, default="")
    town: Mapped[str] = holds(Holds.LOCATION, sa.Text, default="")
    ward: Mapped[str] = holds(Holds.LOCATION, sa.Text, default="")
    postcode: Mapped[str | None] = holds(Holds.LOCATION, sa.Text)
    uprn: Mapped[str | None] = holds(Holds.LOCATION, sa.Text)
    lsoa_code: Mapped[str | None] = holds(Holds.LOCATION, sa.Text)
    latitude: Mapped[float | None] = holds(Holds.LOCATION, sa.Double)
    longitude: Mapped[float | None] = holds(Holds.LOCATION, sa.Double)
    # folded words of description, street, town and postcode: what search looks through
    words: Mapped[str] = holds(Holds.LOCATION, sa.Text)

    __table_args__ = (
        one_of("kind", PlaceKind),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="point_whole"),
        sa.Index("ix_place_words", "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}),
        sa.Index("ix_place_postcode", "postcode"),
        sa.Index("ix_place_point", "latitude", "longitude"),
    )
