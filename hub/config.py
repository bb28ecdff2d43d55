"""Settings: everything the service is told by its environment, read once and never guessed.

Secrets have no fallback. A missing or malformed variable ends the process with one sentence that names it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from hub import __version__

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8480
DEFAULT_VAR = "var"
ROOT_KEY_BYTES = 32
KEEPERS = ("HUB_ROOT_KEY_FILE", "HUB_KMS_KEY", "HUB_TRANSIT_URL")
SECRET_KEY_CHARACTERS = 32
DEFAULT_UPLOAD_MIB = 100
LARGEST_UPLOAD_MIB = 4096
DEFAULT_CLAMD_MAX_MIB = 100
# clamd itself can't scan a larger one
LARGEST_CLAMD_MIB = 2047
ARCHIVE_DAYS = 2557  # seven years
ARCHIVE_PARTIAL_DAYS = 7
ARCHIVE_ONLINE_MONTHS = 24

_SCHEME = "postgresql+psycopg://"
_CLAMD = re.compile(r"unix:/\S+|tcp:(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True)
class DatabaseRole:
    """By which role of the database a process signs in, and the variable that names its address."""

    name: str
    variable: str


APP = DatabaseRole("hub_app", "HUB_DATABASE_URL")
WORKER = DatabaseRole("hub_worker", "HUB_WORKER_DATABASE_URL")
CLI = DatabaseRole("hub_cli", "HUB_CLI_DATABASE_URL")
LOADER = DatabaseRole("hub_loader", "HUB_LOADER_DATABASE_URL")


@dataclass(frozen=True, kw_only=True)
class KmsSettings:
    """A root key in a key management service. Without keys of its own it takes those that the machine's account has."""

    key: str
    region: str
    endpoint: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class TransitSettings:
    """A root key in the transit engine of Vault or OpenBao, signed in by a token's file or as an AppRole."""

    url: str
    key: str
    mount: str = "transit"
    namespace: str = ""
    token_file: Path | None = None
    role_id: str = ""
    secret_id_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one process of the service runs with."""

    var: Path
    host: str
    port: int
    demo: bool
    public_url: str
    build: str
    s3_endpoint: str
    s3_bucket: str
    s3_region: str
    root_key_file: Path | None
    database_url: str = field(repr=False)
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    kms: KmsSettings | None = None
    transit: TransitSettings | None = None
    # Only commands that change the schema are given the owner's address; web and worker run without it.
    owner_database_url: str | None = field(default=None, repr=False)
    smtp_url: str | None = field(default=None, repr=False)
    # the largest file that may be attached
    upload_mib: int = DEFAULT_UPLOAD_MIB
    # the malware scanner, `unix:/path` or `tcp:host:port`; only a demonstration may be without
    clamd: str | None = None
    # the largest file whose scan is trusted
    clamd_max_mib: int = DEFAULT_CLAMD_MAX_MIB
    # whether the log has a second place, and so a copy that may lag behind
    archived: bool = False
    # whose word about their clients is taken
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    # where weaknesses are reported, and until when that is sure to be right
    security_contact: str = ""
    security_expires: date | None = None

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, *, role: DatabaseRole = APP
    ) -> Self:
        """Read the HUB_… variables; SystemExit names every one that is missing.

        A process that is no page takes the address of its own role, or a HUB_DATABASE_URL that is given to it alone.
        """
        read = _Reader(os.environ if environment is None else environment)
        host = read.text("HUB_HOST", DEFAULT_HOST)
        port = read.port("HUB_PORT", DEFAULT_PORT)
        demo = read.switch("HUB_DEMO")
        root_key_file, kms, transit = _keeper(read, demo=demo)
        settings = cls(
            var=read.var(),
            host=host,
            port=port,
            demo=demo,
            public_url=read.text("HUB_PUBLIC_URL", f"http://{host}:{port}").rstrip("/"),
            build=read.text("HUB_BUILD", __version__),
            s3_endpoint=read.required("HUB_S3_ENDPOINT"),
            s3_bucket=read.required("HUB_S3_BUCKET"),
            s3_region=read.text("HUB_S3_REGION", "us-east-1"),
            root_key_file=root_key_file,
            kms=kms,
            transit=transit,
            database_url=read.role_url(role),
            s3_access_key=read.required("HUB_S3_ACCESS_KEY"),
            s3_secret_key=read.required("HUB_S3_SECRET_KEY"),
            secret_key=read.required("HUB_SECRET_KEY", at_least=SECRET_KEY_CHARACTERS),
            owner_database_url=read.database_url("HUB_OWNER_DATABASE_URL"),
            smtp_url=read.text("HUB_SMTP_URL", "") or None,
            upload_mib=read.number("HUB_UPLOAD_MIB", DEFAULT_UPLOAD_MIB, LARGEST_UPLOAD_MIB),
            clamd=read.clamd("HUB_CLAMD"),
            clamd_max_mib=read.number("HUB_CLAMD_MAX_MIB", DEFAULT_CLAMD_MAX_MIB, LARGEST_CLAMD_MIB),
            archived=bool(read.text("HUB_ARCHIVE_BUCKET", "")),
            trusted_proxies=read.networks("HUB_TRUSTED_PROXY"),
            security_contact=read.contact("HUB_SECURITY_CONTACT"),
            security_expires=read.day("HUB_SECURITY_EXPIRES"),
        )
        if settings.clamd is None and not settings.demo:
            read.faults.append(
                "HUB_CLAMD is not set: outside a demonstration no file is given back before it was scanned for malware."
            )
        read.refuse_if_wrong()
        return settings

    @property
    def bound_to_loopback(self) -> bool:
        return bound_to_loopback(self.host)

    def required_owner_database_url(self) -> str:
        """The schema owner's address, for the commands that cannot work without it."""
        if self.owner_database_url is None:
            raise SystemExit(
                "HUB_OWNER_DATABASE_URL is not set: this command works as the owner of the schema."
            )
        return self.owner_database_url


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings:
    """The log's second place: a bucket under Object Lock, best in another account than the files."""

    s3_endpoint: str
    s3_bucket: str
    s3_region: str
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    # how long a copy can't be deleted by anybody
    days: int = ARCHIVE_DAYS
    # the same for what the next copy replaces: bundles and tiles that are not full yet
    partial_days: int = ARCHIVE_PARTIAL_DAYS
    # how long a month stays in the database
    online_months: int = ARCHIVE_ONLINE_MONTHS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self | None:
        """None where no bucket is named. What is not given is the same as for the files."""
        read = _Reader(os.environ if environment is None else environment)
        bucket = read.text("HUB_ARCHIVE_BUCKET", "")
        if not bucket:
            return None
        keys = ("HUB_ARCHIVE_ACCESS_KEY", "HUB_ARCHIVE_SECRET_KEY")
        if len([name for name in keys if read.text(name, "")]) == 1:
            read.faults.append(f"{' and '.join(keys)} belong together: give both, or neither.")
        settings = cls(
            s3_bucket=bucket,
            s3_endpoint=read.text("HUB_ARCHIVE_ENDPOINT", "") or read.required("HUB_S3_ENDPOINT"),
            s3_region=read.text("HUB_ARCHIVE_REGION", "") or read.text("HUB_S3_REGION", "us-east-1"),
            s3_access_key=read.text("HUB_ARCHIVE_ACCESS_KEY", "") or read.required("HUB_S3_ACCESS_KEY"),
            s3_secret_key=read.text("HUB_ARCHIVE_SECRET_KEY", "") or read.required("HUB_S3_SECRET_KEY"),
            days=read.number("HUB_ARCHIVE_DAYS", ARCHIVE_DAYS, 36_500),
            partial_days=read.number("HUB_ARCHIVE_PARTIAL_DAYS", ARCHIVE_PARTIAL_DAYS, 365),
            online_months=read.number("HUB_ARCHIVE_ONLINE_MONTHS", ARCHIVE_ONLINE_MONTHS, 1_200),
        )
        read.refuse_if_wrong()
        return settings


