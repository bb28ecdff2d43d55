"""Whether who has proved who they are may begin a session, or put on a hat: by the rule that is installed, if one is."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app

from hub.accounts.models import Team, User

# raises `Denied`; the last is whether the proof was a passkey bound to one device
Rule = Callable[[User, Team, bool], None]


def install(app: Flask, rule: Rule) -> None:
    app.extensions["hub_admit"] = rule


def check(user: User, team: Team, device_bound: bool) -> None:
    rule: Rule = current_app.extensions["hub_admit"]
    rule(user, team, device_bound)
