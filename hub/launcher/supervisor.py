"""Runs the whole hub: starts servers, then schema, then web and worker; keeps them up, stops them all."""

import http.client
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from hub.config import APP, CLI, LOADER, WORKER, DatabaseRole
from hub.launcher import environment as variables
from hub.launcher import running
from hub.launcher.console import tell
from hub.launcher.objectstore import ObjectStore
from hub.launcher.partner_witness import PartnerWitness
from hub.launcher.ports import is_free
from hub.launcher.postgres import Postgres
from hub.launcher.processes import STOPPING, Child, Program, undisturbed, wait_until
from hub.launcher.watched import Watched

PROJECT = Path(__file__).resolve().parents[2]

_WEB_WORKERS = 2
_WEB_THREADS = 8
_READY_SECONDS = 60.0
_PORT_SECONDS = 5.0
_LOOK_EVERY = 0.25
_FAILURES_BEFORE_READY = 3
_SERVER_FAILURES = 5


@dataclass(frozen=True, kw_only=True)
class Options:
    var: Path
    host: str
    port: int
    demo: bool


class Supervisor:
    """From nothing to ready, then watch until told to stop."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.var = options.var.resolve()
        self.environment: dict[str, str] = {}
        self.postgres: Postgres | None = None
        self.store: ObjectStore | None = None
        self.watched: list[Watched] = []
        self.server_failures = 0

    def run(self) -> None:
        """Returns when a person or the system has told it to stop."""
        with running.locked(self.var), _interruptible():
            try:
                self._start()
                while True:
                    self._watch()
                    time.sleep(_LOOK_EVERY)
            except KeyboardInterrupt:
                tell("Stopping …")
            finally:
                _ignore_signals()
                self._stop()

    def _start(self) -> None:
        _await_port(self.options.host, self.options.port)
        self._start_servers()
        tell("Bringing the database up to date …")
        self._run_once("db", "upgrade")  # while the object store is still coming up
        if self.store:
            self.environment |= variables.for_store(self.store.ready())
            self.environment |= variables.for_archive(
                self.store.archive_address(), os.environ, demo=self.options.demo
            )
        running.remember(self.var, self.environment)
        self._begin(self._web(), self._worker())
        if self.options.demo:
            self._load_demo()  # while web and worker come up
        self._await_health()
        print(f"Hub ready on http://{self.options.host}:{self.options.port}", flush=True)
        self._begin(*self._keepers_of_the_log())
        if self.options.demo:
            self._run_once("demo", "accounts", role=CLI)

    def _start_servers(self) -> None:
        """Both start at the same time; each is skipped when the environment names another."""
        self.environment = dict(os.environ) | {
            "HUB_VAR": str(self.var),
            "HUB_HOST": self.options.host,
            "HUB_PORT": str(self.options.port),
            "HUB_DEMO": "1" if self.options.demo else "0",
        }
        if not variables.given(variables.STORE_NAMES, os.environ):
            self.store = ObjectStore(self.var)
            self.environment |= variables.for_store(self.store.launch())
        if not variables.given(variables.DATABASE_NAMES, os.environ):
            self.postgres = Postgres(self.var)
            self.postgres.launch()
        self.environment |= variables.for_secrets(self.var, os.environ, demo=self.options.demo)
        if self.postgres:
            self.environment |= variables.for_database(self.postgres.ready())

    def _run_once(self, *command: str, role: DatabaseRole | None = None) -> None:
        """A command of our own that must succeed, with its words on our output. Without a role it is told everything."""
        child = Child(
            Program(
                name=f"hub {' '.join(command)}",
                command=[sys.executable, "-m", "hub.cli", *command],
                environment=variables.for_service(self.environment, role) if role else self.environment,
                directory=PROJECT,
            )
        )
        try:
            code = child.process.wait()
        finally:
            if child.exit_code is None:
                child.stop()
        if code != 0:
            raise SystemExit(f"hub {' '.join(command)} failed, so the hub is stopped.")

    def _begin(self, *programs: Program) -> None:
        for program in programs:
            with undisturbed():
                self.watched.append(Watched(program, Child(program)))

    def _keepers_of_the_log(self) -> list[Program]:
        """The sequencer, and the demonstration's witness."""
        if not self.environment.get(variables.SEQUENCER_URL):
            tell(f"{variables.SEQUENCER_URL} is not set: nobody here puts the log into its tree.")
            return []
        if not self.environment.get(variables.ARCHIVE_BUCKET):
            tell(f"{variables.ARCHIVE_BUCKET} is not set: the log is copied to no second place.")
        programs = []
        if self.options.demo and not self.environment.get(variables.WITNESSES):
            witness = PartnerWitness(self.var, PROJECT)
            witness.prepare(variables.for_sequencer(self.environment))
            self.environment[variables.WITNESSES] = str(witness.told)
            programs.append(witness.program(self.environment))
        return [*programs, self._sequencer()]

    def _load_demo(self) -> None:
        """Once for a database of our own; one that was given is asked each time."""
        note = self.postgres.directory / "demo" if self.postgres else None
        if note is None or not note.exists():
            tell("Loading the invented partnership, if it is not there yet …")
            self._run_once("demo", "load", role=LOADER)
        if note is not None:
            note.touch()

    def _web(self) -> Program:
        options = [
            f"--bind={_bind(self.options.host, self.options.port)}",
            f"--workers={_WEB_WORKERS}",
            "--worker-class=gthread",
            f"--threads={_WEB_THREADS}",
            "--timeout=60",
            "--graceful-timeout=8",
            "--no-control-socket",
            *(["--worker-tmp-dir=/dev/shm"] if os.access("/dev/shm", os.W_OK) else []),
        ]
        # No access log: its lines would carry what people searched for.
        return self._service("web", ["-m", "gunicorn", *options, "hub.app:create_app()"], APP)

    def _worker(self) -> Program:
        return self._service("worker", ["-m", "hub.cli", "worker"], WORKER)

    def _sequencer(self) -> Program:
        return self._program(
            "sequencer", ["-m", "hub.cli", "sequencer"], variables.for_sequencer(self.environment)
        )

    def _service(self, name: str, arguments: list[str], role: DatabaseRole) -> Program:
        return self._program(name, arguments, variables.for_service(self.environment, role))

    def _program(self, name: str, arguments: list[str], environment: dict[str, str]) -> Program:
        return Program(
            name=name,
            command=[sys.executable, *arguments],
            environment=environment,
            directory=PROJECT,
            log=self.var / "log" / f"{name}.log",
        )

    def _await_health(self) -> None:
        """Until the page that says so answers; a program that keeps ending before that ends the start."""

        def healthy_or_hopeless() -> bool:
            self._watch()
            return any(each.failures >= _FAILURES_BEFORE_READY for each in self.watched) or _is_healthy(
                self.options
            )

        wait_until(healthy_or_hopeless, seconds=_READY_SECONDS, every=0.05)
        for each in self.watched:
            if each.failures >= _FAILURES_BEFORE_READY:
                raise SystemExit(
                    f"{each.program.name} does not stay up; its log ends:\n{each.child.last_words()}"
                )
        if not _is_healthy(self.options):
            raise SystemExit(
                f"The hub did not become ready in {_READY_SECONDS:.0f} s; see {self.var / 'log'}."
            )

    def _watch(self) -> None:
        for server in (self.postgres, self.store):
            if server and server.child and server.child.exit_code is not None:
                self._start_again(server, server.child)
        for each in self.watched:
            each.look()

    def _start_again(self, server: Postgres | ObjectStore, ended: Child) -> None:
        tell(f"{ended.program.name} ended with code {ended.exit_code}; starting it again.")
        self.server_failures += 1
        if self.server_failures > _SERVER_FAILURES:
            raise SystemExit(f"{ended.program.name} does not stay up; see {ended.program.log}.")
        before = server.address
        if server.start() != before:
            raise SystemExit(f"{ended.program.name} had to take another port. Start the hub again.")

    def _stop(self) -> None:
        """All at once, the servers last: nobody may write any more when they stop."""
        running.forget(self.var)
        children = [each.child for each in self.watched]
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.stop()
        for server in (self.store, self.postgres):
            if server and server.child:
                server.child.ask_to_stop()
        for server in (self.postgres, self.store):
            if server:
                server.stop()


def _is_healthy(options: Options) -> bool:
    connection = http.client.HTTPConnection(_reachable(options.host), options.port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _await_port(host: str, port: int) -> None:
    """A hub that was killed a moment ago may still be leaving."""
    if not wait_until(lambda: is_free(port, host), seconds=_PORT_SECONDS, every=0.1):
        raise SystemExit(f"Port {port} on {host} is taken. Choose another with --port (make run PORT=…).")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Whatever asks us to stop arrives as KeyboardInterrupt, also in the middle of a start."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for each in STOPPING:
        signal.signal(each, stop)
    yield


def _ignore_signals() -> None:
    """Once we stop we finish stopping; every wait on that way has an end."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
