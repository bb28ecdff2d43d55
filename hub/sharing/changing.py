"""Changes of a share that waits or holds: other sections, another marking, another end. Effective at the next request."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from hub.access.actor import Actor
from hub.access.models import Grant
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.access.vocabulary import Marking, Section
from hub.agreements.policy import Terms, standing_of
from hub.agreements.queries import find_terms
from hub.audit.recording import Basis, Recipient, append
from hub.core import clock
from hub.core.errors import Conflict, Invalid
from hub.extensions import db
from hub.notifications.vocabulary import NotificationKind
from hub.sharing.actions import already_shared, refuse_share
from hub.sharing.checking import clearance_of, refusal_beyond
from hub.sharing.forms import ShareChange
from hub.sharing.notices import tell_recipients
from hub.sharing.policy import check_may_change
from hub.sharing.queries import find_people_in, load_for_change
from hub.web.filters import format_date


def change_share(actor: Actor, grant_id: UUID, change: ShareChange) -> Grant:
    """Narrows, widens or extends a share within its agreement; the recipients are told and need not accept anew.

    `NotVisible`, `Denied` (who does not lead; sections that the agreement does not cover, which is written and committed),
    `Conflict` (over, or changed meanwhile) or `Invalid`.
    """
    actor.check_may(Permission.CASE_SHARE)
    grant = load_for_change(actor, grant_id)
    now = clock.now()
    terms = find_terms_of(actor, grant)
    right = right_to(actor, grant.record_id, session=db.session())
    live = terms is None or standing_of(terms.agreement, now).live
    check_may_change(right is not None and right.leads, grant, now, agreement_live=live)
    if change.revision is not None and change.revision != grant.revision:
        raise Conflict(
            "changed_meanwhile", "Somebody changed this share after you opened it. Look at it again."
        )
    refusal = refusal_beyond(terms, change.sections) if terms else None
    if refusal is not None:
        refuse_share(actor, grant.record_id, grant.to_organisation_id, refusal)
    _check(grant, change, terms, now)
    changes = _apply(grant, change)
    try:
        with db.session.begin_nested():
            db.session.flush()
    except IntegrityError as error:
        raise already_shared(grant.record_reference, error) from error
    _write(actor, grant, change, changes)
    tell_recipients(actor, grant, NotificationKind.SHARE_CHANGED)
    return grant


def find_terms_of(actor: Actor, grant: Grant) -> Terms | None:
    """The agreement that the share stands on; None within the owner organisation."""
    if grant.agreement_id is None:
        return None
    return find_terms(actor, [grant.agreement_id])[grant.agreement_id]


def _check(grant: Grant, change: ShareChange, terms: Terms | None, now: datetime) -> None:
    errors: dict[str, str] = {}
    if Section.SUMMARY not in change.sections:
        errors["sections"] = "The summary is part of every share: choose it, and whatever else is needed"
    if int(change.max_marking) > int(grant.max_marking) and int(change.max_marking) > clearance_of(
        grant.to_organisation_id, grant.to_team_id, grant.to_user_id
    ):
        errors["max_marking"] = f"They are not cleared for {change.max_marking.label}"
    ends = _wrong_end(grant, change.ends_at, terms, now)
    if ends:
        errors["ends"] = ends
    if not errors and not _differences(grant, change):
        errors["form"] = "Nothing is different from what is shared now"
    if errors:
        raise Invalid("bad_change", errors=errors)


def _wrong_end(grant: Grant, ends_at: datetime | None, terms: Terms | None, now: datetime) -> str:
    if ends_at is None:
        return "Say until when they may see it" if terms is not None else ""
    if ends_at <= now or ends_at <= grant.starts_at:
        return "The end must be in the future. To end it now, choose ‘End’"
    if terms is not None and ends_at > terms.agreement.ends_at:
        return (
            f"The end must not be after the agreement’s, which ends on {format_date(terms.agreement.ends_at)}"
        )
    return ""


def _wanted(change: ShareChange) -> dict[str, Any]:
    return {
        "sections": [one.value for one in change.sections],
        "max_marking": int(change.max_marking),
        "may_contribute": change.may_contribute,
        "ends_at": change.ends_at,
    }


def _differences(grant: Grant, change: ShareChange) -> dict[str, tuple[Any, Any]]:
    def ordered(name: str, value: Any) -> Any:
        return sorted(value) if name == "sections" else value

    return {
        name: (getattr(grant, name), value)
        for name, value in _wanted(change).items()
        if ordered(name, getattr(grant, name)) != ordered(name, value)
    }


def _apply(grant: Grant, change: ShareChange) -> dict[str, tuple[str, str]]:
    """Sets what differs; returns field → before and after, in words that the log can keep."""
    changes = {}
    for name, (before, after) in _differences(grant, change).items():
        setattr(grant, name, after)
        changes[name] = (_said(name, before), _said(name, after))
    return changes


def _said(name: str, value: Any) -> str:
    if name == "sections":
        return "+".join(value)
    if name == "max_marking":
        return Marking(value).label
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _write(actor: Actor, grant: Grant, change: ShareChange, changes: dict[str, tuple[str, str]]) -> None:
    append(
        actor,
        "share.changed",
        object_id=grant.id,
        version=grant.revision,
        records=[grant.record_id],
        people=find_people_in(actor, grant.record_id, grant.sections),
        recipients=[Recipient(grant.to_organisation_id, team_id=grant.to_team_id, user_id=grant.to_user_id)],
        basis=Basis("share", grant.agreement_id, grant.id),
        facts={"sections": "+".join(grant.sections)},
        texts={"reason": change.reason},
        changes=changes,
        key_of=grant.record_id,
    )
