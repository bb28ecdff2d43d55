"""The line on every page while the reader has emergency access open: to what, until when, and how to give it back."""

from __future__ import annotations

from typing import Any

from flask import Flask, g

from hub.access.permissions import Permission
from hub.emergencies.queries import find_open, record_address


def install(app: Flask) -> None:
    app.context_processor(_open_ones)


def _open_ones() -> dict[str, Any]:
    actor = g.get("actor")
    if actor is None or g.get("failed") or not actor.may(Permission.EMERGENCY_OPEN):
        return {"open_emergencies": []}
    return {
        "open_emergencies": [
            {
                "id": one.id,
                "reference": one.record_reference,
                "href": record_address(one),
                "until": one.expires_at,
            }
            for one in find_open(actor)
        ]
    }
