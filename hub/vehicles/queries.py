"""Reads of vehicles, through the involvements that name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Involvement
from hub.extensions import db
from hub.vehicles.models import Vehicle
from hub.vehicles.vocabulary import VEHICLE_KIND_LABELS, VEHICLE_ROLES, VehicleKind


@dataclass(frozen=True)
class VehicleInRecord:
    """A vehicle and what it has to do with one record."""

    involvement_id: UUID
    record_id: UUID
    vehicle_id: UUID
    role: str
    role_label: str
    kind_label: str
    vrm: str | None
    frame_number: str | None
    make: str
    model: str
    colour: str
    description: str
    marking: int
    contributor_organisation_id: UUID
    ended: bool
    ended_why: str | None

    @property
    def line(self) -> str:
        """`NB21ABC, red Sondo Trail (off-road motorcycle)`."""
        looks = " ".join(part for part in (self.colour.lower(), self.make, self.model) if part)
        mark = self.vrm or "No registration"
        return ", ".join(part for part in (mark, looks) if part) + f" ({self.kind_label.lower()})"


def find_vehicles_of(actor: Actor, record_ids: Iterable[UUID]) -> dict[UUID, list[VehicleInRecord]]:
    """Vehicles of each record, oldest first, as far as the actor may read them. One query."""
    rows = db.session.execute(
        sa.select(Involvement, Vehicle)
        .join(Vehicle, Vehicle.id == Involvement.vehicle_id)
        .where(Involvement.record_id.in_(set(record_ids)))
        .order_by(Involvement.id)
    )
    found: dict[UUID, list[VehicleInRecord]] = defaultdict(list)
    for involvement, vehicle in rows:
        found[involvement.record_id].append(_in_record(involvement, vehicle))
    return dict(found)


def _in_record(involvement: Involvement, vehicle: Vehicle) -> VehicleInRecord:
    return VehicleInRecord(
        involvement_id=involvement.id,
        record_id=involvement.record_id,
        vehicle_id=vehicle.id,
        role=involvement.role,
        role_label=VEHICLE_ROLES.get(involvement.role, involvement.role),
        kind_label=VEHICLE_KIND_LABELS[VehicleKind(vehicle.kind)],
        vrm=vehicle.vrm,
        frame_number=vehicle.frame_number,
        make=vehicle.make,
        model=vehicle.model,
        colour=vehicle.colour,
        description=vehicle.description,
        marking=max(involvement.marking, involvement.item_marking),
        contributor_organisation_id=involvement.contributor_organisation_id,
        ended=involvement.ended_at is not None,
        ended_why=involvement.ended_why,
    )
