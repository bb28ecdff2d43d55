"""Two clicks: a case shared with all who sit on a panel arrives accepted; who can't take it is left out and named."""

from __future__ import annotations

import html
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.models import Grant
from hub.access.vocabulary import Marking, Purpose, Section
from hub.accounts.models import User
from hub.cases.models import Case
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.panels.actions import end_panel, leave_panel, share_with_panel
from hub.panels.offers import end_of, find_offers
from hub.panels.queries import find_panels
from hub.sharing.actions import revoke_share
from tests.fixtures.panels import seated_panel, seats_of
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as, look_at

WHY = "The patrol needs to know where it happens"


@pytest.fixture
def case(site: Site, world: World) -> UUID:
    with site.inside():
        return led_case(act_as(world, "officer"), "Graffiti, Mill Lane")


@pytest.fixture
def panel(site: Site, world: World) -> UUID:
    with site.inside():
        return seated_panel(world)


def send(site: Site, case: UUID, panel: UUID, user: str = "officer", **changes: Any) -> Any:
    form = {"panel": str(panel), "reason": WHY, **changes}
    return site.as_user(user).post(f"/cases/{case}/share/panel/send", form)


def grants(site: Site, database: SimpleNamespace) -> list[Any]:
    return site.sql(
        database.superuser,
        "SELECT g.*, o.code FROM record_grant g JOIN organisation o ON o.id = g.to_organisation_id ORDER BY o.code",
    )


# ---- as pages -----------------------------------------------------------------------------------------------------


def test_two_clicks_share_a_case_with_every_member_and_it_arrives_accepted(
    site: Site, world: World, database: SimpleNamespace, case: UUID, panel: UUID
) -> None:
    officer = site.as_user("officer")
    first = officer.get(f"/cases/{case}/share/panel").text
    assert "Weekly panel" in first and f"/share/panel?panel={panel}" in first
    second = html.unescape(officer.get(f"/cases/{case}/share/panel?panel={panel}").text)
    assert "Northbrook Police and Northbrook Youth Justice Service, Case management can read" in second
    assert "while they work for the purpose ‘Prevent crime and disorder’" in second
    answer = send(site, case, panel)
    assert answer.status_code == 303 and answer.location == f"/cases/{case}/sharing"
    police, yjs = grants(site, database)
    assert (police.code, yjs.code) == ("NBP", "NYJ")
    for grant in (police, yjs):
        assert grant.state == "accepted" and grant.panel_id == panel and grant.revoked_at is None
        assert grant.sections == ["summary", "chronology"] and grant.reason == WHY
    assert (police.to_team_id, yjs.to_team_id) == (None, world.teams["yjs"])
    # the seat's acceptance is the answer: by whom and when that was
    assert police.answered_by == world.users["police_spoc"] and police.answered_at < police.starts_at
    sergeant = site.as_user("sergeant")
    assert sergeant.get(f"/cases/{case}").status_code == 200
    assert "Graffiti, Mill Lane" in sergeant.get("/shared").text
    worker = site.as_user("yot_worker", purpose=Purpose.PREVENT_CRIME)
    assert worker.get(f"/cases/{case}").status_code == 200
    assert site.as_user("yot_worker").get(f"/cases/{case}").status_code == 404


def test_each_grant_has_its_own_event_with_its_recipient_and_its_notices(
    site: Site, world: World, database: SimpleNamespace, case: UUID, panel: UUID
) -> None:
    assert send(site, case, panel).status_code == 303
    events = site.sql(
        database.superuser,
        "SELECT object_id, category, convert_from(body, 'UTF8')::jsonb AS body FROM audit.event"
        " WHERE act = 'case.shared' ORDER BY at, id",
    )
    assert {row.object_id for row in events} == {row.id for row in grants(site, database)}
    assert {row.category for row in events} == {"disclosure"}
    named = {str(one["organisation"]) for row in events for one in row.body["recipients"]}
    assert named == {str(world.organisations[one]) for one in ("police", "yjs")}
    notices = site.sql(
        database.superuser,
        "SELECT u.email, n.kind, n.address FROM notification n JOIN app_user u ON u.id = n.user_id"
        " WHERE n.kind IN ('panel.shared', 'case.shared') ORDER BY u.email",
    )
    assert [tuple(row) for row in notices] == [
        ("sergeant@example.org", "panel.shared", "/shared"),
        ("yot_worker@example.org", "panel.shared", "/shared"),
    ]


