"""Step 1 of sharing a record: who may be chosen, and who may not and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission
from hub.accounts.models import Partnership, RoleHolding, Team, TeamMembership, User
from hub.agreements.policy import Refusal, Terms, nearest, refusal_of
from hub.agreements.queries import Partner, find_partners
from hub.casefile.share_subject import Subject
from hub.core import clock
from hub.core.text import clean
from hub.extensions import db
from hub.sharing.checking import employers_in
from hub.web.filters import format_date

Choice = tuple[str, str, str]
PEOPLE_AT_MOST = 20
LONGEST_NAME = 100
COLOCATED = "All who wear this team’s hat and whose own employer is party to the agreement"


@dataclass(frozen=True)
class Group:
    """Recipients that stand together under one heading."""

    legend: str
    options: Sequence[Choice]


@dataclass(frozen=True)
class Who:
    """What step 1 offers. `people` are the named people that were looked for; None where nobody was."""

    groups: Sequence[Group]
    greyed: Sequence[tuple[str, str]]
    organisations: Sequence[tuple[str, str]]
    people: Sequence[Choice] | None


@dataclass(frozen=True)
class _Place:
    """A team with where it works."""

    team: Team
    partnership: str
    employers: set[UUID]

    @property
    def colocated(self) -> bool:
        return bool(self.employers - {self.team.organisation_id})


def find_who(actor: Actor, subject: Subject, values: Mapping[str, Any]) -> Who:
    """Organisations with a live agreement and their teams, in whatever partnership; own teams; named people of one."""
    now = clock.now()
    live: dict[UUID, tuple[Partner, list[Terms]]] = {}
    greyed = []
    for one in find_partners(actor):
        terms, refusal = _live(actor, one, now)
        if refusal is None:
            live[one.id] = (one, terms)
        else:
            greyed.append((one.name, refusal))
    places = _places([*live, actor.organisation_id])
    groups = [
        Group(partner.name, _partner_options(actor, partner, terms, places))
        for partner, terms in live.values()
    ]
    colleagues = [
        (
            f"team:{actor.organisation_id}:{place.team.id}",
            _team_name(actor, place),
            _own_hint(place),
        )
        for place in places
        if place.team.organisation_id == actor.organisation_id and place.team.id != subject.lead_team_id
    ]
    if colleagues:
        groups.append(Group("Other teams of your organisation", colleagues))
    named = [(str(one.id), one.name) for one, _ in live.values()]
    organisations = [(str(actor.organisation_id), actor.organisation_name), *named]
    return Who(groups, greyed, organisations, _people(actor, organisations, values))


def live_terms(actor: Actor, partner: Partner, now: datetime) -> list[Terms]:
    """The agreements on which a share with this partner may stand now."""
    return _live(actor, partner, now)[0]


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


def _places(organisations: Sequence[UUID]) -> list[_Place]:
    rows = db.session.execute(
        sa.select(Team, Partnership.name)
        .join(Partnership, Partnership.id == Team.partnership_id)
        .where(Team.organisation_id.in_(organisations))
        .order_by(Team.name, Team.id)
    ).all()
    employers = employers_in([team.id for team, _ in rows])
    return [_Place(team, name, employers[team.id]) for team, name in rows]


def _partner_options(
    actor: Actor, partner: Partner, terms: Sequence[Terms], places: Sequence[_Place]
) -> list[Choice]:
    stands_on = "; ".join(f"{one.called}, until {format_date(one.agreement.ends_at)}" for one in terms)
    whole = (f"organisation:{partner.id}", f"All of {partner.name}", stands_on)
    teams = [
        (
            f"team:{partner.id}:{place.team.id}",
            f"{partner.name}: {_team_name(actor, place)}",
            COLOCATED if place.colocated else "Only people working in this team",
        )
        for place in places
        if place.team.organisation_id == partner.id
    ]
    return [whole, *teams]


def _team_name(actor: Actor, place: _Place) -> str:
    elsewhere = place.team.partnership_id != actor.partnership_id
    return f"{place.team.name} ({place.partnership})" if elsewhere else place.team.name


def _own_hint(place: _Place) -> str:
    if place.colocated:
        return "Your own people in it need no agreement. The next step says how to reach the others too"
    return "No agreement needed inside your organisation"


def _people(
    actor: Actor, organisations: Sequence[tuple[str, str]], values: Mapping[str, Any]
) -> list[Choice] | None:
    chosen = str(values.get("of", ""))
    if chosen not in dict(organisations):
        return None
    words = clean(str(values.get("find", "")))[:LONGEST_NAME]
    reads = [role.value for role, known in ROLES.items() if Permission.CASE_READ in known.permissions]
    now = clock.now()
    holders = sa.select(RoleHolding.user_id).where(
        RoleHolding.role.in_(reads), sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now)
    )
    members = sa.select(TeamMembership.user_id).where(
        sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now)
    )
    found = sa.select(User.id, User.name, User.job_title).where(
        User.organisation_id == UUID(chosen),
        User.disabled_at.is_(None),
        User.id != actor.user_id,
        User.id.in_(holders),
        User.id.in_(members),
    )
    if words:
        found = found.where(User.name.icontains(words, autoescape=True))
    rows = db.session.execute(found.order_by(User.name, User.id).limit(PEOPLE_AT_MOST))
    return [(f"user:{chosen}:{row.id}", row.name, row.job_title) for row in rows]
