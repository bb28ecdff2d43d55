"""Nothing unlogged (SECURITY A1): whatever personal text a page shows, an event committed by that request names its record.

A canary is planted in every text of every record. Every GET route of the map is then asked, with every id that there is
in place of its ids: new routes are covered by being there.
"""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from werkzeug.routing import Rule

from hub.web.routes import DECLARED, Data
from tests.fixtures.site import Site
from tests.rules.canaries import Canaries, plant

# Too many ids to try each with each on routes with two: the first so many combinations.
MOST = 60


@pytest.fixture
def canaries(site: Site) -> Canaries:
    return plant(site)


@pytest.mark.slow
def test_every_canary_in_an_answer_is_named_by_an_event_of_that_request(
    site: Site, database: SimpleNamespace, canaries: Canaries
) -> None:
    client = site.as_user("officer")
    client.get("/account")
    unlogged, shown, asked = [], 0, 0
    for rule in get_rules(site):
        for address in addresses(site, rule, canaries):
            before = newest(site, database)
            answer = client.get(address)
            asked += 1
            # the health page may say that a part is missing here
            assert answer.status_code < 500 or DECLARED[rule.endpoint].data is Data.NONE, (
                address,
                answer.status_code,
            )
            named = ids_since(site, database, before)
            page = answer.get_data(as_text=True).lower()
            for canary, owners in canaries.texts.items():
                if canary in page:
                    shown += 1
                    if not owners & named:
                        unlogged.append(f"{rule.endpoint} {address}: {canary}")
    assert unlogged == []
    # the crawl must have met something, or it proves nothing
    assert asked >= 20 and shown >= 5, (asked, shown)


def get_rules(site: Site) -> list[Rule]:
    return [
        rule
        for rule in site.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint in DECLARED and rule.endpoint != "static"
    ]


def addresses(site: Site, rule: Rule, canaries: Canaries) -> list[str]:
    """The rule's addresses with every id in place of each of its ids, as far as `MOST`."""
    names = sorted(rule.arguments)
    found = []
    adapter = site.app.url_map.bind("127.0.0.1:8480")
    for values in list(product(canaries.ids, repeat=len(names)))[:MOST]:
        try:
            found.append(adapter.build(rule.endpoint, dict(zip(names, values, strict=True))))
        except ValueError:
            # not a rule of ids
            found.append(adapter.build(rule.endpoint, dict.fromkeys(names, "x")))
            break
    return found


def newest(site: Site, database: SimpleNamespace) -> Any:
    return site.sql(database.superuser, "SELECT coalesce(max(at), '-infinity') FROM audit.event")[0][0]


def ids_since(site: Site, database: SimpleNamespace, before: Any) -> set[UUID]:
    rows = site.sql(
        database.superuser,
        "SELECT record_ids || person_ids || object_id FROM audit.event WHERE at > :before AND outcome = 'ok'",
        before=before,
    )
    return {key for row in rows for key in row[0] if key is not None}


def test_a_route_that_shows_personal_data_declares_an_event(site: Site) -> None:
    assert [
        endpoint
        for endpoint, one in DECLARED.items()
        if one.data in (Data.PERSONAL, Data.LOG) and one.event is None
    ] == []
