"""Every address of the map with every kind of hostile value: a clear refusal of ours, and nothing half-written.

The walk is over the map itself: a new route is attacked by being there, and must say in `forms.py` what it takes.
"""

from __future__ import annotations

from uuid import uuid4

from hub.web.routes import DECLARED, Data
from tests.attacks.arena import Arena
from tests.attacks.checks import Tables, fault_of, told, words_of
from tests.attacks.conftest import Cast
from tests.attacks.door_forms import OF_THEIR_OWN
from tests.attacks.forms import forms
from tests.attacks.parameters import PARAMETERS
from tests.attacks.values import (
    ALIKE,
    COOKIES,
    HEADERS,
    IN_ADDRESSES,
    SCRIPT,
)
from tests.attacks.walking import address_of, asker, posted, rules


def test_every_form_and_parameter_of_the_map_is_attacked_here(arena: Arena) -> None:
    posts = {rule.endpoint for rule in rules(arena, "POST")}
    assert posts == set(forms(arena)) | OF_THEIR_OWN
    assert set(PARAMETERS) <= {rule.endpoint for rule in rules(arena, "GET")}


def test_no_id_whatever_in_an_address_is_more_than_not_found(
    arena: Arena, cast: Cast, tables: Tables
) -> None:
    before, faults, asked = tables.now(), [], 0
    for method in ("GET", "POST"):
        for rule in rules(arena, method):
            for name in rule.arguments:
                # a stand-in that the rule takes, so that the hostile text lands where the value stands
                stand_in = (
                    str(uuid4()) if name.endswith("_id") else "4711" if name == "number" else "stand-in"
                )
                whole = address_of(arena, rule, **{name: stand_in})
                for kind, text in IN_ADDRESSES.items():
                    client, address = cast(asker(rule.endpoint)), whole.replace(stand_in, text)
                    answer = client.get(address) if method == "GET" else posted(client, address, {})
                    asked += 1
                    fault = fault_of(answer, may=() if name.endswith("_id") else (200, 302, 303, 308))
                    if fault:
                        faults.append(f"{method} {rule.endpoint} {name} {kind}: {fault}")
    assert not faults, told(faults)
    assert asked > 500
    assert tables.now() == before


def test_nobody_elses_id_and_none_is_more_than_not_found(arena: Arena, cast: Cast, tables: Tables) -> None:
    before, faults = tables.now(), []
    others = {**arena.ids_of(arena.police), "user_id": arena.site.world.users["police_auditor"]}
    for method in ("GET", "POST"):
        for rule in rules(arena, method):
            for name in (one for one in rule.arguments if one.endswith("_id")):
                for key in (
                    others[name],
                    uuid4(),
                    arena.mine.entry_id,
                    "ffffffff-ffff-ffff-ffff-ffffffffffff",
                ):
                    # whatever stands in the directory may be asked about
                    known = (
                        name in ("agreement_id", "notification_id")
                        or rule.endpoint == "oversight.organisation"
                    )
                    if known and key == others[name]:
                        continue
                    if name == "entry_id" and key == arena.mine.entry_id:
                        continue
                    client, address = cast(asker(rule.endpoint)), address_of(arena, rule, **{name: key})
                    answer = (
                        client.get(address)
                        if method == "GET"
                        else posted(client, address, forms(arena).get(rule.endpoint, ("", {}))[1])
                    )
                    fault = fault_of(answer, may=())
                    if fault or arena.police.word in words_of(answer):
                        faults.append(f"{method} {rule.endpoint} {name}={key}: {fault or 'a leak'}")
    assert not faults, told(faults)
    assert tables.now() == before


