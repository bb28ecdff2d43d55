"""Consent: per person, purpose and recipient; withdrawn, what stood on it is shared no more."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from hub.access.models import Grant, Record
from hub.access.vocabulary import Purpose, Section
from hub.cases.models import Case
from hub.consents.actions import record_consent
from hub.consents.forms import ConsentForm
from hub.consents.models import Consent
from hub.consents.queries import find_consents_of, find_live_consents
from hub.consents.vocabulary import ConsentHow, GivenBy
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.sharing.actions import share_record
from hub.sharing.ending import withdraw_consent
from tests.fixtures.shares import led_case, share_form, shared
from tests.fixtures.world import World, act_as, look_at

HOW = ConsentHow.PHONE


@pytest.fixture
def case_id(app: Flask, world: World) -> UUID:
    return led_case(act_as(world, "officer"))


def somebody(world: World, case_id: UUID, role: InvolvementRole = InvolvementRole.SUBJECT) -> UUID:
    actor = act_as(world, "officer")
    person = add_person(actor, db.session.get_one(Record, case_id), role=role, given_names="Dean")
    db.session.commit()
    return person.id


def consent_form(world: World, person: UUID, **changes: Any) -> ConsentForm:
    form = ConsentForm(
        person_id=person,
        purpose=Purpose.PREVENT_CRIME,
        to_organisation_id=world.organisations["police"],
        given_on="2026-03",
        given_by=GivenBy.PERSON,
        given_how=ConsentHow.IN_PERSON,
        told="Privacy notice of January 2026, read aloud",
    )
    return replace(form, **changes)


def recorded(world: World, case_id: UUID, person_id: UUID, *, by: str = "officer", **changes: Any) -> UUID:
    actor = act_as(world, by)
    key = record_consent(actor, case_id, consent_form(world, person_id, **changes)).id
    db.session.commit()
    return key


def on_consent(consent_id: UUID) -> dict[str, Any]:
    return {"lawful_basis": "art6_1a", "consent_id": consent_id}


def sql(url: str, statement: str, **values: Any) -> list[Any]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement), values)
        rows = list(result) if result.returns_rows else []
    engine.dispose()
    return rows


def sees(world: World, user: str, case_id: UUID) -> bool:
    act_as(world, user)
    return db.session.scalar(sa.select(Case.id).where(Case.id == case_id)) is not None


def test_a_withdrawn_consent_stops_what_stands_on_it_in_the_same_transaction(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    consent = recorded(world, case_id, somebody(world, case_id))
    grant = shared(world, case_id, **on_consent(consent))
    other = shared(world, case_id, to="yjs", taken_by=None)
    assert sees(world, "sergeant", case_id)
    withdraw_consent(act_as(world, "officer"), consent, HOW)
    db.session.commit()
    assert not sees(world, "sergeant", case_id)
    rows = sql(
        database.superuser,
        "SELECT id, closed_with FROM record_grant WHERE revoked_at IS NOT NULL ORDER BY id",
    )
    assert [tuple(row) for row in rows] == [(grant, consent)]
    assert sql(database.superuser, "SELECT id FROM record_grant WHERE revoked_at IS NULL") == [(other,)]


def test_its_withdrawal_is_written_and_told(case_id: UUID, world: World, database: SimpleNamespace) -> None:
    person = somebody(world, case_id)
    consent = recorded(world, case_id, person)
    grant = shared(world, case_id, **on_consent(consent))
    withdraw_consent(act_as(world, "manager"), consent, HOW)
    db.session.commit()
    events = sql(
        database.superuser,
        "SELECT act, object_id, object_version, person_ids, convert_from(body, 'UTF8')::jsonb -> 'facts' FROM audit.event"
        " WHERE act LIKE 'consent.%' OR act = 'share.closed' ORDER BY act",
    )
    assert [tuple(row) for row in events] == [
        ("consent.recorded", consent, 1, [person],
         {"purpose": "prevent_crime", "organisation": str(world.organisations["police"])}),
        ("consent.withdrawn", consent, 2, [person], {"shares": 1}),
        ("share.closed", grant, 2, [], {"why": "consent_withdrawn"}),
    ]  # fmt: skip
    told = sql(database.superuser, "SELECT user_id, kind FROM notification")
    assert {
        (world.users["officer"], "consent.withdrawn"),
        (world.users["officer"], "share.closed"),
        (world.users["sergeant"], "share.closed"),
    } <= {tuple(row) for row in told}


def test_a_consent_is_withdrawn_once(case_id: UUID, world: World) -> None:
    consent = recorded(world, case_id, somebody(world, case_id))
    withdraw_consent(act_as(world, "officer"), consent, HOW)
    db.session.commit()
    with pytest.raises(Conflict):
        withdraw_consent(act_as(world, "officer"), consent, HOW)


def test_nothing_can_rest_on_a_withdrawn_consent_again(case_id: UUID, world: World) -> None:
    consent = recorded(world, case_id, somebody(world, case_id))
    withdraw_consent(act_as(world, "officer"), consent, HOW)
    db.session.commit()
    officer = act_as(world, "officer")
    assert find_live_consents(officer, case_id, Purpose.PREVENT_CRIME, world.organisations["police"]) == []
    with pytest.raises(Invalid) as wrong:
        share_record(officer, case_id, share_form(world, **on_consent(consent)))
    assert "withdrawn" in wrong.value.errors["consent"]


def test_a_consent_carries_its_own_purpose_recipient_and_record_and_no_other(
    case_id: UUID, world: World
) -> None:
    consent = recorded(world, case_id, somebody(world, case_id))
    officer = look_at(act_as(world, "officer"))
    police, yjs = world.organisations["police"], world.organisations["yjs"]

    def live(record: UUID, purpose: Purpose, to: UUID) -> list[UUID]:
        return [row.consent.id for row in find_live_consents(officer, record, purpose, to)]

    assert live(case_id, Purpose.PREVENT_CRIME, police) == [consent]
    assert live(case_id, Purpose.SAFEGUARD_CHILD, police) == []
    assert live(case_id, Purpose.PREVENT_CRIME, yjs) == []
    other = led_case(officer)
    assert live(other, Purpose.PREVENT_CRIME, police) == []
    for record, changes in (
        (case_id, {"purpose": Purpose.SAFEGUARD_CHILD}),
        (case_id, {"to": "yjs"}),
        (other, {}),
    ):
        with pytest.raises(Invalid) as wrong:
            share_record(
                act_as(world, "officer"), record, share_form(world, **{**changes, **on_consent(consent)})
            )
        assert set(wrong.value.errors) == {"consent"}


@pytest.mark.parametrize("change", ["purpose", "to_organisation_id", "record_id", "withdrawn", "anothers"])
def test_the_database_refuses_a_share_on_a_consent_that_does_not_carry_it(
    case_id: UUID, world: World, database: SimpleNamespace, change: str
) -> None:
    """Whatever the service writes: one share that stands, then the same with one fact changed."""
    person = somebody(world, case_id)
    consent = recorded(world, case_id, person)
    grant = shared(world, case_id, **on_consent(consent))
    act_as(world, "officer")
    row = db.session.get_one(Grant, grant)
    values = {column.key: getattr(row, column.key) for column in sa.inspect(Grant).mapper.column_attrs}
    values |= {"id": UUID(int=5), "state": "pending", "answered_at": None, "answered_by": None}
    db.session.execute(
        sa.update(Grant)
        .where(Grant.id == grant)
        .values(revoked_at=sa.func.now(), revoked_by=row.requested_by, revoked_why="Again")
    )
    db.session.commit()
    if change == "purpose":
        values["purpose"] = Purpose.SAFEGUARD_CHILD.value
    elif change == "to_organisation_id":
        values["to_organisation_id"] = world.organisations["yjs"]
    elif change == "record_id":
        values["record_id"] = led_case(act_as(world, "officer"))
    elif change == "withdrawn":
        withdraw_consent(act_as(world, "officer"), consent, HOW)
        db.session.commit()
    else:
        sql(
            database.superuser,
            "UPDATE consent SET contributor_organisation_id = :org",
            org=world.organisations["yjs"],
        )
    act_as(world, "officer")
    db.session.add(Grant(**values))
    with pytest.raises(DBAPIError, match="does not carry this share"):
        db.session.flush()
    db.session.rollback()


def test_of_a_share_and_a_withdrawal_at_once_the_share_never_outlives_the_consent(
    case_id: UUID, world: World, database: SimpleNamespace, app: Flask
) -> None:
    consent = recorded(world, case_id, somebody(world, case_id))
    share_record(act_as(world, "officer"), case_id, share_form(world, **on_consent(consent)))
    db.session.flush()  # not committed: the withdrawal has to wait for it
    done: list[str] = []

    def withdraw() -> None:
        with app.app_context():
            withdraw_consent(act_as(world, "manager"), consent, HOW)
            db.session.commit()
            done.append("withdrawn")

    other = threading.Thread(target=withdraw)
    other.start()
    other.join(timeout=1)
    assert done == []
    db.session.commit()
    other.join(timeout=10)
    assert done == ["withdrawn"]
    assert sql(database.superuser, "SELECT count(*) FROM record_grant WHERE revoked_at IS NULL") == [(0,)]


def test_a_share_that_meets_a_withdrawal_under_way_is_refused(
    case_id: UUID, world: World, database: SimpleNamespace, app: Flask
) -> None:
    consent = recorded(world, case_id, somebody(world, case_id))
    withdraw_consent(act_as(world, "manager"), consent, HOW)  # not committed: the share has to wait for it
    ends: list[str] = []

    def share() -> None:
        with app.app_context():
            try:
                share_record(act_as(world, "officer"), case_id, share_form(world, **on_consent(consent)))
                db.session.commit()
                ends.append("shared")
            except DBAPIError as error:
                db.session.rollback()
                ends.append(str(getattr(error.orig, "sqlstate", "")))

    other = threading.Thread(target=share)
    other.start()
    other.join(timeout=2)
    assert ends == []
    db.session.commit()
    other.join(timeout=20)
    assert ends == ["42501"]
    assert sql(database.superuser, "SELECT count(*) FROM record_grant") == [(0,)]


def test_only_the_organisation_that_recorded_it_withdraws_it(case_id: UUID, world: World) -> None:
    consent = recorded(world, case_id, somebody(world, case_id))
    shared(world, case_id, sections=(Section.SUMMARY, Section.PEOPLE), may_contribute=True)
    sergeant = act_as(world, "sergeant")
    look_at(sergeant)
    assert [row.consent.id for row in find_consents_of(sergeant, case_id)] == [consent]
    with pytest.raises(Denied) as denied:
        withdraw_consent(sergeant, consent, HOW)
    assert denied.value.code == "not_controller"
    with pytest.raises(NotVisible):
        withdraw_consent(act_as(world, "yot_worker"), consent, HOW)
    # and the database sees to it
    look_at(act_as(world, "sergeant"), case_id)
    changed = db.session.execute(
        sa.update(Consent).values(
            withdrawn_at=sa.func.now(), withdrawn_by=sergeant.user_id, withdrawn_how="phone"
        )
    )
    assert changed.rowcount == 0  # type: ignore[attr-defined]
    db.session.rollback()


def test_a_partner_s_own_consent_is_no_basis_of_the_lead_s_share(case_id: UUID, world: World) -> None:
    person = somebody(world, case_id)
    shared(world, case_id, to="yjs", taken_by="yot_worker", sections=(Section.SUMMARY, Section.PEOPLE),
           purpose=Purpose.SAFEGUARD_CHILD, may_contribute=True)  # fmt: skip
    theirs = recorded(world, case_id, person, by="yot_worker")
    officer = act_as(world, "officer")
    look_at(officer)
    assert [row.consent.id for row in find_consents_of(officer, case_id)] == [theirs]
    assert find_live_consents(officer, case_id, Purpose.PREVENT_CRIME, world.organisations["police"]) == []


def test_a_victim_s_consent_is_not_told_to_those_who_are_told_of_no_victim(
    case_id: UUID, world: World
) -> None:
    victim = somebody(world, case_id, InvolvementRole.VICTIM)
    consent = recorded(world, case_id, victim)
    shared(world, case_id, sections=(Section.SUMMARY, Section.PEOPLE))
    assert find_consents_of(look_at(act_as(world, "sergeant")), case_id) == []
    assert [row.consent.id for row in find_consents_of(look_at(act_as(world, "officer")), case_id)] == [
        consent
    ]


def test_consents_are_of_people_of_the_case_and_for_other_organisations(case_id: UUID, world: World) -> None:
    person = somebody(world, case_id)
    stranger = somebody(world, led_case(act_as(world, "officer")))
    for changes, field in (
        ({"person_id": stranger}, "person"),
        ({"to_organisation_id": world.organisations["council"]}, "to_organisation"),
        ({"to_organisation_id": UUID(int=1)}, "to_organisation"),
    ):
        with pytest.raises(Invalid) as wrong:
            record_consent(act_as(world, "officer"), case_id, consent_form(world, person, **changes))
        assert set(wrong.value.errors) == {field}


@pytest.mark.parametrize(("user", "error"), [("reader", Denied), ("sergeant", NotVisible), ("spoc", Denied)])
def test_who_may_record_one(case_id: UUID, world: World, user: str, error: type[Exception]) -> None:
    person = somebody(world, case_id)
    with pytest.raises(error):
        record_consent(act_as(world, user), case_id, consent_form(world, person))


def test_who_only_reads_a_case_does_not_record_one(case_id: UUID, world: World) -> None:
    person = somebody(world, case_id)
    shared(world, case_id, sections=(Section.SUMMARY, Section.PEOPLE))
    with pytest.raises(Denied):
        record_consent(act_as(world, "sergeant"), case_id, consent_form(world, person))
