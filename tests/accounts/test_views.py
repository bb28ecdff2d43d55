"""The door: sign in by password, sign out, hats."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.accounts.models import User
from hub.crypto.passwords import hash_password
from hub.extensions import db
from tests.fixtures.site import Site

PASSWORD = "correct horse battery staple"


def _set_password(site: Site) -> None:
    with site.inside():
        enter(db.session(), NOBODY)
        user = db.session.get_one(User, site.world.users["officer"])
        user.password_hash = hash_password(PASSWORD)
        db.session.commit()


def test_a_right_password_signs_in_and_a_wrong_one_is_refused_and_written_down(
    site: Site, database: SimpleNamespace
) -> None:
    _set_password(site)
    visitor = site.visitor()
    page = visitor.get("/sign-in")
    assert page.status_code == 200
    wrong = visitor.post("/sign-in", {"email": "officer@example.org", "password": "wrong"})
    assert wrong.status_code == 422 and "not right" in wrong.get_data(as_text=True)
    right = visitor.post(
        "/sign-in", {"email": "OFFICER@example.org ", "password": PASSWORD, "next": "//evil.example"}
    )
    assert right.status_code == 303 and right.headers["Location"] == "/"
    cookie = next(value for name, value in right.headers if name == "Set-Cookie" and "hub-session" in value)
    assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    acts = site.sql(database.superuser, "SELECT act, outcome FROM audit.event ORDER BY at DESC LIMIT 2")
    assert [tuple(row) for row in acts] == [("session.started", "ok"), ("session.refused", "denied")]


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
