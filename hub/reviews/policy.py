"""Who sets the thresholds of alerts: never who reads them, so that nobody turns down what would tell of themselves."""

from __future__ import annotations

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.core.errors import Denied


def may_set_thresholds(actor: Actor) -> bool:
    return actor.may(Permission.ALERT_SET) and not actor.may(Permission.AUDIT_READ)


def check_may_set_thresholds(actor: Actor) -> None:
    """`Denied` without the permission, and for an auditor who holds it as well."""
    actor.check_may(Permission.ALERT_SET)
    if not may_set_thresholds(actor):
        raise Denied(
            "reads_alerts",
            "You read the alerts as an auditor: somebody else sets from which number on they speak.",
        )
