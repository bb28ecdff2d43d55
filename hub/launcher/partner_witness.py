"""A partner's witness of the log, for the demonstration: a process with a key of its own, as a partner would run it elsewhere."""

import subprocess
import sys
from pathlib import Path

from hub.launcher.ports import LOOPBACK, Ports
from hub.launcher.processes import Program

NAME = "tarrow-valley-police.invalid/witness"


class PartnerWitness:
    """Its state stands under `var/witness`; what the log has to know of it in `var/sequencer/witnesses`."""

    def __init__(self, var: Path, project: Path) -> None:
        self.project = project
        self.state = var / "witness" / "state.json"
        self.told = var / "sequencer" / "witnesses"
        self.port = Ports(var).claim("witness")
        self.log = var / "log" / "witness.log"

    def prepare(self, environment: dict[str, str]) -> None:
        """Once: makes its key and trusts the log's. Each start: tells the log where it listens today."""
        if not self._key_file.exists():
            # a start that was broken off here: no log has heard of that witness
            self.state.unlink(missing_ok=True)
            self.state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.told.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = ["--state", str(self.state)]
            key = self._hub(environment, "witness", "make", *state, "--name", NAME)
            self._hub(environment, "witness", "trust", *state, self._hub(environment, "sequencer", "--key"))
            written = self._key_file.with_suffix(".new")
            written.write_text(key)
            written.replace(self._key_file)
        self.told.write_text(f"witness {self._key_file.read_text()} http://{LOOPBACK}:{self.port}\n")

    def program(self, environment: dict[str, str]) -> Program:
        serve = ["witness", "serve", "--state", str(self.state), "--host", LOOPBACK, "--port", str(self.port)]
        return Program(
            name="witness",
            command=[sys.executable, "-m", "hub.cli", *serve],
            environment={name: value for name, value in environment.items() if not name.startswith("HUB_")},
            directory=self.project,
            log=self.log,
        )

    @property
    def _key_file(self) -> Path:
        return self.state.with_name("key.pub")

    def _hub(self, environment: dict[str, str], *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli", *words],
            env=environment,
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"hub {' '.join(words[:2])} failed: {done.stderr.strip()[-300:]}")
        return done.stdout.strip().splitlines()[-1]
