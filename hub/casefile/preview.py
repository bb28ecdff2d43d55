"""What one of the recipients would see of a case or an incident: ids found as they would find them, rows read as the sharer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Involvement, Record
from hub.access.queries import grantable_sections, live_grants, right_to
from hub.access.vocabulary import Marking, RecordKind, Section
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.attachments.models import Attachment
from hub.attachments.queries import FileRow, find_attachments
from hub.attachments.vocabulary import FILE_SECTIONS
from hub.audit import reading
from hub.audit.reading import Shown
from hub.audit.recording import Basis, append
from hub.cases.models import Case, CaseIncident, StatusChange
from hub.cases.queries import find_history, find_incident_ids
from hub.cases.vocabulary import CASE_KIND_LABELS, CaseKind
from hub.chronology.models import Entry
from hub.chronology.queries import EntryRow, find_entries
from hub.core.errors import Denied, NotVisible
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.queries import IncidentRow, find_incident_rows
from hub.incidents.vocabulary import (
    INCIDENT_KIND_LABELS,
    INCIDENT_SOURCE_LABELS,
    IncidentKind,
    IncidentSource,
)
from hub.people.models import PersonFact, PersonName
from hub.people.queries import PersonInRecord, find_people_of
from hub.places.queries import PlaceInRecord, find_places_of
from hub.sharing.forms import ShareForm
from hub.sharing.previewing import narrowed_to, preview_grant, preview_share, stand_in
from hub.sharing.readers import Reader
from hub.vehicles.queries import VehicleInRecord, find_vehicles_of
from hub.web.context import mark_page

# of the log, the latest; a preview is looked through, not worked in
ENTRIES_AT_MOST = 200
# classes of which only what hangs on the record itself is looked at
_ITEMS: tuple[Any, ...] = (Entry, Attachment, Involvement, CaseIncident, StatusChange)
_ABOUT_PEOPLE: tuple[Any, ...] = (PersonName, PersonFact)


@dataclass(frozen=True)
class Ids:
    """What somebody may read of the record: ids by class, and which sections (None for all)."""

    records: frozenset[UUID]
    items: Mapping[type[Any], frozenset[UUID]]
    sections: frozenset[str] | None

    def common(self, other: Ids) -> Ids:
        """What both may read, in the sections of this one."""
        items = {model: ids & other.items[model] for model, ids in self.items.items()}
        return Ids(self.records & other.records, items, self.sections)

    def reads(self, *sections: Section | str) -> bool:
        return self.sections is None or any(one in self.sections for one in sections)


@dataclass(frozen=True)
class Preview:
    """The record as the reader would see it. `record` None: they would see nothing of it."""

    reader: Reader | None
    readers: Sequence[Reader]
    record: Case | Incident | None = None
    facts: Sequence[tuple[str, str]] = ()
    kind: str = ""
    told_by: str = ""
    people: Sequence[PersonInRecord] = ()
    places: Sequence[PlaceInRecord] = ()
    vehicles: Sequence[VehicleInRecord] = ()
    incidents: Sequence[IncidentRow] = ()
    entries: Sequence[EntryRow] = ()
    more_entries: bool = False
    files: Sequence[FileRow] = ()
    history: Sequence[StatusChange] = ()
    parts: frozenset[str] = field(default_factory=frozenset)

    @property
    def marking(self) -> str:
        return Marking(self.record.marking).label if self.record is not None else ""


@dataclass(frozen=True)
class Supposed:
    """What is looked at: a share as it is typed, or one that there is already. Without either there is nothing."""

    organisation_id: UUID
    purpose: str | None
    form: ShareForm | None = None
    also: Sequence[UUID] = ()
    grant_id: UUID | None = None


def open_preview(
    actor: Actor,
    kind: RecordKind,
    record_id: UUID,
    supposed: Supposed,
    readers: Sequence[Reader],
    reader: Reader | None,
) -> Preview:
    """Looks as the reader, then reads what the sharer may read of that. Logged with every id that the page shows.

    Raises as `share_record` would, `NotVisible` for a hidden record.
    """
    about = {"organisation": supposed.organisation_id}
    visible = right_to(actor, record_id, session=db.session())
    if visible is None or (supposed.form is None and supposed.grant_id is None):
        reading.opened(actor, "share.previewed", record_id, None, facts=about)
        raise NotVisible
    if not visible.leads:
        append(actor, "share.previewed", outcome="denied", object_id=record_id, facts=about)
        db.session.commit()
        raise Denied("not_lead", "Only the team that leads this record can see it as others would.")
    seen = _look(actor, kind, record_id, supposed, reader) if reader is not None else None
    both = seen.common(find_ids(actor, kind, record_id)) if seen is not None else None
    shown = record_id if both is not None and record_id in both.records else None
    people = _people(actor, both) if both is not None and shown else []
    reading.opened(
        actor,
        "share.previewed",
        record_id,
        Shown(
            records=sorted(both.records) if both is not None and shown else [record_id],
            people=people,
            basis=Basis(visible.via),
        ),
        facts=about,
    )
    mark_page(Marking.OFFICIAL)
    if reader is None or both is None or shown is None:
        return Preview(reader, readers)
    them = stand_in(actor, reader, supposed.purpose)
    with narrowed_to({Record: both.records, Case: both.records, Incident: both.records, **both.items}):
        return _read(actor, them, kind, record_id, both, readers, reader)


def _look(actor: Actor, kind: RecordKind, record_id: UUID, supposed: Supposed, reader: Reader) -> Ids:
    def look(them: Actor) -> Ids:
        return find_ids(them, kind, record_id)

    if supposed.form is not None:
        return preview_share(actor, record_id, supposed.form, reader, look, also=supposed.also)
    if supposed.grant_id is None:
        raise NotVisible
    return preview_grant(actor, supposed.grant_id, reader, look)


def find_ids(actor: Actor, kind: RecordKind, record_id: UUID) -> Ids:
    """Ids of all that whoever the session stands for may read of the record. The page that shows any of it logs them."""
    incidents = find_incident_ids(actor, record_id) if kind is RecordKind.CASE else []
    records = frozenset(
        db.session.scalars(sa.select(Record.id).where(Record.id.in_([record_id, *incidents])))
    )
    items = {
        model: frozenset(db.session.scalars(sa.select(model.id).where(model.record_id == record_id)))
        for model in _ITEMS
    }
    named = sa.select(Involvement.person_id).where(
        Involvement.record_id == record_id, Involvement.person_id.is_not(None)
    )
    items.update(
        {
            model: frozenset(db.session.scalars(sa.select(model.id).where(model.person_id.in_(named))))
            for model in _ABOUT_PEOPLE
        }
    )
    right = right_to(actor, record_id, session=db.session())
    grants = live_grants(actor, record_id, session=db.session()) if right and right.via == "share" else []
    sections = grantable_sections(right, grants) if right is not None else frozenset()
    return Ids(records, items, sections)


def _people(actor: Actor, both: Ids) -> list[UUID]:
    found = db.session.scalars(
        sa.select(Involvement.person_id)
        .where(Involvement.id.in_(both.items[Involvement]), Involvement.person_id.is_not(None))
        .distinct()
    )
    return [key for key in found if key is not None]


def _read(
    actor: Actor,
    them: Actor,
    kind: RecordKind,
    record_id: UUID,
    both: Ids,
    readers: Sequence[Reader],
    reader: Reader,
) -> Preview:
    model: Any = Case if kind is RecordKind.CASE else Incident
    record = db.session.scalar(sa.select(model).where(model.id == record_id))
    if record is None:
        reading.withheld(actor, "share.previewed", [record_id], [])
        raise NotVisible
    # as the pages do: a case has its people on a tab of their own, an incident on its one page
    names = kind is RecordKind.INCIDENT or both.reads(Section.PEOPLE, Section.VICTIM)
    log = (
        find_entries(them, record_id, limit=ENTRIES_AT_MOST)
        if both.reads(Section.CHRONOLOGY) and kind is RecordKind.CASE
        else None
    )
    incidents = find_incident_rows(them, both.records - {record_id}) if both.records - {record_id} else []
    preview = Preview(
        reader=reader,
        readers=readers,
        record=record,
        facts=_facts(record, kind),
        kind=_kind(record, kind),
        told_by=_told_by(record, both) if kind is RecordKind.INCIDENT else "",
        people=find_people_of(them, [record_id]).get(record_id, []) if names else [],
        places=find_places_of(them, [record_id]).get(record_id, []) if names else [],
        vehicles=find_vehicles_of(them, [record_id]).get(record_id, []) if names else [],
        incidents=incidents,
        entries=log.rows if log else [],
        more_entries=bool(log and log.more),
        files=find_attachments(them, record_id).rows if both.reads(*FILE_SECTIONS) else [],
        history=find_history(them, record_id) if kind is RecordKind.CASE else [],
        parts=frozenset(one.value for one in Section if both.reads(one)),
    )
    _mark(preview)
    return preview


def _facts(record: Any, kind: RecordKind) -> list[tuple[str, str]]:
    owner = organisation_names([record.owner_organisation_id]).get(record.owner_organisation_id, "")
    team = team_names([record.lead_team_id]).get(record.lead_team_id, "")
    facts = [("Lead", f"{owner}, {team}")]
    if kind is RecordKind.CASE:
        facts.append(("Lead officer", user_names([record.lead_officer_id]).get(record.lead_officer_id, "")))
    return facts


def _kind(record: Any, kind: RecordKind) -> str:
    if kind is RecordKind.CASE:
        return CASE_KIND_LABELS[CaseKind(record.kind)]
    return INCIDENT_KIND_LABELS[IncidentKind(record.kind)]


def _told_by(record: Any, both: Ids) -> str:
    source = INCIDENT_SOURCE_LABELS[IncidentSource(record.source)]
    return f"{source}: {record.told_by}" if record.told_by and both.reads(Section.VICTIM) else source


def _mark(preview: Preview) -> None:
    shown = [preview.record.marking] if preview.record is not None else []
    named: list[Any] = [
        *preview.people,
        *preview.places,
        *preview.vehicles,
        *preview.incidents,
        *preview.files,
    ]
    shown += [one.marking for one in named]
    shown += [one.item_marking for one in preview.entries]
    mark_page(max(shown, default=0), "personal data")
