"""One's own passkeys: added after proving who one is, named, used to confirm, taken away but never the last way in."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from webauthn.helpers import base64url_to_bytes as from_text
from webauthn.helpers import bytes_to_base64url as to_text

from hub.web.identity import COOKIE
from tests.fixtures.door import set_up_door
from tests.fixtures.site import Client, Site
from tests.passkeys.authenticator import Device
from tests.passkeys.conftest import Refusals, Sql
from tests.passkeys.door import OWN, add, asked, confirm, sign_in, with_passkey

STALE = "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'"


def own_id(sql: Sql) -> str:
    return str(sql("SELECT id FROM passkey ORDER BY created_at DESC LIMIT 1")[0][0])


def acts(sql: Sql) -> list[str]:
    return [row[0] for row in sql("SELECT act FROM audit.event WHERE act LIKE 'passkey.%' ORDER BY at")]


def test_a_passkey_is_added_listed_and_told_of(site: Site, sql: Sql) -> None:
    elsewhere = site.as_user("officer")
    assert elsewhere.get("/account").status_code == 200
    client, device = with_passkey(site, "officer")
    page = client.get(OWN).text
    assert "Work laptop" in page and "On one device" in page and "Never" in page
    assert sql("SELECT credential_id, device_bound, label FROM passkey") == [(device.id, True, "Work laptop")]
    assert acts(sql) == ["passkey.added"]
    assert sql("SELECT kind, address FROM notification") == [("passkey.added", OWN)]
    assert sql("SELECT count(*) FROM outbox_message WHERE kind = 'passkey.added'") == [(1,)]
    # whoever sits at another session of this account has to come in anew
    assert elsewhere.get("/account").status_code == 302


def test_what_is_asked_of_the_device(site: Site) -> None:
    client, device = with_passkey(site, "officer")
    options = asked(client, f"{OWN}/begin", label="Second")
    assert options["authenticatorSelection"] == {
        "residentKey": "required", "requireResidentKey": True, "userVerification": "required"
    }  # fmt: skip
    assert options["attestation"] == "none" and options["rp"] == {"name": "Partner hub", "id": "localhost"}
    assert [one["id"] for one in options["excludeCredentials"]] == [to_text(device.id)]
    assert from_text(options["user"]["id"]) == site.world.users["officer"].bytes
    assert [one["alg"] for one in options["pubKeyCredParams"]] == [-8, -7, -257]


LIES: dict[str, dict[str, Any]] = {
    "wrong origin": {"origin": "https://evil.test"},
    "wrong relying party": {"rp_id": "evil.test"},
    "old challenge": {"challenge": b"c" * 32},
    "user not verified": {"verified": False},
    "inside another page": {"framed": True},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_what_was_not_asked_for_is_not_added(
    site: Site, sql: Sql, refusals: Refusals, lie: dict[str, Any]
) -> None:
    answer = add(site.as_user("officer"), Device(), **lie)
    assert answer.status_code == 422 and "could not be added" in answer.get_json()["message"]
    assert sql("SELECT count(*) FROM passkey") == [(0,)]
    assert refusals() == [("passkey_untrue", "denied", str(site.world.users["officer"]))]


def test_a_challenge_adds_one_passkey_in_the_session_that_asked(site: Site, sql: Sql) -> None:
    client, device = site.as_user("officer"), Device()
    form = {"credential": device.make(asked(client, f"{OWN}/begin", label="Key")), "label": "Key"}
    step = client.http.get_cookie("__Host-hub-step")
    assert step is not None
    other = site.as_user("officer")
    other.http.set_cookie("__Host-hub-step", step.value, secure=True)
    assert other.post(f"{OWN}/add", form).status_code == 403
    assert client.post(f"{OWN}/add", form).status_code == 200
    assert client.post(f"{OWN}/add", form).status_code == 403
    assert sql("SELECT count(*) FROM passkey") == [(1,)]


def test_an_attestation_that_nobody_could_check_is_not_taken(site: Site, sql: Sql) -> None:
    client, device = site.as_user("officer"), Device()
    sent = device.make(asked(client, f"{OWN}/begin", label="Key"))
    start = sent.index('"attestationObject": "') + 22
    made = cbor2.loads(from_text(sent[start:-3]))
    for kind in ("apple", "android-safetynet", "fido-u2f", "nothing known"):
        told = to_text(cbor2.dumps({**made, "fmt": kind, "attStmt": {"x5c": [b"\0"], "sig": b"\0"}}))
        asked(client, f"{OWN}/begin", label="Key")
        form = {"credential": f'{sent[:start]}{told}"}}}}', "label": "Key"}
        assert client.post(f"{OWN}/add", form).status_code == 422, kind
    assert sql("SELECT count(*) FROM passkey") == [(0,)]


def test_nobody_adds_a_passkey_that_is_or_was_another_s(site: Site, sql: Sql) -> None:
    _, device = with_passkey(site, "officer")
    thief = Device(id=device.id)
    assert add(site.as_user("manager"), thief).status_code == 409
    sql("UPDATE passkey SET removed_at = now()")
    assert add(site.as_user("manager"), thief).status_code == 409
    assert sql("SELECT user_id FROM passkey") == [(site.world.users["officer"],)]


def test_a_passkey_has_a_name_of_one_line(site: Site) -> None:
    client = site.as_user("officer")
    for label in ("", "   ", "x" * 61):
        answer = client.post(f"{OWN}/begin", {"label": label})
        assert answer.status_code == 422 and answer.get_json()["errors"]["label"]


def test_a_user_has_ten_at_most(site: Site, sql: Sql) -> None:
    client = site.as_user("officer")
    for _ in range(10):
        assert add(client, Device()).status_code == 200
    answer = client.post(f"{OWN}/begin", {"label": "One more"})
    assert answer.status_code == 409 and "Remove one" in answer.get_json()["message"]


def test_adding_and_removing_ask_who_it_is_again(site: Site, sql: Sql) -> None:
    client, _ = with_passkey(site, "officer")
    gone = f"{OWN}/{own_id(sql)}/remove"
    sql(STALE)
    for answer in (client.get(f"{OWN}/new"), client.get(gone)):
        assert answer.status_code == 303 and answer.location.startswith("/session/confirm?")
    for address in (f"{OWN}/begin", f"{OWN}/add", gone):
        answer = client.post(address, {"label": "Key"})
        assert answer.status_code == 303 and answer.location.startswith("/session/confirm?")
    assert sql("SELECT count(*) FROM passkey WHERE removed_at IS NULL") == [(1,)]


def test_another_name_is_given_and_a_wrong_one_comes_back(site: Site, sql: Sql) -> None:
    client, _ = with_passkey(site, "officer")
    address = f"{OWN}/{own_id(sql)}"
    wrong = client.post(address, {"label": "y" * 61})
    assert wrong.status_code == 422 and "y" * 61 in wrong.text and "60 characters or fewer" in wrong.text
    assert client.post(address, {"label": " Key\n ring "}).status_code == 303
    assert "Key ring" in client.get(OWN).text
    assert acts(sql) == ["passkey.added", "passkey.renamed"]


def test_a_removed_passkey_opens_nothing_and_sessions_elsewhere_end(site: Site, sql: Sql) -> None:
    set_up_door(site, "officer")
    client, device = with_passkey(site, "officer")
    elsewhere = site.visitor()
    assert sign_in(elsewhere, device).status_code == 200
    assert client.post(f"{OWN}/{own_id(sql)}/remove").status_code == 303
    assert elsewhere.get("/account").status_code == 302 and client.get(OWN).status_code == 200
    assert sign_in(site.visitor(), device).status_code == 403
    assert acts(sql) == ["passkey.added", "passkey.removed"]
    assert sql("SELECT count(*) FROM outbox_message WHERE kind = 'passkey.removed'") == [(1,)]
    assert "You have no passkey" in client.get(OWN).text


def test_the_last_way_in_stays(site: Site, sql: Sql) -> None:
    client, _ = with_passkey(site, "officer")
    first = own_id(sql)
    answer = client.post(f"{OWN}/{first}/remove")
    assert answer.status_code == 409 and "the only way into your account" in answer.text
    assert add(client, Device(), "Spare key").status_code == 200
    assert client.post(f"{OWN}/{first}/remove").status_code == 303
    assert client.post(f"{OWN}/{own_id(sql)}/remove").status_code == 409
    assert sql("SELECT label FROM passkey WHERE removed_at IS NULL") == [("Spare key",)]


def test_another_s_passkey_is_as_if_it_were_not_there(site: Site, sql: Sql) -> None:
    with_passkey(site, "officer")
    address = f"{OWN}/{own_id(sql)}"
    manager = site.as_user("manager")
    assert "Work laptop" not in manager.get(OWN).text
    assert manager.get(address).status_code == manager.get(f"{address}/remove").status_code == 404
    assert manager.post(address, {"label": "Mine"}).status_code == 404
    assert manager.post(f"{address}/remove").status_code == 404
    assert sql("SELECT label FROM passkey WHERE removed_at IS NULL") == [("Work laptop",)]


def cookie_of(client: Client) -> str:
    found = client.http.get_cookie(COOKIE)
    assert found is not None
    return str(found.value)


def test_confirming_gives_the_session_a_new_token(site: Site, sql: Sql) -> None:
    client, device = with_passkey(site, "officer")
    before = cookie_of(client)
    sql(STALE)
    assert "Confirm with a passkey" in client.get("/session/confirm").text
    answer = confirm(client, device)
    assert answer.status_code == 200 and answer.get_json() == {"address": "/account"}
    assert cookie_of(client) != before
    assert client.get(f"{OWN}/new").status_code == 200
    thief = site.visitor()
    thief.http.set_cookie(COOKIE, before, secure=True)
    assert thief.get("/account").status_code == 302


def test_confirming_is_offered_to_who_has_a_passkey(site: Site) -> None:
    client = site.as_user("officer")
    assert "Confirm with a passkey" not in client.get("/session/confirm").text
    answer = client.post("/session/confirm/passkey/begin")
    assert answer.status_code == 409 and "no passkey" in answer.get_json()["message"]


def test_only_one_s_own_passkey_confirms_and_only_in_the_session_that_asked(
    site: Site, sql: Sql, refusals: Refusals
) -> None:
    client, device = with_passkey(site, "officer")
    _, foreign = with_passkey(site, "manager")
    sql(STALE)
    options = asked(client, "/session/confirm/passkey/begin")
    assert [one["id"] for one in options["allowCredentials"]] == [to_text(device.id)]
    assert client.post("/session/confirm/passkey", {"credential": foreign.prove(options)}).status_code == 403
    for lie in ({"verified": False}, {"origin": "https://evil.test"}):
        assert confirm(client, device, **lie).status_code == 403  # type: ignore[arg-type]
    proof = {"credential": device.prove(asked(client, "/session/confirm/passkey/begin"))}
    step = client.http.get_cookie("__Host-hub-step")
    assert step is not None
    other = site.as_user("officer")
    other.http.set_cookie("__Host-hub-step", step.value, secure=True)
    assert other.post("/session/confirm/passkey", proof).status_code == 403
    assert client.get(f"{OWN}/new").status_code == 303
    whose = str(site.world.users["officer"])
    assert refusals() == [
        ("passkey_foreign", "denied", whose),
        ("passkey_untrue", "denied", whose),
        ("passkey_untrue", "denied", whose),
        ("ceremony_over", "denied", whose),
    ]


def test_a_copy_found_while_confirming_ends_the_session_in_hand(site: Site, refusals: Refusals) -> None:
    client, device = with_passkey(site, "officer")
    assert confirm(client, device, count=9).status_code == 200
    assert confirm(client, device, count=9).status_code == 403
    assert client.get("/account").status_code == 302
    assert refusals() == [("passkey_copied", "denied", str(site.world.users["officer"]))]
