"""The pages of hand-overs: step by step to an offer, the answer on the other side, and what each side sees afterwards."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.access.vocabulary import Purpose, Section
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from tests.conftest import QueryCount
from tests.fixtures.handing import handed_over, offered
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Client, Site
from tests.fixtures.turning import refuses_strange_cursors, turned
from tests.fixtures.world import act_as

TAKEN = {"gateway": "common_law_police", "lawful_basis": "p3_task", "note": "We take it from here"}


@pytest.fixture
def case_id(site: Site) -> UUID:
    with site.inside():
        key = led_case(act_as(site.world, "officer"), "Fire-setting, Ward Y")
        shared(site.world, key, to="yjs", taken_by="yot_worker", purpose=Purpose.SAFEGUARD_CHILD)
    return key


def typed(site: Site, **changes: Any) -> dict[str, Any]:
    world = site.world
    return {
        "to": f"team:{world.organisations['police']}:{world.teams['npt']}",
        "purpose": f"prevent_crime:{world.agreements['sharing']}",
        "reason": "The offending has moved to their ground",
        "stays": ["health"],
        **changes,
    }


def offer(site: Site, case_id: UUID, client: Client | None = None, **changes: Any) -> str:
    client = client or site.as_user("manager")
    answer = client.post(f"/cases/{case_id}/hand-over/offer", typed(site, **changes))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def text_of(answer: Any) -> str:
    return " ".join(str(answer.get_data(as_text=True)).split())


def test_the_three_steps_lead_to_a_plain_sentence(site: Site, case_id: UUID) -> None:
    manager = site.as_user("manager")
    address = f"/cases/{case_id}/hand-over"
    who = text_of(manager.get(address))
    assert "Northbrook neighbourhood team" in who and "Housing options" in who
    assert "Lantern Outreach" in who and "not signed yet by Lantern Outreach" in who
    assert "Community safety</label>" not in who
    what = text_of(manager.post(address, {"to": typed(site)["to"], "go": "what"}))
    assert "What goes to Northbrook neighbourhood team, Northbrook Police?" in what
    assert "s.115" in what and "What stays behind" in what
    check = text_of(manager.post(address, {**typed(site), "go": "check"}))
    assert (
        "From the moment that they accept, Northbrook neighbourhood team, Northbrook Police leads NBC-CS-"
        in check
        and "and its one share ends. What your organisation wrote in it stays readable to you" in check
    )
    assert "Northbrook Youth Justice Service" in check and "Health" in check
    location = offer(site, case_id, manager)
    assert re.fullmatch(r"/hand-overs/[0-9a-f-]{36}", location)
    waiting = text_of(manager.get(address))
    assert "This case is offered to Northbrook neighbourhood team" in waiting and location in waiting


def test_what_is_missing_is_told_and_what_was_typed_is_kept(site: Site, case_id: UUID) -> None:
    manager = site.as_user("manager")
    address = f"/cases/{case_id}/hand-over"
    nobody = manager.post(address, {"go": "what"})
    assert nobody.status_code == 422 and "Choose the team that takes the case over" in text_of(nobody)
    unsaid = manager.post(address, {**typed(site, reason=""), "go": "check"})
    assert unsaid.status_code == 422 and "Say why the case is handed over" in text_of(unsaid)
    assert re.search(r'value="health"[^>]* checked', unsaid.get_data(as_text=True))
    pointless = manager.post(address, {**typed(site, purpose=""), "go": "check"})
    assert pointless.status_code == 422 and "Choose what it is shared for" in text_of(pointless)
    wrong = manager.post(address, {**typed(site, stays=["summary"]), "go": "check"})
    assert wrong.status_code == 422 and "Choose parts from the list" in text_of(wrong)
    strange = manager.post(address, {**typed(site, to="team:x:y"), "go": "check"})
    assert strange.status_code == 422
    assert "Say why the case is handed over" in text_of(
        manager.post(f"{address}/offer", typed(site, reason=" "))
    )


def test_an_organisation_without_an_agreement_is_refused_with_the_reason(
    site: Site, case_id: UUID, database: SimpleNamespace
) -> None:
    site.sql(
        database.superuser,
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, 'supervisor', now())",
        user=site.world.users["outreach_worker"],
        area=site.world.partnerships["northbrook"],
    )
    given = {
        "to": f"team:{site.world.organisations['charity']}:{site.world.teams['outreach']}",
        "purpose": f"prevent_crime:{site.world.agreements['unsigned']}",
    }
    manager = site.as_user("manager")
    for path, more in (("", {"go": "check"}), ("/offer", {})):
        answer = manager.post(f"/cases/{case_id}/hand-over{path}", {**typed(site, **given), **more})
        assert answer.status_code == 403
        assert "This cannot be handed over." in text_of(answer)
        assert "not signed yet by Lantern Outreach" in text_of(answer)


def test_the_receiving_team_sees_what_the_offer_says_and_nothing_of_the_case(
    site: Site, case_id: UUID, database: SimpleNamespace
) -> None:
    with site.inside():
        add_entry(act_as(site.world, "officer"), case_id, EntryForm("Petrol on the mat"))
        db.session.commit()
    location = offer(site, case_id)
    sergeant = site.as_user("sergeant")
    assert location in text_of(sergeant.get("/hand-overs"))
    assert "Hand-overs" in text_of(sergeant.get("/shared"))
    page = text_of(sergeant.get(location))
    for told in ("NBC-CS-", "Anti-social behaviour", "moved to their ground", "Community safety", "Health"):
        assert told in page
    for hidden in ("Fire-setting", "Petrol"):
        assert hidden not in page
    assert sergeant.get(f"/cases/{case_id}").status_code == 404
    looks = site.sql(
        database.superuser,
        "SELECT outcome, record_ids, object_version FROM audit.event WHERE act = 'handover.opened'",
    )
    assert [tuple(row) for row in looks] == [("ok", [case_id], 1)]
    stranger = site.as_user("yot_worker")
    assert stranger.get(location).status_code == 404
    assert location not in text_of(stranger.get("/hand-overs?show=past"))
    refused = site.sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE act = 'handover.opened' AND outcome = 'denied'",
    )
    assert refused == [(1,)]


def test_accepting_gives_the_case_and_closes_the_way_back(site: Site, case_id: UUID) -> None:
    with site.inside():
        entry = add_entry(act_as(site.world, "officer"), case_id, EntryForm("Called on the tenant")).id
        db.session.commit()
    location = offer(site, case_id)
    sergeant, officer, worker = (site.as_user(user) for user in ("sergeant", "officer", "yot_worker"))
    assert officer.get(f"/cases/{case_id}").status_code == 200
    taken = sergeant.post(f"{location}/accept", TAKEN)
    assert (taken.status_code, taken.location) == (303, f"/cases/{case_id}")
    page = text_of(sergeant.get(f"/cases/{case_id}"))
    assert "Fire-setting, Ward Y" in page and "Northbrook Police, Northbrook neighbourhood team" in page
    for path in ("", "/log", "/people", "/files", "/sharing", "/consents", "/hand-over"):
        assert officer.get(f"/cases/{case_id}{path}").status_code in (403, 404), path
    assert officer.get(f"/cases/{case_id}").status_code == 404
    # the share of it ended with it
    with site.inside():
        act_as(site.world, "yot_worker")
    assert worker.get(f"/cases/{case_id}").status_code == 404
    assert "Called on the tenant" in text_of(officer.get(f"/contributed/{entry}"))
    assert f"/contributed/{entry}" in text_of(officer.get("/shared?show=contributed"))
    after = text_of(site.as_user("manager").get(location))
    assert "Handed over" in after and "We take it from here" in after and "stays readable to you" in after
    assert location in text_of(officer.get("/hand-overs?show=past"))
    assert location in text_of(sergeant.get("/hand-overs?show=past"))


def test_the_new_lead_states_its_own_gateway_and_basis(site: Site, case_id: UUID) -> None:
    location = offer(site, case_id)
    sergeant = site.as_user("sergeant")
    for changes in (
        {"gateway": ""},
        {"gateway": "cda_17a"},
        {"lawful_basis": "art6_1a"},
        {"lawful_basis": ""},
    ):
        answer = sergeant.post(f"{location}/accept", {**TAKEN, **changes})
        assert answer.status_code == 422, changes
        assert "We take it from here" in text_of(answer)
    assert sergeant.get(f"/cases/{case_id}").status_code == 404


def test_a_refusal_has_a_reason_that_the_lead_reads(site: Site, case_id: UUID) -> None:
    location = offer(site, case_id)
    sergeant = site.as_user("sergeant")
    assert sergeant.post(f"{location}/refuse", {"reason": " "}).status_code == 422
    assert sergeant.post(f"{location}/refuse", {"reason": "Not on our ground"}).status_code == 303
    manager = site.as_user("manager")
    assert "Not on our ground" in text_of(manager.get(location))
    assert manager.get(f"/cases/{case_id}").status_code == 200
    assert sergeant.post(f"{location}/accept", TAKEN).status_code == 409
    assert "Which team takes this case over?" in text_of(manager.get(f"/cases/{case_id}/hand-over"))


def test_an_offer_is_withdrawn_by_its_team(site: Site, case_id: UUID) -> None:
    location = offer(site, case_id)
    assert site.as_user("sergeant").post(f"{location}/withdraw").status_code == 403
    assert site.as_user("manager").post(f"{location}/withdraw").status_code == 303
    late = site.as_user("sergeant").post(f"{location}/accept", TAKEN)
    assert late.status_code == 409 and "was withdrawn" in text_of(late)


def test_a_double_click_and_a_second_tab_act_once(
    site: Site, case_id: UUID, database: SimpleNamespace
) -> None:
    manager = site.as_user("manager")
    key = str(uuid4())
    answers = [manager.post(f"/cases/{case_id}/hand-over/offer", typed(site), form_key=key) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 303] and answers[0].location == answers[1].location
    other_tab = manager.post(f"/cases/{case_id}/hand-over/offer", typed(site))
    assert other_tab.status_code == 409 and "offered to a team already" in text_of(other_tab)
    sergeant, key = site.as_user("sergeant"), str(uuid4())
    taken = [sergeant.post(f"{answers[0].location}/accept", TAKEN, form_key=key) for _ in range(2)]
    assert [one.status_code for one in taken] == [303, 303]
    assert sergeant.post(f"{answers[0].location}/accept", TAKEN).status_code == 409
    counted = site.sql(
        database.superuser,
        "SELECT act, count(*) FROM audit.event WHERE act IN ('handover.offered', 'handover.accepted', 'case.changed')"
        " AND outcome = 'ok' GROUP BY act ORDER BY act",
    )
    assert [tuple(row) for row in counted] == [
        ("case.changed", 1),
        ("handover.accepted", 1),
        ("handover.offered", 1),
    ]


def stale(site: Site, database: SimpleNamespace) -> None:
    site.sql(database.superuser, "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")


def test_who_was_not_asked_for_a_while_confirms_first_and_loses_nothing(
    site: Site, case_id: UUID, database: SimpleNamespace
) -> None:
    manager, sergeant = site.as_user("manager"), site.as_user("sergeant")
    stale(site, database)
    address = f"/cases/{case_id}/hand-over"
    for path, more in ((address, {"go": "check"}), (f"{address}/offer", {})):
        answer = manager.post(path, {**typed(site), **more})
        assert answer.status_code == 303
        assert answer.location.startswith("/session/confirm?next=") and "hand-over" in answer.location
    assert site.sql(database.superuser, "SELECT count(*) FROM hand_over") == [(0,)]
    fresh(site, database)
    back = text_of(manager.get(f"{address}?go=check"))
    assert "moved to their ground" in back and "Check before you offer it" in back
    location = offer(site, case_id, manager)
    stale(site, database)
    answer = sergeant.post(f"{location}/accept", TAKEN)
    assert answer.location.startswith("/session/confirm?next=/hand-overs/")
    assert "We take it from here" in text_of(sergeant.get(location))
    fresh(site, database)
    assert sergeant.post(f"{location}/accept", TAKEN).location == f"/cases/{case_id}"


def fresh(site: Site, database: SimpleNamespace) -> None:
    site.sql(database.superuser, "UPDATE user_session SET authenticated_at = now()")


def test_only_supervisors_have_the_way_to_it(site: Site, case_id: UUID) -> None:
    address = f"/cases/{case_id}/hand-over"
    assert "Hand it over" in text_of(site.as_user("manager").get(f"/cases/{case_id}"))
    officer = site.as_user("officer")
    assert "Hand it over" not in text_of(officer.get(f"/cases/{case_id}"))
    assert officer.get(address).status_code == 403
    assert officer.post(f"{address}/offer", typed(site)).status_code == 403
    assert site.as_user("sergeant").get(address).status_code == 404
    location = offer(site, case_id)
    reader = site.as_user("reader")
    assert reader.get(location).status_code == 200
    assert reader.post(f"{location}/withdraw").status_code == 403


def test_a_closed_case_is_not_offered(site: Site, case_id: UUID, database: SimpleNamespace) -> None:
    site.sql(database.superuser, "UPDATE case_record SET status = 'merged' WHERE id = :id", id=case_id)
    manager = site.as_user("manager")
    assert manager.get(f"/cases/{case_id}/hand-over").status_code == 403
    assert manager.post(f"/cases/{case_id}/hand-over/offer", typed(site)).status_code == 409


def test_sections_that_no_agreement_covers_stay(site: Site, case_id: UUID, database: SimpleNamespace) -> None:
    site.sql(
        database.superuser, "UPDATE agreement SET sections = array_remove(sections, 'health')"
        " WHERE id = :id", id=site.world.agreements["sharing"],
    )  # fmt: skip
    manager = site.as_user("manager")
    address = f"/cases/{case_id}/hand-over"
    what = manager.post(address, {"to": typed(site)["to"], "go": "what"}).get_data(as_text=True)
    assert re.search(r'value="health"[^>]* checked', what) and not re.search(
        r'value="files"[^>]* checked', what
    )
    answer = manager.post(address, {**typed(site, stays=[]), "go": "check"})
    assert answer.status_code == 422 and "does not cover Health. Leave that behind" in text_of(answer)


def test_the_list_turns_its_pages(site: Site, database: SimpleNamespace) -> None:
    with site.inside():
        for count in range(3):
            handed_over(site.world, led_case(act_as(site.world, "officer"), f"Noise {count}"))
    site.sql(
        database.superuser,
        "INSERT INTO hand_over SELECT (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(),"
        " 'created_at', o.created_at - n * interval '1 minute'))).* FROM hand_over o, generate_series(1, 17) n",
    )
    pages = turned(site.as_user("sergeant"), "/hand-overs?show=past", r'href="(/hand-overs/[0-9a-f-]{36})"')
    assert [len(page) for page in pages] == [50, 4]
    assert len({one for page in pages for one in page}) == 54
    refuses_strange_cursors(site.as_user("sergeant"), "/hand-overs?show=past")


def test_no_page_asks_more_for_more_rows(
    site: Site, database: SimpleNamespace, count_queries: QueryCount
) -> None:
    with site.inside():
        key = led_case(act_as(site.world, "officer"))
        offered(site.world, key, stays=(Section.HEALTH,))
    sergeant = site.as_user("sergeant")
    sergeant.get("/hand-overs")

    def asked() -> int:
        with count_queries() as seen:
            before = seen.count
            assert sergeant.get("/hand-overs").status_code == 200
            return seen.count - before

    few = asked()
    with site.inside():
        for count in range(4):
            offered(site.world, led_case(act_as(site.world, "officer"), f"Noise {count}"))
    assert asked() == few
