"""Stored markup: the same hostile text in every field that takes text, then every page that shows any, parsed as a browser
would: no element and no attribute may come out of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from markupsafe import escape

import hub.reviews.forms as reviews_forms
from hub.app import create_app
from hub.cli.incidents import main as import_command
from hub.extensions import db
from tests.attachments.conftest import multipart
from tests.attacks.arena import Arena, prepare
from tests.attacks.checks import fault_of, told, words_of
from tests.attacks.conftest import Cast
from tests.attacks.forms import case_form, forms
from tests.attacks.values import TEXTS
from tests.attacks.walking import address_of, asker, rules
from tests.conftest import connected_to, settings_for
from tests.fixtures.site import Site
from tests.fixtures.store import Bucket
from tests.fixtures.world import World

# breaks out of text, of an attribute with either quote or none, of a text area, a title, a comment, a script
EVIL = "Qz\"'>--></textarea></title></script><qzx onqzx=1 '\" onqzx=\"1\" onqzx='1' `{{7*7}} <img src=qzx onerror=qzx>"
CONTENT = b"Words, then <script>qzx()</script>"
LINK = "javascript:qzx()"


DRAWN = "data:image/svg+xml;charset=utf-8,%3csvg%20"


class Reader(HTMLParser):
    """Finds what the text has become, beside text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "qzx":
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if "qzx" in name or (name.startswith("on") and "-" not in name):
                self.found.append(f"<{tag} {name}>")
            address = (value or "").strip().lower()
            if (tag, name) == ("img", "src") and address.startswith(DRAWN) and "qzx" not in address:
                continue  # what an authenticator app takes over, drawn by the hub: a picture runs nothing
            # the page's own small picture is the one address of data
            if (
                name in ("href", "src", "action")
                and tag != "link"
                and address.startswith(("javascript:", "data:"))
            ):
                self.found.append(f"<{tag} {name}={value}>")
            if name in ("src", "srcdoc") and "qzx" in (value or ""):
                self.found.append(f"<{tag} {name}>")

    def handle_comment(self, data: str) -> None:
        if "qzx" in data:
            self.found.append("a comment")


