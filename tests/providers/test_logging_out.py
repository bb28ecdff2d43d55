"""A provider ends sessions (back-channel logout); what is not its word ends none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from hub.web.identity import COOKIE
from tests.providers.conftest import Door, is_in
from tests.providers.hostile import LOGOUT_EVENT, Hostile, hostile, signed_with_the_public_key, unsigned

ADDRESS = "/sign-in/provider-logout"


def _tell(door: Door, token: object, **headers: str) -> int:
    """As a provider's own program asks: no cookie, no form of ours."""
    told = door.site.app.test_client().post(ADDRESS, data={"logout_token": token}, headers=headers)
    return told.status_code


def _signed(**changes: Any) -> Callable[[Hostile], str]:
    return lambda provider: provider.signed(provider.logout_claims(**changes))


BAD: dict[str, tuple[Callable[[Hostile], str], str]] = {
    "alg none": (lambda p: unsigned(p.logout_claims()), "algorithm"),
    "HS256 with the public key": (lambda p: signed_with_the_public_key(p, p.logout_claims()), "algorithm"),
    "another key": (lambda p: p.signed(p.logout_claims(), kid="other", header={"kid": p.kid}), "signature"),
    "an unknown key": (lambda p: p.signed(p.logout_claims(), kid="never-published"), "key"),
    "another issuer": (_signed(iss="https://evil.example"), "issuer"),
    "another audience": (_signed(aud="somebody-else"), "audience"),
    "told long ago": (_signed(iat=int(time.time()) - 3600, exp=None), "expired"),
    "told in the future": (_signed(iat=int(time.time()) + 3600), "future"),
    "no time": (_signed(iat=None), "claims"),
    "expired": (_signed(exp=int(time.time()) - 120), "expired"),
    "no token id": (_signed(jti=None), "claims"),
    "no event": (_signed(events=None), "claims"),
    "another event": (_signed(events={"https://evil.example": {}}), "claims"),
    "an event that is no object": (_signed(events={LOGOUT_EVENT: "x"}), "claims"),
    "with a nonce": (_signed(nonce="x"), "claims"),
    "nobody named": (_signed(sub=None, sid=None), "subject"),
    "an ID token": (lambda p: p.signed({**p.claims(), "nonce": "x"}), "claims"),
    "nothing": (lambda _: "", "no_token"),
    "not a token": (lambda _: "a.b.c", "signature"),
    "not ASCII": (lambda _: "é" * 20, "no_token"),
}  # fmt: skip


def test_a_session_that_the_provider_ends_is_worth_nothing_at_the_next_request(door: Door) -> None:
    by_password = door.link()
    visitor = door.signed_in()
    assert (
        _tell(door, door.provider.signed(door.provider.logout_claims()), Origin="https://idp.example") == 200
    )
    assert visitor.get("/account").status_code == 302
    assert visitor.get("/account", headers={"Accept": "application/json"}).status_code == 401
    assert door.events("session.revoked") == [("ok", {"why": "provider"})]
    # what the provider did not vouch for goes on
    assert is_in(by_password)


@pytest.mark.parametrize(
    ("named", "ends"),
    [
        ({"sub": None}, True),
        ({"sid": None}, True),
        ({"sid": "another-session"}, False),
        ({"sub": "another-subject", "sid": None}, False),
    ],
)
def test_the_session_or_the_subject_that_is_named_is_whose_sessions_end(
    door: Door, named: dict[str, Any], ends: bool
) -> None:
    door.link()
    visitor = door.signed_in()
    assert _tell(door, door.provider.signed(door.provider.logout_claims(**named))) == 200
    assert is_in(visitor) is not ends


def test_a_logout_token_that_is_not_right_ends_nothing_and_is_written_down(door: Door) -> None:
    door.link()
    visitor = door.signed_in()
    for name, (made, why) in BAD.items():
        assert _tell(door, made(door.provider)) == 400, name
        assert door.events("session.refused")[0] == ("denied", {"why": f"provider_{why}"}), name
    assert is_in(visitor) and door.events("session.revoked") == []


def test_a_logout_token_is_worth_something_once(door: Door) -> None:
    door.link()
    first = door.signed_in()
    token = door.provider.signed(door.provider.logout_claims())
    assert _tell(door, token) == 200 and not is_in(first)
    second = door.signed_in()
    assert _tell(door, token) == 400 and is_in(second)
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_logout"})


def test_another_provider_ends_nobody_elses_sessions(door: Door) -> None:
    door.link()
    visitor = door.signed_in()
    with hostile("second") as other:
        assert _tell(door, other.signed(other.logout_claims())) == 400
        # under the council's name, with its own key
        forged = other.logout_claims(iss=door.provider.issuer)
        assert _tell(door, other.signed(forged, header={"kid": door.provider.kid})) == 400
    assert is_in(visitor)


def test_the_providers_word_is_taken_without_a_form_of_ours_and_no_other_routes_is(door: Door) -> None:
    visitor = door.site.as_user("officer")
    # a session's cookie changes nothing there: it is not looked at
    token = door.provider.signed(door.provider.logout_claims())
    assert visitor.http.post(ADDRESS, data={"logout_token": token}).status_code == 200
    assert visitor.http.post("/sign-in/organisation", data={"email": "x@example.org"}).status_code == 400
    assert visitor.http.post("/account/organisation/link").status_code == 400
    assert visitor.http.get(ADDRESS).status_code == 405


def test_who_sends_many_wrong_ones_is_told_to_wait_and_the_log_is_not_filled(door: Door) -> None:
    answers = [_tell(door, "x") for _ in range(35)]
    assert answers.count(400) == 30 and set(answers[30:]) == {429}
    assert len(door.events("session.refused")) == 30
    # the right word is still heard
    assert _tell(door, door.provider.signed(door.provider.logout_claims())) == 200


def test_signing_out_here_leads_on_to_the_provider_without_anything_of_the_token(door: Door) -> None:
    door.link()
    visitor = door.signed_in()
    out = visitor.post("/sign-out")
    assert out.status_code == 303 and "Clear-Site-Data" in out.headers
    assert out.headers["Location"] == (
        f"{door.provider.issuer}/logout?client_id=hub&post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A8480%2Fsign-in"
    )
    assert visitor.http.get_cookie(COOKIE, path="/") is None
    by_password = door.site.as_user("officer")
    assert by_password.post("/sign-out").headers["Location"] == "/sign-in"
