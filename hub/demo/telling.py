"""Tells the stories: incidents, cases, people, entries, moves and shares, through the same actions that the pages use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.vocabulary import Marking, Purpose, Section
from hub.cases.actions import create_case, link_incident, move_case
from hub.cases.forms import CaseForm
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind, CaseSource, CaseStatus, ClosureReason, Priority, RiskLevel
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.chronology.vocabulary import EntryKind, EntryNature
from hub.core import clock
from hub.demo.cast import AREAS, PACTS, PEOPLE, TEAMS
from hub.demo.invention import SHOPS, InventedPlace, Inventor
from hub.demo.stage import Stage
from hub.demo.stories import (
    BEGGING_ENTRIES,
    BEGGING_PEOPLE,
    BEGGING_PROLIFIC,
    LOOSE_INCIDENTS,
    SIGHTINGS,
    STORIES,
    SUMMARIES,
    Story,
)
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.models import Incident
from hub.incidents.vocabulary import IncidentKind, IncidentSource
from hub.people.actions import add_person, involve_person
from hub.people.vocabulary import InvolvementRole
from hub.places.forms import PlaceForm
from hub.places.vocabulary import PlaceKind
from hub.sharing.actions import answer_share, revoke_share, share_record
from hub.sharing.forms import ShareForm
from hub.vehicles.actions import add_vehicle
from hub.vehicles.vocabulary import VehicleKind

MONTHS = 18
LEADERS = {"NBK": "amara.okafor dylan.prosser", "EMR": "colm.devlin", "FWV": "hollie.grange", "SLT": "nia.corrigan"}
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
WEIGHTS = {"NBK": 5, "EMR": 2, "FWV": 2, "SLT": 2}


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


class Teller:
    """Tells everything, in the order of time within each case, and remembers the cases."""

    def __init__(self, stage: Stage, inventor: Inventor) -> None:
        self.stage = stage
        self.inventor = inventor
        self.draw = inventor.draw
        self.cases: list[Told] = []

    def tell_stories(self) -> None:
        for story in STORIES:
            for number in range(story.count):
                self._case(story, number)

    def tell_cohort(self) -> None:
        """60 people who beg in one town, 32 of them prolific: 8 sightings or more."""
        for number in range(BEGGING_PEOPLE):
            sightings = self.draw.randint(8, 9) if number < BEGGING_PROLIFIC else self.draw.randint(1, 4)
            self._cohort_case(sightings)

    def tell_loose_incidents(self, count: int) -> None:
        """Incidents that belong to no case (yet)."""
        for _ in range(count):
            area = self._area()
            kind, text = self.draw.choice(LOOSE_INCIDENTS)
            key = SERGEANTS[area] if self.draw.random() < 0.4 else self._officer(area)
            actor = self.stage.play(key, team=self._team(key, area))
            place = self.inventor.place(area, open_space=kind is IncidentKind.OFF_ROAD_MOTORBIKE)
            self._incident(actor, kind, text, place, self._moment())

    # ---- one case -----------------------------------------------------------------------------------------------

    def _case(self, story: Story, number: int) -> None:
        area = self._area() if story.kind is not CaseKind.RETAIL_BUSINESS_CRIME else "NBK"
        owner = SERGEANTS[area] if story.led_by_police and number % 4 else self._officer(area)
        actor = self.stage.play(owner, team=self._team(owner, area))
        place = self.inventor.place(area, open_space=story.open_space)
        times = sorted(self._moment() for _ in range(self.draw.randint(*story.per_case)))
        first = self._incident(actor, *story.incidents[0], place, times[0], marking=story.marking)
        opened = min(times[0] + timedelta(days=self.draw.randint(0, 3), hours=2), self.stage.now - timedelta(minutes=30))
        people = self._people(actor, first, story)
        case = self._open(actor, story.kind, story.title.format(ward=place.ward), first, opened, story.risks, story.marking)
        if story.vehicle:
            self._vehicle(actor, case)
        for when in times[1:]:
            kind, text = self.draw.choice(story.incidents)
            later = self._incident(actor, kind, text, place, when, marking=story.marking)
            if people and self.draw.random() < 0.6:
                person, role = self.draw.choice(people)
                involve_person(actor, later, person, role=role)
            link_incident(actor, case.id, later.id)
        last = self._entries(actor, case.id, story.entries, place, opened, story.marking)
        told = Told(case.id, area, owner, opened, story.kind, max(last, times[-1]))
        self.cases.append(told)
        self._share(told, story)
        self._move(told)
        self._settle(told)

    def _cohort_case(self, sightings: int) -> None:
        owner = self._officer("NBK")
        actor = self.stage.play(owner)
        times = sorted(self._moment() for _ in range(sightings))
        person = self.inventor.person(youngest=20, oldest=62, street_name=True)
        place = self.inventor.place("NBK")
        first = self._incident(actor, IncidentKind.BEGGING, self.draw.choice(SIGHTINGS), place, times[0])
        made = add_person(
            actor,
            first,
            role=InvolvementRole.SUBJECT,
            given_names=person.given,
            family_name=person.family,
            known_as=person.known_as,
            date_of_birth=person.born,
        )
        title = f"Begging and street-based, {place.ward}"
        opened = min(times[0] + timedelta(days=2), self.stage.now - timedelta(minutes=30))
        risks = (RiskLevel.STANDARD, RiskLevel.MEDIUM) if sightings < 8 else (RiskLevel.MEDIUM, RiskLevel.HIGH)
        case = self._open(actor, CaseKind.BEGGING_STREET, title, first, opened, risks, Marking.OFFICIAL)
        for when in times[1:]:
            spot = self.inventor.place("NBK") if self.draw.random() < 0.4 else place
            seen = self._incident(actor, IncidentKind.BEGGING, self.draw.choice(SIGHTINGS), spot, when)
            involve_person(actor, seen, made.id, role=InvolvementRole.SUBJECT)
            link_incident(actor, case.id, seen.id)
        last = self._entries(actor, case.id, BEGGING_ENTRIES, place, opened, Marking.OFFICIAL)
        told = Told(case.id, "NBK", owner, opened, CaseKind.BEGGING_STREET, max(last, times[-1]))
        self.cases.append(told)
        working = (Section.SUMMARY, Section.PEOPLE, Section.CHRONOLOGY)
        if self.draw.random() < 0.5:
            self._grant(told, "LNT", Purpose.SAFEGUARD_ADULT, working, Marking.OFFICIAL)
        if self.draw.random() < 0.5:
            self._grant(told, "police", Purpose.PREVENT_CRIME, working, Marking.OFFICIAL)
        self._move(told)
        self._settle(told)

    def _open(
        self,
        actor: Actor,
        kind: CaseKind,
        title: str,
        first: Incident,
        opened: datetime,
        risks: tuple[RiskLevel, ...],
        marking: Marking,
    ) -> Case:
        risk = self.draw.choice(risks)
        priority = {
            RiskLevel.VERY_HIGH: Priority.IMMEDIATE,
            RiskLevel.HIGH: Priority.URGENT,
            RiskLevel.MEDIUM: Priority.ROUTINE,
        }.get(risk, self.draw.choice((Priority.ROUTINE, Priority.LOW)))
        form = CaseForm(
            kind=kind,
            title=title,
            priority=priority,
            marking=marking,
            source=self.draw.choice((CaseSource.PUBLIC_REPORT, CaseSource.POLICE, CaseSource.PARTNER_REFERRAL)),
            summary=SUMMARIES[kind],
            risk_level=risk,
            reported_on=opened.astimezone(clock.LONDON).date().isoformat(),
            keep_title=True,
        )
        return create_case(actor, form, from_incident=first.id, opened_at=opened)

    def _incident(
        self,
        actor: Actor,
        kind: IncidentKind,
        text: str,
        place: InventedPlace,
        when: datetime,
        *,
        marking: Marking = Marking.OFFICIAL,
    ) -> Incident:
        local = when.astimezone(clock.LONDON)
        said = text.format(
            place=place.street or place.description, shop=self.draw.choice(SHOPS), time=local.strftime("%-I:%M%p").lower()
        )
        exact = self.draw.random() < 0.9
        form = IncidentForm(
            kind=kind,
            description=said,
            occurred_from=local.date().isoformat() if exact else f"{local:%Y-%m}",
            occurred_time=f"{local:%H:%M}" if exact else None,
            source=self.draw.choice(
                (IncidentSource.PUBLIC_REPORT, IncidentSource.PUBLIC_REPORT, IncidentSource.SELF_GENERATED, IncidentSource.ANONYMOUS)
            ),
            place=PlaceForm(
                kind=PlaceKind(place.kind),
                description=place.description,
                street=place.street,
                town=place.town,
                ward=place.ward,
                postcode=place.postcode,
                latitude=place.latitude,
                longitude=place.longitude,
            ),
            marking=marking,
        )
        reported = min(when + timedelta(minutes=self.draw.randint(5, 600)), self.stage.now)
        return log_incident(actor, form, reported_at=reported)

    def _people(self, actor: Actor, incident: Incident, story: Story) -> list[tuple[UUID, InvolvementRole]]:
        made = []
        for role, youngest, oldest in story.people:
            person = self.inventor.person(youngest=youngest, oldest=oldest)
            row = add_person(
                actor,
                incident,
                role=role,
                given_names=person.given,
                family_name=person.family,
                known_as=person.known_as,
                date_of_birth=person.born,
                marking=story.marking,
            )
            made.append((row.id, role))
        return made

    def _vehicle(self, actor: Actor, case: Case) -> None:
        add_vehicle(
            actor,
            case,
            kind=VehicleKind.OFF_ROAD_MOTORCYCLE,
            vrm=self.inventor.mark() if self.draw.random() < 0.3 else None,
            make=self.draw.choice(("Stomp", "Pitster", "Lifan")),
            colour=self.draw.choice(("red", "blue", "black", "white", "yellow")),
            description="No lights, loud exhaust",
            role="used",
        )

    def _entries(
        self,
        actor: Actor,
        case_id: UUID,
        texts: tuple[tuple[EntryKind, EntryNature, str], ...],
        place: InventedPlace,
        opened: datetime,
        marking: Marking,
    ) -> datetime:
        """Entries spread over the life of the case; returns when the last was made."""
        when = opened
        count = self.draw.randint(2, min(5, len(texts)))
        span = max((self.stage.now - opened) / (count + 1), timedelta(minutes=5))
        for position, (kind, nature, text) in enumerate(self.draw.sample(texts, count)):
            when = min(opened + span * position + timedelta(hours=1), self.stage.now - timedelta(minutes=1))
            form = EntryForm(
                kind=kind,
                text=text.format(place=place.street or place.description),
                occurred_on=when.astimezone(clock.LONDON).date().isoformat(),
                nature=nature,
                significant=kind in (EntryKind.DECISION, EntryKind.RISK_UPDATE),
                marking=marking,
            )
            add_entry(actor, case_id, form, at=when)
        return when

    # ---- shares and states --------------------------------------------------------------------------------------

    def _share(self, told: Told, story: Story) -> None:
        for recipient, purpose, sections in story.share_with:
            if self.draw.random() < 0.55:
                self._grant(told, recipient, purpose, sections, story.marking)

    def _grant(
        self, told: Told, recipient: str, purpose: Purpose, sections: tuple[Section, ...], marking: Marking
    ) -> None:
        found = RECIPIENTS[recipient].get(told.area)
        if found is None or TEAMS[found[0]][0] == self._organisation(told.owner):
            return
        team, answers = found
        pact = _pact(told.area, self._organisation(told.owner), TEAMS[team][0], purpose)
        if pact is None:
            return
        starts = min(told.opened + timedelta(days=self.draw.randint(1, 10)), self.stage.now - timedelta(minutes=10))
        lasts = self.draw.choice((30, 90, 180, 300))
        latest = self.stage.now + timedelta(days=pact) - timedelta(days=1)
        form = ShareForm(
            to_organisation_id=self.stage.organisations[TEAMS[team][0]],
            to_team_id=self.stage.teams[team],
            sections=sections,
            reason="The team is needed to act on what is reported and holds what we do not know; without it the same people are visited twice.",
            ends_at=min(starts + timedelta(days=lasts), latest),
            purpose=purpose,
            max_marking=marking,
            may_contribute=self.draw.random() < 0.7,
        )
        owner = self.stage.play(told.owner, team=self._team(told.owner, told.area))
        grant = share_record(owner, told.id, form, starts_at=starts)
        fate = self.draw.random()
        if fate < 0.88:
            answerer = self.stage.play(answers, team=team, purpose=purpose)
            answer_share(answerer, grant.id, accept=True, at=starts + timedelta(minutes=5))
            if fate > 0.82 and form.ends_at is not None and form.ends_at > self.stage.now:
                owner = self.stage.play(told.owner, team=self._team(told.owner, told.area))
                revoke_share(owner, grant.id, reason="The work with this partner has ended.")
        elif fate < 0.92 and form.ends_at is not None and form.ends_at > self.stage.now:
            answerer = self.stage.play(answers, team=team, purpose=purpose)
            answer_share(answerer, grant.id, accept=False, reason="Not for our team: please send it to the area office.")

    def _move(self, told: Told) -> None:
        """Along the table, as far as the age of the case suggests."""
        owner = self.stage.play(told.owner, team=self._team(told.owner, told.area))
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
            move_case(owner, told.id, CaseStatus.ON_HOLD, reason="Waiting for the court date.", until=until, at=self.stage.now)
        elif age > 30 and fate < 0.65:
            until = self.stage.now + timedelta(days=self.draw.randint(10, 60))
            move_case(owner, told.id, CaseStatus.MONITORING, reason="Quiet for a month.", until=until, at=self.stage.now)

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
        if TEAMS[self._team(told.owner, told.area)][0] == "TVP":
            return self.stage.play("helen.stroud", team=POLICE_TEAMS[told.area])
        return self.stage.play(MANAGERS[told.area])

    def _settle(self, told: Told) -> None:
        """Its place in the lists, by what was last done about it rather than by when it was loaded; a date for the next review."""
        self.stage.play(told.owner, team=self._team(told.owner, told.area))
        review = self.stage.now + timedelta(days=self.draw.randint(-6, 50))
        working = Case.status.in_([CaseStatus.OPEN.value, CaseStatus.TRIAGE.value])
        day = review.astimezone(clock.LONDON).date().isoformat()
        db.session.execute(
            sa.update(Case)
            .where(Case.id == told.id)
            .values(
                changed_at=min(told.last, self.stage.now),
                next_review_on=sa.case((working, day), else_=None),
            )
        )

    # ---- draws --------------------------------------------------------------------------------------------------

    def _area(self) -> str:
        return self.draw.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]

    def _officer(self, area: str) -> str:
        return self.draw.choice(LEADERS[area].split())

    def _team(self, key: str, area: str) -> str:
        person = next(one for one in PEOPLE if one.key == key)
        return next((team for team in person.teams if TEAMS[team][1] == area), person.teams[0])

    def _organisation(self, key: str) -> str:
        return TEAMS[next(one for one in PEOPLE if one.key == key).teams[0]][0]

    def _moment(self) -> datetime:
        """Any moment of the last 18 months, more often in the evening."""
        days = self.draw.random() * MONTHS * 30.4
        hour = self.draw.choices(range(24), weights=[3] + [1] * 6 + [2] * 9 + [5] * 8)[0]
        when = (self.stage.now - timedelta(days=days)).replace(hour=hour, minute=self.draw.randint(0, 59), second=0)
        return min(when, self.stage.now - timedelta(hours=3))


def _pact(area: str, owner: str, recipient: str, purpose: Purpose) -> int | None:
    """Days from now until the end of the agreement that lets these two share for this purpose; None where there is none."""
    for pact in PACTS:
        parties = {owner, recipient} <= set(pact.parties)
        signed = pact.days[1] > 0 and not pact.suspended and len(pact.signed_by) == len(pact.parties)
        if pact.area == area and parties and signed and any(one[0] is purpose for one in pact.purposes):
            return pact.days[1]
    return None
