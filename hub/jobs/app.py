"""The worker's list of jobs and their times, on PostgreSQL through procrastinate: no broker beside the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

import procrastinate
import structlog
from flask import Flask
from procrastinate import builtin_tasks
from procrastinate.job_context import JobContext
from sqlalchemy.engine import make_url

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.access_requests.jobs import remind_late
from hub.assurances.jobs import warn_of_ending as warn_of_assurances
from hub.attachments.jobs import sweep_loose, sweep_unknown
from hub.attachments.scanning import scan_pending
from hub.attestations.dormant import suspend_dormant
from hub.attestations.jobs import attest_access
from hub.casefile.jobs import tell_of_stranded_cases
from hub.config import Settings
from hub.crypto import keyring
from hub.erasures.jobs import finish_erasures
from hub.extensions import db
from hub.interests.jobs import tell_of_stopped_looks
from hub.jobs import housekeeping
from hub.jobs.warnings import warn_of_ends
from hub.joining.jobs import close_ended, warn_of_conditions
from hub.keys.jobs import look_after_keys
from hub.notifications.jobs import send_due
from hub.reviews.jobs import raise_alerts

log = structlog.get_logger("hub.worker")
KEEP_ENDED_HOURS = 72


@dataclass(frozen=True)
class Regular:
    """A job that runs by the clock. It may be run twice or by two workers at once without harm."""

    name: str
    cron: str
    run: Callable[[Event], int]
    at_start: bool = False


REGULAR = (
    # six parts: the last one is seconds
    Regular("send_mail", "* * * * * */15", send_due),
    Regular("scan_pending", "* * * * * */5", scan_pending),
    Regular("tell_of_stopped_looks", "* * * * * */15", tell_of_stopped_looks),
    Regular("ensure_partitions", "5 * * * *", housekeeping.ensure_partitions, at_start=True),
    Regular("forget_old", "20 * * * *", housekeeping.forget_old),
    Regular("raise_alerts", "*/3 * * * *", raise_alerts),
    Regular("remind_late", "*/5 * * * *", remind_late),
    Regular("warn_of_ends", "45 * * * *", warn_of_ends),
    Regular("sweep_loose", "35 * * * *", sweep_loose),
    Regular("sweep_unknown", "10 2 * * *", sweep_unknown),
    Regular("finish_erasures", "*/10 * * * *", finish_erasures),
    Regular("look_after_keys", "50 * * * *", look_after_keys),
    # daily: the list of a month is made on its first day, and closed on the day after it was due
    Regular("attest_access", "20 4 * * *", attest_access),
    Regular("suspend_dormant", "15 4 * * *", suspend_dormant),
    # hourly: the day ends at midnight in London, and their sessions with it; this closes what stands open
    Regular("close_ended", "5 * * * *", close_ended),
    Regular("warn_of_conditions", "30 4 * * *", warn_of_conditions),
    Regular("tell_of_stranded_cases", "*/10 * * * *", tell_of_stranded_cases),
    Regular("warn_of_assurances", "25 4 * * *", warn_of_assurances),
)


def jobs_app(app: Flask, stop: Event) -> procrastinate.App:
    """The jobs of one worker. `stop` is set when it is to end; long jobs look at it between two steps."""
    settings: Settings = app.config["HUB_SETTINGS"]
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo(settings.database_url), min_size=1, max_size=4
    )
    jobs = procrastinate.App(connector=connector)
    for regular in REGULAR:
        _add(jobs, app, regular, stop)

    @jobs.periodic(cron="40 3 * * *")
    @jobs.task(name="remove_old_jobs", queueing_lock="remove_old_jobs", pass_context=True)
    async def remove_old_jobs(context: JobContext, timestamp: int) -> None:
        await builtin_tasks.remove_old_jobs(
            context,
            max_hours=KEEP_ENDED_HOURS,
            remove_failed=True,
            remove_cancelled=True,
            remove_aborted=True,
        )

    return jobs


def conninfo(database_url: str) -> str:
    """SQLAlchemy's address as libpq reads it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def run_now(app: Flask, regular: Regular, stop: Event) -> int:
    """One run of a job, in an application context of its own, as nobody."""
    with app.app_context():
        enter(db.session(), NOBODY)
        try:
            done = regular.run(stop)
        finally:
            keyring.forget(db.session())
            db.session.rollback()
    if done:
        log.info("job", name=regular.name, done=done)
    return done


def _add(jobs: procrastinate.App, app: Flask, regular: Regular, stop: Event) -> None:
    @jobs.periodic(cron=regular.cron)
    @jobs.task(name=regular.name, queueing_lock=regular.name)
    def run(timestamp: int) -> None:
        run_now(app, regular, stop)
