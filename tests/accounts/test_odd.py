"""Who is not let in is told of to whose account it is: not often, without a detail, and with what to do (SECURITY N15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hub.accounts import odd, throttle
from hub.web.identity import COOKIE
from tests.accounts.test_sessions import signed_in
from tests.fixtures.door import give_password, set_up_door, sign_in
from tests.fixtures.site import Client, Site

Told = Callable[[], list[tuple[str, str, str]]]


@pytest.fixture
def told(site: Site, database: SimpleNamespace) -> Told:
    """To whom, subject and body of each e-mail about a refused sign-in; beside each stands a notice in the hub."""
    plain = "SELECT to_address, subject, body FROM outbox_message WHERE kind = 'session.refused' ORDER BY id"

    def find() -> list[tuple[str, str, str]]:
        count = "SELECT count(*) FROM notification WHERE kind = 'session.refused'"
        found = [(row[0], row[1], row[2]) for row in site.sql(database.superuser, plain)]
        assert site.sql(database.superuser, count)[0][0] == len(found)
        return found

    return find


def wrong_code(client: Client, **options: Any) -> None:
    assert give_password(client, "officer", **options).status_code == 303
    answer = client.post("/sign-in/code", {"code": "000000"}, **options)
    assert answer.status_code in (422, 429), answer.text[:500]


def from_(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


def test_whoever_knows_the_password_and_not_the_code_is_told_of_once_a_day(
    site: Site, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 100)
    set_up_door(site, "officer", "reader")
    wrong_code(site.visitor())
    [(to, subject, body)] = told()
    assert to == "officer@example.org" and "change your password" in subject
    assert "/account/password" in body
    assert not any(word in body for word in ("Amara", "000000", "Firefox", "198.51"))
    for number in range(4):
        wrong_code(site.visitor(), **from_(f"198.51.100.{number}"))
    assert len(told()) == 1


def test_a_slip_at_ones_own_device_is_not_told_of_and_going_on_there_is(
    site: Site, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 100)
    set_up_door(site, "officer")
    own = signed_in(site, "officer")
    for number in range(1, odd.WRONG_CODES_KNOWN + 2):
        own.http.delete_cookie(COOKIE)
        own._csrf = None
        wrong_code(own)
        assert len(told()) == int(number >= odd.WRONG_CODES_KNOWN), number


def test_many_wrong_passwords_are_told_of_once_a_day_and_some_never(
    site: Site, told: Told, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 1000)
    monkeypatch.setattr(throttle, "PER_SOURCE", 1000)
    monkeypatch.setattr("hub.crypto.passwords.verify_strangers_password", lambda *_, **__: False)
    set_up_door(site, "officer", "reader")
    site.sql(
        database.superuser,
        "UPDATE app_user SET disabled_at = now(), disabled_why = 'left' WHERE email = 'reader@example.org'",
    )
    stranger = site.visitor()
    for number in range(1, 2 * odd.WRONG_PASSWORDS + 3):
        for user in ("officer", "nobody", "reader"):
            assert give_password(stranger, user, "wrong").status_code == 422
        assert len(told()) == int(number >= odd.WRONG_PASSWORDS), number
    assert told()[0][0] == "officer@example.org"
    # the day after it is told again
    site.sql(database.superuser, "UPDATE throttle SET expires_at = now() - interval '1 minute'")
    for _ in range(odd.WRONG_PASSWORDS):
        give_password(stranger, "officer", "wrong")
    assert len(told()) == 2
    assert timedelta(days=1) == throttle.A_DAY


def test_right_passwords_and_codes_are_not_odd(site: Site, told: Told) -> None:
    set_up_door(site, "officer")
    for _ in range(3):
        client = site.visitor()
        assert sign_in(client, site, "officer").status_code == 303
    assert told() == []
