"""What a search may tell of records that the reader can't see: which organisation holds one, and nothing else."""

from __future__ import annotations

import re
import statistics
import time
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.models import Involvement
from hub.access.vocabulary import Marking, Purpose
from hub.access_requests.queries import find_blind_hits
from hub.cases.models import Case
from hub.cases.restricting import let_know, restrict_case
from hub.cases.vocabulary import GUARDED_KINDS, CaseKind
from hub.core.errors import Conflict, Denied
from hub.core.ids import new_id
from hub.extensions import db
from hub.people.actions import add_person, end_involvement, involve_person
from hub.people.models import PersonName
from hub.people.vocabulary import InvolvementRole
from hub.search.queries import list_matches
from hub.sharing.ending import suspend_agreement
from tests.access_requests.conftest import known_case
from tests.fixtures.shares import shared
from tests.fixtures.world import World, act_as, look_at

NAME = "Devon Marchbanks"


def told(
    world: World, terms: str = NAME, user: str = "sergeant", purpose: Purpose | None = None
) -> list[str]:
    return [one.name for one in find_blind_hits(act_as(world, user, purpose=purpose), terms)]


@pytest.fixture
def case(app: Flask, world: World) -> Case:
    return known_case(world)


@pytest.mark.parametrize("terms", [NAME, "marchbanks DEVON", "Devón  Marchbanks!"])
def test_a_partner_is_told_who_holds_a_record(case: Case, world: World, terms: str) -> None:
    assert told(world, terms) == ["Northbrook Council"]
    found = list_matches(act_as(world, "sergeant"), terms)
    assert (found.people, found.records) == ([], [])
    assert [one.name for one in found.held] == ["Northbrook Council"]


@pytest.mark.parametrize(
    "terms",
    ["Devon", "Marchbanks", "Devon Devon", "Marchbanks Marchbank", "Devon Marchand", "Dev March", "", "% %"],
)
def test_one_word_or_half_a_name_tells_nothing(case: Case, world: World, terms: str) -> None:
    assert told(world, terms) == []


def test_a_victim_is_never_told(case: Case, world: World) -> None:
    assert told(world, "Philippa Rosegarden") == []
    # nor a suspect who is a victim in the same case
    add_person(
        act_as(world, "officer"),
        case,
        role=InvolvementRole.SUSPECT,
        given_names="Ivo",
        family_name="Lackland",
    )
    db.session.commit()
    assert told(world, "Ivo Lackland") == ["Northbrook Council"]
    officer = act_as(world, "officer")
    look_at(officer)
    person = db.session.scalar(sa.select(PersonName.person_id).where(PersonName.family_name == "Lackland"))
    involve_person(officer, db.session.get_one(Case, case.id), person, role=InvolvementRole.VICTIM)
    db.session.commit()
    assert told(world, "Ivo Lackland") == []


def test_other_purposes_and_organisations_without_an_agreement_learn_nothing(
    case: Case, world: World
) -> None:
    assert told(world, purpose=Purpose.TENANCY) == []
    assert told(world, purpose=Purpose.SAFEGUARD_CHILD) == ["Northbrook Council"]
    assert told(world, user="outreach_worker", purpose=Purpose.PREVENT_CRIME) == []
    assert told(world, user="east_officer") == []
    suspend_agreement(act_as(world, "spoc"), world.agreements["sharing"], why="Under review")
    db.session.commit()
    assert told(world) == []


def test_the_own_organisation_is_never_told_of_itself(case: Case, world: World) -> None:
    assert told(world, user="housing_officer", purpose=Purpose.PREVENT_CRIME) == []


def test_those_who_cannot_ask_learn_nothing(case: Case, world: World) -> None:
    assert told(world, user="police_auditor") == []


def test_what_is_shared_already_is_among_the_results_and_not_held(case: Case, world: World) -> None:
    shared(world, case.id)
    assert told(world) == []


@pytest.mark.parametrize("kind", sorted(GUARDED_KINDS))
def test_guarded_kinds_are_never_known(app: Flask, world: World, kind: CaseKind) -> None:
    case = known_case(world, kind)
    assert case.knowable is False
    assert told(world) == []
    with pytest.raises(Conflict, match="never_known"):
        let_know(act_as(world, "officer"), case.id, known=True)


def test_restricting_hides_a_case_and_opening_it_does_not_show_it_again(case: Case, world: World) -> None:
    restrict_case(act_as(world, "officer"), case.id, restricted=True, reason="Family of staff")
    db.session.commit()
    assert told(world) == []
    with pytest.raises(Conflict, match="never_known"):
        let_know(act_as(world, "officer"), case.id, known=True)
    restrict_case(act_as(world, "officer"), case.id, restricted=False, reason="No longer")
    db.session.commit()
    assert told(world) == []
    let_know(act_as(world, "officer"), case.id, known=True)
    db.session.commit()
    assert told(world) == ["Northbrook Council"]


def test_a_restricted_case_is_not_known_from_its_first_moment(app: Flask, world: World) -> None:
    assert known_case(world, restricted=True, restricted_reason="Family of staff").knowable is False
    assert told(world) == []


def test_the_lead_alone_says_whether_partners_may_know(case: Case, world: World) -> None:
    let_know(act_as(world, "officer"), case.id, known=False)
    db.session.commit()
    assert told(world) == []
    shared(world, case.id)
    with pytest.raises(Denied, match="not_lead"):
        let_know(act_as(world, "sergeant"), case.id, known=True)


