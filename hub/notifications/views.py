"""Pages of a user's notices and, in a demonstration, of the e-mails that were not sent."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.core.errors import Invalid, NotVisible
from hub.core.paging import Cursor
from hub.extensions import db
from hub.notifications import actions, queries
from hub.notifications.vocabulary import NOTIFICATION_LABELS, NotificationKind
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.routes import Data, Pages

pages = Pages("notifications", __name__)
READS = Permission.NOTIFICATION_READ


@pages.page("/notifications", needs=READS, event="notification.listed", data=Data.STAFF)
def home() -> str:
    after = Cursor.parse(request.args.get("after"))
    unread = request.args.get("show") == "unread"
    page = queries.list_notifications(current_actor(), after, unread_only=unread)
    return render_template(
        "notifications/list.html",
        page=page,
        first=after is None,
        unread_only=unread,
        unread_here=any(row.is_new for row in page.rows),
        next_href=url_for("notifications.home", after=page.next_cursor, show="unread" if unread else None)
        if page.more
        else None,
    )


@pages.page(
    "/notifications/<uuid:notification_id>",
    needs=READS,
    event="notification.read",
    data=Data.NONE,
    methods=("POST",),
)
def read_one(notification_id: UUID) -> Response:
    address = actions.mark_read(current_actor(), notification_id)
    db.session.commit()
    return redirect(address if request.form.get("then") == "open" else url_for("notifications.home"), 303)


@pages.page("/notifications/read", needs=READS, event="notification.read", data=Data.NONE, methods=("POST",))
def read_all() -> Response:
    try:
        before = UUID(request.form.get("before", ""))
    except ValueError as error:
        raise Invalid(
            "bad_notice", "This form is incomplete. Go back, reload the page and send it again."
        ) from error
    actions.mark_all_read(current_actor(), before)
    db.session.commit()
    return redirect(url_for("notifications.home"), 303)


@pages.page("/notifications/mail", needs=READS, event="notification.listed", data=Data.STAFF)
def mail() -> str:
    if not current_app.config["HUB_SETTINGS"].demo:
        raise NotVisible
    narrowed = Narrowed("/notifications/mail", {"kind": Filter("What it tells", NOTIFICATION_LABELS)})
    kind = NotificationKind(narrowed["kind"]) if narrowed["kind"] else None
    page = queries.list_own_mail(current_actor(), Cursor.parse(narrowed.after), kind=kind)
    return render_template("notifications/mail.html", page=page, narrowed=narrowed)
