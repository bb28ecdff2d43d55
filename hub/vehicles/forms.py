"""The form of a vehicle: what is typed, checked and brought to one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.core.errors import Invalid
from hub.core.text import clean
from hub.vehicles.marks import normal_mark
from hub.vehicles.vocabulary import VEHICLE_ROLES, VehicleKind

LIMITS = {"frame_number": 40, "make": 60, "model": 60, "colour": 60, "description": 2_000}


@dataclass(frozen=True)
class VehicleForm:
    """A vehicle and its role in the record."""

    kind: VehicleKind
    vrm: str | None = None
    frame_number: str | None = None
    make: str = ""
    model: str = ""
    colour: str = ""
    description: str = ""
    role: str = "used"


def parse_vehicle(form: Mapping[str, str]) -> VehicleForm:
    """All errors at once. Raises `Invalid`."""
    errors: dict[str, str] = {}
    texts = {name: clean(form.get(name, "")) for name in LIMITS}
    for name, limit in LIMITS.items():
        if len(texts[name]) > limit:
            errors[name] = f"Enter {limit:,} characters or fewer"
    kind, role = form.get("kind", ""), form.get("role", "")
    if kind not in set(VehicleKind):
        errors["kind"] = "Select what kind of vehicle it is"
    if role not in VEHICLE_ROLES:
        errors["role"] = "Select what the vehicle has to do with this record"
    vrm = None
    try:
        vrm = normal_mark(form.get("vrm", ""))
    except Invalid as invalid:
        errors["vrm"] = invalid.message
    if not vrm and not form.get("vrm", "").strip() and not any(texts.values()):
        errors["vrm"] = "Enter the registration, or describe the vehicle"
    if errors:
        raise Invalid("bad_vehicle", errors=errors)
    frame = texts.pop("frame_number") or None
    return VehicleForm(VehicleKind(kind), vrm=vrm, frame_number=frame, **texts, role=role)
