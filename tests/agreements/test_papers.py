"""The signed document: sealed as it comes in, given back byte for byte to the parties, and there for nobody else."""

from __future__ import annotations

import hashlib
import re
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from hub.assurances.models import Assurance
from hub.attachments.models import Paper
from hub.attachments.papers import add_paper, find_papers, open_paper
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
from hub.extensions import db
from hub.sharing.ending import leave_agreement
from tests.agreements.drafting import agreed, drafted, told
from tests.attachments.conftest import multipart
from tests.attachments.making import pdf
from tests.fixtures.site import Client, Site
from tests.fixtures.store import Bucket
from tests.fixtures.world import World, act_as

CANARY = b"canary-77b2-signed-by-Ada-Lane "
PDF = pdf(b"<< /Length 9 >>\nstream\n" + CANARY * 30_000 + b"\nendstream")
NAME = "Signed by Ada Lane.pdf"


@pytest.fixture
def pact(stored_site: Site, world: World) -> UUID:
    with stored_site.inside():
        return agreed(world, "council", "police")


def send(
    client: Client,
    pact: UUID,
    name: str = NAME,
    content: bytes = PDF,
    *,
    key: str | None = None,
    csrf: str = "",
) -> TestResponse:
    form = {"csrf_token": csrf or client.csrf, "form_key": key or str(uuid4())}
    body, content_type = multipart(form, name, content)
    return client.http.post(f"/agreements/{pact}/papers", data=body, content_type=content_type)


def link(client: Client, pact: UUID) -> str:
    page = client.get(f"/agreements/{pact}").get_data(as_text=True)
    found = re.search(rf"/agreements/{pact}/papers/[0-9a-f-]+", page)
    assert found and NAME in page, page
    return found.group(0)


def test_a_paper_comes_back_byte_for_byte_to_every_party(stored_site: Site, pact: UUID) -> None:
    spoc = stored_site.as_user("spoc")
    assert send(spoc, pact).headers["Location"].endswith(f"/agreements/{pact}")
    for reader in ("spoc", "police_spoc", "officer", "sergeant"):
        client = stored_site.as_user(reader)
        answer = client.get(link(client, pact))
        assert answer.status_code == 200 and answer.data == PDF
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    assert hashlib.sha256(PDF).hexdigest() in spoc.get(f"/agreements/{pact}").get_data(as_text=True)


def test_a_paper_is_read_in_parts_under_one_event(
    stored_site: Site, pact: UUID, database: SimpleNamespace
) -> None:
    send(stored_site.as_user("spoc"), pact)
    sergeant = stored_site.as_user("sergeant")
    for first in (0, 500, 70_000):
        answer = sergeant.get(link(sergeant, pact), headers={"Range": f"bytes={first}-{first + 99}"})
        assert answer.status_code == 206 and answer.data == PDF[first : first + 100]
    looks = "SELECT count(*) FROM audit.event WHERE act = 'paper.downloaded' AND outcome = 'ok'"
    assert stored_site.sql(database.superuser, looks)[0][0] == 1


def test_the_store_and_the_database_hold_ciphertext_only(
    stored_site: Site, pact: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    send(stored_site.as_user("spoc"), pact)
    (key,) = bucket.keys()
    stored = bucket.read(key)
    assert len(stored) > len(PDF) and CANARY not in stored and b"%PDF" not in stored
    row = stored_site.sql(database.superuser, "SELECT p::text AS whole, size FROM paper p")[0]
    assert "Ada" not in row.whole and b"Ada".hex() not in row.whole and row.size == len(PDF)


def test_for_who_is_no_party_there_is_neither_agreement_nor_paper(
    stored_site: Site, pact: UUID, database: SimpleNamespace
) -> None:
    send(stored_site.as_user("spoc"), pact)
    paper = link(stored_site.as_user("spoc"), pact)
    for reader in ("charity_spoc", "yjs_spoc", "outreach_worker"):
        client = stored_site.as_user(reader)
        assert client.get(f"/agreements/{pact}").status_code == 404
        assert client.get(paper).status_code == 404
    stranger = stored_site.as_user("charity_spoc")
    assert stranger.get(f"/agreements/{pact}/papers").status_code == 404
    assert send(stranger, pact).status_code == 404
    denied = stored_site.sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE act = 'paper.downloaded' AND outcome = 'denied'",
    )
    assert denied[0][0] == 3
    assert stored_site.sql(database.superuser, "SELECT count(*) FROM paper")[0][0] == 1


def test_a_paper_is_only_found_under_its_own_agreement(stored_site: Site, pact: UUID, world: World) -> None:
    send(stored_site.as_user("spoc"), pact)
    spoc = stored_site.as_user("spoc")
    paper = link(spoc, pact).rsplit("/", 1)[1]
    assert spoc.get(f"/agreements/{world.agreements['sharing']}/papers/{paper}").status_code == 404


