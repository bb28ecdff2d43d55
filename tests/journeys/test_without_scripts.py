"""The core jobs with scripts switched off: every page is a form and a link before it is anything else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.core import clock
from tests.journeys import files, pages
from tests.journeys.conftest import EARLIER_TITLE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_core_jobs_work_without_scripts(visit: Visit, earlier_case: str, tmp_path: Path) -> None:
    officer = visit(scripts=False)
    pages.sign_in(officer, "Amara Okafor")
    today = clock.today()
    pages.log_incident(officer, what="Bikes again.", month="", year=str(today.year))
    officer.see("Does it belong to one of these cases?", EARLIER_TITLE, earlier_case)
    case = pages.open_case(officer, "Motorbikes at dusk, Alderside", "Two riders.")
    pages.add_entry(officer, case, "Rang the warden: seen again.", kind="Phone call")
    paper = files.document()
    pages.attach(officer, case, paper)
    assert officer.download(paper.name, tmp_path) == paper.content
    pages.move(officer, case, "Being triaged", "Reported twice")
    pages.prepare_share(
        officer,
        case,
        "Northbrook Police: Northbrook neighbourhood team",
        purpose="prevent_crime",
        sections={"chronology"},
        why="The patrol must know where the bikes come.",
        until=today + timedelta(days=30),
        adding=True,
    )
    pages.send_share(officer)
    reference = pages.reference_of(officer, case)
    pages.search(officer, reference)
    officer.see("Motorbikes at dusk, Alderside")

    sergeant = visit(scripts=False)
    pages.sign_in(sergeant, "Tomasz Nowak")
    pages.accept(sergeant, reference)
    pages.add_entry(sergeant, case, "Patrol sent on Friday.", kind="Partner update")
    officer.go(f"{case}/log")
    officer.see("Patrol sent on Friday.", "Northbrook Police")
