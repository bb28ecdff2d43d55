"""Disclosure: what is thought of each file, who agrees, and what the bundle holds and leaves out."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from types import SimpleNamespace
from uuid import UUID

import pytest

from tests.attachments.conftest import Desk, share
from tests.attachments.test_own_page import make_supervisor
from tests.attachments.test_views import pdf, png
from tests.fixtures.site import Client
from tests.fixtures.turning import copies

SECRET = b"the informant's own words " * 400


class Bench:
    """A case with a relevant file, a sensitive one, and one of the police's."""

    def __init__(self, desk: Desk, superuser: str) -> None:
        self.desk, self.superuser = desk, superuser
        share(desk.site, superuser, desk.case_id, "summary", "files", may_contribute=True)
        self.keys = [
            self._sent(desk.officer(), "order.pdf", pdf()),
            self._sent(desk.officer(), "secret.txt", SECRET),
            self._sent(desk.site.as_user("sergeant"), "photo.png", png()),
        ]
        self.manager = desk.site.as_user("manager")
        self.home = f"/cases/{desk.case_id}/disclosure"

    def _sent(self, client: Client, name: str, content: bytes) -> str:
        return self.desk.send(client, name, content).headers["Location"].rpartition("added=")[2]

    def assess(self, client: Client, *thoughts: tuple[str, str]):  # type: ignore[no-untyped-def]
        form = {}
        for key, (relevance, sensitivity) in zip(self.keys, thoughts, strict=False):
            form |= {f"relevance-{key}": relevance, f"sensitivity-{key}": sensitivity, f"note-{key}": "Seen"}
        return client.post(self.home, form)

    def form(self, **changes: str) -> dict[str, str]:
        police = str(self.desk.site.world.organisations["police"])
        return {"to_organisation_id": police, "originals": "yes", "reason": "Asked for by the CPS", **changes}

    def ask(self) -> str:
        sent = self.manager.post(f"{self.home}/new", self.form())
        assert sent.status_code == 303, sent.get_data(as_text=True)
        return str(sent.headers["Location"])

    def acts(self, like: str = "disclosure.%") -> list[tuple[str, str]]:
        rows = self.desk.site.sql(
            self.superuser,
            "SELECT act, category FROM audit.event WHERE act LIKE :like ORDER BY at, id",
            like=like,
        )
        return [(row.act, row.category) for row in rows]


@pytest.fixture
def bench(desk: Desk, database: SimpleNamespace) -> Bench:
    return Bench(desk, database.superuser)


THOUGHTS = (("relevant", "not_sensitive"), ("relevant", "sensitive"), ("relevant", "not_sensitive"))


def test_the_schedule_keeps_what_was_thought_and_marks_third_parties(bench: Bench) -> None:
    assert bench.assess(bench.manager, *THOUGHTS).status_code == 303
    page = bench.manager.get(bench.home).get_data(as_text=True)
    assert page.count("Third party") == 1 and page.count('value="Seen"') == 3
    assert page.count('value="sensitive" selected') == 1
    assert ("disclosure.assessed", "alteration") in bench.acts()


def test_the_bundle_holds_the_schedule_and_what_is_relevant_and_not_sensitive(bench: Bench) -> None:
    bench.assess(bench.manager, *THOUGHTS)
    one = bench.ask()
    answer = bench.manager.post(f"{one}/bundle")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/zip"
    content = answer.get_data()
    assert SECRET not in content
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    names = archive.namelist()
    assert names == [
        "schedule.csv",
        "schedule.pdf",
        "manifest.sha256",
        "files/0001 order.pdf",
        "files/0003 photo.png",
    ]
    manifest = archive.read("manifest.sha256").decode().splitlines()
    for line in manifest:
        digest, _, path = line.partition("  ")
        assert hashlib.sha256(archive.read(path)).hexdigest() == digest
    assert len(manifest) == 2
    table = list(csv.reader(io.StringIO(archive.read("schedule.csv").decode("utf-8-sig"))))
    told = [dict(zip(table[-4], row, strict=True)) for row in table[-3:]]
    assert [row["In the bundle"] for row in told] == ["Yes", "No", "Yes"]
    assert [row["Sensitivity"] for row in told] == ["Not sensitive", "Sensitive", "Not sensitive"]
    assert [row["Third-party material"] for row in told] == ["", "", "Third party"]
    assert told[2]["Organisation"] == "Northbrook Police"
    assert archive.read("schedule.pdf").startswith(b"%PDF-")


