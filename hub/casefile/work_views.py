"""My work: the first page of the day. Those who read no content are led to their own desk."""

from __future__ import annotations

from flask import redirect, render_template
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.casefile.work import open_work
from hub.core.errors import Denied
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.routes import Data, Door, Pages

pages = Pages("work", __name__)
DESKS = ((Permission.AUDIT_READ, "/audit"), (Permission.ACCOUNT_MANAGE, "/admin"))


@pages.page("/", needs=Door.SIGNED_IN, event="work.viewed", data=Data.PERSONAL)
def home() -> Response | str:
    actor = current_actor()
    if not actor.may(Permission.WORK_READ):
        for permission, desk in DESKS:
            if actor.may(permission):
                return redirect(desk)
        raise Denied("no_permission", "You have no role with this team yet. Ask your administrator.")
    work = open_work(actor)
    mark_page(work.marking)
    return render_template(
        "work/home.html",
        work=work,
        may_log=actor.may(Permission.INCIDENT_LOG),
        may_open=actor.may(Permission.CASE_OPEN),
    )
