"""The domain's named failures as pages, in one place. No traceback, version or detail ever leaves.

Each page says what happened, that nothing was lost, and what to do next.
"""

from __future__ import annotations

import structlog
from flask import Flask, g, make_response, render_template, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from hub.core.errors import Conflict, Denied, HubError, Invalid, NotVisible, Unavailable
from hub.extensions import db

log = structlog.get_logger("hub.web")
STATUS: dict[type[HubError], int] = {
    NotVisible: 404,
    Denied: 403,
    Conflict: 409,
    Invalid: 422,
    Unavailable: 503,
}
# these speak of an act on something that the user has in hand
LEADS_BACK = (403, 409)
# the database's wall refused what the code let through: no harm was done, and the log line above calls for a look
REFUSED_BY_WALL = "42501"
# a database that only reads: a standby that has taken over, or a server that protects itself
READ_ONLY = "25006"
PARTICULAR = {
    "not_signed_in": 401,
    "bad_form_token": 400,
    "foreign_form": 400,
    "bad_address": 400,
    "unexpected_file": 400,
    "too_large": 413,
    "too_often": 429,
    "key_destroyed": 410,
}


def install(app: Flask) -> None:
    app.register_error_handler(HubError, _domain)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _crowded)
    app.register_error_handler(Exception, _last_resort)


def status_of(error: HubError) -> int:
    if error.code in PARTICULAR:
        return PARTICULAR[error.code]
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def _domain(error: HubError) -> Response:
    _leave()
    status = status_of(error)
    happened = None if isinstance(error, NotVisible) else error.message
    return _page(status, happened)


def _stale(_error: StaleDataError) -> Response:
    _leave()
    return _page(409)


def _http(error: HTTPException) -> Response:
    _leave()
    if error.code is not None and 300 <= error.code < 400:
        return error.get_response()
    response = _page(error.code or 500)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _database(error: DBAPIError) -> Response:
    _leave()
    gone = (
        isinstance(error, OperationalError)
        or error.connection_invalidated
        or getattr(error.orig, "sqlstate", None) == READ_ONLY
    )
    # the statement and its values may hold personal data: only the kind of failure is logged
    log.error(
        "database", kind=type(error.orig).__name__, request=g.get("request_id"), endpoint=request.endpoint
    )
    if getattr(error.orig, "sqlstate", None) == REFUSED_BY_WALL:
        return _page(403)
    return _page(503 if gone else 500)


def _crowded(_error: PoolTimeout) -> Response:
    """Every connection is taken, and was for as long as we wait."""
    _leave()
    log.error("database", kind="no free connection", request=g.get("request_id"), endpoint=request.endpoint)
    return _page(503)


def _last_resort(error: Exception) -> Response:
    _leave()
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{where.tb_lineno}" if where else "?"
    log.error(
        "unexpected",
        kind=type(error).__name__,
        at=place,
        request=g.get("request_id"),
        endpoint=request.endpoint,
    )
    return _page(500)


def _leave() -> None:
    try:
        db.session.rollback()
    except DBAPIError:
        db.session.remove()


def _page(status: int, happened: str | None = None) -> Response:
    g.failed = True
    try:
        body = render_template(
            "errors/error.html",
            status=status,
            happened=happened,
            reference=g.get("request_id"),
            # a hidden page leads nowhere in particular
            back=g.get("back_to") if status in LEADS_BACK else None,
            retry_after=g.get("retry_after"),
        )
    except DBAPIError:
        body = "<!doctype html><title>Not available</title><p>The service is not available. Nothing was lost."
    response = make_response(body, status)
    if g.get("retry_after"):
        response.headers["Retry-After"] = str(g.retry_after)
    return response