def test_what_leaves_is_a_disclosure_with_its_recipient_and_an_event_a_file(bench: Bench) -> None:
    bench.assess(bench.manager, *THOUGHTS)
    bench.manager.post(f"{bench.ask()}/bundle").get_data()
    rows = bench.desk.site.sql(
        bench.superuser,
        "SELECT act, convert_from(body, 'UTF8')::jsonb AS body FROM audit.event WHERE category = 'disclosure'"
        " AND (act LIKE 'disclosure.%' OR act LIKE 'attachment.%') ORDER BY at, id",
    )
    assert [row.act for row in rows] == [
        "disclosure.released",
        "attachment.disclosed",
        "attachment.disclosed",
    ]
    police = str(bench.desk.site.world.organisations["police"])
    assert all(row.body["recipients"] == [{"channel": "bundle", "organisation": police}] for row in rows)
    assert rows[0].body["facts"] == {"files": 3, "originals": 2}


def test_what_was_thought_otherwise_meanwhile_stays_here(bench: Bench) -> None:
    bench.assess(bench.manager, *THOUGHTS)
    one = bench.ask()
    bench.assess(bench.manager, ("relevant", "sensitive"), *THOUGHTS[1:])
    archive = zipfile.ZipFile(io.BytesIO(bench.manager.post(f"{one}/bundle").get_data()))
    assert [name for name in archive.namelist() if name.startswith("files/")] == ["files/0003 photo.png"]


def test_without_the_files_the_bundle_is_the_schedule(bench: Bench) -> None:
    bench.assess(bench.manager, *THOUGHTS)
    sent = bench.manager.post(f"{bench.home}/new", bench.form(originals="no"))
    archive = zipfile.ZipFile(io.BytesIO(bench.manager.post(f"{sent.headers['Location']}/bundle").get_data()))
    assert archive.namelist() == ["schedule.csv", "schedule.pdf", "manifest.sha256"]


def test_the_last_step_says_in_one_sentence_what_will_happen(bench: Bench) -> None:
    bench.assess(bench.manager, *THOUGHTS)
    page = bench.manager.post(f"{bench.home}/check", bench.form()).get_data(as_text=True)
    assert "schedule of 3 files and 2 of the files themselves will be made for Northbrook Police" in page
    wrong = bench.manager.post(f"{bench.home}/check", bench.form(reason=" ", originals=""))
    assert wrong.status_code == 422 and "Write why it is disclosed" in wrong.get_data(as_text=True)
    own = str(bench.desk.site.world.organisations["council"])
    assert bench.manager.post(f"{bench.home}/new", bench.form(to_organisation_id=own)).status_code == 422


def test_a_file_that_the_maker_may_not_read_is_counted_and_nothing_else(bench: Bench) -> None:
    bench.desk.site.sql(
        bench.superuser,
        "UPDATE attachment SET audience = 'police_only' WHERE id = :key",
        key=UUID(bench.keys[2]),
    )
    page = bench.manager.get(bench.home).get_data(as_text=True)
    assert "photo.png" not in page and "may not read: 1" in page
    sent = bench.manager.post(
        bench.home,
        {f"relevance-{bench.keys[2]}": "relevant", f"sensitivity-{bench.keys[2]}": "not_sensitive"},
    )
    assert sent.status_code == 404
    archive = zipfile.ZipFile(io.BytesIO(bench.manager.post(f"{bench.ask()}/bundle").get_data()))
    assert b"photo.png" not in archive.read("schedule.csv")
    assert b'"Withheld because the maker may not read them","1"' in archive.read("schedule.csv")


