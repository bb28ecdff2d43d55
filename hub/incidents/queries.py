"""Reads of incidents: the list, rows by ids, and what else happened at the same place or to the same people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.candidates import among_candidates
from hub.access.models import Involvement
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.access.vocabulary import RecordKind
from hub.accounts.queries import organisation_names
from hub.audit import reading
from hub.audit.changing import take_up
from hub.audit.reading import Shown
from hub.core.errors import Denied, NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.core.schema import TEXT_ARRAY
from hub.core.text import folded
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.vocabulary import (
    INCIDENT_KIND_LABELS,
    INCIDENT_SOURCE_LABELS,
    IncidentKind,
    IncidentSource,
)
from hub.places.queries import PlaceInRecord, find_near, find_place_ids, find_places_of
from hub.web.filters import format_time

HISTORY = timedelta(days=365)
HISTORY_AT_MOST = 20
_SCAN = 400


@dataclass(frozen=True)
class IncidentFilter:
    """What the list is narrowed to; empty means all. `where` is a ward, town, street or park."""

    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    first: datetime | None = None
    before: datetime | None = None
    where: str = ""


@dataclass(frozen=True)
class IncidentRow:
    """One incident in a list, with the reason why the reader finds it there."""

    id: UUID
    reference: str
    title: str
    kind: str
    source: str
    where: str
    occurred_from: str
    occurred_to: str | None
    occurred_time: str | None
    occurred_at: datetime
    reported_at: datetime
    outcome: str
    organisation: str
    why: str
    marking: int

    @property
    def href(self) -> str:
        return f"/incidents/{self.id}"

    @property
    def time_words(self) -> str:
        """`11:30pm`, where the time of day is known."""
        return format_time(self.occurred_at) if self.occurred_time else ""


@dataclass(frozen=True)
class Related:
    """Another incident and what it has in common with the one in hand."""

    incident_id: UUID
    occurred_at: datetime
    why: tuple[str, ...]


def list_incidents(
    actor: Actor, wanted: IncidentFilter, *, cursor: Cursor | None = None
) -> Page[IncidentRow]:
    """One page of the incidents that the actor may read, the latest first. One event names all of them."""
    actor.check_may(Permission.INCIDENT_READ)
    few = among_candidates(actor, Incident.id, RecordKind.INCIDENT, session=db.session())
    statement = sa.select(Incident.id, Incident.occurred_at).where(*few, *_narrowed(actor, wanted))
    if cursor is not None:
        statement = statement.where(sa.tuple_(Incident.occurred_at, Incident.id) < (cursor.at, cursor.id))
    found = db.session.execute(
        statement.order_by(Incident.occurred_at.desc(), Incident.id.desc()).limit(PAGE_SIZE + 1)
    ).all()
    page = found[:PAGE_SIZE]
    ids = [row.id for row in page]
    reading.listed(actor, "incident.listed", Shown(records=ids))
    rows = find_incident_rows(actor, ids)
    reading.withheld(actor, "incident.listed", ids, (row.id for row in rows))
    last = page[-1] if len(found) > PAGE_SIZE else None
    return Page(rows, str(Cursor(last.occurred_at, last.id)) if last else None)


def _narrowed(actor: Actor, wanted: IncidentFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.kinds:
        conditions.append(Incident.kind.in_(wanted.kinds))
    if wanted.sources:
        conditions.append(Incident.source.in_(wanted.sources))
    if wanted.first is not None:
        conditions.append(Incident.occurred_at >= wanted.first)
    if wanted.before is not None:
        conditions.append(Incident.occurred_at < wanted.before)
    if folded(wanted.where):
        conditions.append(_at_place(actor, wanted.where))
    return conditions


def _at_place(actor: Actor, words: str) -> sa.ColumnElement[bool]:
    there = sa.select(Involvement.record_id).where(Involvement.record_id == Incident.id)
    ids = find_place_ids(actor, words)
    if ids is not None:
        return there.where(Involvement.place_id.in_(ids)).exists()
    # too many places bear these words (a town, a ward): look at each incident's own
    bears = sa.func.place_has(Involvement.place_id, sa.cast(folded(words).split(), TEXT_ARRAY))
    return there.where(Involvement.place_id.is_not(None), bears).exists()


def find_incident_rows(actor: Actor, ids: Iterable[UUID]) -> list[IncidentRow]:
    """Rows by ids, the latest first. The page that shows them logs them. Three queries."""
    wanted = set(ids)
    if not wanted:
        return []
    found = db.session.scalars(
        sa.select(Incident)
        .where(Incident.id.in_(wanted))
        .order_by(Incident.occurred_at.desc(), Incident.id.desc())
    ).all()
    organisations = organisation_names(one.owner_organisation_id for one in found)
    places = find_places_of(actor, wanted)
    return [
        IncidentRow(
            id=one.id,
            reference=one.reference,
            title=one.title,
            kind=INCIDENT_KIND_LABELS[IncidentKind(one.kind)],
            source=INCIDENT_SOURCE_LABELS[IncidentSource(one.source)],
            where=_where(places.get(one.id, [])),
            occurred_from=one.occurred_from,
            occurred_to=one.occurred_to,
            occurred_time=one.occurred_time,
            occurred_at=one.occurred_at,
            reported_at=one.reported_at,
            outcome=one.outcome,
            organisation=organisations.get(one.owner_organisation_id, ""),
            why=why_seen(actor, one, organisations.get(one.owner_organisation_id, "")),
            marking=one.marking,
        )
        for one in found
    ]


def _where(places: list[PlaceInRecord]) -> str:
    return next((place.line for place in places if place.role == "scene" and not place.ended), "")


def why_seen(actor: Actor, incident: Incident, owner: str) -> str:
    """By which right a row is in the reader's list, in words."""
    if incident.lead_team_id == actor.team_id:
        return "Led by your team"
    if incident.owner_organisation_id != actor.organisation_id:
        return f"Shared by {owner}"
    return "Open to your organisation" if incident.open_to_owner else "Shared by another team of yours"


