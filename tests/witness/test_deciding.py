"""What a witness cosigns and what it refuses, on its real server, with the statuses of C2SP tlog-witness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.hashing import EMPTY_ROOT
from hub.crypto.tlog.notes import COSIGNATURE, Signer, open_note, write_note
from hub.witness.state import StateFile, TrustRefused, trust
from hub.witness.wire import write_request
from tests.witness.log import KEY, ORIGIN, THIEF, Running, TestLog, running


def test_it_cosigns_a_log_that_grows(witness: Running, log: TestLog) -> None:
    verifier = witness.file.read().signer.verifier
    policy = Policy((KEY.verifier,), (verifier,), 1)
    old = 0
    for size in (1, 2, 3, 7, 8, 255, 256, 257, 512, 600):
        answer = witness.post(log.request(old, size))
        assert answer.status == 200, answer.text
        checkpoint, signed = policy.open(log.note(size) + answer.text)
        assert checkpoint.size == size and signed[verifier.name]
        assert witness.size() == size
        old = size


def test_the_same_checkpoint_again_is_cosigned_and_written_once(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 9))
    before = witness.file.path.stat().st_mtime_ns
    answer = witness.post(log.request(9, 9))
    assert answer.status == 200
    assert witness.file.path.stat().st_mtime_ns == before
    open_note(log.note(9) + answer.text, [witness.file.read().signer.verifier])


def test_another_old_size_is_a_conflict_that_tells_the_right_one(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 40))
    for old in (0, 1, 39, 41):
        answer = witness.post(log.request(old, 50))
        assert (answer.status, answer.kind, answer.body) == (409, "text/x.tlog.size", b"40\n")
    assert witness.size() == 40


def test_a_log_that_was_cut_back_is_refused(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 40))
    assert witness.post(log.request(0, 39)).status == 409
    assert witness.post(log.request(39, 39)).status == 409
    assert witness.post(write_request(40, [], log.note(39))).status == 400  # the old size above the new
    assert witness.size() == 40


def test_another_tree_of_the_same_size_is_refused_and_told_with_both_notes(
    witness: Running, log: TestLog, capfd: pytest.CaptureFixture[str]
) -> None:
    other = TestLog("rewritten").grow(60)
    witness.post(log.request(0, 40))
    answer = witness.post(other.request(40, 40))
    assert (answer.status, answer.body) == (409, b"40\n")
    told = capfd.readouterr().err
    [line] = [line for line in told.splitlines() if line.startswith("FORK")]
    notes = json.loads(line.split("both: ", 1)[1])
    roots = {Checkpoint.parse(open_note(note, [KEY.verifier])[0]).root for note in notes}
    assert len(roots) == 2


def test_another_tree_of_a_larger_size_is_refused(witness: Running, log: TestLog) -> None:
    other = TestLog("rewritten").grow(60)
    witness.post(log.request(0, 40))
    assert witness.post(other.request(40, 60)).status == 422
    # nor with the proof of the honest tree, nor with none
    proof = log.tree(60).consistency(40)
    assert witness.post(write_request(40, proof, other.note(60))).status == 422
    assert witness.post(write_request(40, [], other.note(60))).status == 422
    assert witness.size() == 40
    assert witness.post(log.request(40, 60)).status == 200


def test_a_tree_rebuilt_with_the_stolen_key_is_refused_at_every_size(witness: Running, log: TestLog) -> None:
    """One event of the middle is gone, everything after it is signed afresh with the log's real key."""
    witness.post(log.request(0, 300))
    forged = TestLog(signer=KEY).grow(77)
    forged.kind = "one left out"
    forged.grow(600)
    for size in (1, 76, 77, 78, 299, 300, 301, 512, 600):
        for old in {0, 77, min(300, size)}:
            if old <= size:
                assert witness.post(forged.request(old, size)).status in (409, 422)
    assert witness.size() == 300
    assert witness.post(log.request(300, 301)).status == 200


