"""What leaves the desk: whole, safe in a spreadsheet, under its watermark, and in the log before the first byte."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest

from hub.audit import inquiry_queries
from hub.audit.recording import append
from hub.extensions import db
from hub.oversight import export_views
from hub.web import spreadsheets
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as
from tests.oversight.asked import Told, happen, listed_at, with_purpose


@pytest.fixture
def told(site: Site) -> Told:
    return happen(site)


@pytest.fixture
def auditor(site: Site) -> Client:
    return with_purpose(site.as_user("auditor"))


def exports_of(site: Site, told: Told) -> dict[str, tuple[str, str]]:
    """What about → the page of the inquiry, and how its subject stands in the address of an export."""
    user, police = site.world.users["sergeant"], site.world.organisations["police"]
    return {
        "person": (f"/audit/people/{told.person}", told.person),
        "record": (f"/audit/records/{told.case}", told.case),
        "user": (f"/audit/users/{user}", str(user)),
        "organisation": (f"/audit/organisations/{police}", str(police)),
        "desk": ("/audit", ""),
    }


FORMS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LEADS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def part(answer: Any, name: str) -> ElementTree.Element:
    """One part of a workbook, as its bytes say it."""
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as file:
        assert file.testzip() is None
        return ElementTree.fromstring(file.read(name))


def cells_of(answer: Any) -> list[list[str]]:
    """The cells of a table, row by row; in a workbook each of them must be a text."""
    if answer.content_type == FORMS["csv"]:
        return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))
    texts = ["".join(one.itertext()) for one in part(answer, "xl/sharedStrings.xml")]
    sheet = part(answer, "xl/worksheets/sheet1.xml")
    assert not [*sheet.iter(f"{_SHEET}f"), *sheet.iter(f"{_SHEET}hyperlink")]
    rows: list[list[str]] = []
    for row in sheet.iter(f"{_SHEET}row"):
        rows += [[] for _ in range(int(row.attrib["r"]) - len(rows))]
        for cell in row:
            assert cell.attrib["t"] == "s"
            text = texts[int(cell[0].text or "")]
            rows[-1].append(re.sub(r"_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text))
    return rows


def table(answer: Any) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The watermark and the rows."""
    rows = cells_of(answer)
    between = rows.index([])
    headings = rows[between + 1]
    return dict(rows[:between]), [dict(zip(headings, row, strict=True)) for row in rows[between + 2 :]]


def logged(site: Site, database: SimpleNamespace, act: str) -> list[Any]:
    statement = "SELECT id, outcome, category, record_ids, person_ids, body FROM audit.event WHERE act = :act ORDER BY at"
    return site.sql(database.superuser, statement, act=act)


@pytest.mark.parametrize("form", FORMS)
def test_the_table_is_the_list_under_its_watermark(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client, form: str
) -> None:
    for about, (page, subject) in exports_of(site, told).items():
        expected = [str(one) for one in listed_at(auditor, f"{page}?category=consultation")]
        answer = auditor.get(f"/audit/exports/{about}.{form}?subject={subject}&category=consultation")
        assert answer.status_code == 200 and answer.content_type == FORMS[form]
        watermark, rows = table(answer)
        assert [row["Event"] for row in rows] == expected and expected, about
        event = logged(site, database, "log.exported")[-1]
        assert watermark["Taken from the log by"] == "Miriam Castle, Northbrook Council"
        assert watermark["Purpose"] == "Verify that processing was lawful"
        assert "Category: Consultation" in watermark["Filters"] and watermark["Events"] == str(len(rows))
        assert watermark["Scope"] == "Events that name Northbrook Council"
        assert watermark["Recorded as event"] == str(event.id) and watermark["When"]
        assert answer.headers["Content-Disposition"] == f'attachment; filename="log-{event.id}.{form}"'


