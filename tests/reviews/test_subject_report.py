"""The report "who has seen my record" against golden files, and the months of a case for those who lead it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.extensions import db
from hub.reviews.subject_report import COMPARED_WORDS
from tests.fixtures.shares import shared
from tests.fixtures.site import Client, Site
from tests.interests.declaring import case_with
from tests.reviews.seeding import Log, at, detached, with_purpose

GOLDEN = Path(__file__).parent / "golden"
REASON = "She asks whether housing has looked"
ASK = "/audit/subject-report"


@pytest.fixture
def subject(site: Site, log: Log) -> SimpleNamespace:
    """A person in a case of the council's, shared with the police; what was done with them in March 2025."""
    with site.inside():
        case_id, person_id = case_with(site.world)
        shared(site.world, case_id)
        db.session.remove()
    # only what is told below is left in the log
    log.sql("DELETE FROM audit.event")
    seen: dict[str, Any] = {"people": [person_id]}
    log.add("officer", [at(9), at(10)], subjects=[case_id] * 2, **seen)
    log.add("manager", [at(23, 30)], act="person.opened", subjects=[person_id], **seen)
    log.add(
        "officer", [at(9, days=-1)], category="collection", act="person.involved", subjects=[uuid4()], **seen
    )
    log.add("sergeant", [at(9, days=1)], subjects=[case_id], owners=["council"], **seen)
    log.add(
        "officer",
        [at(12)],
        category="disclosure",
        act="case.shared",
        subjects=[case_id],
        recipients=["police"],
    )
    # nobody saw anything, or it was no look at the person, or it is another council's
    log.add("officer", [at(13)], act="person.opened", subjects=[person_id], outcome="denied", **seen)
    log.add("auditor", [at(14)], category="audit", act="log.person_viewed", subjects=[person_id], **seen)
    log.add("officer", [at(15)], subjects=[uuid4()])
    log.add("east_officer", [at(15)], act="person.opened", subjects=[person_id], **seen)
    log.sql("DELETE FROM notification")
    reference = log.sql("SELECT reference FROM person WHERE id = :id", id=person_id)[0][0]
    return SimpleNamespace(case=case_id, person=person_id, reference=reference, href=f"{ASK}/{reference}")


def take(client: Client, subject: SimpleNamespace, **changes: str) -> Any:
    return client.post(subject.href, {"as": "file", **changes})


def test_the_file_is_the_golden_one(log: Log, auditor: Client, subject: SimpleNamespace) -> None:
    answer = take(auditor, subject)
    assert answer.mimetype == "text/csv"
    assert answer.data == (GOLDEN / "who_has_seen.csv").read_bytes()


def test_job_titles_are_shown_for_a_reason_alone(log: Log, auditor: Client, subject: SimpleNamespace) -> None:
    refused = take(auditor, subject, titles="yes", reason=" ")
    assert refused.status_code == 422 and "Write why job titles are shown" in refused.text
    assert "Community safety manager" not in refused.text
    answer = take(auditor, subject, titles="yes", reason=REASON)
    assert answer.data == (GOLDEN / "who_has_seen_titles.csv").read_bytes()


def test_the_page_says_the_same_and_names_no_staff(
    log: Log, auditor: Client, subject: SimpleNamespace
) -> None:
    page = auditor.get(subject.href).text
    table = page.split("<tbody")[1].split("</tbody>")[0]
    assert table.count("<tr") == 4
    for words in ("Northbrook Police", "Northbrook Council", "Consultation", "Disclosure", "11 March 2025"):
        assert words in table
    main = page.split("<main")[1]
    for name in ("Amara", "Okafor", "Llewellyn", "Nowak", "Castle", "Community safety officer"):
        assert name not in main, name
    # nor does the foot of the printed page
    foot = page.split('class="hub-print-foot"')[1].split("</div>")[0]
    assert "Castle" not in foot and "Northbrook Council" in foot


def test_every_report_is_an_event_about_the_person(
    log: Log, auditor: Client, subject: SimpleNamespace
) -> None:
    auditor.get(subject.href)
    take(auditor, subject, titles="yes", reason=REASON)
    rows = log.sql(
        "SELECT category, object_id, body FROM audit.event WHERE act = 'log.subject_reported' ORDER BY at"
    )
    assert [(row.category, row.object_id) for row in rows] == [("audit", subject.person)] * 2
    assert [json.loads(row.body)["facts"]["titles"] for row in rows] == [False, True]
    assert "housing" not in str([row.body for row in rows])
    assert log.sql("SELECT name FROM audit.event_text")[-1][0] == "reason"


