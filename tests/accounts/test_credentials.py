"""What somebody signed in proves again, and changes about the own ways in."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from hub.accounts import cookies, throttle
from hub.web.identity import COOKIE
from tests.accounts.test_sessions import cookie_of, is_in, signed_in
from tests.fixtures.door import PASSWORD, code_of, give_password, next_code, offered, secret_of, set_up_door
from tests.fixtures.site import Client, Site

NEW = "gondola drizzle turnip"
STALE = "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'"
Sql = Callable[..., list[Any]]


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


@pytest.fixture
def officer(site: Site) -> Client:
    set_up_door(site, "officer")
    return signed_in(site, "officer")


def test_confirming_asks_for_the_password_and_the_code(site: Site, officer: Client, sql: Sql) -> None:
    before = cookie_of(officer)
    sql(STALE)
    right = {"password": PASSWORD, "next": "/account/password"}
    assert officer.get("/account/password").location == "/session/confirm?next=/account/password"
    answers = [
        officer.post("/session/confirm", {**right, "code": ""}),
        officer.post("/session/confirm", {**right, "code": "000000"}),
        officer.post("/session/confirm", {**right, "password": "x", "code": next_code(site, "officer")}),
    ]
    # which of the two was wrong is not said
    assert {answer.status_code for answer in answers} == {422}
    assert len({answer.text.count("The password or the code is not right") for answer in answers}) == 1
    assert cookie_of(officer) == before
    # a code that came with a wrong password is not used up
    answer = officer.post("/session/confirm", {**right, "code": code_of(secret_of(site, "officer"))})
    assert answer.location == "/account/password" and cookie_of(officer) != before
    assert officer.get("/account/password").status_code == 200


def test_a_code_that_signed_in_confirms_nothing(site: Site) -> None:
    set_up_door(site, "officer")
    client = site.visitor()
    now = next_code(site, "officer")
    give_password(client, "officer")
    assert client.post("/sign-in/code", {"code": now}).status_code == 303
    client._csrf = None
    assert client.post("/session/confirm", {"password": PASSWORD, "code": now}).status_code == 422


def test_a_new_password_needs_the_old_one_ends_other_sessions_and_is_told_of(
    site: Site, officer: Client, sql: Sql
) -> None:
    other, before = signed_in(site, "officer"), cookie_of(officer)
    half = site.visitor()
    give_password(half, "officer")
    for form, words in (
        ({"old": "x", "password": NEW, "again": NEW}, "present password is not right"),
        ({"old": PASSWORD, "password": "short", "again": "short"}, "between 15 and 128"),
        ({"old": PASSWORD, "password": "amara okafor 1984", "again": "x"}, "easy to guess"),
        ({"old": PASSWORD, "password": NEW, "again": NEW + "x"}, "must be the same"),
    ):
        answer = officer.post("/account/password", form)
        assert answer.status_code == 422 and words in answer.text and NEW not in answer.text
    assert is_in(other)
    assert (
        officer.post("/account/password", {"old": PASSWORD, "password": NEW, "again": NEW}).status_code == 303
    )
    assert is_in(officer) and not is_in(other) and cookie_of(officer) != before
    thief = site.visitor()
    thief.http.set_cookie(COOKIE, before, secure=True)
    assert not is_in(thief)
    # what the old password had begun is over
    assert half.post("/sign-in/code", {"code": next_code(site, "officer")}).location == "/sign-in?over=1"
    assert give_password(site.visitor(), "officer").status_code == 422
    assert give_password(site.visitor(), "officer", NEW).status_code == 303
    assert sql("SELECT count(*) FROM audit.event WHERE act = 'user.password_changed'")[0][0] == 1
    assert sql("SELECT count(*) FROM outbox_message WHERE kind = 'user.password_changed'")[0][0] == 1
    assert "password of your account was changed" in officer.get("/notifications").text


def test_the_same_password_again_is_no_change(officer: Client) -> None:
    same = {"old": PASSWORD, "password": PASSWORD, "again": PASSWORD}
    answer = officer.post("/account/password", same)
    assert answer.status_code == 422 and "another than the present one" in answer.text


def test_the_old_password_is_not_guessed_at_from_a_session(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 3)
    wrong = {"old": "x", "password": NEW, "again": NEW}
    answers = [officer.post("/account/password", wrong).status_code for _ in range(5)]
    assert answers == [422, 422, 422, 429, 429]


def test_another_app_takes_over_when_its_code_is_right_and_not_before(
    site: Site, officer: Client, sql: Sql
) -> None:
    other, before = signed_in(site, "officer"), cookie_of(officer)
    assert "Start" in officer.get("/account/authenticator").text
    assert officer.post("/account/authenticator/start").location == "/account/authenticator"
    secret = offered(officer.get("/account/authenticator").text)
    assert secret != secret_of(site, "officer")
    wrong = officer.post("/account/authenticator", {"code": next_code(site, "officer")})
    assert wrong.status_code == 422 and offered(wrong.text) == secret
    assert is_in(other)
    # the old one still works
    third = signed_in(site, "officer")
    assert is_in(third)
    assert officer.post("/account/authenticator", {"code": code_of(secret)}).location == "/account"
    assert is_in(officer) and not is_in(other) and not is_in(third) and cookie_of(officer) != before
    client = site.visitor()
    give_password(client, "officer")
    assert client.post("/sign-in/code", {"code": next_code(site, "officer")}).status_code == 422
    assert client.post("/sign-in/code", {"code": code_of(secret)}).status_code == 303
    assert sql("SELECT count(*) FROM audit.event WHERE act = 'user.app_set'")[0][0] == 1
    assert sql("SELECT count(*) FROM outbox_message WHERE kind = 'user.app_set'")[0][0] == 1


def test_another_app_belongs_to_the_session_that_began_it(site: Site, officer: Client) -> None:
    other = signed_in(site, "officer")
    officer.post("/account/authenticator/start")
    token = officer.http.get_cookie(cookies.STEP)
    assert token is not None
    secret = offered(officer.get("/account/authenticator").text)
    other.http.set_cookie(cookies.STEP, token.value, secure=True)
    assert "Start" in other.get("/account/authenticator").text
    answer = other.post("/account/authenticator", {"code": code_of(secret)})
    assert answer.status_code == 422 and "Start again" in answer.text
    # nor does it sign anybody in
    stranger = site.visitor()
    stranger.http.set_cookie(cookies.STEP, token.value, secure=True)
    for path in ("/sign-in/code", "/sign-in/set-up"):
        assert stranger.post(path, {"code": code_of(secret)}).location == "/sign-in?over=1"


def test_what_is_typed_here_is_never_kept_as_a_draft(officer: Client, sql: Sql, site: Site) -> None:
    sql(STALE)
    secrets = {"old": PASSWORD, "password": NEW, "again": NEW, "code": "123456", "draft_key": "cases.new"}
    assert officer.post("/account/password", secrets).location.startswith("/session/confirm")
    form = {"password": PASSWORD, "code": next_code(site, "officer"), "next": "/cases/new"}
    assert officer.post("/session/confirm", form).status_code == 303
    from hub.access.guard import enter
    from hub.extensions import db
    from hub.web import drafts
    from tests.fixtures.world import act_as

    with site.inside():
        actor = act_as(site.world, "officer")
        enter(db.session(), actor)
        assert drafts.find(actor, "cases.new") == {}
