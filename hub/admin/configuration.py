"""How this hub is set up, in words and numbers that are nobody's secret: for those who answer for its use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts import throttle
from hub.accounts.password_rules import MAX_PASSWORD, MIN_PASSWORD
from hub.config import Settings
from hub.crypto.keyring import EPOCH_DAYS
from hub.settings.catalogue import (
    IDLE_MINUTES,
    IDLE_MINUTES_STRICT,
    INVITATION_HOURS,
    RESET_MINUTES,
    SESSION_HOURS,
)
from hub.settings.values import Values, values_of
from hub.web.identity import FRESH


@dataclass(frozen=True)
class Setting:
    """One thing that was chosen, and what was chosen."""

    name: str
    value: str


@dataclass(frozen=True)
class Chapter:
    title: str
    settings: tuple[Setting, ...]


def list_settings(actor: Actor, settings: Settings) -> list[Chapter]:
    """What was chosen for the whole hub, chapter by chapter. No address of an inner server, no name of a key, no secret."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    return [
        Chapter("Signing in", _signing_in(values_of(actor.partnership_id))),
        Chapter("Files", _files(settings)),
        Chapter("Keys and log", _keys(settings)),
        Chapter("The web and e-mail", _web(settings)),
    ]


def _signing_in(values: Values) -> tuple[Setting, ...]:
    held = [
        Setting(one.label, one.kind.words(values[one]))
        for one in (IDLE_MINUTES, IDLE_MINUTES_STRICT, SESSION_HOURS, INVITATION_HOURS, RESET_MINUTES)
    ]
    return (
        *held,
        Setting("Asked again before something weighty after", _minutes(FRESH)),
        Setting(
            "Passwords",
            f"{MIN_PASSWORD} to {MAX_PASSWORD} characters of any kind, never to be changed on a date",
        ),
        Setting(
            "Tries to sign in",
            f"{throttle.PER_ACCOUNT} a minute for an account, {throttle.PER_SOURCE} for a network address",
        ),
    )


def _files(settings: Settings) -> tuple[Setting, ...]:
    scanner = "None: this is a demonstration, and every file says so"
    if settings.clamd is not None:
        scanner = f"ClamAV, files up to {settings.clamd_max_mib:,} MiB; larger recordings in pieces"
    return (
        Setting("Largest file", f"{settings.upload_mib:,} MiB"),
        Setting("Malware scanner", scanner),
        Setting("Stored", "Sealed with a key of its own for each version, in an S3 store"),
    )


def _keys(settings: Settings) -> tuple[Setting, ...]:
    keeper = "A key file: only a demonstration may"
    if settings.kms is not None:
        keeper = "A key management service (AWS KMS API)"
    elif settings.transit is not None:
        keeper = "The transit engine of Vault or OpenBao"
    return (
        Setting("Root key", keeper),
        Setting("A partnership’s key is turned after", f"{EPOCH_DAYS} days"),
        Setting(
            "Second place of the access log",
            "Yes, in a bucket that nobody can overwrite" if settings.archived else "None",
        ),
    )


def _web(settings: Settings) -> tuple[Setting, ...]:
    proxies = len(settings.trusted_proxies)
    return (
        Setting("Address", urlsplit(settings.public_url).netloc),
        Setting("Proxies whose word is taken", str(proxies) if proxies else "None"),
        Setting(
            "E-mail",
            "Sent through a mail server"
            if settings.smtp_url
            else "None is sent: notices are seen in the hub only",
        ),
        Setting("Weaknesses are reported to", settings.security_contact or "Nobody is named yet"),
        Setting("Version", settings.build),
    )


def _minutes(given: timedelta) -> str:
    return f"{given // timedelta(minutes=1)} minutes"
