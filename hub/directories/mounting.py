"""Where SCIM stands beside the pages. What answers there is loaded when the first request comes: it takes a process longer than
all the pages together, and most never need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

MOUNT, VERSION = "/scim", "/v2"
SERVING = "hub.directories.serving"


def install(app: Flask) -> None:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answered: Iterable[bytes] = import_module(SERVING).answer(app, environ, start_response)
        return answered

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {MOUNT: answer})  # type: ignore[method-assign]


def address(public_url: str) -> str:
    """What an administrator copies into the directory."""
    return f"{public_url.rstrip('/')}{MOUNT}{VERSION}"
