"""Whether who has proved who they are may begin a session, put on a hat, or go on with something weighty: by the rules that
are installed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app

from hub.access.actor import Actor
from hub.accounts.models import Team, User
from hub.core.errors import Denied

# raises `Denied`; the last is whether the proof was a passkey bound to one device
Rule = Callable[[User, Team, bool], None]
# does only a passkey bound to one device confirm who this is?
Confirming = Callable[[Actor], bool]


def install(app: Flask, rule: Rule) -> None:
    app.extensions.setdefault("hub_admit", []).append(rule)


def install_confirming(app: Flask, confirming: Confirming) -> None:
    app.extensions["hub_admit_confirming"] = confirming


def check(user: User, team: Team, device_bound: bool) -> None:
    rules: list[Rule] = current_app.extensions["hub_admit"]
    for rule in rules:
        rule(user, team, device_bound)


def only_by_bound_passkey(actor: Actor) -> bool:
    """Does nothing else confirm who the actor is than a passkey that stays on one device?"""
    confirming: Confirming = current_app.extensions["hub_admit_confirming"]
    return confirming(actor)


def check_confirming(actor: Actor, *, device_bound: bool = False) -> None:
    """`Denied` (passkey_required) where this proof is not enough to go on."""
    if not device_bound and only_by_bound_passkey(actor):
        raise Denied("passkey_required", "Confirm with a passkey of yours that stays on one device.")
