"""What the database holds of shares and agreements by itself, whatever a path through the service does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.models import Agreement, AgreementParty, Grant
from hub.access.vocabulary import GrantState, Marking, Purpose
from hub.core import clock
from hub.core.ids import new_id
from hub.extensions import db
from tests.access.both_walls import announce
from tests.fixtures.shares import led_record, shared
from tests.fixtures.world import World, act_as

Raw = Callable[[str], AbstractContextManager[sa.Connection]]
CHECK, FORBIDDEN = psycopg.errors.CheckViolation, psycopg.errors.InsufficientPrivilege
SUSPEND = sa.update(Agreement.__table__).values(suspended_at=sa.func.now(), suspended_why="A breach")
END = sa.update(Agreement.__table__).values(ended_at=sa.func.now(), ended_why="No longer needed")


@pytest.fixture
def raw(database: SimpleNamespace, world: World, app: Flask) -> Iterator[Raw]:
    """Raw SQL as the application's role, under a user's settings; or as the superuser, whom nothing but constraints holds."""
    engines = {
        name: sa.create_engine(getattr(database, name), poolclass=sa.NullPool)
        for name in ("app", "superuser")
    }

    @contextmanager
    def begin(user: str) -> Iterator[sa.Connection]:
        who = act_as(world, user) if user else None
        with engines["app" if who else "superuser"].begin() as connection:
            if who:
                announce(connection, who)
            yield connection

    yield begin
    for engine in engines.values():
        engine.dispose()


@pytest.fixture
def grant_id(app: Flask, world: World) -> UUID:
    return shared(world, led_record(act_as(world, "officer")))


def refused(raw: Raw, user: str, statement: sa.Update | sa.Insert, by: type[Exception]) -> str:
    """The constraint that refused it, or the trigger's words."""
    with pytest.raises(sa.exc.DBAPIError) as error, raw(user) as connection:
        connection.execute(statement)
    assert isinstance(error.value.orig, by), error.value.orig
    return error.value.orig.diag.constraint_name or error.value.orig.diag.message_primary or ""


def grants(raw: Raw) -> list[Any]:
    with raw("") as connection:
        return list(connection.execute(sa.select(Grant.__table__)))


def of(grant_id: UUID, **values: Any) -> sa.Update:
    return sa.update(Grant.__table__).where(Grant.id == grant_id).values(**values)


def narrowed(world: World, sections: list[str]) -> sa.Update:
    table = Agreement.__table__
    return sa.update(table).where(table.c.id == world.agreements["sharing"]).values(sections=sections)


def test_a_share_opens_no_section_that_its_agreement_does_not_cover(
    raw: Raw, world: World, grant_id: UUID
) -> None:
    with raw("") as connection:
        connection.execute(narrowed(world, ["summary", "chronology"]))
    (one,) = grants(raw)
    assert one.agreement_sections == ["summary", "chronology"], "the share's copy follows"
    wider = of(grant_id, sections=["summary", "chronology", "files"])
    for user in ("officer", ""):
        assert refused(raw, user, wider, CHECK) == "ck_record_grant_sections_within_agreement"
    # and a new one neither
    values = {name: value for name, value in one._mapping.items() if name != "sections"}
    again = {
        **values,
        "id": new_id(),
        "to_organisation_id": world.organisations["yjs"],
        "sections": ["summary", "files"],
    }
    insert = sa.insert(Grant.__table__).values(again)
    assert refused(raw, "", insert, CHECK) == "ck_record_grant_sections_within_agreement"


def test_an_agreement_is_not_narrowed_while_a_share_uses_what_goes(
    raw: Raw, world: World, grant_id: UUID
) -> None:
    assert (
        refused(raw, "", narrowed(world, ["summary"]), CHECK) == "ck_record_grant_sections_within_agreement"
    )
    (one,) = grants(raw)
    assert len(one.agreement_sections) > 2


def test_a_share_does_not_outlast_its_agreement(raw: Raw, grant_id: UUID) -> None:
    late = of(grant_id, ends_at=clock.now().replace(year=2099))
    assert refused(raw, "officer", late, CHECK) == "ck_record_grant_ends_within_agreement"


