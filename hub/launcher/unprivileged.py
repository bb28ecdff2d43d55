"""The account and the directory of PostgreSQL, which refuses to run as root."""

import os
import pwd
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from hub.launcher.console import tell

_UNPRIVILEGED = "nobody"
_OUTSIDE = Path("/var/tmp")  # kept over a restart, and open to every account


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    def may_pass(self, directory: Path) -> bool:
        """Whether this account can walk through the directory and every one above it."""
        directory = directory.resolve()
        return all(self._may_enter(step) for step in (directory, *directory.parents))

    def may_run(self, program: Path) -> bool:
        return self.may_pass(program.parent) and self._may_enter(program.resolve())

    def _may_enter(self, path: Path) -> bool:
        """Directories are searched and programs run by the same permission."""
        try:
            facts = path.stat()
        except FileNotFoundError:
            return False
        if facts.st_uid == self.uid:
            return bool(facts.st_mode & stat.S_IXUSR)
        if facts.st_gid == self.gid:
            return bool(facts.st_mode & stat.S_IXGRP)
        return bool(facts.st_mode & stat.S_IXOTH)


def database_account(data: Path) -> Account | None:
    """None: run as ourselves. As root: the owner of the data there is, else the unprivileged account."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError as error:
        raise SystemExit(
            f"PostgreSQL refuses to run as root and there is no account {_UNPRIVILEGED} here. "
            "Start as an ordinary user, or give HUB_DATABASE_URL."
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)


def database_directory(var: Path) -> Path:
    """Where the database of this `var` lives: inside, unless its account cannot get there. Made if need be."""
    inside = var / "postgres"
    account = database_account(inside / "data")
    if account is None or account.may_pass(var):
        _claim(inside, account)
        return inside
    if (inside / "data").exists():
        raise SystemExit(
            f"The account that owns {inside} can no longer pass to it. "
            f"Let others pass through {var} and the directories above it (chmod o+x)."
        )
    outside = _OUTSIDE / f"hub-{_identity(var)}"
    if not outside.exists():
        tell(f"An unprivileged account cannot pass to {var}: the database is kept in {outside}.")
    _claim(outside, account)
    _refuse_a_copy(var, outside)
    return outside


def _claim(directory: Path, account: Account | None) -> None:
    """Make the directory ours alone. One that another account made in a shared place is refused."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = directory.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {
            os.geteuid(),
            account.uid if account else -1,
        }:
            raise SystemExit(
                f"{directory} belongs to another account. Start as that account, or choose another --var."
            )
        if account:
            os.chown(directory, account.uid, account.gid)
        directory.chmod(0o700)
    except PermissionError as error:
        raise SystemExit(f"{directory} cannot be used: {error.strerror}.") from error


def _identity(var: Path) -> str:
    """A name of this `var` that goes with it when it is moved."""
    path = var / "identity"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(8))
    return path.read_text().strip()


def _refuse_a_copy(var: Path, outside: Path) -> None:
    """Two copies of one `var` must not work on the one database outside it."""
    note = outside / "belongs-to"
    known = Path(note.read_text()) if note.exists() else var
    if known != var and (known / "identity").exists() and _identity(known) == _identity(var):
        raise SystemExit(f"{var} is a copy of {known}, whose database is in {outside}. Choose another --var.")
    note.write_text(str(var))
