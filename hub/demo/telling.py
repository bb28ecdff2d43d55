"""Tells the stories: incidents, cases, people, entries, moves and shares, through the same actions that the pages use."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from hub.access.actor import Actor
from hub.access.vocabulary import Marking, Purpose, Section
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.linking import link_incidents
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind, CaseSource, Priority, RiskLevel
from hub.chronology.actions import add_entries
from hub.chronology.forms import EntryForm
from hub.chronology.vocabulary import EntryKind, EntryNature
from hub.core import clock
from hub.demo.aftermath import LEADERS, SERGEANTS, Aftermath, Told, team_in
from hub.demo.invention import SHOPS, InventedPlace, Inventor
from hub.demo.sightings import (
    BEGGING_ENTRIES,
    BEGGING_PEOPLE,
    BEGGING_PROLIFIC,
    LOOSE_INCIDENTS,
    SIGHTINGS,
)
from hub.demo.stage import Stage
from hub.demo.stories import STORIES, SUMMARIES, Story
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.models import Incident
from hub.incidents.vocabulary import IncidentKind, IncidentSource
from hub.people.actions import add_person, involve_person
from hub.people.vocabulary import InvolvementRole
from hub.places.forms import PlaceForm
from hub.places.vocabulary import PlaceKind
from hub.vehicles.actions import add_vehicle
from hub.vehicles.vocabulary import VehicleKind

MONTHS = 18
WEIGHTS = {"NBK": 5, "EMR": 2, "FWV": 2, "SLT": 2}


class Teller:
    """Tells everything, in the order of time within each case, and remembers the cases."""

    def __init__(self, stage: Stage, inventor: Inventor) -> None:
        self.stage = stage
        self.inventor = inventor
        self.draw = inventor.draw
        self.cases: list[Told] = []
        self.aftermath = Aftermath(stage, inventor.draw)

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
            actor = self.stage.play(key, team=team_in(key, area))
            place = self.inventor.place(area, open_space=kind is IncidentKind.OFF_ROAD_MOTORBIKE)
            self._incident(actor, kind, text, place, self._moment())

    # ---- one case -----------------------------------------------------------------------------------------------

    def _case(self, story: Story, number: int) -> None:
        area = self._area() if story.kind is not CaseKind.RETAIL_BUSINESS_CRIME else "NBK"
        owner = SERGEANTS[area] if story.led_by_police and number % 4 else self._officer(area)
        actor = self.stage.play(owner, team=team_in(owner, area))
        place = self.inventor.place(area, open_space=story.open_space)
        times = sorted(self._moment() for _ in range(self.draw.randint(*story.per_case)))
        first = self._incident(actor, *story.incidents[0], place, times[0], marking=story.marking)
        opened = min(
            times[0] + timedelta(days=self.draw.randint(0, 3), hours=2),
            self.stage.now - timedelta(minutes=30),
        )
        people = self._people(actor, first, story)
        case = self._open(
            actor, story.kind, story.title.format(ward=place.ward), first, opened, story.risks, story.marking
        )
        if story.vehicle:
            self._vehicle(actor, case)
        linked = []
        for when in times[1:]:
            kind, text = self.draw.choice(story.incidents)
            later = self._incident(actor, kind, text, place, when, marking=story.marking)
            if people and self.draw.random() < 0.6:
                person, role = self.draw.choice(people)
                involve_person(actor, later, person, role=role)
            linked.append(later.id)
        link_incidents(actor, case.id, linked)
        last = self._entries(actor, case.id, story.entries, place, opened, story.marking)
        told = Told(case.id, area, owner, opened, story.kind, max(last, times[-1]))
        for recipient, purpose, sections in story.share_with:
            if self.draw.random() < 0.55:
                self.aftermath.share(told, recipient, purpose, sections, story.marking)
        self._end(told)

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
        risks = (
            (RiskLevel.STANDARD, RiskLevel.MEDIUM) if sightings < 8 else (RiskLevel.MEDIUM, RiskLevel.HIGH)
        )
        case = self._open(actor, CaseKind.BEGGING_STREET, title, first, opened, risks, Marking.OFFICIAL)
        linked = []
        for when in times[1:]:
            spot = self.inventor.place("NBK") if self.draw.random() < 0.4 else place
            seen = self._incident(actor, IncidentKind.BEGGING, self.draw.choice(SIGHTINGS), spot, when)
            involve_person(actor, seen, made.id, role=InvolvementRole.SUBJECT)
            linked.append(seen.id)
        if linked:
            link_incidents(actor, case.id, linked)
        last = self._entries(actor, case.id, BEGGING_ENTRIES, place, opened, Marking.OFFICIAL)
        told = Told(case.id, "NBK", owner, opened, CaseKind.BEGGING_STREET, max(last, times[-1]))
        working = (Section.SUMMARY, Section.PEOPLE, Section.CHRONOLOGY)
        if self.draw.random() < 0.5:
            self.aftermath.share(told, "LNT", Purpose.SAFEGUARD_ADULT, working, Marking.OFFICIAL)
        if self.draw.random() < 0.5:
            self.aftermath.share(told, "police", Purpose.PREVENT_CRIME, working, Marking.OFFICIAL)
        self._end(told)

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
            source=self.draw.choice(
                (CaseSource.PUBLIC_REPORT, CaseSource.POLICE, CaseSource.PARTNER_REFERRAL)
            ),
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
            place=place.street or place.description,
            shop=self.draw.choice(SHOPS),
            time=local.strftime("%-I:%M%p").lower(),
        )
        exact = self.draw.random() < 0.9
        form = IncidentForm(
            kind=kind,
            description=said,
            occurred_from=local.date().isoformat() if exact else f"{local:%Y-%m}",
            occurred_time=f"{local:%H:%M}" if exact else None,
            source=self.draw.choice(
                (
                    IncidentSource.PUBLIC_REPORT,
                    IncidentSource.PUBLIC_REPORT,
                    IncidentSource.SELF_GENERATED,
                    IncidentSource.ANONYMOUS,
                )
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
        told = []
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
            told.append((form, when))
        add_entries(actor, case_id, told)
        return when

    def _end(self, told: Told) -> None:
        self.cases.append(told)
        self.aftermath.move(told)
        self.aftermath.settle(told)

    # ---- draws --------------------------------------------------------------------------------------------------

    def _area(self) -> str:
        return self.draw.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]

    def _officer(self, area: str) -> str:
        return self.draw.choice(LEADERS[area].split())

    def _moment(self) -> datetime:
        """Any moment of the last 18 months, more often in the evening."""
        days = self.draw.random() * MONTHS * 30.4
        hour = self.draw.choices(range(24), weights=[3] + [1] * 6 + [2] * 9 + [5] * 8)[0]
        when = (self.stage.now - timedelta(days=days)).replace(
            hour=hour, minute=self.draw.randint(0, 59), second=0
        )
        return min(when, self.stage.now - timedelta(hours=3))
