"""Passkeys through HTTP as the script of the pages uses them."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.fixtures.site import Client, Site
from tests.passkeys.authenticator import Device

SIGN_IN, CONFIRM, OWN = "/sign-in/passkey", "/session/confirm/passkey", "/account/passkeys"


def asked(client: Client, address: str, **form: str) -> dict[str, Any]:
    """The challenge that the hub gives out, with the step's cookie in the client."""
    answer = client.post(address, form)
    assert answer.status_code == 200, answer.text[:2000]
    options: dict[str, Any] = answer.get_json()
    return options


def add(client: Client, device: Device, label: str = "Work laptop", **lies: Any) -> TestResponse:
    options = asked(client, f"{OWN}/begin", label=label)
    return client.post(f"{OWN}/add", {"credential": device.make(options, **lies), "label": label})


def with_passkey(site: Site, user: str, **kind: Any) -> tuple[Client, Device]:
    """A signed-in client of that user, and the device that its new passkey lies on."""
    client, device = site.as_user(user), Device(**kind)
    answer = add(client, device)
    assert answer.status_code == 200, answer.text
    return client, device


def sign_in(client: Client, device: Device, **lies: Any) -> TestResponse:
    options = asked(client, f"{SIGN_IN}/begin", next="/account")
    return client.post(SIGN_IN, {"credential": device.prove(options, **lies)})


def confirm(client: Client, device: Device, **lies: Any) -> TestResponse:
    options = asked(client, f"{CONFIRM}/begin", next="/account")
    return client.post(CONFIRM, {"credential": device.prove(options, **lies)})
