"""The door: sign in by password, sign out, hats."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests.fixtures.door import PASSWORD, next_code, set_up_door
from tests.fixtures.site import Site


def test_a_right_password_and_code_sign_in_and_wrong_ones_are_refused_and_written_down(
    site: Site, database: SimpleNamespace
) -> None:
    set_up_door(site, "officer")
    visitor = site.visitor()
    page = visitor.get("/sign-in")
    assert page.status_code == 200
    wrong = visitor.post("/sign-in", {"email": "officer@example.org", "password": "wrong"})
    assert wrong.status_code == 422 and "not right" in wrong.text
    form = {"email": "OFFICER@example.org ", "password": PASSWORD, "next": "//evil.example"}
    half = visitor.post("/sign-in", form)
    assert half.status_code == 303 and half.location == "/sign-in/code"
    assert visitor.get("/account").status_code == 302
    refused = visitor.post("/sign-in/code", {"code": "12345"})
    assert refused.status_code == 422 and "code is not right" in refused.text
    right = visitor.post("/sign-in/code", {"code": next_code(site, "officer")})
    assert right.status_code == 303 and right.location == "/"
    cookie = next(value for name, value in right.headers if name == "Set-Cookie" and "hub-session" in value)
    assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert visitor.get("/account").status_code == 200
    acts = site.sql(
        database.superuser,
        "SELECT act, outcome, convert_from(body, 'UTF8')::jsonb -> 'facts' FROM audit.event ORDER BY at DESC LIMIT 3",
    )
    assert [tuple(row) for row in acts] == [
        ("session.started", "ok", {"method": "password_and_code"}),
        ("session.refused", "denied", {"why": "code"}),
        ("session.refused", "denied", {"why": "credentials"}),
    ]


def test_signing_out_ends_the_session_on_the_server(site: Site) -> None:
    client = site.as_user("officer")
    assert client.get("/account").status_code == 200
    assert client.post("/sign-out").status_code == 303
    client.http.set_cookie("__Host-hub-session", "", secure=True)
    assert client.get("/account").status_code == 302


def test_a_form_without_its_token_is_refused(site: Site) -> None:
    client = site.as_user("officer")
    assert client.http.post("/sign-out", data={"csrf_token": "ée"}).status_code == 400
    foreign = client.http.post(
        "/sign-out", data={"csrf_token": client.csrf}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 400
    assert client.get("/account").status_code == 200


def test_the_application_role_cannot_read_a_token_hash(site: Site, database: SimpleNamespace) -> None:
    engine = sa.create_engine(database.app, poolclass=sa.NullPool)
    with engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.execute(sa.text("SELECT token_hash FROM user_session"))
    engine.dispose()
