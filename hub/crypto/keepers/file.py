"""The root key in a file of 32 bytes that no other user of the machine may read or change: enough to try the hub on one machine.

The file named in the settings wraps; an earlier generation lies beside it under its own name until it is ended. Only a
demonstration starts with it (`hub.config`).
"""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import datetime
from pathlib import Path

from hub.core import clock
from hub.crypto import wrapping
from hub.crypto.errors import KeyFileRefused, Unsealable
from hub.crypto.randomness import KEY_BYTES, new_key
from hub.crypto.wrapping import Ids, RootWrapped

# Everything for others, and writing for the group: a group may be how the key reaches a service's own user.
FORBIDDEN_MODE = stat.S_IRWXO | stat.S_IWGRP
NAMED = "file:"


class FileKeeper:
    """Reads the file at each use, so that every process knows the generation that wraps."""

    def __init__(self, file: Path) -> None:
        self._file = file
        _read(file)

    def generation(self) -> str:
        return _name_of(_read(self._file))

    def wrap(self, secret: bytes, *, purpose: str, ids: Ids) -> RootWrapped:
        key = _read(self._file)
        return RootWrapped(_name_of(key), wrapping.wrap(key, secret, purpose=purpose, ids=ids))

    def unwrap(self, wrapped: RootWrapped, *, purpose: str, ids: Ids) -> bytes:
        return wrapping.unwrap(self._key_of(wrapped.generation), wrapped.sealed, purpose=purpose, ids=ids)

    def turn(self) -> str:
        key = new_key()
        made = self._file.with_name(f"{self._file.name}.new")
        made.unlink(missing_ok=True)
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as opened:
            opened.write(key)
            opened.flush()
            os.fsync(descriptor)
        earlier = self._beside(self.generation())
        if not earlier.exists():
            os.link(self._file, earlier)
        made.replace(self._file)
        return _name_of(key)

    def end(self, generation: str) -> datetime:
        if generation == self.generation():
            raise ValueError("this generation of the root key wraps")
        self._beside(generation).unlink(missing_ok=True)
        return clock.now()

    def _key_of(self, generation: str) -> bytes:
        key = _read(self._file)
        # generations had no names at first: what carries none of ours is the first one's
        if not generation.startswith(NAMED) or _name_of(key) == generation:
            return key
        earlier = self._beside(generation)
        if not earlier.exists():
            raise Unsealable
        return _read(earlier)

    def _beside(self, generation: str) -> Path:
        return self._file.with_name(f"{self._file.name}.{generation.removeprefix(NAMED)}")


def _name_of(key: bytes) -> str:
    return NAMED + hashlib.sha256(b"hub/root-key-name/v1\0" + key).hexdigest()[:16]


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
