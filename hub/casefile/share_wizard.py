"""What the three steps of sharing a case offer and say: who, what and why, and the plain sentence before it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Marking, Purpose, Section
from hub.accounts.models import Organisation, Team
from hub.agreements.policy import Refusal, Terms, nearest, refusal_of
from hub.agreements.queries import Partner, find_between, find_partners
from hub.agreements.vocabulary import GATEWAYS
from hub.cases.models import Case
from hub.cases.queries import find_incident_ids
from hub.core import clock
from hub.extensions import db
from hub.incidents.models import Incident
from hub.sharing.forms import ShareForm
from hub.sharing.policy import USUAL_LENGTH
from hub.web.filters import format_date

Choice = tuple[str, str, str]
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
# what travels from step to step; the boxes of several values last
SINGLE = (
    "to", "purpose", "gateway", "max_marking", "may_contribute", "reason", "ends-day", "ends-month", "ends-year",
)  # fmt: skip
SEVERAL = ("sections", "also")


@dataclass(frozen=True)
class Who:
    """Step 1: who may be chosen, and who may not and why."""

    partners: Sequence[Choice]
    colleagues: Sequence[Choice]
    greyed: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class What:
    """Step 2: what this recipient may be given."""

    to_name: str
    own: bool
    purposes: Sequence[Choice]
    sections: Sequence[Choice]
    incidents: Sequence[tuple[str, str]]
    latest: datetime | None
    suggested: Mapping[str, Any]


def find_who(actor: Actor, case: Case) -> Who:
    """Organisations with a live agreement first, their teams here with them; those without, each with its reason."""
    now = clock.now()
    partners: list[Choice] = []
    greyed: list[tuple[str, str]] = []
    teams = _teams_of_partnership(actor)
    for one in find_partners(actor):
        live, refusal = _live(actor, one, now)
        if refusal is not None:
            greyed.append((one.name, refusal))
            continue
        partners.append((f"organisation:{one.id}", one.name, _terms_in_words(live)))
        partners += [
            (f"team:{one.id}:{team.id}", f"{one.name}: {team.name}", "Only people working in this team")
            for team in teams
            if team.organisation_id == one.id
        ]
    colleagues = [
        (f"team:{actor.organisation_id}:{team.id}", team.name, "No agreement needed inside your organisation")
        for team in teams
        if team.organisation_id == actor.organisation_id and team.id != case.lead_team_id
    ]
    return Who(partners, colleagues, greyed)


def find_what(actor: Actor, case: Case, to: tuple[UUID, UUID | None]) -> What:
    """What the agreements between the two permit, the sections, the incidents that may go along, and a usual end."""
    organisation, team = to
    own = organisation == actor.organisation_id
    now = clock.now()
    live = (
        []
        if own
        else [one for one in find_between(actor, organisation) if _carries(actor, one, organisation, now)]
    )
    latest = max((one.agreement.ends_at for one in live), default=None)
    end = min(now + USUAL_LENGTH, latest) if latest else now + USUAL_LENGTH
    # the day before an agreement's end is the last whole one
    last_day = (end - DAY if latest and end == latest else end).astimezone(clock.LONDON)
    return What(
        to_name=_recipient_name(organisation, team),
        own=own,
        purposes=[] if own else _purposes(live, actor.purpose),
        sections=[
            (one.value, label, "") for one, label in SECTION_LABELS.items() if one is not Section.SUMMARY
        ],
        incidents=_incidents(actor, case.id),
        latest=latest,
        suggested={
            "purpose": actor.purpose,
            "sections": [Section.SUMMARY.value, Section.CHRONOLOGY.value],
            "max_marking": str(case.marking),
            "ends-day": str(last_day.day),
            "ends-month": str(last_day.month),
            "ends-year": str(last_day.year),
        },
    )


def sentence(actor: Actor, case: Case, form: ShareForm, to_name: str, incidents: int) -> str:
    """What will happen, to whom, until when: one plain sentence."""
    what = f"{case.reference}{f' and {incidents} of its incidents' if incidents else ''}"
    until = f" until the end of {_last_day(form.ends_at)}" if form.ends_at else " until you end it"
    who = to_name if form.to_team_id or form.to_user_id else f"people of {to_name}"
    adding = "read and add to" if form.may_contribute else "read, and not change,"
    accepted = "Once they have accepted, "
    purpose = f", while they work to {_lower(PURPOSE_LABELS[form.purpose])}" if form.purpose else ""
    return f"{accepted}{who} can {adding} the parts of {what} listed below{purpose},{until}. You can end it at any time."


def parts_in_words(form: ShareForm) -> list[str]:
    parts = [SECTION_LABELS[one] for one in form.sections]
    return [*parts, f"Nothing marked above {Marking(form.max_marking).label}"]


def until_in_words(form: ShareForm) -> str:
    return f"The end of {_last_day(form.ends_at)}" if form.ends_at else "You end it"


def hidden(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The state between the steps, as hidden fields."""
    single = [(name, str(values[name])) for name in SINGLE if values.get(name)]
    return single + [(name, str(one)) for name in SEVERAL for one in values.get(name, ())]


