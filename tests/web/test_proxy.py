"""What is forwarded is believed from the named proxy alone, and events name the client that really asked."""

from __future__ import annotations

import dataclasses
import ipaddress
from types import SimpleNamespace
from typing import Any

import pytest

from hub.config import Settings
from hub.web.proxy import read
from tests.conftest import environment_of
from tests.fixtures.site import Site

PROXY = (ipaddress.ip_network("10.0.0.5/32"), ipaddress.ip_network("10.1.0.0/16"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        (
            "10.0.0.5",
            "198.51.100.1, 203.0.113.9",
            "203.0.113.9",
        ),  # what the client itself wrote is not believed
        ("10.0.0.5", "198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("10.0.0.5", "10.1.2.3", "10.1.2.3"),
        ("10.0.0.5", "evil, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9, evil", "10.0.0.5"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.6", "203.0.113.9", "10.0.0.6"),
        ("203.0.113.7", "10.0.0.5", "203.0.113.7"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_client_is_the_first_that_no_proxy_of_ours_is(peer: str, forwarded: str, client: str) -> None:
    environ: dict[str, Any] = {
        "REMOTE_ADDR": peer,
        "HTTP_X_FORWARDED_FOR": forwarded,
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_FORWARDED": "for=192.0.2.1",
        "wsgi.url_scheme": "http",
    }
    read(environ, PROXY)
    assert environ["REMOTE_ADDR"] == client
    assert environ["wsgi.url_scheme"] == ("https" if peer == "10.0.0.5" else "http")
    assert not [name for name in environ if "FORWARDED" in name]


def test_events_name_the_client_and_a_form_through_the_proxy_is_ours(
    site: Site, database: SimpleNamespace
) -> None:
    settings: Settings = site.app.config["HUB_SETTINGS"]
    site.app.config["HUB_SETTINGS"] = dataclasses.replace(
        settings, trusted_proxies=PROXY, public_url="https://hub.example.org"
    )
    addresses = "SELECT convert_from(body, 'UTF8')::jsonb -> 'source' ->> 'ip' FROM audit.event WHERE act = 'session.refused' ORDER BY at"
    told = {
        "X-Forwarded-For": "198.51.100.1, 203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Real-IP": "192.0.2.1",
    }
    form = {"email": "nobody@example.org", "password": "wrong"}
    for peer in ("10.0.0.5", "203.0.113.7"):
        answer = site.visitor().post(
            "/sign-in",
            form,
            headers={**told, "Origin": "https://hub.example.org"},
            environ_overrides={"REMOTE_ADDR": peer},
        )
        assert answer.status_code == 422
    assert [row[0] for row in site.sql(database.superuser, addresses)] == ["203.0.113.9", "203.0.113.7"]


def test_the_setting_is_read_and_a_wrong_one_is_refused(app: Any) -> None:
    settings = app.config["HUB_SETTINGS"]
    given = Settings.from_environment(environment_of(settings, HUB_TRUSTED_PROXY="10.0.0.5, 10.1.0.0/16"))
    assert given.trusted_proxies == PROXY
    for name, value in (
        ("HUB_TRUSTED_PROXY", "proxy.example.org"),
        ("HUB_SECURITY_CONTACT", "somebody"),
        ("HUB_SECURITY_EXPIRES", "soon"),
    ):
        with pytest.raises(SystemExit, match=name):
            Settings.from_environment(environment_of(settings, **{name: value}))
