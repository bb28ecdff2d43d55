"""Ways in that are refused altogether (SECURITY N4): text messages, codes by e-mail, secret questions, default accounts."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

from flask import Flask

from hub.accounts.models import User
from hub.accounts.vocabulary import CeremonyKind, Method
from hub.config import Settings
from tests.fixtures.site import Site

ROOT = Path(__file__).parents[2]
WEAK = re.compile(
    r"(?i)(?<![a-z])sms(?![a-z])|text[ _-]?message|twilio|vonage|mobile[ _-]?number|phone[ _-]?number"
    r"|(e-?mail|mail)[ _-]?(code|otp|link|token)|magic[ _-]?link|(secret|security|memorable)[ _-]?(question|answer|word)"
    r"|mother.s maiden|password[ _-]?hint|backup[ _-]?code|default[ _-]?(password|user|account)|forgot(ten)?[ _-]?password"
)


def test_the_scan_itself_sees_what_it_looks_for() -> None:
    for text in (
        "/sign-in/sms",
        "send_text_message",
        "email_code",
        "security-question",
        "DEFAULT_PASSWORD",
        "/magic-link",
    ):
        assert WEAK.search(text), text


def test_no_route_setting_column_or_code_is_of_a_weak_way(app: Flask) -> None:
    words = [
        *(str(rule) for rule in app.url_map.iter_rules()),
        *(rule.endpoint for rule in app.url_map.iter_rules()),
        *(field.name for field in dataclasses.fields(Settings)),
        *(column.name for column in User.__table__.columns),
        *(member.value for member in (*Method, *CeremonyKind)),
        *tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"],
    ]
    assert [word for word in words if WEAK.search(word)] == []


def test_no_page_of_the_door_offers_a_weak_way() -> None:
    found = {}
    for file in (*ROOT.glob("templates/accounts/*.html"), *ROOT.glob("templates/admin/*.html")):
        match = WEAK.search(file.read_text())
        if match:
            found[file.name] = match.group()
    assert found == {}


def test_a_session_on_the_web_begins_by_these_ways_only() -> None:
    """A new way is a decision: it is written here, and in SECURITY."""
    assert set(Method) == {
        Method.PASSWORD,  # of sessions in old databases; none is begun
        Method.PASSWORD_AND_CODE,
        Method.PASSKEY,
        Method.PROVIDER,
        Method.DEMO,
        Method.ENROLMENT,  # likewise
        Method.OPERATOR,
    }
    begun = [
        file.name
        for file in ROOT.glob("hub/**/*.py")
        if re.search(r"Method\.(PASSWORD|ENROLMENT)\b", file.read_text())
    ]
    assert begun == []


def test_nobody_is_in_a_database_that_was_just_made_with_a_password(
    site: Site, database: SimpleNamespace
) -> None:
    """Migrations and the world of the tests bring no password, app or link with them."""
    with_secret = "password_hash IS NOT NULL OR totp_sealed IS NOT NULL OR enrolment_hash IS NOT NULL"
    assert site.sql(database.superuser, f"SELECT 1 FROM app_user WHERE {with_secret}") == []
    for email, password in (("admin", "admin"), ("admin@example.org", "password"), ("root@localhost", "")):
        assert site.visitor().post("/sign-in", {"email": email, "password": password}).status_code == 422
