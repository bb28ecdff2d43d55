"""The malware scan of files: only what clamd found clean opens, every other state says what it means and what to do."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.attachments.papers import add_paper
from hub.extensions import db
from tests.attachments.conftest import Desk, share
from tests.attachments.scanned import NAME, PLAIN, States, put, scan, states
from tests.attachments.test_views import _added, pdf
from tests.fixtures.clamd import EICAR, MIB, SIGNATURE
from tests.fixtures.world import act_as
from tests.scanner.test_clamd import STREAMS

__all__ = ["states"]
pytestmark = pytest.mark.slow
FOUND = f"{SIGNATURE}.UNOFFICIAL"


def test_a_file_opens_once_the_scan_has_found_it_clean(scanned: Desk, states: States) -> None:
    officer = scanned.officer()
    sent = scanned.send(officer, "a.pdf", pdf())
    key = _added(sent.headers["Location"])
    page = officer.get(sent.headers["Location"]).get_data(as_text=True)
    assert "Waiting for the malware scan" in page and "New files wait for the malware scan" in page
    assert f'/files/{key}"' not in page
    waiting = officer.get(scanned.path(key))
    assert waiting.status_code == 409 and pdf() not in waiting.get_data()
    assert "tell your administrator" in waiting.get_data(as_text=True)
    assert scan(scanned) == 1
    assert states.of(key) == ("clean", None) and states.events("attachment.scanned") == ["clean"]
    page = officer.get(scanned.path()).get_data(as_text=True)
    assert "No malware found" in page and f'/files/{key}"' in page and "New files wait" not in page
    assert officer.get(scanned.path(key)).get_data() == pdf()
    assert scan(scanned) == 0
    assert "malware" not in officer.get("/notifications").get_data(as_text=True)


def test_what_is_not_clean_never_opens_and_says_why(scanned: Desk, states: States) -> None:
    sentences = {
        FOUND: "Malware was found in the file",
        "limits": "it holds more than the scanner can unpack",
        "too_large": "it is too large",
        "encrypted": "it is protected by a password",
    }
    bad = {name: verdict for name, (_, verdict) in STREAMS.items() if verdict.finding}
    keys = {name: put(scanned, STREAMS[name][0]) for name in bad}
    assert scan(scanned) == len(bad)
    officer = scanned.officer()
    page = officer.get(scanned.path()).get_data(as_text=True)
    for name, verdict in bad.items():
        assert states.of(keys[name]) == (verdict.outcome.value, verdict.finding), name
        answer = officer.get(scanned.path(keys[name]))
        words = answer.get_data(as_text=True)
        assert answer.status_code == 409 and sentences[verdict.finding or ""] in words, name
        assert EICAR not in answer.get_data(), name
        assert f'/files/{keys[name]}"' not in page, name
    for sentence in sentences.values():
        assert sentence in page
    assert page.count(NAME) >= len(bad)


def test_a_file_beyond_what_the_scan_is_trusted_for_is_not_even_sent(scanned: Desk, states: States) -> None:
    scanned.settings(clamd_max_mib=1)
    fits, large = put(scanned, b"x" * MIB), put(scanned, b"x" * (MIB + 1))
    assert scan(scanned) == 2
    assert states.of(fits) == ("clean", None) and states.of(large) == ("unscannable", "too_large")


def test_a_recording_beyond_it_is_scanned_in_pieces(scanned: Desk, states: States) -> None:
    scanned.settings(clamd_max_mib=2)
    # what clamd knows lies on the first cut, and in the last piece
    on_the_cut = b"x" * (2 * MIB - 30) + EICAR + b"x" * MIB
    at_the_end = b"x" * (5 * MIB) + EICAR
    good, cut, end = (
        put(scanned, content, "Yard.mp4", "video/mp4")
        for content in (b"x" * (5 * MIB), on_the_cut, at_the_end)
    )
    assert scan(scanned) == 3
    assert states.of(good) == ("clean", None)
    assert states.of(cut)[0] == states.of(end)[0] == "infected"


def test_a_document_beyond_it_is_not_taken(scanned: Desk) -> None:
    scanned.settings(clamd_max_mib=1, upload_mib=4)
    officer = scanned.officer()
    refused = scanned.send(officer, "Notes.txt", b"notes " * (MIB // 4))
    assert refused.status_code == 413 and "The file must be 1 MB or smaller" in refused.get_data(as_text=True)
    assert scanned.rows() == 0


def _told(desk: Desk, database: SimpleNamespace) -> list[tuple[str, str, str]]:
    rows = desk.site.sql(
        database.superuser,
        "SELECT u.email, n.kind, n.address FROM notification n JOIN app_user u ON u.id = n.user_id"
        " WHERE n.kind LIKE 'attachment.%' AND n.kind <> 'attachment.added' ORDER BY 1",
    )
    return [(row.email.partition("@")[0], row.kind, row.address) for row in rows]


def test_of_malware_the_uploader_and_both_sides_administrators_are_told(
    scanned: Desk, states: States, database: SimpleNamespace
) -> None:
    share(scanned.site, database.superuser, scanned.case_id, "summary", "files", may_contribute=True)
    sergeant = scanned.site.as_user("sergeant")
    key = UUID(_added(scanned.send(sergeant, NAME, EICAR).headers["Location"]))
    assert scan(scanned) == 1 and states.of(key) == ("infected", FOUND)
    kind = "attachment.scanned"
    assert _told(scanned, database) == [
        ("police_spoc", kind, "/admin/malware"),
        ("sergeant", kind, scanned.path()),
        ("spoc", kind, "/admin/malware"),
    ]
    mails = scanned.site.sql(
        database.superuser, "SELECT subject || body AS text FROM outbox_message WHERE kind = :kind", kind=kind
    )
    assert len(mails) == 3
    for mail in mails:
        assert "NBC-CS-" in mail.text and "Danny" not in mail.text and SIGNATURE not in mail.text
    assert "it is quarantined" in sergeant.get("/notifications").get_data(as_text=True)
    event = scanned.site.sql(
        database.superuser,
        "SELECT source, organisation_id, object_id, record_ids FROM audit.event WHERE act = :act",
        act=kind,
    )[0]
    assert tuple(event) == ("job", scanned.site.world.organisations["police"], key, [scanned.case_id])


def test_of_a_file_that_cannot_be_scanned_the_uploader_alone_is_told(
    scanned: Desk, database: SimpleNamespace
) -> None:
    put(scanned, STREAMS["under a password"][0])
    assert scan(scanned) == 1
    assert _told(scanned, database) == [("officer", "attachment.unscannable", scanned.path())]


def test_what_was_changed_in_the_store_is_unsound_and_an_event(
    scanned: Desk, states: States, database: SimpleNamespace
) -> None:
    changed, cut, gone = put(scanned), put(scanned), put(scanned)
    for key in (changed, cut, gone):
        row = scanned.site.sql(
            database.superuser, "SELECT object_key, object_version FROM attachment WHERE id = :key", key=key
        )[0]
        sealed = bytearray(scanned.bucket.read(row.object_key))
        sealed[16_400 * 40] ^= 1
        body = bytes(sealed) if key == changed else bytes(sealed[:-5000])
        version = "0" * 32 if key == gone else scanned.bucket.write(row.object_key, body)
        scanned.site.sql(
            database.superuser,
            "UPDATE attachment SET object_version = :version WHERE id = :key",
            version=version,
            key=key,
        )
    assert scan(scanned) == 3
    assert [states.of(key) for key in (changed, cut, gone)] == [("unscannable", "unsound")] * 3
    assert len(states.events("attachment.unsound")) == 3
    answer = scanned.officer().get(scanned.path(changed))
    assert answer.status_code == 409 and "not what was attached" in answer.get_data(as_text=True)


def test_papers_are_scanned_too(scanned: Desk, states: States, database: SimpleNamespace) -> None:
    pact = scanned.site.world.agreements["sharing"]
    keys = []
    # what was signed holds the mark in a comment before its end, so that it is one PDF all through
    for content in (pdf(), pdf().replace(b"%%EOF", b"%" + EICAR + b"\n%%EOF")):
        with scanned.site.inside():
            actor = act_as(scanned.site.world, "spoc")
            keys.append(add_paper(actor, agreement_id=pact, name="pact.pdf", blocks=[content]).id)
            db.session.commit()
    spoc = scanned.site.as_user("spoc")
    assert spoc.get(f"/agreements/{pact}/papers/{keys[0]}").status_code == 409
    assert scan(scanned) == 2 and states.events("paper.scanned") == ["clean", "infected"]
    assert spoc.get(f"/agreements/{pact}/papers/{keys[0]}").get_data() == pdf()
    answer = spoc.get(f"/agreements/{pact}/papers/{keys[1]}")
    assert answer.status_code == 409 and "Malware was found" in answer.get_data(as_text=True)
    for address in (f"/agreements/{pact}/papers", f"/agreements/{pact}"):
        page = spoc.get(address).get_data(as_text=True)
        assert "Malware found" in page and f"papers/{keys[0]}" in page and f"papers/{keys[1]}" not in page
    told = [(who, kind) for who, kind, _ in _told(scanned, database)]
    assert told == [("spoc", "attachment.scanned")]


def test_a_demonstration_with_a_scanner_scans(scanned: Desk, states: States) -> None:
    scanned.settings(demo=True)
    good, bad = put(scanned), put(scanned, EICAR)
    officer = scanned.officer()
    assert officer.get(scanned.path(good)).status_code == 409
    assert scan(scanned) == 2
    assert officer.get(scanned.path(good)).get_data() == PLAIN
    assert officer.get(scanned.path(bad)).status_code == 409


def test_without_a_scanner_the_job_does_nothing(scanned: Desk, states: States) -> None:
    key = put(scanned)
    scanned.settings(clamd=None)
    assert scan(scanned) == 0 and states.of(key) == ("pending", None)


def test_the_application_itself_can_make_nothing_clean(
    scanned: Desk, states: States, database: SimpleNamespace
) -> None:
    key = put(scanned, EICAR)
    assert scan(scanned) == 1
    engine = sa.create_engine(database.app, poolclass=sa.NullPool)
    for statement in (
        "UPDATE attachment SET scan_state = 'clean'",
        "UPDATE paper SET scan_state = 'clean'",
        "DELETE FROM scan_try",
    ):
        with (
            engine.connect() as connection,
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
        ):
            connection.execute(sa.text(statement))
    # nor what waits, as the service or as its finder
    waits = put(scanned, EICAR)
    noted = sa.text("SELECT note_scan(:key, 'clean', NULL)")
    for role in ("NONE", "hub_finder"):
        with engine.connect() as connection:
            connection.execute(sa.text(f"SET ROLE {role}"))
            assert connection.scalars(sa.text("SELECT id FROM pending_scans(10)")).all() == []
            with pytest.raises(sa.exc.ProgrammingError, match="worker"):
                connection.execute(noted, {"key": waits})
    engine.dispose()
    assert (states.of(key), states.of(waits)) == (("infected", FOUND), ("pending", None))


def test_the_worker_says_what_it_found_once_and_in_its_words(
    scanned: Desk, states: States, database: SimpleNamespace
) -> None:
    key = put(scanned, EICAR)
    assert scan(scanned) == 1
    engine = sa.create_engine(database.worker, poolclass=sa.NullPool)
    noted = sa.text("SELECT note_scan(:key, 'clean', NULL)")
    with engine.begin() as connection:
        assert connection.scalar(noted, {"key": key}) is False
        assert connection.scalars(sa.text("SELECT id FROM pending_scans(10)")).all() == []
    for state, finding in (("pending", None), ("not_scanned", None), ("clean", "x"), ("infected", None)):
        with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="a scan finds"):
            connection.execute(
                sa.text("SELECT note_scan(:key, :state, :finding)"),
                {"key": key, "state": state, "finding": finding},
            )
    engine.dispose()
    assert states.of(key) == ("infected", FOUND)
