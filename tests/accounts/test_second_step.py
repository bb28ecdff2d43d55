"""The second step: each code once and only upwards, tries bounded, bound to the browser that gave the password."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.accounts import ceremonies, codes, cookies, throttle
from hub.accounts.models import User
from hub.extensions import db
from tests.fixtures.door import (
    PASSWORD,
    code_of,
    give_password,
    next_code,
    offered,
    secret_of,
    set_up_door,
    sign_in,
)
from tests.fixtures.site import Client, Site

Sql = Callable[..., list[Any]]
SESSIONS = "SELECT count(*) FROM user_session WHERE kind = 'web' AND method <> 'operator'"


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


def halfway(site: Site, user: str = "officer", **options: Any) -> Client:
    """A browser that has given the password."""
    client = site.visitor()
    answer = give_password(client, user, **options)
    assert answer.status_code == 303, answer.text[:1000]
    return client


def code(client: Client, text: str) -> int:
    return client.post("/sign-in/code", {"code": text}).status_code


def test_a_right_password_alone_begins_no_session(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    client = halfway(site)
    for path in ("/account", "/cases", "/account/authenticator", "/session/confirm"):
        assert client.get(path).location.startswith("/sign-in"), path
    assert sql(SESSIONS)[0][0] == 0


def test_a_code_is_taken_once_and_never_one_older_than_the_last(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 100)
    set_up_door(site, "officer")
    secret = secret_of(site, "officer")
    now = code_of(secret)
    assert code(halfway(site), now) == 303
    second = halfway(site)
    assert code(second, now) == 422
    assert code(second, code_of(secret, -1)) == 422
    # the next one, of a clock that is ahead by some seconds, is new; after it the present one is old
    assert code(second, code_of(secret, 1)) == 303
    third = halfway(site)
    assert code(third, now) == 422 and code(third, code_of(secret, 1)) == 422


def test_a_code_fits_one_step_around_now_and_no_further(app: object) -> None:
    secret = pyotp.random_base32()
    for away, fits in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        assert (codes.step_of(secret, code_of(secret, away)) is not None) is fits, away
    now = code_of(secret)
    assert codes.step_of(secret, f" {now[:3]} {now[3:]} ") and codes.step_of(secret, f"{now[:3]}-{now[3:]}")
    arabic = now.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    for text in ("", "12345", now + "1", "abcdef", arabic, "\0" * 6, "é" * 6, "9" * 100_000):
        assert codes.step_of(secret, text) is None


def test_of_two_that_give_the_same_code_at_once_one_comes_in(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    two = [halfway(site), halfway(site)]
    assert all(client.csrf for client in two)
    now, gate = code_of(secret_of(site, "officer")), Barrier(2)

    def give(client: Client) -> int:
        gate.wait()
        return code(client, now)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(give, two)) == [303, 422]
    assert sql(SESSIONS)[0][0] == 1


def test_after_five_wrong_codes_it_begins_anew_with_the_password(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 100)
    set_up_door(site, "officer")
    client = halfway(site)
    assert [code(client, "000000") for _ in range(ceremonies.MOST_TRIES)] == [422] * 5
    answer = client.post("/sign-in/code", {"code": next_code(site, "officer")})
    assert answer.location == "/sign-in?over=1"
    assert "Start again" in client.get(answer.location).text
    assert client.get("/account").status_code == 302


def test_codes_are_bounded_by_account_over_all_browsers_before_any_is_computed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_door(site, "officer", "sergeant")
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 100)
    first, second = halfway(site), halfway(site)
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 5)
    asked: list[str] = []
    real = codes.step_of

    def seen(secret: str, text: str) -> int | None:
        asked.append(text)
        return real(secret, text)

    monkeypatch.setattr(codes, "step_of", seen)
    assert [code(first, "000000") for _ in range(3)] == [422] * 3
    assert [code(second, "000000") for _ in range(4)] == [422, 422, 429, 429]
    assert len(asked) == 5
    # nobody else is kept out by it
    assert code(halfway(site, "sergeant"), next_code(site, "sergeant")) == 303


def test_codes_are_bounded_by_day(site: Site, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 100)
    monkeypatch.setattr(throttle, "CODES_A_DAY", 3)
    set_up_door(site, "officer")
    client = halfway(site)
    assert [code(client, "000000") for _ in range(4)] == [422, 422, 422, 429]
    # the minute's count has run out; the day's has not
    sql("UPDATE throttle SET expires_at = now() WHERE expires_at < now() + interval '2 minutes'")
    answer = client.post("/sign-in/code", {"code": next_code(site, "officer")})
    assert answer.status_code == 429 and "administrator (SPOC)" in answer.text


def test_what_one_browser_began_no_other_finishes(site: Site) -> None:
    set_up_door(site, "officer", "sergeant")
    halfway(site)
    other = halfway(site, "sergeant")
    assert code(other, next_code(site, "officer")) == 422
    stranger = site.visitor()
    answer = stranger.post("/sign-in/code", {"code": next_code(site, "officer")})
    assert answer.location == "/sign-in?over=1"
    for token in ("x" * 43, "", "é\udcff"):
        if token:
            stranger.http.set_cookie(cookies.STEP, token.encode("utf-8", "replace").decode(), secure=True)
        assert stranger.get("/sign-in/set-up").location == "/sign-in?over=1"
        assert stranger.get("/sign-in/code").location == "/sign-in?over=1"


def test_a_step_taken_is_over_and_so_is_one_that_waited_too_long(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    client = halfway(site)
    token = client.http.get_cookie(cookies.STEP)
    assert token is not None
    assert code(client, next_code(site, "officer")) == 303
    assert client.http.get_cookie(cookies.STEP) is None
    thief = site.visitor()
    thief.http.set_cookie(cookies.STEP, token.value, secure=True)
    assert thief.post("/sign-in/code", {"code": next_code(site, "officer")}).location == "/sign-in?over=1"
    late = halfway(site)
    left = sql("SELECT extract(epoch FROM expires_at - created_at) FROM ceremony")
    assert [row[0] for row in left] == [300]
    sql("UPDATE ceremony SET expires_at = now() - interval '1 second'")
    assert late.post("/sign-in/code", {"code": next_code(site, "officer")}).location == "/sign-in?over=1"
    assert late.get("/account").status_code == 302


def test_the_page_that_was_asked_for_comes_after_the_code(site: Site) -> None:
    set_up_door(site, "officer")
    client = site.visitor()
    give_password(client, "officer", form={"next": "/cases/new"})
    assert client.post("/sign-in/code", {"code": next_code(site, "officer")}).location == "/cases/new"


def test_an_account_closed_or_reset_between_the_steps_stays_out(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    client = halfway(site)
    sql("UPDATE app_user SET disabled_at = now(), disabled_why = 'left' WHERE email = 'officer@example.org'")
    answer = client.post("/sign-in/code", {"code": next_code(site, "officer")})
    assert answer.status_code == 422 and "code is not right" in answer.text
    sql(
        "UPDATE app_user SET disabled_at = NULL, disabled_why = NULL, reset_at = now() WHERE email = 'officer@example.org'"
    )
    answer = client.post("/sign-in/code", {"code": next_code(site, "officer")})
    assert answer.status_code == 422 and "code is not right" in answer.text


def test_who_has_no_app_sets_one_up_before_the_first_page(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer", app=False)
    client = site.visitor()
    assert give_password(client, "officer").location == "/sign-in/set-up"
    assert client.get("/account").status_code == 302
    assert client.get("/sign-in/code").location == "/sign-in?over=1"
    page = client.get("/sign-in/set-up")
    secret = offered(page.text)
    assert "data:image/svg+xml" in page.text and "otpauth://totp/" in page.text
    assert offered(client.get("/sign-in/set-up").text) == secret  # the same each time
    assert client.post("/sign-in/set-up", {"code": "000000"}).status_code == 422
    assert sql("SELECT 1 FROM app_user WHERE totp_sealed IS NOT NULL") == []
    now = code_of(secret)
    assert client.post("/sign-in/set-up", {"code": now}).status_code == 303
    assert client.get("/account").status_code == 200
    # the code that set it up is used, and the secret lies nowhere in the database
    again = halfway(site)
    assert code(again, now) == 422
    row = sql("SELECT row_to_json(u)::text, totp_sealed FROM app_user u WHERE totp_sealed IS NOT NULL")[0]
    assert secret not in row[0] and secret.encode() not in bytes(row[1])
    assert sql("SELECT count(*) FROM audit.event WHERE act = 'user.app_set'")[0][0] == 1
    assert sql("SELECT count(*) FROM outbox_message WHERE kind = 'user.app_set'")[0][0] == 1


def test_of_two_who_set_up_an_app_with_one_password_the_second_is_too_late(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer", app=False)
    owner, thief = halfway(site), halfway(site)
    theirs = offered(thief.get("/sign-in/set-up").text)
    own = offered(owner.get("/sign-in/set-up").text)
    assert own != theirs
    sealed = "SELECT totp_sealed FROM app_user WHERE totp_sealed IS NOT NULL"
    assert owner.post("/sign-in/set-up", {"code": code_of(own)}).status_code == 303
    before = sql(sealed)
    assert thief.post("/sign-in/set-up", {"code": code_of(theirs)}).location == "/sign-in?over=1"
    assert sql(sealed) == before and thief.get("/account").status_code == 302


def test_the_secret_opens_only_as_this_users(site: Site, sql: Sql) -> None:
    """Whoever can write the database can't put the own app's secret into somebody else's row."""
    set_up_door(site, "officer", "sergeant")
    sql("UPDATE app_user o SET totp_sealed = s.totp_sealed, totp_key_id = s.totp_key_id FROM app_user s"
        " WHERE o.email = 'officer@example.org' AND s.email = 'sergeant@example.org'")  # fmt: skip
    answer = halfway(site).post("/sign-in/code", {"code": code_of(secret_of(site, "sergeant"))})
    assert answer.status_code == 422


def test_a_session_is_never_of_a_password_alone(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    sign_in(site.visitor(), site, "officer")
    methods = sql("SELECT DISTINCT method FROM user_session WHERE kind = 'web' AND method <> 'operator'")
    assert [row[0] for row in methods] == ["password_and_code"]


def test_a_hash_that_costs_less_than_todays_is_made_anew_at_sign_in(site: Site, sql: Sql) -> None:
    from hub.crypto.passwords import Cost, hash_password

    set_up_door(site, "officer")
    with site.inside():
        enter(db.session(), NOBODY)
        user = db.session.get_one(User, site.world.users["officer"])
        user.password_hash = hash_password(PASSWORD, cost=Cost(memory_kib=19_456, passes=2))
        db.session.commit()
    halfway(site)
    stored = sql("SELECT password_hash FROM app_user WHERE email = 'officer@example.org'")[0][0]
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert halfway(site)