def test_no_parameter_of_an_address_breaks_a_page(arena: Arena, cast: Cast, tables: Tables) -> None:
    before, faults = tables.now(), []
    for rule in rules(arena, "GET"):
        client, address = cast(asker(rule.endpoint)), address_of(arena, rule)
        if rule.endpoint == "health.health":
            continue
        for name in PARAMETERS.get(rule.endpoint, ("any",)):
            for kind, text in IN_ADDRESSES.items():
                if (name == "any" and kind != "nul inside") or kind in ALIKE:
                    continue
                answer = client.get(f"{address}?{name}={text}")
                fault = fault_of(answer)
                if fault or SCRIPT in words_of(answer):
                    faults.append(f"{rule.endpoint} {name} {kind}: {fault or 'markup as it came'}")
            answer = client.get(
                address + "?" + "&".join(f"{name}=a&{name}[]=b&{name}[x]=c" for _ in range(100))
            )
            faults += [f"{rule.endpoint} {name} repeated: {fault}" for fault in [fault_of(answer)] if fault]
    assert not faults, told(faults)
    assert tables.now() == before


def test_other_methods_are_refused_and_asking_for_headers_changes_nothing(
    arena: Arena, cast: Cast, tables: Tables
) -> None:
    before, faults = tables.now(), []
    for rule in rules(arena, "GET") + rules(arena, "POST"):
        client, address = cast(asker(rule.endpoint)), address_of(arena, rule)
        if rule.endpoint == "health.health":
            continue
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 50):
            answer = client.http.open(address, method=method)
            if method != "get" and answer.status_code != 405:
                faults.append(f"{method} {address}: {answer.status_code}")
            faults += [f"{method} {address}: {fault}" for fault in [fault_of(answer)] if fault]
        form = forms(arena).get(rule.endpoint, ("", {}))[1]
        for method in ("HEAD", "GET", "OPTIONS"):
            # a form sent by a method that needs no token must not be carried out
            answer = client.http.open(address, method=method, data={**form, "form_key": str(uuid4())})
            faults += [f"{method} {address}: {fault}" for fault in [fault_of(answer)] if fault]
            if "GET" in (rule.methods or ()) and method == "HEAD":
                plain = client.http.get(address)
                if plain.status_code != answer.status_code:
                    faults.append(f"HEAD {address}: {answer.status_code}, GET {plain.status_code}")
    assert not faults, told(faults)
    assert tables.now() == before


def test_no_header_breaks_a_page(arena: Arena, cast: Cast, tables: Tables) -> None:
    before, faults = tables.now(), []
    addresses = [f"/cases/{arena.mine.case_id}", "/sign-in", "/health", "/", "/nowhere", "/search?q=a"]
    for address in addresses:
        for kind, headers in HEADERS.items():
            answer = cast("officer").http.get(address, headers=_latin(headers))
            fault = fault_of(answer) if address != "/health" else None
            if "evil" in answer.headers.get("Location", "") or "evil.example" in answer.get_data(
                as_text=True
            ):
                fault = "another host in the answer"
            if fault:
                faults.append(f"{address} {kind}: {fault}")
    assert not faults, told(faults)
    assert tables.now() == before


def _latin(headers: dict[str, str]) -> dict[str, str]:
    return {name: value.encode().decode("latin-1") for name, value in headers.items()}


def test_no_cookie_breaks_a_page_or_lets_anybody_in(arena: Arena, tables: Tables) -> None:
    before, faults = tables.now(), []
    client = arena.site.app.test_client(use_cookies=False)
    for rule in rules(arena, "GET"):
        address = address_of(arena, rule)
        public = DECLARED[rule.endpoint].data in (Data.NONE,) or rule.endpoint == "accounts.sign_in"
        for kind, cookie in COOKIES.items():
            answer = client.get(address, headers={"Cookie": cookie})
            fault = fault_of(answer) if rule.endpoint != "health.health" else None
            if not fault and not public and answer.status_code == 200:
                fault = "let in"
            if fault:
                faults.append(f"{rule.endpoint} {kind}: {fault}")
    for rule in rules(arena, "POST"):
        for kind, cookie in COOKIES.items():
            answer = client.post(
                address_of(arena, rule), headers={"Cookie": cookie}, data={"csrf_token": "x"}
            )
            faults += [f"{rule.endpoint} {kind}: {fault}" for fault in [fault_of(answer, may=())] if fault]
    assert not faults, told(faults)
    assert tables.now() == before
