"""Consent as the basis of a share: recorded, for its purpose, recipient and record alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.access.models import Record
from hub.access.vocabulary import Purpose
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.consents.actions import record_consent
from hub.consents.forms import ConsentForm
from hub.consents.vocabulary import ConsentHow, GivenBy
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.sharing.actions import answer_share
from hub.sharing.ending import withdraw_consent
from tests.fixtures.shares import led_case
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as
from tests.sharing.steps import filled, grant_of, step, words


@pytest.fixture
def case(site: Site, world: World) -> UUID:
    with site.inside():
        return led_case(act_as(world, "officer"))


def consent(site: Site, case: UUID, *, to: str = "police", purpose: Purpose = Purpose.PREVENT_CRIME) -> UUID:
    with site.inside():
        officer = act_as(site.world, "officer")
        record = db.session.get_one(Record, case)
        person = add_person(
            officer, record, role=InvolvementRole.SUBJECT, given_names="Wanda", family_name="Quell"
        )
        db.session.commit()
        form = ConsentForm(
            person_id=person.id,
            purpose=purpose,
            to_organisation_id=site.world.organisations[to],
            given_on="2026-03-04",
            given_by=GivenBy.PERSON,
            given_how=ConsentHow.IN_PERSON,
            told="Privacy notice of January 2026, read aloud",
        )
        key = record_consent(officer, case, form).id
        db.session.commit()
        return key


def test_consent_as_the_basis_needs_a_recorded_one(site: Site, world: World, case: UUID) -> None:
    page = step(site, case, "what", to=f"organisation:{world.organisations['police']}")
    assert f'href="/cases/{case}/consents/new"' in page
    answer = site.as_user("officer").post(f"/cases/{case}/share/send", filled(world, lawful_basis="art6_1a"))
    assert answer.status_code == 422 and "Choose the recorded consent that this rests on" in words(answer)


def test_a_share_on_consent_names_it_and_stops_with_it(
    site: Site, world: World, case: UUID, database: SimpleNamespace
) -> None:
    given = consent(site, case)
    page = step(site, case, "what", to=f"organisation:{world.organisations['police']}")
    assert "Wanda Quell: prevent crime and disorder, given 4 March 2026" in page
    form = filled(world, lawful_basis="art6_1a", consent=str(given))
    assert "Wanda Quell" in step(site, case, "check", **form)
    assert site.as_user("officer").post(f"/cases/{case}/share/send", form).status_code == 303
    grant = grant_of(site, case)
    assert grant.consent_id == given and grant.lawful_basis == "art6_1a"
    with site.inside():
        answer_share(act_as(world, "sergeant"), grant.id, accept=True)
        db.session.commit()
    assert site.as_user("sergeant").get(f"/cases/{case}").status_code == 200
    with site.inside():
        withdraw_consent(act_as(world, "officer"), given, ConsentHow.PHONE)
        db.session.commit()
    assert site.as_user("sergeant").get(f"/cases/{case}").status_code == 404
    assert "Ended: consent withdrawn" in words(site.as_user("officer").get(f"/cases/{case}/sharing"))
    again = site.as_user("officer").post(f"/cases/{case}/share/send", form)
    assert again.status_code == 422 and "This consent was withdrawn on" in words(again)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": "yjs"}, "This consent is for sharing with Northbrook Youth Justice Service"),
        ({"purpose": Purpose.SAFEGUARD_CHILD}, "This consent is for ‘Safeguard a child’ and nothing else"),
    ],
)
def test_a_consent_is_for_its_purpose_and_recipient_alone(
    site: Site, world: World, case: UUID, given: dict[str, Any], said: str
) -> None:
    key = consent(site, case, **given)
    form = filled(world, lawful_basis="art6_1a", consent=str(key))
    answer = site.as_user("officer").post(f"/cases/{case}/share/send", form)
    assert answer.status_code == 422 and said in words(answer)


def test_incidents_do_not_go_along_on_the_consent_of_the_case(site: Site, world: World) -> None:
    with site.inside():
        officer = act_as(world, "officer")
        found = log_incident(officer, IncidentForm(IncidentKind.NOISE, "Drums", "2026-03-01")).id
        case = create_case(officer, CaseForm(kind=CaseKind.ASB, title="Noise"), from_incident=found).id
        db.session.commit()
    form = filled(world, lawful_basis="art6_1a", consent=str(consent(site, case)), also=[str(found)])
    answer = site.as_user("officer").post(f"/cases/{case}/share/send", form)
    assert answer.status_code == 422 and "A consent is for this case alone" in words(answer)


def test_a_consent_of_another_record_carries_nothing(site: Site, world: World, case: UUID) -> None:
    with site.inside():
        other = led_case(act_as(world, "officer"), "Another")
    form = filled(world, lawful_basis="art6_1a", consent=str(consent(site, other)))
    answer = site.as_user("officer").post(f"/cases/{case}/share/send", form)
    assert answer.status_code == 422 and "Choose the recorded consent" in words(answer)