def load_for_change(actor: Actor, incident_id: UUID) -> Incident:
    """The incident, locked until the transaction ends. `NotVisible` where hidden, `Denied` where others lead it."""
    right = right_to(actor, incident_id, session=db.session())
    if right is None or db.session.scalar(sa.select(Incident.id).where(Incident.id == incident_id)) is None:
        raise NotVisible
    if not right.leads:
        raise Denied(
            "not_lead", "Another team leads this incident: only they can change it. Nothing was changed."
        )
    take_up(actor, [incident_id])
    incident = db.session.scalar(
        sa.select(Incident)
        .where(Incident.id == incident_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if incident is None:
        raise NotVisible
    return incident


def find_recent_nearby(actor: Actor, incident_id: UUID) -> list[Related]:
    """Other incidents of the last 12 months with the same people, places or vehicles, or close by; at most 20.

    Only among what the actor may read. The page that shows them logs them.
    """
    happened = db.session.scalar(sa.select(Incident.occurred_at).where(Incident.id == incident_id))
    if happened is None:
        return []
    involved = db.session.execute(
        sa.select(Involvement.person_id, Involvement.place_id, Involvement.vehicle_id).where(
            Involvement.record_id == incident_id
        )
    ).all()
    places = {one.place_id for one in involved if one.place_id}
    near = find_near(actor, places)
    reasons: dict[UUID, str] = {
        **dict.fromkeys(near, "Close by"),
        **{one.person_id: "Same person" for one in involved if one.person_id},
        **{one.vehicle_id: "Same vehicle" for one in involved if one.vehicle_id},
        **dict.fromkeys(places, "Same place"),
    }
    if not reasons:
        return []
    keys = list(reasons)
    named = sa.or_(
        Involvement.person_id.in_(keys), Involvement.place_id.in_(keys), Involvement.vehicle_id.in_(keys)
    )
    subject = sa.func.coalesce(Involvement.person_id, Involvement.place_id, Involvement.vehicle_id)
    rows = db.session.execute(
        sa.select(Incident.id, Incident.occurred_at, subject.label("subject"))
        .join(Involvement, Involvement.record_id == Incident.id)
        .where(Incident.id != incident_id, Incident.occurred_at > happened - HISTORY, named)
        .order_by(Incident.occurred_at.desc(), Incident.id.desc())
        .limit(_SCAN)
    )
    found: dict[UUID, tuple[datetime, list[str]]] = {}
    for row in rows:
        _, why = found.setdefault(row.id, (row.occurred_at, []))
        if reasons[row.subject] not in why:
            why.append(reasons[row.subject])
    related = [Related(key, at, tuple(why)) for key, (at, why) in found.items()]
    return related[:HISTORY_AT_MOST]
