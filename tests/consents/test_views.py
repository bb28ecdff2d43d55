"""The pages of consents: recorded with what the person's age asks for, withdrawn with a plain sentence, stopped at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.access.models import Record
from hub.access.vocabulary import Section
from hub.consents.actions import record_consent
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from tests.consents.test_actions import consent_form, on_consent
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import act_as


@pytest.fixture
def case_id(site: Site) -> UUID:
    with site.inside():
        return led_case(act_as(site.world, "officer"), "Fire-setting, Ward Y")


def somebody(site: Site, case_id: UUID, born: str | None = "1980-05-02", given: str = "Dean") -> UUID:
    with site.inside():
        actor = act_as(site.world, "officer")
        person = add_person(
            actor,
            db.session.get_one(Record, case_id),
            role=InvolvementRole.SUBJECT,
            given_names=given,
            family_name="Marsh",
            date_of_birth=born,
        )
        db.session.commit()
        return person.id


def typed(site: Site, person_id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "person": str(person_id),
        "purpose": "prevent_crime",
        "to_organisation": str(site.world.organisations["police"]),
        "given_on-day": "3",
        "given_on-month": "3",
        "given_on-year": "2026",
        "given_by": "person",
        "given_how": "form",
        "told": "Privacy notice of January 2026, read aloud",
        **changes,
    }


def recorded(site: Site, case_id: UUID, person_id: UUID, *, share: bool = True) -> UUID:
    with site.inside():
        actor = act_as(site.world, "officer")
        key = record_consent(actor, case_id, consent_form(site.world, person_id)).id
        db.session.commit()
        if share:
            sections = (Section.SUMMARY, Section.PEOPLE)
            shared(site.world, case_id, sections=sections, **on_consent(key))
    return key


def text_of(answer: Any) -> str:
    return " ".join(str(answer.get_data(as_text=True)).split())


def test_the_recipient_s_next_request_after_the_withdrawal_finds_nothing(site: Site, case_id: UUID) -> None:
    consent = recorded(site, case_id, somebody(site, case_id))
    sergeant, officer = site.as_user("sergeant"), site.as_user("officer")
    assert sergeant.get(f"/cases/{case_id}").status_code == 200
    confirm = text_of(officer.get(f"/cases/{case_id}/consents/{consent}/withdraw"))
    assert "From this minute Northbrook Police can no longer see what is shared on this consent" in confirm
    assert "the share named below will end at their next click" in confirm
    said = officer.post(f"/cases/{case_id}/consents/{consent}/withdraw", {"withdrawn_how": "phone"})
    assert (said.status_code, said.location) == (303, f"/cases/{case_id}/consents")
    assert sergeant.get(f"/cases/{case_id}").status_code == 404
    assert sergeant.get(f"/cases/{case_id}/consents").status_code == 404
    shown = text_of(officer.get(f"/cases/{case_id}/consents"))
    assert "Withdrawn" in shown and "Said on the phone" in shown and "Stood on it" in shown
    assert "It was withdrawn<" not in shown
    assert officer.get(f"/cases/{case_id}/consents/{consent}/withdraw").status_code == 409


def test_a_withdrawal_says_how_and_names_no_other_case_s_consent(site: Site, case_id: UUID) -> None:
    consent = recorded(site, case_id, somebody(site, case_id))
    with site.inside():
        other = led_case(act_as(site.world, "officer"))
    officer = site.as_user("officer")
    unsaid = officer.post(f"/cases/{case_id}/consents/{consent}/withdraw", {})
    assert unsaid.status_code == 422 and "Choose how they withdrew it" in text_of(unsaid)
    for method in (officer.get, officer.post):
        assert method(f"/cases/{other}/consents/{consent}/withdraw").status_code in (404, 422)
    crossed = officer.post(f"/cases/{other}/consents/{consent}/withdraw", {"withdrawn_how": "phone"})
    assert crossed.status_code == 404
    assert site.as_user("sergeant").get(f"/cases/{case_id}").status_code == 200


def test_one_that_carries_nothing_says_so(site: Site, case_id: UUID) -> None:
    consent = recorded(site, case_id, somebody(site, case_id), share=False)
    page = text_of(site.as_user("officer").get(f"/cases/{case_id}/consents/{consent}/withdraw"))
    assert "Nothing is shared on this consent now, so nothing stops" in page


def test_recording_asks_first_whose_it_is(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    empty = text_of(officer.get(f"/cases/{case_id}/consents/new"))
    assert "There is nobody in this case yet" in empty
    person = somebody(site, case_id)
    asked = text_of(officer.get(f"/cases/{case_id}/consents/new"))
    assert "Whose consent is it?" in asked and "Dean Marsh" in asked
    assert "Consent is usually not the right basis" in asked and "public task" in asked
    form = text_of(officer.get(f"/cases/{case_id}/consents/new?person={person}"))
    assert "What were they told?" in form and "under 18" not in form.split("<main")[1].split("capacity")[0]
    done = officer.post(f"/cases/{case_id}/consents/new", typed(site, person))
    assert (done.status_code, done.location) == (303, f"/cases/{case_id}/consents")
    shown = text_of(officer.get(f"/cases/{case_id}/consents"))
    for told in ("Dean Marsh", "Prevent crime and disorder", "Northbrook Police", "read aloud", "Holds"):
        assert told in shown
    assert "Nothing stands on it" in shown


def test_the_form_asks_of_a_child_what_it_does_not_of_others(site: Site, case_id: UUID) -> None:
    child = somebody(site, case_id, "2014-05", "Bo")
    officer = site.as_user("officer")
    page = text_of(officer.get(f"/cases/{case_id}/consents/new?person={child}"))
    assert "The date of birth on file makes them under 18, or may do" in page
    wrong = officer.post(f"/cases/{case_id}/consents/new", typed(site, child))
    assert wrong.status_code == 422
    told = text_of(wrong)
    assert "write how you know that they understand" in told and "what the child says" in told
    assert "read aloud" in told
    right = typed(site, child, capacity="Explained it back to me", person_view="Wants the noise to stop")
    assert officer.post(f"/cases/{case_id}/consents/new", right).status_code == 303
    unknown = somebody(site, case_id, None, "Cy")
    assert "No date of birth is on file" in text_of(
        officer.get(f"/cases/{case_id}/consents/new?person={unknown}")
    )


def test_somebody_of_another_case_is_not_found_here(site: Site, case_id: UUID) -> None:
    with site.inside():
        other = led_case(act_as(site.world, "officer"))
    stranger = somebody(site, other)
    somebody(site, case_id, given="Ann")
    officer = site.as_user("officer")
    page = text_of(officer.get(f"/cases/{case_id}/consents/new?person={stranger}"))
    assert "Whose consent is it?" in page
    wrong = officer.post(f"/cases/{case_id}/consents/new", typed(site, stranger))
    assert wrong.status_code == 422 and "Choose somebody of this record" in text_of(wrong)
    assert (
        officer.post(f"/cases/{case_id}/consents/new", typed(site, stranger, person="x")).status_code == 422
    )


def test_who_sees_consents(site: Site, case_id: UUID) -> None:
    recorded(site, case_id, somebody(site, case_id), share=False)
    with site.inside():
        shared(site.world, case_id)
    # the share opens the log, not the people
    assert site.as_user("sergeant").get(f"/cases/{case_id}/consents").status_code == 404
    assert site.as_user("yot_worker").get(f"/cases/{case_id}/consents").status_code == 404
    reader = site.as_user("reader")
    page = text_of(reader.get(f"/cases/{case_id}/consents"))
    assert "Dean Marsh" in page and "Record a consent" not in page and "It was withdrawn<" not in page
    assert reader.get(f"/cases/{case_id}/consents/new").status_code == 403


def test_a_partner_who_reads_people_reads_consents_and_changes_none(site: Site, case_id: UUID) -> None:
    consent = recorded(site, case_id, somebody(site, case_id))
    sergeant = site.as_user("sergeant")
    page = text_of(sergeant.get(f"/cases/{case_id}/consents"))
    assert "Dean Marsh" in page and "It was withdrawn<" not in page
    address = f"/cases/{case_id}/consents/{consent}/withdraw"
    assert sergeant.get(address).status_code == 403
    assert sergeant.post(address, {"withdrawn_how": "phone"}).status_code == 403


def test_each_look_is_one_event(site: Site, case_id: UUID, database: SimpleNamespace) -> None:
    person = somebody(site, case_id)
    recorded(site, case_id, person, share=False)
    site.as_user("officer").get(f"/cases/{case_id}/consents")
    rows = site.sql(
        database.superuser,
        "SELECT person_ids, convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'part' FROM audit.event WHERE act = 'case.opened'",
    )
    assert [tuple(row) for row in rows] == [([person], "consents")]