def became(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    return reader.found


@pytest.fixture
def hostile(
    database: SimpleNamespace,
    root_key_file: Any,
    world: World,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """The planted site on a real store, with the text in every field of every record that it holds."""
    monkeypatch.setattr(reviews_forms, "SETTLED", timedelta(0))  # its accesses are a few seconds old
    site = Site(create_app(settings_for(database.app, root_key_file, demo=True, **bucket.settings())), world)
    arena = prepare(site)
    cast = Cast(site)
    by_endpoint = {rule.endpoint: rule for rule in rules(arena, "POST")}
    officer = cast("officer")
    for endpoint, (user, right) in forms(arena).items():
        if endpoint in (
            "accounts.enrol",
            "accounts.confirm",
            "accounts.sign_in",
            "admin.close",
            "admin.reset",
            "second_step.code",
            "second_step.set_up",
            "credentials.app",
            "credentials.password",
        ):
            continue
        form = {
            name: EVIL if name in TEXTS and name != "reference" else value for name, value in right.items()
        }
        if endpoint == "cases.edit":
            form["revision"] = _revision(
                officer.get(f"/cases/{arena.mine.case_id}/edit").get_data(as_text=True)
            )
        if endpoint.endswith("add_vehicle"):
            form |= {
                "frame_number": "<qzx>",
                "make": "<qzx onqzx=1>",
                "model": "'onqzx=1'",
                "colour": '"><qzx>',
            }
        if endpoint == "admin.invite":
            form["email"] = "qz'`x@example.org"
        if endpoint == "teams.edit":
            # no two teams of one name
            form["name"] += " too"
        if endpoint == "teams.add":
            form["email"] = right["email"]
        if endpoint == "interests.declare":
            # of somebody whom no record holds, or the officer were kept from her own case
            form |= {"given_names": "<qzx onqzx=1>", "family_name": f"{EVIL} Elsewhere"}
        if endpoint == "access_requests.ask":
            form["sought"] = right["sought"]
        answer = cast(user).post(address_of(arena, by_endpoint[endpoint]), form)
        assert answer.status_code in (200, 303, 404, 409), (endpoint, answer.get_data(as_text=True)[-3000:])
    body, content_type = multipart(
        {"csrf_token": officer.csrf, "form_key": str(uuid4()), "kind": "report", "description": EVIL},
        "Qz'><qzx onqzx=1>`&.txt",
        CONTENT,
    )
    address = f"/cases/{arena.mine.case_id}/files"
    sent = officer.http.post(address, data=body, content_type=content_type)
    assert sent.status_code == 303, sent.get_data(as_text=True)
    for table, column in (
        ("organisation", "name"),
        ("team", "name"),
        ("app_user", "name"),
        ("app_user", "job_title"),
        ("partnership", "name"),
        ("agreement", "title"),
        ("code_list_entry", "label"),
    ):
        site.sql(database.superuser, f"UPDATE {table} SET {column} = {column} || :evil", evil=EVIL)
    # a share that ends shows its reason to both sides; an accepted one lets the sergeant in
    share = {**forms(arena)["case_sharing.send"][1], "reason": EVIL}
    share |= {
        "to": f"organisation:{world.organisations['police']}",
        "sections": _sections(),
        "max_marking": "1",
    }
    second = f"/cases/{arena.second.case_id}"
    officer.post(f"{second}/sharing/{arena.second.grant_id}/end", {"reason": EVIL})
    assert officer.post(f"{second}/share/send", share).status_code == 303
    new = {name: EVIL if name in TEXTS else value for name, value in case_form(arena).items()}
    assert officer.post(f"/cases/new?incident={arena.second.incident_id}", new).status_code in (303, 422)
    yield SimpleNamespace(arena=arena, cast=cast, site=site)
    with site.app.app_context():
        db.engine.dispose()


def _sections() -> list[str]:
    return ["summary", "chronology", "people", "victim", "files"]


def _revision(page: str) -> str:
    return page.partition('name="revision" value="')[2].partition('"')[0]


def test_no_text_becomes_markup_on_any_page(hostile: Any, database: SimpleNamespace) -> None:
    arena, cast, faults, shown = hostile.arena, hostile.cast, [], 0
    [grant] = arena.site.sql(
        database.superuser,
        "SELECT id FROM record_grant WHERE record_id = :id AND state = 'pending' AND revoked_at IS NULL",
        id=arena.second.case_id,
    )
    waiting = cast("sergeant").get("/shared").get_data(as_text=True)
    assert became(waiting) == [] and str(escape(EVIL)) in waiting
    assert cast("sergeant").post(f"/shared/{grant.id}/answer", {"answer": "accept"}).status_code == 303
    for who, address in [*_pages(arena), *_more(arena, database)]:
        answer = cast(who).get(address)
        page = words_of(answer)
        fault = fault_of(answer)
        found = became(page) if answer.mimetype == "text/html" else []
        if fault or found:
            faults.append(f"{who} {address}: {fault or found}")
        shown += "&lt;qzx onqzx=1" in page
    assert not faults, told(faults)
    assert shown >= 25, shown
    # uploaded last; the arena has one of its own
    file = arena.site.sql(database.superuser, "SELECT id FROM attachment ORDER BY id DESC LIMIT 1")[0].id
    answer = cast("officer").get(f"/cases/{arena.mine.case_id}/files/{file}")
    assert answer.data == CONTENT and answer.mimetype == "text/plain" and fault_of(answer) is None
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def _pages(arena: Arena) -> list[tuple[str, str]]:
    found = []
    for rule in rules(arena, "GET"):
        if rule.endpoint == "health.health":
            continue
        found.append((asker(rule.endpoint), address_of(arena, rule)))
        if "case_id" in rule.arguments:
            found += [("sergeant", address_of(arena, rule, case_id=arena.second.case_id))]
            found += [("officer", address_of(arena, rule, case_id=arena.second.case_id))]
    return found


def _more(arena: Arena, database: SimpleNamespace) -> list[tuple[str, str]]:
    def ids(table: str) -> list[UUID]:
        return [row[0] for row in arena.site.sql(database.superuser, f"SELECT id FROM {table}")]

    events = arena.site.sql(
        database.superuser, "SELECT DISTINCT ON (act) id FROM audit.event ORDER BY act, at DESC"
    )
    return [
        *(("officer", f"/cases/{key}") for key in ids("case_record")),
        *(("officer", f"/incidents/{key}") for key in ids("incident")),
        *(("officer", f"/people/{key}") for key in ids("person")),
        *(("spoc", f"/agreements/{key}") for key in ids("agreement")),
        *(("spoc", f"/admin/users/{key}") for key in ids("app_user")),
        *(("auditor", f"/audit/events/{row.id}") for row in events),
        ("sergeant", "/shared"),
        ("sergeant", "/"),
        ("sergeant", "/notifications"),
        ("officer", f"/cases/{arena.mine.case_id}/sharing?end={arena.mine.grant_id}"),
        ("officer", f"/cases/{arena.second.case_id}/log"),
        ("officer", "/search?q=Qz"),
        ("officer", "/search?q=%3Cqzx%20onqzx%3D1%3E%22%27"),
        ("officer", "/cases?title=%22%3E%3Cqzx%20onqzx%3D1%3E"),
        ("officer", "/incidents?where=%22%3E%3Cqzx%20onqzx%3D1%3E"),
        ("officer", "/sign-in?next=javascript:qzx()"),
        ("auditor", "/audit?reference=%22%3E%3Cqzx%20onqzx%3D1%3E"),
    ]


def test_what_was_typed_comes_back_as_text_in_a_form_that_was_refused(arena: Arena, cast: Cast) -> None:
    faults, refused = [], 0
    for rule in rules(arena, "POST"):
        user, right = forms(arena).get(rule.endpoint, ("officer", {}))
        for text in (EVIL, LINK):
            answer = cast(user).post(address_of(arena, rule), dict.fromkeys(right, text))
            refused += answer.status_code == 422
            found = became(answer.get_data(as_text=True)) if answer.mimetype == "text/html" else []
            if found or "javascript" in (answer.location or ""):
                faults.append(f"{rule.endpoint}: {found or answer.location}")
    assert not faults, told(faults)
    assert refused >= 12


def test_cells_of_an_imported_file_are_text_on_every_page(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: SimpleNamespace
) -> None:
    cells = [
        f"On or near {EVIL}".replace('"', '""'),
        '=HYPERLINK(""http://evil.example"",""<qzx>"")',
        "+cmd|' /C calc'!A0",
        "@SUM(1+1)<qzx onqzx=1>",
    ]
    head = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,Last outcome category,Context"
    lines = [
        f'{uuid4().hex},2026-03,<qzx>,"<qzx onqzx=1>",-1.5,53.5,"{cell}",E01000001,"{cell}",Burglary,"{cell}","{cell}"'
        for cell in cells
    ]
    file = tmp_path / "2026-03-street.csv"
    file.write_text("\n".join([head, *lines]) + "\n")
    _environment(monkeypatch, database.cli, site.app.config["HUB_SETTINGS"])
    with connected_to(database.cli):
        told_ = CliRunner().invoke(
            import_command, ["import", str(file), "--organisation", "NBC", "--as", "manager@example.org"]
        )
    assert told_.exit_code in (0, 1) and "Traceback" not in told_.output, told_.output
    faults = []
    rows = site.sql(database.superuser, "SELECT id FROM incident WHERE source = 'imported'")
    assert rows, told_.output
    for address in ["/incidents", "/incidents?where=near", *(f"/incidents/{row.id}" for row in rows)]:
        found = became(cast("officer").get(address).get_data(as_text=True))
        faults += [f"{address}: {found}"] if found else []
    assert not faults, told(faults)


def _environment(monkeypatch: pytest.MonkeyPatch, url: str, settings: Any) -> None:
    for name, value in {
        "HUB_DATABASE_URL": url,
        "HUB_S3_ENDPOINT": settings.s3_endpoint,
        "HUB_S3_BUCKET": settings.s3_bucket,
        "HUB_S3_ACCESS_KEY": "test",
        "HUB_S3_SECRET_KEY": "test",
        "HUB_SECRET_KEY": settings.secret_key,
        "HUB_DEMO": "1",
        "HUB_ROOT_KEY_FILE": str(settings.root_key_file),
        "HUB_VAR": str(settings.var),
    }.items():
        monkeypatch.setenv(name, value)
