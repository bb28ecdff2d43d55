"""Weighty acts that ask who it is only at a certain step; the others say `fresh=True`, and the gate asks (hub/web/gate.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from hub.extensions import db
from hub.web import drafts
from hub.web.identity import current_actor, current_visit


def must_confirm() -> bool:
    """Has too long passed since this user proved who they are?"""
    visit = current_visit()
    return visit is None or not visit.is_fresh


def confirm_first(draft: str, back: str, values: Mapping[str, Any] | None = None) -> Response:
    """What was typed (the whole form, unless `values` are given) waits until the user has confirmed who they are. Commits."""
    drafts.keep(current_actor(), draft, request.form if values is None else values)
    db.session.commit()
    return redirect(url_for("accounts.confirm", next=back), 303)
