"""What the journeys start from: the hub as it runs, a browser, and one open case that the team leads already."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from hub.access.actor import Actor
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.extensions import db
from hub.places.actions import add_place
from hub.places.vocabulary import PlaceKind
from tests.fixtures.browser import Visitor, assert_content, chromium
from tests.fixtures.server import Served, served
from tests.fixtures.site import Site
from tests.fixtures.store import bucket, object_store_server
from tests.fixtures.world import act_as

__all__ = ["bucket", "chromium", "object_store_server", "served"]

POSTCODE = "NB1 4QR"
EARLIER_TITLE = "Bikes, Alder Park"
Visit = Callable[..., Visitor]


@pytest.fixture
def earlier_case(site: Site) -> str:
    """A case about the park, led by the officer's team; its reference."""
    with site.inside():
        actor: Actor = act_as(site.world, "officer")
        case = create_case(actor, CaseForm(kind=CaseKind.OFF_ROAD, title=EARLIER_TITLE))
        reference = case.reference
        add_place(actor, case, kind=PlaceKind.PARK, description="Alder Park, north gate", postcode=POSTCODE)
        db.session.commit()
    return reference


@pytest.fixture
def visit(chromium: Browser, served: Served) -> Iterator[Visit]:
    """`visit()` gives one more person a browser of their own; at the end nobody's browser may have complained."""
    visitors: list[Visitor] = []

    def arrive(*, scripts: bool = True) -> Visitor:
        visitors.append(Visitor(chromium, served.address, scripts=scripts))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        visitor.close()
    assert_content(visitors)
