"""Open cases of somebody who left are on the supervisors' red list at once, and they are told within the hour."""

from __future__ import annotations

import html
from threading import Event
from types import SimpleNamespace
from uuid import UUID

from hub.casefile import jobs
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind, CaseStatus
from hub.extensions import db
from hub.jobs.app import REGULAR
from tests.cases.making import at_status
from tests.conftest import by_worker
from tests.fixtures.site import Site
from tests.fixtures.world import act_as

BLOCK = "Cases without an officer"
tell_of_stranded_cases = by_worker(jobs.tell_of_stranded_cases)


def run(site: Site) -> int:
    with site.inside():
        return tell_of_stranded_cases(Event())


def led(site: Site) -> tuple[UUID, UUID]:
    """An open case of the officer's, and one that has ended."""
    with site.inside():
        officer = act_as(site.world, "officer")
        case = create_case(officer, CaseForm(CaseKind.ASB, "Fires, Alder Park")).id
        db.session.commit()
        ended = at_status(act_as(site.world, "officer"), CaseStatus.CLOSED).id
        db.session.commit()
        db.session.remove()
    return case, ended


def test_open_cases_of_a_closed_account_wait_for_the_supervisor_and_for_nobody_else(
    site: Site, database: SimpleNamespace
) -> None:
    case, ended = led(site)
    manager, sergeant, reader = (site.as_user(user) for user in ("manager", "sergeant", "reader"))
    assert BLOCK not in manager.get("/").text and run(site) == 0
    officer = site.as_user("officer")
    assert site.as_user("spoc").post(f"/admin/users/{site.world.users['officer']}/close").status_code == 303
    assert officer.get("/account").status_code == 302
    page = html.unescape(manager.get("/").text)
    start = page.index(BLOCK)
    block = page[start : page.index("</section>", start)]
    assert f"/cases/{case}" in block and f"/cases/{ended}" not in page and "Amara Okafor" in block
    assert f"/cases/{case}" in manager.get("/cases?scope=stranded").text
    assert f"/cases/{case}" not in sergeant.get("/cases?scope=stranded").text
    assert BLOCK not in reader.get("/").text
    shown = site.sql(database.superuser, "SELECT count(*) FROM audit.event WHERE act = 'work.viewed' AND :case = ANY (record_ids)"
                     " AND user_id = :user", case=case, user=site.world.users["manager"])  # fmt: skip
    assert shown[0][0] >= 1
    assert run(site) == 1 and run(site) == 0
    told = site.sql(
        database.superuser, "SELECT user_id, address FROM notification WHERE kind = 'case.stranded'"
    )
    assert [row.user_id for row in told] == [site.world.users["manager"]]
    assert manager.get(told[0].address).status_code == 200
    [regular] = [one for one in REGULAR if one.name == "tell_of_stranded_cases"]
    assert regular.cron == "*/10 * * * *"


def test_who_takes_off_the_teams_hat_leaves_cases_behind_too_and_a_new_officer_ends_it(
    site: Site, database: SimpleNamespace
) -> None:
    case, _ = led(site)
    manager = site.as_user("manager")
    site.sql(
        database.superuser,
        "UPDATE team_membership SET left_at = now() WHERE user_id = :u",
        u=site.world.users["officer"],
    )
    assert f"/cases/{case}" in manager.get("/").text and run(site) == 1
    site.sql(database.superuser, "UPDATE case_record SET lead_officer_id = :u WHERE id = :c",
             u=site.world.users["manager"], c=case)  # fmt: skip
    assert BLOCK not in manager.get("/").text and run(site) == 0
