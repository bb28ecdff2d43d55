"""What leaves the desk: whole, safe in a spreadsheet, under its watermark, and in the log before the first byte."""

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.oversight import export_views
from tests.fixtures.site import Client, Site
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


def table(answer: Any) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The watermark and the rows."""
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    between = rows.index([])
    headings = rows[between + 1]
    return dict(rows[:between]), [dict(zip(headings, row, strict=True)) for row in rows[between + 2 :]]


def logged(site: Site, database: SimpleNamespace, act: str) -> list[Any]:
    statement = "SELECT id, outcome, category, record_ids, person_ids, body FROM audit.event WHERE act = :act ORDER BY at"
    return site.sql(database.superuser, statement, act=act)


def test_the_table_is_the_list_under_its_watermark(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    for about, (page, subject) in exports_of(site, told).items():
        expected = [str(one) for one in listed_at(auditor, f"{page}?category=consultation")]
        answer = auditor.get(f"/audit/exports/{about}.csv?subject={subject}&category=consultation")
        assert answer.status_code == 200 and answer.content_type == "text/csv; charset=utf-8"
        watermark, rows = table(answer)
        assert [row["Event"] for row in rows] == expected and expected, about
        event = logged(site, database, "log.exported")[-1]
        assert watermark["Taken from the log by"] == "Miriam Castle, Northbrook Council"
        assert watermark["Purpose"] == "Verify that processing was lawful"
        assert "Category: Consultation" in watermark["Filters"] and watermark["Events"] == str(len(rows))
        assert watermark["Scope"] == "Events that name Northbrook Council"
        assert watermark["Recorded as event"] == str(event.id) and watermark["When"]


def test_the_log_keeps_what_was_taken_and_for_what(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    auditor.get(f"/audit/exports/person.csv?subject={told.person}&outcome=ok&to=2999-01-01")
    auditor.get(f"/audit/prints/record?subject={told.case}")
    (exported,) = logged(site, database, "log.exported")
    (printed,) = logged(site, database, "log.printed")
    assert (exported.outcome, exported.category, exported.person_ids) == ("ok", "audit", [told.person_id])
    assert (printed.outcome, printed.category, printed.record_ids) == ("ok", "audit", [told.case_id])
    assert json.loads(exported.body)["facts"] == {
        "purpose": "lawfulness",
        "asked": f"person={told.person_id}/outcome=ok/to=2999-01-01",
        "events": 7,
    }


def test_nothing_leaves_where_the_log_cannot_be_written(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    site.sql(database.superuser, "REVOKE INSERT ON audit.event FROM hub_log")
    for address in (f"/audit/exports/person.csv?subject={told.person}", "/audit/prints/desk"):
        answer = auditor.get(address)
        assert answer.status_code == 503 and "Amara Okafor" not in answer.text, address
    assert auditor.get(f"/audit/people/{told.person}").status_code == 503


def test_no_cell_is_taken_for_a_formula(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    leads = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    for lead in leads:
        for user in ("sergeant", "auditor"):
            name = f"{lead}HYPERLINK(1)"
            site.sql(
                database.superuser,
                "UPDATE app_user SET name = :name WHERE id = :id",
                name=name,
                id=site.world.users[user],
            )
        answer = auditor.get(f"/audit/exports/person.csv?subject={told.person}")
        cells = [
            cell
            for row in csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline=""))
            for cell in row
        ]
        assert [cell for cell in cells if cell.startswith(leads)] == [], repr(lead)
        assert f"'{lead}HYPERLINK(1)" in cells, repr(lead)


def test_beyond_the_most_nothing_is_given_out_and_the_page_says_so(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_views, "MOST_EXPORTED", 6)
    monkeypatch.setattr(export_views, "MOST_PRINTED", 6)
    for address in (
        f"/audit/exports/person.csv?subject={told.person}",
        f"/audit/prints/person?subject={told.person}",
    ):
        answer = auditor.get(address)
        assert answer.status_code == 422 and "more than 6 events" in answer.text, address
        assert "Amara Okafor" not in answer.text
    refused = [*logged(site, database, "log.exported"), *logged(site, database, "log.printed")]
    assert [(one.outcome, one.person_ids) for one in refused] == [("denied", [])] * 2
    narrowed = auditor.get(f"/audit/exports/person.csv?subject={told.person}&category=consultation")
    assert len(table(narrowed)[1]) == 5


def test_more_rows_than_are_read_at_once_come_whole_and_in_order(
    site: Site, told: Told, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_views, "AT_ONCE", 2)
    _, rows = table(auditor.get(f"/audit/exports/record.csv?subject={told.case}&category=consultation"))
    assert [row["Event"] for row in rows] == [
        str(one) for one in listed_at(auditor, f"/audit/records/{told.case}?category=consultation")
    ]


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
        assert f'href="/audit/exports/{about}.csv{expected}"' in found, about
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
