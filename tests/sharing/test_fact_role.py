"""Who receives single facts alone: offered no case, and with no way into the hub but to what was told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from hub.access.vocabulary import Purpose, Section
from hub.core.errors import Denied
from hub.sharing.actions import answer_share
from hub.sharing.queries import SharedView, list_shared, waiting_count
from tests.fixtures.facts import told_fact
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

SUMMARY: dict[str, Any] = {"sections": (Section.SUMMARY,)}


@pytest.fixture
def case(site: Site, world: World) -> UUID:
    with site.inside():
        return led_case(act_as(world, "officer"), "Graffiti, Mill Lane")


def test_whose_role_reads_facts_alone_is_not_offered_a_whole_case(app: Flask, world: World) -> None:
    case_id = led_case(act_as(world, "officer"))
    whole = shared(world, case_id, to="landlord", taken_by=None, purpose=Purpose.TENANCY, **SUMMARY)
    fact = told_fact(world, case_id, taken_by=None)
    landlord = act_as(world, "landlord_officer")
    assert waiting_count(landlord) == 1
    rows = list_shared(landlord, SharedView.WAITING).rows
    assert [row.grant.id for row in rows] == [fact]
    with pytest.raises(Denied, match="single facts"):
        answer_share(landlord, whole, accept=True)


def test_the_role_has_no_way_but_shared_with_us(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        told_fact(world, case)
    landlord = site.as_user("landlord_officer")
    home = landlord.get("/", follow_redirects=True)
    assert home.status_code == 200 and home.request.path == "/shared"
    places = [part.split('"')[0] for part in home.text.split('class="hub-nav__link" href="')[1:]]
    assert places == ["/shared"]
    assert 'role="search"' not in home.text
    for address in (
        "/search?q=Mill",
        "/cases",
        "/incidents",
        "/people",
        "/agreements",
        "/panels",
        "/audit",
        "/admin",
    ):
        assert landlord.get(address).status_code == 403, address
    assert landlord.get(f"/cases/{case}").status_code == 403
