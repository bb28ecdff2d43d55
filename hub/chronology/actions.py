"""Writes of the log: an entry is added, and never changed. Flush, never commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import item_of
from hub.access.actor import Actor, Source
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.queries import live_grants, may_add, right_to
from hub.access.vocabulary import Audience, Section
from hub.audit.recording import append
from hub.chronology.forms import EntryForm, moment_of
from hub.chronology.models import Entry
from hub.core import clock
from hub.core.errors import Denied, Invalid, NotVisible
from hub.extensions import db


def add_entry(actor: Actor, record_id: UUID, form: EntryForm, *, at: datetime | None = None) -> Entry:
    """Adds an entry to the log of a case or an incident, also of one that has ended. `at` is for the loader alone."""
    return add_entries(actor, record_id, [(form, at)])[0]


def add_entries(
    actor: Actor, record_id: UUID, told: Sequence[tuple[EntryForm, datetime | None]]
) -> list[Entry]:
    """As `add_entry`, of several (form, `at`), in this order: all or none, and an event for each."""
    actor.check_may(Permission.ENTRY_ADD)
    if any(at is not None for _, at in told) and actor.source is not Source.LOAD:
        raise Denied("no_other_time", "Only a load of earlier records may give another time.")
    record = _writable(actor, record_id)
    for form, _ in told:
        _check(actor, form)
        if form.corrects_id is not None:
            _check_correction(actor, record_id, form.corrects_id)
    entries = [_entry(actor, record, form, at or clock.now()) for form, at in told]
    db.session.add_all(entries)
    db.session.flush()
    for entry in entries:
        append(actor, "entry.added", object_id=entry.id, records=[record_id], facts={"kind": entry.kind})
    return entries


def _entry(actor: Actor, record: Record, form: EntryForm, now: datetime) -> Entry:
    local = now.astimezone(clock.LONDON)
    on = form.occurred_on or local.date().isoformat()
    time_of_day = form.occurred_time or (local.strftime("%H:%M") if form.occurred_on is None else None)
    return Entry(
        **item_of(
            actor,
            record,
            Section.CHRONOLOGY,
            marking=form.marking,
            audience=form.audience.value if form.audience else None,
            audience_ids=list(form.audience_ids) or None,
        ),
        created_at=now,
        contributed_at=now,
        kind=form.kind.value,
        nature=form.nature.value,
        occurred_on=on,
        occurred_time=time_of_day,
        occurred_at=moment_of(on, time_of_day),
        text=form.text,
        significant=form.significant,
        corrects_id=form.corrects_id,
        contributor_team_id=actor.team_id,
    )


def _writable(actor: Actor, record_id: UUID) -> Record:
    """The record. One leads it, holds a share that lets one add to its log, or opened it in an emergency."""
    record = db.session.scalar(sa.select(Record).where(Record.id == record_id))
    right = right_to(actor, record_id, session=db.session()) if record is not None else None
    if record is None or right is None:
        raise NotVisible
    grants = [] if right.leads else live_grants(actor, record_id, session=db.session())
    if not may_add(right, grants, Section.CHRONOLOGY) and right.via != "emergency":
        raise Denied("no_contribution", "You can read this record but not add to its log. Nothing was saved.")
    return record


def _check(actor: Actor, form: EntryForm) -> None:
    if form.marking > actor.clearance:
        raise Invalid("marked_above", errors={"marking": "You are not cleared for this marking"})
    named = form.audience in (Audience.ORGANISATIONS, Audience.PEOPLE)
    if named != bool(form.audience_ids):
        raise Invalid("bad_audience", errors={"audience": "Name who may see it"})


def _check_correction(actor: Actor, record_id: UUID, entry_id: UUID) -> None:
    """A correction points at an entry of the same log that one's own organisation wrote; it is its record to correct."""
    found = db.session.execute(
        sa.select(Entry.contributor_organisation_id).where(Entry.id == entry_id, Entry.record_id == record_id)
    ).one_or_none()
    if found is None:
        raise NotVisible
    if found.contributor_organisation_id != actor.organisation_id:
        raise Denied(
            "not_controller",
            "Another organisation wrote this entry. Add one of your own that says otherwise.",
        )
