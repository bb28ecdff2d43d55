"""Ending keys: by two people or by the clock, never while they open something, and then for good: in backups too."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.core.errors import Conflict, Denied, NotVisible, Unavailable
from hub.crypto import keyring, rotation
from hub.crypto.errors import Unsealable
from hub.crypto.keepers.transit import TransitKeeper
from hub.crypto.models import KeyDestruction, KeyEpoch, RootGeneration
from hub.crypto.wrapping import RootWrapped
from hub.extensions import db
from hub.keys import actions, jobs
from tests.conftest import by_worker
from tests.fixtures.keepers import Transit
from tests.fixtures.world import World, act_as
from tests.keys.keeping import TEXT, acts, as_superuser, epochs, opened, records

look_after_keys = by_worker(jobs.look_after_keys)


@pytest.fixture
def turned(app: Flask, world: World) -> KeyEpoch:
    """An epoch that wraps nothing any more."""
    records(world, 2)
    spoc = act_as(world, "spoc")
    actions.turn_keys(spoc, spoc.partnership_id)
    return epochs(world)[-2]


def test_two_people_destroy_an_epoch(turned: KeyEpoch, world: World, database: SimpleNamespace) -> None:
    actions.ask_destruction(act_as(world, "spoc"), turned.id)
    db.session.commit()
    assert epochs(world)[-2].wrapped is not None
    actions.approve_destruction(act_as(world, "police_spoc"), turned.id)
    db.session.commit()
    destroyed = epochs(world)[-2]
    assert destroyed.wrapped is None and destroyed.destroyed_at is not None
    assert acts(database, "keys.destr") == [("keys.destruction_asked", "ok"), ("keys.destroyed", "ok")]


def test_nobody_lets_go_what_they_asked_for(
    turned: KeyEpoch, world: World, database: SimpleNamespace
) -> None:
    spoc = act_as(world, "spoc")
    actions.ask_destruction(spoc, turned.id)
    db.session.commit()
    with pytest.raises(Denied):
        actions.approve_destruction(spoc, turned.id)
    assert epochs(world)[-2].wrapped is not None
    assert acts(database, "keys.destroyed") == [("keys.destroyed", "denied")]
    # and neither does the database, whoever writes to it
    with pytest.raises(sa.exc.DBAPIError, match="two_people"):
        db.session.execute(
            sa.update(KeyDestruction).values(approved_by=spoc.user_id, approved_at=sa.func.now())
        )
    db.session.rollback()
    gone = sa.update(KeyEpoch).where(KeyEpoch.id == turned.id)
    with pytest.raises(sa.exc.DBAPIError, match="two people destroy"):
        db.session.execute(gone.values(wrapped=None, destroyed_at=sa.func.now()))


def test_an_epoch_in_use_is_not_destroyed(app: Flask, world: World) -> None:
    records(world, 1)
    current = epochs(world)[-1]
    with pytest.raises(Conflict):
        actions.ask_destruction(act_as(world, "spoc"), current.id)
    gone = sa.update(KeyEpoch).where(KeyEpoch.id == current.id)
    with pytest.raises(sa.exc.DBAPIError, match="in use"):
        db.session.execute(gone.values(wrapped=None, destroyed_at=sa.func.now(), retired_at=sa.func.now()))
    db.session.rollback()


def test_only_who_keeps_keys_asks_and_only_in_their_partnership(turned: KeyEpoch, world: World) -> None:
    for user in ("officer", "manager", "auditor"):
        with pytest.raises(Denied):
            actions.ask_destruction(act_as(world, user), turned.id)
        with pytest.raises(Denied):
            actions.approve_destruction(act_as(world, user), turned.id)
    records(world, 1, user="east_officer")
    with pytest.raises(NotVisible):
        actions.ask_destruction(act_as(world, "spoc"), epochs(world, "eastmere")[-1].id)
    with pytest.raises(Conflict):
        actions.approve_destruction(act_as(world, "spoc"), turned.id)


def test_the_clock_turns_destroys_and_ends_in_time(
    app: Flask, world: World, database: SimpleNamespace, transit: Transit
) -> None:
    """From an old epoch to an ended generation of the root key, with nobody's hand in it."""
    as_superuser(database, "DELETE FROM data_key")
    as_superuser(database, "DELETE FROM key_epoch")
    was = keyring.root()
    keyring.install(TransitKeeper(transit.settings()))
    try:
        made = records(world, 3)
        first = epochs(world)[0]
        first_id = first.id
        kept = RootWrapped(first.root_key_id, first.wrapped or b"")
        bound = (first.partnership_id, first.id)
        _back(database, "key_epoch", "created_at", keyring.EPOCH_DAYS)
        assert look_after_keys(Event()) > 0
        old = epochs(world)[0]
        assert old.id == first_id and old.retired_at is not None and old.wrapped is not None
        _back(database, "key_epoch", "retired_at", rotation.RETIRED_FOR.days)
        look_after_keys(Event())
        assert epochs(world)[0].wrapped is None
        # the generation that wrapped it is left at once, and ends two weeks later: so long a backup opens
        assert {one.root_key_id for one in epochs(world)[1:]} == {"transit:transit/hub:2"}
        assert len(keyring.root().unwrap(kept, purpose="epoch", ids=bound)) == 32
        look_after_keys(Event())
        assert set(transit.keys) == {1, 2}
        _back(database, "root_generation", "left_at", rotation.LEFT_FOR.days)
        look_after_keys(Event())
        assert set(transit.keys) == {2}
        with pytest.raises((Unsealable, Unavailable)):
            keyring.root().unwrap(kept, purpose="epoch", ids=bound)
        assert all(opened(world, key, sealed) == TEXT for key, sealed in made.items())
        row = db.session.scalars(sa.select(RootGeneration).where(RootGeneration.ended_at.is_not(None))).one()
        assert row.name == "transit:transit/hub:1" and row.final_at is not None
        done = [act for act, _ in acts(database)]
        assert done.count("keys.destroyed") == done.count("keys.root_ended") == 1
        assert look_after_keys(Event()) == 0
    finally:
        keyring.install(was)


