"""Plants a word of its own in every personal text of two cases: one that the officer leads, one of the police's own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from tests.fixtures.site import Site
from tests.fixtures.world import act_as


@dataclass
class Canaries:
    """Each word and the ids, one of which an event must name where the word is shown; and all ids to ask with."""

    texts: dict[str, set[UUID]] = field(default_factory=dict)
    ids: list[UUID] = field(default_factory=list)

    def word(self) -> str:
        return "canary" + "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(10))


def plant(site: Site) -> Canaries:
    planted = Canaries()
    with site.inside():
        for user in ("officer", "sergeant"):
            _plant_as(site, user, planted)
        db.session.remove()
    return planted


def _plant_as(site: Site, user: str, planted: Canaries) -> None:
    """An incident, a case from it, a person with a name, an entry; committed as that user."""
    actor = act_as(site.world, user)
    words = [planted.word() for _ in range(6)]
    incident = log_incident(
        actor,
        IncidentForm(
            kind=next(iter(IncidentKind)),
            description=f"It was {words[0]}.",
            occurred_from="2026-03-01",
            told_by=words[1],
        ),
    )
    db.session.commit()
    case = create_case(
        actor,
        CaseForm(kind=next(iter(CaseKind)), title="Noise", summary=f"About {words[2]}."),
        from_incident=incident.id,
    )
    db.session.commit()
    person = add_person(
        actor,
        case,
        role=InvolvementRole.VICTIM,
        given_names=words[3].capitalize(),
        family_name=words[4].capitalize(),
    )
    db.session.commit()
    add_entry(actor, case.id, EntryForm(text=f"They told me of {words[5]}."))
    db.session.commit()
    planted.ids += [case.id, incident.id, person.id]
    owners = ({incident.id}, {incident.id}, {case.id}, {person.id}, {person.id}, {case.id})
    planted.texts |= dict(zip(words, owners, strict=True))