def test_no_cell_is_taken_for_a_formula(log: Log, auditor: Client, subject: SimpleNamespace) -> None:
    log.sql("UPDATE app_user SET job_title = '=cmd|calc' WHERE name LIKE 'Amara%'")
    log.sql("UPDATE organisation SET name = '@SUM(1)' WHERE code = 'NBP'")
    text = take(auditor, subject, titles="yes", reason=REASON).data.decode("utf-8-sig")
    assert '"\'=cmd|calc"' in text and '"\'@SUM(1)"' in text and '"=' not in text and '"@' not in text


def test_a_comparison_of_names_has_a_sentence_of_its_own(
    log: Log, auditor: Client, subject: SimpleNamespace
) -> None:
    told = {"category": "combination", "people": [subject.person]}
    log.add("officer", [at(16), at(17)], act="person.compared", subjects=[uuid4(), uuid4()], **told)
    log.add("officer", [at(18)], act="person.merged", subjects=[subject.person], **told)
    rows = list(csv.reader(io.StringIO(take(auditor, subject).text.lstrip("\ufeff"), newline="")))
    times = {row[1]: row[5] for row in rows if row[0] == "2025-03-12"}
    assert times[COMPARED_WORDS] == "2" and times["Combination"] == "1" and times["Consultation"] == "3"
    assert COMPARED_WORDS in auditor.get(subject.href).text


def test_months_in_the_archive_are_said_to_be_missing(
    log: Log, auditor: Client, subject: SimpleNamespace
) -> None:
    assert "archive" not in take(auditor, subject).text
    detached(log, "2024-01-01", "2024-02-01", "2024-05-01")
    words = "January 2024 to February 2024, May 2024"
    last = take(auditor, subject).text.splitlines()[-1]
    assert last == f'"Not in this report","{words}: kept in the archive of the log only"'
    assert f"Not in this report: {words}" in auditor.get(subject.href).text


def test_an_unknown_reference_and_a_case_are_told_alike(
    log: Log, site: Site, auditor: Client, subject: SimpleNamespace
) -> None:
    case = log.sql("SELECT reference FROM record WHERE id = :id", id=subject.case)[0][0]
    for reference in ("NBC-PN-XXXXXX", case):
        answer = auditor.get(f"{ASK}/{reference}")
        assert answer.status_code == 404 and "No person that your organisation" in answer.text
    # the landlord's log does not tell of the person
    log.sql(
        "UPDATE role_holding SET role = 'auditor' WHERE user_id = :id", id=site.world.users["landlord_spoc"]
    )
    assert with_purpose(site.as_user("landlord_spoc")).get(subject.href).status_code == 404


def test_the_reference_is_asked_for_and_the_purpose_first(
    site: Site, auditor: Client, subject: SimpleNamespace
) -> None:
    assert "/audit/purpose" in site.as_user("auditor").get(subject.href).headers["Location"]
    assert auditor.get(ASK).status_code == 200
    assert auditor.get(f"{ASK}?reference={subject.reference.lower()}").headers["Location"] == subject.href
    assert site.as_user("officer").get(subject.href).status_code == 403


def test_who_leads_a_case_sees_organisations_by_month_and_no_people(
    site: Site, log: Log, subject: SimpleNamespace
) -> None:
    log.add("sergeant", [at(9, days=25)], subjects=[subject.case], owners=["council"])
    log.add("sergeant", [at(9, days=25)], act="case.listed", subjects=[subject.case], owners=["council"])
    page = site.as_user("manager").get(f"/cases/{subject.case}/seen").text
    main = page.split("<main")[1].split("</main>")[0]
    rows = [" ".join(_words(row)) for row in main.split("<tr")[2:]]
    assert rows[1:] == [
        "April 2025 Northbrook Police 1 1",
        "March 2025 Northbrook Council 2 0",
        "March 2025 Northbrook Police 1 0",
    ]
    # the look that shows it counts too
    assert rows[0].endswith("Northbrook Council 1 0")
    for name in ("Nowak", "Okafor", "Amara"):
        assert name not in main
    look = log.sql(
        "SELECT body FROM audit.event WHERE act = 'case.opened' AND at > '2026-01-01' ORDER BY at DESC"
    )
    assert json.loads(look[0][0])["facts"] == {"part": "seen"}


def _words(row: str) -> list[str]:
    texts = (piece.partition(">")[2].strip() for piece in row.split("<"))
    return [text for text in texts if text]


def test_a_partner_who_reads_the_case_does_not_see_who_else_has(
    site: Site, log: Log, subject: SimpleNamespace
) -> None:
    assert site.as_user("sergeant").get(f"/cases/{subject.case}/seen").status_code == 403
    assert site.as_user("yot_worker").get(f"/cases/{subject.case}/seen").status_code == 404
    assert f"/cases/{subject.case}/seen" in site.as_user("manager").get(f"/cases/{subject.case}").text
    assert f"/cases/{subject.case}/seen" not in site.as_user("sergeant").get(f"/cases/{subject.case}").text
    assert site.as_user("manager").get(f"/cases/{UUID(int=1)}/seen").status_code == 404
