"""Whether the service works: which of its parts are up, how old the scanner's signatures are, and nothing else about them.

Each part is asked in a thread of its own and one that does not answer in time counts as down, so that this page never
hangs with what it watches. Answers are kept for a second: asking often costs nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import sqlalchemy as sa
import structlog
from flask import Flask, current_app, jsonify, make_response, render_template, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from werkzeug.wrappers import Response

from hub.audit import trouble
from hub.audit.archive_state import archive_lag
from hub.config import Settings
from hub.core import clock
from hub.scanner.clamd import NoVerdict, Scanner
from hub.storage.errors import StoreUnavailable
from hub.web.routes import Data, Door, Pages
from hub.web.store import store_of

DEADLINE_SECONDS = 1.6
KEPT_SECONDS = 1.0
HEARTBEAT_AGE = timedelta(seconds=60)
# an event that the log's tree doesn't cover by then is an alarm
TREE_LAG = timedelta(seconds=30)
# and so is one that the log's second place has no copy of by then
ARCHIVE_LAG = timedelta(seconds=120)
# what a service that was just started is given until its seal and its copy must have caught up
START_SECONDS = 30.0
# signatures older than these are an alarm, the second one a loud one
SIGNATURES_DUE = timedelta(days=3)
SIGNATURES_OLD = timedelta(days=7)
SCANNER_SECONDS = 0.7
_STATEMENT_MS = 1400
UP, DOWN, DUE, STARTING = "up", "down", "due", "starting"
# without these nothing can be shown or changed
ESSENTIAL = ("database", "object_store", "log")
WORDS = {
    "database": "Database",
    "object_store": "Files",
    "log": "Access log",
    "tree": "Access log’s seal",
    "archive": "Access log’s copy",
    "worker": "Background work",
    "scanner": "Malware scanner",
    "scans": "Malware scans",
}
_NO_DATABASE = dict.fromkeys(("database", "log", "tree", "archive", "worker", "scans"), DOWN)
# beside the states: numbers of the scan
SIGNATURE_DAYS, FILES_WAITING = "signature_days", "files_waiting"
_KEY = "hub_health"
# of this process
_STARTED = time.monotonic()
_installing = threading.Lock()
_lag = sa.func.audit.tree_lag().table_valued("waiting", sa.column("oldest", sa.DateTime(timezone=True)))
_workers = sa.table("procrastinate_workers", sa.column("last_heartbeat", sa.DateTime(timezone=True)))

pages = Pages("health", __name__)
log = structlog.get_logger("hub.health")


@pages.page("/health", needs=Door.PUBLIC, event=None, data=Data.NONE, keeps_session=False)
def health() -> Response:
    service = _health_of(current_app._get_current_object())  # type: ignore[attr-defined]
    answers = service.answers()
    parts = service.parts(answers)
    numbers = {name: int(answers[name]) for name in (SIGNATURE_DAYS, FILES_WAITING) if name in answers}
    status = _status(parts)
    code = 503 if status == DOWN else 200
    best = request.accept_mimetypes.best_match(["application/json", "text/html"], default="application/json")
    if (
        best == "text/html"
        and request.accept_mimetypes["text/html"] > request.accept_mimetypes["application/json"]
    ):
        page = render_template("health.html", status=status, parts=parts, words=WORDS, numbers=numbers)
        return make_response(page, code)
    more = {"scanner": numbers} if service.scanner is not None else {}
    return make_response(jsonify(status=status, parts=parts, **more), code)


def find_parts() -> dict[str, str]:
    """The state of each part of the service as it is now, for the pages that show how the hub is set up."""
    return _health_of(current_app._get_current_object()).parts()  # type: ignore[attr-defined]


def _status(parts: Mapping[str, str]) -> str:
    if any(parts[name] == DOWN for name in ESSENTIAL):
        return DOWN
    states = set(parts.values())
    if states == {UP}:
        return UP
    return STARTING if states <= {UP, STARTING} else "degraded"


@dataclass
class _Question:
    """One asking: its answer by part, once it has come."""

    ask: Callable[[], Mapping[str, str]]
    unanswered: Mapping[str, str]
    done: threading.Event = field(default_factory=threading.Event)
    found: Mapping[str, str] = field(default_factory=dict)
    asked_at: float = field(default_factory=time.monotonic)

    def start(self) -> _Question:
        threading.Thread(target=self._run, daemon=True, name="health").start()
        return self

    def _run(self) -> None:
        try:
            self.found = self.ask()
        finally:
            self.done.set()

    @property
    def answer(self) -> Mapping[str, str]:
        return self.found or self.unanswered

    @property
    def stale(self) -> bool:
        """One still under way is never asked a second time beside itself."""
        return self.done.is_set() and time.monotonic() - self.asked_at > KEPT_SECONDS


class Health:
    """The parts of one process's service, asked at most once a second each."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.lock = threading.Lock()
        settings: Settings = app.config["HUB_SETTINGS"]
        self.engine = _own_engine(settings)
        self.scanner = _own_scanner(settings)
        # without a second place there is no copy to tell of, and without a scanner no scan
        left_out = set() if settings.archived else {"archive"}
        left_out |= set() if self.scanner is not None else {"scanner", "scans"}
        self.names = [name for name in WORDS if name not in left_out]
        self.asks: dict[str, tuple[Callable[[], Mapping[str, str]], Mapping[str, str]]] = {
            "database": (self._ask_database, _NO_DATABASE),
            "store": (self._ask_store, {"object_store": DOWN}),
        }
        if self.scanner is not None:
            self.asks["scanner"] = (partial(_ask_scanner, self.scanner), {"scanner": DOWN})
        self.questions: dict[str, _Question] = {}

    def parts(self, answers: Mapping[str, str] | None = None) -> dict[str, str]:
        """The state of each part that there is here."""
        found = self.answers() if answers is None else answers
        return {name: found.get(name, DOWN) for name in self.names}

    def answers(self) -> dict[str, str]:
        """Whatever was found in time, states and numbers."""
        until = time.monotonic() + DEADLINE_SECONDS
        with self.lock:
            for name, (ask, unanswered) in self.asks.items():
                if name not in self.questions or self.questions[name].stale:
                    self.questions[name] = _Question(ask, unanswered).start()
            asked = list(self.questions.values())
        found: dict[str, str] = {}
        for question in asked:
            question.done.wait(max(0.0, until - time.monotonic()))
            found.update(question.answer)
        return found

    def _ask_database(self) -> Mapping[str, str]:
        try:
            with self.engine.connect() as connection:
                writable, missing, next_missing, covered, beat = connection.scalars(_ASKED).one()
                copied = "archive" not in self.names or _is_copied(connection)
                waiting = connection.scalar(sa.select(sa.func.scan_backlog())) if self.scanner else 0
        except SQLAlchemyError as error:
            log.warning("health", part="database", kind=type(error).__name__)
            return _NO_DATABASE
        if missing or next_missing:
            log.error("log_partition_missing", this_month=missing > 0)
        late = STARTING if time.monotonic() - _STARTED < START_SECONDS else DOWN
        if not covered and late == DOWN:
            log.error("log_tree_behind", seconds=TREE_LAG.seconds)
        if not copied and late == DOWN:
            log.error("log_archive_behind", seconds=ARCHIVE_LAG.seconds)
        state = UP if writable and not missing and not trouble.is_refusing() else DOWN
        return {
            "database": UP,
            "log": DUE if state == UP and next_missing else state,
            "tree": UP if covered else late,
            "archive": UP if copied else late,
            "worker": UP if beat else DOWN,
            "scans": DUE if waiting else UP,
            **({FILES_WAITING: str(waiting)} if self.scanner else {}),
        }

    def _ask_store(self) -> Mapping[str, str]:
        try:
            store_of(self.app).check()
        except StoreUnavailable as error:
            log.warning("health", part="object_store", kind=error.reason)
            return {"object_store": DOWN}
        return {"object_store": UP}


