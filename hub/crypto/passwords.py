"""Passwords: argon2id, few at a time, and as slow for an unknown user as for a known one.

At 64 MiB a hash, a flood of sign-ins would take all memory: each process hashes at most two at once, others
wait a bounded time and are then told that the service is busy.

Of these two a stranger, who comes from a device that the account does not know, gets one, at a low priority, and few
strangers wait for it: a flood of wrong passwords neither takes the threads that answer everybody else nor their processor, and
leaves the other place to those who were here before.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import contextmanager
from dataclasses import dataclass

import argon2
from argon2.exceptions import HashingError, VerificationError, VerifyMismatchError

from hub.crypto.errors import Busy

AT_ONCE = 2
WAIT_SECONDS = 5.0
# one is hashed for, the others wait: each of them holds one of the threads that answer
STRANGERS = 3
# what else runs has about ten times the share; further back a stranger's turn might never come
PRIORITY_OF_STRANGERS = 10
SALT_BYTES = 16
HASH_BYTES = 32

_STORED = re.compile(
    r"\$argon2id\$v=19\$m=([1-9][0-9]{0,7}),t=([1-9][0-9]{0,3}),p=([1-9][0-9]?)"
    r"\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})"
)
_room = threading.BoundedSemaphore(AT_ONCE)
_porch = threading.BoundedSemaphore(STRANGERS)
# by process: a thread does not outlive a fork
_behind: dict[int, ThreadPoolExecutor] = {}
_making = threading.Lock()


@dataclass(frozen=True)
class Cost:
    """What one hash costs. Raising it makes `needs_rehash` true for what is stored."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 1


COST = Cost()


def hash_password(password: str, *, cost: Cost = COST) -> str:
    """The encoded hash to store. Busy when there is no room within the wait."""
    with _one_of_few():
        try:
            return _hasher(cost).hash(_bytes(password))
        except HashingError:  # no memory
            raise Busy from None


def check_room_for_strangers() -> None:
    """Busy where a stranger's password would not be looked at: it costs next to nothing to be told so early."""
    if not _porch.acquire(blocking=False):
        raise Busy
    _porch.release()


def verify_strangers_password(stored: str | None, given: str, *, cost: Cost = COST) -> bool:
    """As `verify_password`, one at a time and behind all other work. Busy at once where enough strangers wait."""
    if not _porch.acquire(blocking=False):
        raise Busy
    try:
        return _behind_all_others(lambda: verify_password(stored, given, cost=cost))
    finally:
        _porch.release()


def verify_password(stored: str | None, given: str, *, cost: Cost = COST) -> bool:
    """Whether `given` is the password. Without a usable stored hash it is False, after the same work."""
    usable = stored if stored is not None and _parameters(stored) else None
    with _one_of_few():
        try:
            _hasher(cost).verify(usable or _nobodys_hash(cost), _bytes(given))
        except VerifyMismatchError:
            return False
        except VerificationError:  # no memory
            raise Busy from None
    return usable is not None


def needs_rehash(stored: str, *, cost: Cost = COST) -> bool:
    """Whether a stored hash was made at another cost than today's."""
    return _parameters(stored) != (cost.memory_kib, cost.passes, cost.lanes)


def _behind_all_others(check: Callable[[], bool]) -> bool:
    with _making:
        pool = _behind.get(os.getpid())
        if pool is None:
            _behind.clear()
            pool = _behind[os.getpid()] = ThreadPoolExecutor(1, "strangers", _step_back)
    checking = pool.submit(check)
    try:
        return checking.result(timeout=WAIT_SECONDS)
    except TookTooLong:
        if checking.cancel():
            raise Busy from None
        # its turn has come
        return checking.result()


def _step_back() -> None:
    # elsewhere a thread has no priority of its own
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PRIORITY_OF_STRANGERS)


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _room.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _room.release()


def _hasher(cost: Cost) -> argon2.PasswordHasher:
    return argon2.PasswordHasher(
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=HASH_BYTES,
        salt_len=SALT_BYTES,
    )


def _bytes(password: str) -> bytes:
    """NFKC, as keyboards compose the same characters differently. Surrogates pass: any input is hashed."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _parameters(stored: str) -> tuple[int, int, int] | None:
    """Memory, passes and lanes of a hash in this module's own form; None for anything else."""
    found = _STORED.fullmatch(stored)
    if found is None:
        return None
    memory, passes, lanes = (int(number) for number in found.group(1, 2, 3))
    canonical = all(_without_padding(_from_base64(part)) == part for part in found.group(4, 5))
    return (memory, passes, lanes) if canonical and memory >= 8 * lanes else None


def _nobodys_hash(cost: Cost) -> str:
    """A hash that no password has: checking it costs what a real one costs, making it costs nothing."""
    salt, result = (_without_padding(secrets.token_bytes(size)) for size in (SALT_BYTES, HASH_BYTES))
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${result}"


def _without_padding(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=")


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
