"""Reports of browsers that the content policy stopped something: counted by kind, and nothing of a page or a person kept."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import make_response, request
from werkzeug.wrappers import Response

from hub.core.errors import Invalid
from hub.extensions import db
from hub.web.counting import count
from hub.web.headers import REPORTS
from hub.web.routes import Data, Door, Pages

MOST_BYTES = 16 * 1024
LINES_A_MINUTE = 60
DIRECTIVES = frozenset(
    {
        "default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem",
        "style-src-attr", "img-src", "font-src", "connect-src", "form-action", "base-uri", "frame-ancestors",
        "object-src", "frame-src", "media-src", "worker-src", "manifest-src",
    }
)  # fmt: skip
# what a browser names instead of an address
WORDS = frozenset({"inline", "eval", "data", "blob", "wasm-eval", "trusted-types-policy"})

pages = Pages("reports", __name__)
log = structlog.get_logger("hub.reports")


@pages.page(
    REPORTS,
    needs=Door.PUBLIC,
    event=None,
    data=Data.NONE,
    methods=("POST",),
    streams=True,
    keeps_session=False,
)
def policy_report() -> Response:
    """Takes both formats of reports. The browser sends them, so there is no form's token; nothing is changed."""
    if (request.content_length or 0) > MOST_BYTES:
        raise Invalid("too_large", "This report is too long.")
    said = _parsed(request.stream.read(MOST_BYTES))
    if said:
        seen = count("policy reports", timedelta(minutes=1)).tries
        db.session.commit()
        if seen <= LINES_A_MINUTE:
            log.warning("policy_report", directive=said[0], blocked=said[1])
    return make_response("", 204)


def _parsed(body: bytes) -> tuple[str, str] | None:
    """The directive and what kind of thing was stopped, both as codes; None for what is no report."""
    try:
        given: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    one = given[0] if isinstance(given, list) and given else given
    if not isinstance(one, dict):
        return None
    inner = one.get("csp-report") or one.get("body")
    if not isinstance(inner, dict):
        return None
    directive = str(inner.get("effective-directive") or inner.get("effectiveDirective") or "")
    blocked = str(inner.get("blocked-uri") or inner.get("blockedURL") or "")
    return directive if directive in DIRECTIVES else "other", _kind_of(blocked)


def _kind_of(blocked: str) -> str:
    if blocked in WORDS:
        return blocked
    try:
        host = urlsplit(blocked).netloc
    except ValueError:
        return "other"
    return "own" if host == request.host else "other"
