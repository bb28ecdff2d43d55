"""Where signing out leads: to the sign-in page, or first to the provider that vouched for the session.

Who knows of providers is installed, as accounts imports none.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app

from hub.web.identity import Visit

# in the browser's notes: an address that was typed for an organisation's own sign-in, which has none; shown once
EMAIL = "email"
Onward = Callable[[Visit], str | None]


def install(app: Flask, onward: Onward) -> None:
    app.extensions["hub_onward"] = onward


def onward(visit: Visit) -> str | None:
    """The address at which the session ends elsewhere too; None where there is no such place."""
    find: Onward = current_app.extensions["hub_onward"]
    return find(visit)
