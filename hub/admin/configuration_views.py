"""The page of how the hub is set up and how it does now."""

from __future__ import annotations

from flask import current_app, render_template

from hub.access.permissions import Permission
from hub.admin.configuration import list_settings
from hub.web.health import WORDS, find_parts
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("configuration", __name__)


@pages.page("/admin/service", needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def show() -> str:
    settings = current_app.config["HUB_SETTINGS"]
    return render_template(
        "admin/configuration.html",
        parts=find_parts(),
        words=WORDS,
        chapters=list_settings(current_actor(), settings),
        demo=settings.demo,
    )