def _keeper(read: _Reader, *, demo: bool) -> tuple[Path | None, KmsSettings | None, TransitSettings | None]:
    """Where the root key is kept: exactly one place, and a file for demonstrations only."""
    file, kms, transit = (read.text(name, "") for name in KEEPERS)
    if len([one for one in (file, kms, transit) if one]) > 1:
        read.faults.append(f"Give one of {', '.join(KEEPERS)}, not several.")
    if not (file or kms or transit):
        read.required(KEEPERS[0] if demo else " or ".join(KEEPERS[1:]))
    if file and not demo:
        read.faults.append(
            "HUB_ROOT_KEY_FILE is for demonstrations only: keep the root key in a key management service (HUB_KMS_KEY)"
            " or in Vault or OpenBao (HUB_TRANSIT_URL)."
        )
    return (
        Path(file) if file else None,
        _kms(read, kms) if kms else None,
        _transit(read, transit) if transit else None,
    )


def _kms(read: _Reader, key: str) -> KmsSettings:
    if not key.startswith("alias/"):
        read.faults.append(
            "HUB_KMS_KEY is not an alias (alias/…): the key behind it changes when it is turned."
        )
    return KmsSettings(
        key=key,
        region=read.required("HUB_KMS_REGION"),
        endpoint=read.private_url("HUB_KMS_ENDPOINT"),
        access_key=read.text("HUB_KMS_ACCESS_KEY", ""),
        secret_key=read.text("HUB_KMS_SECRET_KEY", ""),
    )


