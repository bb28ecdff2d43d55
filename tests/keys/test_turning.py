"""Turning keys: everything still opens, nothing is lost to who reads and writes meanwhile, and a kill only delays it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.core import clock
from hub.core.errors import Denied
from hub.crypto import keyring, rotation
from hub.crypto.models import DataKey, KeyEpoch
from hub.extensions import db
from hub.keys import actions
from tests.fixtures.shares import led_record
from tests.fixtures.world import World, act_as
from tests.keys.keeping import TEXT, acts, epochs, keys_of, opened, records


def test_after_a_turn_all_keys_are_under_the_new_epoch_and_open_the_same(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    made = records(world, 5)
    before = epochs(world)[-1]
    spoc = act_as(world, "spoc")
    wrapped = {row.id: row.wrapped for row in db.session.scalars(sa.select(DataKey))}
    moved = actions.turn_keys(spoc, spoc.partnership_id)
    old, new = epochs(world)[-2:]
    assert old.id == before.id and old.retired_at is not None and new.retired_at is None
    assert (keys_of(old.id), keys_of(new.id)) == (0, moved) and moved >= 5
    assert all(opened(world, key, sealed) == TEXT for key, sealed in made.items())
    area = sa.select(DataKey).where(DataKey.partnership_id == spoc.partnership_id)
    assert all(row.wrapped != wrapped[row.id] for row in db.session.scalars(area))
    assert acts(database) == [("keys.moved", "ok"), ("keys.turned", "ok")]


def test_another_partnerships_keys_stay_where_they_are(app: Flask, world: World) -> None:
    records(world, 1, user="east_officer")
    spoc = act_as(world, "spoc")
    before = [one.id for one in epochs(world, "eastmere")]
    actions.turn_keys(spoc, spoc.partnership_id)
    assert [one.id for one in epochs(world, "eastmere")] == before
    assert keys_of(before[-1]) >= 1


def test_who_manages_no_keys_turns_none(app: Flask, world: World) -> None:
    for user in ("officer", "manager", "auditor"):
        actor = act_as(world, user)
        with pytest.raises(Denied):
            actions.turn_keys(actor, actor.partnership_id)
        with pytest.raises(Denied):
            actions.turn_root(actor)


def test_a_turn_that_was_broken_off_goes_on(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    made = records(world, 7)
    spoc = act_as(world, "spoc")
    steps: list[int] = []
    actions.turn_keys(spoc, spoc.partnership_id, told=steps.append, stopped=lambda: len(steps) == 2)
    old, new = epochs(world)[-2:]
    assert old.retired_at is None and keys_of(new.id) == 4 and keys_of(old.id) >= 3
    assert all(opened(world, key, sealed) == TEXT for key, sealed in made.items())
    actions.turn_keys(spoc, spoc.partnership_id)
    # the same epoch, and no third
    assert [one.id for one in epochs(world)][-2:] == [old.id, new.id]
    assert keys_of(old.id) == 0 and epochs(world)[-2].retired_at is not None
    assert all(opened(world, key, sealed) == TEXT for key, sealed in made.items())


def test_a_key_that_somebody_else_holds_is_left_to_the_next_turn(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    made = records(world, 3)
    spoc = act_as(world, "spoc")
    url = database.superuser.replace("postgresql+psycopg", "postgresql")
    with closing(psycopg.connect(url)) as other:
        held = other.execute(
            "SELECT id FROM data_key WHERE record_id = %s FOR UPDATE", [next(iter(made))]
        ).fetchone()
        assert held
        actions.turn_keys(spoc, spoc.partnership_id)
        old, new = epochs(world)[-2:]
        assert keys_of(old.id) == 1 and old.retired_at is None
        other.rollback()  # a line that is only closed holds its locks until the server has noticed
    actions.turn_keys(spoc, spoc.partnership_id)
    assert keys_of(old.id) == 0 and len(epochs(world)) == 2 and epochs(world)[0].retired_at is not None
    assert keys_of(new.id) >= 3


@pytest.mark.slow
def test_readers_and_writers_meanwhile_lose_nothing(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)
    made = records(world, 12)
    area = world.partnerships["northbrook"]
    actor = act_as(world, "officer")
    spoc = act_as(world, "spoc")
    done = threading.Event()
    read, written = [0], {}

    def reading() -> None:
        while not done.is_set():
            for key, sealed in made.items():
                with app.app_context():
                    enter(db.session(), NOBODY)
                    assert opened(world, key, sealed) == TEXT
                    read[0] += 1
                    db.session.rollback()

    def writing() -> None:
        while not done.is_set():
            with app.app_context():
                written.update(records(world, 1))

    with ThreadPoolExecutor(3) as pool:
        under_way = [pool.submit(work) for work in (reading, reading, writing)]
        try:
            for _ in range(4):
                actions.turn_keys(spoc, area)
        finally:
            done.set()
        for one in under_way:
            one.result()
    assert read[0] > 20 and len(written) > 1
    assert all(opened(world, key, sealed) == TEXT for key, sealed in {**made, **written}.items())
    live = [one for one in epochs(world) if one.retired_at is None]
    assert all(keys_of(one.id) == 0 for one in epochs(world) if one.retired_at is not None)
    assert live and actor.partnership_id == area


def test_no_key_is_made_under_an_epoch_that_is_being_retired(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    """Whoever makes a key holds its epoch: the turn waits, finds it filled and leaves it open."""
    records(world, 1)
    without = led_record(act_as(world, "officer"))
    spoc = act_as(world, "spoc")
    into = rotation.start_turn(db.session(), spoc.partnership_id)
    db.session.commit()
    old = epochs(world)[-2]
    while rotation.move_keys(db.session(), into):
        db.session.commit()
    url = database.superuser.replace("postgresql+psycopg", "postgresql")
    with closing(psycopg.connect(url)) as other:
        other.execute("SELECT id FROM key_epoch WHERE id = %s FOR KEY SHARE", [old.id])
        other.execute(
            "INSERT INTO data_key (id, created_at, partnership_id, record_id, epoch_id, wrapped)"
            " VALUES (gen_random_uuid(), now(), %s, %s, %s, '\\x00')",
            [spoc.partnership_id, without, old.id],
        )
        retired: list[UUID] = []

        def retire() -> None:
            with app.app_context():
                enter(db.session(), NOBODY)
                retired.extend(rotation.retire_emptied(db.session(), into))
                db.session.commit()

        thread = threading.Thread(target=retire)
        thread.start()
        thread.join(0.5)
        waited = thread.is_alive()
        other.commit()
        thread.join()
    assert waited
    assert (keys_of(old.id), retired) == (1, [])


def test_what_is_old_and_what_was_left_behind_is_due(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    records(world, 1)
    area = world.partnerships["northbrook"]
    assert rotation.find_due(db.session(), clock.now()) == []
    later = clock.now() + timedelta(days=keyring.EPOCH_DAYS)
    assert area in rotation.find_due(db.session(), later)
    rotation.start_turn(db.session(), area)
    db.session.commit()
    assert area in rotation.find_due(db.session(), clock.now())


def test_an_epochs_key_is_asked_for_once_and_forgotten_in_time(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = records(world, 2)
    keyring.install(keyring.root())
    asked: list[str] = []
    unwrap = type(keyring.root()).unwrap

    def counted(self: object, wrapped: object, **bound: object) -> bytes:
        asked.append("unwrap")
        return unwrap(self, wrapped, **bound)  # type: ignore[arg-type]

    monkeypatch.setattr(type(keyring.root()), "unwrap", counted)
    for key, sealed in made.items():
        assert opened(world, key, sealed) == TEXT
    assert len(asked) == 1
    now = keyring.monotonic()
    monkeypatch.setattr(keyring, "monotonic", lambda: now + keyring.EPOCH_SECONDS + 1)
    assert opened(world, *next(iter(made.items()))) == TEXT
    assert len(asked) == 2


def test_the_database_refuses_what_the_application_must_not_do(app: Flask, world: World) -> None:
    records(world, 1)
    forbidden = (
        "UPDATE key_epoch SET wrapped = NULL, retired_at = now(), destroyed_at = now()",
        "UPDATE data_key SET wrapped = NULL",
        "UPDATE data_key SET destroyed_at = now()",
        "UPDATE data_key SET record_id = NULL",
        "DELETE FROM data_key",
        "DELETE FROM key_epoch",
    )
    for statement in forbidden:
        with pytest.raises(sa.exc.DBAPIError):
            db.session.execute(sa.text(statement))
        db.session.rollback()
    actions.turn_keys(act_as(world, "spoc"), world.partnerships["northbrook"])
    retired = epochs(world)[0]
    with pytest.raises(sa.exc.DBAPIError, match="living epoch"):
        db.session.execute(sa.update(DataKey).values(epoch_id=retired.id))
    db.session.rollback()
    with pytest.raises(sa.exc.DBAPIError, match="stays retired"):
        db.session.execute(sa.update(KeyEpoch).where(KeyEpoch.id == retired.id).values(retired_at=None))
    db.session.rollback()
