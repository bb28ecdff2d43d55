"""Files in a browser: dropped and sent one by one with their progress, after a cut line again; and without scripts three at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, FilePayload, Route

from hub.cases.models import Case
from hub.extensions import db
from tests.fixtures.browser import Visitor
from tests.fixtures.relay import Relay
from tests.fixtures.server import Served
from tests.fixtures.site import Site
from tests.fixtures.world import act_as, look_at
from tests.journeys import files, pages
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DROP = """names => {
  const transfer = new DataTransfer()
  for (const [name, size] of names) transfer.items.add(new File([new Uint8Array(size).fill(97)], name))
  return transfer
}"""
SEEN = """() => {
  window.seen = new Set()
  new MutationObserver(() => {
    for (const bar of document.querySelectorAll('.hub-queue__item progress:not([hidden])')) window.seen.add(bar.getAttribute('aria-label'))
  }).observe(document.querySelector('[data-queue]'), { subtree: true, childList: true, attributes: true })
}"""


@pytest.fixture
def case(site: Site, earlier_case: str) -> str:
    """The path of the case about the park."""
    with site.inside():
        look_at(act_as(site.world, "officer"))
        found = db.session.query(Case).filter_by(reference=earlier_case).one()
        return f"/cases/{found.id}"


def drop(visitor: Visitor, *given: tuple[str, int]) -> None:
    transfer = visitor.page.evaluate_handle(DROP, [list(one) for one in given])
    for name in ("dragenter", "dragover", "drop"):
        visitor.page.dispatch_event("[data-drop]", name, {"dataTransfer": transfer})


def test_dropped_files_go_one_by_one_and_a_cut_line_loses_nothing(visit: Visit, case: str) -> None:
    officer = visit()
    pages.sign_in(officer, "Amara Okafor")
    pages.open_tab(officer, case, "Files")
    page = officer.page
    page.evaluate(SEEN)
    # as large as the limit says, without a byte behind it
    page.evaluate("() => { document.querySelector('input[type=file]').dataset.maxBytes = 3000000 }")
    drop(officer, ("a.txt", 2_000_000), ("b.txt", 2_000), ("large.txt", 3_000_001))
    officer.see("2 files are ready to attach", "large.txt", "Not attached: the file must be")
    page.get_by_role("button", name="Attach", exact=True).click()
    officer.see("Select what kind of file it is first")
    page.get_by_label("What kind of file is it?").select_option(label="Report")
    officer.look("Files in the queue")
    cut = []

    def once(route: Route) -> None:
        if route.request.method == "POST" and not cut:
            cut.append(route)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/files", once)
    page.get_by_role("button", name="Attach", exact=True).press("Enter")
    page.get_by_text("1 of 3 files are attached").wait_for()
    officer.see("The connection was cut")
    # what the browser itself says of a line that was cut on purpose
    officer.complaints.clear()
    page.get_by_role("button", name="Remove large.txt").click()
    page.get_by_role("button", name="Try again a.txt").click()
    page.get_by_text("2 files are attached").wait_for()
    officer.see("a.txt", "b.txt")
    assert page.locator(".hub-file").count() == 2


def test_the_progress_of_each_file_is_named_and_leaving_warns(visit: Visit, case: str) -> None:
    officer = visit()
    pages.sign_in(officer, "Amara Okafor")
    pages.open_tab(officer, case, "Files")
    page = officer.page
    page.evaluate(SEEN)
    drop(officer, ("a.txt", 2_000_000))
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("What kind of file is it?").select_option(label="Report")
    page.evaluate("() => { setTimeout(() => { location.href = '/' }, 0) }")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    waiting: list[Route] = []
    page.route(
        "**/files",
        lambda route: waiting.append(route) if route.request.method == "POST" else route.continue_(),
    )
    page.get_by_role("button", name="Attach", exact=True).click()
    page.get_by_role("button", name="Cancel a.txt").click()
    officer.see("Cancelled. It was not attached.")
    assert page.evaluate("() => [...window.seen]") == ["a.txt: how much of it is sent"]
    page.unroute("**/files")
    officer.complaints.clear()
    page.get_by_role("button", name="Try again a.txt").click()
    page.get_by_text("The file is attached").wait_for()


def test_a_download_that_breaks_off_is_taken_up_where_it_broke_off(
    chromium: Browser, served: Served, site: Site, case: str, tmp_path: Path, database: SimpleNamespace
) -> None:
    """By the browser itself: half of the file comes, then the rest by `Range` and `If-Range`."""
    content = "".join(f"{number:09}\n" for number in range(400_000)).encode()
    relay = Relay(served.port)
    officer = Visitor(chromium, f"http://127.0.0.1:{relay.port}")
    pages.sign_in(officer, "Amara Okafor")
    pages.attach(officer, case, files.Paper("long.txt", "Report", content))
    relay.once, relay.cut_down = True, len(content) // 2
    assert officer.download("long.txt", tmp_path) == content
    assert relay.cuts == 1
    acts = site.sql(
        database.superuser, "SELECT count(*) FROM audit.event WHERE act = 'attachment.downloaded'"
    )
    assert acts[0][0] == 1
    officer.close()
    relay.close()


def test_three_files_at_once_without_scripts_and_the_life_of_one(
    visit: Visit, case: str, tmp_path: Path
) -> None:
    officer = visit(scripts=False)
    pages.sign_in(officer, "Amara Okafor")
    pages.open_tab(officer, case, "Files")
    page = officer.page
    papers = [files.photo(), files.document(), files.spreadsheet()]
    page.get_by_label("What kind of file is it?").select_option(label="Report")
    page.get_by_label("Files", exact=True).set_input_files(
        [
            FilePayload(name=one.name, mimeType="application/octet-stream", buffer=one.content)
            for one in papers
        ]
    )
    pages.press(officer, "Attach")
    officer.see("3 files are attached", *(one.name for one in papers))
    for one in papers:
        assert officer.download(one.name, tmp_path) == one.content
    pages.follow(officer, "About this file")
    officer.see("Exhibit reference", "Report", "Amara Okafor")


def test_the_pages_of_a_file_can_be_used_by_everyone(visit: Visit, case: str) -> None:
    manager = visit()
    pages.sign_in(manager, "Rhys Llewellyn")
    paper = files.document()
    pages.attach(manager, case, paper)
    pages.follow(manager, "About this file")
    manager.look("File")
    about = manager.page.url
    pages.follow(manager, "Change its details")
    manager.look("Change a file")
    manager.page.get_by_label("Exhibit reference (optional)").fill("RL/1")
    pages.press(manager, "Save")
    manager.see("The details of the file are saved", "RL/1")
    pages.follow(manager, "Replace it")
    manager.look("Replace a file")
    manager.go(about)
    manager.page.get_by_text("Put it under legal hold", exact=True).click()
    manager.page.get_by_label("Why it must be kept").fill("Trial in May")
    pages.press(manager, "Place the hold")
    manager.see("The file is under legal hold now", "Trial in May", "cannot be hidden")
    manager.look("A held file")
    manager.go(f"{case}/disclosure")
    manager.look("Schedule")
    manager.page.get_by_label("Relevance").select_option(label="Relevant")
    manager.page.get_by_label("Sensitivity").select_option(label="Not sensitive")
    pages.press(manager, "Save the schedule")
    pages.follow(manager, "Make a bundle")
    manager.look("A new bundle")
    manager.page.get_by_label("Who receives it?").select_option(label="Northbrook Police")
    manager.page.get_by_label("Yes, those that are relevant").check()
    manager.page.get_by_label("Why it is disclosed").fill("Asked for by the CPS")
    pages.press(manager, "Continue")
    manager.look("Check a bundle")
    pages.press(manager, "Make the bundle")
    manager.look("Bundle")
    with manager.page.expect_download() as coming:
        manager.page.get_by_role("button", name="Download the bundle").click()
    assert coming.value.suggested_filename.startswith("disclosure-")