def _transit(read: _Reader, url: str) -> TransitSettings:
    token_file, role_id = read.path("HUB_TRANSIT_TOKEN_FILE"), read.text("HUB_TRANSIT_ROLE_ID", "")
    secret_id_file = read.path("HUB_TRANSIT_SECRET_ID_FILE")
    if (token_file is None) == (not role_id) or bool(role_id) != (secret_id_file is not None):
        read.faults.append(
            "Give HUB_TRANSIT_TOKEN_FILE, or HUB_TRANSIT_ROLE_ID with HUB_TRANSIT_SECRET_ID_FILE, and not both."
        )
    return TransitSettings(
        url=read.private_url("HUB_TRANSIT_URL"),
        key=read.required("HUB_TRANSIT_KEY"),
        mount=read.text("HUB_TRANSIT_MOUNT", "transit"),
        namespace=read.text("HUB_TRANSIT_NAMESPACE", ""),
        token_file=token_file,
        role_id=role_id,
        secret_id_file=secret_id_file,
        ca_file=read.path("HUB_TRANSIT_CA_FILE"),
    )


def bound_to_loopback(host: str) -> bool:
    """True when only this machine can connect. Any name but localhost counts as reachable from outside."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _user_of(url: str) -> str:
    """The role that an address signs in as."""
    found = re.match(r"[a-z+]+://([^:@/?]*)(?::[^@/]*)?@", url)
    return unquote(found.group(1)) if found else ""


class _Reader:
    """Collects every fault before it refuses, so that one start shows them all."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.missing: list[str] = []
        self.faults: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self.environment.get(name, "").strip() or default

    def required(self, name: str, *, at_least: int = 1) -> str:
        value = self.environment.get(name, "").strip()
        if not value:
            if name not in self.missing:
                self.missing.append(name)
        elif len(value) < at_least:
            self.faults.append(f"{name} is shorter than {at_least} characters.")
        return value

    def path(self, name: str) -> Path | None:
        text = self.text(name, "")
        return Path(text) if text else None

    def private_url(self, name: str) -> str:
        """An address that keys travel to: over TLS, unless it is on this machine."""
        text = self.text(name, "").rstrip("/")
        parts = urlsplit(text)
        if text and not (
            parts.scheme == "https" or (parts.scheme == "http" and bound_to_loopback(parts.hostname or ""))
        ):
            self.faults.append(f"{name} does not start with https://.")
        return text

    def var(self) -> Path:
        return Path(self.text("HUB_VAR", DEFAULT_VAR)).resolve()

    def port(self, name: str, default: int) -> int:
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
            return int(text)
        self.faults.append(f"{name} is not a port number from 1 to 65535.")
        return default

    def number(self, name: str, default: int, most: int) -> int:
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
            return int(text)
        self.faults.append(f"{name} is not a number from 1 to {most}.")
        return default

    def switch(self, name: str) -> bool:
        text = self.text(name, "").lower()
        if text not in _YES | _NO:
            self.faults.append(f"{name} is neither 1 nor 0.")
        return text in _YES

    def networks(self, name: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Addresses or networks with commas between them."""
        found = []
        for part in filter(None, (one.strip() for one in self.text(name, "").split(","))):
            try:
                found.append(ipaddress.ip_network(part))
            except ValueError:
                self.faults.append(f"{name} holds {part}, which is neither an address nor a network.")
        return tuple(found)

    def contact(self, name: str) -> str:
        value = self.text(name, "")
        if value and not (value.startswith(("mailto:", "https://")) and value.isprintable()):
            self.faults.append(f"{name} starts neither with mailto: nor with https://.")
        return value

    def day(self, name: str) -> date | None:
        text = self.text(name, "")
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.faults.append(f"{name} is not a day such as 2027-05-31.")
            return None

    def database_url(self, name: str) -> str | None:
        value = self.text(name, "")
        if value and not value.startswith(_SCHEME):
            self.faults.append(f"{name} does not start with {_SCHEME}.")
        return value or None

    def role_url(self, role: DatabaseRole) -> str:
        """Never another role's: its sessions would be refused by the database one by one."""
        given = role.variable if self.text(role.variable, "") else APP.variable
        value = self.database_url(given)
        if value is None:
            return self.required(role.variable)
        if value.startswith(_SCHEME) and _user_of(value) != role.name:
            if given == role.variable:
                self.faults.append(f"{given} does not sign in as the role {role.name}.")
            else:
                self.required(role.variable)
        return value

    def clamd(self, name: str) -> str | None:
        value = self.text(name, "")
        found = _CLAMD.fullmatch(value)
        if value and (found is None or int(found.group(1) or 1) not in range(1, 65536)):
            self.faults.append(f"{name} is neither unix:/path nor tcp:host:port.")
        return value or None

    def refuse_if_wrong(self) -> None:
        lines = list(self.faults)
        if self.missing:
            verb = "is" if len(self.missing) == 1 else "are"
            lines.insert(0, f"{', '.join(self.missing)} {verb} not set.")
        if lines:
            raise SystemExit("The settings are not complete. " + " ".join(lines))
