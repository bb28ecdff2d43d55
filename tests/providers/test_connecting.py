"""An administrator connects the organisation's provider: looked at before it is saved, its secret never shown again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.extensions import db
from hub.providers.models import IdentityProvider
from hub.providers.sealing import open_secret
from tests.conftest import settings_for
from tests.fixtures.site import Site
from tests.providers.conftest import Door, is_in, settings_of
from tests.providers.hostile import SECRET, Hostile, hostile

ADD = "/admin/provider/add"
METADATA: dict[str, tuple[dict[str, Any], str]] = {
    "another name": ({"issuer": "https://evil.example"}, "another name"),
    "no PKCE": ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
    "no code": ({"response_types_supported": ["id_token"]}, "code flow"),
    "signs with a secret": ({"id_token_signing_alg_values_supported": ["HS256"]}, "none of the algorithms"),
    "page elsewhere": ({"authorization_endpoint": "http://127.0.0.1:1/auth"}, "issuer’s own address"),
    "logout elsewhere": ({"end_session_endpoint": "http://127.0.0.1:1/out"}, "issuer’s own address"),
    "plain token endpoint": ({"token_endpoint": "http://idp.example/token"}, "no usable token_endpoint"),
    "no keys": ({"jwks_uri": None}, "no usable jwks_uri"),
    "keys not there": ({"jwks_uri": "http://127.0.0.1:1/jwks"}, "keys (jwks_uri) cannot be read"),
    "keys for certificates only": (
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
        "no client secret",
    ),
}


@pytest.mark.parametrize("name", METADATA)
def test_a_provider_that_is_not_as_it_must_be_is_not_connected(
    site: Site, provider: Hostile, name: str
) -> None:
    provider.metadata, words = METADATA[name]
    answer = site.as_user("spoc").post(ADD, settings_of(provider.issuer))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and words in page
    assert provider.issuer in page and SECRET not in page


def test_the_secret_is_sealed_and_never_shown_again(door: Door) -> None:
    spoc = door.site.as_user("spoc")
    page = spoc.get("/admin/provider").get_data(as_text=True)
    for address in ("/sign-in/return", "/sign-in", "/sign-in/provider-logout"):
        assert f"http://127.0.0.1:8480{address}<" in page
    assert SECRET not in page
    (sealed,) = door.sql("SELECT sealed_secret FROM identity_provider")[0]
    assert SECRET.encode() not in bytes(sealed)
    with door.site.inside():
        enter(db.session(), NOBODY)
        kept = db.session.scalars(db.select(IdentityProvider)).one()
        assert open_secret(kept) == SECRET
    bodies = door.sql("SELECT string_agg(convert_from(body, 'UTF8'), '') FROM audit.event")
    assert SECRET not in bodies[0][0]
    assert door.events("provider.added")[0][0] == "ok"


def test_a_change_keeps_the_secret_unless_a_new_one_is_given(door: Door) -> None:
    spoc = door.site.as_user("spoc")
    kept = settings_of("ignored", client_secret="", name="Work account")
    assert spoc.post("/admin/provider/change", kept).status_code == 303
    assert door.events("provider.changed")[0] == ("ok", {"secret": False})
    assert door.sql("SELECT name, issuer FROM identity_provider") == [("Work account", door.provider.issuer)]
    door.link()
    assert is_in(door.signed_in())
    assert spoc.post("/admin/provider/change", kept).status_code == 422
    assert spoc.post("/admin/provider/change", {**kept, "client_secret": "another"}).status_code == 303
    visitor = door.site.visitor()
    door.set_out(visitor)
    assert door.come_back(visitor).status_code == 403
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_code"})


def test_a_provider_that_is_disconnected_lets_nobody_in_and_ends_its_sessions(door: Door) -> None:
    door.link()
    inside, begun = door.signed_in(), door.site.visitor()
    door.set_out(begun)
    spoc = door.site.as_user("spoc")
    assert spoc.post("/admin/provider/end").status_code == 303
    assert not is_in(inside) and door.events("provider.ended")[0][0] == "ok"
    assert door.come_back(begun).status_code == 403
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_ended"})
    page = door.site.visitor().get("/sign-in")
    assert "organisation’s account" not in page.get_data(as_text=True)
    assert door.provider.issuer not in page.headers["Content-Security-Policy"]
    # connected again it is another one: links do not come back by themselves
    assert spoc.post(ADD, settings_of(door.provider.issuer)).status_code == 303
    visitor = door.site.visitor()
    door.set_out(visitor)
    assert door.come_back(visitor).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("issuer", "http://idp.example.org"),
        ("issuer", "https://user@idp.example.org"),
        ("issuer", "https://idp.example.org/#x"),
        ("issuer", "javascript:alert(1)"),
        ("issuer", "https://[::1"),
        ("client_id", "two words"),
        ("client_secret", ""),
        ("client_secret", "ünprintable"),
        ("domains", "example"),
        ("domains", "exa mple!.org"),
        ("domains", "strangers.example"),
        ("algorithms", ["HS256"]),
        ("algorithms", ["none"]),
        ("algorithms", []),
        ("amr", ["pwd"]),
        ("amr", []),
        ("acr", "ü"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_nothing_is_saved(
    site: Site, database: SimpleNamespace, provider: Hostile, field: str, value: Any
) -> None:
    answer = site.as_user("spoc").post(ADD, {**settings_of(provider.issuer), field: value})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and f'href="#{field}"' in page
    # before anything is asked for
    assert field != "issuer" or "an address that starts with https://" in page
    assert site.sql(database.superuser, "SELECT count(*) FROM identity_provider")[0][0] == 0


def test_a_domain_and_an_issuer_lead_to_one_provider(door: Door) -> None:
    police = door.site.as_user("police_spoc")
    with hostile("second") as other:
        assert police.post(ADD, settings_of(other.issuer)).status_code == 422
    assert police.post(ADD, settings_of(door.provider.issuer)).status_code == 422
    assert door.site.as_user("spoc").post(ADD, settings_of(door.provider.issuer)).status_code == 409
    assert door.sql("SELECT count(*) FROM identity_provider") == [(1,)]


def test_only_a_fresh_administrator_may(door: Door) -> None:
    assert door.site.as_user("officer").get("/admin/provider").status_code == 403
    spoc = door.site.as_user("spoc")
    door.sql("UPDATE user_session SET authenticated_at = authenticated_at - interval '10 minutes'")
    for path in ("add", "change", "end"):
        late = spoc.post(f"/admin/provider/{path}", settings_of(door.provider.issuer))
        assert late.headers["Location"].startswith("/session/confirm")
    assert door.sql("SELECT ended_at FROM identity_provider") == [(None,)]


def test_a_hub_in_earnest_asks_no_address_of_its_own_machine(
    site: Site, database: SimpleNamespace, root_key_file: Any, provider: Hostile
) -> None:
    site.app.config["HUB_SETTINGS"] = settings_for(
        database.app, root_key_file, public_url="https://hub.example"
    )
    spoc = site.as_user("spoc")
    for issuer in (
        provider.issuer,
        provider.issuer.replace("http:", "https:"),
        "https://localhost",
        "https://169.254.169.254",
    ):
        assert spoc.post(ADD, settings_of(issuer)).status_code == 422
    assert provider.asked == []
