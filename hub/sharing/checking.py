"""The checks of a share that need the database: who may receive it, which agreement and consent it stands on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Marking, Purpose, Section
from hub.accounts.models import Organisation, Team, TeamMembership, User
from hub.agreements.policy import Refusal, Terms, check_purpose, nearest, refusal_of
from hub.agreements.queries import find_between
from hub.agreements.vocabulary import LAWFUL_BASES
from hub.consents.queries import ConsentRow, find_consent, find_live_consents
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.text import MAX_TEXT
from hub.extensions import db
from hub.sharing.bases import bases_beside, needs_consent
from hub.sharing.forms import ShareForm
from hub.web.filters import format_date


@dataclass(frozen=True)
class Footing:
    """What a share stands on. Empty within the owner organisation, where none is needed."""

    agreement_id: UUID | None = None
    agreement_ends_at: datetime | None = None
    agreement_sections: tuple[str, ...] = ()
    gateway: str = ""
    lawful_basis: str = ""
    consent_id: UUID | None = None


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
        reach = clearance_of(form.to_organisation_id, form.to_team_id, form.to_user_id)
        label = Marking(max(highest, int(form.max_marking))).label
        if reach < highest:
            errors["to"] = f"They are not cleared for {label}, so they could not read this"
        elif reach < int(form.max_marking):
            errors["max_marking"] = f"They are not cleared for {label}"
    if errors:
        raise Invalid("bad_share", errors=errors)


def check_footing(actor: Actor, form: ShareForm, now: datetime) -> Footing | Refusal:
    """The agreement that carries the share; or why none does. `Invalid` where no purpose was given.

    Within the owner organisation none is needed; one may be named, so that the share reaches those in a co-located team
    whose own employer is party to it.
    """
    own = form.to_organisation_id == actor.organisation_id
    if own and form.agreement_id is None:
        return Footing()
    if form.purpose is None:
        raise Invalid("bad_share", errors={"purpose": "Choose what it is shared for"})
    others = _other_employers(actor, form) if own else [form.to_organisation_id]
    refusals = []
    for other in others:
        agreements = find_between(actor, other)
        if form.agreement_id is not None:
            agreements = [one for one in agreements if one.agreement.id == form.agreement_id]
        # of two that would do, the one that lasts longest
        for terms in sorted(agreements, key=lambda one: one.agreement.ends_at, reverse=True):
            found = _carries(actor, terms, other, form, now)
            if isinstance(found, Footing):
                return found
            refusals.append(found)
    if refusals:
        return nearest(refusals)
    if form.agreement_id is not None:
        called = "The agreement that was chosen does not name both organisations. Choose another."
        return Refusal("none", called)
    name = db.session.scalar(sa.select(Organisation.name).where(Organisation.id == form.to_organisation_id))
    sentence = f"{actor.organisation_name} and {name} have no information sharing agreement. Your administrator can draft one."
    return Refusal("none", sentence)


def _other_employers(actor: Actor, form: ShareForm) -> list[UUID]:
    if form.to_team_id is None:
        return []
    return sorted(employers_in([form.to_team_id])[form.to_team_id] - {actor.organisation_id})


def _carries(actor: Actor, terms: Terms, other: UUID, form: ShareForm, now: datetime) -> Footing | Refusal:
    refusal = refusal_of(terms, (actor.organisation_id, other), now)
    if refusal is not None:
        return refusal
    permitted = check_purpose(terms, str(form.purpose), form.gateway)
    if isinstance(permitted, Refusal):
        return permitted
    beyond = refusal_beyond(terms, form.sections)
    if beyond is not None:
        return beyond
    basis = form.lawful_basis or permitted.lawful_basis
    if basis not in bases_beside(permitted.lawful_basis):
        words = f"{terms.called} rests this purpose on ‘{LAWFUL_BASES[permitted.lawful_basis]}’: choose that, or one of its kind"
        raise Invalid("bad_share", errors={"lawful_basis": words})
    agreement = terms.agreement
    consent = form.consent_id if needs_consent(basis) else None
    return Footing(
        agreement.id, agreement.ends_at, tuple(agreement.sections), permitted.gateway, basis, consent
    )


def refusal_beyond(terms: Terms, sections: Sequence[Section]) -> Refusal | None:
    """Why an agreement does not carry these sections; None where it covers them all."""
    beyond = [one for one in sections if one.value not in terms.agreement.sections]
    if not beyond:
        return None
    parts = " and ".join(SECTION_LABELS[one] for one in beyond)
    return Refusal("section", f"{terms.called} does not cover {parts}.", terms.agreement.id)


def check_consent(actor: Actor, records: Sequence[Record], form: ShareForm, footing: Footing) -> None:
    """Where the basis is consent: one of our own on this record, for this purpose and recipient, that holds. `Invalid` else."""
    if not needs_consent(footing.lawful_basis) or form.purpose is None:
        return
    record = records[0]
    if len(records) > 1:
        alone = "A consent is for this case alone. Share its incidents by themselves, on their own basis"
        raise Invalid("bad_share", errors={"also": alone})
    live = find_live_consents(actor, record.id, form.purpose, form.to_organisation_id)
    if footing.consent_id not in [row.consent.id for row in live]:
        chosen = find_consent(actor, record.id, footing.consent_id) if footing.consent_id else None
        raise Invalid("bad_share", errors={"consent": _not_this_consent(chosen, form)})


def _not_this_consent(row: ConsentRow | None, form: ShareForm) -> str:
    if row is None:
        return "Choose the recorded consent that this rests on"
    consent = row.consent
    if consent.withdrawn_at is not None:
        return f"This consent was withdrawn on {format_date(consent.withdrawn_at)}"
    if consent.purpose != form.purpose:
        return f"This consent is for ‘{PURPOSE_LABELS[Purpose(consent.purpose)]}’ and nothing else"
    if consent.to_organisation_id != form.to_organisation_id:
        return f"This consent is for sharing with {row.to_name}"
    return f"This consent was given to {row.organisation}: record one that was given to you"


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
    # all who wear a co-located team's hat are reached through the team; it is its own organisation's
    ours = team is not None and team.organisation_id == form.to_organisation_id
    return "" if ours else "Choose a team of that organisation"


def employers_in(team_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """The employers of the present members of each team, in one query."""
    found: dict[UUID, set[UUID]] = {key: set() for key in team_ids}
    rows = db.session.execute(
        sa.select(TeamMembership.team_id, User.organisation_id)
        .join(User, User.id == TeamMembership.user_id)
        .where(TeamMembership.team_id.in_(found), *_present(clock.now()))
        .distinct()
    )
    for team_id, employer in rows:
        found[team_id].add(employer)
    return found


def _present(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    left = sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now)
    return left, User.disabled_at.is_(None)


def clearance_of(organisation_id: UUID, team_id: UUID | None, user_id: UUID | None) -> int:
    """The highest clearance among those whom a share would reach; -1 where there is nobody."""
    reached = sa.select(sa.func.max(User.clearance)).where(User.disabled_at.is_(None))
    if user_id is not None:
        reached = reached.where(User.id == user_id)
    elif team_id is not None:
        members = sa.select(TeamMembership.user_id).join(User, User.id == TeamMembership.user_id)
        members = members.where(TeamMembership.team_id == team_id, *_present(clock.now()))
        reached = reached.where(User.id.in_(members))
    else:
        reached = reached.where(User.organisation_id == organisation_id)
    highest = db.session.scalar(reached)
    return -1 if highest is None else int(highest)
