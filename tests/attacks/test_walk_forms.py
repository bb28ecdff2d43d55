"""What forms and bodies an attacker sends: no field breaks or half writes, and nothing is done without the form's token."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.attacks.arena import Arena
from tests.attacks.checks import Tables, fault_of, told
from tests.attacks.conftest import Cast
from tests.attacks.forms import forms
from tests.attacks.values import (
    IN_FIELDS,
    IN_TEXTS,
    NUMBERS,
    TEXTS,
)
from tests.attacks.walking import address_of, posted, rules


@pytest.mark.parametrize(
    "who", ["officer", "manager", "spoc", "auditor", "sergeant", "charity_spoc", "police_spoc"]
)
def test_no_field_of_a_form_breaks_or_half_writes(arena: Arena, cast: Cast, tables: Tables, who: str) -> None:
    faults, sent = [], 0
    by_endpoint = {rule.endpoint: rule for rule in rules(arena, "POST")}
    for endpoint, (user, right) in forms(arena).items():
        if user != who:
            continue
        client, address = cast(user), address_of(arena, by_endpoint[endpoint])
        state = tables.now()
        for kind, form in wrong_forms(right):
            answer = posted(client, address, form)
            sent += 1
            fault = fault_of(answer)
            after = tables.now()
            if not fault and answer.status_code >= 400 and after != state:
                changed = [name for name in after if after[name] != state.get(name)]
                fault = f"{answer.status_code} and changed {changed}"
            state = after
            if fault:
                faults.append(f"{endpoint} {kind}: {fault}")
    assert not faults, told(faults)
    assert sent > 10


def wrong_forms(right: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The form with nothing in it, with every other field, with hostile values everywhere, and in its free texts alone."""
    wrong: list[tuple[str, dict[str, Any]]] = [("no field at all", {})]
    wrong += [
        (f"{which} fields", dict(list(right.items())[start::2])) for which, start in (("odd", 0), ("even", 1))
    ]
    wrong += [(f"all {kind}", dict.fromkeys(right, text)) for kind, text in IN_FIELDS.items()]
    for name in NUMBERS:
        wrong += [
            (f"{name} {kind}", {**right, name: IN_FIELDS[kind]})
            for kind in ("number", "a large number")
            if name in right
        ]
    texts = [name for name in right if name in TEXTS]
    wrong += [
        (f"texts {kind}", {**right, **dict.fromkeys(texts, text)}) for kind, text in IN_TEXTS.items() if texts
    ]
    return wrong


def test_a_form_without_its_own_token_does_nothing(arena: Arena, cast: Cast, tables: Tables) -> None:
    before, faults = tables.now(), []
    foreign = cast("reader").csrf
    headers: dict[str, dict[str, str]] = {
        "": {},
        "wrong": {"csrf_token": "0" * 64},
        "nul": {"csrf_token": "\0"},
        "letters": {"csrf_token": "ł" * 64},
        "another's": {"csrf_token": foreign},
    }
    for rule in rules(arena, "POST"):
        user, form = forms(arena).get(rule.endpoint, ("officer", {}))
        client, address = cast(user), address_of(arena, rule)
        for kind, token in headers.items():
            answer = client.http.post(address, data={**form, **token, "form_key": str(uuid4())})
            fault = fault_of(answer, may=())
            if fault:
                faults.append(f"{rule.endpoint} token {kind}: {fault}")
        for header in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
        ):
            answer = client.post(address, form, headers=header)
            if answer.status_code != 400:
                faults.append(f"{rule.endpoint} {header}: {answer.status_code}")
    assert not faults, told(faults)
    assert tables.now() == before


def test_a_body_of_another_kind_does_nothing(arena: Arena, cast: Cast, tables: Tables) -> None:
    before, faults = tables.now(), []
    mark = "x-mark"
    part = f'--{mark}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\nx\r\n'
    file = (
        f'--{mark}\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nabc\r\n--{mark}--\r\n'
    )
    bodies: list[tuple[str, bytes, str]] = [
        ("json", b'{"csrf_token": null, "a": [[[', "application/json"),
        ("xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "application/xml"),
        ("a file", (part + file).encode(), f"multipart/form-data; boundary={mark}"),
        ("no boundary", b"abc", "multipart/form-data"),
        ("a broken part", b"--x-mark\r\n\r\n", f"multipart/form-data; boundary={mark}"),
        ("no kind", b"csrf_token=x", ""),
        ("a kind of nonsense", b"csrf_token=x", "\x01;;;=,"),
        ("utf-16", "csrf_token=ł".encode("utf-16"), "application/x-www-form-urlencoded; charset=utf-16"),
        ("broken percents", b"csrf_token=%&%zz=%u0000&&&=", "application/x-www-form-urlencoded"),
        ("3 MB", b"text=" + b"z" * 3_000_000, "application/x-www-form-urlencoded"),
        ("1,000 fields", b"&".join(b"a%d=b" % n for n in range(1000)), "application/x-www-form-urlencoded"),
    ]
    for rule in rules(arena, "POST"):
        user, _ = forms(arena).get(rule.endpoint, ("officer", {}))
        client, address = cast(user), address_of(arena, rule)
        for kind, body, content_type in bodies:
            answer = client.http.post(address, data=body, content_type=content_type)
            fault = fault_of(answer, may=())
            if fault:
                faults.append(f"{rule.endpoint} {kind}: {fault}")
    assert not faults, told(faults)
    assert tables.now() == before
