"""The demonstration's e-mails in pages, and narrowed to what they tell."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from hub.extensions import db
from hub.notifications.actions import notify
from tests.fixtures.site import Client, Site
from tests.fixtures.turning import copies, refuses_strange_cursors, turned
from tests.fixtures.world import act_as

SUBJECT = r'id="mail-\d+">([^<]+)</h2>'


@pytest.fixture
def sergeant(site: Site, database: SimpleNamespace) -> Client:
    """One who was told of 53 shares and of one case, some at the same moment."""
    with site.inside():
        for kind in ("case.shared", "case.assigned"):
            actor = act_as(site.world, "officer")
            notify(actor, [site.world.users["sergeant"]], kind, reference="NBC-CS-7KQ4D2", address="/shared")
            db.session.commit()
    copies(
        site,
        database.superuser,
        "outbox_message",
        52,
        "jsonb_build_object('id', gen_random_uuid(), 'subject', 'Copy ' || n,"
        " 'created_at', now() - n / 4 * interval '1 hour')",
        "kind = 'case.shared'",
    )
    site.app.config["HUB_SETTINGS"] = replace(site.app.config["HUB_SETTINGS"], demo=True)
    return site.as_user("sergeant")


def test_each_mail_is_on_one_page_newest_first(
    site: Site, database: SimpleNamespace, sergeant: Client
) -> None:
    rows = site.sql(
        database.superuser, "SELECT subject FROM outbox_message ORDER BY created_at DESC, id DESC"
    )
    pages = turned(sergeant, "/notifications/mail", SUBJECT)
    assert [len(page) for page in pages] == [50, 4]
    assert [one for page in pages for one in page] == [row.subject for row in rows]


def test_mail_is_narrowed_to_what_it_tells(sergeant: Client) -> None:
    assert [len(page) for page in turned(sergeant, "/notifications/mail?kind=case.shared", SUBJECT)] == [
        50,
        3,
    ]
    assigned = turned(sergeant, "/notifications/mail?kind=case.assigned", SUBJECT)
    assert len(assigned) == 1 and len(assigned[0]) == 1 and "assigned" in assigned[0][0]
    assert len(turned(sergeant, "/notifications/mail?kind=nonsense", SUBJECT)) == 2
    none = sergeant.get("/notifications/mail?kind=review.due").get_data(as_text=True)
    assert "No emails match this filter" in none


def test_a_strange_cursor_is_told_plainly(sergeant: Client) -> None:
    refuses_strange_cursors(sergeant, "/notifications/mail")
