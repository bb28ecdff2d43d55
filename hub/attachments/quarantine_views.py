"""The administrator's page of files in which malware was found."""

from __future__ import annotations

from flask import render_template, request, url_for

from hub.access.permissions import Permission
from hub.attachments.quarantine import list_quarantined
from hub.core.paging import Cursor
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("quarantine", __name__)


@pages.page("/admin/malware", needs=Permission.ACCOUNT_MANAGE, event="quarantine.listed", data=Data.STAFF)
def index() -> str:
    after = Cursor.parse(request.args.get("after"))
    page = list_quarantined(current_actor(), cursor=after)
    return render_template(
        "attachments/quarantine.html",
        page=page,
        first_href=url_for("quarantine.index") if after else None,
        next_href=url_for("quarantine.index", after=page.next_cursor) if page.next_cursor else None,
    )
