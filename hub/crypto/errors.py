"""The failures of this package. They never say why a thing would not open: a hint helps who tampers."""

from __future__ import annotations

from hub.core.errors import Unavailable


class Unsealable(Exception):
    """Wrong key, wrong context, or changed bytes: one failure for all of them, with no detail."""

    def __init__(self) -> None:
        super().__init__("the sealed bytes do not open")


class KeyFileRefused(Exception):
    """The root key file can't be read, has the wrong size, or is open to others."""


class Busy(Unavailable):
    """As many passwords are being checked as this process allows, and none finished in time."""

    default = "The service is busy. Nothing was lost. Try again in a minute."

    def __init__(self) -> None:
        super().__init__("busy")


class KeyDestroyed(Unavailable):
    """The key was destroyed on purpose: what it sealed was erased."""

    default = "This was erased: its key has been destroyed."

    def __init__(self) -> None:
        super().__init__("key_destroyed")


class KeeperUnavailable(Unavailable):
    """The root key keeper does not answer, refuses us, or no longer has the key."""

    default = "The key keeper is not available, so no file can be opened or stored. Nothing was lost. Try again in a minute."

    def __init__(self, reason: str) -> None:
        super().__init__("keeper_unavailable")
        self.reason = reason  # for the operator's log: the keeper's own code, no key and no address
