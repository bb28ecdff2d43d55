"""Every path by which a declaration and what it names can meet, and how an exclusion ends."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.models import Emergency, Exclusion, Record
from hub.core import clock
from hub.core.errors import Conflict, Denied, NotVisible
from hub.crypto import keyring
from hub.extensions import db
from hub.interests.actions import end_interest, lift_exclusion
from hub.interests.vocabulary import InterestKind
from hub.people.actions import add_person, involve_person, tell_of_person
from hub.people.forms import TellingForm
from hub.people.models import Person
from hub.people.vocabulary import FactKind, FactSource, NameKind
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as
from tests.interests.declaring import SUBJECT, case_with, declared, person_in, place_in, sees

PERSON, SURNAME, ADDRESS = InterestKind.PERSON, InterestKind.SURNAME, InterestKind.ADDRESS


def exclusions(world: World) -> set[tuple[str, UUID]]:
    """What the officer is kept from, as the supervisor's wall shows it."""
    act_as(world, "manager")
    rows = db.session.scalars(
        sa.select(Exclusion).where(
            Exclusion.user_id == world.users["officer"],
            sa.or_(Exclusion.ended_at.is_(None), Exclusion.ended_at > clock.now()),
        )
    )
    return {("person", row.person_id) if row.person_id else ("record", row.record_id) for row in rows}


def test_what_is_there_already_is_found_by_a_declaration(app: Flask, world: World) -> None:
    case_id, person_id = case_with(world)
    other, _ = case_with(world, "Maeve", "Quill")
    assert sees(world, case_id)
    declared(world)
    assert exclusions(world) == {("person", person_id), ("record", case_id)}
    assert not sees(world, case_id) and sees(world, other) and sees(world, case_id, user="manager")


def test_who_comes_later_is_found_too(app: Flask, world: World) -> None:
    declared(world)
    case_id, person_id = case_with(world, "OISIN", "o'tuama")
    assert exclusions(world) == {("person", person_id), ("record", case_id)}
    assert not sees(world, case_id)


def tell(world: World, case_id: UUID, person_id: UUID, kind: NameKind | FactKind, **told: str) -> None:
    """Another name or fact of somebody who stands in the case; committed."""
    form = TellingForm(kind, next(iter(FactSource)), **told)
    tell_of_person(act_as(world, "manager"), db.session.get_one(Record, case_id), person_id, form)
    db.session.commit()


def test_a_new_name_of_a_known_person_is_found_with_all_their_records(app: Flask, world: World) -> None:
    declared(world)
    case_id, person_id = case_with(world, "Oisín", "Quill")
    second = led_case(act_as(world, "manager"))
    involve_person(act_as(world, "manager"), db.session.get_one(Record, second), person_id, role=SUBJECT)
    db.session.commit()
    assert exclusions(world) == set()
    tell(world, case_id, person_id, NameKind.MARRIED, given_names="Oisín", family_name="Ó Tuama")
    assert exclusions(world) == {("person", person_id), ("record", case_id), ("record", second)}


def test_a_later_role_in_another_record_is_found(app: Flask, world: World) -> None:
    _, person_id = case_with(world)
    declared(world)
    second = led_case(act_as(world, "manager"))
    assert sees(world, second)
    involve_person(act_as(world, "manager"), db.session.get_one(Record, second), person_id, role=SUBJECT)
    db.session.commit()
    assert not sees(world, second)


def test_who_is_known_by_the_name_is_meant_and_who_bears_another_first_name_is_not(
    app: Flask, world: World
) -> None:
    declared(world)
    nicknamed, _ = case_with(world, "Sean", "Ó Tuama", known_as="Oisin")
    brother, _ = case_with(world, "Sean", "Ó Tuama")
    nameless, _ = case_with(world, "", "Ó Tuama")
    assert not sees(world, nicknamed) and sees(world, brother) and sees(world, nameless)


