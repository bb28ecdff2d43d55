"""What every answer must be, whatever was asked: no failure, no trace of the machinery, the headers, a page of ours."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

MACHINERY = re.compile(
    r"Traceback|File &?#?3?4?;?\"|\.py\b|psycopg|sqlalchemy|werkzeug|jinja2|DataError|IntegrityError|SELECT |INSERT INTO|row-level security",
)
HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
OURS = ("hub-error-page", "govuk-error-summary", "hub-callout--warning")


def fault_of(
    answer: TestResponse, *, may: tuple[int, ...] = (200, 302, 303, 308), down: bool = False
) -> str | None:
    """What is wrong with an answer in words, or None. `may` are the statuses below 400 that are right.

    503 is right only where a part is `down`.
    """
    if answer.status_code >= 500 and not (down and answer.status_code == 503):
        return f"status {answer.status_code}"
    if answer.status_code < 400 and answer.status_code not in may:
        return f"status {answer.status_code}, not {may}"
    for name, value in HEADERS.items():
        if answer.headers.get(name) != value:
            return f"header {name}: {answer.headers.get(name)}"
    policy = answer.headers.get("Content-Security-Policy", "")
    if "default-src 'none'" not in policy or "unsafe" in policy or "'nonce-'" in policy:
        return f"content policy {policy}"
    page = words_of(answer)
    found = MACHINERY.search(page)
    if found:
        return f"shows {found.group(0)!r}"
    if answer.status_code >= 400 and answer.request.method != "HEAD" and not _is_told(answer, page):
        return f"status {answer.status_code} without our error page: {page[:80]!r}"
    return None


def _is_told(answer: TestResponse, page: str) -> bool:
    """On a page of ours; or, to a script or a program, as an object with a message or the protocol's own word."""
    if not answer.is_json:
        return any(one in page for one in OURS)
    told = answer.get_json(silent=True)
    return isinstance(told, dict) and any(isinstance(told.get(name), str) for name in ("message", "error"))


def words_of(answer: TestResponse) -> str:
    """What can be read in an answer; in a workbook or a bundle, in all of its parts."""
    data = answer.get_data()
    if answer.mimetype.endswith(("spreadsheetml.sheet", "application/zip")) and data:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            data = b"\n".join(book.read(name) for name in book.namelist())
    return data.decode("utf-8", "replace")


def told(faults: list[str]) -> str:
    """The faults as a list to read; the first of very many."""
    return "\n".join([f"{len(faults)} faults:", *faults[:60]])


@dataclass
class Tables:
    """The rows of every table, as a hash a table: what a refused request must leave as it was."""

    connection: psycopg.Connection
    query: str = field(default="")

    # counted tries and the time of a session's last use change with any request, keys are made at first need;
    # the log, in a schema of its own, is meant to grow
    LEFT_OUT = ("throttle", "user_session", "data_key", "alembic_version")

    def __post_init__(self) -> None:
        names = [
            row[0]
            for row in self.connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s) AND tablename NOT LIKE 'procrastinate%%'",
                (list(self.LEFT_OUT),),
            )
        ]
        assert len(names) > 20
        self.query = " UNION ALL ".join(
            f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM \"{name}\" t"
            for name in sorted(names)
        )

    def now(self) -> dict[str, tuple[int, int]]:
        return {row[0]: (row[1], row[2]) for row in self.connection.execute(self.query)}


@contextmanager
def tables_of(superuser_url: str) -> Iterator[Tables]:
    url = make_url(superuser_url)
    with psycopg.connect(
        host=url.host,
        port=url.port,
        user=url.username,
        password=url.password,
        dbname=url.database,
        autocommit=True,
    ) as connection:
        yield Tables(connection)
