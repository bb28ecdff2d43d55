"""Reads of alerts: the list, and one with the events behind it. Every look is logged with the purpose that was stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission, Role
from hub.accounts.models import RoleHolding, User
from hub.accounts.queries import user_names
from hub.audit.policy import OUTCOMES, LogPurpose, act_label
from hub.audit.queries import find_references
from hub.audit.reading import Shown, listed, opened
from hub.audit.reporting import find_brief_events
from hub.audit.texts import open_texts
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.reviews.models import Alert
from hub.reviews.rules import RULES, Rule
from hub.reviews.vocabulary import DECISION_LABELS, Decision


@dataclass(frozen=True)
class AlertRow:
    """An alert in the list: ids, counts, a rule and a user."""

    alert: Alert
    user_name: str
    reviewed_by: str

    @property
    def href(self) -> str:
        return f"/audit/alerts/{self.alert.id}"

    @property
    def rule(self) -> Rule:
        return RULES[self.alert.rule]

    @property
    def title(self) -> str:
        return self.rule.title

    @property
    def decision(self) -> str:
        return DECISION_LABELS[Decision(self.alert.decision)].partition(":")[0] if self.alert.decision else ""


@dataclass(frozen=True)
class AlertEvent:
    """An event behind an alert: never content."""

    id: UUID
    at: datetime
    act: str
    outcome: str
    tone: str
    reference: str

    @property
    def href(self) -> str:
        return f"/audit/events/{self.id}"


@dataclass(frozen=True)
class OpenedAlert:
    row: AlertRow
    events: Sequence[AlertEvent]
    note: str

    @property
    def hidden(self) -> int:
        """Events that are counted and not listed."""
        return self.row.alert.events - len(self.events)


def list_alerts(
    actor: Actor,
    *,
    purpose: LogPurpose,
    rule: str | None = None,
    reviewed: bool | None = None,
    cursor: Cursor | None = None,
) -> Page[AlertRow]:
    """A page of the organisation's alerts, the newest first; never one about the actor."""
    actor.check_may(Permission.AUDIT_READ)
    listed(actor, "alert.listed", Shown(), facts={"purpose": purpose.value})
    statement = sa.select(Alert).where(*_mine(actor))
    if rule:
        statement = statement.where(Alert.rule == rule)
    if reviewed is not None:
        statement = statement.where(
            Alert.reviewed_at.is_not(None) if reviewed else Alert.reviewed_at.is_(None)
        )
    if cursor is not None:
        statement = statement.where(sa.tuple_(Alert.created_at, Alert.id) < (cursor.at, cursor.id))
    found = db.session.scalars(
        statement.order_by(Alert.created_at.desc(), Alert.id.desc()).limit(PAGE_SIZE + 1)
    ).all()
    page = found[:PAGE_SIZE]
    more = str(Cursor(page[-1].created_at, page[-1].id)) if len(found) > PAGE_SIZE else None
    return Page(_rows(page), more)


def open_alert(actor: Actor, alert_id: UUID, *, purpose: LogPurpose) -> OpenedAlert:
    """One alert with its events. `NotVisible` for another organisation's, and for one about the actor."""
    actor.check_may(Permission.AUDIT_READ)
    revision = db.session.scalar(sa.select(Alert.revision).where(Alert.id == alert_id, *_mine(actor)))
    shown = Shown(version=revision) if revision is not None else None
    opened(actor, "alert.opened", alert_id, shown, facts={"purpose": purpose.value})
    alert = db.session.scalar(
        sa.select(Alert).where(Alert.id == alert_id, *_mine(actor)).execution_options(populate_existing=True)
    )
    if alert is None:
        raise NotVisible
    note = open_texts(actor, [alert.review_event_id], "note")
    return OpenedAlert(_rows([alert])[0], _events(actor, alert), next(iter(note.values()), ""))


def find_auditors(actor: Actor) -> dict[UUID, str]:
    """Those who hold the role in the actor's organisation, in whichever partnership."""
    rows = db.session.execute(
        sa.select(User.id, User.name)
        .join(RoleHolding, RoleHolding.user_id == User.id)
        .where(
            User.organisation_id == actor.organisation_id,
            User.disabled_at.is_(None),
            RoleHolding.role == Role.AUDITOR.value,
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
        )
    )
    return {row.id: row.name for row in rows}


def _mine(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return Alert.organisation_id == actor.organisation_id, Alert.user_id != actor.user_id


def _rows(alerts: Sequence[Alert]) -> list[AlertRow]:
    names = user_names(one for row in alerts for one in (row.user_id, row.reviewed_by) if one)
    return [
        AlertRow(
            row,
            names.get(row.user_id, "A user of another time"),
            names.get(row.reviewed_by, "") if row.reviewed_by else "",
        )
        for row in alerts
    ]


def _events(actor: Actor, alert: Alert) -> list[AlertEvent]:
    found = find_brief_events(actor, alert.event_ids, alert.first_at, alert.last_at)
    references = find_references(actor, alert.event_ids)
    rows = []
    for one in found:
        words, tone = OUTCOMES.get(one.outcome, (one.outcome, "grey"))
        subject = references.get(one.object_id) if one.object_id else None
        rows.append(
            AlertEvent(one.id, one.at, act_label(one.act), words, tone, subject.reference if subject else "")
        )
    return rows
