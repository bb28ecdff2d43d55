"""A program that is started again whenever it ends."""

import time
from dataclasses import dataclass, field

from hub.launcher.console import tell
from hub.launcher.processes import Child, Program

_STEADY_SECONDS = 60.0  # up for so long: the next failure is a new one
_LONGEST_WAIT = 30.0


@dataclass
class Watched:
    program: Program
    child: Child
    started: float = field(default_factory=time.monotonic)
    failures: int = 0
    due: float | None = None

    def look(self) -> None:
        """Start it again after a pause that doubles with each failure in a row."""
        now = time.monotonic()
        if self.due is not None:
            if now >= self.due:
                self.child, self.started, self.due = Child(self.program), now, None
            return
        code = self.child.exit_code
        if code is None:
            return
        self.failures = 1 if now - self.started > _STEADY_SECONDS else self.failures + 1
        pause = min(2.0 ** (self.failures - 1), _LONGEST_WAIT)
        tell(f"{self.program.name} ended with code {code}; again in {pause:.0f} s. See {self.program.log}.")
        self.due = now + pause
