"""The steps that add people, places and vehicles to a record and end what is wrong or over: the same for cases and incidents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from hub.access.permissions import Permission
from hub.access.vocabulary import RecordKind
from hub.casefile import involving
from hub.casefile.involving import Answer
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

BOTH = ("GET", "POST")


def add_steps(pages: Pages, kind: RecordKind, base: str, record: str) -> None:
    """Registers the four steps below the address of a record; `record` is the name of its id in that address."""

    def step(rule: str, event: str) -> Callable[..., Any]:
        return pages.page(
            f"{base}{rule}", needs=Permission.PERSON_ADD, event=event, data=Data.PERSONAL, methods=BOTH
        )

    @step("/people/new", "person.involved")
    def add_person(**ids: UUID) -> Answer:
        return involving.add_person_page(current_actor(), kind, ids[record])

    @step("/people/<uuid:person_id>/tell", "person.told")
    def tell(person_id: UUID, **ids: UUID) -> Answer:
        return involving.tell_page(current_actor(), kind, ids[record], person_id)

    @step("/places/new", "place.involved")
    def add_place(**ids: UUID) -> Answer:
        return involving.add_place_page(current_actor(), kind, ids[record])

    @step("/vehicles/new", "vehicle.involved")
    def add_vehicle(**ids: UUID) -> Answer:
        return involving.add_vehicle_page(current_actor(), kind, ids[record])

    @step("/involvements/<uuid:involvement_id>/end", "involvement.ended")
    def end(involvement_id: UUID, **ids: UUID) -> Answer:
        return involving.end_page(current_actor(), kind, ids[record], involvement_id)