@pytest.mark.parametrize(
    "role", [InvolvementRole.CHILD_AT_RISK, InvolvementRole.ADULT_AT_RISK, InvolvementRole.MISSING_PERSON]
)
def test_a_case_of_protected_people_is_never_known(case: Case, world: World, role: InvolvementRole) -> None:
    officer = act_as(world, "officer")
    add_person(officer, case, role=role, given_names="Minna", family_name="Oxley")
    db.session.commit()
    assert told(world) == [] and told(world, "Minna Oxley") == []
    with pytest.raises(Conflict, match="never_known"):
        let_know(act_as(world, "officer"), case.id, known=True)


def test_a_name_that_only_a_hidden_case_tells_finds_nothing(case: Case, world: World) -> None:
    """Somebody known in an open case under one name, in a hidden one under another."""
    look_at(act_as(world, "officer"))
    person = db.session.scalar(sa.select(PersonName.person_id).where(PersonName.family_name == "Marchbanks"))
    hidden = known_case(world, CaseKind.DOMESTIC_ABUSE)
    officer = act_as(world, "officer")
    involve_person(
        officer, hidden, person, role=InvolvementRole.SUSPECT, given_names="Kit", family_name="Fairweather"
    )
    db.session.commit()
    assert told(world, "Kit Fairweather") == []
    assert told(world) == ["Northbrook Council"]


def test_what_is_marked_above_the_reader_tells_nothing(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    case = known_case(world)
    officer = act_as(world, "officer")
    marked = {"given_names": "Otto", "family_name": "Quayle", "marking": Marking.OFFICIAL_SENSITIVE}
    add_person(officer, case, role=InvolvementRole.SUSPECT, **marked)
    db.session.commit()
    assert told(world, "Otto Quayle") == ["Northbrook Council"]
    run(database, "UPDATE app_user SET clearance = 0 WHERE id = :id", id=world.users["sergeant"])
    assert told(world, "Otto Quayle") == []


def run(database: SimpleNamespace, sql: str, **values: object) -> None:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(sql), values)
    engine.dispose()


def test_an_exclusion_hides_it(case: Case, world: World, database: SimpleNamespace) -> None:
    sergeant = act_as(world, "sergeant")
    run(
        database,
        "INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why)"
        " VALUES (:id, now(), :user, :organisation, :record, 'test')",
        id=new_id(),
        user=sergeant.user_id,
        organisation=sergeant.organisation_id,
        record=case.id,
    )
    assert told(world) == []


def test_somebody_who_is_no_longer_involved_is_not_told(case: Case, world: World) -> None:
    officer = act_as(world, "officer")
    look_at(officer)
    involvement = db.session.scalar(
        sa.select(Involvement.id).where(Involvement.role == "suspect", Involvement.record_id == case.id)
    )
    end_involvement(officer, case.id, involvement_id=involvement, why="Mistaken for another")
    db.session.commit()
    assert told(world) == []


def test_the_page_names_the_organisation_alone_and_the_log_counts_it(placed: SimpleNamespace) -> None:
    sergeant = placed.site.as_user("sergeant")
    page = sergeant.get("/search", query_string={"q": NAME}).get_data(as_text=True)
    assert "Northbrook Council holds a record" in page
    for secret in (placed.reference, str(placed.case_id), "NBC-", "Noise, Harbour", "behaviour"):
        assert secret not in page, secret
    ((records, people, body),) = placed.site.sql(
        placed.superuser,
        "SELECT record_ids, person_ids, convert_from(body, 'UTF8')::jsonb FROM audit.event WHERE act = 'search.run'",
    )
    assert (records, people) == ([], [])
    assert body["shown"] == {"count": 1, "owners": [], "people": [], "records": []}


def test_a_hidden_person_and_nobody_are_answered_alike(placed: SimpleNamespace) -> None:
    """Status, body and size; a person of a hidden case, a victim, and a name of nobody."""
    sergeant = placed.site.as_user("sergeant")
    bodies = []
    for terms in ("Philippa Rosegarden", "Philippa Rosemeadow", "Aurelius Nobody"):
        answer = sergeant.get("/search", query_string={"q": terms})
        assert answer.status_code == 200
        text = answer.get_data(as_text=True).replace(terms, "NAME")
        bodies.append(re.sub(r'(nonce|value|datetime|now|expires)="[^"]*"|nonce-[\w-]+', "", text))
    assert len({re.sub(r"\d+:\d+[ap]m", "", one) for one in bodies}) == 1


@pytest.mark.slow
def test_the_answer_takes_as_long_whether_or_not_there_is_one(app: Flask, world: World) -> None:
    known_case(world)
    hidden = known_case(world, CaseKind.DOMESTIC_ABUSE)
    officer = act_as(world, "officer")
    for number in range(60):
        given = f"Arlo{chr(97 + number % 26)}"
        add_person(officer, hidden, role=InvolvementRole.SUSPECT, given_names=given, family_name="Haddock")
    db.session.commit()
    sergeant = act_as(world, "sergeant")
    taken: dict[str, list[float]] = {NAME: [], "Arloa Haddock": [], "Nobody Atall": []}
    for _ in range(200):
        for terms, times in taken.items():
            begun = time.perf_counter()
            find_blind_hits(sergeant, terms)
            times.append(time.perf_counter() - begun)
    medians = [statistics.median(times) * 1000 for times in taken.values()]
    assert max(medians) - min(medians) < 5, medians
