"""The headers of every answer, what asks who it is again, methods, failures without a trace, and what the logs hold."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from hub.extensions import db
from hub.web.routes import DECLARED, Door
from tests.attacks.arena import Arena
from tests.attacks.conftest import Cast
from tests.attacks.walking import address_of, asker, rules
from tests.fixtures.site import Site

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none';"
    " report-uri /policy-reports; report-to policy"
)
# what a file that somebody sent is given out with
OF_FILES = "sandbox; default-src 'none'"
EXACT = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Reporting-Endpoints": 'policy="/policy-reports"',
}
# what nobody may do who proved longer than five minutes ago who they are (SECURITY N13)
WEIGHTY = {
    "admin.change_roles", "admin.close", "admin.end_sessions", "admin.invite", "admin.renew", "admin.reset", "agreements.sign",
    "attestations.reinstate", "case_disclosures.bundle", "case_file_list.as_table", "case_file_list.on_paper", "case_handover.offer",
    "credentials.app", "credentials.password", "credentials.start_app", "directories.end", "directories.make",
    "erasures.approve", "erasures.refuse", "erasures.show", "emergencies.open_now", "hand_overs.accept",
    "joiners.details", "joiners.move", "joiners.reopen",
    "oversight.export_csv", "oversight.export_xlsx", "oversight.print_list", "passkey_rule.change", "passkey_rule.show",
    "passkeys.add", "passkeys.begin", "passkeys.new", "passkeys.remove", "provider_admin.add", "provider_admin.change",
    "provider_admin.end", "provider_admin.home", "providers.link", "providers.unlink", "subject_reports.show", "teams.add",
    "role_changes.approve", "role_changes.refuse", "role_changes.withdraw",
    "settings.change", "settings.withdraw", "teams.remove",
}  # fmt: skip
CANARY = "Qzcanary"


def words_of(answer: TestResponse) -> str:
    """A file that is taken out need be no text."""
    return answer.get_data().decode("utf-8", "replace")


def whole_map(arena: Arena) -> list[tuple[str, Rule]]:
    """Every method and rule of the map that anybody declared."""
    return [(method, rule) for method in ("GET", "POST") for rule in rules(arena, method)]


def test_the_headers_of_every_route_are_these_to_the_letter(arena: Arena, cast: Cast) -> None:
    faults, nonces, seen = [], [], set()
    for method, rule in whole_map(arena):
        client, address = cast(asker(rule.endpoint)), address_of(arena, rule)
        answer = client.http.open(address, method=method)
        policy = answer.headers.get("Content-Security-Policy", "")
        nonce = re.search(r"'nonce-([\w-]{22})'", policy)
        if policy != OF_FILES and (nonce is None or policy != POLICY.format(nonce=nonce.group(1))):
            faults.append(f"{method} {rule.endpoint}: {policy}")
        if nonce:
            nonces.append(nonce.group(1))
            faults += [f"{rule.endpoint}: a script without the nonce" for script in re.findall(r"<script[^>]*>", words_of(answer))
                       if f'nonce="{nonce.group(1)}"' not in script]  # fmt: skip
        faults += [
            f"{method} {rule.endpoint} {name}: {answer.headers.get(name)}"
            for name, value in EXACT.items()
            if answer.headers.get_all(name) != [value]
        ]
        if not re.fullmatch(r"[0-9a-f-]{36}", answer.headers.get("X-Request-Id", "")):
            faults.append(f"{method} {rule.endpoint}: no request id")
        seen.add(rule.endpoint)
    assert not faults, "\n".join(faults[:40])
    assert len(set(nonces)) == len(nonces) > 200
    assert seen == set(DECLARED) - {"reports.policy_report"}


def test_what_is_weighty_asks_who_it_is_again_and_nothing_else_does(
    arena: Arena, cast: Cast, database: SimpleNamespace
) -> None:
    from tests.attacks.forms import forms

    for user in ("officer", "manager", "spoc", "auditor", "sergeant", "police_spoc", "charity_spoc"):
        assert cast(user).csrf
    cast.confirms = False
    sql = "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'"
    arena.site.sql(database.superuser, sql)
    asked = set()
    for method, rule in whole_map(arena):
        if rule.endpoint in ("accounts.sign_out", "accounts.confirm", "accounts.sign_in"):
            continue
        user, form = forms(arena).get(rule.endpoint, (asker(rule.endpoint), {}))
        if method == "GET":
            user = asker(rule.endpoint)
        client, address = cast(user), address_of(arena, rule)
        answer = client.get(address) if method == "GET" else client.post(address, form)
        if answer.location and answer.location.startswith("/session/confirm?next="):
            asked.add(rule.endpoint)
    assert asked >= WEIGHTY, sorted(WEIGHTY - asked)
    assert asked - WEIGHTY <= {"emergencies.ask", "case_handover.steps", "case_handover.choose"}, (
        asked - WEIGHTY
    )


def test_what_was_typed_waits_while_it_is_asked_who_it_is(
    site: Site, database: SimpleNamespace, cast: Cast
) -> None:
    spoc = cast("spoc")
    user, draft = site.world.users["officer"], f"admin.roles:{site.world.users['officer']}"
    form = {"roles": ["read_only", "auditor"], "draft_key": draft, "back": f"/admin/users/{user}"}
    assert spoc.csrf
    cast.confirms = False
    site.sql(database.superuser, "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    answer = spoc.post(f"/admin/users/{user}/roles", form)
    assert answer.location == f"/session/confirm?next=/admin/users/{user}"
    page = spoc.get(f"/admin/users/{user}").text
    ticked = re.findall(r'value="(\w+)" checked', page)
    assert ticked == ["read_only", "auditor"]


def test_a_failure_anywhere_tells_nothing_on_the_page_or_in_the_logs(
    arena: Arena, cast: Cast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last resort, once in each part of the site: by a mistake of ours, and by one of the database's."""

    def broken(**_: Any) -> Any:
        raise RuntimeError(f"{CANARY} secret")

    def wrong(**_: Any) -> Any:
        db.session.execute(sa.text("SELECT CAST(:given AS integer)"), {"given": f"{CANARY} value"})

    app, done = arena.site.app, set()
    for rule in rules(arena, "GET"):
        part = rule.endpoint.partition(".")[0]
        if part in done or part == "health":
            continue
        done.add(part)
        for fault in (broken, wrong):
            with monkeypatch.context() as patched:
                patched.setitem(app.view_functions, rule.endpoint, fault)
                answer = cast(asker(rule.endpoint)).get(address_of(arena, rule) + f"?q={CANARY}")
            assert answer.status_code == 500, rule.endpoint
            assert not re.search(
                rf"{CANARY}|Traceback|\.py\b|RuntimeError|psycopg|Werkzeug|Python/", answer.text
            )
            assert "Server" not in answer.headers and answer.headers["X-Request-Id"] in answer.text
    told = capsys.readouterr()
    assert len(done) > 30
    assert told.out.count('"event": "unexpected"') == len(done) == told.out.count('"event": "database"')
    assert CANARY not in told.out + told.err and "@example.org" not in told.out + told.err
    assert "SELECT" not in told.out


