"""Forms that come twice: at once (a double click), again (the back button), or against somebody else's change."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from tests.attacks.arena import Arena
from tests.attacks.checks import Tables, told
from tests.attacks.conftest import Cast
from tests.attacks.forms import forms
from tests.attacks.walking import address_of, rules

# endpoint → the table in which one row more may stand afterwards, and no second
ACTS = {
    "incidents.log": "incident",
    "cases.new": "case_record",
    "case_log.add": "entry",
    "case_sharing.send": "record_grant",
    "case_people.add_person": "person",
    "case_people.add_place": "place",
    "case_people.add_vehicle": "vehicle",
    "incident.add_person": "person",
    "incident.add_place": "place",
    "incident.add_vehicle": "vehicle",
    "admin.invite": "app_user",
    "directories.make": "directory",
    "incident_sharing.send": "record_grant",
    "case_facts.send": "record_grant",
    "case_consents.new": "consent",
    "case_people.tell": "person_fact",
    "case_handover.offer": "hand_over",
    "access_requests.ask": "access_request",
    "emergencies.open_now": "emergency",
    "interests.declare": "declared_interest",
    "assurances.answer": "assurance",
    "settings.change": "setting",
    "code_lists.add": "code_list_entry",
}


def posting(arena: Arena, endpoint: str) -> tuple[str, str, dict[str, Any]]:
    rule = next(rule for rule in rules(arena, "POST") if rule.endpoint == endpoint)
    user, form = forms(arena)[endpoint]
    return user, address_of(arena, rule), form


def rows(tables: Tables, table: str) -> int:
    return tables.now()[table][0]


@pytest.mark.parametrize("endpoint", ACTS)
def test_a_double_click_acts_once(arena: Arena, cast: Cast, tables: Tables, endpoint: str) -> None:
    user, address, form = posting(arena, endpoint)
    client, key = cast(user), str(uuid4())
    token, cookie = client.csrf, client.http.get_cookie("__Host-hub-session")
    assert cookie is not None
    before, answers = rows(tables, ACTS[endpoint]), []
    together = threading.Barrier(4)

    def click() -> None:
        browser = arena.site.app.test_client()
        browser.set_cookie("__Host-hub-session", cookie.value, secure=True)
        together.wait()
        answers.append(browser.post(address, data={**form, "csrf_token": token, "form_key": key}))

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert rows(tables, ACTS[endpoint]) == before + 1
    assert len(answers) == 4 and {answer.status_code for answer in answers} <= {200, 303}, [
        answer.status_code for answer in answers
    ]
    assert len({answer.location for answer in answers if answer.status_code == 303}) == 1


def test_sent_again_a_form_leads_where_it_led_first(arena: Arena, cast: Cast, tables: Tables) -> None:
    faults = []
    for endpoint in forms(arena):
        if endpoint.startswith(
            (
                "accounts.",
                "credentials.",
                "second_step.",
                "drafts.",
                "oversight.",
                "notifications.",
                "subject_reports.",
            )
        ) or endpoint in (
            # draws from what is a minute old, and the arena may be younger
            "samples.new",
            "case_sharing.share",
            "case_sharing.preview",
            "case_facts.share",
            "case_handover.steps",
            "emergencies.ask",
            "incident_sharing.share",
            "incident_sharing.preview",
            # they give a page or a file and keep nothing
            "case_disclosures.check",
            "case_disclosures.bundle",
            "case_file_list.as_table",
            "case_file_list.on_paper",
            "erasures.steps",
        ):
            continue
        user, address, form = posting(arena, endpoint)
        client, key = cast(user), str(uuid4())
        if endpoint == "cases.edit":
            form = {**form, "revision": str(revision(cast, arena))}
        first = client.post(address, form, form_key=key)
        state = tables.now()
        again = client.post(address, form, form_key=key)
        after = tables.now()
        if after != state:
            faults.append(f"{endpoint}: changed {[name for name in after if after[name] != state[name]]}")
        # the page with a one-time link or token is shown once; later it leads to the user or the list (who has been in gets no
        # link by `admin.renew`)
        if endpoint in ("admin.invite", "admin.reset", "directories.make"):
            assert first.status_code == 200 and again.status_code == 303
        elif first.status_code == 303 and (again.status_code, again.location) != (303, first.location):
            faults.append(f"{endpoint}: first {first.location}, again {again.status_code} {again.location}")
        elif first.status_code not in (303, 409):
            faults.append(f"{endpoint}: {first.status_code}")
    assert not faults, told(faults)


def test_a_person_added_without_a_question_is_not_asked_about_when_the_form_comes_again(
    arena: Arena, cast: Cast, tables: Tables
) -> None:
    """The person just added is like the person typed: the second form must not take them for somebody else."""
    _, address, form = posting(arena, "case_people.add_person")
    form, key = {**form, "same": "", "family_name": "Unlikely"}, str(uuid4())
    first = cast("officer").post(address, form, form_key=key)
    state = tables.now()
    again = cast("officer").post(address, form, form_key=key)
    assert first.status_code == 303 and (again.status_code, again.location) == (303, first.location)
    assert tables.now() == state


def revision(cast: Cast, arena: Arena) -> int:
    page = cast("officer").get(f"/cases/{arena.mine.case_id}/edit").get_data(as_text=True)
    return int(page.partition('name="revision" value="')[2].partition('"')[0])


def test_a_key_that_was_used_elsewhere_or_by_another_leads_nowhere(
    arena: Arena, cast: Cast, tables: Tables
) -> None:
    user, address, form = posting(arena, "case_log.add")
    key = str(uuid4())
    assert cast(user).post(address, form, form_key=key).status_code == 303
    state = tables.now()
    _, elsewhere, other = posting(arena, "incidents.log")
    assert cast(user).post(elsewhere, other, form_key=key).status_code == 422
    assert cast("manager").post(address, form, form_key=key).status_code == 422
    assert tables.now() == state


def test_two_editors_lose_nothing_and_both_texts_are_on_the_page(
    arena: Arena, cast: Cast, tables: Tables
) -> None:
    _, address, form = posting(arena, "cases.edit")
    seen = str(revision(cast, arena))
    first = cast("manager").post(address, {**form, "revision": seen, "summary": "Hers", "title": "Her title"})
    assert first.status_code == 303
    state = tables.now()
    late = cast("officer").post(
        address, {**form, "revision": seen, "summary": "Mine <b>", "title": "My title"}
    )
    page = late.get_data(as_text=True)
    assert late.status_code == 409 and all(
        text in page for text in ("Hers", "Her title", "Mine &lt;b&gt;", "My title")
    )
    assert tables.now() == state


def test_two_editors_at_once_do_not_both_save(arena: Arena, cast: Cast, database: SimpleNamespace) -> None:
    _, address, form = posting(arena, "cases.edit")
    seen = str(revision(cast, arena))
    tokens = {
        user: (cast(user).csrf, cast(user).http.get_cookie("__Host-hub-session"))
        for user in ("officer", "manager")
    }
    together, answers = threading.Barrier(2), {}

    def save(user: str) -> None:
        browser = arena.site.app.test_client()
        token, cookie = tokens[user]
        assert cookie is not None
        browser.set_cookie("__Host-hub-session", cookie.value, secure=True)
        together.wait()
        answers[user] = browser.post(
            address,
            data={
                **form,
                "revision": seen,
                "summary": f"By {user}",
                "csrf_token": token,
                "form_key": str(uuid4()),
            },
        )

    threads = [threading.Thread(target=save, args=(user,)) for user in tokens]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answer.status_code for answer in answers.values()) == [303, 409]
    [winner] = [user for user, answer in answers.items() if answer.status_code == 303]
    [row] = arena.site.sql(
        database.superuser, "SELECT summary FROM case_record WHERE id = :id", id=arena.mine.case_id
    )
    assert row.summary == f"By {winner}"


def test_a_share_is_answered_once_by_whoever_is_first(arena: Arena, cast: Cast, tables: Tables) -> None:
    address = f"/shared/{arena.mine.grant_id}/answer"
    assert cast("sergeant").post(address, {"answer": "accept"}).status_code == 303
    state = tables.now()
    assert cast("sergeant").post(address, {"answer": "reject", "reason": "No"}).status_code == 409
    assert cast("sergeant_east").post(address, {"answer": "reject", "reason": "No"}).status_code == 409
    assert tables.now() == state
