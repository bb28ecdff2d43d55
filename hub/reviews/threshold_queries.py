"""Reads of the thresholds of alerts: the number of each rule that is in force, since when, and the one that comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.queries import user_names
from hub.core import clock
from hub.core.errors import Denied
from hub.extensions import db
from hub.reviews.models import AlertSetting
from hub.reviews.rules import RULES, Rule


@dataclass(frozen=True)
class Setting:
    """An organisation's own threshold, and who set it."""

    threshold: int
    valid_from: date
    set_by: str


@dataclass(frozen=True)
class InForce:
    """A rule with what holds today. Without a `setting` it is the hub's own number; `coming` is set and not in force yet."""

    rule: Rule
    setting: Setting | None
    coming: Setting | None
    # the newest setting there is, for a form that was opened before another was made
    newest: UUID | None

    @property
    def threshold(self) -> int:
        return self.setting.threshold if self.setting else self.rule.threshold

    @property
    def told(self) -> str:
        return self.rule.told(self.threshold)


def find_thresholds(actor: Actor) -> dict[str, InForce]:
    """Every rule of the actor's organisation by its code. For those who read alerts, and those who set the thresholds."""
    if not (actor.may(Permission.AUDIT_READ) or actor.may(Permission.ALERT_SET)):
        raise Denied("no_permission", "Your role does not allow this.")
    rows = db.session.scalars(
        sa.select(AlertSetting)
        .where(AlertSetting.organisation_id == actor.organisation_id)
        .order_by(AlertSetting.valid_from, AlertSetting.id)
    ).all()
    names = user_names(row.set_by for row in rows)
    by_rule: dict[str, list[AlertSetting]] = {code: [] for code in RULES}
    for row in rows:
        by_rule[row.rule].append(row)
    return {code: _in_force(RULES[code], found, names) for code, found in by_rule.items()}


def _in_force(rule: Rule, rows: Sequence[AlertSetting], names: dict[UUID, str]) -> InForce:
    today = clock.today()

    def words(row: AlertSetting) -> Setting:
        return Setting(row.threshold, row.valid_from, names.get(row.set_by, "A user of another time"))

    # of the same day the last one counts
    begun = [row for row in rows if row.valid_from <= today]
    ahead = {row.valid_from: row for row in rows if row.valid_from > today}
    return InForce(
        rule,
        words(begun[-1]) if begun else None,
        words(ahead[min(ahead)]) if ahead else None,
        max((row.id for row in rows), default=None),
    )
