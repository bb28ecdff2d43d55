"""Who can be signed in as in a demonstration, and the one password that this copy of it has drawn for them."""

from __future__ import annotations

from typing import Any

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.accounts.queries import demo_accounts
from hub.config import Settings
from hub.extensions import db
from hub.launcher.secrets import Secrets


def demo_password(settings: Settings) -> str:
    """Drawn once for this `var`: there is no password that all demonstrations share."""
    return Secrets(settings.var).token("demo-password")


def list_accounts(settings: Settings) -> list[dict[str, Any]]:
    """Name, job, organisation, roles, e-mail and password of everybody in the demonstration."""
    enter(db.session(), NOBODY)
    password = demo_password(settings)
    return [
        {
            "name": one["name"],
            "job": one["job"],
            "organisation": one["organisation"],
            "roles": one["roles"],
            "email": one["email"],
            "password": password,
        }
        for one in demo_accounts()
    ]
