"""The list of files to take away: what it tells, to whom, safe in a spreadsheet, and on paper without a trace on disk."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
from types import SimpleNamespace

from hub.web.documents import printable
from tests.attachments.conftest import Desk, share
from tests.attachments.test_views import png

ODD = "=HYPERLINK(1) 写真 Łódź.png"


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_table_tells_each_file_and_no_cell_is_a_formula(desk: Desk, database: SimpleNamespace) -> None:
    officer = desk.officer()
    desk.send(officer, ODD, png(), source="@SUM(A1)", exhibit="-AO/1")
    answer = officer.post(desk.path("list.csv"), {"reason": "For the file index"})
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/csv")
    rows = rows_of(answer.get_data())
    line = dict(zip(rows[-2], rows[-1], strict=True))
    assert line["Name"] == f"'{ODD}" and line["Where it came from"] == "'@SUM(A1)"
    assert line["Exhibit reference"] == "'-AO/1" and len(line["SHA-256"]) == 64
    assert ["Taken by", "Amara Okafor, Northbrook Council"] in rows
    event = desk.site.sql(
        database.superuser,
        "SELECT category, record_ids, convert_from(body, 'UTF8')::jsonb AS body FROM audit.event WHERE act = 'evidence.exported'",
    )[0]
    assert event.category == "consultation" and event.record_ids == [desk.case_id]
    assert event.body["facts"] == {"files": 1, "format": "csv"}
    assert "For the file index" not in json.dumps(event.body)


def test_the_paper_is_tagged_and_holds_every_name(desk: Desk) -> None:
    officer = desk.officer()
    desk.send(officer, ODD, png())
    answer = officer.post(desk.path("list.pdf"), {"reason": "For the file index"})
    content = answer.get_data()
    assert answer.status_code == 200 and content.startswith(b"%PDF-") and b"/MarkInfo" in content
    assert b"pdfuaid" in content


def test_without_a_reason_nothing_is_given_out(desk: Desk, database: SimpleNamespace) -> None:
    desk.send(desk.officer(), "a.png", png())
    for form in ("csv", "pdf"):
        answer = desk.officer().post(desk.path(f"list.{form}"), {"reason": " "})
        assert answer.status_code == 422 and "Write why" in answer.get_data(as_text=True)
    assert not desk.site.sql(database.superuser, "SELECT 1 FROM audit.event WHERE act = 'evidence.exported'")


def test_a_partner_takes_what_he_may_read_and_a_stranger_nothing(
    desk: Desk, database: SimpleNamespace
) -> None:
    officer, sergeant = desk.officer(), desk.site.as_user("sergeant")
    desk.send(officer, "shared.png", png())
    desk.send(officer, "health.png", png(), section="health")
    asked = {"reason": "For the file index"}
    assert sergeant.post(desk.path("list.csv"), asked).status_code == 404
    share(desk.site, database.superuser, desk.case_id, "summary", "files")
    told = sergeant.post(desk.path("list.csv"), asked).get_data(as_text=True)
    assert "shared.png" in told and "health.png" not in told
    outcomes = desk.site.sql(
        database.superuser, "SELECT outcome FROM audit.event WHERE act = 'evidence.exported' ORDER BY at"
    )
    assert [row.outcome for row in outcomes] == ["denied", "ok"]


def test_what_cannot_be_drawn_is_shown_as_its_number() -> None:
    assert printable("Łódź – £5 Ж α") == "Łódź – £5 Ж α"
    assert printable("写 \u202e\u0000") == "[U+5199] [U+202E][U+0000]"


MADE_WITHOUT_FILES = """
import resource, sys
from datetime import UTC, datetime
from hub.web.documents import _DRAWN, Paper, pdf_of, printable
drawn = "".join(chr(code) for first, end in _DRAWN for code in range(first, end))
paper = Paper("List", "OFFICIAL", "Reader", datetime.now(UTC), [("a", "b")], ["One", "Two"], [1, 9])
# whoever writes a byte to any file from here on is stopped by the system
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
made = pdf_of(paper, [["#strong[x] $x$", " ".join(printable(drawn))], *([n, "a" * 300] for n in range(1000))])
sys.exit(0 if made.startswith(b"%PDF") else 1)
"""


def test_paper_is_made_without_writing_a_byte_to_disk_and_with_every_letter_that_it_claims() -> None:
    assert resource.RLIMIT_FSIZE  # the system can say so
    done = subprocess.run([sys.executable, "-c", MADE_WITHOUT_FILES], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
