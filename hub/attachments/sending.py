"""A download over HTTP: what a request asks of a file, and its answer."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from hub.attachments.naming import disposition
from hub.attachments.ranges import WHOLE, Asked
from hub.attachments.releasing import OpenedAttachment

SANDBOX = "sandbox; default-src 'none'"


def asked() -> Asked:
    """The part of a file that this request asks for. A range has a meaning for GET only."""
    if request.environ["REQUEST_METHOD"] != "GET":
        return WHOLE
    return Asked(request.headers.get("Range", ""), request.headers.get("If-Range", "").strip())


def as_download(found: OpenedAttachment) -> Response:
    """A file, or a part of it, on its way out: saved, never shown in place, and never run."""
    meta, span = found.meta, found.span
    if span is None:
        response = Response("There is no such part of this file.", 416, content_type="text/plain")
        response.headers["Content-Range"] = f"bytes */{meta.size}"
        return response
    response = Response(found.blocks, mimetype=None, content_type=meta.media_type)
    if span.part:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {span.first}-{span.beyond - 1}/{meta.size}"
    response.headers["Content-Length"] = str(span.size)
    response.headers["Content-Disposition"] = disposition(meta.name)
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = meta.tag
    return response
