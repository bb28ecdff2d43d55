"""Panels: made on an agreement in force, joined by each member in its own account, left, ended; as pages and as actions."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.access.models import Agreement
from hub.access.vocabulary import Purpose, Section
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.panels.actions import end_panel, join_panel, leave_panel, make_panel
from hub.panels.forms import PanelForm
from hub.panels.models import Panel, PanelMember
from hub.panels.queries import find_panels, list_panels
from tests.fixtures.panels import panel_form, seated_panel, seats_of
from tests.fixtures.site import Client, Site
from tests.fixtures.turning import copies, refuses_strange_cursors, turned
from tests.fixtures.world import World, act_as


def filled(world: World, **changes: Any) -> dict[str, Any]:
    organisations = world.organisations
    return {
        "agreement": str(world.agreements["sharing"]),
        "name": "Weekly ASB panel",
        "purpose": "prevent_crime",
        "sections": ["chronology"],
        "seats": [
            f"organisation:{organisations['police']}",
            f"team:{organisations['yjs']}:{world.teams['yjs']}",
        ],
        "max_marking": "0",
        "lasts_days": "60",
        **changes,
    }


def told(site: Site, database: SimpleNamespace, kind: str) -> set[str]:
    rows = site.sql(
        database.superuser,
        "SELECT u.email FROM notification n JOIN app_user u ON u.id = n.user_id WHERE n.kind = :kind",
        kind=kind,
    )
    return {row.email.removesuffix("@example.org") for row in rows}


def acts(site: Site, database: SimpleNamespace, panel_id: UUID) -> list[str]:
    rows = site.sql(
        database.superuser, "SELECT act FROM audit.event WHERE object_id = :id ORDER BY at, id", id=panel_id
    )
    return [row.act for row in rows]


# ---- made ---------------------------------------------------------------------------------------------------------


def test_a_panel_is_made_on_one_page_and_its_members_are_told(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    spoc = site.as_user("spoc")
    ground = html.unescape(spoc.get("/panels/new").text)
    assert f'href="/panels/new?agreement={world.agreements["sharing"]}"' in ground
    assert "Northbrook unsigned agreement" in ground and "is not signed yet by Lantern Outreach" in ground
    page = spoc.get(f"/panels/new?agreement={world.agreements['sharing']}").text
    assert "Northbrook Police: Northbrook neighbourhood team" in page and "Housing options" not in page
    answer = spoc.post("/panels/new", filled(world))
    assert answer.status_code == 303
    shown = html.unescape(spoc.get(answer.location).text)
    for words in (
        "Weekly ASB panel",
        "Summary, Log",
        "60 days",
        "Waits for their acceptance",
        "Case management",
    ):
        assert words in shown
    panel_id = UUID(answer.location.rsplit("/", 1)[1])
    assert acts(site, database, panel_id) == ["panel.created"]
    assert told(site, database, "panel.created") == {"police_spoc", "yjs_spoc"}


def test_all_that_is_wrong_is_said_at_once_beside_what_was_typed(site: Site, world: World) -> None:
    bad = filled(world, name=" ", purpose="tenancy", lasts_days="366", seats=[], max_marking="7")
    answer = site.as_user("spoc").post("/panels/new", bad)
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    for words in (
        "Enter a name in 120 characters",
        "Choose a purpose that the agreement permits",
        "Enter for how many days, from 1 to 365",
        "Choose at least one partner from the list",
        "Choose the highest marking",
    ):
        assert words in page
    assert 'value="366"' in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sections": ["secrets"]}, "Choose parts that the agreement covers"),
        ({"lasts_days": "soon"}, "Enter for how many days"),
        ({"lasts_days": "0"}, "Enter for how many days"),
        ({"seats": ["organisation:nobody"]}, "Choose at least one partner"),
        ({"name": "x" * 121}, "Enter a name in 120"),
        ({"name": "Two\nlines"}, "on one line"),
    ],
)
def test_what_can_not_be_is_refused(site: Site, world: World, change: dict[str, Any], words: str) -> None:
    answer = site.as_user("spoc").post("/panels/new", filled(world, **change))
    assert answer.status_code == 422 and words in html.unescape(answer.text)


def test_an_organisation_as_a_whole_and_a_team_of_it_are_not_both_members(site: Site, world: World) -> None:
    police = world.organisations["police"]
    seats = [f"organisation:{police}", f"team:{police}:{world.teams['npt']}"]
    answer = site.as_user("spoc").post("/panels/new", filled(world, seats=seats))
    assert answer.status_code == 422 and "not both" in answer.text


def test_no_panel_stands_on_an_agreement_of_others_or_one_that_is_not_in_force(
    site: Site, world: World
) -> None:
    spoc = site.as_user("spoc")
    assert site.as_user("charity_spoc").post("/panels/new", filled(world)).status_code == 404
    assert spoc.get("/panels/new?agreement=nonsense").status_code == 404
    page = spoc.post("/panels/new", filled(world, agreement=str(world.agreements["unsigned"])))
    assert "On which agreement" in page.text
    with site.inside():
        actor = act_as(world, "spoc")
        unsigned = panel_form(world, agreement_id=world.agreements["unsigned"])
        with pytest.raises(Conflict, match="not_signed"):
            make_panel(actor, unsigned)
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Panel)) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"purpose": Purpose.TENANCY}, "purpose"),
        ({"seats": ()}, "seats"),
        ({"seats": "charity"}, "seats"),
        ({"seats": "council"}, "seats"),
    ],
)
def test_the_action_checks_what_the_form_did(
    app: Any, world: World, change: dict[str, Any], field: str
) -> None:
    if isinstance(change.get("seats"), str):
        change = {"seats": ((world.organisations[change["seats"]], None),)}
    with pytest.raises(Invalid) as invalid:
        make_panel(act_as(world, "spoc"), panel_form(world, **change))
    assert set(invalid.value.errors) == {field}


def test_parts_beyond_the_agreement_are_refused(app: Any, world: World) -> None:
    form = PanelForm(
        name="Landlords",
        agreement_id=world.agreements["tenancy"],
        purpose=Purpose.TENANCY,
        sections=(Section.SUMMARY, Section.HEALTH),
        lasts_days=30,
        seats=((world.organisations["landlord"], None),),
    )
    with pytest.raises(Invalid) as invalid:
        make_panel(act_as(world, "spoc"), form)
    assert set(invalid.value.errors) == {"sections"}


def test_a_name_is_borne_by_one_panel(site: Site, world: World) -> None:
    spoc = site.as_user("spoc")
    assert spoc.post("/panels/new", filled(world)).status_code == 303
    again = spoc.post("/panels/new", filled(world))
    assert again.status_code == 422 and "There is, or was, a panel of this name" in again.text
    with site.inside():
        panels = list_panels(act_as(world, "spoc")).rows
        assert len(panels) == 1


def test_only_an_administrator_makes_joins_and_ends(site: Site, world: World) -> None:
    with site.inside():
        panel_id = seated_panel(world, joined=())
        seat = seats_of(panel_id)["police"]
    officer, sergeant = site.as_user("officer"), site.as_user("sergeant")
    assert officer.post("/panels/new", filled(world)).status_code == 403
    assert officer.post(f"/panels/{panel_id}/end").status_code == 403
    assert sergeant.post(f"/panels/{panel_id}/join", {"seat": str(seat)}).status_code == 403
    page = sergeant.get(f"/panels/{panel_id}").text
    assert "Weekly panel" in page and "Accept the seat" not in page
    with site.inside(), pytest.raises(Denied):
        join_panel(act_as(world, "sergeant"), panel_id, seat)


# ---- seats --------------------------------------------------------------------------------------------------------


def test_each_member_accepts_its_own_seat_in_its_own_account(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    with site.inside():
        panel_id = seated_panel(world, joined=())
        seats = seats_of(panel_id)
    police, yjs = site.as_user("police_spoc"), site.as_user("yjs_spoc")
    assert "Accept the seat" in police.get(f"/panels/{panel_id}").text
    assert "Accept the seat" not in site.as_user("spoc").get(f"/panels/{panel_id}").text
    # neither another member nor the organisation that offers it accepts for the police
    for other in (yjs, site.as_user("spoc")):
        assert other.post(f"/panels/{panel_id}/join", {"seat": str(seats["police"])}).status_code == 404
    assert police.post(f"/panels/{panel_id}/join", {"seat": str(seats["police"])}).status_code == 303
    page = police.get(f"/panels/{panel_id}").text
    assert "Ola Brandt" in page and "Give up the seat" in page
    assert police.post(f"/panels/{panel_id}/join", {"seat": str(seats["police"])}).status_code == 409
    assert acts(site, database, panel_id) == ["panel.created", "panel.joined"]


def test_a_seat_is_refused_or_given_up_and_does_not_come_back(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    with site.inside():
        panel_id = seated_panel(world, joined=("police",))
        seats = seats_of(panel_id)
    for user, seat in (("police_spoc", "police"), ("yjs_spoc", "yjs")):
        client = site.as_user(user)
        assert client.post(f"/panels/{panel_id}/leave", {"seat": str(seats[seat])}).status_code == 303
        assert client.post(f"/panels/{panel_id}/leave", {"seat": str(seats[seat])}).status_code == 409
        assert client.post(f"/panels/{panel_id}/join", {"seat": str(seats[seat])}).status_code == 409
    assert (
        site.as_user("spoc").post(f"/panels/{panel_id}/leave", {"seat": str(seats["yjs"])}).status_code == 404
    )
    assert acts(site, database, panel_id)[-2:] == ["panel.left", "panel.left"]
    assert "Given up" in site.as_user("spoc").get(f"/panels/{panel_id}").text


def test_a_seat_of_another_panel_is_not_found_through_this_one(site: Site, world: World) -> None:
    with site.inside():
        first = seated_panel(world, joined=())
        second = seated_panel(world, joined=(), name="Another")
        seat = seats_of(second)["police"]
    police = site.as_user("police_spoc")
    assert police.post(f"/panels/{first}/join", {"seat": str(seat)}).status_code == 404
    assert police.post(f"/panels/{first}/join", {"seat": "nonsense"}).status_code == 422


# ---- ended, listed ------------------------------------------------------------------------------------------------


def test_the_organisation_that_offers_it_ends_it_once(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    with site.inside():
        panel_id = seated_panel(world, joined=())
        seat = seats_of(panel_id)["police"]
    spoc, police = site.as_user("spoc"), site.as_user("police_spoc")
    assert "Ending a panel ends no share" in spoc.get(f"/panels/{panel_id}").text
    assert police.post(f"/panels/{panel_id}/end").status_code == 404
    assert spoc.post(f"/panels/{panel_id}/end").status_code == 303
    assert spoc.post(f"/panels/{panel_id}/end").status_code == 409
    assert police.post(f"/panels/{panel_id}/join", {"seat": str(seat)}).status_code == 409
    assert "This panel ended on" in spoc.get(f"/panels/{panel_id}").text
    assert acts(site, database, panel_id) == ["panel.created", "panel.ended"]


def test_panels_of_others_are_as_if_they_were_not_there(site: Site, world: World) -> None:
    with site.inside():
        panel_id = seated_panel(world, joined=())
    for user, there in (
        ("officer", True),
        ("sergeant", True),
        ("yot_worker", True),
        ("outreach_worker", False),
    ):
        client = site.as_user(user)
        assert ("Weekly panel" in client.get("/panels").text) is there, user
        assert client.get(f"/panels/{panel_id}").status_code == (200 if there else 404), user
    # the same force in the other partnership is offered a seat there too: it is its organisation's
    assert site.as_user("sergeant_east").get(f"/panels/{panel_id}").status_code == 200
    assert site.as_user("landlord_officer").get("/panels").status_code == 403


def test_each_panel_is_on_one_page_of_the_list(site: Site, world: World, database: SimpleNamespace) -> None:
    with site.inside():
        seated_panel(world, joined=())
    copies(
        site,
        database.superuser,
        "panel",
        53,
        "jsonb_build_object('id', gen_random_uuid(), 'name', 'Copy ' || n, 'created_at', now() - n / 4 * interval '1 hour',"
        " 'ended_at', CASE WHEN n % 2 = 0 THEN now() END)",
    )
    spoc = site.as_user("spoc")
    name = r'hub-list__link" href="/panels/[0-9a-f-]+">([^<]+)</a>'
    pages = turned(spoc, "/panels", name)
    assert [len(page) for page in pages] == [50, 4] and len({one for page in pages for one in page}) == 54
    assert [len(page) for page in turned(spoc, "/panels?state=ended", name)] == [26]
    assert [len(page) for page in turned(spoc, "/panels?state=in_use", name)] == [28]
    refuses_strange_cursors(spoc, "/panels")


def test_a_look_at_a_panel_is_logged_whether_or_not_it_is_there(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    with site.inside():
        panel_id = seated_panel(world, joined=())
    counted = "SELECT outcome FROM audit.event WHERE act = 'panel.listed' ORDER BY at"
    assert site.as_user("officer").get(f"/panels/{panel_id}").status_code == 200
    assert site.as_user("outreach_worker").get(f"/panels/{panel_id}").status_code == 404
    assert [row.outcome for row in site.sql(database.superuser, counted)] == ["ok", "denied"]


def test_the_list_takes_as_many_queries_for_many_panels_as_for_one(
    app: Any, world: World, count_queries: Any
) -> None:
    seated_panel(world, joined=("police",))
    numbers = []
    for name in ("Second", "Third"):
        actor = act_as(world, "spoc")
        with count_queries() as seen:
            list_panels(actor)
        numbers.append(seen.count)
        seated_panel(world, joined=("police", "yjs"), name=name)
    assert numbers[0] == numbers[1] > 0


def test_a_form_sent_twice_makes_one_panel(site: Site, world: World) -> None:
    spoc: Client = site.as_user("spoc")
    key = "0190a0b0-0000-7000-8000-000000000002"
    first = spoc.post("/panels/new", filled(world), form_key=key)
    second = spoc.post("/panels/new", filled(world), form_key=key)
    assert first.status_code == second.status_code == 303 and first.location == second.location


def test_an_agreement_that_is_suspended_is_told_on_the_panel(site: Site, world: World) -> None:
    with site.inside():
        panel_id = seated_panel(world)
        db.session.execute(
            sa.update(Agreement)
            .where(Agreement.id == world.agreements["sharing"])
            .values(suspended_at=sa.func.now(), suspended_why="Breach")
        )
        db.session.commit()
        row = find_panels(act_as(world, "spoc"), [panel_id])[0]
        assert row.refusal is not None and row.refusal.why == "suspended"
    page = site.as_user("spoc").get(f"/panels/{panel_id}").text
    assert "Nothing can be shared with this panel now" in page
    assert re.search("has been suspended since", page)


def test_the_actions_leave_and_end_say_what_is_not_there(app: Any, world: World) -> None:
    panel_id = seated_panel(world)
    seat = seats_of(panel_id)["police"]
    with pytest.raises(NotVisible):
        leave_panel(act_as(world, "charity_spoc"), panel_id, seat)
    with pytest.raises(NotVisible):
        end_panel(act_as(world, "charity_spoc"), panel_id)
    assert db.session.get_one(PanelMember, seat).left_at is None