def test_a_member_that_has_it_already_is_skipped_and_named(
    site: Site, world: World, database: SimpleNamespace, case: UUID, panel: UUID
) -> None:
    with site.inside():
        shared(world, case, taken_by=None)
    officer = site.as_user("officer")
    page = html.unescape(officer.get(f"/cases/{case}/share/panel?panel={panel}").text)
    assert "Northbrook Police: has it already for this purpose" in page
    assert send(site, case, panel).status_code == 303
    assert [(row.code, row.state) for row in grants(site, database)] == [
        ("NBP", "pending"),
        ("NYJ", "accepted"),
    ]
    again = send(site, case, panel)
    assert again.status_code == 409 and "Nothing was shared" in again.text


def test_the_answer_names_whom_it_reached_and_whom_not(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        panel = seated_panel(world, joined=("police",))
    officer = site.as_user("officer")
    officer.post(f"/cases/{case}/share/panel/send", {"panel": str(panel), "reason": WHY})
    said = html.unescape(officer.get(f"/cases/{case}/sharing").text)
    assert "Shared with Northbrook Police. They can see it now." in said
    assert (
        "Not shared with 1 member: Northbrook Youth Justice Service, Case management: has not accepted"
        in said
    )


def test_a_panel_that_cannot_be_chosen_says_why(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        panel = seated_panel(world, joined=())
    officer = site.as_user("officer")
    page = html.unescape(officer.get(f"/cases/{case}/share/panel?panel={panel}").text)
    assert "Cannot be chosen" in page and "None of its members can be given this now" in page
    assert "Not now: has not accepted its seat yet" in page and f"panel={panel}" not in page
    refused = send(site, case, panel)
    assert refused.status_code == 409 and "Nothing was shared" in refused.text


@pytest.mark.parametrize(
    ("reason", "words"),
    [("  ", "Say why sharing this is necessary"), ("x" * 301, "in one line"), ("two\nlines", "in one line")],
)
def test_the_necessity_is_one_line_and_what_was_typed_stays(
    site: Site, database: SimpleNamespace, case: UUID, panel: UUID, reason: str, words: str
) -> None:
    answer = send(site, case, panel, reason=reason)
    assert answer.status_code == 422 and words in answer.text
    assert reason.strip() in html.unescape(answer.text)
    assert grants(site, database) == []


def test_a_draft_of_the_necessity_is_given_back(site: Site, case: UUID, panel: UUID) -> None:
    officer = site.as_user("officer")
    key = f"case_panels.share:{case}"
    assert officer.post(f"/drafts/{key}", {"reason": "Half a thought", "draft_key": key}).status_code < 300
    assert "Half a thought" in officer.get(f"/cases/{case}/share/panel?panel={panel}").text
    assert (
        officer.post(f"/cases/{case}/share/panel/send", {"panel": str(panel), "reason": WHY}).status_code
        == 303
    )


def test_who_does_not_lead_the_case_shares_it_with_no_panel(
    site: Site, world: World, database: SimpleNamespace, case: UUID, panel: UUID
) -> None:
    with site.inside():
        shared(world, case)
    before = len(grants(site, database))
    for user, status in (("sergeant", 403), ("yot_worker", 404), ("reader", 403), ("spoc", 403)):
        assert site.as_user(user).get(f"/cases/{case}/share/panel").status_code == status, user
    for user, status in (("sergeant", 404), ("yot_worker", 404), ("reader", 403), ("spoc", 403)):
        assert send(site, case, panel, user=user).status_code == status, user
    assert len(grants(site, database)) == before


def test_a_panel_of_another_organisation_or_none_is_not_there(
    site: Site, world: World, case: UUID, panel: UUID
) -> None:
    with site.inside():
        theirs = led_case(act_as(world, "sergeant"))
    assert send(site, theirs, panel, user="sergeant").status_code == 404
    assert send(site, case, case).status_code == 404
    nonsense = {"panel": "nonsense", "reason": WHY}
    assert site.as_user("officer").post(f"/cases/{case}/share/panel/send", nonsense).status_code == 422


# ---- as an action -------------------------------------------------------------------------------------------------


def test_it_is_all_in_one_transaction(app: Flask, world: World) -> None:
    panel_id = seated_panel(world)
    case_id = led_case(act_as(world, "officer"))
    done = share_with_panel(act_as(world, "officer"), case_id, panel_id, reason=WHY)
    assert len(done.grants) == 2
    db.session.rollback()
    act_as(world, "officer")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Grant)) == 0