def test_no_secret_of_the_settings_is_in_a_page_or_a_log(
    arena: Arena, cast: Cast, capsys: pytest.CaptureFixture[str], database: SimpleNamespace
) -> None:
    settings = arena.site.app.config["HUB_SETTINGS"]
    password = sa.engine.make_url(database.app).password or "no password"
    secrets = (
        settings.secret_key,
        str(settings.root_key_file),
        database.app,
        *([password] if len(password) > 8 else []),
    )
    for rule in rules(arena, "GET"):
        if DECLARED[rule.endpoint].needs is Door.PUBLIC or rule.endpoint.startswith(
            ("admin", "oversight", "work")
        ):
            text = words_of(cast(asker(rule.endpoint)).get(address_of(arena, rule)))
            assert not any(one in text for one in secrets), rule.endpoint
    told = capsys.readouterr()
    assert not any(
        one in told.out + told.err + repr(settings) for one in secrets if one != str(settings.root_key_file)
    )


def test_trace_is_off_and_head_is_get_without_a_body(site: Site) -> None:
    client = site.visitor().http
    assert client.open("/sign-in", method="TRACE").status_code == 405
    got, head = client.get("/sign-in"), client.head("/sign-in")
    assert head.status_code == got.status_code == 200 and head.data == b""
    refused = client.open("/sign-in", method="PUT")
    assert refused.status_code == 405 and set(refused.headers["Allow"].split(", ")) == {
        "GET",
        "HEAD",
        "OPTIONS",
        "POST",
    }
