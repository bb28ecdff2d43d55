"""Step 2 of sharing a record: what this recipient may be given, under which agreement and on which basis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose, RecordKind, Section
from hub.accounts.models import Organisation, Team, User
from hub.agreements.policy import Terms
from hub.agreements.queries import find_partners
from hub.agreements.vocabulary import CONDITIONS, GATEWAYS, LAWFUL_BASES
from hub.casefile.share_subject import Subject
from hub.casefile.share_who import Choice, live_terms
from hub.cases.queries import find_incident_ids
from hub.consents.queries import find_consents_of
from hub.core import clock
from hub.extensions import db
from hub.incidents.models import Incident
from hub.people.queries import find_people_of
from hub.sharing.bases import BASIS_WORDS, bases_beside, needs_consent
from hub.sharing.checking import employers_in
from hub.sharing.policy import usual_length
from hub.web.filters import format_date, format_partial_date

To = tuple[UUID, UUID | None, UUID | None]
DAY = timedelta(days=1)
AS_AGREED = ("", "As the agreement says", "What stands beside the purpose above")


@dataclass(frozen=True)
class What:
    """What step 2 offers for a recipient."""

    to_name: str
    # within the owner organisation: no agreement, and no end, is needed
    own: bool
    colocated: bool
    terms: Sequence[Terms]
    purposes: Sequence[Choice]
    bases: Sequence[Choice]
    consents: Sequence[tuple[str, str]]
    consent_href: str
    sections: Sequence[Choice]
    greyed: Sequence[tuple[str, str]]
    incidents: Sequence[tuple[str, str]]
    latest: datetime | None
    suggested: Mapping[str, Any]


def find_what(actor: Actor, subject: Subject, to: To) -> What:
    """What the agreements between the two permit, the incidents that may go along, and a usual end."""
    organisation, team, _ = to
    own = organisation == actor.organisation_id
    now = clock.now()
    colocated, live = _standing(actor, organisation, team, now)
    covered = {one for terms in live for one in terms.agreement.sections}
    needs_cover = not own
    offered = [one for one in subject.sections if one.value in covered or not needs_cover]
    consents = _consents(actor, subject, organisation)
    return What(
        to_name=recipient_name(to),
        own=own,
        colocated=colocated,
        terms=live,
        purposes=_purposes(live, actor.purpose, own),
        bases=_bases(live),
        consents=consents,
        consent_href=_consent_href(actor, subject),
        sections=[(one.value, SECTION_LABELS[one], _not_under(live, one)) for one in offered],
        greyed=[
            (SECTION_LABELS[one], "no agreement in force with them covers it")
            for one in subject.sections
            if one not in offered
        ],
        incidents=_incidents(actor, subject.id) if subject.is_case else [],
        latest=max((one.agreement.ends_at for one in live), default=None) if not own else None,
        suggested=_suggested(actor, subject, live, own, offered, now),
    )


def recipient_name(to: To) -> str:
    organisation, team, user = to
    name = db.session.scalar(sa.select(Organisation.name).where(Organisation.id == organisation)) or ""
    if team is not None:
        called = db.session.scalar(sa.select(Team.name).where(Team.id == team))
    elif user is not None:
        called = db.session.scalar(sa.select(User.name).where(User.id == user))
    else:
        return name
    return f"{called or ''}, {name}"


def _standing(actor: Actor, organisation: UUID, team: UUID | None, now: datetime) -> tuple[bool, list[Terms]]:
    """Whether the team is co-located, and the agreements that may carry a share with this recipient."""
    employers = employers_in([team])[team] if team is not None else set()
    colocated = bool(employers - {organisation})
    wanted = {organisation} if organisation != actor.organisation_id else employers - {organisation}
    found: dict[UUID, Terms] = {}
    if wanted:
        for partner in find_partners(actor):
            if partner.id in wanted:
                found.update({one.agreement.id: one for one in live_terms(actor, partner, now)})
    return colocated, sorted(found.values(), key=lambda one: one.agreement.ends_at, reverse=True)


def _suggested(
    actor: Actor,
    subject: Subject,
    live: Sequence[Terms],
    own: bool,
    offered: Sequence[Section],
    now: datetime,
) -> dict[str, Any]:
    latest = max((one.agreement.ends_at for one in live), default=None) if not own else None
    offered_end = now + usual_length(actor)
    end = min(offered_end, latest) if latest else offered_end
    # the day before an agreement's end is the last whole one
    last_day = (end - DAY if latest and end == latest else end).astimezone(clock.LONDON)
    under = next((one for one in live if one.permission_for(actor.purpose)), None)
    usual = Section.CHRONOLOGY if subject.is_case else Section.PEOPLE
    return {
        "purpose": f"{actor.purpose}:{under.agreement.id}" if under and not own else "",
        "sections": [Section.SUMMARY.value, *([usual.value] if usual in offered else [])],
        "max_marking": str(subject.marking),
        "ends-day": str(last_day.day),
        "ends-month": str(last_day.month),
        "ends-year": str(last_day.year),
    }


def _purposes(live: Sequence[Terms], in_hand: str, own: bool) -> list[Choice]:
    """Each permitted purpose under each agreement that permits it, the purpose in hand first."""
    found = [
        (f"{one.purpose}:{terms.agreement.id}", PURPOSE_LABELS[Purpose(one.purpose)], _under(terms, one))
        for terms in live
        for one in terms.purposes
    ]
    found.sort(key=lambda one: (one[0].partition(":")[0] != in_hand, one[1]))
    if own:
        return [("", "Only our own people in this team", "No agreement is needed"), *found] if found else []
    return found


def _under(terms: Terms, permitted: Any) -> str:
    until = format_date(terms.agreement.ends_at)
    words = [f"Under {terms.called}, until {until}, by {GATEWAYS[permitted.gateway]}"]
    words.append(LAWFUL_BASES[permitted.lawful_basis])
    if permitted.condition:
        words.append(CONDITIONS.get(permitted.condition, permitted.condition))
    return ". ".join(words)


def _bases(live: Sequence[Terms]) -> list[Choice]:
    """What an agreement's own basis may be replaced by, consent last. Nothing to choose without an agreement."""
    agreed = {one.lawful_basis for terms in live for one in terms.purposes}
    allowed = {basis for one in agreed for basis in bases_beside(one)}
    if not allowed:
        return []
    # what all agreements say is the first choice already
    beside = allowed - agreed if len(agreed) == 1 else allowed
    ordered = sorted(beside, key=lambda one: (needs_consent(one), one))
    return [AS_AGREED, *((one, *_basis_words(one)) for one in ordered)]


