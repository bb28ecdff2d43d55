"""Every hostile file gets its stated answer, leaves nothing where it is refused, and does nothing where it is taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Request
from playwright.sync_api import Error as BrowserError
from werkzeug.serving import make_server

from hub.web.identity import COOKIE
from tests.attachments.conftest import Desk
from tests.attachments.hostile import HOSTILE, TAKEN, Hostile
from tests.attachments.making import ORDINARY
from tests.fixtures.browser import chromium

__all__ = ["chromium"]


def sent(desk: Desk, one: Hostile) -> tuple[int, str]:
    answer = desk.send(desk.officer(), one.name, one.make())
    return answer.status_code, answer.headers.get("Location", "")


def test_there_are_more_than_sixty_and_each_is_named_once() -> None:
    assert len({one.what for one in HOSTILE}) == len(HOSTILE) > 60


def test_every_hostile_file_gets_its_answer_and_leaves_nothing(desk: Desk, database: SimpleNamespace) -> None:
    wrong, kept, codes = [], 0, []
    for one in HOSTILE:
        status, _ = sent(desk, one)
        expected = 303 if one.answer is None else 422
        kept += one.answer is None
        codes += [one.answer] if one.answer else []
        if status != expected or (desk.rows(), len(desk.bucket.keys())) != (kept, kept):
            wrong.append((one.what, one.answer, status, desk.rows(), len(desk.bucket.keys())))
    assert not wrong
    refused = desk.site.sql(
        database.superuser,
        "SELECT convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'why' AS why FROM audit.event"
        " WHERE act = 'attachment.refused' AND outcome = 'denied' ORDER BY at",
    )
    assert [row.why for row in refused] == codes


def test_every_ordinary_file_is_taken(desk: Desk) -> None:
    for name, content in ORDINARY.items():
        answer = desk.send(desk.officer(), name, content)
        assert answer.status_code == 303, (name, answer.get_data(as_text=True)[-3000:])


class Watched:
    """A browser in which nothing may run, ask or leave: what does is written down."""

    def __init__(self, browser: Browser, address: str, cookie: str) -> None:
        self.address = address
        self.noticed: list[str] = []
        self.context = browser.new_context(accept_downloads=True)
        self.context.add_cookies(
            [{"name": COOKIE, "value": cookie, "url": address.replace("http:", "https:"), "secure": True}]
        )
        self.context.on("request", self._asked)
        self.context.on("console", self._heard)
        self.page = self.context.new_page()
        self.page.on("dialog", self._spoke)
        self.context.on("page", lambda page: self.noticed.append(f"a window: {page.url}"))

    def _heard(self, message: ConsoleMessage) -> None:
        # the page that the browser makes around a bare picture has a style of its own, and is not let have it
        if not message.text.startswith("Applying inline style violates"):
            self.noticed.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self.address):
            self.noticed.append(f"a request: {request.url}")

    def _spoke(self, dialog: Dialog) -> None:
        self.noticed.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def look(self, path: str) -> None:
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")

    def download(self, path: str) -> bytes:
        """Opened as a page is: the browser saves it instead of showing it."""
        with self.page.expect_download() as coming, pytest.raises(BrowserError, match="Download is starting"):
            self.page.goto(self.address + path)
        return coming.value.path().read_bytes()


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    made = make_server("127.0.0.1", 0, desk.site.app, threaded=True)
    serving = threading.Thread(target=made.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    serving.join()
    made.server_close()


@pytest.mark.browser
def test_what_is_taken_does_nothing_in_a_browser(desk: Desk, address: str, chromium: Browser) -> None:
    officer = desk.officer()
    cookie = officer.http.get_cookie(COOKIE)
    assert cookie is not None
    # a page of the hub loads the hub's own scripts, and complains of nothing
    watched = Watched(chromium, address, cookie.value)
    for one in TAKEN:
        content = one.make()
        answer = desk.send(officer, one.name, content)
        assert answer.status_code == 303, one.what
        path = desk.path(answer.headers["Location"].rpartition("added=")[2])
        watched.look(f"/cases/{desk.case_id}/files")
        watched.look(f"{path}/preview")
        shown = watched.page.locator("img.hub-preview__picture")
        if shown.count():
            assert (
                watched.page.evaluate("document.querySelector('img.hub-preview__picture').naturalWidth") > 0
            )
        watched.look(f"{path}/preview/1.png") if shown.count() else None
        assert watched.download(path) == content
        assert watched.noticed == [], one.what
    watched.context.close()


@pytest.mark.browser
def test_the_watch_notices_what_runs(chromium: Browser, address: str) -> None:
    watched = Watched(chromium, address, "none")
    watched.page.set_content("<script>alert('ran'); fetch('http://127.0.0.1:9/leak').catch(() => 0)</script>")
    watched.page.wait_for_load_state("networkidle")
    assert [one.partition(":")[0] for one in watched.noticed][:2] == ["a dialog", "a request"]
    watched.context.close()
