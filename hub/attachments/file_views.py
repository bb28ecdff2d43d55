"""One file's own page, and what its organisation may do with it: change its details, replace it, hide it, restore it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.queries import live_grants, right_to
from hub.access.vocabulary import SECTION_LABELS, Section
from hub.attachments.actions import refuse_file, replace_file
from hub.attachments.changing import change_details
from hub.attachments.choices import Choices, audience_in_words, details_choices, sections_to_add
from hub.attachments.forms import MAX_REASON, parse_file, parse_reason, parse_revision
from hub.attachments.hiding import hide_file, restore_file
from hub.attachments.limits import offer_of
from hub.attachments.opening import OpenedFile, open_file
from hub.attachments.receiving import take_upload
from hub.core.errors import Denied, Invalid
from hub.extensions import db
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.multipart import FilePart
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_file", __name__)
ONE = "/cases/<uuid:case_id>/files/<uuid:attachment_id>"
Answer = Response | str | tuple[str, int]


@pages.page(f"{ONE}/about", needs=Permission.CASE_READ, event="attachment.opened", data=Data.PERSONAL)
def about(case_id: UUID, attachment_id: UUID) -> str:
    return _about(current_actor(), case_id, attachment_id, {}, {})


@pages.page(f"{ONE}/edit", needs=Permission.FILE_CHANGE, event="attachment.opened", data=Data.PERSONAL)
def edit(case_id: UUID, attachment_id: UUID) -> str:
    return _edit_form(current_actor(), case_id, attachment_id, None, {})


@pages.page(
    f"{ONE}/edit",
    needs=Permission.FILE_CHANGE,
    event="attachment.changed",
    data=Data.PERSONAL,
    methods=("POST",),
)
def change(case_id: UUID, attachment_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        change_details(
            actor, case_id, attachment_id, parse_file(request.form), revision=parse_revision(request.form)
        )
        flash("The details of the file are saved.", "success")
        return _address(case_id, attachment_id)

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _edit_form(actor, case_id, attachment_id, request.form, invalid.errors), 422


@pages.page(f"{ONE}/replace", needs=Permission.FILE_CHANGE, event="attachment.opened", data=Data.PERSONAL)
def replacing(case_id: UUID, attachment_id: UUID) -> str:
    return _replace_form(current_actor(), case_id, attachment_id, {}, {})


@pages.page(
    f"{ONE}/replace",
    needs=Permission.FILE_CHANGE,
    event="attachment.replaced",
    data=Data.PERSONAL,
    methods=("POST",),
    streams=True,
)
def replace(case_id: UUID, attachment_id: UUID) -> Answer:
    actor = current_actor()

    def keep(fields: Mapping[str, str], part: FilePart) -> str:
        reason = parse_reason(fields)
        new = replace_file(
            actor,
            case_id,
            attachment_id,
            name=part.filename,
            reason=reason,
            blocks=part.blocks,
            announced=part.announced,
        )
        flash("The new version is attached. The old one stays as it was.", "success")
        return _address(case_id, new.id)

    return take_upload(
        actor,
        keep,
        lambda why: refuse_file(actor, case_id, why),
        lambda errors, values: _replace_form(actor, case_id, attachment_id, values, errors),
        shown=("reason",),
    )


@pages.page(
    f"{ONE}/hide",
    needs=Permission.FILE_CHANGE,
    event="attachment.hidden",
    data=Data.PERSONAL,
    methods=("POST",),
)
def hide(case_id: UUID, attachment_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        hide_file(
            actor,
            case_id,
            attachment_id,
            reason=parse_reason(request.form),
            revision=parse_revision(request.form),
        )
        flash("The file is hidden. Nothing of it is deleted, and it can be restored.", "success")
        return _address(case_id, attachment_id)

    return _tried(actor, case_id, attachment_id, act)


@pages.page(
    f"{ONE}/restore",
    needs=Permission.FILE_CHANGE,
    event="attachment.restored",
    data=Data.PERSONAL,
    methods=("POST",),
)
def restore(case_id: UUID, attachment_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        restore_file(
            actor,
            case_id,
            attachment_id,
            reason=parse_reason(request.form),
            revision=parse_revision(request.form),
        )
        flash("The file is in the list again.", "success")
        return _address(case_id, attachment_id)

    return _tried(actor, case_id, attachment_id, act)


def _tried(actor: Actor, case_id: UUID, attachment_id: UUID, act: Callable[[], str]) -> Answer:
    """The answer of an act, or the file's page again with what is wrong."""
    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _about(actor, case_id, attachment_id, request.form, invalid.errors), 422


