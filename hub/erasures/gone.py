"""What stands at every address of an erased case, for whoever could read it: that it was erased, when and under what, and no more."""

from __future__ import annotations

from uuid import UUID

from flask import Flask, g, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.erasures.queries import open_gone

GONE = 410
NAMED = "case_id"


def install(app: Flask) -> None:
    """After the gate: who may not use the address at all is refused there."""
    app.before_request(_before)


def _before() -> Response | None:
    case_id = (request.view_args or {}).get(NAMED)
    actor = g.get("actor")
    if not isinstance(case_id, UUID) or actor is None or not actor.may(Permission.CASE_READ):
        return None
    gone = open_gone(actor, case_id)
    if gone is None:
        return None
    return Response(render_template("erasures/gone.html", gone=gone), GONE, mimetype="text/html")
