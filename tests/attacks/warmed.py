"""The site with its pages' statements made before the server forks: a new process answers at once, and can be killed again.

Imports nothing of the tests: it is what a server of its own loads.
"""

from __future__ import annotations

import os

from flask import Flask

from hub.app import create_app
from hub.extensions import db
from hub.web.identity import COOKIE

TOKEN = "WARMED_TOKEN"
PATHS = "WARMED_PATHS"


def warmed() -> Flask:
    app = create_app()
    client = app.test_client()
    client.set_cookie(COOKIE, os.environ[TOKEN], secure=True)
    for path in os.environ[PATHS].split():
        client.get(path)
    with app.app_context():
        # no connection may be shared by two processes
        db.engine.dispose()
    return app