def test_a_surname_means_everybody_who_bears_all_of_it(app: Flask, world: World) -> None:
    before, _ = case_with(world, "Sean", "O'Tuama")
    declared(world, SURNAME, family_name="Ó Tuama")
    after, _ = case_with(world, "", "Ó TUAMA")
    longer, _ = case_with(world, "Sean", "Ó Tuama Quill")
    assert not sees(world, before) and not sees(world, after) and sees(world, longer)


@pytest.mark.parametrize(
    ("declared_birth", "told_birth", "kept_away"),
    [
        ("1990-04-02", "1990-04-02", True),
        ("1990-04-02", "1971-04-02", False),
        ("1990-04-02", "1971", True),
        ("1990", "1971-04-02", True),
        ("1990-04-02", None, True),
        ("", "1971-04-02", True),
    ],
)
@pytest.mark.parametrize("first", ["declaration", "person"])
def test_whole_dates_of_birth_must_agree(
    app: Flask, world: World, first: str, declared_birth: str, told_birth: str | None, kept_away: bool
) -> None:
    if first == "declaration":
        declared(world, date_of_birth=declared_birth)
    case_id, person_id = case_with(world, date_of_birth=told_birth)
    if first == "person":
        declared(world, date_of_birth=declared_birth)
    assert sees(world, case_id) is not kept_away
    assert (("person", person_id) in exclusions(world)) is kept_away


def test_what_one_transaction_tells_is_taken_together(app: Flask, world: World) -> None:
    case_id, person_id = case_with(world, "Oisín", "Quill")
    declared(world, date_of_birth="1990-04-02")
    manager = act_as(world, "manager")
    record = db.session.get_one(Record, case_id)
    source = next(iter(FactSource))
    name = TellingForm(NameKind.MARRIED, source, given_names="Oisín", family_name="Ó Tuama")
    for told in (name, TellingForm(FactKind.DATE_OF_BIRTH, source, value="1971-04-02")):
        tell_of_person(manager, record, person_id, told)
    db.session.commit()
    assert exclusions(world) == set() and sees(world, case_id)


def test_a_date_of_birth_that_comes_later_is_found(app: Flask, world: World) -> None:
    declared(world, date_of_birth="1990-04-02")
    case_id, person_id = case_with(world, date_of_birth="1971-04-02")
    assert sees(world, case_id)
    tell(world, case_id, person_id, FactKind.DATE_OF_BIRTH, value="1990-04-02")
    assert exclusions(world) == {("person", person_id), ("record", case_id)}


@pytest.mark.parametrize(
    ("wanted", "told", "kept_away"),
    [
        ({"address": "12 Mill Lane", "postcode": "NB1 4QT"}, {}, True),
        (
            {"address": "12 Mill Lane", "postcode": "NB1 4QT"},
            {"description": "Number 12, the old bakery"},
            True,
        ),
        ({"address": "12 Mill Lane", "postcode": "NB1 4QT"}, {"description": "14 Mill Lane"}, False),
        ({"address": "12 Mill Lane", "postcode": "NB1 4QT"}, {"postcode": "NB1 9ZZ"}, False),
        ({"address": "12 Mill Lane", "postcode": "NB1 4QT"}, {"postcode": None}, True),
        ({"address": "12 mill lane, Northbrook"}, {"description": "Home", "street": "Mill Lane, 12"}, True),
        ({"address": "12 Mill Lane, Northbrook"}, {"description": "112 Mill Lane"}, False),
        ({"address": "12 Mill Lane, Eastmere"}, {}, False),
        ({"address": "Rose Cottage, Mill Lane", "postcode": "NB1 4QT"}, {}, False),
    ],
)
@pytest.mark.parametrize("first", ["declaration", "place"])
def test_an_address_is_found_by_its_postcode_and_number_or_by_all_its_words(
    app: Flask, world: World, first: str, wanted: dict[str, str], told: dict[str, str], kept_away: bool
) -> None:
    case_id = led_case(act_as(world, "manager"))
    if first == "declaration":
        declared(world, ADDRESS, **wanted)
    place_in(world, case_id, **told)
    if first == "place":
        declared(world, ADDRESS, **wanted)
    assert sees(world, case_id) is not kept_away


