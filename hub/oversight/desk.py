"""The ground of the desk's pages: where they are registered, and the purpose that is stated before any of them opens."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import session
from werkzeug.wrappers import Response

from hub.audit.policy import LogPurpose
from hub.web.identity import current_visit
from hub.web.inquiry import KEPT, ask_first, stated_purpose
from hub.web.routes import Pages

pages = Pages("oversight", __name__)


def state_purpose(chosen: LogPurpose) -> None:
    visit = current_visit()
    if visit is not None:
        session[KEPT] = {"session": str(visit.session_id), "purpose": chosen.value}


def with_purpose(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view gets the stated purpose first; where none is stated, it is asked for."""

    @wraps(view)
    def asked_first(**values: Any) -> Response | Any:
        purpose = stated_purpose()
        return ask_first() if purpose is None else view(purpose, **values)

    return asked_first
