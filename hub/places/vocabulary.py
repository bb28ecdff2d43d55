"""Kinds of places (HANDBOOK 6.7) and their roles in a record (6.11)."""

from __future__ import annotations

import enum


class PlaceKind(enum.StrEnum):
    ADDRESS = "address"
    STREET = "street"
    PARK = "park"
    JUNCTION = "junction"
    TRANSPORT_STOP = "transport_stop"
    AREA = "area"


PLACE_KIND_LABELS = {
    PlaceKind.ADDRESS: "Address",
    PlaceKind.STREET: "Street",
    PlaceKind.PARK: "Park or open space",
    PlaceKind.JUNCTION: "Junction",
    PlaceKind.TRANSPORT_STOP: "Transport stop",
    PlaceKind.AREA: "Area",
}

PLACE_ROLES = {
    "scene": "Where it happened",
    "address_of_concern": "Address of concern",
    "lives_at": "Lives at",
}
