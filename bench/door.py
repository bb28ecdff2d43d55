"""The door, served as in use (two processes of eight threads) behind a named proxy: complete sign-ins through a provider, and
what a flood of wrong passwords costs those who are at work.

    .venv/bin/python -m bench.door [SECONDS]

A sign-in is the form, the provider's answer, the session and the first page: eight clients, each from a source of its own, for
SECONDS (60), once by a provider that only signs and once by the npm package `oidc-provider`.

The flood comes by sixteen lines, each a try every half second, every try with another account and from another source, so that
no throttle by either meets it. Four users open pages meanwhile. Quiet and flood alternate, as ratios within one run.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.extensions import db
from hub.launcher.ports import LOOPBACK, Ports
from hub.launcher.processes import wait_until
from hub.providers.linking import insert_identity
from hub.providers.models import IdentityProvider
from hub.web.identity import COOKIE
from tests.attachments.conftest import Desk
from tests.fixtures.alone import Alone, alone
from tests.fixtures.server import Served, serving
from tests.fixtures.site import Site
from tests.providers.conftest import settings_of
from tests.providers.independent import SECRET, independent

SECONDS = 60
CLIENTS = 8
USERS = ("officer", "manager", "housing_officer", "reader", "auditor", "spoc")
SIGN_INS_A_MINUTE = 200
LINES = 16
PAUSE_OF_A_LINE = 0.5
PAUSE_OF_A_READER = 0.4
READERS = ("officer", "manager", "housing_officer", "reader")
# each round is so long quiet, and so long again under the flood
ROUNDS = 10
STRETCH_SECONDS = 3
AT_MOST = 1.5
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


class Browser:
    """One line to the hub as the proxy keeps it, with the cookies of one browser."""

    def __init__(self, port: int, source: str) -> None:
        self.port, self.source = port, source
        self.cookies: dict[str, str] = {}
        self.line = HTTPConnection(LOOPBACK, port, timeout=60)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, page, and where it leads."""
        headers = {"X-Forwarded-For": self.source}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.line.request(method, path, urlencode(form) if form is not None else None, headers)
            answer = self.line.getresponse()
        except (HTTPException, OSError):
            # a kept line may be closed at the other end just now
            self.line.close()
            self.line.request(method, path, urlencode(form) if form is not None else None, headers)
            answer = self.line.getresponse()
        for one in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = one.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.status, answer.read().decode(), answer.headers.get("Location", "")

    def form_token(self, path: str = "/sign-in") -> str:
        status, page, _ = self.ask("GET", path)
        found = TOKEN.search(page)
        if not found:
            raise SystemExit(f"no form on {path}: {status}")
        return found.group(1)


def sign_in(browser: Browser, at_provider: Callable[[str], str]) -> None:
    browser.cookies.pop(COOKIE, None)
    form = {"csrf_token": browser.form_token(), "email": "anybody@example.org", "next": "/"}
    status, page, away = browser.ask("POST", "/sign-in/organisation", form)
    if status != 303:
        raise SystemExit(f"not sent to the provider: {status} {page[:500]}")
    back = urlsplit(at_provider(away))
    status, page, where = browser.ask("GET", f"{back.path}?{back.query}")
    came_in = status == 303
    while status in (302, 303):
        status, page, where = browser.ask("GET", where)
    if not came_in or status != 200 or not browser.cookies.get(COOKIE):
        raise SystemExit(f"not signed in: {status} {page[:3000]}")


def at_signer(login: str) -> Callable[[str], str]:
    def go(away: str) -> str:
        parts = urlsplit(away)
        line = HTTPConnection(LOOPBACK, parts.port or 80, timeout=60)
        line.request("GET", f"{parts.path}?{parts.query}&login={login}")
        answer = line.getresponse()
        answer.read()
        line.close()
        return str(answer.headers["Location"])

    return go


