"""The log for those outside it: what a person may be told of who has seen them, and a case's owner of who has looked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.catalogue import Category
from hub.audit.models import Event
from hub.audit.queries import Subject
from hub.audit.recording import append
from hub.extensions import db

# DPA 2018 s.62(1): what was done with the data; not what concerns accounts, the service or the log itself
TOLD = tuple(one.value for one in Category if one not in (Category.SECURITY, Category.ADMIN, Category.AUDIT))
LINES_AT_MOST = 5_000
# told apart from other combinations: names were compared by the hub itself, and nobody was shown anything
COMPARED = "compared"


@dataclass(frozen=True)
class SubjectLine:
    """What one organisation did on one day for one purpose, how often, and whom it told."""

    day: date
    # a category, or `COMPARED`
    kind: str
    organisation_id: UUID
    purpose: str
    recipients: tuple[UUID, ...]
    user_id: UUID | None
    times: int


@dataclass(frozen=True)
class MonthLine:
    """How often one organisation opened a record in one month, and met it in lists."""

    month: str
    organisation_id: UUID
    opened: int
    listed: int


def list_lines_about(
    actor: Actor, person: Subject, *, purpose: str, by_user: bool = False, reason: str = ""
) -> list[SubjectLine]:
    """What the report to a data subject is made of, oldest first; logged with its purpose, and with the reason for `by_user`.

    Of what the organisation's log tells. Refusals are left out: nobody saw anything.
    """
    actor.check_may(Permission.AUDIT_READ)
    texts = {"reason": reason} if reason else None
    _log(actor, person, purpose, by_user, texts)
    body = sa.cast(sa.func.convert_from(Event.body, "UTF8"), JSONB)
    about = _about("find_events_of_person")
    rows = db.session.execute(
        sa.select(
            _london(Event.at).label("day"),
            sa.case((Event.act == "person.compared", COMPARED), else_=Event.category).label("kind"),
            Event.organisation_id,
            sa.func.coalesce(body["basis"]["purpose"].astext, "").label("purpose"),
            body["recipients"].label("recipients"),
            (Event.user_id if by_user else sa.null()).label("user_id"),
            sa.func.count().label("times"),
        )
        .join(about, sa.and_(about.c.id == Event.id, about.c.at == Event.at))
        .where(Event.category.in_(TOLD), Event.outcome == "ok", Event.organisation_id.is_not(None))
        .group_by(*(sa.literal_column(str(number)) for number in range(1, 7 if by_user else 6)))
        .order_by(*(sa.literal_column(str(number)) for number in range(1, 7 if by_user else 6)))
        .limit(LINES_AT_MOST + 1),
        {"subject": person.id},
    )
    return [_line(row) for row in rows.mappings()]


def find_months(actor: Actor, record_id: UUID) -> list[MonthLine]:
    """Who has looked at a record, by month, the newest first. For a page that has logged its own look at the record."""
    about = _about("find_events_about")
    # the hub's own reading of its log stands in London's months, as everything on its pages
    month = sa.func.to_char(sa.func.timezone("Europe/London", Event.at), "YYYY-MM")
    opens = sa.or_(Event.act.like("%.opened"), Event.act.like("%.downloaded"))
    rows = db.session.execute(
        sa.select(
            month.label("month"),
            Event.organisation_id,
            sa.func.count(sa.case((opens, 1))).label("opened"),
            sa.func.count(sa.case((~opens, 1))).label("listed"),
        )
        .join(about, sa.and_(about.c.id == Event.id, about.c.at == Event.at))
        .where(
            Event.category == Category.CONSULTATION.value,
            Event.outcome == "ok",
            Event.organisation_id.is_not(None),
        )
        .group_by(sa.literal_column("1"), Event.organisation_id)
        .order_by(sa.literal_column("1").desc(), sa.literal_column("3").desc(), Event.organisation_id),
        {"subject": record_id},
    )
    return [MonthLine(**row) for row in rows.mappings()]


def _log(actor: Actor, person: Subject, purpose: str, by_user: bool, texts: Mapping[str, str] | None) -> None:
    """The report is shown to its auditor alone: it is handed over to the person outside the hub."""
    facts: dict[str, str | bool] = {"purpose": purpose, "titles": by_user}
    append(actor, "log.subject_reported", object_id=person.id, people=[person.id], facts=facts, texts=texts)
    db.session.commit()


def _about(function: str) -> sa.Subquery:
    statement = sa.text(f"SELECT id, at FROM audit.{function}(:subject)")  # noqa: S608 - one of two names of this module
    return statement.columns(Event.id, Event.at).subquery()


def _london(moment: sa.ColumnElement[Any] | Any) -> sa.ColumnElement[date]:
    return sa.cast(sa.func.timezone("Europe/London", moment), sa.Date)


def _line(row: Mapping[Any, Any]) -> SubjectLine:
    told = tuple(dict.fromkeys(UUID(one["organisation"]) for one in row["recipients"]))
    return SubjectLine(**{**row, "recipients": told})


@dataclass(frozen=True)
class BriefEvent:
    """An event in a line."""

    id: UUID
    at: datetime
    act: str
    outcome: str
    object_id: UUID | None


def find_brief_events(
    actor: Actor, event_ids: Collection[UUID], first_at: datetime, last_at: datetime
) -> list[BriefEvent]:
    """These events, oldest first. For a page that has logged its own look; the times leave out the other months."""
    actor.check_may(Permission.AUDIT_READ)
    rows = db.session.execute(
        sa.select(Event.id, Event.at, Event.act, Event.outcome, Event.object_id)
        .where(Event.id.in_(event_ids), Event.at.between(first_at, last_at))
        .order_by(Event.at, Event.id)
    )
    return [BriefEvent(*row) for row in rows]