def _ask_scanner(scanner: Scanner) -> Mapping[str, str]:
    try:
        scanner.check()
        made_at = scanner.signatures_made_at()
    except NoVerdict as why:
        log.warning("health", part="scanner", kind=why.reason)
        return {"scanner": DOWN}
    if made_at is None:  # none but local ones: it finds next to nothing
        log.error("scanner_signatures_unknown")
        return {"scanner": DOWN}
    age = clock.now() - made_at
    if age > SIGNATURES_DUE:
        log.error("scanner_signatures_old", days=age.days)
    state = UP if age <= SIGNATURES_DUE else DUE if age <= SIGNATURES_OLD else DOWN
    return {"scanner": state, SIGNATURE_DAYS: str(max(age.days, 0))}


_ASKED = sa.select(
    sa.func.json_build_array(
        sa.func.current_setting("transaction_read_only") == "off",
        sa.func.audit.missing_partitions(0),
        sa.func.audit.missing_partitions(1),
        sa.select(sa.func.coalesce(_lag.c.oldest > sa.func.now() - TREE_LAG, True)).scalar_subquery(),
        sa.select(sa.func.max(_workers.c.last_heartbeat) > sa.func.now() - HEARTBEAT_AGE).scalar_subquery(),
        type_=sa.JSON,
    )
)


def _is_copied(connection: sa.Connection) -> bool:
    return archive_lag(connection).seconds(clock.now()) <= ARCHIVE_LAG.total_seconds()


def _own_scanner(settings: Settings) -> Scanner | None:
    if settings.clamd is None:
        return None
    seconds = SCANNER_SECONDS
    return Scanner(
        settings.clamd, max_bytes=0, connect_seconds=seconds, send_seconds=seconds, answer_seconds=seconds
    )


def _own_engine(settings: Settings) -> sa.Engine:
    """Not the pages' pool: that may be used up, and this must answer all the same."""
    return sa.create_engine(
        settings.database_url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": 2, "options": f"-c statement_timeout={_STATEMENT_MS}"},
    )


def _health_of(app: Flask) -> Health:
    with _installing:
        made: Health | None = app.extensions.get(_KEY)
        if made is None:
            made = app.extensions[_KEY] = Health(app)
    return made
