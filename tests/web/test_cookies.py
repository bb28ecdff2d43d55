"""Every cookie that the hub sets, wherever it sets one (SECURITY N12): its name bound to the host, its flags, its size."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hub.web.routes import DECLARED
from tests.attacks.arena import Arena
from tests.attacks.checks import told
from tests.attacks.conftest import Cast
from tests.attacks.walking import address_of, asker, rules
from tests.fixtures.door import give_password, next_code, set_up_door
from tests.fixtures.site import Site

FLAGS = ("Secure", "HttpOnly", "Path=/")


def fault_of(cookie: str) -> str | None:
    parts = [part.strip() for part in cookie.split(";")]
    name, _, value = parts[0].partition("=")
    if not name.startswith("__Host-"):
        return f"{name} is of no host"
    if any(flag not in parts for flag in FLAGS) or not {"SameSite=Lax", "SameSite=Strict"} & set(parts):
        return f"{name}: {parts[1:]}"
    if len(name) + len(value) > 4096 or len(cookie) > 4096:
        return f"{name} has {len(cookie)} bytes"
    return f"{name} has a domain" if any(part.startswith("Domain") for part in parts) else None


def test_every_cookie_of_every_page_is_the_hosts_own(arena: Arena, cast: Cast) -> None:
    faults, seen = [], set()
    stranger = arena.site.visitor()
    for rule in rules(arena, "GET"):
        address = address_of(arena, rule)
        for client in (cast(asker(rule.endpoint)), stranger):
            for cookie in client.get(address).headers.getlist("Set-Cookie"):
                seen.add(cookie.partition("=")[0])
                faults += [f"{rule.endpoint}: {fault}" for fault in [fault_of(cookie)] if fault]
    assert not faults, told(faults)
    assert seen and len(DECLARED) > 100


def test_every_cookie_of_the_door_is_the_hosts_own(site: Site, database: SimpleNamespace) -> None:
    set_up_door(site, "officer")
    client = site.visitor()
    answers = [
        give_password(client, "officer"),
        client.post("/sign-in/code", {"code": next_code(site, "officer")}),
    ]
    client._csrf = None
    form = {"password": "x", "code": "1"}
    answers += [
        client.post("/session/confirm", form),
        client.post("/account/authenticator/start"),
        client.post("/sign-out"),
    ]
    cookies = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]
    assert {cookie.partition("=")[0] for cookie in cookies} >= {
        "__Host-hub-session", "__Host-hub-step", "__Host-hub-device", "__Host-hub-notes",
    }  # fmt: skip
    assert [fault for fault in map(fault_of, cookies) if fault] == []


@pytest.mark.parametrize(
    "cookie",
    [
        "hub=a; Secure; HttpOnly; Path=/; SameSite=Lax",
        "__Host-a=a; HttpOnly; Path=/; SameSite=Lax",
        "__Host-a=a; Secure; Path=/; SameSite=Lax",
        "__Host-a=a; Secure; HttpOnly; Path=/",
        "__Host-a=a; Secure; HttpOnly; Path=/; SameSite=None",
        "__Host-a=a; Secure; HttpOnly; Path=/; SameSite=Lax; Domain=a.example",
        f"__Host-a={'a' * 4100}; Secure; HttpOnly; Path=/; SameSite=Lax",
    ],
)
def test_the_look_would_see_a_wrong_one(cookie: str) -> None:
    assert fault_of(cookie)
