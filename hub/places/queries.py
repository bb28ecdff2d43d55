"""Reads of places, through the involvements that name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Involvement
from hub.core.schema import UUID_ARRAY
from hub.core.text import folded
from hub.extensions import db
from hub.places.models import Place
from hub.places.vocabulary import PLACE_KIND_LABELS, PLACE_ROLES, PlaceKind

CANDIDATES = 1000
NEAR_METRES = 100
METRES_PER_DEGREE = 111_320  # of latitude
NEAR_AT_MOST = 200
# of all organisations' places, before the rule says which may be read
NEAR_UNREAD = 5000


@dataclass(frozen=True)
class PlaceInRecord:
    """A place and what it has to do with one record."""

    involvement_id: UUID
    record_id: UUID
    place_id: UUID
    role: str
    role_label: str
    kind_label: str
    description: str
    address: str
    ward: str
    latitude: float | None
    longitude: float | None
    marking: int
    contributor_organisation_id: UUID
    ended: bool
    ended_why: str | None

    @property
    def line(self) -> str:
        return ", ".join(part for part in (self.description, self.address) if part)


def find_places_of(actor: Actor, record_ids: Iterable[UUID]) -> dict[UUID, list[PlaceInRecord]]:
    """Places of each record, oldest first, as far as the actor may read them. One query."""
    rows = db.session.execute(
        sa.select(Involvement, Place)
        .join(Place, Place.id == Involvement.place_id)
        .where(Involvement.record_id.in_(set(record_ids)))
        .order_by(Involvement.id)
    )
    found: dict[UUID, list[PlaceInRecord]] = defaultdict(list)
    for involvement, place in rows:
        found[involvement.record_id].append(_in_record(involvement, place))
    return dict(found)


def _in_record(involvement: Involvement, place: Place) -> PlaceInRecord:
    return PlaceInRecord(
        involvement_id=involvement.id,
        record_id=involvement.record_id,
        place_id=place.id,
        role=involvement.role,
        role_label=PLACE_ROLES.get(involvement.role, involvement.role),
        kind_label=PLACE_KIND_LABELS[PlaceKind(place.kind)],
        description=place.description,
        address=address_of(place),
        ward=place.ward,
        latitude=place.latitude,
        longitude=place.longitude,
        marking=max(involvement.marking, involvement.item_marking),
        contributor_organisation_id=involvement.contributor_organisation_id,
        ended=involvement.ended_at is not None,
        ended_why=involvement.ended_why,
    )


def address_of(place: Place) -> str:
    """Street, town and postcode, without what the description says already."""
    said = folded(place.description)
    parts = [part for part in (place.street, place.town) if part and folded(part) not in said]
    return ", ".join([*parts, *([place.postcode] if place.postcode else [])])


def find_place_ids(actor: Actor, words: str) -> list[UUID] | None:
    """Ids of places whose words are like the given ones, readable or not: only for narrowing what is read under the
    rule. None where there are too many to list."""
    given = folded(words)
    if not given:
        return []
    ids = list(db.session.scalars(sa.select(sa.func.find_place_candidates(given, CANDIDATES))))
    return ids if len(ids) < CANDIDATES else None


def find_near(actor: Actor, place_ids: Iterable[UUID]) -> set[UUID]:
    """Ids of other readable places with the same postcode, or within about 100 metres."""
    own = set(place_ids)
    if not own:
        return set()
    near = sa.func.find_near_candidates(
        sa.cast(list(own), UUID_ARRAY), NEAR_METRES / METRES_PER_DEGREE, NEAR_UNREAD
    )
    ids = list(db.session.scalars(sa.select(near.column_valued("candidate"))))
    return set(db.session.scalars(sa.select(Place.id).where(Place.id.in_(ids)).limit(NEAR_AT_MOST)))
