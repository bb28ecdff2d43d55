"""A file in parts: exactly the bytes asked for, resumed where it broke off, one event an opening, and the rule each time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from hub.access.vocabulary import Purpose
from hub.attachments.ranges import Asked
from tests.attachments.conftest import Desk, share
from tests.attachments.storing import PLAIN, count
from tests.fixtures.site import Client

SIZE = len(PLAIN)
LOOKS = "SELECT count(*) FROM audit.event WHERE act = 'attachment.downloaded' AND outcome = '{}'"


class Reading:
    """A file on the desk's case, and its parts as a client asks for them."""

    def __init__(self, desk: Desk, database: SimpleNamespace) -> None:
        self.desk = desk
        self.database = database
        self.officer = desk.officer()
        sent = desk.send(self.officer, "footage.txt", PLAIN)
        self.path = desk.path(sent.headers["Location"].rpartition("added=")[2])

    def part(self, wanted: str, client: Client | None = None, **headers: str) -> TestResponse:
        return (client or self.officer).get(self.path, headers={"Range": wanted, **headers})

    def looks(self, outcome: str = "ok") -> int:
        return count(self.database, LOOKS.format(outcome))

    def age(self, minutes: int) -> None:
        """Lets the log's downloads be that much older."""
        self.desk.site.sql(
            self.database.superuser,
            "UPDATE audit.event SET at = at - make_interval(mins => :minutes) WHERE act = 'attachment.downloaded'",
            minutes=minutes,
        )


@pytest.fixture
def reading(desk: Desk, database: SimpleNamespace) -> Reading:
    return Reading(desk, database)