def test_all_of_it_takes_thirty_days_at_most() -> None:
    """With a day for the worker at each step, and the week that a management service takes."""
    steps = (rotation.TURN_AFTER_ERASURE, rotation.RETIRED_FOR, rotation.LEFT_FOR, timedelta(days=7))
    assert sum((step + timedelta(days=1) for step in steps), timedelta()) <= timedelta(days=30)


def test_a_keeper_that_is_away_delays_and_breaks_nothing(
    app: Flask, world: World, database: SimpleNamespace, transit: Transit
) -> None:
    as_superuser(database, "DELETE FROM data_key")
    as_superuser(database, "DELETE FROM key_epoch")
    was = keyring.root()
    keyring.install(TransitKeeper(transit.settings()))
    try:
        made = records(world, 2)
        _back(database, "key_epoch", "created_at", keyring.EPOCH_DAYS)
        transit.sealed = True
        look_after_keys(Event())
        assert [one.retired_at for one in epochs(world)] == [None]
        transit.sealed = False
        look_after_keys(Event())
        assert all(opened(world, key, sealed) == TEXT for key, sealed in made.items())
        assert epochs(world)[0].retired_at is not None
    finally:
        keyring.install(was)


def test_the_root_key_turns_for_all_epochs(app: Flask, world: World, database: SimpleNamespace) -> None:
    made = records(world, 2) | records(world, 1, user="east_officer")
    spoc = act_as(world, "spoc")
    generation = keyring.root().generation()
    assert actions.turn_root(spoc) == len(epochs(world)) + len(epochs(world, "eastmere"))
    now = keyring.root().generation()
    assert now != generation
    assert {one.root_key_id for one in epochs(world) + epochs(world, "eastmere")} == {now}
    keyring.install(keyring.root())
    assert all(opened(world, key, sealed) == TEXT for key, sealed in made.items())
    left = db.session.get(RootGeneration, generation)
    assert left is not None and left.left_at is not None and left.ended_at is None


def _back(database: SimpleNamespace, table: str, column: str, days: int) -> None:
    """As if so many days had passed since."""
    as_superuser(
        database,
        f"UPDATE {table} SET {column} = {column} - make_interval(days => :days, hours => 1)",
        days=days,
    )