def at_independent(login: str) -> Callable[[str], str]:
    """As a person does: its page, the name, and back, with its cookies of this once."""

    def go(away: str) -> str:
        parts = urlsplit(away)
        there = Browser(parts.port or 80, LOOPBACK)
        path, origin = f"{parts.path}?{parts.query}", f"{parts.scheme}://{parts.netloc}"
        for _ in range(6):
            form = {"login": login, "amr": "otp"} if path.startswith("/interaction/") else None
            _, _, where = there.ask("POST" if form else "GET", path, form)
            if not where.startswith((origin, "/")):
                there.line.close()
                return where
            path = where.removeprefix(origin)
        raise SystemExit("the provider does not lead back")

    return go


def rate_of_sign_ins(
    port: int, at_provider: Callable[[str], Callable[[str], str]], seconds: int
) -> list[float]:
    """How long each sign-in took."""
    took: list[float] = []
    failures: list[BaseException] = []
    end = time.monotonic() + seconds

    def one(number: int) -> None:
        browser = Browser(port, f"10.1.0.{number + 1}")
        login = at_provider(f"subject-{USERS[number % len(USERS)]}")
        try:
            while time.monotonic() < end:
                began = time.perf_counter()
                sign_in(browser, login)
                took.append(time.perf_counter() - began)
        except BaseException as failure:  # noqa: BLE001 - told below, in the thread that can stop the run
            failures.append(failure)

    _all_at_once([lambda number=number: one(number) for number in range(CLIENTS)])  # type: ignore[misc]
    if failures:
        raise failures[0]
    return took


