"""What the attacks are aimed at: a case and an incident of the officer's with everything that hangs on one, a second case
of hers, a case of the police's own, and words of their own in each by which a leak is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Involvement
from hub.access.vocabulary import Marking, Purpose, Section
from hub.admin.teams import add_member
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.consents.actions import record_consent
from hub.consents.forms import ConsentForm
from hub.consents.vocabulary import ConsentHow, GivenBy
from hub.core import clock
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.notifications.models import Notification
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.places.actions import add_place
from hub.places.vocabulary import PlaceKind
from hub.sharing.actions import share_record
from hub.sharing.ending import suspend_agreement
from hub.sharing.forms import ShareForm
from hub.vehicles.actions import add_vehicle
from hub.vehicles.vocabulary import VehicleKind
from tests.agreements.drafting import agreed, drafted
from tests.attacks.asides import Asides, beside
from tests.attacks.filed import add_file, file_acts
from tests.fixtures.panels import seated_panel, seats_of
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

# no letters that a reference or a random id could hold by chance
WORDS = ("Qzwhite", "Qzblack", "Qzgreen")


@dataclass
class Target:
    """One case and its incident, with the ids of what hangs on each, and the word that every text of it holds."""

    word: str
    case_id: UUID
    reference: str
    incident_id: UUID
    person_id: UUID
    person_reference: str
    entry_id: UUID
    attachment_id: UUID
    involvement_id: UUID
    incident_involvement_id: UUID
    incident_person_id: UUID
    grant_id: UUID | None = None
    incident_grant_id: UUID | None = None
    consent_id: UUID | None = None

    def of_incident(self) -> dict[str, UUID]:
        """What stands in the addresses below the incident."""
        return {
            "involvement_id": self.incident_involvement_id,
            "person_id": self.incident_person_id,
            "grant_id": self.incident_grant_id or self.incident_id,
        }


@dataclass
class Arena:
    site: Site
    mine: Target
    second: Target
    police: Target
    notification_id: UUID
    # two panels of the council's: one to share with, on which the police has not accepted its seat yet, and one to end
    panels: tuple[UUID, UUID]
    police_seat: UUID
    # endpoint → the agreement that it is about
    pacts: dict[str, UUID]
    asides: Asides

    def ids_of(self, target: Target) -> dict[str, UUID]:
        """Values for the arguments of any rule of the map."""
        return {
            "case_id": target.case_id,
            "incident_id": target.incident_id,
            "person_id": target.person_id,
            "entry_id": target.entry_id,
            "involvement_id": target.involvement_id,
            "grant_id": target.grant_id or self.site.world.users["officer"],
            "attachment_id": target.attachment_id,
            "paper_id": target.entry_id,
            "hold_id": target.entry_id,
            "disclosure_id": target.entry_id,
            "erasure_id": target.entry_id,
            "notification_id": self.notification_id,
            "agreement_id": self.site.world.agreements["sharing"],
            "user_id": self.site.world.users["reader"],
            "event_id": target.case_id,
            "session_id": target.case_id,
            "panel_id": self.panels[0] if target is self.mine else target.entry_id,
            "team_id": self.site.world.teams["safety" if target is self.mine else "npt"],
            "consent_id": target.consent_id or target.entry_id,
            # one cannot ask oneself
            "organisation_id": self.site.world.organisations[
                "council" if target is self.police else "police"
            ],
            **dict.fromkeys(self.asides.ours, target.entry_id),
            **(self.asides.theirs if target is self.police else self.asides.ours),
        }


def prepare(site: Site) -> Arena:
    with site.inside():
        mine = _target(act_as(site.world, "officer"), WORDS[0])
        second = _target(act_as(site.world, "officer"), WORDS[1])
        police = _target(act_as(site.world, "sergeant"), WORDS[2])
        for target in (mine, second):
            target.grant_id = _share(site, target, target.case_id)
            target.incident_grant_id = _share(site, target, target.incident_id)
        for target, lead in ((mine, "officer"), (second, "officer"), (police, "sergeant")):
            target.consent_id = _consent(site.world, target, lead)
        act_as(site.world, "sergeant")
        notice = db.session.scalars(
            sa.select(Notification.id).where(Notification.user_id == site.world.users["sergeant"])
        ).first()
        panels = tuple(seated_panel(site.world, joined=("yjs",), name=name) for name in ("Panel", "Other"))
        seat = seats_of(panels[0])["police"]
        add_member(act_as(site.world, "spoc"), site.world.teams["safety"], "housing_officer@example.org")
        db.session.commit()
        pacts = _pacts(site.world)
        asides = beside(site.world)
        file_acts(site.world, asides, mine.case_id, mine.word)
        db.session.remove()
    assert notice is not None
    return Arena(site, mine, second, police, notice, (panels[0], panels[1]), seat, pacts, asides)


def _pacts(world: World) -> dict[str, UUID]:
    """An agreement of its own for each act, so that none takes the ground from under the others."""
    stopped = agreed(world, "council", "charity", title="Stopped")
    suspend_agreement(act_as(world, "spoc"), stopped, why="A breach")
    db.session.commit()
    return {
        "agreements.sign": world.agreements["unsigned"],
        "agreements.send": drafted(world, "council", "charity", title="Draft"),
        "agreement_terms.edit": drafted(world, "council", "charity", title="Draft"),
        "agreement.resume": stopped,
        **{
            f"agreement.{act}": agreed(world, "council", "charity", "yjs", title=act.title())
            for act in ("suspend", "end", "leave")
        },
    }


def _share(site: Site, target: Target, record_id: UUID) -> UUID:
    form = ShareForm(
        to_organisation_id=site.world.organisations["police"],
        sections=(Section.SUMMARY,),
        reason=f"{target.word} reason",
        purpose=Purpose.PREVENT_CRIME,
        ends_at=clock.now() + timedelta(days=30),
    )
    grant = share_record(act_as(site.world, "officer"), record_id, form)
    db.session.commit()
    return grant.id


def _consent(world: World, target: Target, lead: str) -> UUID:
    form = ConsentForm(
        target.person_id,
        Purpose.SUPPORT_VICTIM,
        world.organisations["yjs"],
        "2026-03-01",
        GivenBy.PERSON,
        ConsentHow.PHONE,
        f"{target.word} told",
    )
    made = record_consent(act_as(world, lead), target.case_id, form)
    db.session.commit()
    return made.id


def _target(actor: Actor, word: str) -> Target:
    incident = log_incident(
        actor,
        IncidentForm(
            kind=IncidentKind.NOISE,
            description=f"{word} description",
            occurred_from="2026-03-01",
            told_by=f"{word} teller",
            marking=Marking.OFFICIAL,
        ),
    )
    db.session.commit()
    on_incident = add_person(
        actor, incident, role=InvolvementRole.WITNESS, given_names="Ann", family_name=f"{word}two"
    )
    db.session.commit()
    case = create_case(actor, CaseForm(kind=CaseKind.ASB, title=f"{word} title", summary=f"{word} summary"))
    db.session.commit()
    person = add_person(
        actor, case, role=InvolvementRole.VICTIM, given_names="Bo", family_name=word, known_as=f"{word}alias"
    )
    add_place(actor, case, kind=PlaceKind.STREET, description=f"{word} lane")
    add_vehicle(actor, case, kind=VehicleKind.CAR, description=f"{word} car")
    entry = add_entry(actor, case.id, EntryForm(text=f"{word} entry"))
    db.session.commit()
    return Target(
        word=word,
        case_id=case.id,
        reference=case.reference,
        incident_id=incident.id,
        person_id=person.id,
        person_reference=person.reference,
        entry_id=entry.id,
        attachment_id=add_file(actor, case.id, word),
        involvement_id=_involvement(case.id, person.id),
        incident_involvement_id=_involvement(incident.id, on_incident.id),
        incident_person_id=on_incident.id,
    )


def _involvement(record_id: UUID, person_id: UUID) -> UUID:
    return db.session.scalars(
        sa.select(Involvement.id).where(
            Involvement.record_id == record_id, Involvement.person_id == person_id
        )
    ).one()
