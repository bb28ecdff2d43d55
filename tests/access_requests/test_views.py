"""Asking as people do it: from the search to the request, from the request to the answer; without JavaScript."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace
from uuid import UUID, uuid4

from hub.access.vocabulary import Purpose, Section
from tests.access_requests.conftest import ASKED, answer_values
from tests.fixtures.site import Client
from tests.fixtures.turning import copies, refuses_strange_cursors, turned
from tests.fixtures.world import World

BLIND = re.compile(r'(nonce|value|datetime|now|expires)="[^"]*"|nonce-[\w-]+|\d+:\d+[ap]m|[0-9a-f-]{36}')


def ask(placed: SimpleNamespace, world: World, client: Client | None = None, **changes: str) -> UUID:
    client = client or placed.site.as_user("sergeant")
    answer = client.post(f"/requests/new/{world.organisations['council']}", {**ASKED, **changes})
    assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
    return UUID(answer.location.rsplit("/", 1)[1])


def test_the_search_leads_to_the_form_with_the_name_filled_in(placed: SimpleNamespace, world: World) -> None:
    sergeant = placed.site.as_user("sergeant")
    address = f"/requests/new/{world.organisations['council']}"
    found = sergeant.get("/search?q=Devon+Marchbanks").get_data(as_text=True)
    assert f'action="{address}"' in found
    form = sergeant.post(address, {"go": "ask", "sought": "Devon Marchbanks"})
    text = html.unescape(form.get_data(as_text=True))
    assert form.status_code == 200
    assert 'value="Devon Marchbanks"' in text
    assert "Prevent crime and disorder" in text and "Crime and Disorder Act 1998 s.115" in text
    assert placed.reference not in text


def test_mistakes_keep_what_was_typed(placed: SimpleNamespace, world: World) -> None:
    answer = placed.site.as_user("sergeant").post(
        f"/requests/new/{world.organisations['council']}", {"sought": "Devon", "wanted": "All of it"}
    )
    text = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "All of it" in text and "at least two words" in text and "how soon" in text


def test_a_request_goes_from_hand_to_hand(placed: SimpleNamespace, world: World) -> None:
    request_id = ask(placed, world, urgency="immediate_risk")
    officer = placed.site.as_user("officer")
    assert f"/requests/{request_id}" in officer.get("/requests?state=waiting").get_data(as_text=True)
    page = html.unescape(officer.get(f"/requests/{request_id}").get_data(as_text=True))
    for part in ("Immediate risk", placed.reference, ASKED["reason"], "Tomasz Nowak", "Answer it"):
        assert part in page, part
    answer = officer.post(
        f"/requests/{request_id}/answer",
        answer_values(
            placed.case_id, Section.SUMMARY, Section.CHRONOLOGY, state="part", answer="Nobody's names"
        ),
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)[:3000]
    sergeant = placed.site.as_user("sergeant")
    told = html.unescape(sergeant.get(f"/requests/{request_id}").get_data(as_text=True))
    assert "Supplied in part" in told and "Nobody's names" in told and placed.reference in told
    assert sergeant.get(f"/cases/{placed.case_id}/log").status_code == 200
    tabs = sergeant.get(f"/cases/{placed.case_id}").get_data(as_text=True)
    assert f"/cases/{placed.case_id}/people" not in tabs
    assert "Marchbanks" not in tabs


def test_a_wrong_answer_keeps_what_was_typed_and_opens_nothing(placed: SimpleNamespace, world: World) -> None:
    request_id = ask(placed, world)
    values = answer_values(placed.case_id, Section.PEOPLE, answer="As agreed", **{"ends-year": "1999"})
    answer = placed.site.as_user("officer").post(f"/requests/{request_id}/answer", values)
    text = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "As agreed" in text and "The summary is part of every share" in text
    assert placed.site.sql(placed.superuser, "SELECT count(*) FROM record_grant") == [(0,)]


def test_the_asker_withdraws(placed: SimpleNamespace, world: World) -> None:
    sergeant = placed.site.as_user("sergeant")
    request_id = ask(placed, world, sergeant)
    assert "Withdraw the request" in sergeant.get(f"/requests/{request_id}").get_data(as_text=True)
    assert sergeant.post(f"/requests/{request_id}/withdraw").status_code == 303
    page = placed.site.as_user("officer").get(f"/requests/{request_id}").get_data(as_text=True)
    assert "Withdrawn" in page and "Answer it" not in page


def test_what_is_late_says_how_late(placed: SimpleNamespace, world: World) -> None:
    request_id = ask(placed, world)
    placed.site.sql(placed.superuser, "UPDATE access_request SET due_at = now() - interval '50 hours'")
    for user, by in (("officer", ""), ("sergeant", "?by=ours")):
        client = placed.site.as_user(user)
        assert "late by 2 days" in client.get(f"/requests{by}").get_data(as_text=True)
        assert "late by 2 days" in client.get(f"/requests/{request_id}").get_data(as_text=True)


def test_nothing_to_ask_for_is_one_answer(placed: SimpleNamespace, world: World) -> None:
    """Nobody of that name, a victim, another name; and somebody whose case has just been hidden."""
    sergeant = placed.site.as_user("sergeant")
    bodies = set()
    for terms in ("Aurelius Nobody", "Philippa Rosegarden", "Devon Marchand", "Devon Marchbanks"):
        if terms == "Devon Marchbanks":
            placed.site.sql(placed.superuser, "UPDATE record SET knowable = false")
        values = {**ASKED, "sought": terms}
        answer = sergeant.post(f"/requests/new/{world.organisations['council']}", values)
        assert answer.status_code == 409
        bodies.add(BLIND.sub("", html.unescape(answer.get_data(as_text=True))))
    assert len(bodies) == 1
    assert "There is nothing that you can ask this organisation for by this name" in bodies.pop()


def test_hidden_and_absent_requests_are_alike(placed: SimpleNamespace, world: World) -> None:
    request_id = ask(placed, world)
    for user in ("housing_officer", "yot_worker", "east_officer"):
        stranger = placed.site.as_user(user)
        hidden, absent = (stranger.get(f"/requests/{key}") for key in (request_id, uuid4()))
        assert hidden.status_code == absent.status_code == 404
        assert len(hidden.data) == len(absent.data)
        sent = [
            stranger.post(f"/requests/{key}/answer", answer_values(placed.case_id, Section.SUMMARY))
            for key in (request_id, uuid4())
        ]
        assert [one.status_code for one in sent] == [404, 404]
        assert len(sent[0].data) == len(sent[1].data)
    assert placed.site.as_user("reader").get("/requests").status_code == 403


def test_there_is_nobody_to_ask_without_an_agreement_for_the_purpose(
    placed: SimpleNamespace, world: World
) -> None:
    council = f"/requests/new/{world.organisations['council']}"
    assert placed.site.as_user("sergeant", purpose=Purpose.TENANCY).get(council).status_code == 404
    assert placed.site.as_user("officer").get(council).status_code == 404
    assert placed.site.as_user("sergeant").get(f"/requests/new/{uuid4()}").status_code == 404
    assert placed.site.as_user("sergeant").get(council).status_code == 200


def test_the_lists_are_turned_page_by_page(placed: SimpleNamespace, world: World) -> None:
    ask(placed, world)
    copies(
        placed.site,
        placed.superuser,
        "access_request",
        120,
        "jsonb_build_object('id', gen_random_uuid(), 'reference', 'NBP-RQ-' || n, 'created_at', old.created_at - n * interval '1 minute',"
        " 'due_at', old.due_at + (n / 3) * interval '1 minute')",
    )
    sergeant = placed.site.as_user("sergeant")
    row = r'href="/requests/([0-9a-f-]{36})"'
    for address in ("/requests?by=ours", "/requests?by=ours&state=waiting"):
        seen = turned(sergeant, address, row)
        assert [len(page) for page in seen] == [50, 50, 21], address
        assert len({one for page in seen for one in page}) == 121
        refuses_strange_cursors(sergeant, address)