def test_a_seat_that_was_given_up_and_an_ended_panel_take_nothing(app: Flask, world: World) -> None:
    panel_id = seated_panel(world)
    case_id = led_case(act_as(world, "officer"))
    leave_panel(act_as(world, "police_spoc"), panel_id, seats_of(panel_id)["police"])
    db.session.commit()
    done = share_with_panel(act_as(world, "officer"), case_id, panel_id, reason=WHY)
    db.session.commit()
    assert [one.to_organisation_id for one in done.grants] == [world.organisations["yjs"]]
    end_panel(act_as(world, "spoc"), panel_id)
    db.session.commit()
    # what was shared holds
    act_as(world, "yot_worker", purpose=Purpose.PREVENT_CRIME)
    assert db.session.scalar(sa.select(Grant.revoked_at)) is None
    with pytest.raises(NotVisible):
        share_with_panel(act_as(world, "officer"), led_case(act_as(world, "officer")), panel_id, reason=WHY)


def test_after_a_share_was_ended_the_panel_takes_the_case_again(app: Flask, world: World) -> None:
    panel_id = seated_panel(world)
    case_id = led_case(act_as(world, "officer"))
    done = share_with_panel(act_as(world, "officer"), case_id, panel_id, reason=WHY)
    db.session.commit()
    with pytest.raises(Conflict):
        share_with_panel(act_as(world, "officer"), case_id, panel_id, reason=WHY)
    db.session.rollback()
    revoke_share(act_as(world, "officer"), done.grants[0].id, reason="Done")
    db.session.commit()
    again = share_with_panel(act_as(world, "officer"), case_id, panel_id, reason=WHY)
    assert len(again.grants) == 1 and len(again.left_out) == 1


def test_a_case_above_the_marking_of_the_panel_is_not_shared_with_it(app: Flask, world: World) -> None:
    panel_id = seated_panel(world)
    sensitive = led_case(act_as(world, "officer"), marking=Marking.OFFICIAL_SENSITIVE)
    with pytest.raises(Conflict, match="takes nothing above OFFICIAL"):
        share_with_panel(act_as(world, "officer"), sensitive, panel_id, reason=WHY)


