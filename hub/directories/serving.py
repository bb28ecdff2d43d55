"""SCIM 2.0 at /scim/v2, beside the pages: no cookie counts here, and nothing is read of a request without a right token.

It is mounted beside the pages (`mounting`) as its methods, its errors and its way in are others. A request is one transaction, and acts as
the organisation's service account in the partnership of the token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask
from scim2_models import InvalidFilterException, InvalidSyntaxException, UnauthorizedException
from scim2_server.applications.base import BaseApplication
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService

from hub.access.actor import NOBODY, RequestFacts, Source
from hub.access.guard import enter
from hub.accounts.service import acting_for
from hub.core import clock
from hub.core.ids import new_id
from hub.crypto import keyring
from hub.directories.failing import Last, TooLarge, TooMany
from hub.directories.models import Directory
from hub.directories.mounting import address
from hub.directories.recognising import find_directory, note_use
from hub.directories.resources import PROVIDER
from hub.directories.storage import Storage
from hub.extensions import db, live_session
from hub.web import headers
from hub.web.counting import Count, count

WINDOW = timedelta(minutes=1)
PER_TOKEN, PER_SOURCE, WRONG_PER_SOURCE = 1_200, 2_400, 30
# a team of two thousand members takes 200 KiB
MAX_BODY = 512 * 1024
MAX_FILTER, MAX_PARAMETERS = 2_000, 20
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
Environ = dict[str, Any]


class Service(ScimService):
    """The library's protocol within our bounds."""

    def max_body_size(self, request: ScimRequest) -> int | None:
        return MAX_BODY

    def read_search(self, resource_types: Any, payload: Any) -> Any:
        sought = payload.get("filter") if isinstance(payload, dict) else None
        if isinstance(sought, str) and len(sought) > MAX_FILTER:
            raise InvalidFilterException(detail=f"A filter has {MAX_FILTER} characters or fewer")
        return super().read_search(resource_types, payload)


SERVICE = Service(PROVIDER)


def answer(app: Flask, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A request as WSGI has it."""
    request_id = str(new_id())
    response = _answer(app, environ, request_id)
    response.headers |= _headers(request_id)
    body = b"" if response.body is None else json.dumps(response.body).encode()
    status = f"{response.status.value} {response.status.phrase}"
    start_response(status, [*response.headers.items(), ("Content-Length", str(len(body)))])
    return [body]


def _headers(request_id: str) -> dict[str, str]:
    return {
        **headers.FIXED,
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
        "X-Request-Id": request_id,
    }


def _answer(app: Flask, environ: Environ, request_id: str) -> ScimResponse:
    with app.app_context():
        try:
            with Last(request_id) as last:
                return _serve(app, environ, request_id)
            db.session.rollback()
            return _refusal(last)
        finally:
            live = live_session()
            live.leave()
            keyring.forget(live)


def _refusal(last: Last) -> ScimResponse:
    error = last.failure or UnauthorizedException()
    response = SERVICE.error_response(error)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.wait)
    return response


def _serve(app: Flask, environ: Environ, request_id: str) -> ScimResponse:
    settings = app.config["HUB_SETTINGS"]
    enter(db.session(), NOBODY)
    directory = _recognised(environ)
    facts = RequestFacts(
        ip=environ.get("REMOTE_ADDR"),
        request_id=request_id,
        user_agent_hash=hashlib.sha256(
            str(environ.get("HTTP_USER_AGENT", "")).encode("utf-8", "replace")
        ).hexdigest()[:32],
        build=str(settings.build),
    )
    request = _read(environ, address(settings.public_url))
    with acting_for(
        directory.organisation_id,
        source=Source.DIRECTORY,
        partnership_id=directory.partnership_id,
        request=facts,
    ) as actor:
        response = ScimHandler(SERVICE, Storage(actor)).handle(request)
        db.session.commit()
    return response


def _recognised(environ: Environ) -> Directory:
    """The directory whose token came. Counts every request, by its source first. Commits."""
    source = environ.get("REMOTE_ADDR")
    _bound(count(f"scim:source:{source}", WINDOW), PER_SOURCE)
    directory = find_directory(str(environ.get("HTTP_AUTHORIZATION", "")))
    if directory is None:
        _bound(count(f"scim:wrong:{source}", WINDOW), WRONG_PER_SOURCE)
        db.session.commit()
        raise UnauthorizedException(detail="There is no right token with this request")
    _bound(count(f"scim:token:{directory.id}", WINDOW), PER_TOKEN)
    note_use(directory)
    db.session.commit()
    return directory


def _bound(reached: Count, most: int) -> None:
    if reached.tries > most:
        db.session.commit()
        raise TooMany(max(1, round((reached.until - clock.now()).total_seconds())))


def _read(environ: Environ, base: str) -> ScimRequest:
    """The request as the library reads one. Raises what a directory is told of a body that is too large or no text."""
    path = str(environ.get("PATH_INFO", ""))
    try:
        pairs = parse_qsl(
            str(environ.get("QUERY_STRING", "")), keep_blank_values=True, max_num_fields=MAX_PARAMETERS
        )
        path = path.encode("latin-1").decode("utf-8")
    except ValueError as error:
        raise InvalidSyntaxException(detail="This address is not complete") from error
    if "\0" in path or any("\0" in part for pair in pairs for part in pair):
        raise InvalidSyntaxException(detail="This address is not complete")
    given = {
        name.removeprefix("HTTP_").replace("_", "-"): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        given["Content-Type"] = str(environ["CONTENT_TYPE"])
    return ScimRequest(
        method=str(environ["REQUEST_METHOD"]),
        base_url=base,
        path=BaseApplication.split_path(path),
        query=dict(pairs),
        headers=given,
        body=_body(environ),
    )


def _body(environ: Environ) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length.isdecimal() and len(length) < 12:
        size = int(length)
    elif environ.get("wsgi.input_terminated") and not length:
        size = MAX_BODY + 1
    else:
        size = 0
    if size > MAX_BODY and length:
        raise TooLarge
    body: bytes = environ["wsgi.input"].read(size) if size else b""
    if len(body) > MAX_BODY:
        raise TooLarge
    return body