def test_a_spreadsheet_is_the_table_and_every_printed_page_says_who_took_it(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    name = "R&D &[Picture]&D " + "\U0001f58a" * 200
    site.sql(
        database.superuser,
        "UPDATE app_user SET name = :name WHERE id = :id",
        name=name,
        id=site.world.users["auditor"],
    )
    taken = [
        auditor.get(f"/audit/exports/person.{form}?subject={told.person}&category=consultation")
        for form in FORMS
    ]
    (above, rows), (other_above, other_rows) = (table(answer) for answer in taken)
    own = {"When", "Recorded as event"}
    assert rows == other_rows and len(rows) == 5
    assert {key: above[key] for key in above if key not in own} == {
        key: other_above[key] for key in other_above if key not in own
    }
    assert other_above["Taken from the log by"] == f"{name}, Northbrook Council"
    marks = part(taken[1], "xl/worksheets/sheet1.xml").find(f"{_SHEET}headerFooter")
    assert marks is not None
    head, foot = (marks[number].text or "" for number in (0, 1))
    # an ampersand of a name would begin a command, and more than 255 are no head at all
    assert head.startswith("&LTaken from the log by R＆D ＆[Picture]＆D") and head.count("&") == 2
    assert head.endswith(f"&R{other_above['When']}") and len(head.encode("utf-16-le")) <= 510
    assert f"Recorded as event {other_above['Recorded as event']}. Verify that" in foot
    assert foot.endswith("&RPage &P of &N")


def test_a_text_longer_than_a_cell_is_cut_and_says_so(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    site.sql(
        database.superuser,
        "UPDATE app_user SET name = :name WHERE id = :id",
        name="Ł" * (spreadsheets.MOST_IN_CELL + 1),
        id=site.world.users["sergeant"],
    )
    with warnings.catch_warnings(action="error"):
        _, rows = table(
            auditor.get(f"/audit/exports/person.xlsx?subject={told.person}&category=consultation")
        )
    (name,) = {row["User"] for row in rows if row["User"].startswith("ŁŁ")}
    assert len(name) == spreadsheets.MOST_IN_CELL and name.endswith("Ł … (cut here; the CSV has it whole)")


def test_no_spreadsheet_lies_on_the_disk_on_its_way(
    told: Told, auditor: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError):
        tempfile.mkstemp()
    assert auditor.get(f"/audit/exports/person.xlsx?subject={told.person}").status_code == 200


@pytest.mark.parametrize("form", FORMS)
def test_the_log_keeps_what_was_taken_and_for_what(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client, form: str
) -> None:
    auditor.get(f"/audit/exports/person.{form}?subject={told.person}&outcome=ok&to=2999-01-01")
    auditor.get(f"/audit/prints/record?subject={told.case}")
    (exported,) = logged(site, database, "log.exported")
    (printed,) = logged(site, database, "log.printed")
    assert (exported.outcome, exported.category, exported.person_ids) == ("ok", "audit", [told.person_id])
    assert (printed.outcome, printed.category, printed.record_ids) == ("ok", "audit", [told.case_id])
    assert json.loads(exported.body)["facts"] == {
        "purpose": "lawfulness",
        "asked": f"person={told.person_id}/outcome=ok/to=2999-01-01",
        "events": 7,
        "format": form,
    }
    assert set(json.loads(printed.body)["facts"]) == {"purpose", "asked", "events"}


def test_nothing_leaves_where_the_log_cannot_be_written(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    site.sql(database.superuser, "REVOKE INSERT ON audit.event FROM hub_log")
    exports = [f"/audit/exports/person.{form}?subject={told.person}" for form in FORMS]
    for address in (*exports, "/audit/prints/desk"):
        answer = auditor.get(address)
        assert answer.status_code == 503 and "text/html" in answer.content_type
        assert "Amara Okafor" not in answer.text, address
    assert auditor.get(f"/audit/people/{told.person}").status_code == 503


@pytest.mark.parametrize("form", FORMS)
def test_no_cell_is_taken_for_a_formula(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client, form: str
) -> None:
    for lead in LEADS:
        for user in ("sergeant", "auditor"):
            name = f"{lead}HYPERLINK(1)"
            site.sql(
                database.superuser,
                "UPDATE app_user SET name = :name WHERE id = :id",
                name=name,
                id=site.world.users[user],
            )
        answer = auditor.get(f"/audit/exports/person.{form}?subject={told.person}")
        cells = [cell for row in cells_of(answer) for cell in row]
        assert [cell for cell in cells if cell.startswith(LEADS)] == [], repr(lead)
        assert f"'{lead}HYPERLINK(1)" in cells, repr(lead)


def test_no_name_is_taken_for_a_part_of_the_workbook(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    for name in (
        "<r><t>x</t></r>", "<r></r></si><si><t>moved</t></si><si><r></r>", "<r>&</r>", "{=1+1}", "https://x.example", "007",
        "_x003D_1", "]]>", "\ufffe",
    ):  # fmt: skip
        site.sql(
            database.superuser,
            "UPDATE app_user SET name = :name WHERE id = :id",
            name=name,
            id=site.world.users["sergeant"],
        )
        _, rows = table(
            auditor.get(f"/audit/exports/person.xlsx?subject={told.person}&category=consultation")
        )
        assert len(rows) == 5
        assert {row["User"].removeprefix("'") for row in rows} == {name, "Amara Okafor"}, name


def test_beyond_the_most_nothing_is_given_out_and_the_page_says_so(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_views, "MOST_EXPORTED", 6)
    monkeypatch.setattr(export_views, "MOST_IN_SHEET", 6)
    monkeypatch.setattr(export_views, "MOST_PRINTED", 6)
    for address in (
        f"/audit/exports/person.csv?subject={told.person}",
        f"/audit/exports/person.xlsx?subject={told.person}",
        f"/audit/prints/person?subject={told.person}",
    ):
        answer = auditor.get(address)
        assert answer.status_code == 422 and "more than 6 events" in answer.text, address
        assert ("take that instead" in answer.text) == (".csv" not in address)
        assert "Amara Okafor" not in answer.text
    refused = [*logged(site, database, "log.exported"), *logged(site, database, "log.printed")]
    assert [(one.outcome, one.person_ids) for one in refused] == [("denied", [])] * 3
    for form in FORMS:
        narrowed = auditor.get(f"/audit/exports/person.{form}?subject={told.person}&category=consultation")
        assert len(table(narrowed)[1]) == 5


def test_more_rows_than_are_read_at_once_come_whole_and_in_order(
    site: Site, told: Told, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry_queries, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(inquiry_queries, "IDS_AT_ONCE", 3)
    for form in FORMS:
        expected = [
            str(one) for one in listed_at(auditor, f"/audit/records/{told.case}?category=consultation")
        ]
        _, rows = table(
            auditor.get(f"/audit/exports/record.{form}?subject={told.case}&category=consultation")
        )
        assert [row["Event"] for row in rows] == expected and len(expected) > 2


def test_a_table_is_made_as_it_is_sent_and_what_comes_meanwhile_is_not_in_it(
    site: Site, told: Told, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry_queries, "IDS_AT_ONCE", 2)
    monkeypatch.setattr(spreadsheets, "_CHUNK", 1)
    expected = [str(one) for one in listed_at(auditor, f"/audit/records/{told.case}?category=consultation")]
    answer = auditor.get(
        f"/audit/exports/record.csv?subject={told.case}&category=consultation", buffered=False
    )
    chunks = answer.iter_encoded()
    first = [next(chunks) for _ in range(12)]
    with site.inside():
        officer = act_as(site.world, "officer")
        append(officer, "case.opened", object_id=told.case_id, records=[told.case_id], facts={"part": "log"})
        db.session.commit()
    text = b"".join([*first, *chunks]).decode("utf-8-sig")
    found = [row[-1:] for row in csv.reader(io.StringIO(text, newline=""))]
    assert [one for (one,) in found[found.index(["Event"]) + 1 :]] == expected and len(expected) > 2
    assert answer.headers.get("Content-Length") is None


def test_a_table_that_breaks_off_says_so_in_its_last_line(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry_queries, "IDS_AT_ONCE", 2)
    monkeypatch.setattr(spreadsheets, "_CHUNK", 1)
    answer = auditor.get(f"/audit/exports/person.csv?subject={told.person}", buffered=False)
    chunks = answer.iter_encoded()
    first = [next(chunks) for _ in range(12)]
    revoke, grant = (
        f"{verb} EXECUTE ON FUNCTION audit.find_asked(jsonb, timestamptz, uuid, boolean, integer) {whom} hub_app"
        for verb, whom in (("REVOKE", "FROM"), ("GRANT", "TO"))
    )
    site.sql(database.superuser, revoke)
    text = b"".join([*first, *chunks]).decode("utf-8-sig")
    site.sql(database.superuser, grant)
    last = list(csv.reader(io.StringIO(text, newline="")))[-1]
    assert last == [
        "INCOMPLETE: the log could not be read any further. 2 of 7 events stand above. Take the list again."
    ]
    # and the next one is whole again
    assert "INCOMPLETE" not in auditor.get(f"/audit/exports/person.csv?subject={told.person}").text


def test_the_print_has_the_watermark_and_every_row(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    answer = auditor.get(f"/audit/prints/person?subject={told.person}&outcome=ok")
    (event,) = logged(site, database, "log.printed")
    for words in (
        "Miriam Castle, Northbrook Council",
        "Verify that processing was lawful",
        "Outcome: Done",
        str(event.id),
    ):
        assert words in answer.text
    assert answer.text.count('href="/audit/events/') == 7 and "Łucja" not in answer.text


def test_a_page_leads_to_its_own_export(site: Site, told: Told, auditor: Client) -> None:
    for about, (page, subject) in exports_of(site, told).items():
        found = auditor.get(f"{page}?outcome=ok").text
        expected = f"?outcome=ok&amp;subject={subject}" if subject else "?outcome=ok"
        for form in FORMS:
            assert f'href="/audit/exports/{about}.{form}{expected}"' in found, (about, form)
        assert f'href="/audit/prints/{about}{expected}"' in found, about


def test_however_a_filter_is_written_the_log_takes_what_was_understood(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    user = site.world.users["officer"]
    written = f"%7B{str(user).upper()}%7D"
    answer = auditor.get(f"/audit/exports/desk.csv?user={written}&reference=Łucja Mroz&hour=3&from=20260101")
    assert answer.status_code == 200
    facts = json.loads(logged(site, database, "log.exported")[0].body)["facts"]
    assert facts["asked"] == f"reference={UUID(int=0)}/from=2026-01-01/hour=3/user={user}"
