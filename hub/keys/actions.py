"""Turning keys and destroying epochs, each written down.

A turn is many short transactions, so that nobody waits for it; these functions commit between them. Broken off, it goes on
where it stopped when it is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor, Source
from hub.access.permissions import Permission
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Denied, NotVisible
from hub.crypto import rotation
from hub.crypto.models import KeyDestruction, KeyEpoch
from hub.extensions import db

Told = Callable[[int], None]


def turn_keys(
    actor: Actor,
    partnership_id: UUID,
    *,
    told: Told = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Passes all keys of a partnership to a new epoch and closes those that are empty then; how many were passed on."""
    _check_may_turn(actor)
    epoch = rotation.start_turn(db.session(), partnership_id)
    db.session.commit()
    moved = 0
    while not stopped():
        step = rotation.move_keys(db.session(), epoch)
        if step:
            append(actor, "keys.moved", object_id=partnership_id, counted=step, facts={"epoch": epoch.id})
        db.session.commit()
        if not step:
            break
        moved += step
        told(moved)
    retired = rotation.retire_emptied(db.session(), epoch)
    append(
        actor,
        "keys.turned",
        object_id=partnership_id,
        counted=moved,
        facts={"epoch": epoch.id, "retired": len(retired)},
    )
    db.session.commit()
    return moved


def turn_root(actor: Actor) -> int:
    """Has every epoch wrapped by a new generation of the root key; how many were."""
    _check_may_turn(actor)
    generation = rotation.turn_root(db.session())
    append(actor, "keys.root_turned")
    db.session.commit()
    moved = 0
    while rotation.move_epoch(db.session(), generation):
        moved += 1
        append(actor, "keys.root_moved", counted=moved)
        db.session.commit()
    rotation.leave_generations(db.session())
    append(actor, "keys.root_moved", counted=moved)
    db.session.commit()
    return moved


def ask_destruction(actor: Actor, epoch_id: UUID) -> None:
    """The first of two people asks to destroy a retired, empty epoch of the partnership in hand before its time."""
    _own_epoch(actor, epoch_id)
    if _asked(epoch_id) is not None:
        raise Conflict("asked", "Somebody has asked for this already. Somebody else has to let it go.")
    db.session.add(KeyDestruction(epoch_id=epoch_id, asked_by=actor.user_id))
    append(actor, "keys.destruction_asked", object_id=epoch_id)
    db.session.flush()


def approve_destruction(actor: Actor, epoch_id: UUID) -> None:
    """The second person lets it go, and the epoch's key is destroyed. `Denied` for the one who asked."""
    epoch = _own_epoch(actor, epoch_id)
    asked = _asked(epoch_id)
    if asked is None:
        raise Conflict("not_asked", "Nobody has asked to destroy this epoch.")
    if asked.asked_by == actor.user_id:
        append(actor, "keys.destroyed", outcome="denied", object_id=epoch_id)
        db.session.commit()
        raise Denied("own_request", "You asked for this yourself. Somebody else has to let it go.")
    asked.approved_by, asked.approved_at = actor.user_id, clock.now()
    db.session.flush()
    rotation.destroy_epoch(db.session(), epoch.id)
    append(actor, "keys.destroyed", object_id=epoch_id)


def destroy_ended(actor: Actor, epoch_id: UUID) -> None:
    """The worker destroys an epoch whose time has come."""
    _check_may_turn(actor)
    rotation.destroy_epoch(db.session(), epoch_id)
    append(actor, "keys.destroyed", object_id=epoch_id)


def end_root(actor: Actor) -> bool:
    """The worker ends the oldest generation of the root key that was left long ago; whether there was one."""
    _check_may_turn(actor)
    rotation.leave_generations(db.session())
    ended = rotation.end_generation(db.session(), clock.now())
    if ended is not None:
        append(actor, "keys.root_ended")
    db.session.flush()
    return ended is not None


def _check_may_turn(actor: Actor) -> None:
    # the hub's own account holds no role, and does here what the clock asks for
    if actor.source is not Source.JOB:
        actor.check_may(Permission.KEY_MANAGE)


def _own_epoch(actor: Actor, epoch_id: UUID) -> KeyEpoch:
    actor.check_may(Permission.KEY_DESTROY)
    epoch = db.session.scalar(
        sa.select(KeyEpoch).where(KeyEpoch.id == epoch_id, KeyEpoch.partnership_id == actor.partnership_id)
    )
    if epoch is None:
        raise NotVisible
    rotation.check_ended(db.session(), epoch)
    return epoch


def _asked(epoch_id: UUID) -> KeyDestruction | None:
    return db.session.scalar(
        sa.select(KeyDestruction).where(KeyDestruction.epoch_id == epoch_id).with_for_update()
    )
