"""The way in: a right token or nothing, whatever is asked; each only for its organisation; bounded; and always the headers."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.directories import serving
from hub.web.headers import FIXED
from tests.directories.conftest import BASE, Asking, user
from tests.fixtures.site import Site

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
PATHS = (
    "",
    "/",
    "/v2",
    "/v2/Users",
    "/v2/Users/01a22700-e5f2-7569-9297-e27b4f1f33eb",
    "/v2/Groups",
    "/v2/ServiceProviderConfig",
    "/v2/Schemas",
    "/v2/ResourceTypes",
    "/v2/Bulk",
    "/v2/Me",
    "/v2/.search",
    "/v2/nowhere",
    "/Users.scim",
)
TokenOf = Callable[[str], tuple[UUID, str]]


def is_refused(answer: object, status: int = 401) -> bool:
    return answer.status_code == status and answer.json["schemas"] == [ERROR]  # type: ignore[attr-defined]


def test_every_request_without_a_right_token_is_refused_before_anything_is_read(
    site: Site, token_of: TokenOf, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "WRONG_PER_SOURCE", 10_000)
    monkeypatch.setattr(serving, "_read", None)
    right = token_of("spoc")[1]
    wrong = (None, "", "Bearer", "Bearer ", f"Basic {right}", right, f"Bearer {right[:-1]}")
    client = site.as_user("spoc").http
    for path in PATHS:
        for method in METHODS:
            answer = client.open(f"/scim{path}", method=method)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            if method != "HEAD":
                assert is_refused(answer)
    for header in wrong:
        headers = {} if header is None else {"Authorization": header}
        assert is_refused(client.get(f"{BASE}/Users", headers=headers)), header
    answer = client.get(
        f"{BASE}/Users", environ_overrides={"HTTP_AUTHORIZATION": "Bearer hubscim_é" + "x" * 42}
    )
    assert is_refused(answer)
    started = site.sql(database.superuser, "SELECT 1 FROM user_session WHERE kind = 'directory'")
    assert started == []


def test_every_answer_bears_the_headers(site: Site, directory: Asking) -> None:
    right = directory.token
    answers = [
        directory("GET", "/Users"),
        directory("GET", "/nowhere"),
        directory("POST", "/Users", b"{"),
        directory("DELETE", "/Users"),
        site.visitor().http.get(f"{BASE}/Users"),
    ]
    assert [one.status_code for one in answers] == [200, 404, 400, 405, 401]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"] == serving.POLICY
        assert answer.headers["Content-Type"] == "application/scim+json"
        assert "Set-Cookie" not in answer.headers and right not in answer.get_data(as_text=True)
        assert {name: answer.headers[name] for name in FIXED} == FIXED


def test_a_cookie_opens_nothing_here_and_a_token_no_page(site: Site, directory: Asking) -> None:
    assert is_refused(site.as_user("spoc").get(f"{BASE}/Users"))
    headers = {"Authorization": f"Bearer {directory.token}"}
    assert site.visitor().http.get("/admin/users", headers=headers).status_code == 302


@pytest.mark.parametrize("how", ["ended_at = now()", "expires_at = now() - interval '1 second'"])
def test_a_token_that_has_ended_or_run_out_is_refused_at_once(
    site: Site, directory: Asking, database: SimpleNamespace, how: str
) -> None:
    assert directory("GET", "/Users").status_code == 200
    site.sql(database.superuser, f"UPDATE directory SET {how}")
    assert is_refused(directory("GET", "/Users"))


def test_a_token_is_kept_as_a_hash_and_its_use_is_noted(
    site: Site, directory: Asking, database: SimpleNamespace
) -> None:
    directory("GET", "/Users")
    row = site.sql(
        database.superuser,
        "SELECT token_hash, last_used_at, row_to_json(directory)::text AS whole FROM directory",
    )[0]
    assert len(row.token_hash) == 32 and row.last_used_at is not None
    assert directory.token not in row.whole


def test_a_directory_sees_and_touches_nothing_of_another_organisation(
    site: Site, directory: Asking, police_directory: Asking, database: SimpleNamespace
) -> None:
    officer, safety = site.world.users["officer"], site.world.teams["safety"]
    before = site.sql(database.superuser, "SELECT * FROM app_user ORDER BY id")
    for method, path, body in (
        ("GET", f"/Users/{officer}", None),
        ("PUT", f"/Users/{officer}", user("officer@example.org", active=False)),
        ("PATCH", f"/Users/{officer}", {"Operations": [{"op": "replace", "path": "active", "value": False}]}),
        ("DELETE", f"/Users/{officer}", None),
        ("GET", f"/Groups/{safety}", None),
        ("DELETE", f"/Groups/{safety}", None),
        # a team of its own in another partnership is not this token's either
        ("GET", f"/Groups/{site.world.teams['npt_east']}", None),
    ):
        answer = police_directory(method, path, body)
        assert answer.status_code == 404, (method, path)
        # and nobody's looks the same
        absent = police_directory(method, f"{path[:-4]}0000", body)
        assert (absent.status_code, absent.json) == (answer.status_code, answer.json)
    seen = police_directory("GET", "/Users").json["Resources"]
    assert {one["userName"] for one in seen} == {
        f"{one}@example.org" for one in ("sergeant", "sergeant_east", "police_auditor", "police_spoc")
    }
    assert (
        police_directory("GET", '/Users?filter=userName eq "officer@example.org"').json["totalResults"] == 0
    )
    after = site.sql(database.superuser, "SELECT * FROM app_user WHERE email NOT LIKE 'service%' ORDER BY id")
    assert after == before
    assert directory("GET", f"/Users/{officer}").status_code == 200


def test_each_request_is_signed_by_the_organisations_own_account_and_its_session_ends(
    site: Site, directory: Asking, database: SimpleNamespace
) -> None:
    made = directory.make_user()
    row = site.sql(
        database.superuser,
        "SELECT u.email, e.source, e.organisation_id FROM audit.event e JOIN app_user u ON u.id = e.user_id"
        " WHERE e.object_id = :id",
        id=made["id"],
    )[0]
    assert (row.email, row.source) == ("service.nbc@hub.invalid", "directory")
    assert row.organisation_id == site.world.organisations["council"]
    open_now = site.sql(
        database.superuser, "SELECT 1 FROM user_session WHERE kind = 'directory' AND ended_at IS NULL"
    )
    assert open_now == []


def test_the_database_starts_such_a_session_only_for_a_service_account_with_a_token(
    site: Site, directory: Asking, database: SimpleNamespace
) -> None:
    directory("GET", "/Users")
    world = site.world
    service = site.sql(database.superuser, "SELECT id FROM app_user WHERE email = 'service.nbc@hub.invalid'")[
        0
    ].id

    def starts(user_id: UUID, team_id: UUID) -> bool:
        statement = (
            "INSERT INTO user_session (id, created_at, token_hash, user_id, team_id, purpose, kind, method,"
            " authenticated_at, last_seen_at, expires_at) VALUES (gen_random_uuid(), now(), gen_random_bytes(32),"
            " :user, :team, 'planning', 'directory', 'operator', now(), now(), now() + interval '1 minute')"
        )
        try:
            site.sql(database.app, statement, user=user_id, team=team_id)
        except sa.exc.ProgrammingError as error:
            # refused, and by the wall: anything else is a fault of the test
            return getattr(error.orig, "sqlstate", None) != "42501"
        return True

    assert starts(service, world.teams["safety"])
    assert not starts(world.users["spoc"], world.teams["safety"])
    assert not starts(service, world.teams["npt"])
    site.sql(database.superuser, "UPDATE directory SET ended_at = now()")
    assert not starts(service, world.teams["safety"])


def test_a_token_a_source_and_wrong_tokens_are_each_bounded(
    site: Site, directory: Asking, police_directory: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "PER_TOKEN", 3)
    answers = [directory("GET", "/ServiceProviderConfig") for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert is_refused(answers[-1], 429) and 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert police_directory("GET", "/ServiceProviderConfig").status_code == 200
    monkeypatch.setattr(serving, "WRONG_PER_SOURCE", 2)
    wrong = [site.visitor().http.get(f"{BASE}/Users").status_code for _ in range(4)]
    assert wrong == [401, 401, 429, 429]
    # who has a right token is not kept out by a neighbour's wrong ones
    assert police_directory("GET", "/ServiceProviderConfig").status_code == 200
    monkeypatch.setattr(serving, "PER_SOURCE", 5)
    assert police_directory("GET", "/ServiceProviderConfig").status_code == 429


def test_a_body_that_is_too_large_is_not_read(directory: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MAX_BODY", 2_000)
    assert is_refused(directory("POST", "/Users", b" " * 2_001), 413)
    assert directory("POST", "/Users", user("fits@example.org")).status_code == 201
