"""What becomes of a case once it is told: who gets a share of it, how far it moves along the state table, its dates."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.vocabulary import Marking, Purpose, Section
from hub.cases.actions import move_case
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind, CaseStatus, ClosureReason
from hub.core import clock
from hub.demo.cast import AREAS, PACTS, PEOPLE, TEAMS
from hub.demo.stage import Stage
from hub.extensions import db
from hub.sharing.actions import answer_share, revoke_share, share_record
from hub.sharing.forms import ShareForm

LEADERS = {
    "NBK": "amara.okafor dylan.prosser",
    "EMR": "colm.devlin",
    "FWV": "hollie.grange",
    "SLT": "nia.corrigan",
}
MANAGERS = {"NBK": "rhys.llewellyn", "EMR": "anjali.rao", "FWV": "marek.dudek", "SLT": "saul.whitby"}
SERGEANTS = {"NBK": "tomasz.nowak", "EMR": "imogen.farrow", "FWV": "keir.dunmore", "SLT": "aled.vaughan"}
POLICE_TEAMS = {"NBK": "nb_npt", "EMR": "em_npt", "FWV": "fv_npt", "SLT": "sm_npt"}
COUNCIL_TEAMS = {"NBK": "nb_safety", "EMR": "em_safety", "FWV": "fv_safety", "SLT": "sm_safety"}
# who may be given a case, by how the stories call them: area → team and who answers for it
RECIPIENTS: dict[str, dict[str, tuple[str, str]]] = {
    "police": {area: (POLICE_TEAMS[area], SERGEANTS[area]) for area in AREAS},
    "council": {area: (COUNCIL_TEAMS[area], MANAGERS[area]) for area in AREAS},
    "youth": {
        "NBK": ("ne_yjs", "dana.whitlock"),
        "EMR": ("ne_yjs_em", "dana.whitlock"),
        "FWV": ("fs_yjs", "priya.menon"),
    },
    "TPB": {"NBK": ("probation", "leon.fairclough")},
    "HBH": {"NBK": ("homes", "zofia.wrobel")},
    "TVC": {"NBK": ("victim", "esther.quill")},
    "LNT": {"NBK": ("outreach", "noor.aziz")},
}


REASONS = {
    Purpose.PREVENT_CRIME: "Patrols and visits need to be planned together: the team knows the people and the places, and without this the same doors are knocked on twice.",
    Purpose.PROTECT_PUBLIC: "The household may be at risk from what happens here; the team has to know before it sends somebody alone.",
    Purpose.SAFEGUARD_CHILD: "A child is involved and more than one worker sees them. The worker needs the whole picture before the next visit.",
    Purpose.SAFEGUARD_ADULT: "The adult meets outreach every day and nobody else as often. Support can only be offered by who knows what was offered before.",
    Purpose.SUPPORT_VICTIM: "The victim agreed to support. The adviser needs what was said, what was promised and when it is safe to call.",
    Purpose.MANAGE_OFFENDER: "The person is supervised; what is reported here bears on the conditions and on the next appointment.",
    Purpose.TENANCY: "The landlord has to decide on tenancy action and needs the fact and the dates, no more.",
}


@dataclass
class Told:
    """A case as the later steps need it."""

    id: UUID
    area: str
    owner: str
    opened: datetime
    kind: CaseKind
    # when something was last done about it
    last: datetime


def team_in(key: str, area: str) -> str:
    """The team in which a person works in an area, or the first that they have."""
    person = next(one for one in PEOPLE if one.key == key)
    return next((team for team in person.teams if TEAMS[team][1] == area), person.teams[0])


def organisation_of(key: str) -> str:
    return TEAMS[next(one for one in PEOPLE if one.key == key).teams[0]][0]


class Aftermath:
    """Shares, moves and dates of the cases that have been told."""

    def __init__(self, stage: Stage, draw: random.Random) -> None:
        self.stage = stage
        self.draw = draw

    def share(
        self, told: Told, recipient: str, purpose: Purpose, sections: tuple[Section, ...], marking: Marking
    ) -> None:
        found = RECIPIENTS[recipient].get(told.area)
        if found is None or TEAMS[found[0]][0] == organisation_of(told.owner):
            return
        team, answers = found
        pact = _pact(told.area, organisation_of(told.owner), TEAMS[team][0], purpose)
        if pact is None:
            return
        fate = self.draw.random()
        starts = self._start(told, waiting=fate >= 0.92)
        lasts = self.draw.choice((30, 90, 180, 300))
        latest = self.stage.now + timedelta(days=pact) - timedelta(days=1)
        form = ShareForm(
            to_organisation_id=self.stage.organisations[TEAMS[team][0]],
            to_team_id=self.stage.teams[team],
            sections=sections,
            reason=REASONS[purpose],
            ends_at=min(starts + timedelta(days=lasts), latest),
            purpose=purpose,
            max_marking=marking,
            may_contribute=self.draw.random() < 0.7,
        )
        owner = self.stage.play(told.owner, team=team_in(told.owner, told.area))
        grant = share_record(owner, told.id, form, starts_at=starts)
        if fate < 0.88:
            answerer = self.stage.play(answers, team=team, purpose=purpose)
            answer_share(answerer, grant.id, accept=True, at=starts + timedelta(minutes=5))
            if fate > 0.82 and form.ends_at is not None and form.ends_at > self.stage.now:
                owner = self.stage.play(told.owner, team=team_in(told.owner, told.area))
                revoke_share(owner, grant.id, reason="The work with this partner has ended.")
        elif fate < 0.92 and form.ends_at is not None and form.ends_at > self.stage.now:
            answerer = self.stage.play(answers, team=team, purpose=purpose)
            answer_share(
                answerer,
                grant.id,
                accept=False,
                reason="Not for our team: please send it to the area office.",
            )

    def _start(self, told: Told, *, waiting: bool) -> datetime:
        """Soon after the case was opened, or in the last weeks; one that still waits was asked for in the last two days."""
        if waiting:
            return max(told.opened, self.stage.now - timedelta(hours=self.draw.randint(1, 48)))
        early = told.opened + timedelta(days=self.draw.randint(1, 10))
        late = self.stage.now - timedelta(days=self.draw.randint(2, 60))
        wanted = early if self.draw.random() < 0.4 else max(early, late)
        return min(wanted, self.stage.now - timedelta(minutes=10))

    def move(self, told: Told) -> None:
        """Along the table, as far as the age of the case suggests."""
        owner = self.stage.play(told.owner, team=team_in(told.owner, told.area))
        age = (self.stage.now - told.opened).days
        at = min(told.opened + timedelta(hours=20), self.stage.now)
        if age < 1 or self.draw.random() < 0.04:
            return
        told.last = max(told.last, at)
        move_case(owner, told.id, CaseStatus.TRIAGE, at=at)
        if age < 3 or self.draw.random() < 0.05:
            return
        move_case(owner, told.id, CaseStatus.OPEN, at=at)
        fate = self.draw.random()
        if age > 60 and fate < 0.45:
            self._close(told, owner)
        elif fate < 0.55:
            until = self.stage.now + timedelta(days=self.draw.randint(5, 40))
            move_case(
                owner,
                told.id,
                CaseStatus.ON_HOLD,
                reason="Waiting for the court date.",
                until=until,
                at=self.stage.now,
            )
        elif age > 30 and fate < 0.65:
            until = self.stage.now + timedelta(days=self.draw.randint(10, 60))
            move_case(
                owner,
                told.id,
                CaseStatus.MONITORING,
                reason="Quiet for a month.",
                until=until,
                at=self.stage.now,
            )

    def _close(self, told: Told, owner: Actor) -> None:
        told.last = max(told.last, told.opened)
        ended = told.opened + (self.stage.now - told.opened) * self.draw.uniform(0.4, 0.9)
        reason = self.draw.choice(
            (
                ClosureReason.RESOLVED_BEHAVIOUR_STOPPED,
                ClosureReason.RESOLVED_SUPPORT_IN_PLACE,
                ClosureReason.RESOLVED_MEDIATION,
                ClosureReason.COMPLAINANT_DISENGAGED,
                ClosureReason.INSUFFICIENT_EVIDENCE,
            )
        )
        move_case(
            owner,
            told.id,
            CaseStatus.CLOSURE_PENDING,
            reason="No report for eight weeks. Those who reported have been told.",
            closure_reason=reason,
            at=ended,
        )
        closer = self._closer(told)
        if closer is not None:
            move_case(closer, told.id, CaseStatus.CLOSED, reason="Agreed.", at=ended + timedelta(days=1))

    def _closer(self, told: Told) -> Actor | None:
        """The manager of a council's case; the inspector of a police one; nobody closes one that waits."""
        if self.draw.random() < 0.12:
            return None
        if TEAMS[team_in(told.owner, told.area)][0] == "TVP":
            return self.stage.play("helen.stroud", team=POLICE_TEAMS[told.area])
        return self.stage.play(MANAGERS[told.area])

    def settle(self, told: Told) -> None:
        """Its place in the lists, by what was last done about it rather than by when it was loaded; a date for the next review."""
        self.stage.play(told.owner, team=team_in(told.owner, told.area))
        review = self.stage.now + timedelta(days=self.draw.randint(-6, 50))
        case = db.session.scalars(sa.select(Case).where(Case.id == told.id)).one()
        case.changed_at = min(told.last, self.stage.now)
        working = case.status in (CaseStatus.OPEN, CaseStatus.TRIAGE)
        case.next_review_on = review.astimezone(clock.LONDON).date().isoformat() if working else None


def _pact(area: str, owner: str, recipient: str, purpose: Purpose) -> int | None:
    """Days from now until the end of the agreement that lets these two share for this purpose; None where there is none."""
    for pact in PACTS:
        parties = {owner, recipient} <= set(pact.parties)
        signed = pact.days[1] > 0 and not pact.suspended and len(pact.signed_by) == len(pact.parties)
        if pact.area == area and parties and signed and any(one[0] is purpose for one in pact.purposes):
            return pact.days[1]
    return None
