"""The log's second place on a real store: what is copied, what can't be deleted, what any interruption leaves, and what a
check of the bucket alone finds."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from hub.audit import archive_loop
from hub.audit.archive_format import bundle_key, entry_key, partial_place, read_bundle, write_bundle
from hub.audit.archive_loop import Archiving
from hub.audit.archiving import Busy, Copier
from hub.crypto.tlog.checkpoints import Checkpoint
from hub.crypto.tlog.hashing import Frontier, NotProven, leaf_hash
from hub.crypto.tlog.notes import COSIGNATURE, Signer, open_note
from hub.crypto.tlog.tiles import tile_path, tiles_of
from hub.launcher.objectstore import client_for
from hub.storage.errors import StoreUnavailable
from hub.storage.locked import LockedBucket, NotLocked
from tests.fixtures.archive import DAY, SIGNER, Place, Tree

WITNESS = Signer.from_seed("police.example/witness", bytes(range(32, 64)), COSIGNATURE)


def codes(place: Place) -> set[str]:
    return {code for code, _ in place.check().problems}


def lag(tree: Tree) -> int:
    return int(tree.one("SELECT waiting FROM audit.archive_lag()"))


def test_what_lies_there_is_the_whole_log_in_the_layout_of_tlog_tiles(tree: Tree, place: Place) -> None:
    tree.write(600)
    size = tree.grow()
    assert lag(tree) == size
    assert tree.copier().step() == size
    bundles = [bundle_key(number, count) for level, number, count in tiles_of(size) if level == 0]
    tiles = [tile_path(*one) for one in tiles_of(size)]
    assert sorted(place.listed()) == sorted([*bundles, *tiles, "checkpoint"])
    text, signed = open_note(place.read("checkpoint"), [SIGNER.verifier])
    frontier = Frontier()
    bodies = [bytes(row[0]) for row in tree.owner.execute("SELECT body FROM audit.event ORDER BY xid, id")]
    archived = b"".join(place.read(key) for key in bundles)
    assert archived == b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
    for body in bodies:
        frontier.add(leaf_hash(body))
    assert Checkpoint.parse(text) == Checkpoint("hub.example/log", size, frontier.root())
    assert signed == {"hub.example/log": None}
    report = place.check()
    assert (report.ok, report.size, report.events, report.bundles) == (True, size, size, len(bundles))
    assert tree.one("SELECT waiting, oldest IS NULL FROM audit.archive_lag()") == (0, True)


def test_it_goes_on_where_it_was_and_writes_no_full_bundle_twice(tree: Tree, place: Place) -> None:
    copier = tree.copier()
    for _ in range(4):
        tree.write(150)
        size = tree.grow()
        copier.step()
    assert copier.step() == 0
    assert place.check().events == size
    assert len(place.versions(bundle_key(0))) == len(place.versions(tile_path(0, 0))) == 1
    assert len(place.versions("checkpoint")) == 4


def test_nobody_deletes_or_changes_what_is_locked(tree: Tree, place: Place) -> None:
    tree.write(300)
    tree.grow()
    tree.copier(held=30 * DAY).step()
    for key in place.listed():
        (version,) = place.versions(key)
        given = {"Bucket": place.name, "Key": key, "VersionId": version}
        held = place.admin.get_object_retention(**given)["Retention"]
        assert held["Mode"] == "COMPLIANCE"
        partial = partial_place(key) is not None
        assert held["RetainUntilDate"] > datetime.now(UTC) + (DAY if partial else 30 * DAY) - timedelta(
            minutes=5
        )
        sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(minutes=1)}
        weaker = {**held, "Mode": "GOVERNANCE"}
        delete, change = place.admin.delete_object, place.admin.put_object_retention
        for act, named in (
            (delete, {}),
            (delete, {"BypassGovernanceRetention": True}),
            (change, {"Retention": sooner, "BypassGovernanceRetention": True}),
            (change, {"Retention": weaker, "BypassGovernanceRetention": True}),
        ):
            with pytest.raises(ClientError) as refused:
                act(**given, **named)
            assert refused.value.response["Error"]["Code"] == "AccessDenied"
        many = place.admin.delete_objects(
            Bucket=place.name, Delete={"Objects": [{"Key": key, "VersionId": version}]}
        )
        assert [one["Code"] for one in many["Errors"]] == ["AccessDenied"]
        assert not place.bucket.delete(key, version)
    for attempt in (
        lambda: place.admin.delete_bucket(Bucket=place.name),
        lambda: place.admin.put_bucket_versioning(
            Bucket=place.name, VersioningConfiguration={"Status": "Suspended"}
        ),
    ):
        with pytest.raises(ClientError):
            attempt()
    assert place.check().ok


def test_a_lock_ends_on_its_date_and_not_before(place: Place) -> None:
    version = place.bucket.put("one", b"kept", until=datetime.now(UTC) + timedelta(seconds=3))
    assert not place.bucket.delete("one", version)
    time.sleep(4.5)
    assert place.bucket.delete("one", version)


def test_a_bucket_without_object_lock_is_not_used(tree: Tree, place: Place) -> None:
    place.admin.create_bucket(Bucket=f"{place.name}-open")
    place.name += "-open"
    with pytest.raises(NotLocked):
        tree.copier()
    place.name = "not-there-at-all"
    with pytest.raises(StoreUnavailable, match="store_unavailable"):
        place.bucket.check_lock()


def test_the_log_s_own_account_reaches_its_bucket_alone(place: Place) -> None:
    own = client_for(place.store.archive_address())
    until = datetime.now(UTC) + timedelta(seconds=2)
    bucket = LockedBucket(own, place.store.archive_address().bucket)
    bucket.check_lock()
    version = bucket.put("one", b"x", until=until)
    bucket.check_held("one", version, until)
    assert [one.version_id for one in bucket.versions("one")] == [version] and bucket.get("one").body == b"x"
    assert not bucket.delete("one", version)
    for attempt in (
        lambda: own.get_object(Bucket=place.name, Key="checkpoint"),
        lambda: own.put_object(Bucket="hub-attachments", Key="x", Body=b""),
        lambda: own.list_objects_v2(Bucket="hub-attachments"),
        lambda: own.create_bucket(Bucket="another"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()


@pytest.mark.parametrize("cut", ["_put_bundle", "_copy_tiles", "_copy_notes", "_keep_books"])
def test_after_any_cut_it_is_copied_again_without_harm(
    tree: Tree, place: Place, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    class Cut(Exception):
        pass

    whole = getattr(Copier, cut)

    def done_then_cut(*given: Any, **named: Any) -> None:
        if cut != "_keep_books":
            whole(*given, **named)
        raise Cut

    tree.write(100)
    tree.grow()
    copier = tree.copier()
    copier.step()
    tree.write(500)
    size = tree.grow()
    with monkeypatch.context() as patch:
        patch.setattr(Copier, cut, done_then_cut)
        with pytest.raises(Cut):
            copier.step()
    copier.connection.close()
    assert lag(tree) == 500
    again = tree.copier()
    assert again.step() == 500
    assert lag(tree) == 0
    report = place.check()
    assert (report.ok, report.events) == (True, size)


def test_while_the_store_is_down_the_lag_grows_and_nothing_is_lost(tree: Tree, place: Place) -> None:
    tree.write(10)
    tree.grow()
    copier = tree.copier()
    copier.step()
    copier.bucket = LockedBucket.from_settings(place.settings(s3_endpoint="http://127.0.0.1:1"), attempts=1)
    for round in (1, 2):
        tree.write(400)
        size = tree.grow()
        with pytest.raises(StoreUnavailable):
            copier.step()
        waiting, oldest = tree.one("SELECT waiting, oldest FROM audit.archive_lag()")
        assert waiting == 400 * round and oldest < datetime.now(UTC)
    copier.bucket = place.bucket
    assert copier.step() == 800
    assert (lag(tree), place.check().events) == (0, size)


def test_the_loop_outlives_a_store_that_is_down(
    tree: Tree, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    tree.write(10)
    tree.grow()
    loop = Archiving(tree.connect("sequencer"), place.settings(), [SIGNER.verifier])
    copier = Copier(loop.connection, place.bucket, [SIGNER.verifier], DAY, DAY)
    sound = copier.bucket
    copier.bucket = LockedBucket.from_settings(place.settings(s3_endpoint="http://127.0.0.1:1"), attempts=1)
    stop = archive_loop.threading.Event()
    loop._once(copier, stop)
    assert "archive_unavailable" in capsys.readouterr().out and lag(tree) > 0
    copier.bucket = sound
    loop._once(copier, stop)
    assert "archived" in capsys.readouterr().out and lag(tree) == 0


def test_only_one_copies(tree: Tree) -> None:
    first = tree.copier()
    with pytest.raises(Busy):
        tree.copier()
    first.connection.close()
    patience = time.monotonic() + 5
    while time.monotonic() < patience:
        try:
            tree.copier()
            return
        except Busy:
            time.sleep(0.05)
    pytest.fail("the lock outlived its connection")


def test_the_newest_head_and_the_newest_that_a_witness_signed(tree: Tree, place: Place) -> None:
    copier = tree.copier()
    tree.write(20)
    seen = tree.grow()
    copier.step()
    text, _ = open_note(place.read("checkpoint"), [SIGNER.verifier])
    tree.connect("sequencer").execute(
        "INSERT INTO audit.cosignature (size, name, line) VALUES (%s, %s, %s)",
        [seen, WITNESS.name, WITNESS.sign(text, at=1_700_000_000)],
    )
    copier.step()
    both = [SIGNER.verifier, WITNESS.verifier]
    assert set(open_note(place.read("checkpoint"), both)[1]) == {SIGNER.name, WITNESS.name}
    tree.write(20)
    newest = tree.grow()
    copier.step()
    assert set(open_note(place.read("checkpoint"), both)[1]) == {SIGNER.name}
    text, signed = open_note(place.read("checkpoint.cosigned"), both)
    assert Checkpoint.parse(text).size == seen < newest and set(signed) == {SIGNER.name, WITNESS.name}
    assert place.check().ok


def test_what_is_full_replaces_the_partial_once_its_lock_has_ended(tree: Tree, place: Place) -> None:
    copier = tree.copier(partial=timedelta(seconds=2))
    tree.write(30)
    old = tree.grow()
    copier.step()
    tree.write(500)
    size = tree.grow()
    copier.step()
    stop = archive_loop.threading.Event()
    assert copier.sweep(datetime.now(UTC), stop) == 0
    time.sleep(3.5)
    assert copier.sweep(datetime.now(UTC) - timedelta(hours=1), stop) == 0
    # the bundle and the tile of level 0; that of level 1 is not full yet
    assert copier.sweep(datetime.now(UTC), stop) == 2
    assert not {bundle_key(0, old), tile_path(0, 0, old)} & set(place.listed())
    report = place.check()
    assert (report.ok, report.events) == (True, size)


def test_a_quiet_log_s_partial_tiles_stay_locked(tree: Tree, place: Place) -> None:
    copier = tree.copier()
    tree.write(300)
    size = tree.grow()
    copier.step()
    tree.owner.execute("UPDATE audit.archive SET renewed_at = renewed_at - interval '13 hours'")
    assert copier.step() == 0
    for key in (bundle_key(1, size - 256), tile_path(0, 1, size - 256), tile_path(1, 0, 1)):
        assert len(place.versions(key)) == 2
    assert len(place.versions(bundle_key(0))) == 1
    copier.step()
    assert len(place.versions(tile_path(1, 0, 1))) == 2


def test_an_event_that_is_too_long_for_a_bundle_stands_alone(tree: Tree, place: Place) -> None:
    tree.write(3)
    tree.write(1, padding=65_535 - len('{"n":1,"p":""}'))
    tree.write(1, padding=65_536 - len('{"n":1,"p":""}'))
    size = tree.grow()
    tree.copier().step()
    lengths = [len(one) for one in read_bundle(place.read(bundle_key(0, size)), size)]
    assert lengths[-2:] == [65_535, 0] and 0 not in lengths[:-1]
    assert len(place.read(entry_key(size - 1))) == 65_536
    assert [key for key in place.listed() if key.startswith("entry/")] == [entry_key(size - 1)]
    report = place.check()
    assert (report.ok, report.events) == (True, size)


def test_the_form_of_bundles_and_keys() -> None:
    assert bundle_key(1234067) == "tile/entries/x001/x234/067"
    assert bundle_key(5, 17) == "tile/entries/005.p/17"
    assert entry_key(1234067) == "entry/x001/x234/067"
    assert partial_place("tile/entries/x001/x234/067.p/8") == (0, 1234067)
    assert partial_place("tile/2/x010/003.p/255") == (2, 10003)
    for other in ("tile/0/001", "checkpoint", "tile/entries/001", "entry/001.p/3"):
        assert partial_place(other) is None
    data = write_bundle([b"ab", b"c"])
    assert data == b"\0\2ab\0\1c" and read_bundle(data, 2) == [b"ab", b"c"]
    for wrong, count in ((data[:-1], 2), (data + b"\0", 2), (data, 1), (data, 3), (b"\0", 1), (b"", 1)):
        with pytest.raises(NotProven):
            read_bundle(wrong, count)
    with pytest.raises(NotProven):
        write_bundle([b""])


def test_who_may_keep_the_books(tree: Tree) -> None:
    app, sequencer = tree.connect("app"), tree.connect("sequencer")
    assert app.execute("SELECT waiting FROM audit.archive_lag()").fetchone() is not None
    for who, statement in (
        (app, "UPDATE audit.archive SET size = 0"),
        (app, "INSERT INTO audit.archived_month VALUES ('2024-01-01', 0, 1, 2, 3)"),
        (app, "SELECT * FROM audit.archived_revision"),
        (sequencer, "INSERT INTO audit.archived_month VALUES ('2024-01-01', 0, 1, 2, 3)"),
        (sequencer, "INSERT INTO audit.archived_revision VALUES ('case', gen_random_uuid(), 1)"),
        (sequencer, "DELETE FROM audit.archive"),
        (sequencer, "ALTER TABLE audit.event DETACH PARTITION audit.event_2026_11"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            who.execute(statement)
