"""The door is tried so often and no more; nobody locks out another; what is refused is refused alike."""

from __future__ import annotations

import statistics
import threading
import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from hub.accounts import known_devices, throttle
from hub.crypto import passwords
from hub.web.devices import device_in_words, device_of, network_of
from tests.accounts.test_sessions import signed_in
from tests.fixtures.door import PASSWORD, set_up_door
from tests.fixtures.site import Client, Site

OFFICER = {"email": "officer@example.org", "password": "wrong"}


def tried(client: Client, times: int, address: str = "127.0.0.1", **form: str) -> list[int]:
    return [
        client.post("/sign-in", {**OFFICER, **form}, environ_overrides={"REMOTE_ADDR": address}).status_code
        for _ in range(times)
    ]


def test_a_stranger_slows_an_account_and_never_its_own_device(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_door(site, "officer")
    own = signed_in(site, "officer")
    hashed: list[str | None] = []
    real = passwords.verify_password

    def verify(stored: str | None, given: str, **more: Any) -> bool:
        hashed.append(stored)
        return real(stored, given, **more)

    monkeypatch.setattr(passwords, "verify_password", verify)
    stranger = site.visitor()
    # the user's own first time here counted too: the device was not known yet
    answers = tried(stranger, 7, "198.51.100.9")
    assert answers == [422] * 4 + [429] * 3
    assert len(hashed) == 4  # what is too often is never hashed
    # another account is not touched by it, and neither is the user's own device, even from the stranger's address
    assert tried(stranger, 1, "198.51.100.9", email="sergeant@example.org") == [422]
    right = {"email": "officer@example.org", "password": PASSWORD}
    own._csrf = None
    assert own.post("/sign-out").status_code == 303
    own._csrf = None
    answer = own.post("/sign-in", right, environ_overrides={"REMOTE_ADDR": "198.51.100.9"})
    assert answer.status_code == 303
    # the known device has a bound of its own
    own._csrf = None
    own.post("/sign-out")
    own._csrf = None
    assert tried(own, 5)[-1] == 429


def test_a_crowd_of_strangers_keeps_nobody_out_who_was_here_before(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_door(site, "officer")
    own, stranger = signed_in(site, "officer"), site.visitor()
    own.post("/sign-out")
    own._csrf = None
    assert stranger.csrf and own.csrf
    full = threading.BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(passwords, "_porch", full)
    # a mark that is none of this account's makes nobody known
    stranger.http.set_cookie(known_devices.COOKIE, "x" * 16 + "." + "0" * 64, secure=True)
    assert tried(stranger, 1, "198.51.100.3") == [503]
    assert tried(site.visitor(), 1, "198.51.100.4") == [503]
    assert own.post("/sign-in", {**OFFICER, "password": PASSWORD}).status_code == 303


def test_a_source_is_bounded_over_all_accounts_and_others_are_not(site: Site) -> None:
    visitor = site.visitor()
    names = [f"nobody{number}@example.org" for number in range(throttle.PER_SOURCE + 1)]
    answers = [tried(visitor, 1, "198.51.100.7", email=name)[0] for name in names]
    assert set(answers[:-1]) == {422} and answers[-1] == 429
    assert tried(visitor, 1, "198.51.100.8", email="nobody@example.org") == [422]


def test_nobody_shuts_the_door_of_enrolment_for_all(site: Site) -> None:
    strangers = site.visitor()
    for _ in range(throttle.PER_ACCOUNT + 1):
        answer = strangers.post(
            f"/enrol/{uuid4()}", {"password": "x"}, environ_overrides={"REMOTE_ADDR": "198.51.100.1"}
        )
        assert answer.status_code == 403
    answer = strangers.post(
        f"/enrol/{uuid4()}", {"password": "x"}, environ_overrides={"REMOTE_ADDR": "198.51.100.2"}
    )
    assert answer.status_code == 403


def test_links_of_a_reset_are_tried_so_often_from_a_source_and_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_SOURCE", 4)
    stranger, source = site.visitor(), {"environ_overrides": {"REMOTE_ADDR": "198.51.100.5"}}
    assert stranger.csrf
    answers = [stranger.get(f"/enrol/{uuid4()}", **source).status_code for _ in range(2)]
    answers += [stranger.post(f"/enrol/{uuid4()}", {"password": "x"}, **source).status_code for _ in range(4)]
    assert answers == [403] * 4 + [429] * 2
    assert stranger.post("/enrol/organisation", {"secret": "x"}, **source).status_code == 429


def test_unknown_wrong_and_disabled_are_answered_with_the_same_page(
    site: Site, database: SimpleNamespace
) -> None:
    set_up_door(site, "officer", "reader", "manager")
    site.sql(
        database.superuser,
        "UPDATE app_user SET disabled_at = now(), disabled_why = 'left' WHERE email = 'reader@example.org'",
    )
    site.sql(database.superuser, "UPDATE app_user SET reset_at = now() WHERE email = 'manager@example.org'")
    pages = []
    for email, password in (
        ("nobody@example.org", PASSWORD),
        ("officer@example.org", "wrong"),
        ("reader@example.org", PASSWORD),
        ("manager@example.org", PASSWORD),  # reset, and not set up anew
        ("sergeant@example.org", PASSWORD),  # invited, without a password yet
    ):
        answer = site.visitor().post("/sign-in", {"email": email, "password": password})
        text = answer.text.replace(email, "EMAIL")
        pages.append((answer.status_code, "not right" in text, len(text)))
    assert len(set(pages)) == 1 and pages[0][:2] == (422, True)


@pytest.mark.timing
def test_unknown_wrong_and_disabled_take_the_same_time(
    site: Site, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paired: the three kinds take turns, so that whatever else the machine does falls on all alike."""
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 10_000)
    monkeypatch.setattr(throttle, "PER_SOURCE", 10_000)
    set_up_door(site, "officer", "reader")
    site.sql(
        database.superuser,
        "UPDATE app_user SET disabled_at = now(), disabled_why = 'left' WHERE email = 'reader@example.org'",
    )
    visitor = site.visitor()
    kinds = {
        "unknown": "nobody@example.org",
        "wrong": "officer@example.org",
        "disabled": "reader@example.org",
    }
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    assert visitor.csrf
    for round_ in range(21):
        for kind in sorted(kinds, key=lambda one: (hash(one) + round_) % 3):
            begun = time.process_time()
            visitor.post("/sign-in", {"email": kinds[kind], "password": "wrong but long"})
            took[kind].append(time.process_time() - begun)
    medians = {kind: statistics.median(times) for kind, times in took.items()}
    print({kind: round(one * 1000, 1) for kind, one in medians.items()})
    assert max(medians.values()) < 1.1 * min(medians.values()), medians


def test_a_device_is_known_to_the_accounts_that_signed_in_there_and_to_no_other(site: Site) -> None:
    with site.inside():
        mine, colleague, stranger = uuid4(), uuid4(), uuid4()
        cookie = known_devices.remember(known_devices.remember("", mine), colleague)
        assert known_devices.mark_of(cookie, mine) and known_devices.mark_of(cookie, colleague)
        assert known_devices.mark_of(cookie, stranger) is None
        assert str(mine) not in cookie and mine.hex not in cookie
        mark = known_devices.mark_of(cookie, mine)
        assert known_devices.mark_of(known_devices.remember(cookie, mine), mine) == mark
        for one in range(known_devices.MOST):
            cookie = known_devices.remember(cookie, uuid4())
            assert len(cookie) < 4096, one
        assert known_devices.mark_of(cookie, mine) is None
        for hostile in ("~" * 5000, "é.", "a" * 16 + "." + "0" * 64, "\0~\0"):
            assert known_devices.mark_of(hostile, mine) is None


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1", "Safari on iPhone or iPad"),
        ("Mozilla/5.0 (Linux; Android 15) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36", "Samsung Internet on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Mac"),
        ("", "Another browser on another device"),
        ("\x00<script>" * 500, "Another browser on another device"),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_words_and_by_nothing_it_sent(agent: str, words: str) -> None:
    assert device_in_words(device_of(agent)) == words


def test_an_address_is_cut_down_to_its_network() -> None:
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("::ffff:192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2:3::4") == "2001:db8:1::/48"
    assert network_of("") is None and network_of("evil") is None and network_of(None) is None
    assert device_in_words(None) == "Not known" and device_in_words("a.b.c") == "Not known"
