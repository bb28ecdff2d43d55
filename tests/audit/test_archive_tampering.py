"""The log's second place after somebody has been at it: found from the bucket alone, and no other log is copied over it."""

from __future__ import annotations

import pytest

from hub.audit.archive_format import bundle_key, entry_key
from hub.audit.archiving import Diverged
from hub.crypto.tlog.tiles import tile_path
from tests.audit.test_archiving import codes
from tests.fixtures.archive import Place, Tree


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (bundle_key(1), "damaged"),
        (tile_path(0, 1), "damaged"),
        ("checkpoint", "damaged"),
        (tile_path(0, 2, 88), "root"),
        (tile_path(1, 0, 2), "root"),
        (bundle_key(2, 88), "damaged"),
        (entry_key(599), "damaged"),
    ],
)
def test_a_flipped_byte_is_found_from_the_bucket_alone(tree: Tree, place: Place, key: str, code: str) -> None:
    held = int(tree.one("SELECT count(*) FROM audit.event"))
    tree.write(599 - held)
    tree.write(1, padding=70_000)
    assert tree.grow() == 600
    tree.copier().step()
    assert place.check().ok
    place.flip(key)
    assert codes(place) == {code}
    place.destroy(key)
    assert codes(place) == {"root" if code == "root" else "missing"}


def test_what_a_thief_with_the_bucket_s_password_does_is_found_and_undone_by_the_older_version(
    tree: Tree, place: Place
) -> None:
    tree.write(600)
    size = tree.grow()
    tree.copier().step()
    before = place.read("checkpoint")
    for key in (bundle_key(0), tile_path(0, 1), "checkpoint"):
        place.overwrite(key, b"something else")
    place.hide(bundle_key(1))
    report = place.check()
    assert [code for code, _ in report.problems] == ["hidden"] * 4
    assert (report.size, report.events) == (size, size)
    place.overwrite("checkpoint", before)
    assert codes(place) == {"hidden", "unlocked"}


def test_an_older_checkpoint_put_in_the_newest_one_s_place_is_found(tree: Tree, place: Place) -> None:
    copier = tree.copier()
    tree.write(300)
    tree.grow()
    copier.step()
    before = place.read("checkpoint")
    tree.write(300)
    size = tree.grow()
    copier.step()
    place.overwrite("checkpoint", before)
    assert "set_back" in {code for code, _ in place.check(at_least=size).problems}


def test_what_is_not_the_archived_log_is_not_copied(tree: Tree, place: Place) -> None:
    tree.write(300)
    tree.grow()
    copier = tree.copier()
    copier.step()
    kept = sorted(place.listed())
    superuser = tree.connect("superuser")
    tree.write(5)
    size = tree.grow()
    superuser.execute(
        "UPDATE audit.event SET body = body || ' ' WHERE id = (SELECT event_id FROM audit.leaf WHERE idx = %s)",
        [size - 2],
    )
    with pytest.raises(Diverged, match=f"leaf {size - 2} is not what"):
        copier.step()
    superuser.execute(
        "DELETE FROM audit.event WHERE id = (SELECT event_id FROM audit.leaf WHERE idx = %s)", [size - 2]
    )
    with pytest.raises(Diverged, match=f"leaf {size - 2} is missing"):
        copier.step()
    superuser.execute("DELETE FROM audit.leaf WHERE idx = %s", [size - 2])
    with pytest.raises(Diverged, match="Leaves are missing"):
        copier.step()
    assert sorted(place.listed()) == kept


def test_a_tree_that_was_rewritten_or_set_back_is_not_copied(tree: Tree, place: Place) -> None:
    copier = tree.copier()
    tree.write(100)
    tree.grow()
    copier.step()
    kept = sorted(place.listed())
    tree.write(5)
    size = tree.grow()
    superuser = tree.connect("superuser")
    superuser.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER USER")
    superuser.execute("ALTER TABLE audit.tile DISABLE TRIGGER USER")
    flip = "UPDATE audit.tile SET hashes = set_byte(hashes, 40, 255 - get_byte(hashes, 40)) WHERE level = 0"
    superuser.execute(flip)
    with pytest.raises(Diverged, match="does not extend"):
        copier.step()
    superuser.execute(flip)
    superuser.execute("DELETE FROM audit.checkpoint WHERE size < %s", [size])
    superuser.execute("UPDATE audit.checkpoint SET size = 10")
    superuser.execute("UPDATE audit.archive SET size = 9")
    with pytest.raises(Diverged, match="set back"):
        copier.step()
    place.hide("checkpoint")
    with pytest.raises(Diverged, match="checkpoint is missing"):
        copier.step()
    assert sorted(place.listed()) == [key for key in kept if key != "checkpoint"]
