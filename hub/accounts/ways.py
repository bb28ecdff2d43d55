"""The ways in that a user has, so that nobody takes away the last one.

Password and app are known here; other packages, which accounts imports none of, install theirs.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app

from hub.access.actor import Actor
from hub.accounts.queries import find_ways

Find = Callable[[Actor], bool]


def install(app: Flask, name: str, find: Find) -> None:
    app.extensions.setdefault("hub_ways", {})[name] = find


def has_another(actor: Actor, than: str) -> bool:
    """Can the actor sign in by something else than the way of this name? In a demonstration one click is enough."""
    if current_app.config["HUB_SETTINGS"].demo or find_ways(actor).both:
        return True
    installed: dict[str, Find] = current_app.extensions.get("hub_ways", {})
    return any(find(actor) for name, find in installed.items() if name != than)
