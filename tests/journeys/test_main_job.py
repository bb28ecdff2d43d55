"""The main job on real parts: an incident becomes a case, is shared, is worked by a partner, and the auditor sees it all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core import clock
from tests.fixtures.browser import Visitor
from tests.fixtures.store import Bucket
from tests.fixtures.world import World
from tests.journeys import files, pages
from tests.journeys.conftest import EARLIER_TITLE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = "Motorbikes, Alderside"
SUMMARY = "Two riders at dusk; walkers are afraid to use the park."
WHY = "The patrol must know where and when the bikes come. Without it nobody can be stopped safely."
VICTIM, RIDER = ("Hedwig", "Tamblyn"), ("Kit", "Ferrier")
# 20,000 characters with pictures, lines and other scripts, and an end that must arrive
LONG = ("Seen from the bandstand at 10:40pm 🛵 – zażółć, नमस्ते, مرحبا.\n" * 400)[:19_990] + " The end.🏁"


def test_a_case_is_logged_worked_shared_and_audited(
    visit: Visit, earlier_case: str, bucket: Bucket, world: World, tmp_path: Path
) -> None:
    assert len(LONG) == 20_000
    attached = [*files.papers(), files.photo(), files.document(), files.spreadsheet()]
    officer = visit()
    case = an_officer_logs_and_opens(officer, earlier_case)
    she_works_it(officer, case)
    reference = pages.reference_of(officer, case)
    she_attaches(officer, case, attached, bucket, tmp_path)
    she_shares(officer, case, world)
    a_sergeant_works_it(visit(), case, reference, attached[0], tmp_path)
    a_youth_worker_sees_the_summary_only(visit(), case, reference)
    another_council_finds_nothing(visit(), case, reference)
    another_team_is_refused(visit(), case)
    officer.go(f"{case}/access")
    officer.see("Northbrook Police")
    officer.look("Access history")
    the_auditor_sees_it_all(visit(), reference)


def an_officer_logs_and_opens(officer: Visitor, earlier_case: str) -> str:
    pages.sign_in(officer, "Amara Okafor")
    officer.look("My work")
    officer.see("My work", "Cases you lead", EARLIER_TITLE)
    month = clock.today().replace(day=1) - timedelta(days=1)
    incident = pages.log_incident(
        officer, what="Two motorbikes round the bandstand.", month=str(month.month), year=str(month.year)
    )
    officer.see("is logged", "Does it belong to one of these cases?", EARLIER_TITLE, earlier_case)
    officer.go(incident)
    officer.look("Incident")
    officer.see(f"{month:%B} {month.year}", "Anonymous", "Bandstand, Alder Park", "NB1 4QR")
    case = pages.open_case(officer, TITLE, SUMMARY)
    officer.see(TITLE, "OFFICIAL", "your team leads this case", "Northbrook Council", "Bandstand, Alder Park")
    for path, name in (
        ("/incidents", "Incidents"),
        ("/cases", "Cases"),
        ("/people", "People"),
        ("/agreements", "Agreements"),
    ):
        officer.go(path)
        officer.look(name)
    return case


def she_works_it(officer: Visitor, case: str) -> None:
    pages.add_person(officer, case, first=VICTIM[0], family=VICTIM[1], role="Victim", born="1951")
    pages.add_person(officer, case, first=RIDER[0], family=RIDER[1], role="Subject of concern")
    pages.add_place(officer, case, "Garages behind Quarry Row")
    pages.add_vehicle(officer, case, "nb20 xyz")
    officer.see("NB20XYZ")
    pages.add_entry(officer, case, LONG)
    officer.see("The end.🏁", "zażółć, नमस्ते, مرحبا")
    pages.write_entry(officer, LONG + "!", kind="Visit")
    officer.see("There is a problem", "20,000 characters or fewer")
    assert officer.page.get_by_label("What happened", exact=True).input_value() == LONG + "!"
    assert pages.states_offered(officer, case) == ["Being triaged", "Rejected as a duplicate"]
    pages.move(officer, case, "Being triaged", "Two reports in a week")
    pages.states_offered(officer, case)
    pages.forge(officer, "to", "closed")
    pages.press(officer, "Change the status")
    officer.see("cannot go to that status from the one it is in")
    officer.look("Refused move")
    assert "Closed" not in pages.states_offered(officer, case)
    pages.move(officer, case, "Open", "It goes on")
    assert "Being triaged" not in pages.states_offered(officer, case)


def she_attaches(
    officer: Visitor, case: str, attached: list[files.Paper], bucket: Bucket, tmp_path: Path
) -> None:
    for paper in attached:
        pages.attach(officer, case, paper)
    for paper in attached:
        assert officer.download(paper.name, tmp_path) == paper.content, paper.name
    stored = [bucket.read(key) for key in list(bucket.keys())]
    assert len(stored) == len(attached)
    for paper in attached:
        middle = paper.content[len(paper.content) // 2 :][:32]
        assert not any(middle in ciphertext for ciphertext in stored), paper.name


def she_shares(officer: Visitor, case: str, world: World) -> None:
    until = clock.today() + timedelta(days=60)
    pages.start_share(officer, case)
    officer.see("Cannot be chosen", "Lantern Outreach", "is not signed yet by Lantern Outreach")
    officer.see("Eastmere Council", "You have no agreement with them")
    patrol: dict[str, Any] = {
        "purpose": "prevent_crime",
        "sections": {"chronology", "files"},
        "why": WHY,
        "until": until,
        "adding": True,
    }
    team = "Northbrook Police: Northbrook neighbourhood team"
    pages.prepare_share(officer, case, team, **patrol)
    pages.forge(officer, "to", f"organisation:{world.organisations['charity']}")
    pages.press(officer, "Share now")
    officer.see("This cannot be shared", "does not name both organisations", "Nothing was shared")
    officer.look("A refused share")
    pages.prepare_share(officer, case, team, **patrol)
    pages.send_share(officer)
    pages.prepare_share(
        officer,
        case,
        "All of Northbrook Youth Justice Service",
        purpose="safeguard_child",
        sections=set(),
        why="One of the riders may be a child known to the service.",
        until=until,
        adding=False,
    )
    pages.send_share(officer)
    officer.see("Northbrook neighbourhood team", "Northbrook Youth Justice Service", WHY)


def a_sergeant_works_it(
    sergeant: Visitor, case: str, reference: str, paper: files.Paper, tmp_path: Path
) -> None:
    until = clock.today() + timedelta(days=60)
    pages.sign_in(sergeant, "Tomasz Nowak")
    sergeant.go(case, status=404)
    sergeant.look("Not found")
    sergeant.go("/")
    pages.accept(sergeant, reference)
    sergeant.see(
        TITLE, "Northbrook Council", "Shared by Amara Okafor", WHY, f"{until.day} {until:%b}", "Log, Files"
    )
    sergeant.look("Shared with us, accepted")
    pages.follow(sergeant, TITLE)
    sergeant.see("Northbrook Council shares it with your organisation", "to prevent crime and disorder")
    sergeant.see(f"until {until.day} {until:%B} {until.year}", SUMMARY)
    sergeant.look("A shared case")
    assert sergeant.page.locator(".hub-tabs__link").all_inner_texts() == ["Summary", "Log", "Files"]
    for path in (case, f"{case}/log", f"{case}/files"):
        sergeant.go(path)
        sergeant.see_nothing_of(*VICTIM, *RIDER, "Quarry Row", "NB20XYZ")
    sergeant.go(f"{case}/people", status=404)
    sergeant.go(f"{case}/sharing")
    sergeant.see_nothing_of("Youth Justice")
    pages.add_entry(sergeant, case, "Patrol at 9pm: nobody there, fresh tracks.", kind="Partner update")
    sergeant.see("Northbrook Police (us)")
    pages.open_tab(sergeant, case, "Files")
    assert sergeant.download(paper.name, tmp_path) == paper.content


def a_youth_worker_sees_the_summary_only(worker: Visitor, case: str, reference: str) -> None:
    pages.sign_in(worker, "Dana Whitlock")
    pages.accept(worker, reference)
    pages.follow(worker, TITLE)
    worker.see(SUMMARY)
    assert worker.page.locator(".hub-tabs__link").all_inner_texts() == ["Summary"]
    worker.see_nothing_of("Patrol at 9pm", *VICTIM, *RIDER)
    worker.go(f"{case}/log", status=404)


def another_council_finds_nothing(other: Visitor, case: str, reference: str) -> None:
    pages.sign_in(other, "Colm Devlin")
    for path in ("/", "/cases", "/incidents", "/people", "/shared", "/notifications"):
        other.go(path)
        other.look(f"{path} of another council")
        other.see_nothing_of(TITLE, reference, *VICTIM, *RIDER)
    for terms in (reference, " ".join(RIDER), "fresh tracks", "Alder Park"):
        pages.search(other, terms)
        other.see("Nothing found")
        other.see_nothing_of(TITLE, f">{reference}<")
    for part in ("", "/log", "/people", "/files", "/sharing", "/share", "/status", "/edit"):
        other.go(f"{case}{part}", status=404)


def another_team_is_refused(colleague: Visitor, case: str) -> None:
    pages.sign_in(colleague, "Zofia Wróbel")
    colleague.go("/cases")
    colleague.see_nothing_of(TITLE)
    colleague.go(case, status=404)


def the_auditor_sees_it_all(auditor: Visitor, reference: str) -> None:
    pages.sign_in(auditor, "Miriam Castle")
    pages.state_purpose(auditor, "Verify that processing was lawful")
    today = clock.today()
    assert all("Amara Okafor" in line for line in _some(pages.filter_log(auditor, user="Amara Okafor")))
    assert all(reference in line for line in _some(pages.filter_log(auditor, reference=reference)))
    assert all(
        "Northbrook Police" in line
        for line in _some(pages.filter_log(auditor, organisation="Northbrook Police"))
    )
    tomorrow = today + timedelta(days=1)
    assert _some(pages.filter_log(auditor, from_=today.isoformat(), to=tomorrow.isoformat()))
    assert pages.filter_log(auditor, from_=tomorrow.isoformat()) == []
    trail = pages.read_trail(auditor, reference)
    for who, what in (
        ("Amara Okafor", "Case opened"),
        ("Amara Okafor", "Person added to record"),
        ("Amara Okafor", "Entry added"),
        ("Amara Okafor", "Case status changed"),
        ("Amara Okafor", "File attached"),
        ("Amara Okafor", "Shared"),
        ("Amara Okafor", "Share refused"),
        ("Tomasz Nowak", "Share accepted"),
        ("Tomasz Nowak", "Case viewed"),
        ("Tomasz Nowak", "Entry added"),
        ("Tomasz Nowak", "File downloaded"),
        ("Dana Whitlock", "Share accepted"),
        ("Zofia Wróbel", "Case viewed Refused"),
    ):
        assert any(who in line and what in line for line in trail), (who, what, trail)
    auditor.go("/audit/check")
    pages.press(auditor, "Check now")
    auditor.see("The log is in order")
    auditor.look("Check of the log")


def _some(lines: list[str]) -> list[str]:
    assert lines
    return lines
