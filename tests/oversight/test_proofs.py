"""The proof of an event on the auditor's page: told in words, given as a file, and never of another organisation's event."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from hub.audit.sequencing import Memory, Sequencer
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.notes import Signer
from hub.crypto.tlog.proof_files import ProofFile
from tests.fixtures.site import Client, Site
from tests.oversight.asked import Told, happen
from tests.oversight.test_views import with_purpose

SIGNER = Signer.from_seed("hub.example/log", bytes(range(32)))


@pytest.fixture
def told(site: Site) -> Told:
    return happen(site)


@pytest.fixture
def auditor(site: Site) -> Client:
    return with_purpose(site.as_user("auditor"))


def one_event(site: Site, database: SimpleNamespace, told: Told) -> UUID:
    rows = site.sql(
        database.superuser,
        "SELECT id FROM audit.event WHERE act = 'person.opened' AND person_ids @> ARRAY[CAST(:person AS uuid)] LIMIT 1",
        person=str(told.person_id),
    )
    return UUID(str(rows[0][0]))


def seal(database: SimpleNamespace, folder: Path) -> None:
    with psycopg.connect(database.sequencer.replace("+psycopg", "")) as connection:
        sequencer = Sequencer(connection, SIGNER, Memory(folder / "last"))
        sequencer.begin()
        until = time.monotonic() + 30
        while sequencer.step() or (_waiting(connection) and time.monotonic() < until):
            time.sleep(0.02)


def _waiting(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT waiting FROM audit.tree_lag()").fetchone()
    connection.commit()
    return bool(row and row[0])


def test_an_event_is_proved_in_words_and_as_a_file(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client, tmp_path: Path
) -> None:
    event = one_event(site, database, told)
    early = auditor.get(f"/audit/events/{event}/proof")
    assert "Not sealed yet" in early.text
    assert auditor.get(f"/audit/events/{event}/proof.tlog-proof").status_code == 404
    seal(database, tmp_path)
    page = auditor.get(f"/audit/events/{event}")
    assert f"/audit/events/{event}/proof" in page.text
    proved = auditor.get(f"/audit/events/{event}/proof").text
    assert "This event is in the log as it was written" in proved and "No partner has signed" in proved
    answer = auditor.get(f"/audit/events/{event}/proof.tlog-proof")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{event}.tlog-proof"'
    file = ProofFile.parse(answer.get_data(as_text=True))
    file.check(Policy((SIGNER.verifier,)))
    assert file.extra is not None and str(event).encode() in file.extra
    opened = site.sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE act = 'log.opened' AND object_id = CAST(:event AS uuid)",
        event=str(event),
    )
    assert opened[0][0] == 5


def test_a_tree_that_was_touched_is_told(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client, tmp_path: Path
) -> None:
    event = one_event(site, database, told)
    seal(database, tmp_path)
    site.sql(database.superuser, "ALTER TABLE audit.tile DISABLE TRIGGER USER")
    site.sql(
        database.superuser,
        "UPDATE audit.tile SET hashes = overlay(hashes PLACING decode(repeat('00', 64), 'hex') FROM 1)",
    )
    page = auditor.get(f"/audit/events/{event}/proof")
    assert page.status_code == 200 and "The proof does not hold" in page.text


def test_another_organisation_s_event_has_no_proof_here(site: Site, told: Told, auditor: Client) -> None:
    for address in (f"/audit/events/{told.foreign}/proof", f"/audit/events/{told.foreign}/proof.tlog-proof"):
        assert auditor.get(address).status_code == 404


def test_the_purpose_comes_first(site: Site, database: SimpleNamespace, told: Told) -> None:
    event = one_event(site, database, told)
    answer = site.as_user("auditor").get(f"/audit/events/{event}/proof")
    assert answer.status_code == 302 and "/audit/purpose" in answer.headers["Location"]
