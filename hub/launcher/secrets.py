"""Secrets of this directory: made once at random, kept in files that only their owner can read."""

import os
import secrets
from pathlib import Path

from hub.config import ROOT_KEY_BYTES

_DIRECTORY = "secrets"


class Secrets:
    """The files under `var/secrets`. Reading one makes it when it is not there yet."""

    def __init__(self, var: Path) -> None:
        self.directory = var / _DIRECTORY

    def token(self, name: str) -> str:
        """A random text that is safe inside an address."""
        return self._kept(name, secrets.token_urlsafe(32).encode()).read_text().strip()

    def key_file(self, name: str) -> Path:
        """The path of a file that holds one 32-byte key."""
        path = self._kept(name, secrets.token_bytes(ROOT_KEY_BYTES))
        if path.stat().st_size != ROOT_KEY_BYTES:
            raise SystemExit(
                f"{path} does not hold {ROOT_KEY_BYTES} bytes. Put back the key that belongs there."
            )
        return path

    def _kept(self, name: str, fresh: bytes) -> Path:
        path = self.directory / name
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                _write_once(path, fresh)
            path.chmod(0o600)
        except PermissionError as error:
            raise SystemExit(
                f"{self.directory} belongs to another account. Start as that one, or choose another --var."
            ) from error
        return path


def _write_once(path: Path, content: bytes) -> None:
    """Whole or not at all, also when the machine stops half-way; the first writer wins."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
