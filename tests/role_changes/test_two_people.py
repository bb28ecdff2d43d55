"""Giving a role takes two administrators: what each may do, what they are told, and what is written down."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.access.permissions import ROLES, Role
from tests.fixtures.door import accept_terms
from tests.fixtures.site import Site
from tests.fixtures.turning import refuses_strange_cursors
from tests.role_changes.conftest import LIST, Sql, address, decide, roles_of

Ask = Callable[..., UUID]
INVITED = {"name": "Ann Teal", "email": "ann.teal@example.org", "job_title": "Warden"}


def told(sql: Sql, kind: str) -> list[str]:
    rows = sql(
        "SELECT u.email FROM notification n JOIN app_user u ON u.id = n.user_id WHERE n.kind = :kind ORDER BY u.email",
        kind=kind,
    )
    return [row.email.partition("@")[0] for row in rows]


def facts(sql: Sql, act: str) -> list[dict[str, Any]]:
    rows = sql(
        "SELECT convert_from(body, 'UTF8')::jsonb AS body FROM audit.event WHERE act = :act ORDER BY at",
        act=act,
    )
    return [
        row.body["facts"] | {"by": row.body["actor"]["user"], "of": row.body["object"]["id"]} for row in rows
    ]


def test_a_role_is_asked_for_by_one_and_held_when_another_has_approved(
    site: Site, sql: Sql, second: str, ask: Ask
) -> None:
    users = {name: str(key) for name, key in site.world.users.items()}
    reader = site.as_user("reader")
    change = ask("reader", "practitioner", also=("read_only",))
    assert roles_of(site, sql, "reader") == {"read_only"} and reader.get("/account").status_code == 200
    assert told(sql, "role.asked") == [second]
    assert facts(sql, "role.asked") == [
        {"role": "practitioner", "change": str(change), "by": users["spoc"], "of": users["reader"]}
    ]
    other = site.as_user(second)
    assert (
        "1 waiting" in other.get("/admin").text and "1 waiting" not in site.as_user("spoc").get("/admin").text
    )
    page = html.unescape(other.get(f"{LIST}/{change}").text)
    for words in ("Petra Sand", "Lena Marsh", ROLES[Role.PRACTITIONER].description, "Approve the role"):
        assert words in page
    assert "Petra Sand" in other.get(LIST).text
    assert "waits for a decision" in other.get(f"/admin/users/{users['reader']}").text
    answer = decide(other, change)
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{change}")
    assert roles_of(site, sql, "reader") == {"read_only", "practitioner"}
    # they sign in again, so that what the new role asks for at the door is asked
    assert reader.get("/account").status_code == 302
    [granted] = facts(sql, "role.granted")
    assert granted == {
        "role": "practitioner", "change": str(change), "asked_by": users["spoc"], "approved_by": users[second],
        "alone": False, "by": users[second], "of": users["reader"],
    }  # fmt: skip
    assert told(sql, "role.refused") == ["spoc"] and told(sql, "role.granted") == ["reader"]
    assert "waiting" not in other.get("/admin").text.partition("Role changes")[2].partition("</li>")[0]
    assert "waits for a decision" not in other.get(f"/admin/users/{users['reader']}").text
    assert "Approved" in site.as_user("spoc").get(LIST).text


def test_nobody_approves_what_they_asked_for_even_from_another_session(
    site: Site, sql: Sql, second: str, ask: Ask
) -> None:
    change = ask("reader", "supervisor", also=("read_only",))
    for session in (site.as_user("spoc"), site.as_user("spoc")):
        assert "Approve the role" not in session.get(f"{LIST}/{change}").text
        refused = decide(session, change)
        assert refused.status_code == 403 and "asked for this yourself" in refused.text
        assert decide(session, change, "refuse").status_code == 403
    assert (
        roles_of(site, sql, "reader") == {"read_only"}
        and sql("SELECT 1 FROM role_change WHERE outcome = 'approved'") == []
    )


def test_nobody_decides_about_themselves_even_where_another_has_asked(
    site: Site, sql: Sql, second: str, ask: Ask
) -> None:
    change = ask(second, "auditor", also=("practitioner", "supervisor", "administrator"))
    client = site.as_user(second)
    assert "your own roles" in client.get(f"{LIST}/{change}").text
    refused = decide(client, change)
    assert refused.status_code == 403 and "your own roles" in refused.text
    assert decide(client, change, "refuse").status_code == 403
    assert "auditor" not in roles_of(site, sql, second)
    # only the two of them are there: nobody was asked, it waits, and the page that was led to says so
    assert told(sql, "role.asked") == []
    assert client.post(address(site, second), {"roles": ["auditor"]}).status_code == 409


def test_a_sockpuppet_needs_a_second_administrator_who_is_real(site: Site, sql: Sql, second: str) -> None:
    spoc, form = (
        site.as_user("spoc"),
        {**INVITED, "team_id": str(site.world.teams["safety"]), "roles": ["administrator"]},
    )
    assert "begins when another one has approved" in spoc.get("/admin/users/new").text
    page = html.unescape(spoc.post("/admin/users/new", form).text)
    assert (
        "Ann Teal has no role yet" in page and "until Rhys Llewellyn approves" in page and "/enrol/" in page
    )
    [puppet] = sql("SELECT id FROM app_user WHERE email = 'ann.teal@example.org'")
    assert sql("SELECT 1 FROM role_holding WHERE user_id = :id", id=puppet.id) == []
    site.world.users["puppet"] = puppet.id
    try:
        from tests.fixtures.world import USERS

        USERS["puppet"] = ("safety", "Ann Teal", "Warden", ())
        client = site.as_user("puppet")
        accept_terms(client)
        [own] = sql("SELECT id FROM role_change")
        assert client.get(LIST).status_code == 403 and decide(client, own.id).status_code == 403
        # what they see instead
        home = client.get("/")
        assert home.status_code == 200 and "no role in this partnership yet" in home.text
        assert ROLES[Role.ADMINISTRATOR].label in home.text and client.get("/account").status_code == 200
    finally:
        del site.world.users["puppet"], USERS["puppet"]
    assert decide(spoc, own.id).status_code == 403
    assert sql("SELECT 1 FROM role_holding WHERE user_id = :id", id=puppet.id) == []
    assert decide(site.as_user(second), own.id).status_code == 303
    assert len(sql("SELECT 1 FROM role_holding WHERE user_id = :id", id=puppet.id)) == 1


def test_a_mixed_change_takes_away_at_once_and_asks_for_the_rest(site: Site, sql: Sql, second: str) -> None:
    officer = site.as_user("officer")
    answer = site.as_user("spoc").post(address(site, "officer"), {"roles": ["supervisor", "read_only"]})
    assert answer.status_code == 303 and officer.get("/account").status_code == 302
    assert roles_of(site, sql, "officer") == set()
    assert [row.role for row in sql("SELECT role FROM role_change ORDER BY role")] == [
        "read_only",
        "supervisor",
    ]
    # one notice of both, which leads to the list
    rows = sql("SELECT address FROM notification WHERE kind = 'role.asked'")
    assert [row.address for row in rows] == [LIST]
    account = site.as_user("spoc").get(f"/admin/users/{site.world.users['officer']}").text
    assert account.count("waits for a decision") == 2 and "None in this partnership" in account


@pytest.mark.parametrize(("reset", "by"), [("manager", "spoc"), ("spoc", "manager")])
def test_who_has_reset_the_other_and_may_be_signed_in_as_them_is_no_second(
    site: Site, sql: Sql, second: str, ask: Ask, give: Callable[..., None], reset: str, by: str
) -> None:
    give("auditor", "administrator")
    assert site.as_user(by).post(f"/admin/users/{site.world.users[reset]}/reset").status_code == 200
    sql("UPDATE app_user SET reset_at = NULL")
    change = ask("reader", "supervisor", also=("read_only",))
    client = site.as_user(second)
    page = client.get(f"{LIST}/{change}").text
    assert "a third administrator has to approve it" in page and "Approve the role" not in page
    refused = decide(client, change)
    assert refused.status_code == 409 and "a third administrator" in refused.text
    assert "supervisor" not in roles_of(site, sql, "reader")
    assert decide(site.as_user("auditor"), change).status_code == 303
    assert "supervisor" in roles_of(site, sql, "reader")
    # and such a one may still refuse
    change = ask("reader", "auditor", also=("read_only", "supervisor"))
    assert decide(client, change, "refuse").status_code == 303


def test_what_waits_is_not_asked_for_twice(site: Site, sql: Sql, second: str, ask: Ask) -> None:
    ask("reader", "supervisor", also=("read_only",))
    for user in ("spoc", second):
        again = site.as_user(user).post(address(site, "reader"), {"roles": ["read_only", "supervisor"]})
        assert again.status_code == 422 and "Supervisor waits for another administrator already" in again.text
    assert len(sql("SELECT 1 FROM role_change")) == 1


def test_who_asked_withdraws_and_nobody_else(site: Site, sql: Sql, second: str, ask: Ask) -> None:
    change = ask("reader", "supervisor", also=("read_only",))
    assert decide(site.as_user(second), change, "withdraw").status_code == 403
    assert decide(site.as_user("spoc"), change, "withdraw").status_code == 303
    late = decide(site.as_user(second), change)
    assert late.status_code == 409 and "decided already" in late.text
    assert roles_of(site, sql, "reader") == {"read_only"}
    [withdrawn] = facts(sql, "role.withdrawn")
    assert withdrawn["change"] == str(change)
    assert ask("reader", "supervisor", also=("read_only",)) != change


def test_what_was_refused_is_told_and_may_be_asked_for_again(
    site: Site, sql: Sql, second: str, ask: Ask
) -> None:
    change = ask("reader", "supervisor", also=("read_only",))
    assert decide(site.as_user(second), change, "refuse").status_code == 303
    assert told(sql, "role.refused") == ["reader", "spoc"] and told(sql, "role.granted") == []
    [refused] = facts(sql, "role.refused")
    assert refused["by"] == str(site.world.users[second])
    assert decide(site.as_user(second), change).status_code == 409
    assert roles_of(site, sql, "reader") == {"read_only"}
    assert ask("reader", "supervisor", also=("read_only",)) != change


def test_approving_twice_gives_once(site: Site, sql: Sql, second: str, ask: Ask) -> None:
    change, key = ask("reader", "supervisor", also=("read_only",)), str(uuid4())
    client = site.as_user(second)
    first, again = (decide(client, change, form_key=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (303, 303) and first.location == again.location
    assert decide(client, change).status_code == 409
    assert len(facts(sql, "role.granted")) == 1 and len(told(sql, "role.granted")) == 1


def test_of_two_who_decide_at_once_one_does(
    site: Site, sql: Sql, second: str, ask: Ask, give: Callable[..., None]
) -> None:
    give("auditor", "administrator")
    change = ask("reader", "supervisor", also=("read_only",))
    clients = {name: site.as_user(name) for name in (second, "auditor")}
    assert all(client.csrf for client in clients.values())
    together, answers = threading.Barrier(2), {}

    def click(name: str, act: str) -> None:
        together.wait()
        answers[name] = decide(clients[name], change, act).status_code

    threads = [
        threading.Thread(target=click, args=pair) for pair in ((second, "approve"), ("auditor", "refuse"))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers.values()) == [303, 409]
    [row] = sql("SELECT outcome FROM role_change")
    assert row.outcome == ("approved" if answers[second] == 303 else "refused")
    assert ("supervisor" in roles_of(site, sql, "reader")) == (row.outcome == "approved")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE role_change SET expires_at = now() - interval '1 second'", "Nobody decided it in 14 days"),
        (
            "UPDATE app_user SET disabled_at = now() WHERE email = 'reader@example.org'",
            "account of the person was closed",
        ),
        (
            "UPDATE app_user SET disabled_at = now() WHERE email = 'spoc@example.org'",
            "not an administrator here any more",
        ),
        (
            "UPDATE role_holding h SET ended_at = now() FROM app_user u WHERE u.id = h.user_id AND u.email = 'spoc@example.org'",
            "not an administrator here any more",
        ),
    ],
    ids=["ran-out", "person-closed", "asker-closed", "asker-no-administrator"],
)
def test_what_is_dead_is_decided_by_nobody_and_the_page_says_why(
    site: Site, sql: Sql, second: str, ask: Ask, change: str, words: str
) -> None:
    waiting = ask("reader", "supervisor", also=("read_only",))
    client = site.as_user(second)
    sql(change)
    for act in ("approve", "refuse", "withdraw"):
        refused = decide(client, waiting, act)
        assert refused.status_code == 409 and words in html.unescape(refused.text), act
    page = html.unescape(client.get(f"{LIST}/{waiting}").text)
    assert words in page and "Approve the role" not in page
    assert "supervisor" not in roles_of(site, sql, "reader")
    assert "1 waiting" not in client.get("/admin").text
    if words != "account of the person was closed":
        # it takes no room from another
        assert ask("reader", "supervisor", also=("read_only",), by=second) != waiting
        assert [row.outcome for row in sql("SELECT outcome FROM role_change ORDER BY id")] == ["lapsed", None]


def test_another_organisation_and_another_partnership_find_nothing(
    site: Site, sql: Sql, second: str, ask: Ask, give: Callable[..., None]
) -> None:
    change = ask("reader", "supervisor", also=("read_only",))
    give("sergeant_east", "administrator", "eastmere")
    give("east_officer", "administrator", "eastmere")
    # of the same organisation, but an administrator in the other partnership only
    sql(
        "UPDATE app_user SET organisation_id = :council WHERE email = 'east_officer@example.org'",
        council=site.world.organisations["council"],
    )
    for user in ("police_spoc", "sergeant_east", "east_officer"):
        client = site.as_user(user)
        assert client.get(f"{LIST}/{change}").status_code == 404
        assert "Petra Sand" not in client.get(LIST).text
        for act in ("approve", "refuse", "withdraw"):
            assert decide(client, change, act).status_code == 404, (user, act)
    assert roles_of(site, sql, "reader") == {"read_only"}
    for user in ("officer", "auditor"):
        assert decide(site.as_user(user), change).status_code == 403


def test_deciding_asks_who_it_is_again(site: Site, sql: Sql, second: str, ask: Ask) -> None:
    change = ask("reader", "supervisor", also=("read_only",))
    clients = {
        "approve": site.as_user(second),
        "refuse": site.as_user(second),
        "withdraw": site.as_user("spoc"),
    }
    assert all(client.csrf for client in clients.values())
    sql("UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    for act, client in clients.items():
        assert decide(client, change, act).location.startswith("/session/confirm"), act
    assert [row.outcome for row in sql("SELECT outcome FROM role_change")] == [None]


def test_the_list_is_paged_with_what_waits_first_and_the_old_left_out(
    site: Site, sql: Sql, second: str, ask: Ask
) -> None:
    ask("reader", "supervisor", also=("read_only",))
    copy = (
        "INSERT INTO role_change SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(),"
        " 'outcome', 'refused', 'decided_by', CAST(:by AS text), 'decided_at', now() - make_interval(days => :ago))))"
        ".* FROM role_change c, generate_series(1, :n) WHERE c.outcome IS NULL"
    )
    by = str(site.world.users[second])
    sql(copy, by=by, ago=10, n=60)
    sql(copy, by=by, ago=91, n=3)
    client = site.as_user(second)
    first = client.get(LIST).text
    assert first.count(f'href="{LIST}/') == 50 and first.index("Waiting</strong>") < first.index(
        "Refused</strong>"
    )
    following = html.unescape(first).partition("?after=")[2].partition('"')[0]
    rest = client.get(f"{LIST}?after={following}").text
    assert rest.count(f'href="{LIST}/') == 11 and "Waiting</strong>" not in rest
    refuses_strange_cursors(client, LIST, by_name=True)


def test_the_first_page_takes_as_many_queries_however_many_wait(
    site: Site, sql: Sql, second: str, ask: Ask, count_queries: Any
) -> None:
    client = site.as_user(second)
    client.get("/admin")
    with count_queries() as before:
        client.get("/admin")
    for user in ("reader", "officer", "housing_officer"):
        ask(user, "auditor", also=())
    with count_queries() as after:
        assert "3 waiting" in client.get("/admin").text
    assert after.count == before.count
