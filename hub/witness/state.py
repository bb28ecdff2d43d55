"""The witness's one file: its key, the logs that it trusts, and the newest head of each that it has cosigned.

A change is made under a lock of the file, so that threads and other processes on the same file wait, and is on the disk
before `write` returns: temporary file beside it, fsync, rename, fsync of the directory. The lock is on the file itself
(`flock`), and the new file is locked before it takes the old one's name: whoever waited for the old one sees that it is
no longer the file of that name, and begins again.

What does not read back to the byte is damaged, and is an error for ever: a witness that began afresh would forget. For the
same reason an older copy of the file must never be put back.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hub.crypto.tlog.hashing import HASH_SIZE, NotProven
from hub.crypto.tlog.notes import COSIGNATURE, ED25519, Signer, Verifier

FORMAT = "hub-witness-1"
LOCK_SECONDS = 5.0
_LOCK_STEP = 0.005


class StateError(Exception):
    """The state can't be used as it is; the text tells the operator why."""


class StateDamaged(StateError):
    """The file is not, to the byte, what was written."""


class StateBusy(StateError):
    """Somebody else held the lock for too long."""


class TrustRefused(StateError):
    """The key is none of a log's, or the origin has another one."""


@dataclass(frozen=True)
class Head:
    """The newest checkpoint cosigned: `note` carries the log's own signatures, as evidence; `at` is POSIX seconds."""

    size: int
    root: str  # base64, as in the checkpoint
    at: int
    note: str


@dataclass(frozen=True)
class Log:
    """A trusted log. The last of its keys is in force; of the first checkpoint shown nothing could be checked."""

    keys: tuple[str, ...]
    first_size: int | None = None
    first_at: int | None = None
    head: Head | None = None

    @property
    def verifier(self) -> Verifier:
        return Verifier.parse(self.keys[-1])


@dataclass(frozen=True)
class State:
    name: str
    seed: str = field(repr=False)  # hexadecimal
    logs: Mapping[str, Log] = field(default_factory=dict)

    @property
    def signer(self) -> Signer:
        return Signer.from_seed(self.name, bytes.fromhex(self.seed), COSIGNATURE)

    def with_log(self, origin: str, log: Log) -> State:
        return replace(self, logs={**self.logs, origin: log})


def written(state: State) -> bytes:
    """The bytes of the file: for each state these and no others."""
    inner = asdict(state)
    whole = {"format": FORMAT, "sha256": _digest(inner), "witness": inner}
    return (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode()


def parsed(data: bytes) -> State:
    try:
        state = _state(json.loads(data)["witness"])
        known = all(log.verifier.kind == ED25519 for log in state.logs.values())
        same = known and state.signer.name == state.name and written(state) == data  # and so is the sum
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise StateDamaged("the state file is damaged: it can't be read") from None
    if not same:
        raise StateDamaged("the state file is damaged, or of another version")
    return state


def _state(given: dict[str, Any]) -> State:
    logs = {}
    for origin, log in given["logs"].items():
        head = Head(**log["head"]) if log["head"] is not None else None
        logs[origin] = Log(**{**log, "keys": tuple(log["keys"]), "head": head})
    return State(**{**given, "logs": logs})


def _digest(inner: object) -> str:
    return hashlib.sha256(json.dumps(inner, sort_keys=True).encode()).hexdigest()


class StateFile:
    """One witness's file. `read` needs no lock: the file of that name is always whole."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._mutex = threading.Lock()

    def make(self, name: str) -> State:
        """A new witness with a key of its own. Refuses where there is a file already."""
        state = State(name, secrets.token_hex(HASH_SIZE))
        try:
            state.signer  # noqa: B018  a name that no vkey can hold is refused before anything is written
        except NotProven as error:
            raise StateError(str(error)) from None
        if not name.isprintable():
            raise StateError("the name holds a character that can't be printed")
        beside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            os.close(_put(beside, written(state)))
            os.link(beside, self.path)  # a rename would replace what is there
            _sync_directory(self.path.parent)
        except FileExistsError:
            raise StateError(f"{self.path} is there already: nothing was changed") from None
        except OSError as error:
            raise StateError(f"{self.path} can't be written: {error.strerror}") from None
        finally:
            beside.unlink(missing_ok=True)
        return state

    def read(self) -> State:
        descriptor = self._open()
        try:
            return _read(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def held(self) -> Iterator[Held]:
        """The state under its lock: nobody else reads to change it, in this process or another, until the end."""
        until = time.monotonic() + LOCK_SECONDS
        if not self._mutex.acquire(timeout=LOCK_SECONDS):
            raise StateBusy("the state file is in use")
        try:
            held = Held(self.path, self._locked(until))
            try:
                yield held
            finally:
                held.release()
        finally:
            self._mutex.release()

    def _locked(self, until: float) -> int:
        """A descriptor of the file that has this name while its lock is ours."""
        while True:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                    return descriptor
            except BlockingIOError:
                pass
            except OSError as error:
                os.close(descriptor)
                raise StateError(f"{self.path} can't be locked: {error.strerror}") from None
            os.close(descriptor)
            if time.monotonic() > until:
                raise StateBusy("the state file is in use by another process")
            time.sleep(_LOCK_STEP)

    def _open(self) -> int:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise StateError(f"{self.path} can't be read: {error.strerror}") from None
        if os.fstat(descriptor).st_mode & 0o077:
            os.close(descriptor)
            raise StateError(f"{self.path} holds a private key and is open to others: set its mode to 0600")
        return descriptor


class Held:
    """The state while its file is locked; `write` gives it a successor."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptors = [descriptor]
        try:
            self.state = _read(descriptor)
        except StateError:
            self.release()
            raise

    def write(self, state: State) -> None:
        """When this returns the state is on the disk. Where it raises, the old one or the new one is there, whole."""
        beside = self._path.with_name(
            f".{self._path.name}.new"
        )  # one name: only who holds the lock writes it
        try:
            self._descriptors.append(_put(beside, written(state)))
            os.replace(beside, self._path)
            _sync_directory(self._path.parent)
        except OSError as error:
            raise StateError(f"{self._path} can't be written: {error.strerror}") from None
        self.state = state

    def release(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())


def trust(file: StateFile, vkey: str, *, rotate: bool = False) -> tuple[str, bool]:
    """Adds a log by its key, or gives a known one a new key; its head stays. The origin, and whether anything changed."""
    try:
        key = Verifier.parse(vkey)
    except NotProven as error:
        raise TrustRefused(f"{error}.") from None
    if key.kind != ED25519 or not key.name.isprintable():
        raise TrustRefused("This is not the key of a log.")
    with file.held() as held:
        known = held.state.logs.get(key.name)
        if known is None and rotate:
            raise TrustRefused(f"{key.name} is not known here: there is no key to replace.")
        if known is not None and known.keys[-1] == str(key):
            return key.name, False
        if known is not None and not rotate:
            raise TrustRefused(
                f"{key.name} has another key. If the log itself says that it changed: --rotate"
            )
        log = replace(known, keys=(*known.keys, str(key))) if known else Log((str(key),))
        held.write(held.state.with_log(key.name, log))
        return key.name, True


def _read(descriptor: int) -> State:
    with open(descriptor, "rb", closefd=False) as source:
        return parsed(source.read())


def _put(path: Path, data: bytes) -> int:
    """Writes a file that is the owner's alone, to the disk, and gives its descriptor with the lock held."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with open(descriptor, "wb", closefd=False) as target:
            target.write(data)
        os.fsync(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
