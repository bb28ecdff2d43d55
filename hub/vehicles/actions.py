"""Writes of vehicles: a vehicle with its role in a record. Flush, never commit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import involve
from hub.access.actor import Actor
from hub.access.models import Involvement
from hub.access.permissions import Permission
from hub.access.queries import check_may_add
from hub.access.vocabulary import Marking, Section
from hub.audit.recording import append
from hub.core.errors import Invalid, NotVisible
from hub.core.schema import TEXT_ARRAY
from hub.core.text import clean
from hub.extensions import db
from hub.vehicles.marks import normal_mark
from hub.vehicles.models import Vehicle
from hub.vehicles.vocabulary import VEHICLE_ROLES, VehicleKind


def add_vehicle(
    actor: Actor,
    record: Any,
    *,
    kind: VehicleKind,
    vrm: str | None = None,
    frame_number: str | None = None,
    make: str = "",
    model: str = "",
    colour: str = "",
    description: str = "",
    role: str = "used",
    marking: Marking = Marking.OFFICIAL,
) -> UUID:
    """A vehicle and its role in `record`. One that the organisation has entered before with the same mark, and about
    which nothing new is said, is the same row. Gives its id. Raises `Denied`, `Invalid`.
    """
    _check(actor, record, role)
    vehicle = Vehicle(
        organisation_id=actor.organisation_id,
        kind=VehicleKind(kind).value,
        vrm=normal_mark(vrm),
        frame_number=clean(frame_number or "").upper() or None,
        make=clean(make),
        model=clean(model),
        colour=clean(colour),
        description=clean(description),
    )
    known = _find_same(actor, vehicle)
    if known is not None:
        _involve(actor, record, known, role, marking)
        return known
    db.session.add(vehicle)
    db.session.flush()
    _involve(actor, record, vehicle.id, role, marking)
    return vehicle.id


def involve_vehicle(
    actor: Actor, record: Any, vehicle_id: UUID, *, role: str = "used", marking: Marking = Marking.OFFICIAL
) -> Involvement:
    """Gives a vehicle that the actor may read a role in `record`. Raises `NotVisible`, `Denied`, `Invalid`."""
    _check(actor, record, role)
    if db.session.scalar(sa.select(Vehicle.id).where(Vehicle.id == vehicle_id)) is None:
        raise NotVisible
    return _involve(actor, record, vehicle_id, role, marking)


def _find_same(actor: Actor, given: Vehicle) -> UUID | None:
    """A mark that was read whole names one vehicle; one with a `?` in it does not."""
    if given.vrm is None or "?" in given.vrm:
        return None
    details = [given.frame_number, given.make, given.model, given.colour, given.description]
    same = sa.func.find_same_vehicles(given.vrm, given.kind, sa.cast(details, TEXT_ARRAY))
    return db.session.scalar(
        sa.select(Vehicle.id)
        .where(
            Vehicle.id.in_(sa.select(same.column_valued("candidate"))),
            Vehicle.organisation_id == actor.organisation_id,
        )
        .order_by(Vehicle.id)
        .limit(1)
    )


def _check(actor: Actor, record: Any, role: str) -> None:
    actor.check_may(Permission.PERSON_ADD)
    if role not in VEHICLE_ROLES:
        raise Invalid("bad_role", errors={"role": "Select what the vehicle has to do with this record"})
    check_may_add(actor, record.id, Section.PEOPLE, session=db.session())


def _involve(actor: Actor, record: Any, vehicle_id: UUID, role: str, marking: Marking) -> Involvement:
    involvement = involve(
        actor,
        record,
        session=db.session(),
        role=role,
        section=Section.PEOPLE,
        vehicle_id=vehicle_id,
        marking=marking,
    )
    append(
        actor,
        "vehicle.involved",
        object_id=involvement.id,
        version=involvement.revision,
        records=[record.id],
        facts={"role": role},
    )
    return involvement
