"""What went wrong as a directory is told it: an error of RFC 7644, without a trace, a name or a statement of ours."""

from __future__ import annotations

from types import TracebackType

import structlog
from scim2_models import (
    ConflictException,
    ForbiddenException,
    InvalidFilterException,
    InvalidSyntaxException,
    InvalidValueException,
    NotFoundException,
    SCIMException,
    UniquenessException,
)
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from hub.core.errors import Conflict, Denied, HubError, Invalid, NotVisible
from hub.web.failures import REFUSED_BY_WALL

log = structlog.get_logger("hub.directories")
# where it stands in a message, the library passes on what its parser says of itself
PARSER = "errors.pydantic.dev"
TAKEN = frozenset({"email_taken", "name_taken"})


class TooLarge(SCIMException):
    """The body is larger than any change needs."""

    status = 413
    _default_detail = "The request is too large"


class TooMany(SCIMException):
    """More requests than the hub takes in a minute; `wait` is in seconds."""

    status = 429
    _default_detail = "There were too many requests. Try again later"

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


class Down(SCIMException):
    """A part that the request needs does not answer."""

    status = 503
    _default_detail = "Part of the service is not available. Nothing was changed. Try again in a minute"


class Broken(SCIMException):
    """A mistake of ours."""

    status = 500
    _default_detail = "Something went wrong. Nothing was changed"


class Last:
    """The last resort: what nobody foresaw is logged by its kind and place, and told without a word of either."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.failure: SCIMException | None = None

    def __enter__(self) -> Last:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.failure = _as_told(error) or self._unforeseen(error, trace)
        return True

    def _unforeseen(self, error: Exception, trace: TracebackType | None) -> SCIMException:
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno}" if trace else "?"
        log.error("unexpected", kind=type(error).__name__, at=place, request=self.request_id)
        return Broken()


def _as_told(error: Exception) -> SCIMException | None:
    """None where it is a mistake of ours."""
    if isinstance(error, SCIMException):
        if PARSER in error.detail:
            return InvalidValueException(detail="A value is not of the kind that its attribute takes")
        return error
    if isinstance(error, HubError):
        return _of_domain(error)
    if isinstance(error, RecursionError):
        return InvalidFilterException(detail="This is nested too deeply")
    if isinstance(error, UnicodeError):
        return InvalidSyntaxException(detail="This is not text in UTF-8")
    if isinstance(error, StaleDataError):
        return ConflictException(detail="Somebody else changed this at the same time. Try again")
    if isinstance(error, IntegrityError):
        # two requests at once: the second finds what the first has just made
        return UniquenessException(detail="This value has just been taken")
    if isinstance(error, DataError):
        return InvalidValueException(detail="A value cannot be kept")
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == REFUSED_BY_WALL:
        # such as a token that ended while its request was on the way
        log.error("database", kind=type(error).__name__)
        return ForbiddenException(detail="The hub refused this. Nothing was changed")
    if isinstance(error, OperationalError | PoolTimeout) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        log.error("database", kind=type(error).__name__)
        return Down()
    return None


def _of_domain(error: HubError) -> SCIMException:
    if isinstance(error, NotVisible):
        return NotFoundException(detail="There is no such resource")
    if isinstance(error, Invalid):
        return InvalidValueException(detail=". ".join(error.errors.values()) or error.message)
    if isinstance(error, Conflict):
        kind = UniquenessException if error.code in TAKEN else ConflictException
        return kind(detail=error.message)
    return ForbiddenException(detail=error.message) if isinstance(error, Denied) else Down()