def test_nobody_else_is_kept_from_anything(app: Flask, world: World) -> None:
    case_id, _ = case_with(world)
    shared(world, case_id)
    declared(world)
    assert sees(world, case_id, user="reader") and sees(world, case_id, user="sergeant")
    declared(world, by="sergeant")
    assert not sees(world, case_id, user="sergeant") and sees(world, case_id, user="reader")


def test_who_adds_a_person_of_an_own_interest_loses_sight_at_the_commit(app: Flask, world: World) -> None:
    declared(world)
    actor = act_as(world, "officer")
    case_id = led_case(actor)
    add_person(
        actor,
        db.session.get_one(Record, case_id),
        role=SUBJECT,
        given_names="Oisín",
        family_name="Ó Tuama",
    )
    db.session.commit()
    assert not sees(world, case_id) and sees(world, case_id, user="manager")


def test_an_emergency_never_beats_it(site: Site, app: Flask, world: World, database: SimpleNamespace) -> None:
    case_id, person_id = case_with(world)
    actor = act_as(world, "manager")
    keyring.data_key(db.session(), actor.partnership_id)
    record = db.session.get_one(Record, case_id)
    db.session.commit()
    values = {"record": case_id, "user": world.users["officer"], "owner": record.owner_organisation_id}
    opened = (
        "INSERT INTO emergency (id, created_at, record_id, user_id, organisation_id, owner_organisation_id,"
        " record_reference, data_key_id, sealed_reason, granted_at, expires_at, review_note)"
        " SELECT gen_random_uuid(), now(), :record, :user, :owner, :owner, 'X', k.id, '', now(), now() + interval '1 hour',"
        " '' FROM data_key k LIMIT 1"
    )
    site.sql(database.superuser, opened, **values)
    site.sql(database.superuser, "UPDATE record SET restricted = true WHERE id = :id", id=case_id)
    assert sees(world, case_id), "the emergency opens the restricted record"
    declared(world)
    assert not sees(world, case_id)
    assert db.session.scalars(sa.select(Emergency.id)).all()
    assert db.session.scalar(sa.select(Person.id).where(Person.id == person_id)) is None


def test_what_ended_frees_and_stays_ended(app: Flask, world: World) -> None:
    case_id, _ = case_with(world)
    interest = declared(world)
    assert not sees(world, case_id)
    end_interest(act_as(world, "manager"), interest)
    db.session.commit()
    assert sees(world, case_id)
    later, _ = case_with(world)
    assert sees(world, later) and exclusions(world) == set()
    with pytest.raises(Conflict):
        end_interest(act_as(world, "manager"), interest)


def test_another_declaration_still_holds_when_one_ends(app: Flask, world: World) -> None:
    case_id, _ = case_with(world)
    first = declared(world)
    declared(world, SURNAME, family_name="Ó Tuama")
    end_interest(act_as(world, "manager"), first)
    db.session.commit()
    assert not sees(world, case_id)


def _exclusion_of(world: World, **subject: UUID) -> UUID:
    act_as(world, "manager")
    found = db.session.scalar(sa.select(Exclusion.id).filter_by(**subject))
    assert found
    return found


def test_a_lifted_person_frees_their_records_and_does_not_come_back(app: Flask, world: World) -> None:
    declared(world)
    case_id, person_id = case_with(world)
    both, _ = case_with(world)
    namesake = person_in(world, both)
    lift_exclusion(act_as(world, "manager"), _exclusion_of(world, person_id=person_id), reason="A namesake")
    db.session.commit()
    assert sees(world, case_id) and not sees(world, both)
    again = led_case(act_as(world, "manager"))
    for record in (case_id, again):
        involve_person(
            act_as(world, "manager"),
            db.session.get_one(Record, record),
            person_id,
            role="witness",  # type: ignore[arg-type]
            given_names="Oisín",
            family_name="Ó Tuama",
            date_of_birth="1990-04-02",
        )
        db.session.commit()
    assert sees(world, case_id) and sees(world, again)
    assert ("person", person_id) not in exclusions(world) and ("person", namesake) in exclusions(world)


