"""Reports of the content policy are counted by kind and keep nothing; security.txt says where to report a weakness."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from typing import Any

import pytest

from tests.fixtures.site import Site

OLD = {"csp-report": {"effective-directive": "script-src", "blocked-uri": "https://evil.example/Qzcanary?a=Qzcanary",
                      "document-uri": "http://localhost/cases/Qzcanary"}}  # fmt: skip
NEW = [
    {
        "type": "csp-violation",
        "body": {"effectiveDirective": "style-src", "blockedURL": "inline", "sample": "Qzcanary"},
    }
]


def test_a_report_leaves_a_line_of_codes_and_nothing_of_the_page(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    client = site.visitor().http
    hostile: list[Any] = ["", "[", "[]", "{}", "null", '{"csp-report": 1}', '[{"body": []}]', "[" * 20_000,
                          json.dumps({"csp-report": {"effective-directive": "Qzcanary", "blocked-uri": "//[Qzcanary"}})]  # fmt: skip
    for body in (json.dumps(OLD), json.dumps(NEW), *hostile):
        answer = client.post("/policy-reports", data=body[:16_000], content_type="application/csp-report")
        assert answer.status_code == 204 and answer.data == b""
    told = capsys.readouterr().out
    assert '"directive": "script-src", "blocked": "other"' in told
    assert '"directive": "style-src", "blocked": "inline"' in told
    assert "Qzcanary" not in told and "evil" not in told
    assert client.post("/policy-reports", data=b"x" * 20_000).status_code == 413
    foreign = client.post("/policy-reports", data=b"{}", headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 400
    for _ in range(70):
        client.post("/policy-reports", data=json.dumps(NEW))
    assert capsys.readouterr().out.count("policy_report") < 61


def test_security_txt_is_as_the_settings_say(site: Site) -> None:
    client = site.visitor()
    assert client.get("/.well-known/security.txt").status_code == 404
    site.app.config["HUB_SETTINGS"] = dataclasses.replace(
        site.app.config["HUB_SETTINGS"],
        security_contact="mailto:security@example.org",
        security_expires=date(2027, 5, 31),
    )
    answer = client.get("/.well-known/security.txt")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[0] == "Contact: mailto:security@example.org" and lines[1] == "Expires: 2027-05-31T00:00:00Z"
    assert "Canonical: http://127.0.0.1:8480/.well-known/security.txt" in lines
