"""Pages of declared interests: one's own and a new one; for supervisors those of colleagues and what they stop."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.core.errors import Invalid, NotVisible
from hub.core.paging import Cursor
from hub.extensions import db
from hub.interests import actions, queries
from hub.interests.forms import parse_interest, parse_reason
from hub.interests.vocabulary import KIND_LABELS, RELATION_LABELS, InterestKind
from hub.web import drafts
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("interests", __name__)


@pages.before_request
def mark() -> None:
    """Whom somebody stands close to is confidential, whatever is held of them."""
    mark_page(Marking.OFFICIAL_SENSITIVE)


STATES = {"ended": "Ended"}


@pages.page("/interests", needs=Permission.INTEREST_DECLARE, event="interest.listed", data=Data.PERSONAL)
def own() -> str:
    actor = current_actor()
    return render_template(
        "interests/own.html",
        rows=queries.list_own(actor),
        supervisors=queries.find_supervisors(actor),
        reviews=actor.may(Permission.INTEREST_REVIEW),
    )


@pages.page("/interests/new", needs=Permission.INTEREST_DECLARE, event=None, data=Data.NONE)
def choose() -> str:
    return render_template("interests/choose.html", kinds=KIND_LABELS)


@pages.page(
    "/interests/new/<kind>",
    needs=Permission.INTEREST_DECLARE,
    event="interest.declared",
    data=Data.PERSONAL,
    methods=("GET", "POST"),
)
def declare(kind: str) -> Response | tuple[str, int]:
    if kind not in set(InterestKind):
        raise NotVisible
    actor, chosen, errors = current_actor(), InterestKind(kind), {}
    draft = drafts.form_name(f"interests.declare.{chosen.value}")
    if request.method == "POST":
        try:
            form = parse_interest(request.form, chosen)

            def act() -> str:
                actions.declare_interest(actor, form)
                flash(
                    "Declared. From now on the hub keeps it from you, if it holds anything of it.", "success"
                )
                return url_for("interests.own")

            return once(actor, act, draft=draft)
        except Invalid as invalid:
            if not invalid.errors:
                raise
            db.session.rollback()
            errors = invalid.errors
    values = request.form.to_dict() if request.method == "POST" else drafts.find_values(actor, draft)
    page = render_template(
        "interests/declare.html",
        kind=chosen,
        kind_label=KIND_LABELS[chosen],
        relations=list(RELATION_LABELS.items()),
        values=values,
        born={part: values.get(f"date_of_birth-{part}", "") for part in ("day", "month", "year")},
        errors=errors,
        draft_key=draft,
    )
    return page, 422 if errors else 200


@pages.page(
    "/interests/colleagues", needs=Permission.INTEREST_REVIEW, event="interest.listed", data=Data.PERSONAL
)
def colleagues() -> str:
    actor = current_actor()
    narrowed = Narrowed(
        url_for("interests.colleagues"),
        {"user": Filter("Colleague", queries.find_declarants(actor)), "state": Filter("State", STATES)},
    )
    page = queries.list_colleagues(
        actor,
        user_id=UUID(narrowed["user"]) if narrowed["user"] else None,
        ended=narrowed["state"] == "ended",
        cursor=Cursor.parse(narrowed.after),
    )
    return render_template("interests/colleagues.html", page=page, narrowed=narrowed)


@pages.page(
    "/interests/<uuid:interest_id>",
    needs=Permission.INTEREST_REVIEW,
    event="interest.listed",
    data=Data.PERSONAL,
)
def one(interest_id: UUID) -> str:
    narrowed = Narrowed(url_for("interests.one", interest_id=interest_id), {})
    declared, page = queries.list_exclusions(
        current_actor(), interest_id, cursor=Cursor.parse(narrowed.after)
    )
    return render_template("interests/one.html", declared=declared, page=page, narrowed=narrowed)


@pages.page(
    "/interests/<uuid:interest_id>/end",
    needs=Permission.INTEREST_REVIEW,
    event="interest.ended",
    data=Data.NONE,
    methods=("POST",),
)
def end(interest_id: UUID) -> Response:
    actor = current_actor()

    def act() -> str:
        actions.end_interest(actor, interest_id)
        flash("The declaration has ended. It keeps nothing from your colleague any more.", "success")
        return url_for("interests.colleagues")

    return once(actor, act)


@pages.page(
    "/interests/exclusions/<uuid:exclusion_id>/lift",
    needs=Permission.INTEREST_REVIEW,
    event="exclusion.lifted",
    data=Data.PERSONAL,
    methods=("GET", "POST"),
)
def lift(exclusion_id: UUID) -> Response | tuple[str, int]:
    actor, errors = current_actor(), {}
    draft = drafts.form_name("interests.lift", exclusion_id)
    find = queries.find_exclusion if request.method == "POST" else queries.open_exclusion
    excluded, declared = find(actor, exclusion_id)
    if request.method == "POST":
        try:
            reason = parse_reason(request.form)

            def act() -> str:
                actions.lift_exclusion(actor, exclusion_id, reason=reason)
                flash(f"Lifted. {declared.user_name} is no longer kept from {excluded.reference}.", "success")
                return declared.href

            return once(actor, act, draft=draft)
        except Invalid as invalid:
            if not invalid.errors:
                raise
            db.session.rollback()
            errors = invalid.errors
    values = request.form.to_dict() if request.method == "POST" else drafts.find_values(actor, draft)
    page = render_template(
        "interests/lift.html",
        excluded=excluded,
        declared=declared,
        reason=values.get("reason", ""),
        errors=errors,
        draft_key=draft,
    )
    return page, 422 if errors else 200
