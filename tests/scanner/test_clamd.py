"""The conversation with clamd: only `stream: OK` to the whole of a stream is clean, whatever comes instead of it."""

from __future__ import annotations

import io
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from hub.scanner.clamd import NoVerdict, Outcome, Scanner, Verdict
from hub.scanner.probing import check_setup
from tests.fixtures.clamd import EICAR, MIB, SIGNATURE, Clamd
from tests.fixtures.crooked import Crooked

pytestmark = pytest.mark.slow
CLEAN = Verdict(Outcome.CLEAN)
INFECTED = Verdict(Outcome.INFECTED, f"{SIGNATURE}.UNOFFICIAL")


def blocks(content: bytes, size: int = 65_536) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def packed(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


def nested(content: bytes, depth: int) -> bytes:
    for level in range(depth):
        content = packed((f"{level}.bin", content))
    return content


def locked() -> bytes:
    """As an archiver that was given a password marks it, in both of a member's headers."""
    archive = bytearray(packed(("letter.txt", b"secret" * 100)))
    archive[6] |= 1
    archive[archive.rindex(b"PK\1\2") + 8] |= 1
    return bytes(archive)


def _scanner(address: str, **seconds: float) -> Scanner:
    return Scanner(address, max_bytes=100 * MIB, **seconds)


LIMITS = Verdict(Outcome.UNSCANNABLE, "limits")
STREAMS = {
    "nothing": (b"", CLEAN),
    "text": (b"Minutes of the meeting\n" * 1000, CLEAN),
    "an archive": (packed(("a.txt", b"a" * 100_000)), CLEAN),
    "bare": (EICAR, INFECTED),
    "across two blocks": (b"x" * 65_500 + EICAR, INFECTED),
    "in a zip": (nested(EICAR, 1), INFECTED),
    "in a zip in a zip": (nested(EICAR, 2), INFECTED),
    "deeper than clamd goes": (nested(EICAR, 8), LIMITS),
    "beyond MaxFileSize": (os.urandom(3 * MIB + 1000) + EICAR, LIMITS),
    "at the end of a member beyond MaxFileSize": (packed(("a", bytes(20 * MIB) + EICAR)), LIMITS),
    "the same in a zip in a zip": (nested(bytes(20 * MIB) + EICAR, 2), LIMITS),
    "beyond StreamMaxLength": (bytes(6 * MIB) + EICAR, Verdict(Outcome.UNSCANNABLE, "too_large")),
    "under a password": (locked(), Verdict(Outcome.UNSCANNABLE, "encrypted")),
}


@pytest.mark.parametrize("name", STREAMS)
def test_what_clamd_finds_is_told_and_what_it_cannot_see_is_not_clean(clamd: Clamd, name: str) -> None:
    content, verdict = STREAMS[name]
    assert _scanner(clamd.address).scan(blocks(content), Event()) == verdict


def test_an_empty_block_does_not_end_the_stream(clamd: Clamd) -> None:
    assert _scanner(clamd.address).scan([b"text", b"", EICAR], Event()) == INFECTED


def test_a_stream_that_breaks_off_has_no_verdict_and_its_own_error(clamd: Clamd) -> None:
    class Gone(Exception):
        """The store is gone."""

    def breaking() -> Iterator[bytes]:
        yield b"x" * 65_536
        raise Gone

    with pytest.raises(Gone):
        _scanner(clamd.address).scan(breaking(), Event())


def test_a_scanner_that_is_not_there_has_no_verdict(tmp_path: Path) -> None:
    for address in (f"unix:{tmp_path}/none.sock", "tcp:127.0.0.1:1"):
        with pytest.raises(NoVerdict) as none:
            _scanner(address).scan([b"text"], Event())
        assert none.value.reason == "unreachable"


def test_a_scanner_killed_in_the_middle_has_no_verdict(clamd: Clamd) -> None:
    def killing() -> Iterator[bytes]:
        for number in range(40):
            if number == 20:
                clamd.kill()
            yield b"x" * 65_536

    with pytest.raises(NoVerdict) as none:
        _scanner(clamd.address).scan(killing(), Event())
    assert none.value.reason == "broken_off"


ANSWERS = {
    b"": "broken_off",
    b"stream: OK": "broken_answer",
    b"stream: OK\n": "broken_answer",
    b"stream: OK\0\0": "broken_answer",
    b"stream: OK\0stream: OK\0": "broken_answer",
    b" stream: OK\0": "broken_answer",
    b"stream: ok\0": "broken_answer",
    b"OK\0": "broken_answer",
    b"other: OK\0": "broken_answer",
    b"PONG\0": "broken_answer",
    b"\xff\xfe\0": "broken_answer",
    b"stream: Eicar FOUND": "broken_answer",
    b"stream: OK\0" + b"x" * 20_000: "broken_answer",
    b"stream: Can't allocate memory ERROR\0": "scanner_error",
    b"UNKNOWN COMMAND ERROR\0": "scanner_error",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_any_other_answer_is_no_verdict(tmp_path: Path, answer: bytes) -> None:
    with Crooked(tmp_path, lambda _: answer).serving() as crooked, pytest.raises(NoVerdict) as none:
        _scanner(crooked.address).scan([b"text"], Event())
    assert none.value.reason == ANSWERS[answer]


def test_an_ok_before_the_end_of_the_stream_is_no_verdict(tmp_path: Path) -> None:
    def slow() -> Iterator[bytes]:
        yield b"text"
        time.sleep(0.3)
        yield EICAR

    crooked = Crooked(tmp_path, lambda _: b"stream: OK\0", early=True)
    with crooked.serving(), pytest.raises(NoVerdict) as none:
        _scanner(crooked.address).scan(slow(), Event())
    assert none.value.reason == "broken_answer"


def test_a_silent_scanner_has_no_verdict_in_time(tmp_path: Path) -> None:
    with Crooked(tmp_path, lambda _: None).serving() as crooked, pytest.raises(NoVerdict) as none:
        _scanner(crooked.address, answer_seconds=0.5).scan([b"text"], Event())
    assert none.value.reason == "timeout"


def test_a_scanner_that_does_not_read_has_no_verdict_in_time(tmp_path: Path) -> None:
    crooked = Crooked(tmp_path, lambda _: None)  # listens, and takes nothing
    try:
        with pytest.raises(NoVerdict) as none:
            _scanner(crooked.address, send_seconds=0.5).scan([bytes(MIB)] * 8, Event())
    finally:
        crooked.listening.close()
    assert none.value.reason == "timeout"


def test_a_worker_that_is_told_to_stop_does_not_wait_for_the_answer(tmp_path: Path) -> None:
    stop = Event()
    threading.Timer(0.3, stop.set).start()
    begun = time.monotonic()
    with Crooked(tmp_path, lambda _: None).serving() as crooked, pytest.raises(NoVerdict) as none:
        _scanner(crooked.address).scan([b"text"], stop)
    assert none.value.reason == "stopped" and time.monotonic() - begun < 10


def test_a_name_that_is_no_code_is_made_one(tmp_path: Path) -> None:
    with Crooked(tmp_path, lambda _: "stream: Win.Trojan <b>é FOUND\0".encode()).serving() as crooked:
        found = _scanner(crooked.address).scan([b"text"], Event())
    assert found.outcome is Outcome.INFECTED and found.finding == "Win.Trojan__b___"


def test_a_scanner_that_is_set_up_well_is_trusted(clamd: Clamd) -> None:
    check_setup(_scanner(clamd.address), Event())


@pytest.mark.parametrize(
    "setting",
    [
        {"AlertExceedsMax": "no"},
        {"AlertEncrypted": "no"},
        # then a member is cut at MaxFileSize without a word
        {"MaxScanSize": "30M"},
        {"StreamMaxLength": "1M"},
    ],
    ids=str,
)
def test_a_scanner_that_keeps_quiet_about_its_limits_is_not_trusted(
    clamd_program: str, setting: dict[str, str]
) -> None:
    server = Clamd(clamd_program, **setting)
    try:
        server.start()
        with pytest.raises(NoVerdict) as none:
            check_setup(_scanner(server.address), Event())
        assert none.value.reason == "misconfigured"
    finally:
        server.destroy()


@pytest.mark.parametrize(
    ("version", "made"),
    [
        (b"ClamAV 1.4.6/27800/Sat Nov 28 09:12:11 2026\0", "2026-11-28T09:12:11+00:00"),
        (b"ClamAV 1.4.6\0", None),
        (b"ClamAV 1.4.6/27800/yesterday\0", None),
        (b"", None),
    ],
)
def test_the_age_of_its_signatures_is_read_from_its_version(
    tmp_path: Path, version: bytes, made: str | None
) -> None:
    with Crooked(tmp_path, lambda _: version).serving() as crooked:
        found = _scanner(crooked.address).signatures_made_at()
    assert (found.isoformat() if found else None) == made