RANGES = [
    ("bytes=0-99", 0, 100),
    ("bytes=100-", 100, SIZE),
    ("bytes=-100", SIZE - 100, SIZE),
    ("BYTES = 16380-16390", 16380, 16391),
    ("bytes=5-99999999999", 5, SIZE),
    ("bytes=-99999999999", 0, SIZE),
    (f"bytes={SIZE - 1}-{SIZE - 1}", SIZE - 1, SIZE),
]
WHOLE = [
    "bytes=0-1,5-9",
    "bytes=9-5",
    "chunks=0-1",
    "bytes",
    "bytes=-",
    "bytes=x-1",
    "bytes=1-2-3",
    "",
    "bytes=١-٢",
]
NOWHERE = [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"]


def test_a_range_is_exactly_those_bytes(reading: Reading) -> None:
    for wanted, first, beyond in RANGES:
        answer = reading.part(wanted)
        assert answer.status_code == 206 and answer.get_data() == PLAIN[first:beyond], wanted
        assert answer.headers["Content-Range"] == f"bytes {first}-{beyond - 1}/{SIZE}"
        assert int(answer.headers["Content-Length"]) == beyond - first
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_no_single_range_is_answered_with_the_whole(reading: Reading) -> None:
    for wanted in WHOLE:
        answer = reading.part(wanted) if wanted.isascii() else reading.part(wanted.encode().decode("latin-1"))
        assert answer.status_code == 200 and answer.get_data() == PLAIN, wanted
        assert "Content-Range" not in answer.headers


def test_a_range_outside_the_file_is_told_its_size(reading: Reading) -> None:
    for wanted in NOWHERE:
        answer = reading.part(wanted)
        assert answer.status_code == 416 and answer.headers["Content-Range"] == f"bytes */{SIZE}", wanted
        assert len(answer.get_data()) < 100 and PLAIN[:20] not in answer.get_data()


def test_a_broken_download_is_resumed_while_the_file_is_the_same(reading: Reading) -> None:
    tag = reading.officer.get(reading.path).headers["ETag"]
    assert tag.startswith('"') and tag.endswith('"')
    same = reading.part("bytes=1000-", **{"If-Range": tag})
    assert same.status_code == 206 and same.get_data() == PLAIN[1000:] and same.headers["ETag"] == tag
    for other in ('"another"', f"W/{tag}", "Sat, 28 Nov 2026 12:00:00 GMT"):
        whole = reading.part("bytes=1000-", **{"If-Range": other})
        assert whole.status_code == 200 and whole.get_data() == PLAIN, other


def test_a_head_is_told_the_whole_size_whatever_its_range(reading: Reading) -> None:
    answer = reading.officer.http.head(reading.path, headers={"Range": "bytes=0-9"})
    assert answer.status_code == 200 and answer.get_data() == b""
    assert int(answer.headers["Content-Length"]) == SIZE and answer.headers["Accept-Ranges"] == "bytes"
    assert reading.looks() == 1


def test_the_ranges_of_one_opening_are_one_event(reading: Reading) -> None:
    assert reading.part("bytes=0-9").status_code == 206
    for first in (10, 500_000, 20_000):
        assert reading.part(f"bytes={first}-{first + 9}").get_data() == PLAIN[first : first + 10]
    assert reading.looks() == 1
    # from its beginning it is opened anew, with or without a range
    reading.part("bytes=0-")
    assert reading.looks() == 2
    reading.officer.get(reading.path)
    assert reading.looks() == 3


def test_an_opening_lasts_for_minutes(reading: Reading) -> None:
    reading.part("bytes=0-9")
    reading.age(7)
    assert reading.part("bytes=10-19").status_code == 206 and reading.looks() == 1
    reading.age(2)
    assert reading.part("bytes=20-29").status_code == 206 and reading.looks() == 2
    assert reading.part("bytes=30-39").status_code == 206 and reading.looks() == 2


def test_an_opening_is_one_session_s_in_one_hat(reading: Reading) -> None:
    reading.part("bytes=0-9")
    assert reading.part("bytes=10-19", reading.desk.officer()).status_code == 206
    assert reading.looks() == 2, "another session of the same user"
    reading.part("bytes=20-29")
    assert reading.looks() == 2
    reading.desk.site.sql(
        reading.database.superuser,
        "UPDATE user_session SET purpose = :other",
        other=Purpose.SAFEGUARD_CHILD.value,
    )
    assert reading.part("bytes=30-39").status_code == 206
    assert reading.looks() == 3, "under another purpose it is another look"


def test_a_range_that_goes_on_with_nothing_writes_its_event(reading: Reading) -> None:
    assert reading.part("bytes=700-799").status_code == 206
    assert reading.looks() == 1


def test_a_revoked_share_stops_the_next_range(reading: Reading) -> None:
    share(reading.desk.site, reading.database.superuser, reading.desk.case_id, "summary", "files")
    sergeant = reading.desk.site.as_user("sergeant")
    assert reading.part("bytes=0-9", sergeant).status_code == 206
    assert reading.part("bytes=10-19", sergeant).status_code == 206
    assert reading.looks() == 1
    reading.desk.site.sql(
        reading.database.superuser,
        "UPDATE record_grant SET revoked_at = now(), revoked_by = requested_by, revoked_why = 'ended'",
    )
    refused = reading.part("bytes=20-29", sergeant)
    assert refused.status_code == 404 and PLAIN[20:30] not in refused.get_data()
    assert reading.looks() == 1 and reading.looks("denied") == 1


def test_a_share_that_took_the_place_of_another_is_another_look(reading: Reading) -> None:
    share(reading.desk.site, reading.database.superuser, reading.desk.case_id, "summary", "files")
    sergeant = reading.desk.site.as_user("sergeant")
    reading.part("bytes=0-9", sergeant)
    reading.desk.site.sql(
        reading.database.superuser,
        "UPDATE record_grant SET revoked_at = now(), revoked_by = requested_by, revoked_why = 'ended'",
    )
    share(reading.desk.site, reading.database.superuser, reading.desk.case_id, "summary", "files")
    assert reading.part("bytes=10-19", sergeant).status_code == 206
    assert reading.looks() == 2


@given(first=st.integers(0, 40), last=st.integers(0, 40), size=st.integers(1, 40))
@settings(max_examples=500)
def test_spans_lie_within_the_file(first: int, last: int, size: int) -> None:
    data = bytes(range(size))
    for asked, wanted in (
        (f"bytes={first}-{last}", data[first : last + 1] if first <= last else data),
        (f"bytes={first}-", data[first:]),
        (f"bytes=-{last}", data[-last:] if last else b""),
    ):
        span = Asked(asked).of(size, "")
        assert (data[span.first : span.beyond] if span else b"") == wanted
