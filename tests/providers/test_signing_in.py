"""Signing in through a provider, and the tokens that must not be believed (SECURITY N9)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.site import Site
from tests.providers.conftest import OFFICER, Door, is_in, settings_of
from tests.providers.hostile import Claims, Hostile, hostile, signed_with_the_public_key, unsigned

NOW = int(time.time())


def _with(**changes: Any) -> Callable[[Hostile], None]:
    def change(provider: Hostile) -> None:
        def lie(claims: Claims) -> Claims:
            return {name: value for name, value in {**claims, **changes}.items() if value is not None}

        provider.lie = lie

    return change


def _signed(how: Callable[[Hostile, Claims], str]) -> Callable[[Hostile], None]:
    return lambda provider: setattr(provider, "sign", how)


def _answering(how: Callable[[Claims], Any]) -> Callable[[Hostile], None]:
    return lambda provider: setattr(provider, "answer", how)


BAD: dict[str, tuple[Callable[[Hostile], None], str]] = {
    "alg none": (_signed(lambda _, claims: unsigned(claims)), "algorithm"),
    "HS256 with the public key": (_signed(signed_with_the_public_key), "algorithm"),
    "another issuer": (_with(iss="https://evil.example"), "issuer"),
    "issuer with a slash": (_signed(lambda p, c: p.signed({**c, "iss": p.issuer + "/"})), "issuer"),
    "another audience": (_with(aud="somebody-else"), "audience"),
    "two audiences, no party": (_with(aud=["hub", "somebody-else"]), "audience"),
    "another party": (_with(azp="somebody-else"), "audience"),
    "another nonce": (_with(nonce="x"), "nonce"),
    "no nonce": (_with(nonce=None), "nonce"),
    "expired": (_with(exp=NOW - 120), "expired"),
    "never expires": (_with(exp=None), "claims"),
    "issued in the future": (_with(iat=NOW + 3600), "future"),
    "not yet valid": (_with(nbf=NOW + 3600), "future"),
    "no subject": (_with(sub=None), "subject"),
    "empty subject": (_with(sub=""), "subject"),
    "a number for a subject": (_with(sub=7), "subject"),
    "no ID token": (_answering(lambda all_: {k: v for k, v in all_.items() if k != "id_token"}), "no_token"),
    "unknown key": (_signed(lambda p, c: p.signed(c, kid="never-published")), "key"),
    "known name, other key": (_signed(lambda p, c: p.signed(c, kid="other", header={"kid": p.kid})), "signature"),
    "a password only": (_with(amr=["pwd"]), "one_factor"),
    "a text message": (_with(amr=["pwd", "sms", "mfa"]), "one_factor"),
    "no amr": (_with(amr=None), "one_factor"),
    "a text for amr": (_with(amr="mfa"), "one_factor"),
    "signed in yesterday": (_with(auth_time=NOW - 86_400), "too_old"),
    "no auth_time": (_with(auth_time=None), "too_old"),
    "a wrong at_hash": (_with(at_hash="x"), "claims"),
    "not a token": (_signed(lambda *_: "a.b.c"), "signature"),
    "a list": (_answering(lambda _: ["id_token"]), "code"),
    "not JSON": (_answering(lambda _: b"<html>"), "code"),
    "too long": (_answering(lambda _: b" " * 300_000), "unreachable"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_is_not_right_lets_nobody_in_and_is_written_down(door: Door, name: str) -> None:
    door.link()
    change, why = BAD[name]
    change(door.provider)
    visitor = door.site.visitor()
    door.set_out(visitor)
    back = door.come_back(visitor)
    assert back.status_code == 403 and not is_in(visitor)
    assert "You are not signed in" in back.get_data(as_text=True)
    assert door.events("session.refused")[0] == ("denied", {"why": f"provider_{why}"})


def test_a_right_token_signs_in_the_linked_account_and_no_e_mail_address_is_looked_at(door: Door) -> None:
    door.link("officer")
    visitor = door.site.visitor()
    door.set_out(visitor, "whoever@EXAMPLE.org ")
    began = door.provider.began
    assert began["code_challenge_method"] == "S256" and began["scope"] == "openid"
    assert began["redirect_uri"] == "http://127.0.0.1:8480/sign-in/return" and int(began["max_age"]) == 36_000
    assert min(len(began[one]) for one in ("state", "nonce", "code_challenge")) == 43
    back = door.come_back(visitor)
    assert (back.status_code, back.headers["Location"]) == (303, "/account")
    assert "Amara Okafor" in visitor.get("/account").get_data(as_text=True)
    assert door.events("session.started")[0] == ("ok", {"method": "provider"})
    row = door.sql("SELECT method, provider_session FROM user_session ORDER BY created_at DESC LIMIT 1")
    assert row == [("provider", "their-session")]


def test_proof_of_an_hour_ago_signs_in_and_is_not_fresh(door: Door) -> None:
    door.link("spoc")
    _with(auth_time=int(time.time()) - 3600)(door.provider)
    visitor = door.signed_in()
    late = visitor.get("/admin/provider")
    assert late.status_code == 303 and late.headers["Location"].startswith("/session/confirm")


def test_a_code_is_worth_something_once(door: Door) -> None:
    door.link()
    visitor = door.site.visitor()
    door.set_out(visitor)
    assert door.come_back(visitor).status_code == 303
    # the answer again in the same browser, and the same code in another sign-in
    visitor.http.delete_cookie("__Host-hub-session")
    assert door.come_back(visitor).status_code == 403
    assert door.events("session.refused")[0][1]["why"] in ("provider_over", "provider_state")
    visitor = door.site.visitor()
    door.set_out(visitor)
    assert door.come_back(visitor).status_code == 403 and not is_in(visitor)
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_code"})


def test_an_answer_with_another_state_or_in_another_browser_is_refused(door: Door) -> None:
    door.link()
    visitor, stranger = door.site.visitor(), door.site.visitor()
    door.set_out(visitor)
    before = door.provider.asked.count("/token")
    for state in ("x", "", "é\ud7ff", None):
        assert door.come_back(visitor, state=state).status_code == 403
    assert door.come_back(stranger).status_code == 403 and not is_in(stranger)
    assert door.provider.asked.count("/token") == before
    # who sent the wrong ones has not ended what was begun
    assert door.come_back(visitor).status_code == 303 and is_in(visitor)


def test_a_provider_that_names_itself_wrongly_or_not_at_all_is_a_mix_up(door: Door) -> None:
    door.link()
    visitor = door.site.visitor()
    door.set_out(visitor)
    before = door.provider.asked.count("/token")
    assert door.come_back(visitor, iss="https://evil.example").status_code == 403
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_mixed_up"})
    # the code went nowhere
    assert door.provider.asked.count("/token") == before
    door.set_out(visitor)
    assert door.come_back(visitor, iss=door.provider.issuer).status_code == 303


def test_who_promises_to_name_itself_and_does_not_is_a_mix_up(
    site: Site, database: Any, provider: Hostile
) -> None:
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    assert site.as_user("spoc").post("/admin/provider/add", settings_of(provider.issuer)).status_code == 303
    door, visitor = Door(site, provider, database.superuser), site.visitor()
    door.set_out(visitor)
    assert door.come_back(visitor).status_code == 403
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_mixed_up"})


def test_the_same_subject_of_another_provider_is_somebody_else(door: Door) -> None:
    door.link()
    door.sql(
        "UPDATE app_user SET email = 'ola@police.example' WHERE id = :id",
        id=door.site.world.users["police_spoc"],
    )
    with hostile("second") as other:
        spoc = door.site.as_user("police_spoc")
        added = spoc.post("/admin/provider/add", settings_of(other.issuer, domains="police.example"))
        assert added.status_code == 303
        theirs = Door(door.site, other, door.superuser)
        visitor = door.site.visitor()
        theirs.set_out(visitor, "anybody@police.example")
        back = theirs.come_back(visitor)
        assert back.status_code == 403 and not is_in(visitor)
        assert "not linked" in back.get_data(as_text=True)
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_stranger"})


def test_the_right_e_mail_address_at_the_provider_is_no_link(door: Door) -> None:
    _with(email=OFFICER, email_verified=True)(door.provider)
    visitor = door.site.visitor()
    door.set_out(visitor)
    back = door.come_back(visitor)
    assert back.status_code == 403 and not is_in(visitor)
    assert "link it under Your account" in back.get_data(as_text=True)


def test_a_closed_account_does_not_come_in_through_its_provider(door: Door) -> None:
    door.link()
    door.sql(
        "UPDATE app_user SET disabled_at = now(), disabled_why = 'left' WHERE email = :email", email=OFFICER
    )
    visitor = door.site.visitor()
    door.set_out(visitor)
    assert door.come_back(visitor).status_code == 403 and not is_in(visitor)
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_closed"})


def test_a_domain_without_provider_leads_to_the_password_whoever_asks(door: Door) -> None:
    answers = []
    door.sql("UPDATE app_user SET email = 'real@elsewhere.example' WHERE email = :email", email=OFFICER)
    for email in ("real@elsewhere.example", "nobody@elsewhere.example", "", "é@", "a@b@elsewhere.example"):
        visitor = door.site.visitor()
        answer = visitor.post("/sign-in/organisation", {"email": email, "next": "//evil.example"})
        answers.append((answer.status_code, answer.headers["Location"]))
    assert set(answers) == {(303, "/sign-in?next=/")}
    visitor = door.site.visitor()
    visitor.post("/sign-in/organisation", {"email": "real@elsewhere.example"})
    page = visitor.get("/sign-in").get_data(as_text=True)
    assert "has not connected" in page and 'value="real@elsewhere.example"' in page
    assert "real@elsewhere.example" not in visitor.get("/sign-in").get_data(as_text=True)


def test_a_new_key_is_fetched_once_and_not_again_for_every_unknown_one(door: Door) -> None:
    door.link()
    provider = door.provider
    provider.kid, provider.published = "turned", ["turned"]
    assert is_in(door.signed_in())
    fetched = provider.asked.count("/jwks")
    provider.sign = lambda p, claims: p.signed(claims, kid="never-published")
    for _ in range(3):
        visitor = door.site.visitor()
        door.set_out(visitor)
        assert door.come_back(visitor, f"code-{time.monotonic_ns()}").status_code == 403
    assert provider.asked.count("/jwks") == fetched


def test_only_the_providers_origins_are_where_forms_may_lead(door: Door) -> None:
    def targets(page: Any) -> str:
        policy = str(page.headers["Content-Security-Policy"])
        return policy.partition("form-action ")[2].partition(";")[0]

    assert targets(door.site.visitor().get("/sign-in")) == f"'self' {door.provider.issuer}"
    assert targets(door.site.visitor().get("/help")) == "'self'"
    by_password = door.link()
    assert targets(by_password.get("/account")) == "'self'"
    by_provider = door.signed_in()
    assert targets(by_provider.get("/account")) == f"'self' {door.provider.issuer}"
    # also of a page that refuses
    assert targets(by_provider.get("/admin")) == f"'self' {door.provider.issuer}"