def test_only_supervisors_of_the_lead_disclose(bench: Bench) -> None:
    make_supervisor(bench.desk, bench.superuser, "sergeant")
    for user, status in (("officer", 403), ("sergeant", 403), ("east_officer", 403)):
        client = bench.desk.site.as_user(user)
        assert client.get(bench.home).status_code == status, user
        assert bench.assess(client, *THOUGHTS).status_code == status, user
        assert client.post(f"{bench.home}/new", bench.form()).status_code == status, user
    make_supervisor(bench.desk, bench.superuser, "east_officer")
    assert bench.desk.site.as_user("east_officer").get(bench.home).status_code == 404


def test_over_fifty_files_another_supervisor_agrees_first(bench: Bench) -> None:
    bench.desk.site.sql(
        bench.superuser,
        "INSERT INTO stored_object SELECT (jsonb_populate_record(old, jsonb_build_object('object_key', old.object_key || n))).*"
        " FROM stored_object old JOIN attachment a ON a.object_key = old.object_key, generate_series(1, 48) n WHERE a.id = :key",
        key=UUID(bench.keys[0]),
    )
    copies(
        bench.desk.site,
        bench.superuser,
        "attachment",
        48,
        "jsonb_build_object('id', gen_random_uuid(), 'object_key', old.object_key || n)",
        f"id = '{bench.keys[0]}'",
    )
    one = bench.ask()
    page = bench.manager.get(one).get_data(as_text=True)
    assert "waits for another supervisor" in page
    assert bench.manager.post(f"{one}/bundle").status_code == 409
    own = bench.manager.post(f"{one}/approve")
    assert own.status_code == 403 and "somebody else must agree" in own.get_data(as_text=True)
    make_supervisor(bench.desk, bench.superuser, "officer")
    officer = bench.desk.officer()
    assert officer.post(f"{one}/approve").status_code == 303
    assert bench.manager.post(f"{one}/bundle").status_code == 200
    with pytest.raises(Exception, match="ck_disclosure_two_people"):
        bench.desk.site.sql(bench.superuser, "UPDATE disclosure SET approved_by = asked_by")


def test_a_session_that_is_not_fresh_confirms_itself_first(bench: Bench) -> None:
    one = bench.ask()
    bench.desk.site.sql(
        bench.superuser, "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'"
    )
    answer = bench.manager.post(f"{one}/bundle")
    assert answer.status_code == 303 and "/session/confirm" in answer.headers["Location"]
    assert not [act for act, _ in bench.acts() if act == "disclosure.released"]


def test_a_file_that_was_tampered_with_breaks_the_bundle_off(bench: Bench) -> None:
    bench.assess(bench.manager, *THOUGHTS)
    one = bench.ask()
    bench.desk.site.sql(
        bench.superuser,
        "UPDATE attachment SET sha256 = repeat('0', 64) WHERE id = :key",
        key=UUID(bench.keys[2]),
    )
    with pytest.raises(Exception, match="file_unsound"):
        bench.manager.post(f"{one}/bundle").get_data()
    assert ("attachment.unsound", "security") in bench.acts("attachment.unsound")


def test_a_note_that_is_too_long_is_told_and_nothing_is_lost(bench: Bench) -> None:
    form = {
        f"{name}-{bench.keys[0]}": value
        for name, value in (("relevance", "relevant"), ("sensitivity", "sensitive"))
    }
    answer = bench.manager.post(bench.home, {**form, f"note-{bench.keys[0]}": "x" * 501})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "500 characters or fewer" in page and "x" * 501 in page
    assert re.search(r'value="relevant" selected', page)