def _address(case_id: UUID, attachment_id: UUID) -> str:
    return f"/cases/{case_id}/files/{attachment_id}/about"


def _about(
    actor: Actor, case_id: UUID, attachment_id: UUID, values: Mapping[str, str], errors: Mapping[str, str]
) -> str:
    found = _open(actor, case_id, attachment_id)
    return render_template(
        "attachments/about.html",
        found=found,
        file=found.file,
        may=_may(actor, found),
        section=SECTION_LABELS[Section(found.file.section)],
        audience=audience_in_words(found.file.audience),
        looks=[
            {
                "name": found.organisations.get(one.organisation_id, ""),
                "opened": one.opened,
                "changed": one.changed,
                "refused": one.refused,
                "last_at": one.last_at,
            }
            for one in found.looks
        ],
        values=values,
        errors=dict(errors),
        limit=MAX_REASON,
    )


def _open(actor: Actor, case_id: UUID, attachment_id: UUID) -> OpenedFile:
    found = open_file(actor, case_id, attachment_id)
    mark_page(max(found.record_marking, found.file.marking), "personal data")
    return found


def _open_own(actor: Actor, case_id: UUID, attachment_id: UUID) -> OpenedFile:
    found = _open(actor, case_id, attachment_id)
    if not found.own:
        raise Denied("not_controller", "Another organisation added this file, so only it can change it.")
    return found


def _may(actor: Actor, found: OpenedFile) -> dict[str, bool]:
    """What the page offers. Actions check again."""
    own = found.own and actor.may(Permission.FILE_CHANGE)
    shown = not found.file.hidden
    return {
        "change": own and not found.ended and shown,
        "replace": own and not found.ended and shown and found.is_newest,
        "hide": own and shown and not found.holds,
        "restore": own and found.file.hidden,
        "hold": found.leads and actor.may(Permission.FILE_HOLD),
        "download": found.file.releasable and actor.may(Permission.FILE_DOWNLOAD),
        "preview": found.file.previewable and not found.file.hidden and actor.may(Permission.FILE_PREVIEW),
    }


def _edit_form(
    actor: Actor,
    case_id: UUID,
    attachment_id: UUID,
    values: Mapping[str, str] | None,
    errors: Mapping[str, str],
) -> str:
    found = _open_own(actor, case_id, attachment_id)
    return render_template(
        "attachments/edit.html",
        found=found,
        file=found.file,
        values=values if values is not None else _values_of(found),
        errors=dict(errors),
        choices=_choices(actor, found),
    )


def _choices(actor: Actor, found: OpenedFile) -> Choices:
    """The parts of the case to which the reader may add, and the one where the file is now."""
    right = right_to(actor, found.file.record_id, session=db.session())
    grants = live_grants(actor, found.file.record_id, session=db.session()) if right else []
    offered = sections_to_add(right, grants) if right else []
    now = Section(found.file.section)
    return details_choices(actor, offered if now in offered else [now, *offered])


def _values_of(found: OpenedFile) -> dict[str, str]:
    file = found.file
    year, month, day = (*(file.taken_on or "").split("-"), "", "")[:3]
    return {
        "kind": found.kind,
        "description": file.description,
        "source": file.source,
        "exhibit": file.exhibit,
        "section": file.section,
        "audience": file.audience or "",
        "marking": str(file.marking),
        "taken_on-year": year,
        "taken_on-month": month,
        "taken_on-day": day,
        "revision": str(found.revision),
    }


def _replace_form(
    actor: Actor, case_id: UUID, attachment_id: UUID, values: Mapping[str, str], errors: Mapping[str, str]
) -> str:
    found = _open_own(actor, case_id, attachment_id)
    return render_template(
        "attachments/replace.html",
        found=found,
        file=found.file,
        values=values,
        errors=dict(errors),
        limit=MAX_REASON,
        offer=offer_of(found.partnership_id),
    )
