"""The stage: organisations, teams and people of the cast, and whoever acts at the moment. All in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import NOBODY, Actor, Source
from hub.access.guard import TOKEN_KEY, enter, hand_over
from hub.access.vocabulary import Purpose
from hub.accounts import sessions
from hub.accounts.models import Organisation, Partnership, RoleHolding, Team, TeamMembership, User
from hub.accounts.vocabulary import POLICE_KINDS, Method
from hub.agreements.actions import draft_agreement, send_agreement, sign_agreement
from hub.agreements.forms import PartyLine, PermittedPurpose, TermsForm
from hub.audit.recording import append
from hub.core import clock
from hub.crypto.passwords import hash_password
from hub.demo.cast import AREAS, FACTS, ORGANISATIONS, PACTS, PEOPLE, TEAMS, Facts, Pact, Person
from hub.extensions import db
from hub.joining.terms import IN_FORCE
from hub.settings.vetting import Vetting
from hub.sharing.ending import suspend_agreement

LASTS = timedelta(hours=2)


class Stage:
    """Makes the cast and hands the part to one of them after the other."""

    def __init__(self) -> None:
        self.areas: dict[str, UUID] = {}
        self.organisations: dict[str, UUID] = {}
        self.teams: dict[str, UUID] = {}
        self.users: dict[str, UUID] = {}
        self.agreements: dict[str, UUID] = {}
        self.now: datetime = clock.now()
        self._actors: dict[tuple[str, str, str], Actor] = {}

    def play(self, key: str, *, team: str | None = None, purpose: Purpose | None = None) -> Actor:
        """From here on this person acts, in that hat and for that purpose."""
        person = next(one for one in PEOPLE if one.key == key)
        hat = team or person.teams[0]
        wanted = purpose or TEAMS[hat][3]
        actor = self._actors.get((key, hat, wanted.value))
        if actor is None:
            hand_over(db.session(), NOBODY)
            token = sessions.start(
                db.session.get_one(User, self.users[key]),
                db.session.get_one(Team, self.teams[hat]),
                method=Method.OPERATOR,
                kind=Source.LOAD,
                purpose=wanted.value,
                lasts=LASTS,
            )
            actor = self._actors[(key, hat, wanted.value)] = sessions.actor_of(token)
        if db.session().info.get(TOKEN_KEY) != actor.token:
            hand_over(db.session(), actor)
        return actor

    def build_cast(self, password: str) -> None:
        """Areas, organisations, teams, people and their roles."""
        enter(db.session(), NOBODY)
        stored = hash_password(password)
        for code, (name, _wards) in AREAS.items():
            self.areas[code] = self._made(Partnership(code=code, name=f"{name} Community Safety Partnership"))
        for code, (name, kind) in ORGANISATIONS.items():
            self.organisations[code] = self._made(Organisation(code=code, name=name, kind=kind.value))
        for key, (organisation, area, name, purpose) in TEAMS.items():
            self.teams[key] = self._made(
                Team(
                    organisation_id=self.organisations[organisation],
                    partnership_id=self.areas[area],
                    name=name,
                    default_purpose=purpose.value,
                )
            )
        joined = self.now - timedelta(days=560)
        for person in PEOPLE:
            self.users[person.key] = self._made(
                User(
                    organisation_id=self.organisations[TEAMS[person.teams[0]][0]],
                    email=f"{person.key}@example.org",
                    name=person.name,
                    job_title=person.job,
                    password_hash=stored,
                    **self._conditions(person),
                )
            )
            for position, team in enumerate(person.teams):
                db.session.add(
                    TeamMembership(
                        team_id=self.teams[team],
                        user_id=self.users[person.key],
                        joined_at=joined + timedelta(minutes=position),
                    )
                )
            for area in {TEAMS[team][1] for team in person.teams}:
                for role in person.roles:
                    db.session.add(
                        RoleHolding(
                            user_id=self.users[person.key],
                            partnership_id=self.areas[area],
                            role=role.value,
                            granted_at=joined,
                        )
                    )
        db.session.flush()
        self._write_cast_down()

    def _conditions(self, person: Person) -> dict[str, Any]:
        """The terms accepted, training, vetting as the employer does it, and the last day of temporary staff."""
        facts, today = FACTS.get(person.key, Facts()), clock.today()
        kind = ORGANISATIONS[TEAMS[person.teams[0]][0]][1]
        vetting = Vetting.RECRUITMENT if kind in POLICE_KINDS else Vetting.NPPV2_ABBREVIATED
        return {
            "terms_version": IN_FORCE,
            "terms_accepted_at": self.now,
            "trained_on": today + timedelta(days=facts.trained),
            "vetting": vetting.value,
            "vetting_expires_on": today + timedelta(days=facts.vetted),
            "access_ends_on": today + timedelta(days=facts.ends) if facts.ends is not None else None,
        }

    def build_agreements(self) -> None:
        """In force, expired, suspended, and one that a party has not signed yet."""
        for pact in PACTS:
            self._agree(pact)

    def _agree(self, pact: Pact) -> None:
        drafter = next(one for one in PEOPLE if one.key == pact.signed_by[0])
        team = next(team for team in drafter.teams if TEAMS[team][1] == pact.area)
        actor = self.play(pact.signed_by[0], team=team)
        starts, ends = (self.now + timedelta(days=days) for days in pact.days)
        form = TermsForm(
            title=pact.title,
            parties=tuple(PartyLine(self.organisations[code]) for code in pact.parties),
            purposes=tuple(
                PermittedPurpose(purpose, gateway, basis) for purpose, gateway, basis in pact.purposes
            ),
            starts_at=starts,
            review_at=min(starts + timedelta(days=365), ends),
            ends_at=ends,
            data_classes="Names, addresses, dates of birth, what happened, risk, action taken",
        )
        agreement = draft_agreement(actor, form)
        self.agreements[pact.key] = agreement.id
        send_agreement(actor, agreement.id)
        for signer in pact.signed_by:
            sign_agreement(self.play(signer), agreement.id)
        if pact.suspended:
            suspend_agreement(self.play(pact.signed_by[0], team=team), agreement.id, why=pact.suspended)

    def _made(self, row: Partnership | Organisation | Team | User) -> UUID:
        db.session.add(row)
        db.session.flush()
        return row.id

    def _write_cast_down(self) -> None:
        """The log tells truthfully that the loader made all this now."""
        for code, organisation in self.organisations.items():
            keeper = next(
                one
                for one in PEOPLE
                if TEAMS[one.teams[0]][0] == code and "administrator" in {r.value for r in one.roles}
            )
            actor = self.play(keeper.key)
            append(actor, "organisation.created", object_id=organisation)
            for person in PEOPLE:
                if TEAMS[person.teams[0]][0] == code:
                    append(actor, "user.invited", object_id=self.users[person.key])


def is_there() -> bool:
    """Whether any partnership has been made in this database."""
    enter(db.session(), NOBODY)
    found = db.session.scalar(sa.select(Partnership.id).limit(1))
    db.session.rollback()
    return found is not None
