"""Parts that fail under the site: the database gone, the log closed. A 503 page, no personal data, and back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from hub.extensions import db
from tests.attachments.conftest import multipart
from tests.attacks.arena import WORDS, Arena
from tests.attacks.checks import Tables, fault_of, told
from tests.attacks.conftest import Cast
from tests.attacks.forms import forms
from tests.attacks.walking import address_of, asker, rules

OUTSIDE = frozenset({"health.health", "about.help_page", "about.accessibility", "about.security"})


@contextmanager
def no_database(cluster: SimpleNamespace, name: str) -> Iterator[None]:
    """Every connection is cut and none is let in, as when the server has stopped."""
    admin = sa.create_engine(cluster.superuser, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cut = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        connection.execute(cut, {"name": name})
        try:
            yield
        finally:
            connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    admin.dispose()


def everything(arena: Arena, cast: Cast) -> Iterator[tuple[str, Any]]:
    """Every address of the map, asked and sent a right form by somebody whom it lets in."""
    for rule in rules(arena, "GET"):
        yield f"GET {rule.endpoint}", cast(asker(rule.endpoint)).get(address_of(arena, rule))
    for rule in rules(arena, "POST"):
        user, form = forms(arena).get(rule.endpoint, ("officer", {}))
        yield f"POST {rule.endpoint}", cast(user).post(address_of(arena, rule), form)


def warm(arena: Arena, cast: Cast) -> None:
    """Everybody is signed in, with the token of a form that they have open."""
    for user in {user for user, _ in forms(arena).values()} | {
        "officer",
        "auditor",
        "spoc",
        "manager",
        "landlord_officer",
    }:
        assert cast(user).csrf


def test_without_the_database_every_page_says_so_and_it_comes_back_by_itself(
    arena: Arena, cast: Cast, cluster: SimpleNamespace, database: SimpleNamespace
) -> None:
    warm(arena, cast)
    case = f"/cases/{arena.mine.case_id}"
    assert cast("officer").get(case).status_code == 200
    faults = []
    with no_database(cluster, database.name):
        for what, answer in everything(arena, cast):
            page = answer.get_data(as_text=True)
            if what.partition(" ")[2] in OUTSIDE:
                continue
            if answer.status_code != 503 or "The service is not available" not in page:
                faults.append(f"{what}: {answer.status_code} {page[:80]!r}")
            elif fault_of(answer, down=True):
                faults.append(f"{what}: {fault_of(answer, down=True)}")
            if any(word in page for word in WORDS):
                faults.append(f"{what}: personal data")
        health = arena.site.visitor().get("/health")
        assert health.status_code == 503 and health.get_json()["parts"]["database"] == "down"
    assert not faults, told(faults)
    answer = cast("officer").get(case)
    assert answer.status_code == 200 and arena.mine.word in answer.get_data(as_text=True)


def test_connections_that_were_cut_are_not_noticed_by_the_next_reader(
    arena: Arena, cast: Cast, cluster: SimpleNamespace, database: SimpleNamespace
) -> None:
    case = f"/cases/{arena.mine.case_id}"
    assert cast("officer").get(case).status_code == 200
    with no_database(cluster, database.name):
        pass
    assert cast("officer").get(case).status_code == 200


REVOKE = (
    "DO $$ DECLARE f regprocedure; BEGIN FOR f IN SELECT p.oid::regprocedure FROM pg_proc p"
    " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'audit' AND p.proname = 'record_event'"
    " LOOP EXECUTE 'REVOKE EXECUTE ON FUNCTION ' || f || ' FROM hub_app, hub_finder'; END LOOP; END $$"
)
DROP = (
    "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT inhrelid::regclass FROM pg_inherits"
    " WHERE inhparent = 'audit.event'::regclass LOOP EXECUTE 'ALTER TABLE audit.event DETACH PARTITION ' || t; END LOOP; END $$"
)
READ_ONLY = "ALTER DATABASE {name} SET default_transaction_read_only = on"


@pytest.mark.parametrize("how", ["no right", "no partition", "read only"])
def test_what_cannot_be_written_down_is_neither_shown_nor_done(
    arena: Arena, cast: Cast, tables: Tables, database: SimpleNamespace, how: str
) -> None:
    warm(arena, cast)
    statement = {"no right": REVOKE, "no partition": DROP, "read only": READ_ONLY.format(name=database.name)}[
        how
    ]
    arena.site.sql(database.superuser, statement)
    if how == "read only":
        with arena.site.app.app_context():
            db.engine.dispose()
    before, faults, unavailable = tables.now(), [], 0
    for what, answer in everything(arena, cast):
        page = answer.get_data(as_text=True)
        if any(word in page for word in WORDS):
            faults.append(f"{what}: personal data {answer.status_code}")
        if "health" not in what and (fault := fault_of(answer, down=True)):
            faults.append(f"{what}: {fault}")
        unavailable += answer.status_code == 503
    assert not faults, told(faults)
    assert unavailable > 50
    after = tables.now()
    # a form's draft, a step of one's own session and a proof that has begun are no reading and no record
    assert {name for name in after if after[name] != before[name]} <= {"draft", "submission", "ceremony"}


def test_without_the_store_an_upload_says_so_and_leaves_no_row(
    arena: Arena, cast: Cast, tables: Tables
) -> None:
    officer = cast("officer")
    form = {"csrf_token": officer.csrf, "form_key": str(uuid4()), "kind": "report", "description": ""}
    body, content_type = multipart(form, "a.txt", b"words")
    before = tables.now()
    answer = officer.http.post(f"/cases/{arena.mine.case_id}/files", data=body, content_type=content_type)
    assert answer.status_code == 503 and "Nothing was" in answer.get_data(as_text=True)
    assert {name for name, rows in tables.now().items() if rows != before[name]} <= {"stored_object"}
    assert "a.txt" not in officer.get(f"/cases/{arena.mine.case_id}/files").get_data(as_text=True)


def test_a_session_that_ran_out_keeps_the_text_and_one_that_was_ended_keeps_nothing(
    arena: Arena, cast: Cast, tables: Tables, database: SimpleNamespace
) -> None:
    officer, case = cast("officer"), arena.mine.case_id
    form = {
        "text": "typed late",
        "kind": "visit",
        "draft_key": f"case_log.add:{case}",
        "back": f"/cases/{case}/log",
    }
    assert officer.csrf
    before = tables.now()
    arena.site.sql(database.superuser, "UPDATE user_session SET expires_at = now() - interval '1 second'")
    # the cookie alone, without a token of a page of that session, plants nothing
    planted = officer.http.post(f"/cases/{case}/log", data={**form, "csrf_token": "0" * 64})
    assert planted.status_code == 400 and tables.now() == before
    answer = officer.post(f"/cases/{case}/log", form)
    assert answer.status_code == 302 and "/sign-in" in answer.location
    kept = tables.now()
    assert {name for name in kept if kept[name] != before[name]} == {"draft"}
    arena.site.sql(database.superuser, "UPDATE user_session SET ended_at = now()")
    answer = officer.post(f"/cases/{case}/log", {**form, "text": "planted"})
    assert answer.status_code == 400 and tables.now() == kept


def test_after_the_session_ran_out_every_form_leads_to_a_page_that_is_there(
    arena: Arena, cast: Cast, database: SimpleNamespace
) -> None:
    warm(arena, cast)
    arena.site.sql(database.superuser, "UPDATE user_session SET expires_at = now() - interval '1 second'")
    faults = []
    adapter = arena.site.app.url_map.bind("127.0.0.1:8480")
    for rule in rules(arena, "POST"):
        user, form = forms(arena).get(rule.endpoint, ("officer", {}))
        if rule.endpoint in (
            "accounts.sign_in",
            "accounts.enrol",
            "second_step.code",
            "second_step.set_up",
            "passkey_door.begin_sign_in",
            "passkey_door.sign_in",
            "providers.start",
            "providers.start_enrolment",
            "providers.provider_logout",
            "case_files.upload",
            "case_file.replace",
            "papers.add",
            "evidence.add",
        ):
            continue
        answer = cast(user).post(address_of(arena, rule), form)
        back = answer.location.partition("next=")[2].partition("&")[0] if answer.location else ""
        if answer.status_code != 302 or not adapter.test(back, "GET"):
            faults.append(f"{rule.endpoint}: {answer.status_code} {answer.location}")
    assert not faults, told(faults)


def test_when_every_connection_is_taken_the_page_says_so(
    arena: Arena, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cast("officer").csrf
    with arena.site.app.app_context():
        engine = db.engine
    monkeypatch.setattr(engine.pool, "_timeout", 0.2)
    with ExitStack() as held:
        for _ in range(12):
            held.enter_context(engine.connect())
        answer = cast("officer").get(f"/cases/{arena.mine.case_id}")
        assert answer.status_code == 503 and fault_of(answer, down=True) is None
    assert cast("officer").get(f"/cases/{arena.mine.case_id}").status_code == 200
