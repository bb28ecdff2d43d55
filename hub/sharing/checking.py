"""The checks of a new share that need the database: who may receive it, and which agreement it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.vocabulary import Marking, Section
from hub.accounts.models import Organisation, Team, TeamMembership, User
from hub.agreements.policy import Refusal, Terms, check_purpose, nearest, refusal_of
from hub.agreements.queries import find_between
from hub.core.errors import Invalid
from hub.core.text import MAX_TEXT
from hub.extensions import db
from hub.sharing.forms import ShareForm
from hub.web.filters import format_date


@dataclass(frozen=True)
class Footing:
    """What a share stands on. Empty within the owner organisation, where none is needed."""

    agreement_id: UUID | None = None
    agreement_ends_at: datetime | None = None
    gateway: str = ""
    lawful_basis: str = ""


def check_recipient(actor: Actor, records: Sequence[Record], form: ShareForm) -> None:
    """Raises `Invalid` for a recipient that can't be, a share without sections or reason, or one above their clearance."""
    errors: dict[str, str] = {}
    if Section.SUMMARY not in form.sections:
        errors["sections"] = "The summary is part of every share: choose it, and whatever else is needed"
    if not 0 < len(form.reason.strip()) <= MAX_TEXT:
        errors["reason"] = "Say why sharing this is necessary"
    wrong = _wrong_recipient(actor, records[0], form)
    if wrong:
        errors["to"] = wrong
    else:
        highest = max(record.marking for record in records)
        reach = _clearance_of(form)
        label = Marking(max(highest, int(form.max_marking))).label
        if reach < highest:
            errors["to"] = f"They are not cleared for {label}, so they could not read this"
        elif reach < int(form.max_marking):
            errors["max_marking"] = f"They are not cleared for {label}"
    if errors:
        raise Invalid("bad_share", errors=errors)


def check_footing(actor: Actor, form: ShareForm, now: datetime) -> Footing | Refusal:
    """The agreement that carries the share; or why none does. `Invalid` where no purpose was given."""
    if form.to_organisation_id == actor.organisation_id:
        return Footing()
    if form.purpose is None:
        raise Invalid("bad_share", errors={"purpose": "Choose what it is shared for"})
    agreements = find_between(actor, form.to_organisation_id)
    if form.agreement_id is not None:
        agreements = [one for one in agreements if one.agreement.id == form.agreement_id]
    refusals = []
    # of two that would do, the one that lasts longest
    for terms in sorted(agreements, key=lambda one: one.agreement.ends_at, reverse=True):
        found = _carries(actor, terms, form, now)
        if isinstance(found, Footing):
            return found
        refusals.append(found)
    if refusals:
        return nearest(refusals)
    name = db.session.scalar(sa.select(Organisation.name).where(Organisation.id == form.to_organisation_id))
    sentence = f"{actor.organisation_name} and {name} have no information sharing agreement. Your administrator can draft one."
    return Refusal("none", sentence)


def _carries(actor: Actor, terms: Terms, form: ShareForm, now: datetime) -> Footing | Refusal:
    refusal = refusal_of(terms, (actor.organisation_id, form.to_organisation_id), now)
    if refusal is not None:
        return refusal
    permitted = check_purpose(terms, str(form.purpose), form.gateway)
    if isinstance(permitted, Refusal):
        return permitted
    basis = form.lawful_basis or permitted.lawful_basis
    return Footing(terms.agreement.id, terms.agreement.ends_at, permitted.gateway, basis)


def check_period(form: ShareForm, footing: Footing, starts: datetime, now: datetime) -> None:
    """Every share outside the organisation ends, in the future, and not after its agreement. Raises `Invalid`."""
    wrong = ""
    if form.ends_at is None:
        if footing.agreement_id is not None:
            wrong = "Say until when they may see it"
    elif form.ends_at <= now or form.ends_at <= starts:
        wrong = "The end must be in the future"
    elif footing.agreement_ends_at is not None and form.ends_at > footing.agreement_ends_at:
        wrong = f"The end must not be after the agreement’s, which ends on {format_date(footing.agreement_ends_at)}"
    if wrong:
        raise Invalid("bad_share", errors={"ends": wrong})


def _wrong_recipient(actor: Actor, record: Record, form: ShareForm) -> str:
    """Why this recipient can't be, as a sentence; empty where it can."""
    own = form.to_organisation_id == actor.organisation_id
    if form.to_team_id is None and form.to_user_id is None:
        if own:
            return "Choose a team or a person of your organisation"
        exists = db.session.scalar(
            sa.select(Organisation.id).where(Organisation.id == form.to_organisation_id)
        )
        return "" if exists else "Choose who to share with"
    if form.to_user_id is not None:
        user = db.session.get(User, form.to_user_id)
        if user is None or user.organisation_id != form.to_organisation_id or user.disabled_at is not None:
            return "Choose a person of that organisation who has an account in use"
        return "You have this record already" if user.id == actor.user_id else ""
    if own and form.to_team_id == record.lead_team_id:
        return "This team leads the record already"
    team = db.session.get(Team, form.to_team_id)
    return (
        ""
        if team is not None and _has_members(team, form.to_organisation_id)
        else "Choose a team of that organisation"
    )


def _has_members(team: Team, organisation_id: UUID) -> bool:
    """A team of the organisation itself, or a co-located one in which it has people."""
    if team.organisation_id == organisation_id:
        return True
    member = sa.select(User.id).join(TeamMembership, TeamMembership.user_id == User.id)
    member = member.where(TeamMembership.team_id == team.id, User.organisation_id == organisation_id)
    return db.session.scalar(member.limit(1)) is not None


def _clearance_of(form: ShareForm) -> int:
    """The highest clearance among those whom the share would reach."""
    reached = sa.select(sa.func.max(User.clearance)).where(
        User.organisation_id == form.to_organisation_id, User.disabled_at.is_(None)
    )
    if form.to_user_id is not None:
        reached = reached.where(User.id == form.to_user_id)
    elif form.to_team_id is not None:
        reached = reached.where(
            User.id.in_(sa.select(TeamMembership.user_id).where(TeamMembership.team_id == form.to_team_id))
        )
    highest = db.session.scalar(reached)
    return -1 if highest is None else int(highest)
