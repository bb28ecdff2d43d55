"""Runs the worker until it is told to stop, through restarts of the database."""

from __future__ import annotations

import asyncio
import signal
from threading import Event

import procrastinate
import psycopg
import structlog
from flask import Flask
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from sqlalchemy.exc import SQLAlchemyError

from hub.core.errors import HubError
from hub.jobs.app import REGULAR, jobs_app, run_now

CONCURRENCY = 2
# the launcher gives ten seconds in all
GRACE_SECONDS = 6.0
STALLED_SECONDS = 60.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0

log = structlog.get_logger("hub.worker")
Troubles = (ConnectorException, psycopg.Error, SQLAlchemyError, HubError, OSError)


def run(app: Flask) -> None:
    """Returns when SIGTERM or SIGINT has come and what was under way has ended."""
    asyncio.run(_Worker(app).until_stopped())


class _Worker:
    def __init__(self, app: Flask) -> None:
        self.app = app
        self.stop = Event()
        self.stopped = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def until_stopped(self) -> None:
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self.ask_to_stop)
        log.info("worker_started")
        pause = FIRST_PAUSE
        while not self.stop.is_set():
            begun = loop.time()
            self.task = asyncio.create_task(self._work())
            try:
                await self.task
            except asyncio.CancelledError:
                if not self.stop.is_set():
                    raise
            except Troubles as error:
                log.error("worker_interrupted", kind=type(error).__name__)
            if self.stop.is_set():
                break
            # it ends by itself only when its connections broke
            pause = FIRST_PAUSE if loop.time() - begun > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
            await self._wait(pause)
        log.info("worker_stopped")

    def ask_to_stop(self) -> None:
        self.stop.set()
        self.stopped.set()
        if self.task is not None:
            self.task.cancel()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopped.wait(), seconds)
        except TimeoutError:
            pass

    async def _work(self) -> None:
        for regular in REGULAR:
            if regular.at_start:
                await asyncio.to_thread(run_now, self.app, regular, self.stop)
        jobs = jobs_app(self.app, self.stop)
        async with jobs.open_async():
            await _end_stalled(jobs)
            await jobs.run_worker_async(
                name="hub",
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE_SECONDS,
                delete_jobs="successful",
            )


async def _end_stalled(jobs: procrastinate.App) -> None:
    """Jobs of a worker that was killed are ended: the clock brings the next one."""
    manager = jobs.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await manager.finish_job(job, status=Status.FAILED, delete_job=True)
        log.warning("job_stalled", name=job.task_name)
