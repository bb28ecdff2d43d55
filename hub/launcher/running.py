"""Which hub runs on a directory: one at a time, and what the commands typed beside it need to know."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(var: Path) -> Iterator[None]:
    """Only one launcher on one directory. The kernel frees the lock when its holder dies, however it dies."""
    try:
        var.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(var / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SystemExit(f"{var} cannot be written to ({error.strerror}). Choose another --var.") from error
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = file.read().strip() or "unknown"
            raise SystemExit(
                f"The hub runs on {var} already (process {holder}). Stop it, or choose another --var."
            ) from error
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def remember(var: Path, environment: Mapping[str, str]) -> None:
    """Write the HUB_… variables down for commands that a person types while the hub runs."""
    draft = var / ".environment"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({name: value for name, value in environment.items() if name.startswith("HUB_")}, file)
    draft.replace(var / "environment")


def forget(var: Path) -> None:
    (var / "environment").unlink(missing_ok=True)


def recall(var: Path) -> dict[str, str]:
    """What `remember` wrote, if the hub that wrote it still runs."""
    try:
        with (var / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            kept: dict[str, str] = json.loads((var / "environment").read_text())
        except (OSError, ValueError):
            return {}
        return kept
    except OSError:
        return {}
    return {}
