"""The desk as auditors meet it: each page works by keyboard and reader, on a phone too, and a number leads to its list."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from hub.audit.recording import append
from hub.extensions import db
from tests.fixtures.site import Site
from tests.fixtures.world import act_as
from tests.journeys.conftest import Visit, bucket, chromium, object_store_server, served, visit
from tests.journeys.pages import press, sign_in
from tests.oversight.asked import Told, happen, move

__all__ = ["bucket", "chromium", "object_store_server", "served", "visit"]


@pytest.fixture
def told(site: Site, database: SimpleNamespace) -> Told:
    """What happened, and looks at the person spread over seven months."""
    made = happen(site)
    drawn = random.Random(4)
    with site.inside():
        events = []
        for user in ("officer", "manager", "sergeant"):
            actor = act_as(site.world, user)
            events += [
                append(
                    actor,
                    "person.opened",
                    object_id=made.person_id,
                    records=[made.case_id],
                    people=[made.person_id],
                )
                for _ in range(20)
            ]
            db.session.commit()
    for event in events:
        ago = timedelta(days=drawn.choice((0, 1, 2, 8, 9, 30, 31, 90, 150, 200)), hours=drawn.randint(0, 9))
        move(site, database, event, datetime.now(UTC) - ago)
    return made


def test_the_pages_of_the_desk_are_for_everyone(site: Site, told: Told, visit: Visit) -> None:
    auditor = visit()
    sign_in(auditor, "Miriam Castle")
    auditor.go("/audit/inquiries")
    auditor.look("The purpose")
    auditor.page.get_by_label("Verify that processing was lawful").check()
    press(auditor, "Go to the log")
    auditor.see("Start an inquiry")
    auditor.look("Starting points")
    auditor.page.get_by_label("Reference of the person").fill(told.person.lower())
    press(auditor, "Ask about this person")
    auditor.see(f"Who looked at {told.person}", "By hour of the week", "By month")
    auditor.look("A person")
    auditor.page.get_by_role("link", name="22 events: Tomasz Nowak").click()
    auditor.see("Showing 22 events", "As it stood")
    auditor.look("A number's list")
    for name, address in {
        "The log": "/audit",
        "A record": f"/audit/records/{told.case}",
        "A user": f"/audit/users/{site.world.users['sergeant']}",
        "An organisation": f"/audit/organisations/{site.world.organisations['council']}",
        "Nothing found": f"/audit/organisations/{site.world.organisations['other_council']}",
        "A print": f"/audit/prints/person?subject={told.person}",
    }.items():
        auditor.go(address)
        auditor.look(name)
    auditor.go(f"/audit/people/{told.person}?hour=30", status=422)
    auditor.see("There is a problem")
    auditor.look("A bad filter")
