"""Writes of incidents: logged with their place. Flush, never commit."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hub.access.actions import create_record
from hub.access.actor import Actor, Source
from hub.access.facts import facts_of
from hub.access.permissions import Permission
from hub.access.vocabulary import RecordKind
from hub.accounts.models import Organisation
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day
from hub.core.text import MAX_TEXT, clean
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.vocabulary import INCIDENT_KIND_LABELS, IncidentKind
from hub.places.actions import add_first_place

if TYPE_CHECKING:
    from hub.incidents.forms import IncidentForm


def log_incident(actor: Actor, form: IncidentForm, *, reported_at: datetime | None = None) -> Incident:
    """An incident led by the team in hand, with its place. Raises `Denied`, `Invalid`, `Conflict`."""
    actor.check_may(Permission.INCIDENT_LOG)
    if reported_at is not None and actor.source is not Source.LOAD:
        raise Invalid("bad_report_time", "An incident is reported when it is logged.")
    reported = reported_at or clock.now()
    happened = moment_of(form.occurred_from, form.occurred_time)
    _check(form, happened, reported)
    record = create_record(
        actor,
        RecordKind.INCIDENT,
        session=db.session(),
        marking=form.marking,
        open_to_owner=opens_records(actor),
    )
    place = form.place
    incident = Incident(
        id=record.id,
        reference=record.reference,
        **facts_of(record),
        kind=form.kind.value,
        title=title_of(form.kind, (place.ward or place.town) if place else ""),
        description=clean(form.description),
        occurred_from=form.occurred_from,
        occurred_to=form.occurred_to,
        occurred_time=form.occurred_time,
        occurred_at=happened,
        reported_at=reported,
        source=form.source.value,
        told_by=clean(form.told_by),
        source_system=form.source_system,
        source_reference=form.source_reference,
        outcome=form.outcome,
        logged_by=actor.user_id,
    )
    db.session.add(incident)
    db.session.flush()
    append(
        actor,
        "incident.logged",
        object_id=incident.id,
        version=incident.revision,
        records=[incident.id],
        facts={"kind": incident.kind},
    )
    if place is not None:
        add_first_place(actor, record, place, marking=form.marking)
    return incident


def moment_of(occurred_from: str, occurred_time: str | None) -> datetime:
    """The earliest moment that a partial date and a time in London may mean. Raises `Invalid`."""
    try:
        day = earliest_day(occurred_from)
        at = time.fromisoformat(occurred_time) if occurred_time else time(0)
    except (BadPartialDate, ValueError) as error:
        raise Invalid(
            "bad_date", errors={"occurred_from": "Enter when it happened; the year alone is enough"}
        ) from error
    return datetime.combine(day, at, tzinfo=clock.LONDON)


def title_of(kind: IncidentKind, area: str) -> str:
    """Without personal data: what kind, and which ward or town (HANDBOOK 7.2)."""
    label = INCIDENT_KIND_LABELS[kind]
    return f"{label}, {area}" if area else label


def opens_records(actor: Actor) -> bool:
    """Does the policy of the actor's organisation open new records to all of its teams?"""
    return bool(
        db.session.scalar(
            sa.select(Organisation.opens_records).where(Organisation.id == actor.organisation_id)
        )
    )


def _check(form: IncidentForm, happened: datetime, reported: datetime) -> None:
    errors: dict[str, str] = {}
    if not clean(form.description) or len(form.description) > MAX_TEXT:
        errors["description"] = f"Enter what happened, in {MAX_TEXT:,} characters or fewer"
    # a date without its time means the whole day
    if happened > reported + (timedelta(0) if form.occurred_time else timedelta(days=1)):
        errors["occurred_from"] = "The date it happened must be today or in the past"
    if form.told_by and form.source == "anonymous":
        errors["told_by"] = "Leave this blank when the report is anonymous"
    if errors:
        raise Invalid("bad_incident", errors=errors)
    if form.source_system is not None and _known(form):
        raise Conflict("known_already", "This incident was taken from that system already.")


def _known(form: IncidentForm) -> bool:
    """Taken before and readable; the database's constraint tells of the others."""
    found = sa.select(Incident.id).where(
        Incident.source_system == form.source_system, Incident.source_reference == form.source_reference
    )
    return db.session.scalar(found) is not None
