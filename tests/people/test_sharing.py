"""What a partner sees of people: only the sections that are shared, only while they are, and their own layer after."""

from __future__ import annotations

from uuid import UUID

import pytest

from hub.access.actor import Actor
from hub.access.vocabulary import Section
from hub.core.errors import Denied, NotVisible
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.matching import find_matches
from hub.people.queries import find_people_of, list_people, open_person
from hub.people.vocabulary import InvolvementRole
from hub.sharing.actions import answer_share, revoke_share, share_record
from tests.fixtures.shares import share_form
from tests.fixtures.world import World, act_as, look_at
from tests.people.test_matching import incident_of

VICTIM, SUBJECT = InvolvementRole.VICTIM, InvolvementRole.SUBJECT


def shared_incident(world: World, *sections: Section, may_contribute: bool = False) -> tuple[UUID, UUID]:
    """An incident with a victim and a subject, shared with the police and accepted; its id and the grant's."""
    actor = act_as(world, "officer")
    incident = incident_of(actor)
    add_person(actor, incident, role=VICTIM, given_names="Orla", family_name="Vale")
    add_person(actor, incident, role=SUBJECT, known_as="Baz", given_names="Dean", family_name="Marsh")
    db.session.commit()
    record_id = incident.id
    form = share_form(world, sections=(Section.SUMMARY, *sections), may_contribute=may_contribute)
    grant_id = share_record(actor, record_id, form).id
    db.session.commit()
    answer_share(act_as(world, "sergeant"), grant_id, accept=True)
    db.session.commit()
    return record_id, grant_id


def names(actor: Actor, record_id: UUID) -> list[str]:
    look_at(actor, record_id)
    return [one.name for one in find_people_of(actor, [record_id]).get(record_id, [])]


def test_a_share_of_people_does_not_show_the_victim(app: object, world: World) -> None:
    record_id, _ = shared_incident(world, Section.PEOPLE)
    sergeant = act_as(world, "sergeant")
    assert names(sergeant, record_id) == ["Baz (Dean Marsh)"]
    assert [row.person.role for row in list_people(sergeant).rows] == ["subject"]
    assert find_matches(sergeant, record_id, given_names="Orla", family_name="Vale") == []
    assert len(find_matches(sergeant, record_id, given_names="Dean", family_name="Marsh")) == 1


def test_a_share_of_victims_shows_the_victim_alone_until_it_ends(app: object, world: World) -> None:
    record_id, grant_id = shared_incident(world, Section.VICTIM)
    sergeant = act_as(world, "sergeant")
    assert names(sergeant, record_id) == ["Orla Vale"]
    victim = list_people(sergeant).rows[0].person.person_id
    assert open_person(sergeant, victim).name == "Orla Vale"
    revoke_share(act_as(world, "officer"), grant_id, reason="No longer needed")
    db.session.commit()
    sergeant = act_as(world, "sergeant")
    assert names(sergeant, record_id) == [] and list_people(sergeant).rows == []
    with pytest.raises(NotVisible):
        open_person(sergeant, victim)


def test_a_partner_adds_only_where_the_share_lets_them(app: object, world: World) -> None:
    from hub.incidents.models import Incident

    record_id, _ = shared_incident(world, Section.PEOPLE, may_contribute=True)
    sergeant = act_as(world, "sergeant")
    look_at(sergeant)
    incident = db.session.get_one(Incident, record_id)
    add_person(sergeant, incident, role=SUBJECT, known_as="Lofty")
    db.session.commit()
    with pytest.raises(Denied):
        add_person(sergeant, incident, role=VICTIM, known_as="Somebody")
    officer = act_as(world, "officer")
    assert names(officer, record_id) == ["Orla Vale", "Baz (Dean Marsh)", "Lofty"]
