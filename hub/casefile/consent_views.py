"""Consents of a case: the list with what stands on each, recording one, and writing down that one was withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, Purpose, Section
from hub.agreements.queries import find_fellow_parties
from hub.audit.changing import take_up_record
from hub.casefile.page import CasePage, open_case_page
from hub.consents.actions import record_consent
from hub.consents.forms import parse_consent, parse_withdrawal
from hub.consents.policy import check_may_withdraw, may_be_child
from hub.consents.queries import find_consent, find_consents_of, is_of
from hub.consents.vocabulary import GIVEN_BY_LABELS, HOW_LABELS, ConsentHow, GivenBy
from hub.core import clock
from hub.core.errors import Denied, Invalid, NotVisible
from hub.extensions import db
from hub.people.queries import PersonInRecord, find_people_of
from hub.sharing.ending import withdraw_consent
from hub.sharing.queries import GrantRow, find_grants_of
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_consents", __name__)
BASE = "/cases/<uuid:case_id>/consents"
BOTH = ("GET", "POST")
Answer = Response | str | tuple[str, int]


@pages.page(BASE, needs=Permission.CASE_READ, event="case.opened", data=Data.PERSONAL)
def show(case_id: UUID) -> str:
    actor = current_actor()
    page = _open(case_id)
    rows = find_consents_of(actor, case_id)
    page.mark(row.consent.item_marking for row in rows)
    people = _people(page)
    shares = find_grants_of(actor, case_id)
    lines = [
        {
            "row": row,
            "consent": row.consent,
            "person": people[row.consent.person_id].name if row.consent.person_id in people else "Somebody",
            "purpose": PURPOSE_LABELS[Purpose(row.consent.purpose)],
            "to": row.to_name,
            "given_by": GIVEN_BY_LABELS[GivenBy(row.consent.given_by)],
            "how": HOW_LABELS[ConsentHow(row.consent.given_how)],
            "withdrawn_how": HOW_LABELS[ConsentHow(row.consent.withdrawn_how)]
            if row.consent.withdrawn_how
            else "",
            "shares": [one for one in shares if one.grant.consent_id == row.consent.id],
        }
        for row in rows
    ]
    return render_template("consents/list.html", page=page, lines=lines, may_record=page.may.consent)


@pages.page(
    f"{BASE}/new",
    needs=Permission.CONSENT_RECORD,
    event="consent.recorded",
    data=Data.PERSONAL,
    methods=BOTH,
)
def new(case_id: UUID) -> Answer:
    """First whose consent it is, then the form with what their age asks for."""
    actor = current_actor()
    draft = drafts.form_name("case_consents.new", case_id)
    if request.method == "GET":
        page = _open_to_record(case_id)
        kept = drafts.find_values(actor, draft)
        chosen = request.args.get("person")
        values = {**kept, "person": kept.get("person", "") if chosen is None else chosen}
        return _form(page, values, {}, draft)

    def act() -> str:
        record_consent(actor, case_id, parse_consent(request.form, child=_child(case_id)))
        flash("The consent is recorded. It can be chosen as the basis of a share.", "success")
        return f"/cases/{case_id}/consents"

    try:
        return once(actor, act, draft=draft)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _form(_open_to_record(case_id), request.form, invalid.errors, draft), 422


@pages.page(
    f"{BASE}/<uuid:consent_id>/withdraw",
    needs=Permission.CONSENT_RECORD,
    event="consent.withdrawn",
    data=Data.PERSONAL,
    methods=BOTH,
)
def withdraw(case_id: UUID, consent_id: UUID) -> Answer:
    actor = current_actor()
    if request.method == "GET":
        return _confirm(case_id, consent_id, {})

    def act() -> str:
        if not is_of(actor, case_id, consent_id):
            raise NotVisible
        withdraw_consent(actor, consent_id, parse_withdrawal(request.form))
        flash("The consent is withdrawn. Nothing is shared on it any more.", "success")
        return f"/cases/{case_id}/consents"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _confirm(case_id, consent_id, invalid.errors), 422


def _open(case_id: UUID) -> CasePage:
    page = open_case_page(current_actor(), case_id, "consents")
    if not page.reads(Section.PEOPLE, Section.VICTIM):
        raise NotVisible
    return page


def _open_to_record(case_id: UUID) -> CasePage:
    page = _open(case_id)
    if not page.may.consent:
        raise Denied("no_contribution", "You can read this record but not add to it.")
    return page


def _people(page: CasePage) -> dict[UUID, PersonInRecord]:
    """Everybody of the case once: of several roles the first."""
    found: dict[UUID, PersonInRecord] = {}
    for one in find_people_of(current_actor(), [page.case.id]).get(page.case.id, []):
        found.setdefault(one.person_id, one)
    return found


def _child(case_id: UUID) -> bool | None:
    """What the date of birth on file says of the person of the form."""
    given = request.form.get("person", "")
    take_up_record(current_actor(), case_id)
    people = find_people_of(current_actor(), [case_id]).get(case_id, [])
    person = next((one for one in people if str(one.person_id) == given), None)
    return _is_child(person) if person else None


def _is_child(person: PersonInRecord) -> bool | None:
    return may_be_child(person.date_of_birth, clock.today())


def _form(page: CasePage, values: Mapping[str, str], errors: Mapping[str, str], draft: str) -> str:
    people = _people(page)
    person = next((one for key, one in people.items() if str(key) == values.get("person", "")), None)
    organisations = find_fellow_parties(current_actor())
    return render_template(
        "consents/new.html",
        page=page,
        values=values,
        errors=dict(errors),
        draft_key=draft,
        person=person,
        child=_is_child(person) if person else None,
        people=[(str(key), one.name, f"{one.role_label}. {one.age}") for key, one in people.items()],
        purposes=[(key.value, words) for key, words in PURPOSE_LABELS.items()],
        organisations=[(str(key), name) for key, name in organisations.items()],
        given_by=[(key.value, words) for key, words in GIVEN_BY_LABELS.items()],
        hows=[(key.value, words) for key, words in HOW_LABELS.items()],
    )


def _confirm(case_id: UUID, consent_id: UUID, errors: Mapping[str, str]) -> str:
    actor = current_actor()
    page = _open(case_id)
    row = find_consent(actor, case_id, consent_id)
    if row is None:
        raise NotVisible
    check_may_withdraw(actor.organisation_id, row.consent)
    page.mark([row.consent.item_marking])
    person = _people(page).get(row.consent.person_id)
    stops = [
        one
        for one in find_grants_of(actor, case_id)
        if one.grant.consent_id == consent_id and not one.state.over
    ]
    return render_template(
        "consents/withdraw.html",
        page=page,
        row=row,
        person=person.name if person else "Somebody",
        purpose=PURPOSE_LABELS[Purpose(row.consent.purpose)],
        stops=[_in_words(one) for one in stops],
        hows=[(key.value, words) for key, words in HOW_LABELS.items()],
        values=request.form,
        errors=dict(errors),
    )


def _in_words(row: GrantRow) -> str:
    to: Any = f"{row.to_name} ({row.to_detail})" if row.to_detail else row.to_name
    return f"{to}, for ‘{PURPOSE_LABELS[Purpose(row.grant.purpose)]}’" if row.grant.purpose else str(to)