class Flood:
    """Wrong passwords by many lines at once; what they were answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.statuses: Counter[int] = Counter()
        self.numbers = itertools.count()
        self.stop = threading.Event()
        self.browsers = [Browser(port, f"10.2.0.{number}") for number in range(LINES)]
        self.tokens = [browser.form_token() for browser in self.browsers]

    def __enter__(self) -> Flood:
        self.stop.clear()
        self.threads = [threading.Thread(target=self._line, args=(number,)) for number in range(LINES)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _line(self, number: int) -> None:
        browser, token = self.browsers[number], self.tokens[number]
        self.stop.wait(random.uniform(0, PAUSE_OF_A_LINE))
        while not self.stop.is_set():
            due = time.monotonic() + PAUSE_OF_A_LINE
            one = next(self.numbers)
            browser.source = f"10.{3 + (one >> 16)}.{one >> 8 & 255}.{one & 255}"
            form = {
                "csrf_token": token,
                "email": f"user{one}@example.org",
                "password": f"wrong {one}",
                "next": "/",
            }
            self.statuses[browser.ask("POST", "/sign-in", form)[0]] += 1
            self.stop.wait(max(0.0, due - time.monotonic()))


def pages_of_readers(served: Served, site: Site, pages: list[str]) -> Callable[[float], list[float]]:
    readers = []
    for number, user in enumerate(READERS):
        cookie = site.as_user(user).http.get_cookie(COOKIE)
        assert cookie is not None
        browser = Browser(served.port, f"10.4.0.{number}")
        browser.cookies[COOKIE] = cookie.value
        readers.append(browser)

    def read(seconds: float) -> list[float]:
        took: list[float] = []
        end = time.monotonic() + seconds

        def one(browser: Browser) -> None:
            for path in itertools.cycle(pages):
                if time.monotonic() > end:
                    return
                began = time.perf_counter()
                status = browser.ask("GET", path)[0]
                took.append(time.perf_counter() - began)
                if status >= 500:
                    print(f"  {path} answered {status}", flush=True)
                time.sleep(random.uniform(0.5, 1.5) * PAUSE_OF_A_READER)

        _all_at_once([lambda browser=browser: one(browser) for browser in readers])  # type: ignore[misc]
        return took

    return read


def _all_at_once(what: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in what]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def middle_and_late(took: list[float]) -> tuple[float, float]:
    return statistics.median(took) * 1000, statistics.quantiles(took, n=20)[-1] * 1000


def connect(ground: Alone, issuer: str, secret: str) -> None:
    """The council's provider, and everybody's account there; the one before ends."""
    spoc = ground.site.as_user("spoc")
    spoc.post("/admin/provider/end")
    changes = {} if not secret else {"client_secret": secret}
    answer = spoc.post("/admin/provider/add", settings_of(issuer, **changes))
    if answer.status_code != 303:
        raise SystemExit(f"the provider was not connected: {answer.get_data(as_text=True)[:3000]}")
    with ground.site.inside():
        enter(db.session(), NOBODY)
        provider = db.session.scalars(
            sa.select(IdentityProvider).where(IdentityProvider.issuer == issuer)
        ).one()
        for user in USERS:
            insert_identity(provider, ground.site.world.users[user], f"subject-{user}")
        db.session.commit()


@contextmanager
def signer(folder: Path) -> Iterator[str]:
    port = Ports(folder).claim("signer")
    process = subprocess.Popen([sys.executable, "-m", "bench.signer", str(port)])

    def answers() -> bool:
        line = HTTPConnection(LOOPBACK, port, timeout=2)
        try:
            line.request("GET", "/jwks")
            return line.getresponse().status == 200
        except OSError:
            return False
        finally:
            line.close()

    try:
        wait_until(answers, seconds=20, every=0.1)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait()


def measure_sign_ins(ground: Alone, served: Served, folder: Path, seconds: int) -> bool:
    met = True
    with signer(folder) as quick, independent(served.address, folder) as full:
        for name, issuer, secret, login in (
            ("a provider that only signs", quick, "", at_signer),
            ("oidc-provider", full, SECRET, at_independent),
        ):
            connect(ground, issuer, secret)
            rate_of_sign_ins(served.port, login, 3)
            took = rate_of_sign_ins(served.port, login, seconds)
            rate = len(took) * 60 / seconds
            middle, late = middle_and_late(took)
            print(
                f"{name:<28} {rate:5.0f} sign-ins a minute by {CLIENTS} clients   median {middle:.0f} ms   p95 {late:.0f} ms",
                flush=True,
            )
            met &= rate >= SIGN_INS_A_MINUTE or issuer == full
    return met


def measure_flood(served: Served, site: Site, pages: list[str]) -> bool:
    read, flood = pages_of_readers(served, site, pages), Flood(served.port)
    read(2 * STRETCH_SECONDS)
    quiet: list[float] = []
    flooded: list[float] = []
    for _ in range(ROUNDS):
        quiet += read(STRETCH_SECONDS)
        with flood:
            flooded += read(STRETCH_SECONDS)
    (middle, late), (middle_then, late_then) = middle_and_late(quiet), middle_and_late(flooded)
    tries = sum(flood.statuses.values())
    print(f"quiet: {len(quiet)} pages   median {middle:.0f} ms   p95 {late:.0f} ms")
    print(f"flood: {len(flooded)} pages   median {middle_then:.0f} ms   p95 {late_then:.0f} ms")
    print(f"ratios {middle_then / middle:.2f} and {late_then / late:.2f}, at most {AT_MOST}")
    print(
        f"the flood: {tries / ROUNDS / STRETCH_SECONDS:.0f} tries a second; hashes computed {flood.statuses[422]}, "
        f"told to wait {flood.statuses[429]}, told that it is busy {flood.statuses[503]}",
        flush=True,
    )
    return middle_then / middle <= AT_MOST and late_then / late <= AT_MOST


def main() -> int:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory(prefix="hub-door-") as name, alone(Path(name), lasting=True) as ground:
        folder = Path(name)
        desk = Desk(ground.site, ground.bucket)
        pages = ["/", "/cases", desk.path().removesuffix("/files"), "/account"]
        with serving(ground.settings(), folder, workers=2, HUB_TRUSTED_PROXY=LOOPBACK) as served:
            print(f"load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
            met = seconds == 0 or measure_sign_ins(ground, served, folder, seconds)
            return int(not (measure_flood(served, ground.site, pages) and met))


if __name__ == "__main__":
    raise SystemExit(main())
