"""The proof of one event: checked on the page in its own words, and as a file that needs neither the hub nor trust in it."""

from __future__ import annotations

from uuid import UUID

from flask import Response, abort, make_response, render_template

from hub.access.permissions import Permission
from hub.audit import queries as log
from hub.audit.policy import LOG_PURPOSE_LABELS, LogPurpose
from hub.audit.proofs import find_proof
from hub.oversight.desk import pages, with_purpose
from hub.web.identity import current_actor
from hub.web.routes import Data


@pages.page(
    "/audit/events/<uuid:event_id>/proof", needs=Permission.AUDIT_READ, event="log.opened", data=Data.LOG
)
@with_purpose
def proof(purpose: LogPurpose, event_id: UUID) -> str:
    actor = current_actor()
    event = log.open_event(actor, event_id, purpose=purpose)
    return render_template(
        "oversight/proof.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        event=event,
        proof=find_proof(actor, event),
    )


@pages.page(
    "/audit/events/<uuid:event_id>/proof.tlog-proof",
    needs=Permission.AUDIT_READ,
    event="log.opened",
    data=Data.LOG,
)
@with_purpose
def proof_file(purpose: LogPurpose, event_id: UUID) -> Response:
    actor = current_actor()
    found = find_proof(actor, log.open_event(actor, event_id, purpose=purpose))
    if found is None:
        abort(404)
    answer = make_response(found.file.text)
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{event_id}.tlog-proof"'
    return answer
