"""Times the pages of a demonstration at the server: median and 95th percentile of GETs, one after the other.

    .venv/bin/python -m bench.pages [ADDRESS] [ROUNDS]

Needs a running `hub up --demo`. Signs in as people of the cast with one click, warms up, then asks each page.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

ROUNDS = 30
BUDGET_MS = 60.0
WHO = (("Amara Okafor", "council"), ("Tomasz Nowak", "police"))


class Reader:
    """A signed-in reader on one kept-alive connection."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=30)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = urlencode(form) if form else None
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.split(";", 1)[0]
        return answer.status, answer.read().decode()

    def sign_in(self, name: str) -> None:
        _, page = self.ask("GET", "/sign-in")
        token = _only(r'name="csrf_token" value="([0-9a-f]+)"', page)
        user = _only(r'name="user" value="([0-9a-f-]+)"[^>]*><strong>' + re.escape(name), page)
        status, _ = self.ask("POST", "/sign-in", {"csrf_token": token, "user": user, "next": "/"})
        if status != 303:
            raise SystemExit(f"could not sign in as {name}: {status}")


def _only(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    if not found:
        raise SystemExit(f"not on the page: {pattern}")
    return found.group(1)


def main() -> int:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8480"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    slow = 0
    print(f"{'page':<38} {'median':>8} {'p95':>8}   ms, {rounds} rounds")
    for name, kind in WHO:
        reader = Reader(address)
        reader.sign_in(name)
        _, cases = reader.ask("GET", "/cases")
        case = re.search(r'href="(/cases/[0-9a-f-]{36})"', cases)
        pages = ["/", "/cases", "/incidents", "/people", "/shared", "/search?q=Wadsworth"]
        pages += [case.group(1), f"{case.group(1)}/log", f"{case.group(1)}/people"] if case else []
        for path in pages:
            times = _timed(reader, path, rounds)
            median, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            shown = re.sub(r"[0-9a-f-]{36}", "…", path)
            print(
                f"{kind + ' ' + shown:<38} {median:8.1f} {late:8.1f}{'  over budget' if median > BUDGET_MS else ''}"
            )
            slow += median > BUDGET_MS
    return 1 if slow else 0


def _timed(reader: Reader, path: str, rounds: int) -> list[float]:
    for _ in range(6):  # each worker process plans a statement once
        reader.ask("GET", path)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        status, _ = reader.ask("GET", path)
        times.append((time.perf_counter() - began) * 1000)
        if status != 200:
            raise SystemExit(f"{path} answered {status}")
    return times


if __name__ == "__main__":
    raise SystemExit(main())