def _last_day(ends_at: datetime | None) -> str:
    return format_date(ends_at - SECOND) if ends_at else ""


def _live(actor: Actor, partner: Partner, now: datetime) -> tuple[list[Terms], str | None]:
    refusals: list[Refusal] = []
    live: list[Terms] = []
    for terms in partner.agreements:
        refusal = refusal_of(terms, (actor.organisation_id, partner.id), now)
        if refusal is None:
            live.append(terms)
        else:
            refusals.append(refusal)
    if live:
        return live, None
    return [], nearest(refusals).sentence if refusals else "You have no agreement with them."


def _carries(actor: Actor, terms: Terms, organisation: UUID, now: datetime) -> bool:
    return refusal_of(terms, (actor.organisation_id, organisation), now) is None


def _terms_in_words(live: Sequence[Terms]) -> str:
    return "; ".join(f"{one.called}, until {format_date(one.agreement.ends_at)}" for one in live)


def _purposes(live: Sequence[Terms], in_hand: str) -> list[Choice]:
    """Each permitted purpose with the gateway and agreement that it stands on, the purpose in hand first."""
    found: dict[str, Choice] = {}
    for terms in sorted(live, key=lambda one: one.agreement.ends_at, reverse=True):
        for one in terms.purposes:
            words = f"Under {terms.called}, by {GATEWAYS[one.gateway]}"
            found.setdefault(one.purpose, (one.purpose, PURPOSE_LABELS[Purpose(one.purpose)], words))
    return sorted(found.values(), key=lambda one: (one[0] != in_hand, one[1]))


def _teams_of_partnership(actor: Actor) -> Sequence[Team]:
    return db.session.scalars(
        sa.select(Team).where(Team.partnership_id == actor.partnership_id).order_by(Team.name)
    ).all()


def _recipient_name(organisation: UUID, team: UUID | None) -> str:
    name = db.session.scalar(sa.select(Organisation.name).where(Organisation.id == organisation)) or ""
    if team is None:
        return name
    return f"{db.session.scalar(sa.select(Team.name).where(Team.id == team)) or ''}, {name}"


def _incidents(actor: Actor, case_id: UUID) -> list[tuple[str, str]]:
    """The case's incidents that the actor leads: only those can go along."""
    ids = find_incident_ids(actor, case_id)
    led = sa.select(Record.id).where(
        Record.id.in_(ids),
        Record.lead_team_id == actor.team_id,
        Record.partnership_id == actor.partnership_id,
    )
    rows = db.session.execute(
        sa.select(Incident.id, Incident.reference, Incident.title)
        .where(Incident.id.in_(led))
        .order_by(Incident.id)
    )
    return [(str(key), f"{reference}: {title}") for key, reference, title in rows]


def check_also(actor: Actor, case_id: UUID, also: Sequence[UUID]) -> list[UUID]:
    """Only incidents of this case that the actor leads; anything else that was sent is left out."""
    known = {UUID(key) for key, _ in _incidents(actor, case_id)}
    return [one for one in also if one in known]


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]
