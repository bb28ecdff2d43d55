"""The pages that show a case, or an incident, as one of its recipients would see it: before it is shared, and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import RecordKind
from hub.casefile.preview import Preview, Supposed, open_preview
from hub.casefile.share_subject import address_of_record, lead_back_to_sharing, open_to_share
from hub.casefile.share_telling import hidden
from hub.casefile.share_views import show_wrong, typed_ids, typed_values
from hub.casefile.share_wizard import To, check_also, recipient_name
from hub.core.errors import Invalid
from hub.sharing.forms import parse_share
from hub.sharing.queries import find_grant
from hub.sharing.readers import Reach, Reader, find_readers
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

Answer = Response | str | tuple[str, int]


def add_previews(pages: Pages, kind: RecordKind, base: str, record: str) -> None:
    """Registers both previews below the address of a record; `record` is the name of its id in that address."""

    @pages.page(
        f"{base}/share/preview",
        needs=Permission.CASE_SHARE,
        event="share.previewed",
        data=Data.PERSONAL,
        methods=("POST",),
    )
    def preview(**ids: UUID) -> Answer:
        lead_back_to_sharing(kind, ids[record])
        try:
            return _before(current_actor(), kind, ids[record])
        except Invalid as invalid:
            if not invalid.errors:
                raise
            return show_wrong(open_to_share(current_actor(), kind, ids[record]), typed_values(), invalid)

    @pages.page(
        f"{base}/sharing/<uuid:grant_id>/preview",
        needs=Permission.CASE_SHARE,
        event="share.previewed",
        data=Data.PERSONAL,
    )
    def preview_share(grant_id: UUID, **ids: UUID) -> Answer:
        lead_back_to_sharing(kind, ids[record])
        return _after(current_actor(), kind, ids[record], grant_id)


def _before(actor: Actor, kind: RecordKind, record_id: UUID) -> str:
    """As it would be seen, were it shared as typed."""
    values = typed_values()
    form = parse_share(request.form)
    also = check_also(actor, kind, record_id, typed_ids(values["also"]))
    to = (form.to_organisation_id, form.to_team_id, form.to_user_id)
    readers = find_readers(actor, Reach(*to, form.agreement_id))
    purpose = form.purpose.value if form.purpose else None
    supposed = Supposed(form.to_organisation_id, purpose, form=form, also=also)
    chosen = _chosen(readers, request.form.get("as", ""))
    found = open_preview(actor, kind, record_id, supposed, readers, chosen)
    return _page(kind, record_id, found, recipient_name(to), hidden=hidden(values), waits=True)


def _after(actor: Actor, kind: RecordKind, record_id: UUID, grant_id: UUID) -> str:
    """As it is seen under a share that there is, or would be once it is accepted."""
    row = find_grant(actor, grant_id)
    grant = row.grant if row is not None and row.grant.record_id == record_id else None
    readers: list[Reader] = []
    supposed = Supposed(actor.organisation_id, None)
    to: To = (actor.organisation_id, None, None)
    if grant is not None:
        to = (grant.to_organisation_id, grant.to_team_id, grant.to_user_id)
        readers = find_readers(actor, Reach(*to, grant.agreement_id))
        supposed = Supposed(grant.to_organisation_id, grant.purpose, grant_id=grant.id)
    found = open_preview(
        actor, kind, record_id, supposed, readers, _chosen(readers, request.args.get("as", ""))
    )
    waits = row is not None and row.state.value == "pending"
    return _page(kind, record_id, found, recipient_name(to), grant_id=grant_id, waits=waits)


def _chosen(readers: Sequence[Reader], given: str) -> Reader | None:
    """The one asked for, or the first of them."""
    first = readers[0] if readers else None
    return next((one for one in readers if str(one.user_id) == given), first)


def _page(
    kind: RecordKind,
    record_id: UUID,
    found: Preview,
    to_name: str,
    *,
    waits: bool,
    grant_id: UUID | None = None,
    hidden: Sequence[tuple[str, str]] = (),
) -> str:
    base = address_of_record(kind, record_id)
    more: Mapping[str, Any] = {
        "base": base,
        "noun": kind.value,
        "to_name": to_name,
        "waits": waits,
        "choices": [(str(one.user_id), one.label) for one in found.readers],
        "address": f"{base}/sharing/{grant_id}/preview" if grant_id else f"{base}/share/preview",
        "hidden": hidden,
        "before": grant_id is None,
    }
    return render_template("sharing/preview.html", found=found, **more)
