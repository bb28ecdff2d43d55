"""Sessions: recognised by the token alone, idle and absolute ends, a new token at each step up, ended at once."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from hub.access.actor import RequestFacts
from hub.accounts import sessions
from hub.extensions import db
from hub.web.identity import COOKIE
from tests.fixtures.door import PASSWORD, give_password, next_code, set_up_door, sign_in
from tests.fixtures.site import Client, Site
from tests.fixtures.world import World, act_as

NEW = "four words nobody knows"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
Sql = Callable[..., list[Any]]


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


def signed_in(site: Site, user: str, **options: Any) -> Client:
    """As a browser does it: the session is one of the web."""
    client = site.visitor()
    answer = sign_in(client, site, user, headers={"User-Agent": FIREFOX}, **options)
    assert answer.status_code == 303, answer.text[:2000]
    return client


def cookie_of(client: Client) -> str:
    found = client.http.get_cookie(COOKIE)
    assert found is not None
    return str(found.value)


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def test_a_token_is_recognised_until_it_is_ended(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    visit = sessions.identify(actor.token, RequestFacts(), False)
    assert visit is not None and visit.actor is not None and visit.actor.name == "Amara Okafor"
    sessions.end(visit.session_id)
    db.session.commit()
    again = sessions.identify(actor.token, RequestFacts(), False)
    assert again is None
    assert sessions.identify("not-a-token", RequestFacts(), False) is None


def test_a_session_ends_by_idling_and_by_age_and_nothing_that_runs_by_itself_extends_it(
    site: Site, sql: Sql
) -> None:
    set_up_door(site, "officer", "spoc", "auditor")
    # those by which the world was built
    sql("DELETE FROM user_session")
    minutes = (
        "SELECT round(extract(epoch FROM expires_at - now()) / 60) FROM user_session ORDER BY created_at"
    )
    officer, spoc, auditor = (signed_in(site, user) for user in ("officer", "spoc", "auditor"))
    assert [row[0] for row in sql(f"{minutes} DESC LIMIT 3")] == [10, 10, 15]
    assert officer.csrf
    sql("UPDATE user_session SET last_seen_at = now() - interval '9 minutes',"
        " expires_at = now() + interval '1 minute' WHERE kind = 'web'")  # fmt: skip
    # what a page does by itself, health and reports leave it as it is
    assert officer.post("/drafts/cases.new", {"title": "x"}, headers={"X-By-Itself": "1"}).status_code == 200
    assert officer.get("/health").status_code in (200, 503)
    assert officer.http.post("/policy-reports", data=b"{}").status_code == 204
    short = (
        "SELECT count(*) FROM user_session WHERE kind = 'web' AND expires_at < now() + interval '2 minutes'"
    )
    assert sql(short)[0][0] == 3
    # and what a person does extends it, each by their own time
    assert officer.post("/drafts/cases.new", {"title": "xy"}).status_code == 200
    assert is_in(spoc) and is_in(auditor)
    ends = "SELECT round(extract(epoch FROM expires_at - now()) / 60) FROM user_session WHERE kind = 'web' ORDER BY 1"
    assert [row[0] for row in sql(ends)] == [10, 10, 15]
    # ten hours after signing in it is over, whatever was done meanwhile
    sql("UPDATE user_session SET created_at = now() - interval '9 hours 58 minutes',"
        " last_seen_at = now() - interval '1 minute' WHERE kind = 'web'")  # fmt: skip
    assert is_in(officer)
    assert sql(ends)[0][0] == 2
    sql("UPDATE user_session SET expires_at = now() - interval '1 second' WHERE kind = 'web'")
    assert not is_in(officer) and not is_in(spoc)


def test_each_step_up_gives_a_new_token_and_the_old_one_is_worth_nothing(site: Site, sql: Sql) -> None:
    set_up_door(site, "spoc")
    spoc = signed_in(site, "spoc")
    before, token_of_forms = cookie_of(spoc), spoc.csrf
    ended = sql("SELECT expires_at, created_at FROM user_session WHERE kind = 'web'")
    form = {"password": PASSWORD, "code": next_code(site, "spoc"), "next": "/admin"}
    answer = spoc.post("/session/confirm", form)
    assert answer.status_code == 303 and answer.location == "/admin"
    after = cookie_of(spoc)
    assert after != before and is_in(spoc)
    thief = site.visitor()
    thief.http.set_cookie(COOKIE, before, secure=True)
    assert not is_in(thief)
    # the forms that are open in other tabs are still its own, and it does not live longer for it
    spoc._csrf = None
    assert spoc.csrf == token_of_forms
    assert sql("SELECT expires_at, created_at FROM user_session WHERE kind = 'web'") == ended
    wrong = spoc.post("/session/confirm", {"password": "wrong"})
    assert wrong.status_code == 422 and cookie_of(spoc) == after


def test_a_change_of_roles_or_password_a_reset_and_an_administrator_end_every_session_at_once(
    site: Site, world: World, sql: Sql
) -> None:
    set_up_door(site, "spoc", "officer")
    spoc, officer = site.as_user("spoc"), signed_in(site, "officer")
    user = world.users["officer"]
    assert is_in(officer)
    answer = spoc.post(f"/admin/users/{user}/roles", {"roles": ["read_only"]})
    assert answer.status_code == 303 and not is_in(officer)
    again = signed_in(site, "officer")
    assert again.get("/cases/new").status_code == 403
    assert spoc.post(f"/admin/users/{user}/sessions/end").status_code == 303 and not is_in(again)
    third = signed_in(site, "officer")
    assert (
        third.post("/account/password", {"old": PASSWORD, "password": NEW, "again": NEW}).status_code == 303
    )
    fourth = site.visitor()
    assert give_password(fourth, "officer", NEW).location == "/sign-in/code"
    assert fourth.post("/sign-in/code", {"code": next_code(site, "officer")}).status_code == 303
    assert is_in(third) and is_in(fourth)
    assert (
        third.post("/account/password", {"old": NEW, "password": PASSWORD, "again": PASSWORD}).status_code
        == 303
    )
    assert is_in(third) and not is_in(fourth)
    assert spoc.post(f"/admin/users/{user}/reset").status_code == 200 and not is_in(third)
    whys = sql("SELECT convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'why' FROM audit.event"
               " WHERE act = 'session.revoked' ORDER BY at")  # fmt: skip
    assert [row[0] for row in whys] == ["role", "administrator", "password", "reset"]
    acts = sql("SELECT act FROM audit.event WHERE act LIKE 'role.%' ORDER BY act")
    assert [row[0] for row in acts][-2:] == ["role.ended", "role.granted"]


def test_nobody_changes_their_own_roles_or_those_of_another_organisation(site: Site, world: World) -> None:
    spoc = site.as_user("spoc")
    own, foreign = world.users["spoc"], world.users["sergeant"]
    assert spoc.post(f"/admin/users/{own}/roles", {"roles": ["auditor"]}).status_code == 409
    assert spoc.post(f"/admin/users/{foreign}/roles", {"roles": ["auditor"]}).status_code == 404
    assert spoc.post(f"/admin/users/{foreign}/sessions/end").status_code == 404
    wrong = spoc.post(f"/admin/users/{world.users['officer']}/roles", {"roles": ["king"]})
    assert wrong.status_code == 422 and "Choose at least one role" in wrong.text
    assert site.as_user("officer").post(f"/admin/users/{own}/roles").status_code == 403


def test_a_user_sees_the_own_sessions_and_ends_one_or_all_others(site: Site, world: World, sql: Sql) -> None:
    set_up_door(site, "officer", "sergeant")
    here = signed_in(site, "officer", environ_overrides={"REMOTE_ADDR": "192.0.2.77"})
    there = signed_in(site, "officer", environ_overrides={"REMOTE_ADDR": "2001:db8:1:2::3"})
    third, other = signed_in(site, "officer"), signed_in(site, "sergeant")
    page = here.get("/account/sessions").text
    assert page.count("Firefox on Linux") >= 3 and "(this one)" in page
    assert "192.0.2.0/24" in page and "2001:db8:1::/48" in page and "192.0.2.77" not in page
    ids = sql("SELECT id, network FROM user_session WHERE user_id = :u AND kind = 'web' ORDER BY created_at",
              u=world.users["officer"])  # fmt: skip
    foreign = sql(
        "SELECT id FROM user_session WHERE user_id = :u AND kind = 'web'", u=world.users["sergeant"]
    )
    assert here.post(f"/account/sessions/{foreign[0].id}/end").status_code == 404 and is_in(other)
    assert here.post(f"/account/sessions/{ids[1].id}/end").status_code == 303
    assert is_in(here) and not is_in(there) and is_in(third)
    assert here.post("/account/sessions/end-others").status_code == 303
    assert is_in(here) and not is_in(third) and is_in(other)
    # one's own is a signing out
    last = here.post(f"/account/sessions/{ids[0].id}/end")
    assert last.location == "/sign-in" and "storage" in last.headers["Clear-Site-Data"] and not is_in(here)
    raw = sql("SELECT count(*) FROM user_session WHERE device LIKE '%Mozilla%' OR network LIKE '%.77%'")
    assert raw[0][0] == 0


def test_a_new_device_and_a_new_password_are_told_of_and_a_known_device_is_not(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    told = "SELECT count(*) FROM notification n JOIN outbox_message o ON o.user_id = n.user_id AND o.kind = n.kind WHERE n.kind = :k"
    first = signed_in(site, "officer")
    assert sql(told, k="session.started")[0][0] == 0  # there is nothing to compare the first time with
    assert first.post("/sign-out").status_code == 303
    first._csrf = None
    assert sign_in(first, site, "officer").status_code == 303
    assert sql(told, k="session.started")[0][0] == 0
    elsewhere = signed_in(site, "officer")
    assert sql(told, k="session.started")[0][0] == 1
    assert "new to your account" in elsewhere.get("/notifications").text
    body = sql("SELECT body FROM outbox_message")[0].body
    assert "Firefox" not in body and "127.0.0.1" in body.split("Sign in to read it: ")[1]


def test_no_cookie_goes_anywhere_else_and_the_database_holds_no_usable_id(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    client = site.visitor()
    half = give_password(client, "officer")
    answer = client.post("/sign-in/code", {"code": next_code(site, "officer")})
    both = [*half.headers, *answer.headers]
    cookies = [value for name, value in both if name == "Set-Cookie"]
    assert len(cookies) >= 2
    for cookie in cookies:
        assert cookie.startswith("__Host-") and len(cookie) <= 4096
        assert "; Secure" in cookie and "; HttpOnly" in cookie and "; SameSite=Lax" in cookie
        assert "; Path=/" in cookie and "Domain" not in cookie
    token = cookie_of(client)
    assert len(token) == 43  # 256 bits
    rows = sql("SELECT row_to_json(s)::text FROM user_session s")
    assert rows and not any(token in row[0] or token.encode().hex() in row[0] for row in rows)
