"""Signing in with a passkey: who has it comes in without a name or a password; whatever is false about it is refused and written."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.accounts.cookies import STEP
from hub.web.identity import COOKIE
from tests.fixtures.site import Client, Site
from tests.passkeys.authenticator import Device
from tests.passkeys.conftest import Refusals, Sql
from tests.passkeys.door import SIGN_IN, asked, sign_in, with_passkey

REFUSED = "This passkey does not open an account here. Try another, or sign in another way."


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def test_who_has_the_passkey_comes_in_without_a_name(site: Site, sql: Sql, refusals: Refusals) -> None:
    _, device = with_passkey(site, "officer")
    visitor = site.visitor()
    answer = sign_in(visitor, device)
    assert answer.status_code == 200 and answer.get_json() == {"address": "/account"}
    assert "Amara Okafor" in visitor.get("/account").text
    assert sql("SELECT method, device_bound FROM user_session ORDER BY created_at DESC LIMIT 1") == [
        ("passkey", True)
    ]
    assert sql("SELECT sign_count, last_used_at IS NOT NULL FROM passkey") == [(2, True)]
    body = "convert_from(body, 'UTF8')::jsonb #>> '{facts,method}'"
    events = sql(f"SELECT {body} FROM audit.event WHERE act = 'session.started' ORDER BY at DESC LIMIT 1")
    assert events == [("passkey",)]
    assert refusals() == []


def test_the_challenge_is_long_names_nobody_and_asks_that_the_user_is_verified(site: Site) -> None:
    visitor = site.visitor()
    first, second = asked(visitor, f"{SIGN_IN}/begin"), asked(visitor, f"{SIGN_IN}/begin")
    assert first["challenge"] != second["challenge"] and len(first["challenge"]) == 43
    assert first["userVerification"] == "required" and first["rpId"] == "localhost"
    assert first["allowCredentials"] == [] and first["timeout"] == 300_000
    cookie = visitor.http.get_cookie(STEP)
    assert cookie is not None and cookie.secure and cookie.http_only and cookie.max_age == 300


LIES: dict[str, dict[str, Any]] = {
    "wrong origin": {"origin": "http://localhost.evil.test:8480"},
    "wrong relying party": {"rp_id": "evil.test"},
    "old challenge": {"challenge": b"c" * 32},
    "user not verified": {"verified": False},
    "another key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "inside another page": {"framed": True},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_false_proof_is_refused_and_written(
    site: Site, sql: Sql, refusals: Refusals, lie: dict[str, Any]
) -> None:
    _, device = with_passkey(site, "officer")
    visitor = site.visitor()
    answer = sign_in(visitor, device, **lie)
    assert answer.status_code == 403 and answer.get_json()["message"] == REFUSED
    assert visitor.http.get_cookie(COOKIE) is None and not is_in(visitor)
    assert refusals() == [("passkey_untrue", "denied", str(site.world.users["officer"]))]
    # what anybody could send in its name does no harm to it
    assert sign_in(visitor, device).status_code == 200


def test_a_proof_counts_once_and_only_for_its_own_challenge(site: Site, refusals: Refusals) -> None:
    _, device = with_passkey(site, "officer")
    visitor = site.visitor()
    proof = {"credential": device.prove(asked(visitor, f"{SIGN_IN}/begin"))}
    step = visitor.http.get_cookie(STEP)
    assert step is not None
    assert visitor.post(SIGN_IN, proof).status_code == 200
    thief = site.visitor()
    thief.http.set_cookie(STEP, step.value, secure=True)
    again = thief.post(SIGN_IN, proof)
    assert again.status_code == 403 and "done already" in again.get_json()["message"]
    assert not is_in(thief)
    # and under a challenge of the thief's own
    asked(thief, f"{SIGN_IN}/begin")
    assert thief.post(SIGN_IN, proof).get_json()["message"] == REFUSED
    assert [why for why, _, _ in refusals()] == ["ceremony_over", "passkey_untrue"]


def test_a_failed_proof_uses_up_its_challenge(site: Site, refusals: Refusals) -> None:
    _, device = with_passkey(site, "officer")
    visitor = site.visitor()
    options = asked(visitor, f"{SIGN_IN}/begin")
    false = visitor.post(SIGN_IN, {"credential": device.prove(options, verified=False)})
    true = visitor.post(SIGN_IN, {"credential": device.prove(options)})
    assert false.status_code == true.status_code == 403 and not is_in(visitor)
    assert [why for why, _, _ in refusals()] == ["passkey_untrue", "ceremony_over"]


def test_a_challenge_is_of_the_browser_that_asked_for_it(site: Site, refusals: Refusals) -> None:
    _, device = with_passkey(site, "officer")
    one, other = site.visitor(), site.visitor()
    options = asked(one, f"{SIGN_IN}/begin")
    asked(other, f"{SIGN_IN}/begin")
    assert other.post(SIGN_IN, {"credential": device.prove(options)}).status_code == 403
    bare = site.visitor()
    assert bare.post(SIGN_IN, {"credential": device.prove(options)}).status_code == 403
    assert not is_in(other) and not is_in(bare)
    assert [why for why, _, _ in refusals()] == ["passkey_untrue", "ceremony_over"]


def test_a_challenge_runs_out_after_five_minutes(site: Site, sql: Sql, refusals: Refusals) -> None:
    _, device = with_passkey(site, "officer")
    visitor = site.visitor()
    options = asked(visitor, f"{SIGN_IN}/begin")
    left = "SELECT round(extract(epoch FROM expires_at - now())) FROM ceremony"
    assert 295 <= sql(left)[0][0] <= 300
    sql("UPDATE ceremony SET expires_at = now() - interval '1 second'")
    assert visitor.post(SIGN_IN, {"credential": device.prove(options)}).status_code == 403
    assert refusals() == [("ceremony_over", "denied", None)]


def test_a_challenge_for_something_else_opens_no_door(site: Site, refusals: Refusals) -> None:
    client, device = with_passkey(site, "officer")
    options = asked(client, "/session/confirm/passkey/begin")
    step = client.http.get_cookie(STEP)
    assert step is not None
    visitor = site.visitor()
    visitor.http.set_cookie(STEP, step.value, secure=True)
    assert visitor.post(SIGN_IN, {"credential": device.prove(options)}).status_code == 403
    assert [why for why, _, _ in refusals()] == ["ceremony_over"]


def test_unknown_removed_and_of_a_closed_account_read_the_same(
    site: Site, sql: Sql, refusals: Refusals
) -> None:
    _, device = with_passkey(site, "officer")
    unknown = Device(handle=device.handle)
    answers = [sign_in(site.visitor(), unknown)]
    sql("UPDATE app_user SET disabled_at = now(), disabled_why = 'left' WHERE email = 'officer@example.org'")
    answers.append(sign_in(site.visitor(), device))
    sql("UPDATE app_user SET disabled_at = NULL, disabled_why = NULL")
    sql("UPDATE passkey SET removed_at = now()")
    answers.append(sign_in(site.visitor(), device))
    assert {(one.status_code, one.text) for one in answers} == {(403, answers[0].text)}
    assert [why for why, _, _ in refusals()] == ["passkey_unknown", "account_closed", "passkey_removed"]


def test_a_passkey_says_whose_it_is(site: Site, refusals: Refusals) -> None:
    _, device = with_passkey(site, "officer")
    for handle in (b"", site.world.users["manager"].bytes):
        assert sign_in(site.visitor(), device, handle=handle).status_code == 403
    assert [why for why, _, _ in refusals()] == ["passkey_foreign", "passkey_foreign"]


def test_one_that_counts_back_is_taken_out_of_use_and_its_user_told(
    site: Site, sql: Sql, refusals: Refusals
) -> None:
    _, device = with_passkey(site, "officer")
    assert sign_in(site.visitor(), device, count=7).status_code == 200
    # a count that was never signed proves no copy
    false = {"count": 7, "key": ec.generate_private_key(ec.SECP256R1())}
    assert sign_in(site.visitor(), device, **false).status_code == 403
    assert sign_in(site.visitor(), device, count=8).status_code == 200
    inside = site.as_user("officer")
    assert is_in(inside)
    copied = sign_in(site.visitor(), device, count=8)
    # whoever has the copy may have been in already
    assert not is_in(inside)
    assert copied.status_code == 403 and copied.get_json()["message"] == REFUSED
    assert sign_in(site.visitor(), device, count=9).status_code == 403
    whose = str(site.world.users["officer"])
    assert refusals() == [
        (why, "denied", whose) for why in ("passkey_untrue", "passkey_copied", "passkey_removed")
    ]
    assert sql("SELECT count(*) FROM passkey WHERE removed_at IS NOT NULL") == [(1,)]
    told = "WHERE kind = 'passkey.suspended' AND user_id = :user"
    for table in ("notification", "outbox_message"):
        assert sql(f"SELECT count(*) FROM {table} {told}", user=whose) == [(1,)]


def test_one_that_does_not_count_is_let_in_each_time(site: Site) -> None:
    client, device = site.as_user("officer"), Device()
    options = asked(client, "/account/passkeys/begin", label="Phone")
    form = {"credential": device.make(options, count=0), "label": "Phone"}
    assert client.post("/account/passkeys/add", form).status_code == 200
    assert [sign_in(site.visitor(), device, count=0).status_code for _ in range(2)] == [200, 200]


def test_one_that_says_it_is_of_another_kind_than_it_was_made_is_refused(site: Site) -> None:
    _, device = with_passkey(site, "officer", copies=True)
    device.copies = False
    assert sign_in(site.visitor(), device).status_code == 403


def test_a_form_from_elsewhere_begins_and_ends_nothing(site: Site, sql: Sql) -> None:
    _, device = with_passkey(site, "officer")
    visitor = site.visitor()
    options = asked(visitor, f"{SIGN_IN}/begin")
    form = {"credential": device.prove(options)}
    foreign = {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}
    assert visitor.post(SIGN_IN, form, headers=foreign).status_code == 400
    assert visitor.post(SIGN_IN, {**form, "csrf_token": "0" * 64}).status_code == 400
    assert visitor.post(f"{SIGN_IN}/begin", {"csrf_token": "0" * 64}).status_code == 400
    assert not is_in(visitor) and sql("SELECT count(*) FROM ceremony") == [(1,)]
    # the one that was begun here still stands
    assert visitor.post(SIGN_IN, form).status_code == 200


def test_a_source_can_try_only_so_often(site: Site, sql: Sql, refusals: Refusals) -> None:
    visitor = site.visitor()
    tries = [visitor.post(SIGN_IN, {"credential": "{}"}).status_code for _ in range(31)]
    assert tries == [403] * 30 + [429]
    # what was refused for that was not looked at
    assert len(refusals()) == 30
    begun = [visitor.post(f"{SIGN_IN}/begin").status_code for _ in range(61)]
    assert begun == [200] * 60 + [429]
    assert sql("SELECT count(*) FROM ceremony") == [(60,)]


BROKEN = (
    "", "{}", "[]", "null", "x" * 70_000, "[" * 60_000, '{"id": 1}', '{"id": "\ud800", "rawId": "", "type": "public-key"}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}',
    '{"id":"é","rawId":"é","type":"public-key","response":{"clientDataJSON":"é","authenticatorData":"é","signature":"é"}}',
)  # fmt: skip


def test_nonsense_is_refused_and_breaks_nothing(site: Site) -> None:
    visitor = site.visitor()
    for sent in BROKEN:
        asked(visitor, f"{SIGN_IN}/begin")
        answer = visitor.post(SIGN_IN, {"credential": sent.encode("utf-8", "replace")})
        assert answer.status_code in (403, 413) and answer.get_json()["message"], sent[:80]


def test_a_proof_with_any_byte_changed_is_refused_and_breaks_nothing(site: Site, sql: Sql) -> None:
    _, device = with_passkey(site, "officer")
    visitor = site.visitor()
    for _ in range(60):
        sql("DELETE FROM throttle")
        sent = bytearray(device.prove(asked(visitor, f"{SIGN_IN}/begin")).encode())
        # within a value, where base 64 reads it as other bytes
        at = secrets.randbelow(len(sent) - 60) + 20
        sent[at] = ord("Q") if sent[at] != ord("Q") else ord("7")
        status = visitor.post(SIGN_IN, {"credential": bytes(sent)}).status_code
        assert status in (200, 403, 413), (status, bytes(sent))
        if status == 200:
            # a letter of a value's last three bits that say nothing
            visitor = site.visitor()
