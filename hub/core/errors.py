"""The few named failures of the domain. They know nothing of HTTP; `hub.web.failures` maps them in one place."""

from __future__ import annotations

from collections.abc import Mapping


class HubError(Exception):
    """A failure with a stable code (for tests and logs) and a sentence that a user may read."""

    default = "Something went wrong. Nothing was saved."

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code = code
        self.message = message or self.default
        super().__init__(f"{code}: {self.message}")


class NotVisible(HubError):
    """Hidden and absent alike: the reader learns nothing about which it is."""

    default = "There is nothing at this address, or it is not shared with you."

    def __init__(self, code: str = "not_visible", message: str | None = None) -> None:
        super().__init__(code, message)


class Denied(HubError):
    """*Who* may: this actor may not do this act."""

    default = "You do not have permission to do this."


class Conflict(HubError):
    """*In what state*: the act is not possible now, or somebody else was first."""

    default = "This has changed since you opened it. Your text is kept: compare, then save again."


class Invalid(HubError):
    """The input is wrong. `errors` maps a field's name to the sentence shown beside it."""

    default = "There is a problem with what was entered. Nothing was saved."

    def __init__(
        self, code: str, message: str | None = None, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code, message)
        self.errors = dict(errors or {})


class Unavailable(HubError):
    """A part that the act needs (database, object store, log) does not answer."""

    default = "Part of the service is not available. Nothing was lost. Try again in a minute."
