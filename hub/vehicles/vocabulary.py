"""Kinds of vehicles (HANDBOOK 6.12) and their roles in a record (6.11)."""

from __future__ import annotations

import enum


class VehicleKind(enum.StrEnum):
    CAR = "car"
    VAN = "van"
    MOTORCYCLE = "motorcycle"
    OFF_ROAD_MOTORCYCLE = "off_road_motorcycle"
    QUAD = "quad"
    MOPED = "moped"
    E_SCOOTER = "e_scooter"
    E_BIKE = "e_bike"
    OTHER = "other"


VEHICLE_KIND_LABELS = {
    VehicleKind.CAR: "Car",
    VehicleKind.VAN: "Van",
    VehicleKind.MOTORCYCLE: "Motorcycle",
    VehicleKind.OFF_ROAD_MOTORCYCLE: "Off-road motorcycle",
    VehicleKind.QUAD: "Quad bike",
    VehicleKind.MOPED: "Moped",
    VehicleKind.E_SCOOTER: "E-scooter",
    VehicleKind.E_BIKE: "E-bike",
    VehicleKind.OTHER: "Other",
}

VEHICLE_ROLES = {"used": "Used", "seized": "Seized", "damaged": "Damaged", "seen": "Seen"}