def test_a_lifted_record_does_not_come_back(app: Flask, world: World) -> None:
    declared(world)
    case_id, person_id = case_with(world)
    lift_exclusion(act_as(world, "manager"), _exclusion_of(world, record_id=case_id), reason="Not theirs")
    db.session.commit()
    assert sees(world, case_id)
    involve_person(
        act_as(world, "manager"),
        db.session.get_one(Record, case_id),
        person_id,
        role="witness",  # type: ignore[arg-type]
    )
    db.session.commit()
    assert sees(world, case_id) and ("person", person_id) in exclusions(world)


def test_only_another_supervisor_lifts_and_ends(
    site: Site, app: Flask, world: World, database: SimpleNamespace
) -> None:
    case_id, _ = case_with(world)
    interest, own = declared(world), declared(world, by="manager")
    exclusion = _exclusion_of(world, record_id=case_id, user_id=world.users["officer"])
    mine = _exclusion_of(world, record_id=case_id, user_id=world.users["manager"])
    for user in ("officer", "reader", "spoc", "auditor"):
        with pytest.raises(Denied):
            end_interest(act_as(world, user), interest)
        with pytest.raises(Denied):
            lift_exclusion(act_as(world, user), exclusion, reason="x")
    with pytest.raises(Denied):
        end_interest(act_as(world, "manager"), own)
    for hidden in (mine, uuid4(), exclusion):
        # the manager is kept from the case as well, so that the colleague's exclusion says nothing to them
        with pytest.raises(NotVisible):
            lift_exclusion(act_as(world, "manager"), hidden, reason="x")
    site.sql(
        database.superuser,
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, 'supervisor', now())",
        user=world.users["sergeant"],
        area=world.partnerships["northbrook"],
    )
    with pytest.raises(NotVisible):
        end_interest(act_as(world, "sergeant"), interest)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exclusion SET ended_at = now() WHERE user_id = :me",
        "UPDATE exclusion SET ended_at = now(), ended_by = :me, ended_why = 'x' WHERE user_id = :me",
        "UPDATE exclusion SET ended_at = now(), ended_by = :other, ended_why = 'x' WHERE user_id = :me",
        "UPDATE declared_interest SET ended_at = now(), ended_by = :me WHERE user_id = :me",
        "UPDATE declared_interest SET ended_at = now(), ended_by = :other WHERE user_id = :me",
        "UPDATE declared_interest SET family_name = 'Quill' WHERE user_id = :me",
        "DELETE FROM exclusion WHERE user_id = :me",
        "DELETE FROM declared_interest WHERE user_id = :me",
        "SELECT count(*) FROM stopped_look",
    ],
)
def test_the_database_lets_nobody_free_themselves(app: Flask, world: World, statement: str) -> None:
    case_with(world)
    declared(world)
    act_as(world, "officer")
    with pytest.raises(sa.exc.DBAPIError):
        db.session.execute(
            sa.text(statement), {"me": world.users["officer"], "other": world.users["manager"]}
        )
    db.session.rollback()


def test_another_user_reads_nothing_of_it_in_the_database(app: Flask, world: World) -> None:
    case_with(world)
    declared(world)
    seen = {}
    for user in ("officer", "manager", "reader", "spoc", "auditor", "sergeant", "police_spoc"):
        act_as(world, user)
        seen[user] = [
            db.session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("declared_interest", "exclusion")
        ]
    assert seen.pop("officer") == [1, 2] and seen.pop("manager") == [1, 2]
    assert set(map(tuple, seen.values())) == {(0, 0)}
