"""Whatever is sent, the answer is an error that a directory can read, never a fault of ours; and nothing of it stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from hub.directories import serving
from tests.directories.conftest import GROUP, PATCH, USER, Asking, user
from tests.fixtures.site import Site

DEEP = 20_000
STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 1e400, 2**70, "", "\0", "a\0b", "\ud800", "x" * 300, " ", "\n", [], {}, [[]], [None], {"value": "x"},
    [{"value": None}], [{"value": {"a": []}}], "\u202e", "' OR 1=1 --", "{{7*7}}", "<script>alert(1)</script>", "a\nb",
)  # fmt: skip
BODIES: tuple[bytes, ...] = (
    b"",
    b"{",
    b"null",
    b"[]",
    b"1",
    b'"x"',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"{}",
    b'{"schemas": []}',
    b'{"schemas": ["urn:x"]}',
    b'{"schemas": "x", "userName": 1}',
    b"[" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b'{"userName": "a@example.org", "userName": "b@example.org"}',
    b'{"userName": "\\u0000@example.org", "active": true}',
    b'{"userName": "\\ud800@example.org", "active": true}',
    b'{"userName": NaN}',
    b'{"USERNAME": "c@example.org", "ACTIVE": "maybe"}',
)
FILTERS = (
    "",
    "x",
    "userName",
    "userName eq",
    'userName eq "',
    "userName eq 1",
    'userName gt "a"',
    'userName eq "a\\u0000b"',
    'externalId eq "\\u0000"',
    'id eq "\\u0000"',
    'id eq "not-an-id"',
    "active eq true and",
    "not (userName pr)",
    'meta.lastModified gt "yesterday"',
    'meta.lastModified gt "2026-13-45T99:00:00Z"',
    'password eq "x"',
    'roles eq "administrator"',
    "(" * 900 + "userName pr" + ")" * 900,
    "not (" * 300 + "userName pr" + ")" * 300,
    " and ".join(["userName pr"] * 120),
    'userName co "' + "a" * 1_900 + '"',
    "x" * 3_000,
    "members[value eq",
    'members[value eq "x"].value eq "y"',
    "userName eq \"' OR '1'='1\"",
)
QUERIES = (
    "startIndex=-1",
    "startIndex=x",
    "startIndex=99999999999999999999",
    "count=-5",
    "count=x",
    "count=99999999999999999999",
    "count=0",
    "sortBy=x",
    "sortBy=meta",
    "sortBy=members",
    "sortOrder=sideways",
    "cursor=x",
    "attributes=x&excludedAttributes=y",
    "attributes=userName&excludedAttributes=title",
    "attributes=\0",
    "filter=%00",
    "filter=%ff",
    "&".join(["a=1"] * 40),
    "=&=&=",
)
PATHS = (
    "/Users/%00",
    "/Users/%ff",
    "/Users/x",
    "/Users/" + "a" * 2_000,
    "/Users/../Groups",
    "/Users/{01a22700-e5f2-7569-9297-e27b4f1f33eb}",
    "/Users/01A22700-E5F2-7569-9297-E27B4F1F33EB",
    "/Groups/x/y/z",
    "//Users",
    "/Schemas/x",
    "/ResourceTypes/%F0%9F%92%A9",
    "/Me",
    "/Bulk",
)


@pytest.fixture
def checked(
    directory: Asking, site: Site, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Asking]:
    """The council's; afterwards the accounts and teams are those that were."""
    monkeypatch.setattr(serving, "PER_TOKEN", 100_000)
    monkeypatch.setattr(serving, "PER_SOURCE", 100_000)
    directory("GET", "/ServiceProviderConfig")
    tables = ("app_user", "team", "team_membership", "directory_link", "role_holding")
    before = [site.sql(database.superuser, f"SELECT * FROM {one} ORDER BY 1, 2") for one in tables]
    yield directory
    assert [site.sql(database.superuser, f"SELECT * FROM {one} ORDER BY 1, 2") for one in tables] == before


def told(answer: Any, what: object) -> None:
    """An error in the protocol's own words; a search that finds nothing, or all, is an answer too."""
    assert answer.status_code < 500 or answer.status_code == 501, (what, answer.get_data(as_text=True))
    text = answer.get_data(as_text=True)
    if answer.status_code >= 400:
        assert answer.json["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"], what
    for inner in ("Traceback", "psycopg", "sqlalchemy", "SELECT ", "pydantic"):
        assert inner not in text, what


