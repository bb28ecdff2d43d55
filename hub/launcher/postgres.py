"""A PostgreSQL server of our own under `var/`: made once, started, found again after a crash, stopped."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from hub.launcher import postgres_binaries, postgres_roles
from hub.launcher.console import tell
from hub.launcher.ports import LOOPBACK, Ports
from hub.launcher.postgres_roles import SUPERUSER
from hub.launcher.processes import Child, Program, end_left_over, wait_until
from hub.launcher.secrets import Secrets
from hub.launcher.unprivileged import database_account, database_directory

_START_SECONDS = 5.0  # then say that it takes longer: it replays its log after a crash
_PATIENCE_SECONDS = 300.0
_TRIES = 5
_PORT_TAKEN = "could not bind"
_READY_LINE = 7  # of postmaster.pid

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # An error's detail and statement can quote a person's data: the client is told, the log file is not.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
_TEST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class PostgresAddress:
    """SQLAlchemy addresses of each role, and of the superuser (database postgres)."""

    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    worker_url: str = field(repr=False)
    cli_url: str = field(repr=False)
    loader_url: str = field(repr=False)
    sequencer_url: str = field(repr=False)
    superuser_url: str = field(repr=False)


class Postgres:
    """The server of one `var`. The caller sees to it that nobody else starts it at the same time."""

    def __init__(self, var: Path, *, test: bool | None = None) -> None:
        self.var = var.resolve()
        self.test = os.environ.get("HUB_TEST") == "1" if test is None else test
        self.log = self.var / "log" / "postgres.log"
        self.secrets = Secrets(self.var)
        self.ports = Ports(self.var)
        self.child: Child | None = None
        self.address: PostgresAddress | None = None
        self.var.mkdir(parents=True, exist_ok=True)
        self.directory = database_directory(self.var)
        self.data = self.directory / "data"
        self.account = database_account(self.data)

    def start(self) -> PostgresAddress:
        """Start and wait; the first time make the cluster, its roles and the database."""
        self.launch()
        return self.ready()

    def launch(self) -> None:
        """Start without waiting, so that something else can start meanwhile."""
        chosen = postgres_binaries.choose(os.environ.get("HUB_POSTGRES", ""), made_by=self._made_by())
        self.binaries = postgres_binaries.within_reach(chosen, self.account, self.directory)
        if not self.data.exists():
            self._make_cluster()
        if end_left_over(self.data, ask=signal.SIGINT, grace_seconds=20):
            tell("PostgreSQL was still running from an earlier start that was killed: stopped it.")
        # We alone work here, so a note of an earlier server is stale whatever process has its number today.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.port = self.ports.claim("postgres")
        self._spawn()

    def ready(self) -> PostgresAddress:
        """Wait until it takes connections."""
        words = ""
        for _ in range(_TRIES):
            if self._answers():
                self.address = address = self._address()
                postgres_roles.provide(address.superuser_url, self.directory, self._passwords())
                return address
            words = self._running().last_words()
            if _PORT_TAKEN not in words:
                break
            self.port = self.ports.claim("postgres", renew=True)
            self._spawn()
        raise SystemExit(f"PostgreSQL did not start; {self.log} ends:\n{words}")

    def stop(self) -> None:
        """Disconnect everybody and stop cleanly."""
        if self.child is not None:
            self.child.stop()
            self.child = None
            end_left_over(self.data, ask=signal.SIGQUIT, grace_seconds=5)

    def destroy(self) -> None:
        """Stop, and remove the whole cluster. For throw-away servers."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self) -> None:
        settings = _SETTINGS | {"port": str(self.port)} | (_TEST_SETTINGS if self.test else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(
            Program(
                name="PostgreSQL",
                command=[str(self.binaries.bin / "postgres"), "-D", str(self.data), *options],
                environment=_environment(),
                directory=Path("/"),
                log=self.log,
                account=self.account,
                stop_signal=signal.SIGINT,  # its "fast" shutdown; SIGTERM would wait for every client
                orphan_signal=signal.SIGINT,
                grace_seconds=20,
            )
        )

    def _answers(self) -> bool:
        child = self._running()

        def settled() -> bool:
            return child.exit_code is not None or self._says_ready(child.pid)

        if not wait_until(settled, seconds=_START_SECONDS):
            tell("PostgreSQL is taking its time, as it does after a crash …")
            wait_until(settled, seconds=_PATIENCE_SECONDS)
        return child.exit_code is None and self._says_ready(child.pid)

    def _says_ready(self, pid: int) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _READY_LINE and lines[0] == str(pid) and lines[_READY_LINE].strip() == "ready"

    def _running(self) -> Child:
        if self.child is None:
            raise RuntimeError("launch() comes first")
        return self.child

    def _made_by(self) -> int | None:
        version = self.data / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None

    def _make_cluster(self) -> None:
        tell("Making the database (once) …")
        draft, password = self.directory / "data.new", self.directory / "password.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password.write_text("")
        password.chmod(0o600)
        password.write_text(self.secrets.token(SUPERUSER))
        if self.account:
            for path in (draft, password):
                os.chown(path, self.account.uid, self.account.gid)
        try:
            self._initdb(draft, password)
        finally:
            password.unlink()
        draft.rename(self.data)

    def _initdb(self, target: Path, password: Path) -> None:
        command = [
            str(self.binaries.bin / "initdb"),
            "-D",
            str(target),
            "-U",
            SUPERUSER,
            "--pwfile",
            str(password),
        ]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=libc", "--locale=C.UTF-8"]
        answer = subprocess.run(
            [*command, *(["--no-sync"] if self.test else [])],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )
        if answer.returncode != 0:
            raise SystemExit(
                f"The database could not be made: {(answer.stderr or answer.stdout).strip()[-800:]}"
            )

    def _passwords(self) -> postgres_roles.Passwords:
        return postgres_roles.Passwords(
            owner=self.secrets.token(postgres_roles.OWNER),
            app=self.secrets.token(postgres_roles.APP),
            worker=self.secrets.token(postgres_roles.WORKER),
            cli=self.secrets.token(postgres_roles.CLI),
            loader=self.secrets.token(postgres_roles.LOADER),
            sequencer=self.secrets.token(postgres_roles.SEQUENCER),
        )

    def _address(self) -> PostgresAddress:
        passwords, superuser = self._passwords(), self.secrets.token(SUPERUSER)
        place = f"{LOOPBACK}:{self.port}"

        def url(role: str, password: str) -> str:
            return f"postgresql+psycopg://{role}:{password}@{place}/{postgres_roles.DATABASE}"

        return PostgresAddress(
            owner_url=url(postgres_roles.OWNER, passwords.owner),
            app_url=url(postgres_roles.APP, passwords.app),
            worker_url=url(postgres_roles.WORKER, passwords.worker),
            cli_url=url(postgres_roles.CLI, passwords.cli),
            loader_url=url(postgres_roles.LOADER, passwords.loader),
            sequencer_url=url(postgres_roles.SEQUENCER, passwords.sequencer),
            superuser_url=f"postgresql+psycopg://{SUPERUSER}:{superuser}@{place}/postgres",
        )


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
