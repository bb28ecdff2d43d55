"""Writes of code lists: an entry added, called something else from a day, retired from a day. Flush, never commit."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.recording import append
from hub.core import clock
from hub.core.coming_days import TOO_EARLY
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.extensions import db
from hub.lists.catalogue import EditableList, Keeper
from hub.lists.entries import Entry, Spell, entries_of, kept_by
from hub.lists.forms import EntryForm, LabelForm
from hub.lists.models import CodeListEntry

DAY = timedelta(days=1)


def add_entry(actor: Actor, which: EditableList, form: EntryForm) -> CodeListEntry:
    """A new code; or one that ends, taken up again from the day after its last. `Invalid` for a second one and for a gap."""
    entries = _begin(actor, which)
    _check_day(form.day, "day")
    before = next((one for one in entries if one.code == form.code), None)
    if before is not None:
        _check_goes_on(before, form.day)
    _check_label_free(entries, form.code, form.label, form.day, None)
    row = _add(actor, which, form.code, Spell(form.label, form.official_code, form.day, None))
    _tell(actor, which, row, "added", form.day)
    return row


def relabel_entry(actor: Actor, which: EditableList, code: str, form: LabelForm) -> CodeListEntry:
    """Another label from a day on: the one before ends the day before. `Invalid` where nothing would change or it comes too early."""
    entry = _entry(_begin(actor, which), code)
    _check_day(form.day, "day")
    last = entry.last
    if last.last is not None:
        raise Conflict(
            "ends", f"This entry ends on {_said(last.last)}. It can be taken up again by adding it."
        )
    if form.day <= last.first:
        raise Invalid(
            "label_meanwhile",
            errors={"day": f"From {_said(last.first)} it is called “{last.label}”. Choose a later date"},
        )
    if (form.label, form.official_code) == (last.label, last.official_code):
        raise Invalid("same_label", errors={"label": "It is called that already. Enter something else"})
    _check_label_free(entries_of(actor, which), code, form.label, form.day, None)
    _end(actor, which, entry, form.day - DAY)
    row = _add(actor, which, code, Spell(form.label, form.official_code, form.day, None))
    _tell(actor, which, row, "relabelled", form.day)
    return row


def retire_entry(actor: Actor, which: EditableList, code: str, day: date) -> CodeListEntry:
    """From the day on the code is offered no more; its label stays on what bears it."""
    entry = _entry(_begin(actor, which), code)
    _check_day(day, "end")
    last = entry.last
    if last.last is not None:
        raise Conflict("ends_already", f"This entry ends on {_said(last.last)} already.")
    if day < last.first:
        raise Invalid(
            "label_meanwhile",
            errors={
                "end": f"From {_said(last.first)} it is called “{last.label}”. Choose that day or a later one"
            },
        )
    row = _end(actor, which, entry, day - DAY)
    _tell(actor, which, row, "retired", day)
    return row


def _begin(actor: Actor, which: EditableList) -> list[Entry]:
    """Who may, one at a time: what is checked stays as it is until the end of the transaction."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    keeper = actor.organisation_id if which.keeper is Keeper.ORGANISATION else actor.partnership_id
    one = sa.func.hashtextextended(f"code list:{which.code}:{keeper}", 0)
    db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(one)))
    return entries_of(actor, which)


def _entry(entries: list[Entry], code: str) -> Entry:
    found = next((one for one in entries if one.code == code), None)
    if found is None:
        raise NotVisible
    return found


def _check_day(day: date, field: str) -> None:
    if day < clock.today():
        raise Invalid("backdated", errors={field: TOO_EARLY})


def _check_goes_on(entry: Entry, day: date) -> None:
    """A code is taken up again only without a day between: else nobody knows what it meant then."""
    last = entry.last
    if last.last is None:
        raise Invalid(
            "code_taken",
            errors={"label": f"“{last.label}” is on the list already, with the code {entry.code}"},
        )
    again = last.last + DAY
    if again < clock.today():
        raise Invalid(
            "code_retired",
            errors={
                "label": f"The code {entry.code} was retired on {_said(again)}, and is not used again. Enter another code"
            },
        )
    if day != again:
        raise Invalid(
            "gap", errors={"day": f"“{last.label}” holds until {_said(last.last)}. Enter {_said(again)}"}
        )


def _check_label_free(entries: list[Entry], code: str, label: str, first: date, last: date | None) -> None:
    """No two codes are called the same at the same time."""
    for entry in entries:
        for spell in entry.spells:
            if entry.code == code or spell.label.casefold() != label.casefold() or spell.never_held:
                continue
            if (spell.last is None or first <= spell.last) and (last is None or spell.first <= last):
                raise Invalid(
                    "label_taken",
                    errors={"label": f"“{spell.label}” is on the list already, with the code {entry.code}"},
                )


def _end(actor: Actor, which: EditableList, entry: Entry, last: date) -> CodeListEntry:
    """Sets the last day of the entry's last label. One of the hub's own is copied, and ends so."""
    spell = entry.last
    if spell.row_id is None:
        return _add(actor, which, entry.code, Spell(spell.label, spell.official_code, spell.first, last))
    row = db.session.scalars(
        sa.select(CodeListEntry).where(CodeListEntry.id == spell.row_id, kept_by(actor, which))
    ).one()
    row.valid_to = last
    db.session.flush()
    return row


def _add(actor: Actor, which: EditableList, code: str, spell: Spell) -> CodeListEntry:
    own = which.keeper is Keeper.ORGANISATION
    row = CodeListEntry(
        list_code=which.code,
        code=code,
        label=spell.label,
        official_code=spell.official_code,
        valid_from=spell.first,
        valid_to=spell.last,
        organisation_id=actor.organisation_id if own else None,
        partnership_id=None if own else actor.partnership_id,
        created_by=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _tell(actor: Actor, which: EditableList, row: CodeListEntry, change: str, day: date) -> None:
    append(
        actor,
        "list.changed",
        object_id=row.id,
        facts={"list": which.code, "code": row.code, "change": change, "day": day.isoformat()},
    )


def _said(day: date) -> str:
    return f"{day:%-d %B %Y}"
