"""A lost password or phone: an administrator starts, the user finishes, and nobody else ever has a secret."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.accounts import throttle
from hub.core.errors import Conflict
from hub.crypto import passwords
from tests.accounts.test_sessions import is_in, signed_in
from tests.fixtures.door import PASSWORD, code_of, give_password, next_code, offered, set_up_door
from tests.fixtures.site import Client, Site

NEW = "gondola drizzle turnip"
Sql = Callable[..., list[Any]]


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


def reset(site: Site, spoc: Client, user: str) -> str:
    """The path of the link."""
    answer = spoc.post(f"/admin/users/{site.world.users[user]}/reset")
    assert answer.status_code == 200, answer.text[:2000]
    found = re.search(r"http://127\.0\.0\.1:8480(/enrol/[\w-]+)", html.unescape(answer.text))
    assert found
    return found.group(1)


def test_who_lost_the_phone_is_in_again_within_minutes(site: Site, sql: Sql) -> None:
    """The whole walk of FEATURES 111: the call, the reset, the link, a password, an app, the first page."""
    begun = time.monotonic()
    set_up_door(site, "officer")
    officer, spoc = signed_in(site, "officer"), site.as_user("spoc")
    page = spoc.get(f"/admin/users/{site.world.users['officer']}").text
    assert "Lost password or phone" in page
    link = reset(site, spoc, "officer")
    assert not is_in(officer)
    # the old way in is closed at once
    assert give_password(site.visitor(), "officer").status_code == 422
    assert "not set up anew yet" in spoc.get(f"/admin/users/{site.world.users['officer']}").text
    fresh = site.visitor()
    assert fresh.get(link).status_code == 200
    assert fresh.post(link, {"password": NEW, "again": NEW}).location == "/sign-in/set-up"
    assert not is_in(fresh)
    secret = offered(fresh.get("/sign-in/set-up").text)
    assert fresh.post("/sign-in/set-up", {"code": code_of(secret)}).status_code == 303
    assert is_in(fresh)
    assert time.monotonic() - begun < 120  # of the ten minutes, what the hub itself takes
    # the new way is the only one
    assert give_password(site.visitor(), "officer").status_code == 422
    client = site.visitor()
    give_password(client, "officer", NEW)
    assert client.post("/sign-in/code", {"code": next_code(site, "officer")}).status_code == 422
    assert client.post("/sign-in/code", {"code": code_of(secret, 1)}).status_code == 303
    assert "not set up anew yet" not in spoc.get(f"/admin/users/{site.world.users['officer']}").text
    acts = [row[0] for row in sql("SELECT act FROM audit.event WHERE act LIKE 'user.%' ORDER BY at")]
    assert [act for act in acts if act != "user.opened"] == ["user.reset", "user.enrolled", "user.app_set"]
    told = sql("SELECT kind FROM outbox_message WHERE to_address = 'officer@example.org' ORDER BY id")
    assert {"user.reset", "user.enrolled", "user.app_set"} <= {row[0] for row in told}


def test_the_link_works_once_for_an_hour_and_a_new_one_ends_it(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    spoc = site.as_user("spoc")
    first = reset(site, spoc, "officer")
    second = reset(site, spoc, "officer")
    assert site.visitor().get(first).status_code == 403
    left = sql("SELECT extract(epoch FROM enrolment_expires_at - now()) FROM app_user"
               " WHERE enrolment_hash IS NOT NULL AND reset_at IS NOT NULL")  # fmt: skip
    assert len(left) == 1 and 3500 < left[0][0] <= 3600
    visitor = site.visitor()
    assert visitor.post(second, {"password": NEW, "again": NEW}).location == "/sign-in/set-up"
    # whoever is interrupted before the app begins again by the same link, and by no other way
    assert give_password(site.visitor(), "officer", NEW).status_code == 422
    again = site.visitor()
    assert again.post(second, {"password": NEW + "s", "again": NEW + "s"}).location == "/sign-in/set-up"
    secret = offered(again.get("/sign-in/set-up").text)
    assert again.post("/sign-in/set-up", {"code": code_of(secret)}).status_code == 303
    assert site.visitor().get(second).status_code == 403
    assert sql("SELECT 1 FROM app_user WHERE enrolment_hash IS NOT NULL OR reset_at IS NOT NULL") == []
    # nor does what the first of the two had begun
    theirs = visitor.get("/sign-in/set-up")
    assert theirs.location == "/sign-in?over=1"
    third = reset(site, spoc, "officer")
    sql("UPDATE app_user SET enrolment_expires_at = now() - interval '1 second'")
    late = site.visitor().post(third, {"password": NEW, "again": NEW})
    assert late.status_code == 403 and "too old" in late.text


def test_a_proof_that_was_begun_before_the_reset_is_over(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer", app=False)
    thief = site.visitor()
    assert give_password(thief, "officer").location == "/sign-in/set-up"
    secret = offered(thief.get("/sign-in/set-up").text)
    kept = "INSERT INTO ceremony SELECT (jsonb_populate_record(c, '{}')).* FROM kept c"
    sql("CREATE TABLE kept AS SELECT * FROM ceremony")
    reset(site, site.as_user("spoc"), "officer")
    assert thief.post("/sign-in/set-up", {"code": code_of(secret)}).location == "/sign-in?over=1"
    # even were its row still there, as of one that was being finished at that moment
    sql(kept)
    assert thief.post("/sign-in/set-up", {"code": code_of(secret)}).location == "/sign-in?over=1"
    assert sql("SELECT 1 FROM app_user WHERE totp_sealed IS NOT NULL") == []


@pytest.mark.parametrize(
    "change",
    [
        "reset_at = now()",
        "disabled_at = now(), disabled_why = 'left'",
        "password_hash = 'x'",
    ],
    ids=["reset", "closed", "another-password"],
)
def test_what_happens_while_a_password_is_hashed_counts(
    site: Site, sql: Sql, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    set_up_door(site, "officer", app=False)
    real = passwords.verify_strangers_password

    def slowly(stored: str | None, given: str) -> bool:
        sql(f"UPDATE app_user SET {change} WHERE email = 'officer@example.org'")
        return real(stored, given)

    monkeypatch.setattr(passwords, "verify_strangers_password", slowly)
    assert give_password(site.visitor(), "officer").status_code == 422
    assert sql("SELECT 1 FROM ceremony") == []


def test_nobody_resets_their_own_account_or_one_of_another_organisation_or_a_closed_one(
    site: Site, sql: Sql
) -> None:
    spoc, users = site.as_user("spoc"), site.world.users
    assert spoc.post(f"/admin/users/{users['spoc']}/reset").status_code == 409
    assert "Lost password or phone" not in spoc.get(f"/admin/users/{users['spoc']}").text
    assert spoc.post(f"/admin/users/{users['sergeant']}/reset").status_code == 404
    assert site.as_user("officer").post(f"/admin/users/{users['reader']}/reset").status_code == 403
    sql("UPDATE app_user SET disabled_at = now(), disabled_why = 'left' WHERE email = 'reader@example.org'")
    assert spoc.post(f"/admin/users/{users['reader']}/reset").status_code == 409
    assert sql("SELECT 1 FROM app_user WHERE reset_at IS NOT NULL") == []


def test_a_reset_asks_who_it_is_again(site: Site, sql: Sql) -> None:
    spoc = site.as_user("spoc")
    assert spoc.csrf
    sql("UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    answer = spoc.post(f"/admin/users/{site.world.users['officer']}/reset")
    assert answer.location.startswith("/session/confirm")
    assert sql("SELECT 1 FROM app_user WHERE reset_at IS NOT NULL") == []


def test_resets_are_bounded_for_each_administrator(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "RESETS_AN_HOUR", 2)
    spoc, users = site.as_user("spoc"), site.world.users
    answers = [
        spoc.post(f"/admin/users/{users[name]}/reset").status_code
        for name in ("officer", "manager", "reader", "auditor")
    ]
    assert answers == [200, 200, 429, 429]


def test_a_reset_form_sent_twice_gives_one_link(site: Site) -> None:
    spoc, key = site.as_user("spoc"), "6d1c4ae0-2f0b-4c1e-9d5b-2b7a4c9a0001"
    path = f"/admin/users/{site.world.users['officer']}/reset"
    assert spoc.post(path, form_key=key).status_code == 200
    again = spoc.post(path, form_key=key)
    assert again.status_code == 303 and "/enrol/" not in again.text


def test_a_link_for_newcomers_is_none_for_who_was_in_before(site: Site, sql: Sql) -> None:
    """Somebody who comes in by another way than a password has none: a new invitation would be a quiet way into the account."""
    spoc, users = site.as_user("spoc"), site.world.users
    assert site.as_user("reader").csrf
    assert spoc.post(f"/admin/users/{users['reader']}/link").status_code == 409
    reset(site, spoc, "officer")
    assert spoc.post(f"/admin/users/{users['officer']}/link").status_code == 409


def test_a_reset_takes_the_other_ways_in_away_in_its_own_transaction(
    site: Site, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps passkeys says so to accounts; where that fails, nothing is reset."""
    gone: list[tuple[UUID, UUID]] = []
    monkeypatch.setitem(
        site.app.extensions, "hub_forget_ways", [lambda actor, user: gone.append((actor.user_id, user))]
    )
    users = site.world.users
    spoc = site.as_user("spoc")
    reset(site, spoc, "officer")
    assert gone == [(users["spoc"], users["officer"])]

    def fails(_actor: object, _user: UUID) -> None:
        raise Conflict("busy", "Try again.")

    monkeypatch.setitem(site.app.extensions, "hub_forget_ways", [fails])
    assert spoc.post(f"/admin/users/{users['reader']}/reset").status_code == 409
    assert [row[0] for row in sql("SELECT id FROM app_user WHERE reset_at IS NOT NULL")] == [users["officer"]]


def test_no_way_in_gets_round_a_reset(site: Site) -> None:
    """What begins sessions for every way in (a passkey, a provider) asks, too."""
    from hub.access.actor import NOBODY, RequestFacts
    from hub.access.guard import enter
    from hub.accounts import queries, starting
    from hub.accounts.models import User
    from hub.accounts.vocabulary import Method
    from hub.core.errors import Denied
    from hub.extensions import db

    reset(site, site.as_user("spoc"), "officer")
    with site.inside():
        enter(db.session(), NOBODY)
        user = db.session.get_one(User, site.world.users["officer"])
        team = queries.first_team(user)
        assert team is not None
        for method in (Method.PASSKEY, Method.PROVIDER):
            with pytest.raises(Denied):
                starting.begin(user, team, method, RequestFacts())
    assert PASSWORD != NEW
