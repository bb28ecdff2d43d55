"""The root key: wraps and opens the keys below it, and never hands itself out.

It lives in a file of 32 bytes that no other user of the machine may read or change: enough to try the hub on
one machine. A key management service would be a second body with the same two methods.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Self

from hub.config import Settings
from hub.crypto import wrapping
from hub.crypto.errors import KeyFileRefused
from hub.crypto.randomness import KEY_BYTES
from hub.crypto.wrapping import Ids

# Everything for others, and writing for the group: a group may be how the key reaches a service's own user.
FORBIDDEN_MODE = stat.S_IRWXO | stat.S_IWGRP


class RootKey:
    """Read once; what it seals is bound to a purpose and ids, as in `wrapping`."""

    def __init__(self, file: Path) -> None:
        self._key = _read(file)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(settings.root_key_file)

    def wrap(self, secret: bytes, *, purpose: str, ids: Ids) -> bytes:
        return wrapping.wrap(self._key, secret, purpose=purpose, ids=ids)

    def unwrap(self, wrapped: bytes, *, purpose: str, ids: Ids) -> bytes:
        """The secret, or Unsealable."""
        return wrapping.unwrap(self._key, wrapped, purpose=purpose, ids=ids)


def _read(file: Path) -> bytes:
    try:
        # O_NONBLOCK: a named pipe in the key's place must not hang the start
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as opened:
            _check_mode(file, os.fstat(descriptor).st_mode)
            key = opened.read(KEY_BYTES + 1)
    except (OSError, ValueError) as why:
        raise KeyFileRefused(f"The root key file {file} can't be read: {why}.") from None
    if len(key) != KEY_BYTES:
        raise KeyFileRefused(f"The root key file {file} must hold exactly {KEY_BYTES} bytes.")
    return key


def _check_mode(file: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise KeyFileRefused(f"The root key file {file} is not a file.")
    if mode & FORBIDDEN_MODE:
        raise KeyFileRefused(f"The root key file {file} is open to other users. Run: chmod 600 {file}")
