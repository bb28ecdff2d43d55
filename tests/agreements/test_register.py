"""The register in pages, narrowed by state and partner; and where an agreement stands, in Python and in SQL alike."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import sqlalchemy as sa

from hub.access.models import Agreement
from hub.agreements.policy import Standing, standing_column, standing_of
from hub.core import clock
from hub.extensions import db
from tests.fixtures.site import Site
from tests.fixtures.turning import copies, refuses_strange_cursors, turned
from tests.fixtures.world import World, act_as

TITLE = r'hub-list__link" href="/agreements/[0-9a-f-]+">([^<]+)</a>'
DAY = timedelta(days=1)


def many(site: Site, world: World, database: SimpleNamespace, number: int = 53) -> list[str]:
    """More agreements like the small world's, some of which end at the same moment; their titles by end."""
    copies(
        site,
        database.superuser,
        "agreement",
        number,
        "jsonb_build_object('id', gen_random_uuid(), 'reference', 'NBC-ISA-C' || n, 'title', 'Copy ' || n,"
        " 'ends_at', now() + interval '20 days' + n / 4 * interval '1 hour')",
        f"id = '{world.agreements['sharing']}'",
    )
    site.sql(
        database.superuser,
        "INSERT INTO agreement_party SELECT (jsonb_populate_record(old, jsonb_build_object('agreement_id', a.id))).*"
        " FROM agreement_party old, agreement a"
        f" WHERE old.agreement_id = '{world.agreements['sharing']}' AND a.title LIKE 'Copy %'",
    )
    rows = site.sql(
        database.superuser,
        "SELECT title FROM agreement a JOIN agreement_party p ON p.agreement_id = a.id"
        " WHERE p.organisation_id = :us ORDER BY ends_at, id",
        us=world.organisations["council"],
    )
    return [row.title for row in rows]


def test_each_agreement_is_on_one_page_the_soonest_to_end_first(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    titles = many(site, world, database)
    pages = turned(site.as_user("officer"), "/agreements", TITLE)
    assert [len(page) for page in pages] == [50, 6]
    assert [title for page in pages for title in page] == titles


def test_filters_hold_on_every_page(site: Site, world: World, database: SimpleNamespace) -> None:
    titles = many(site, world, database)
    officer = site.as_user("officer")
    live = [title for title in titles if "unsigned" not in title]
    pages = turned(officer, "/agreements?standing=in_force", TITLE)
    assert len(pages) == 2 and [title for page in pages for title in page] == live
    charity, police = world.organisations["charity"], world.organisations["police"]
    assert turned(officer, f"/agreements?with={charity}", TITLE) == [["Northbrook unsigned agreement"]]
    assert sum(map(len, turned(officer, f"/agreements?with={police}", TITLE))) == 54
    both = turned(officer, f"/agreements?standing=in_force&with={charity}", TITLE)
    assert both == [[]]
    assert turned(officer, "/agreements?with=nobody", TITLE)[0] == titles[:50]


def test_partners_to_choose_from_are_those_of_our_own_agreements(site: Site, world: World) -> None:
    page = site.as_user("outreach_worker").get("/agreements").get_data(as_text=True)
    assert f'<option value="{world.organisations["council"]}"' in page
    assert str(world.organisations["police"]) not in page


def test_a_strange_cursor_is_told_plainly(site: Site) -> None:
    refuses_strange_cursors(site.as_user("officer"), "/agreements")


def test_the_database_and_the_page_agree_where_an_agreement_stands(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    now = clock.now()
    before, after = now - DAY, now + DAY
    told: list[datetime | None] = [None, before, now, after]
    combinations = [
        {
            "id": str(uuid4()),
            "reference": f"NBC-ISA-C{number}",
            "title": "Combined",
            "starts_at": starts.isoformat(),
            "ends_at": ends.isoformat(),
            "review_at": review.isoformat(),
            "sent_at": sent and sent.isoformat(),
            "in_force_at": force and force.isoformat(),
            "suspended_at": suspended and suspended.isoformat(),
            "suspended_why": suspended and "Breach",
            "ended_at": ended and ended.isoformat(),
            "ended_why": ended and "Not needed",
        }
        for number, (starts, ends, review, sent, force, suspended, ended) in enumerate(
            itertools.product(
                [now - 2 * DAY, now, after],
                [before, now, now + 2 * DAY],
                [before, now, after],
                told,
                told,
                told,
                told,
            )
        )
        if starts < ends and (sent or not force)
    ]
    site.sql(
        database.superuser,
        "INSERT INTO agreement SELECT (jsonb_populate_record(old, made)).*"
        " FROM agreement old, jsonb_array_elements(CAST(:made AS jsonb)) AS made WHERE old.id = :like",
        made=json.dumps(combinations),
        like=world.agreements["sharing"],
    )
    with site.inside():
        act_as(world, "officer")
        found = db.session.execute(
            sa.select(Agreement, standing_column(now)).where(Agreement.title == "Combined")
        ).all()
        assert len(found) == len(combinations) == 3120
        different = [
            (standing_of(row[0], now), row[1]) for row in found if standing_of(row[0], now).value != row[1]
        ]
        assert different == []
        assert {row[1] for row in found} == {one.value for one in Standing}