def _basis_words(basis: str) -> tuple[str, str]:
    plain, law = BASIS_WORDS[basis]
    rarely = ". Rarely right: only where none of the others is. It can be withdrawn at any time"
    return plain, law + (rarely if needs_consent(basis) else "")


def _consents(actor: Actor, subject: Subject, organisation: UUID) -> list[tuple[str, str]]:
    """Our own live consents to sharing this record with this organisation, each with its person and purpose."""
    consents = [
        row.consent
        for row in find_consents_of(actor, subject.id)
        if row.own and row.holds and row.consent.to_organisation_id == organisation
    ]
    if not consents:
        return []
    names = {one.person_id: one.name for one in find_people_of(actor, [subject.id]).get(subject.id, [])}
    return [
        (str(one.id), _consent_words(names.get(one.person_id, "Somebody"), one.purpose, one.given_on))
        for one in consents
    ]


def _consent_words(name: str, purpose: str, given_on: str) -> str:
    return f"{name}: {lower(PURPOSE_LABELS[Purpose(purpose)])}, given {format_partial_date(given_on)}"


def _consent_href(actor: Actor, subject: Subject) -> str:
    if not subject.is_case or not actor.may(Permission.CONSENT_RECORD):
        return ""
    return f"{subject.base}/consents/new"


def _not_under(live: Sequence[Terms], section: Section) -> str:
    """Which of several agreements do not cover a section that another one does."""
    missing = [terms.called for terms in live if section.value not in terms.agreement.sections]
    return f"Not under {' or '.join(missing)}" if missing else ""


def _incidents(actor: Actor, case_id: UUID) -> list[tuple[str, str]]:
    """The case's incidents that the actor leads: only those can go along."""
    led = _led_incidents(actor, case_id)
    rows = db.session.execute(
        sa.select(Incident.id, Incident.reference, Incident.title)
        .where(Incident.id.in_(led))
        .order_by(Incident.id)
    )
    return [(str(key), f"{reference}: {title}") for key, reference, title in rows]


def _led_incidents(actor: Actor, case_id: UUID) -> list[UUID]:
    led = sa.select(Record.id).where(
        Record.id.in_(find_incident_ids(actor, case_id)),
        Record.lead_team_id == actor.team_id,
        Record.partnership_id == actor.partnership_id,
    )
    return list(db.session.scalars(led))


def check_also(actor: Actor, kind: RecordKind, record_id: UUID, also: Sequence[UUID]) -> list[UUID]:
    """Only incidents of this case that the actor leads; anything else that was sent is left out."""
    if not also or kind is not RecordKind.CASE:
        return []
    known = set(_led_incidents(actor, record_id))
    return [one for one in dict.fromkeys(also) if one in known]


def lower(label: str) -> str:
    return label[:1].lower() + label[1:]
