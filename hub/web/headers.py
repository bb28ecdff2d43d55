"""The headers of every answer: a strict content policy with a nonce, nothing cached, nothing framed."""

from __future__ import annotations

import re

from flask import Flask, g, request
from werkzeug.wrappers import Response

# where browsers tell of what the policy stopped
REPORTS = "/policy-reports"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'{targets}; base-uri 'none'; frame-ancestors 'none'; object-src 'none';"
    f" report-uri {REPORTS}; report-to policy"
)
FIXED = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
    "Reporting-Endpoints": f'policy="{REPORTS}"',
}
TARGETS = "form_targets"
_ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")
A_DAY = "public, max-age=86400, immutable"


def install(app: Flask) -> None:
    app.after_request(_add)


def allow_forms_to(origin: str) -> None:
    """A form of the page being made may lead to this origin too: Chromium looks at where its answer redirects to."""
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("this is not an origin")
    g.setdefault(TARGETS, set()).add(origin)


def _add(response: Response) -> Response:
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    if "Content-Security-Policy" not in response.headers:
        response.headers["Content-Security-Policy"] = POLICY.format(
            nonce=g.get("nonce", ""), targets="".join(f" {one}" for one in sorted(g.get(TARGETS, ())))
        )
    if request.endpoint == "static" and response.status_code in (200, 304):
        # modules import each other without a version: those are asked for again, and answered by their ETag
        response.headers["Cache-Control"] = A_DAY if request.args.get("v") else "no-cache"
    else:
        response.headers["Cache-Control"] = "no-store"
    if g.get("request_id"):
        response.headers["X-Request-Id"] = g.request_id
    return response
