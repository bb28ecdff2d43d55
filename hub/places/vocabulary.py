"""Kinds of places (HANDBOOK 6.7)."""

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
