"""The vehicle. Who rode it where is an involvement."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import Base, Holds, Keyed, holds, one_of, reference_to
from hub.vehicles.vocabulary import VehicleKind


class Vehicle(Keyed, Base):
    """A vehicle as its organisation entered it; unregistered ones have no mark. Readable through an involvement only."""

    __tablename__ = "vehicle"

    organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    # vehicle registration mark, normalised: capitals, no spaces
    vrm: Mapped[str | None] = holds(Holds.PERSONAL, sa.Text)
    frame_number: Mapped[str | None] = holds(Holds.PERSONAL, sa.Text)
    make: Mapped[str] = holds(Holds.PERSONAL, sa.Text, default="")
    model: Mapped[str] = holds(Holds.PERSONAL, sa.Text, default="")
    colour: Mapped[str] = holds(Holds.PERSONAL, sa.Text, default="")
    description: Mapped[str] = holds(Holds.PERSONAL, sa.Text, default="")

    __table_args__ = (
        one_of("kind", VehicleKind),
        sa.CheckConstraint("vrm IS NULL OR vrm ~ '^[A-Z0-9?]{2,10}$'", name="vrm_normalised"),
        sa.Index("ix_vehicle_vrm", "vrm"),
    )
