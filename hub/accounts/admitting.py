"""Whether who has proved who they are may begin a session, or put on a hat: by the rules that are installed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app

from hub.accounts.models import Team, User

# raises `Denied`; the last is whether the proof was a passkey bound to one device
Rule = Callable[[User, Team, bool], None]


def install(app: Flask, rule: Rule) -> None:
    app.extensions.setdefault("hub_admit", []).append(rule)


def check(user: User, team: Team, device_bound: bool) -> None:
    rules: list[Rule] = current_app.extensions["hub_admit"]
    for rule in rules:
        rule(user, team, device_bound)