def test_strange_bodies_are_told_and_leave_nothing(checked: Asking, site: Site) -> None:
    officer, safety = site.world.users["officer"], site.world.teams["safety"]
    for body in BODIES:
        for method, path in (
            ("POST", "/Users"),
            ("POST", "/Groups"),
            ("PUT", f"/Users/{officer}"),
            ("PATCH", f"/Groups/{safety}"),
        ):
            answer = checked(method, path, body)
            told(answer, (method, path, body[:60]))
            assert answer.status_code >= 400, (method, path, body[:60])
        told(checked("POST", "/.search", body), body[:60])
    for kind in ("text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "\x7f"):
        told(checked("POST", "/Users", user("typed@example.org"), Content_Type=kind), kind)


@pytest.mark.parametrize("attribute", ["userName", "displayName", "active", "externalId", "id", "schemas"])
def test_values_of_the_wrong_kind_are_told(
    directory: Asking, attribute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "PER_TOKEN", 100_000)
    made = directory.make_user()
    for value in STRANGE:
        sent = user("strange@example.org", **{attribute: value})
        text = json.dumps(sent).encode()
        answer = directory("POST", "/Users", text)
        told(answer, value)
        if answer.status_code == 201:
            assert directory("DELETE", f"/Users/{answer.json['id']}").status_code == 204
            assert answer.json["userName"] == "strange@example.org"
            assert directory("POST", "/Users", text).status_code == 409
        operation = {"op": "replace", "path": attribute, "value": value}
        told(directory.patch(f"/Users/{made['id']}", operation), value)


def test_strange_members_and_operations_are_told(checked: Asking, site: Site) -> None:
    safety = site.world.teams["safety"]
    same = {"schemas": [GROUP], "displayName": "Community safety"}
    for value in STRANGE:
        if value in (None, [], ""):
            continue  # nobody: which is an answer
        told(checked("PUT", f"/Groups/{safety}", {**same, "members": [{"value": value}]}), value)
        told(checked("PATCH", f"/Groups/{safety}", {"schemas": [PATCH], "Operations": value}), value)
        for path in (value, f"members[{value}]", f'members[value eq "{value}"].x', "x" * 5_000):
            operations = [{"op": "add", "path": path, "value": value}, {"op": "fail", "path": path}]
            told(checked("PATCH", f"/Groups/{safety}", {"schemas": [PATCH], "Operations": operations}), path)
    many = [{"value": f"{n:032x}"} for n in range(5_000)]
    assert checked("PUT", f"/Groups/{safety}", {**same, "members": many}).status_code == 400
    deep: Any = "x"
    for _ in range(200):
        deep = {"members": [deep]}
    told(checked("PUT", f"/Groups/{safety}", {**same, "members": [deep]}), "deep")


def test_strange_filters_queries_and_paths_are_told(checked: Asking) -> None:
    for sought in FILTERS:
        for path in ("/Users", "/Groups", ""):
            told(checked("GET", f"{path}/?filter={quote(sought)}".replace("//", "/")), sought[:60])
            body = {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "filter": sought,
            }
            told(checked("POST", f"{path}/.search", body), sought[:60])
    for query in QUERIES:
        for path in ("/Users", "/Groups"):
            told(checked("GET", f"{path}?{query}"), query)
    for path in PATHS:
        for method in ("GET", "DELETE", "PATCH"):
            told(checked(method, path), (method, path[:60]))
    for header in ("*", '"', 'W/"', ",,,", "x" * 4_000, '"a", W/"b'):
        told(checked("GET", "/Users", If_Match=header, If_None_Match=header), header[:40])


def test_a_filter_that_is_too_deep_or_long_is_no_fault(checked: Asking) -> None:
    schemas = ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]
    for sought in ("(" * 100_000, "not (" * 50_000, "userName pr and " * 20_000):
        answer = checked("POST", "/Users/.search", {"schemas": schemas, "filter": sought})
        assert answer.status_code == 400 and answer.json["scimType"] == "invalidFilter"
    assert USER in checked("GET", "/Users?count=1").get_data(as_text=True)