def test_a_member_without_the_clearance_is_left_out(app: Flask, world: World) -> None:
    panel_id = seated_panel(world, max_marking=Marking.OFFICIAL_SENSITIVE)
    db.session.execute(
        sa.update(User).where(User.organisation_id == world.organisations["yjs"]).values(clearance=0)
    )
    db.session.commit()
    actor = act_as(world, "officer")
    sensitive = led_case(actor, marking=Marking.OFFICIAL_SENSITIVE)
    done = share_with_panel(actor, sensitive, panel_id, reason=WHY)
    assert [one.to_organisation_id for one in done.grants] == [world.organisations["police"]]
    assert [why for _, why in done.left_out] == ["Nobody there is cleared for OFFICIAL-SENSITIVE"]
    db.session.commit()
    # of an ordinary case they are given what they are cleared for
    ordinary = share_with_panel(actor, led_case(actor), panel_id, reason=WHY)
    assert {one.to_organisation_id: one.max_marking for one in ordinary.grants} == {
        world.organisations["police"]: 1,
        world.organisations["yjs"]: 0,
    }


def test_nobody_shares_with_a_panel_without_the_permission_or_a_reason(app: Flask, world: World) -> None:
    panel_id = seated_panel(world)
    case_id = led_case(act_as(world, "officer"))
    with pytest.raises(Denied):
        share_with_panel(act_as(world, "reader"), case_id, panel_id, reason=WHY)
    with pytest.raises(Invalid):
        share_with_panel(act_as(world, "officer"), case_id, panel_id, reason=" ")
    with pytest.raises(NotVisible):
        share_with_panel(act_as(world, "yot_worker"), case_id, panel_id, reason=WHY)


def test_the_database_takes_an_accepted_share_from_no_panel_but_its_own(app: Flask, world: World) -> None:
    """The wall behind the action: a forged panel, a seat not taken, more than the panel gives."""
    panel_id = seated_panel(world, joined=("police",))
    case_id = led_case(act_as(world, "officer"))
    done = share_with_panel(act_as(world, "officer"), case_id, panel_id, reason=WHY)
    good = {column.key: getattr(done.grants[0], column.key) for column in sa.inspect(Grant).columns}
    db.session.rollback()
    spoilt: tuple[dict[str, Any], ...] = (
        {"panel_id": None},
        {"to_organisation_id": world.organisations["yjs"], "to_team_id": world.teams["yjs"]},
        {"sections": [Section.SUMMARY.value, Section.PEOPLE.value]},
        {"max_marking": 1},
        {"may_contribute": True},
        {"ends_at": good["starts_at"] + timedelta(days=40)},
        {"purpose": Purpose.SAFEGUARD_CHILD.value},
    )
    for change in spoilt:
        act_as(world, "officer")
        with pytest.raises(sa.exc.DBAPIError, match="a share waits for its recipient"):
            db.session.add(Grant(**{**good, "revision": None, **change}))
            db.session.flush()
        db.session.rollback()


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        ("2026-11-21T12:00:00+00:00", "2026-12-22T00:00:00+00:00"),
        # the clocks go back on 25 October 2026: the last day is cut by an hour, not the promise to the members
        ("2026-09-24T23:10:00+00:00", "2026-10-25T23:10:00+00:00"),
    ],
)
def test_a_share_holds_for_the_days_of_the_panel_and_never_longer(
    app: Flask, world: World, moment: str, last: str
) -> None:
    row = find_panels(act_as(world, "spoc"), [seated_panel(world)])[0]
    now = datetime.fromisoformat(moment)
    row.terms.agreement.ends_at = now + timedelta(days=300)
    assert end_of(row, now) == datetime.fromisoformat(last)
    row.terms.agreement.ends_at = now + timedelta(days=3)
    assert end_of(row, now) == now + timedelta(days=3)
    db.session.rollback()


def test_the_offers_take_as_many_queries_for_many_panels_as_for_one(
    app: Flask, world: World, count_queries: Any
) -> None:
    seated_panel(world)
    case_id = led_case(act_as(world, "officer"))
    numbers = []
    for name in ("Second", "Third"):
        actor = act_as(world, "officer")
        look_at(actor)
        record = db.session.get_one(Case, case_id)
        with count_queries() as seen:
            assert find_offers(actor, record)
        numbers.append(seen.count)
        seated_panel(world, name=name)
    assert numbers[0] == numbers[1] > 0