def test_every_altered_line_of_a_proof_is_refused(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 300))
    proof = log.tree(600).consistency(300)
    note = log.note(600)
    for at in range(len(proof)):
        spoilt = [*proof[:at], bytes(32), *proof[at + 1 :]]
        assert witness.post(write_request(300, spoilt, note)).status == 422
    assert witness.post(write_request(300, proof[:-1], note)).status == 422
    assert witness.post(write_request(300, [*proof, bytes(32)], note)).status == 422
    assert witness.post(write_request(300, proof[::-1], note)).status == 422
    assert witness.post(write_request(300, proof, note)).status == 200


def test_from_size_0_a_proof_is_refused(witness: Running, log: TestLog) -> None:
    assert witness.post(write_request(0, [bytes(32)], log.note(5))).status == 422
    assert witness.post(log.request(0, 5)).status == 200
    assert witness.post(write_request(5, [bytes(32)], log.note(5))).status == 422


def test_an_empty_log_has_one_root(witness: Running, log: TestLog) -> None:
    text = Checkpoint(ORIGIN, 0, b"x" * 32).text
    assert witness.post(write_request(0, [], write_note(text, KEY.sign(text)))).status == 409
    assert Checkpoint(ORIGIN, 0, EMPTY_ROOT).text == log.text(0)
    assert witness.post(log.request(0, 0)).status == 200
    assert witness.file.read().logs[ORIGIN].first_size is None
    assert witness.post(log.request(0, 5)).status == 200
    assert witness.file.read().logs[ORIGIN].first_size == 5


def test_who_signed_is_asked_before_anything_else_is_told(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 40))
    stranger = TestLog(signer=Signer.from_seed("else.example/log", b"s" * 32)).grow(50)
    assert witness.post(stranger.request(0, 50)).status == 404
    thief = TestLog(signer=THIEF).grow(50)
    answer = witness.post(thief.request(0, 50))
    assert answer.status == 403 and "40" not in answer.text
    # a right name over another text, the log's key of the witnesses' kind, and no signature of a known key
    swapped = log.note(50).replace(log.text(50), TestLog("other").grow(50).text(50))
    assert witness.post(write_request(40, [], swapped)).status == 403
    text = log.text(50)
    as_witness = Signer(ORIGIN, KEY.private, COSIGNATURE).sign(text, at=5)
    assert witness.post(write_request(40, [], write_note(text, as_witness))).status == 403


def test_signatures_of_unknown_keys_are_ignored(witness: Running, log: TestLog) -> None:
    text = log.text(40)
    note = write_note(text, THIEF.sign(text), KEY.sign(text), "— ml.example AAAAAAAAAAAA\n")
    answer = witness.post(write_request(0, [], note))
    assert answer.status == 200
    head = witness.file.read().logs[ORIGIN].head
    assert head is not None and head.note == log.note(40)


def test_extension_lines_are_cosigned_with_the_rest(witness: Running, log: TestLog) -> None:
    text = log.text(40) + "extension of the log\n"
    answer = witness.post(write_request(0, [], write_note(text, KEY.sign(text))))
    assert answer.status == 200
    open_note(write_note(text, answer.text), [witness.file.read().signer.verifier])


def test_a_new_key_of_the_log_holds_it_to_what_was_seen(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 40))
    new = TestLog(signer=THIEF).grow(60)
    with pytest.raises(TrustRefused, match="--rotate"):
        trust(witness.file, str(THIEF.verifier))
    assert witness.post(new.request(40, 60)).status == 403
    assert trust(witness.file, str(THIEF.verifier), rotate=True) == (ORIGIN, True)
    assert witness.post(log.request(40, 50)).status == 403
    assert witness.post(TestLog("rewritten", signer=THIEF).grow(60).request(40, 60)).status == 422
    assert witness.post(new.request(40, 60)).status == 200


def test_after_a_restart_it_knows_what_it_knew(witness: Running, log: TestLog, tmp_path: Path) -> None:
    witness.post(log.request(0, 300))
    with running(StateFile(witness.file.path)) as again:
        assert again.post(TestLog("rewritten").grow(300).request(0, 300)).status == 409
        assert again.post(log.request(300, 400)).status == 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["witness.json"]
