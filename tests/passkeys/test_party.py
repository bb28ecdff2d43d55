"""For which addresses passkeys are made: a name over HTTPS, or this machine alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.passkeys.party import Party, party_of
from tests.conftest import settings_for
from tests.fixtures.site import Site

ADDRESSES = {
    "https://hub.example.org": Party("hub.example.org", "https://hub.example.org"),
    "https://hub.example.org:443": Party("hub.example.org", "https://hub.example.org"),
    "https://hub.example.org:8443": Party("hub.example.org", "https://hub.example.org:8443"),
    "http://127.0.0.1:8480": Party("localhost", "http://localhost:8480"),
    "http://[::1]:8480": Party("localhost", "http://localhost:8480"),
    "http://localhost": Party("localhost", "http://localhost"),
    "http://hub.example.org": None,
    "https://192.0.2.7": None,
    "https://[2001:db8::1]": None,
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_address_says_whether_and_for_whom_passkeys_are_made(address: str, tmp_path: Path) -> None:
    settings = settings_for("", tmp_path / "root.key", public_url=address)
    assert party_of(settings) == ADDRESSES[address]


def test_where_none_can_be_made_none_is_offered_and_the_page_says_so(site: Site, tmp_path: Path) -> None:
    officer, visitor = site.as_user("officer"), site.visitor()
    assert "data-passkey" in visitor.get("/sign-in").text and officer.csrf and visitor.csrf
    settings = site.app.config["HUB_SETTINGS"]
    site.app.config["HUB_SETTINGS"] = settings_for(
        settings.database_url, tmp_path / "root.key", public_url="https://192.0.2.7"
    )
    assert "data-passkey" not in visitor.get("/sign-in").text
    assert "do not work at this address" in officer.get("/account/passkeys").text
    assert officer.get("/account/passkeys/new").status_code == 303
    # at the address that the hub would say it has, the forms of this one are still its own
    for client, where in ((visitor, "/sign-in/passkey"), (officer, "/account/passkeys")):
        answer = client.post(f"{where}/begin", {"label": "Key"})
        assert answer.status_code == 409 and "do not work" in answer.get_json()["message"]
