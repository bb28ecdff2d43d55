"""The life of an agreement: which act is open in which state and to whom, and that terms stand once it was sent out."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.actor import Actor
from hub.access.models import Agreement, AgreementParty, AgreementPurpose
from hub.access.vocabulary import Purpose, Section
from hub.agreements.actions import change_agreement, draft_agreement, send_agreement, sign_agreement
from hub.agreements.forms import PartyLine, PermittedPurpose
from hub.agreements.policy import TRANSITIONS, Act, Standing, may, standing_of
from hub.agreements.queries import find_between, find_terms, list_register, open_agreement
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.sharing.ending import end_agreement, leave_agreement, resume_agreement, suspend_agreement
from tests.agreements.drafting import agreed, drafted, sent, terms
from tests.fixtures.world import World, act_as

DO: dict[Act, Callable[[Actor, UUID, World], Any]] = {
    Act.CHANGE: lambda actor, key, world: change_agreement(
        actor, key, terms(world, "council", "police", "yjs")
    ),
    Act.SEND: lambda actor, key, _: send_agreement(actor, key),
    Act.SIGN: lambda actor, key, _: sign_agreement(actor, key),
    Act.SUSPEND: lambda actor, key, _: suspend_agreement(actor, key, why="Breach"),
    Act.RESUME: lambda actor, key, _: resume_agreement(actor, key),
    Act.LEAVE: lambda actor, key, _: leave_agreement(actor, key, why="Not needed"),
    Act.END: lambda actor, key, _: end_agreement(actor, key, why="Not needed"),
}


def standing(agreement_id: UUID) -> Standing:
    db.session.expire_all()
    return standing_of(db.session.get_one(Agreement, agreement_id), clock.now())


def as_superuser(database: SimpleNamespace, sql: str, **values: Any) -> None:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(sql), values)
    engine.dispose()


def brought_to(state: Standing, world: World, database: SimpleNamespace) -> UUID:
    """An agreement of the council with the police and the youth justice service in that state."""
    parties = ("council", "police", "yjs")
    if state is Standing.DRAFT:
        return drafted(world, *parties)
    if state is Standing.NOT_SIGNED:
        return sent(world, *parties)
    now = clock.now()
    late = {"starts_at": now + timedelta(days=5)} if state is Standing.NOT_STARTED else {}
    agreement_id = agreed(world, *parties, **late)
    if state is Standing.SUSPENDED:
        suspend_agreement(act_as(world, "spoc"), agreement_id, why="Breach")
    elif state is Standing.ENDED:
        end_agreement(act_as(world, "spoc"), agreement_id, why="Not needed")
    db.session.commit()
    moved = {Standing.REVIEW_DUE: "review_at = now() - interval '1 day'", Standing.EXPIRED: "ends_at = now()"}
    if state in moved:
        as_superuser(database, f"UPDATE agreement SET {moved[state]} WHERE id = :id", id=agreement_id)
    return agreement_id


@pytest.mark.parametrize("state", list(Standing))
def test_each_act_is_open_in_the_states_of_the_table_and_in_no_other(
    state: Standing, app: Flask, world: World, database: SimpleNamespace
) -> None:
    for act in Act:
        agreement_id = brought_to(state, world, database)
        assert standing(agreement_id) is state
        actor = act_as(world, "spoc")
        offered = may(actor, act, find_terms(actor, [agreement_id])[agreement_id], clock.now())
        assert offered is (act in TRANSITIONS[state])
        if offered:
            DO[act](actor, agreement_id, world)
            db.session.commit()
            assert standing(agreement_id) in TRANSITIONS[state][act]
        else:
            with pytest.raises(Conflict):
                DO[act](actor, agreement_id, world)
            db.session.rollback()
            assert standing(agreement_id) is state


def test_every_state_but_the_first_is_led_to(app: Flask) -> None:
    led_to = set(
        itertools.chain.from_iterable(
            itertools.chain.from_iterable(one.values() for one in TRANSITIONS.values())
        )
    )
    by_the_clock = {Standing.REVIEW_DUE, Standing.EXPIRED}
    assert led_to | by_the_clock == set(Standing)
    assert {one for one in Standing if not TRANSITIONS[one]} == {one for one in Standing if one.over}


def test_it_is_in_force_only_when_all_have_signed(app: Flask, world: World) -> None:
    agreement_id = sent(world, "council", "police", "yjs")
    for signer, expected in (
        ("police_spoc", Standing.NOT_SIGNED),
        ("spoc", Standing.NOT_SIGNED),
        ("yjs_spoc", Standing.IN_FORCE),
    ):
        sign_agreement(act_as(world, signer), agreement_id, signatory="  Kim Orr,   chair ")
        db.session.commit()
        assert standing(agreement_id) is expected
    parties = db.session.scalars(sa.select(AgreementParty).where(AgreementParty.agreement_id == agreement_id))
    assert {(one.signed_by, one.signatory) for one in parties} == {
        (world.users[signer], "Kim Orr, chair") for signer in ("spoc", "police_spoc", "yjs_spoc")
    }


def test_a_draft_cannot_be_signed_and_is_its_owners_alone(app: Flask, world: World) -> None:
    agreement_id = drafted(world, "council", "police")
    with pytest.raises(Conflict, match="still a draft"):
        sign_agreement(act_as(world, "spoc"), agreement_id)
    police = act_as(world, "police_spoc")
    for act in Act:
        with pytest.raises(NotVisible):
            DO[act](police, agreement_id, world)
        db.session.rollback()
    with pytest.raises(NotVisible):
        open_agreement(police, agreement_id)
    assert agreement_id not in {entry.terms.agreement.id for entry in list_register(police)}
    assert agreement_id not in {
        one.agreement.id for one in find_between(police, world.organisations["council"])
    }


def test_an_organisation_that_is_no_party_finds_nothing(app: Flask, world: World) -> None:
    agreement_id = agreed(world, "council", "police")
    for act in Act:
        with pytest.raises(NotVisible):
            DO[act](act_as(world, "charity_spoc"), agreement_id, world)
        db.session.rollback()


def test_practitioners_do_nothing_about_agreements(app: Flask, world: World) -> None:
    agreement_id = agreed(world, "council", "police")
    for act in Act:
        with pytest.raises(Denied):
            DO[act](act_as(world, "officer"), agreement_id, world)
        db.session.rollback()


def test_its_owner_ends_it_and_whoever_suspended_it_resumes_it(app: Flask, world: World) -> None:
    agreement_id = agreed(world, "council", "police", "yjs")
    with pytest.raises(Denied, match="Only Northbrook Council can end"):
        end_agreement(act_as(world, "police_spoc"), agreement_id, why="Not needed")
    suspend_agreement(act_as(world, "police_spoc"), agreement_id, why="Breach")
    db.session.commit()
    with pytest.raises(Denied, match="only Northbrook Police can resume"):
        resume_agreement(act_as(world, "spoc"), agreement_id)
    leave_agreement(act_as(world, "police_spoc"), agreement_id, why="Not needed")
    db.session.commit()
    # whoever suspended it has left: its owner stands for it
    resume_agreement(act_as(world, "spoc"), agreement_id)
    db.session.commit()
    assert standing(agreement_id) is Standing.IN_FORCE
    for act in (Act.SUSPEND, Act.LEAVE, Act.END):
        with pytest.raises(Denied, match="no longer a party"):
            DO[act](act_as(world, "police_spoc"), agreement_id, world)
        db.session.rollback()


def test_with_fewer_than_two_parties_left_it_ends(app: Flask, world: World) -> None:
    agreement_id = agreed(world, "council", "police", "yjs")
    leave_agreement(act_as(world, "spoc"), agreement_id, why="Not needed")
    db.session.commit()
    assert standing(agreement_id) is Standing.IN_FORCE
    leave_agreement(act_as(world, "police_spoc"), agreement_id, why="Not needed")
    db.session.commit()
    assert standing(agreement_id) is Standing.ENDED
    assert db.session.get_one(Agreement, agreement_id).ended_why == "Fewer than two parties are left"


def test_terms_stand_once_it_was_sent_out(app: Flask, world: World) -> None:
    agreement_id = sent(world, "council", "police")
    with pytest.raises(Conflict, match="terms stand"):
        change_agreement(act_as(world, "spoc"), agreement_id, terms(world, "council", "yjs"))
    db.session.rollback()
    assert {
        one.organisation_id for one in find_terms(act_as(world, "spoc"), [agreement_id])[agreement_id].parties
    } == {
        world.organisations["council"],
        world.organisations["police"],
    }


FROZEN: dict[str, Callable[[UUID, World], Any]] = {
    "title": lambda key, _: sa.update(Agreement).where(Agreement.id == key).values(title="Another"),
    "sections": lambda key, _: sa.update(Agreement).where(Agreement.id == key).values(sections=["summary"]),
    "back to draft": lambda key, _: sa.update(Agreement).where(Agreement.id == key).values(sent_at=None),
    "end": lambda key, _: (
        sa.update(Agreement).where(Agreement.id == key).values(ends_at=Agreement.ends_at + timedelta(days=1))
    ),
    "no purpose": lambda key, _: sa.delete(AgreementPurpose).where(AgreementPurpose.agreement_id == key),
    "gateway": lambda key, _: (
        sa.update(AgreementPurpose).where(AgreementPurpose.agreement_id == key).values(gateway="localism_1")
    ),
    "no party": lambda key, _: sa.delete(AgreementParty).where(AgreementParty.agreement_id == key),
    "another party": lambda key, world: sa.insert(AgreementParty).values(
        agreement_id=key, organisation_id=world.organisations["charity"], joined_at=clock.now(), signatory=""
    ),
    "joined earlier": lambda key, _: (
        sa.update(AgreementParty)
        .where(AgreementParty.agreement_id == key)
        .values(joined_at=AgreementParty.joined_at - timedelta(days=1))
    ),
    "signed again": lambda key, _: (
        sa.update(AgreementParty).where(AgreementParty.agreement_id == key).values(signed_at=clock.now())
    ),
}


@pytest.mark.parametrize("change", list(FROZEN))
def test_the_database_keeps_the_terms_of_what_was_sent_out(change: str, app: Flask, world: World) -> None:
    agreement_id = agreed(world, "council", "police")
    act_as(world, "spoc")
    statement = FROZEN[change](agreement_id, world).execution_options(synchronize_session=False)
    with pytest.raises(sa.exc.ProgrammingError, match=r"terms of an agreement stand|signs once"):
        db.session.execute(statement)
    db.session.rollback()


def test_a_draft_is_written_anew_with_its_lines(app: Flask, world: World) -> None:
    agreement_id = drafted(world, "council", "police", "yjs")
    form = terms(
        world,
        "council",
        "charity",
        title="Street outreach",
        purposes=(PermittedPurpose(Purpose.SAFEGUARD_ADULT, "care_42_45", "art6_1c"),),
        sections=(Section.SUMMARY,),
    )
    spoc = act_as(world, "spoc")
    change_agreement(spoc, agreement_id, form)
    db.session.commit()
    found = find_terms(spoc, [agreement_id])[agreement_id]
    assert found.agreement.title == "Street outreach" and found.agreement.sections == ["summary"]
    assert {one.organisation_id: one.signatory for one in found.parties} == {
        world.organisations["council"]: "Head of council",
        world.organisations["charity"]: "Head of charity",
    }
    assert [(one.purpose, one.gateway) for one in found.purposes] == [("safeguard_adult", "care_42_45")]
    assert found.agreement.revision == 2


def test_what_terms_must_be(app: Flask, world: World) -> None:
    now = clock.now()
    council, police = world.organisations["council"], world.organisations["police"]
    crime = PermittedPurpose(Purpose.PREVENT_CRIME, "cda_115", "art6_1e")
    for changes, field in (
        ({"parties": (PartyLine(council),)}, "party-0"),
        ({"parties": (PartyLine(police), PartyLine(world.organisations["yjs"]))}, "party-0"),
        ({"parties": (PartyLine(council), PartyLine(uuid4()))}, "party-0"),
        ({"purposes": ()}, "purpose-0"),
        ({"purposes": (crime, crime)}, "purpose-0"),
        ({"purposes": (PermittedPurpose(Purpose.PREVENT_CRIME, "cda_17a", "art6_1e"),)}, "gateway-0"),
        ({"purposes": (PermittedPurpose(Purpose.PREVENT_CRIME, "cwsa26_4", "art6_1e"),)}, "gateway-0"),
        ({"purposes": (PermittedPurpose(Purpose.PREVENT_CRIME, "cda_115", "made_up"),)}, "basis-0"),
        (
            {"purposes": (PermittedPurpose(Purpose.PREVENT_CRIME, "cda_115", "art6_1e", "s8_vital"),)},
            "condition-0",
        ),
        (
            {"purposes": (PermittedPurpose(Purpose.PREVENT_CRIME, "cda_115", "p3_task", "s1_p10"),)},
            "condition-0",
        ),
        ({"sections": (Section.CHRONOLOGY,)}, "sections"),
        ({"ends_at": now - timedelta(days=20)}, "ends"),
        ({"review_at": now + timedelta(days=400)}, "review"),
        ({"owner_user_id": world.users["police_spoc"]}, "owner"),
    ):
        with pytest.raises(Invalid) as refused:
            draft_agreement(act_as(world, "spoc"), terms(world, "council", "police", **changes))
        assert field in refused.value.errors, changes
        db.session.rollback()


def test_a_draft_whose_end_is_past_is_not_sent_out(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    agreement_id = drafted(world, "council", "police")
    as_superuser(database, "UPDATE agreement SET ends_at = now() WHERE id = :id", id=agreement_id)
    with pytest.raises(Conflict, match="end of this agreement is past"):
        send_agreement(act_as(world, "spoc"), agreement_id)


def test_two_last_signatures_at_once_put_it_in_force(app: Flask, world: World) -> None:
    """The second waits for the first, then sees it: neither believes that the other is missing."""
    agreement_id = sent(world, "council", "police")
    council = act_as(world, "spoc")

    def police_sign() -> None:
        with app.app_context():
            sign_agreement(act_as(world, "police_spoc"), agreement_id)
            db.session.commit()
            db.session.remove()

    sign_agreement(council, agreement_id)
    other = Thread(target=police_sign)
    other.start()
    # long enough for the other to have come to the same agreement
    other.join(1)
    db.session.commit()
    other.join(30)
    assert not other.is_alive()
    assert standing(agreement_id) is Standing.IN_FORCE