@pytest.mark.parametrize("state", [GrantState.ACCEPTED, GrantState.REJECTED])
def test_a_share_is_not_born_answered(raw: Raw, world: World, grant_id: UUID, state: GrantState) -> None:
    (one,) = grants(raw)
    born = {
        **one._mapping, "id": new_id(), "to_organisation_id": world.organisations["yjs"], "purpose": "safeguard_child",
        "state": state.value,
    }  # fmt: skip
    insert = sa.insert(Grant.__table__).values(born)
    assert refused(raw, "officer", insert, FORBIDDEN) == "a share waits for its recipient"
    waiting = {**born, "state": "pending", "answered_at": None, "answered_by": None}
    with raw("officer") as connection:
        connection.execute(sa.insert(Grant.__table__).values(waiting))
    assert len(grants(raw)) == 2


def test_nobody_answers_for_the_recipient_or_widens_for_the_lead(raw: Raw, world: World, app: Flask) -> None:
    pending = shared(world, led_record(act_as(world, "officer")), taken_by=None)
    accepted = {"state": "accepted", "answered_at": clock.now(), "answered_by": world.users["sergeant"]}
    assert "answered once" in refused(raw, "officer", of(pending, **accepted), FORBIDDEN)
    for change in (
        {"sections": ["summary", "files"]},
        {"max_marking": int(Marking.OFFICIAL_SENSITIVE)},
        {"may_contribute": True},
    ):
        assert "changed by the team that leads" in refused(raw, "sergeant", of(pending, **change), FORBIDDEN)
    with raw("sergeant") as connection:
        assert connection.execute(of(pending, **accepted)).rowcount == 1


@pytest.mark.parametrize("change", [SUSPEND, END], ids=["suspended", "ended"])
def test_an_agreement_closes_its_shares_in_the_transaction_in_which_it_stops(
    raw: Raw, world: World, grant_id: UUID, change: sa.Update
) -> None:
    """Changed by raw SQL, as a path that somebody forgot would: the shares are closed before anybody commits."""
    waiting = shared(world, led_record(act_as(world, "officer")), taken_by=None)
    ours = change.where(Agreement.id == world.agreements["sharing"])
    table = Grant.__table__
    with raw("police_spoc") as connection, raw("sergeant") as reader:
        assert connection.execute(ours).rowcount == 1
        closed = sa.select(
            sa.func.shares_closed_now(world.agreements["sharing"]).table_valued("grant_id").c.grant_id
        )
        assert set(connection.scalars(closed)) == {grant_id, waiting}
        # others see it when it is committed, and not half of it
        assert reader.scalars(sa.select(table.c.revoked_at).where(table.c.id == grant_id)).one() is None
    assert {one.closed_with for one in grants(raw)} == {world.agreements["sharing"]}
    assert all(
        one.revoked_at is not None and one.revoked_by == world.users["police_spoc"] for one in grants(raw)
    )


def test_a_party_that_leaves_closes_its_own_shares_alone(raw: Raw, world: World, grant_id: UUID) -> None:
    other = shared(
        world, led_record(act_as(world, "officer")), to="yjs", taken_by=None, purpose=Purpose.SAFEGUARD_CHILD
    )
    table = AgreementParty.__table__
    leaves = sa.update(table).where(
        table.c.agreement_id == world.agreements["sharing"],
        table.c.organisation_id == world.organisations["police"],
    )
    with raw("police_spoc") as connection:
        connection.execute(leaves.values(left_at=sa.func.now()))
    closed = {one.id: one.closed_with for one in grants(raw)}
    assert closed == {grant_id: world.agreements["sharing"], other: None}


def test_a_resumed_agreement_reopens_nothing(raw: Raw, world: World, grant_id: UUID) -> None:
    ours = Agreement.id == world.agreements["sharing"]
    with raw("police_spoc") as connection:
        connection.execute(SUSPEND.where(ours))
    with raw("police_spoc") as connection:
        connection.execute(
            sa.update(Agreement.__table__).where(ours).values(suspended_at=None, suspended_why=None)
        )
    with raw("sergeant") as connection:
        assert connection.execute(sa.text("SELECT id FROM record")).all() == []
    # and what was closed is not opened by hand
    assert "ended once" in refused(
        raw, "officer", of(grant_id, revoked_at=None, revoked_by=None, revoked_why=None), FORBIDDEN
    )
    db.session.remove()
