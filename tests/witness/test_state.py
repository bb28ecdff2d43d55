"""The witness's file: made once, its owner's alone, whole at every moment, and never begun afresh."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.crypto.tlog.notes import COSIGNATURE, Signer, Verifier
from hub.witness.state import StateDamaged, StateError, StateFile, TrustRefused, parsed, trust, written
from hub.witness.telling import status_text
from tests.witness.log import KEY, ORIGIN, THIEF, Running, TestLog, made, running


def test_it_is_the_owners_alone_and_not_made_twice(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "w.json")
    state = file.make("council.example/witness")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    before = file.path.read_bytes()
    with pytest.raises(StateError, match="there already"):
        file.make("council.example/witness")
    assert file.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["w.json"]
    assert Verifier.parse(str(state.signer.verifier)).kind == COSIGNATURE
    assert state.seed not in repr(state)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "bell\x07"])
def test_a_name_that_no_key_can_have_makes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(StateError):
        StateFile(tmp_path / "w.json").make(name)
    assert list(tmp_path.iterdir()) == []


def test_a_file_open_to_others_is_refused(tmp_path: Path) -> None:
    file = made(tmp_path)
    file.path.chmod(0o640)
    with pytest.raises(StateError, match="0600"):
        file.read()


def test_what_is_no_key_of_a_log_is_not_trusted(tmp_path: Path) -> None:
    file = made(tmp_path)
    before = file.path.read_bytes()
    other = str(Signer.from_seed("other.example/log", b"o" * 32).verifier)
    witness = str(file.read().signer.verifier)
    for vkey in ("", "nonsense", witness, other.replace("other", "otter"), other[:-2], str(THIEF.verifier)):
        with pytest.raises(TrustRefused):
            trust(file, vkey)
    with pytest.raises(TrustRefused, match="no key to replace"):
        trust(file, other, rotate=True)
    assert trust(file, str(KEY.verifier)) == (ORIGIN, False)
    assert file.path.read_bytes() == before
    assert trust(file, other) == ("other.example/log", True)
    assert set(file.read().logs) == {ORIGIN, "other.example/log"}


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a witness that has seen something."""
    with running(made(tmp_path_factory.mktemp("used"))) as witness:
        log = TestLog().grow(9)
        witness.post(log.request(0, 5))
        witness.post(log.request(5, 9))
        return witness.file.path.read_bytes()


def test_it_reads_back_as_it_was_written(used: bytes) -> None:
    assert written(parsed(used)) == used


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_changed_file_is_damaged(used: bytes, data: st.DataObject) -> None:
    spoilt = bytearray(used)
    kind = data.draw(st.sampled_from(["flip", "cut", "extend"]))
    at = data.draw(st.integers(0, len(used) - 1))
    if kind == "flip":
        spoilt[at] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del spoilt[at:]
    else:
        spoilt[at:at] = data.draw(st.binary(min_size=1, max_size=20))
    with pytest.raises(StateDamaged):
        parsed(bytes(spoilt))


def test_a_damaged_file_is_an_error_for_ever(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 5))
    whole = witness.file.path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"{}", b"[" * 5000, b"null"):
        witness.file.path.write_bytes(damaged)
        assert witness.post(log.request(0, 5)).status == 503
        assert witness.send("GET", "/").status == 503
        with pytest.raises(StateDamaged):
            trust(witness.file, str(KEY.verifier))
        with pytest.raises(StateDamaged), running(witness.file):
            pass
        assert witness.file.path.read_bytes() == damaged
    witness.file.path.unlink()
    assert witness.post(log.request(0, 5)).status == 503
    assert not witness.file.path.exists()
    witness.file.path.write_bytes(whole)
    witness.file.path.chmod(0o600)
    assert witness.post(log.request(5, 6)).status == 200


def test_what_cannot_be_written_is_not_cosigned(witness: Running, log: TestLog, tmp_path: Path) -> None:
    witness.post(log.request(0, 5))
    beside = tmp_path / ".witness.json.new"
    beside.mkdir()  # in the way of the new file, even for root
    answer = witness.post(log.request(5, 6))
    assert answer.status == 503 and "—" not in answer.text
    assert witness.size() == 5
    beside.rmdir()
    assert witness.post(log.request(5, 6)).status == 200


def test_a_lock_that_is_not_given_back_is_told(
    witness: Running, log: TestLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.witness.state.LOCK_SECONDS", 0.1)
    with witness.file.held():
        assert witness.post(log.request(0, 5)).status == 503
    assert witness.post(log.request(0, 5)).status == 200


def test_whoever_was_second_at_the_door_reads_what_the_first_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the opening of the file and its lock another process replaces it."""
    file, other = made(tmp_path), str(Signer.from_seed("other.example/log", b"o" * 32).verifier)
    real, turns = fcntl.flock, []

    def late(descriptor: int, operation: int) -> None:
        turns.append(operation)
        if len(turns) == 1:
            trust(StateFile(file.path), other)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with file.held() as held:
        assert set(held.state.logs) == {ORIGIN, "other.example/log"}


def test_the_path_may_be_a_link(tmp_path: Path, log: TestLog) -> None:
    (tmp_path / "real").mkdir()
    made(tmp_path / "real")
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "real" / "witness.json")
    with running(StateFile(link)) as witness:
        assert witness.post(log.request(0, 5)).status == 200
    assert link.is_symlink() and os.path.samefile(link, tmp_path / "real" / "witness.json")


def test_the_status_says_what_was_taken_on_trust(witness: Running, log: TestLog) -> None:
    assert "nothing seen yet: the first checkpoint will be trusted" in status_text(witness.file.read())
    witness.post(log.request(0, 5))
    witness.post(log.request(5, 9))
    told = status_text(witness.file.read())
    assert "first sight: size 5 at 20" in told and "trusted as it was shown" in told
    assert "size 9 root" in told and str(KEY.verifier) in told
    assert witness.file.read().seed not in told
