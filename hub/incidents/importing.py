"""Writes the rows of a street-level file as incidents: in batches, a transaction each, so that a stop loses nothing.

The same file a second time changes nothing: each row carries the key by which it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from hub.access.actions import REFERENCE_KIND
from hub.access.actor import Actor
from hub.access.models import Involvement, Record
from hub.access.permissions import Permission
from hub.access.vocabulary import RecordKind, Section
from hub.audit.recording import Written, append, append_each
from hub.core import clock
from hub.core.ids import new_id, new_reference
from hub.core.schema import TEXT_ARRAY
from hub.extensions import db
from hub.incidents.actions import moment_of, opens_records, title_of
from hub.incidents.models import Incident
from hub.incidents.street_level import SYSTEM, StreetRow
from hub.incidents.vocabulary import IncidentSource
from hub.places.actions import place_words
from hub.places.models import Place
from hub.places.vocabulary import PlaceKind

BATCH = 500
PLACES_KEPT = 50_000
# a reference is drawn at random: in a large partnership one comes up again now and then
TRIES = 5
_DRAWN_TWICE = "uq_record_reference"
_IMPORTED_TWICE = "uq_incident_source_reference"

PlaceKey = tuple[str, str, float | None, float | None]


@dataclass
class Import:
    """What one run has done so far, and the places that it knows."""

    actor: Actor
    open_to_owner: bool = False
    kept: int = 0
    known: int = 0
    places: dict[PlaceKey, UUID] = field(default_factory=dict)


def start_import(actor: Actor) -> Import:
    """Raises `Denied` where the actor may not import."""
    actor.check_may(Permission.INCIDENT_IMPORT)
    return Import(actor, open_to_owner=opens_records(actor))


def in_batches(rows: Iterable[StreetRow]) -> Iterator[list[StreetRow]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


def find_known(actor: Actor, rows: Iterable[StreetRow]) -> set[str]:
    """Keys among these that the actor can see to be imported already."""
    keys = {row.key for row in rows}
    return set(
        db.session.scalars(
            sa.select(Incident.source_reference).where(
                Incident.owner_organisation_id == actor.organisation_id,
                Incident.source_system == SYSTEM,
                Incident.source_reference.in_(keys),
            )
        )
    )


def import_batch(actor: Actor, run: Import, *, rows: list[StreetRow]) -> None:
    """Writes the rows that are not known yet. Flushes; the caller commits each batch."""
    # a table that is being filled has no statistics yet: without this the planner reads all of it for each batch
    db.session.execute(sa.select(sa.func.set_config("enable_seqscan", "off", True)))
    known = find_known(actor, rows)
    fresh: dict[str, StreetRow] = {}
    for row in rows:
        if row.key not in known:
            fresh.setdefault(row.key, row)
    run.known += len(rows) - len(fresh)
    kept = _write_or_skip(run, list(fresh.values()))
    run.kept += kept
    run.known += len(fresh) - kept


def _write_or_skip(run: Import, rows: list[StreetRow], tries: int = TRIES) -> int:
    """All rows at once. Where another team of the organisation has some of them (unseen here), by halves."""
    if not rows:
        return 0
    before = dict(run.places)
    try:
        with db.session.begin_nested():
            _write(run, rows)
    except sa.exc.IntegrityError as error:
        run.places = before
        broken = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if broken == _DRAWN_TWICE and tries:
            return _write_or_skip(run, rows, tries - 1)
        if broken != _IMPORTED_TWICE:
            raise
        if len(rows) == 1:
            return 0
        half = len(rows) // 2
        return _write_or_skip(run, rows[:half]) + _write_or_skip(run, rows[half:])
    return len(rows)


def _write(run: Import, rows: list[StreetRow]) -> None:
    now = clock.now()
    places, new_places = _places(run, rows)
    records, incidents, involvements = [], [], []
    for row in rows:
        facts = _facts(run)
        key = new_id()
        reference = new_reference(run.actor.organisation_code, REFERENCE_KIND[RecordKind.INCIDENT])
        records.append(
            {"id": key, "created_at": now, "kind": RecordKind.INCIDENT.value, "reference": reference, **facts}
        )
        incidents.append({"id": key, "reference": reference, **_incident(run.actor, row, now), **facts})
        place = places.get(_place_key(row)) if row.has_place else None
        if place is not None:
            involvements.append({**_involvement(run.actor, key, place, now), **facts})
    for model, values in (
        (Record, records),
        (Place, new_places),
        (Incident, incidents),
        (Involvement, involvements),
    ):
        if values:
            db.session.execute(sa.insert(model), values)
    append_each(
        run.actor,
        "incident.logged",
        [Written(one["id"], 1, records=(one["id"],), facts={"kind": one["kind"]}) for one in incidents],
    )


def _facts(run: Import) -> dict[str, Any]:
    return {
        "partnership_id": run.actor.partnership_id,
        "owner_organisation_id": run.actor.organisation_id,
        "lead_team_id": run.actor.team_id,
        "marking": 0,
        "restricted": False,
        "breakable": True,
        "knowable": False,
        "open_to_owner": run.open_to_owner,
    }


def _incident(actor: Actor, row: StreetRow, now: datetime) -> dict[str, Any]:
    area = row.lsoa_name.rpartition(" ")[0] or row.lsoa_name
    where = (
        f"{row.crime_type}, {row.location[:1].lower()}{row.location[1:]}."
        if row.has_place
        else f"{row.crime_type}."
    )
    by = f" Reported by {row.reported_by}." if row.reported_by else ""
    force = (
        f" Falls within {row.falls_within}."
        if row.falls_within and row.falls_within != row.reported_by
        else ""
    )
    return {
        "created_at": now,
        "revision": 1,
        "kind": row.kind.value,
        "title": title_of(row.kind, area),
        "description": f"{where}{by}{force}{' ' + row.context if row.context else ''}",
        "occurred_from": row.month,
        "occurred_at": moment_of(row.month, None),
        "reported_at": now,
        "source": IncidentSource.IMPORTED.value,
        "told_by": "",
        "source_system": SYSTEM,
        "source_reference": row.key,
        "outcome": row.outcome,
        "logged_by": actor.user_id,
    }


def _involvement(actor: Actor, record_id: UUID, place_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "created_at": now,
        "revision": 1,
        "record_id": record_id,
        "section": Section.PEOPLE.value,
        "item_marking": 0,
        "contributed_at": now,
        "contributor_organisation_id": actor.organisation_id,
        "contributed_by": actor.user_id,
        "role": "scene",
        "place_id": place_id,
    }


def _place_key(row: StreetRow) -> PlaceKey:
    return row.location, row.lsoa_code, row.latitude, row.longitude


def _places(run: Import, rows: list[StreetRow]) -> tuple[dict[PlaceKey, UUID], list[dict[str, Any]]]:
    """The place of each row: one for each location, area and point; and the rows of those that are new."""
    if len(run.places) > PLACES_KEPT:
        run.places.clear()
    wanted = {_place_key(row): row for row in rows if row.has_place}
    unknown = {key: row for key, row in wanted.items() if key not in run.places}
    run.places.update(_find_places(run.actor, unknown))
    now, new_places = clock.now(), []
    for key, row in unknown.items():
        if key not in run.places:
            run.places[key] = new_id()
            new_places.append(_place(run.actor, row, run.places[key], now))
    return {key: run.places[key] for key in wanted}, new_places


def _find_places(actor: Actor, keys: Iterable[PlaceKey]) -> dict[PlaceKey, UUID]:
    """Places of the organisation that an earlier import made and that the actor may read."""
    pointed = [key for key in keys if key[2] is not None]
    if not pointed:
        return {}
    descriptions, areas, latitudes, longitudes = (list(column) for column in zip(*pointed, strict=True))
    same = sa.func.find_street_places(
        actor.organisation_id,
        sa.cast(descriptions, TEXT_ARRAY),
        sa.cast(areas, TEXT_ARRAY),
        sa.cast(latitudes, ARRAY(sa.Double)),
        sa.cast(longitudes, ARRAY(sa.Double)),
    ).table_valued("number", "id")
    candidates = {row.id: pointed[row.number - 1] for row in db.session.execute(sa.select(same))}
    readable = db.session.scalars(sa.select(Place.id).where(Place.id.in_(candidates)))
    return {candidates[key]: key for key in readable}


def _place(actor: Actor, row: StreetRow, key: UUID, now: datetime) -> dict[str, Any]:
    town = row.lsoa_name.rpartition(" ")[0]
    return {
        "id": key,
        "created_at": now,
        "organisation_id": actor.organisation_id,
        "kind": PlaceKind.STREET.value,
        "description": row.location,
        "town": town,
        "lsoa_code": row.lsoa_code or None,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "words": place_words(row.location, "", town, "", None),
    }


def finish_import(actor: Actor, run: Import, *, file_name: str, refused: int) -> None:
    """Writes that the import was run, whole or in part."""
    append(
        actor,
        "import.run",
        counted=run.kept,
        facts={"kept": run.kept, "known": run.known, "refused": refused},
        texts={"file": file_name},
    )