def test_only_an_administrator_adds_and_only_while_a_party(
    stored_site: Site, pact: UUID, world: World, database: SimpleNamespace
) -> None:
    assert send(stored_site.as_user("officer"), pact).status_code == 403
    with stored_site.inside():
        left = agreed(world, "council", "police", "yjs")
        leave_agreement(act_as(world, "yjs_spoc"), left, why="Not needed")
        db.session.commit()
    gone = stored_site.as_user("yjs_spoc")
    assert gone.get(f"/agreements/{left}").status_code == 200
    assert gone.get(f"/agreements/{left}/papers").status_code == 403
    assert send(gone, left).status_code == 403
    assert stored_site.sql(database.superuser, "SELECT count(*) FROM paper")[0][0] == 0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("terms.xlsx", b"PK\x03\x04", "PDF, Word and OpenDocument text files, and pictures"),
        ("terms.mp3", b"ID3", "are not taken"),
        ("terms.txt", b"hello", "are not taken"),
        ("terms.pdf", b"<script>alert(1)</script>", "not what .pdf says"),
        ("terms.pdf", b"", "The file is empty"),
        ("", PDF, "Choose a file"),
    ],
)
def test_what_is_no_paper_is_refused_and_said_plainly(
    name: str,
    content: bytes,
    words: str,
    stored_site: Site,
    pact: UUID,
    bucket: Bucket,
    database: SimpleNamespace,
) -> None:
    answer = send(stored_site.as_user("spoc"), pact, name, content)
    assert answer.status_code == 422 and words in answer.get_data(as_text=True)
    assert bucket.keys() == []
    refused = "SELECT count(*) FROM audit.event WHERE act = 'paper.added' AND outcome = 'denied'"
    assert stored_site.sql(database.superuser, refused)[0][0] == 1


def test_the_same_form_twice_keeps_one_paper_and_a_foreign_form_none(
    stored_site: Site, pact: UUID, database: SimpleNamespace
) -> None:
    spoc, key = stored_site.as_user("spoc"), str(uuid4())
    assert [send(spoc, pact, key=key).status_code for _ in range(2)] == [303, 303]
    assert send(spoc, pact, csrf="0" * 64).status_code == 400
    assert stored_site.sql(database.superuser, "SELECT count(*) FROM paper")[0][0] == 1


def test_a_paper_that_was_tampered_with_is_not_sent(
    stored_site: Site, pact: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    send(stored_site.as_user("spoc"), pact)
    (key,) = bucket.keys()
    stored = bytearray(bucket.read(key))
    stored[200] ^= 1
    version = bucket.write(key, bytes(stored))
    stored_site.sql(database.superuser, "UPDATE paper SET object_version = :version", version=version)
    spoc = stored_site.as_user("spoc")
    assert spoc.get(link(spoc, pact)).status_code == 503
    unsound = "SELECT count(*) FROM audit.event WHERE act = 'attachment.unsound'"
    assert stored_site.sql(database.superuser, unsound)[0][0] == 1


def test_a_draft_has_papers_for_its_owner_alone(stored_site: Site, world: World) -> None:
    with stored_site.inside():
        draft = drafted(world, "council", "police")
    assert send(stored_site.as_user("spoc"), draft).status_code == 303
    assert send(stored_site.as_user("police_spoc"), draft).status_code == 404


def test_the_log_tells_who_added_and_who_read_it(
    stored_site: Site, pact: UUID, database: SimpleNamespace
) -> None:
    send(stored_site.as_user("spoc"), pact)
    sergeant = stored_site.as_user("sergeant")
    sergeant.get(link(sergeant, pact))
    rows = stored_site.sql(
        database.superuser,
        "SELECT e.act, split_part(u.email, '@', 1) AS who, convert_from(body, 'UTF8')::jsonb -> 'file' ->> 'sha256' AS sha"
        " FROM audit.event e JOIN app_user u ON u.id = e.user_id WHERE act LIKE 'paper.%' ORDER BY at",
    )
    stored = stored_site.sql(database.superuser, "SELECT stored_sha256 FROM paper")[0].stored_sha256
    assert [tuple(row) for row in rows] == [
        ("paper.added", "spoc", stored),
        ("paper.downloaded", "sergeant", None),
    ]
    assert told(stored_site, database, "paper.added") == []


def test_evidence_of_an_assurance_is_read_by_partners_and_added_by_its_own(
    stored_site: Site, pact: UUID, world: World
) -> None:
    with stored_site.inside():
        police = act_as(world, "police_spoc")
        assurance = Assurance(
            organisation_id=police.organisation_id,
            form_version=1,
            answers={},
            submitted_by=police.user_id,
            submitted_at=clock.now(),
        )
        db.session.add(assurance)
        db.session.commit()
        with pytest.raises(NotVisible):
            add_paper(act_as(world, "spoc"), assurance_id=assurance.id, name=NAME, blocks=[PDF])
        police = act_as(world, "police_spoc")
        paper = add_paper(police, assurance_id=assurance.id, name=NAME, blocks=[PDF])
        db.session.commit()
        partner = act_as(world, "spoc")
        assert [one.name for one in find_papers(partner, assurance_id=assurance.id)] == [NAME]
        db.session.rollback()
        assert b"".join(open_paper(partner, paper.id, assurance_id=assurance.id).blocks) == PDF
        stranger = act_as(world, "charity_spoc")
        assert find_papers(stranger, assurance_id=assurance.id) == []
        db.session.rollback()
        with pytest.raises(NotVisible):
            open_paper(stranger, paper.id, assurance_id=assurance.id)
        with pytest.raises(NotVisible):
            open_paper(partner, paper.id, agreement_id=pact)


def test_one_past_the_limit_is_refused(
    stored_site: Site, pact: UUID, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.setattr("hub.attachments.papers.MAX_PAPERS", 1)
    spoc = stored_site.as_user("spoc")
    assert [send(spoc, pact).status_code for _ in range(2)] == [303, 409]
    with stored_site.inside():
        act_as(world, "spoc")
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Paper)) == 1
        with pytest.raises(Invalid):
            add_paper(
                act_as(world, "spoc"), agreement_id=world.agreements["sharing"], name="a.exe", blocks=[b"MZ"]
            )
