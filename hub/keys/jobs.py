"""What the clock does to keys: turns them when they are due, destroys epochs and ends generations of the root key in time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from uuid import UUID

import sqlalchemy as sa
import structlog

from hub.access.actor import Actor
from hub.accounts import service
from hub.accounts.models import Organisation, Team
from hub.core import clock
from hub.core.errors import Conflict, Unavailable
from hub.crypto import rotation
from hub.crypto.errors import Unsealable
from hub.extensions import db
from hub.keys.actions import destroy_ended, end_root, turn_keys, turn_root

log = structlog.get_logger("hub.keys")


def look_after_keys(stop: Event) -> int:
    """Turns what is due, destroys what has been retired and ends what was left long enough; how many keys and epochs.

    One partnership's trouble, or a keeper that refuses to turn, keeps nothing else from being done.
    """
    done = 0
    due = rotation.find_due(db.session(), clock.now())
    db.session.commit()
    for partnership_id in due:
        with _trouble_told("keys_not_turned", partnership_id), _acting_in(partnership_id) as actor:
            done += turn_keys(actor, partnership_id, stopped=stop.is_set)
    ended = [(one.id, one.partnership_id) for one in rotation.find_ended_epochs(db.session(), clock.now())]
    db.session.commit()
    for epoch_id, partnership_id in ended:
        if stop.is_set():
            return done
        with _trouble_told("epoch_not_destroyed", partnership_id), _acting_in(partnership_id) as actor:
            destroy_ended(actor, epoch_id)
            db.session.commit()
            done += 1
    with _trouble_told("root_key_not_turned"):
        done += _look_after_root()
    return done


def _look_after_root() -> int:
    due = rotation.root_is_due(db.session())
    oldest = db.session.scalars(
        sa.select(Organisation.id).order_by(Organisation.created_at, Organisation.id).limit(1)
    ).one_or_none()
    waiting = rotation.generations_wait(db.session())
    db.session.commit()
    if oldest is None or not (due or waiting):
        return 0
    # the root key is nobody's own: the organisation that set the hub up answers for it
    with service.acting_for(oldest) as actor:
        done = turn_root(actor) if due else 0
        done += end_root(actor)
        db.session.commit()
    return done


@contextmanager
def _acting_in(partnership_id: UUID) -> Iterator[Actor]:
    # the organisation that answers for what is done to a partnership's keys: the first with a team there
    organisation_id = db.session.scalar(
        sa.select(Team.organisation_id)
        .where(Team.partnership_id == partnership_id)
        .order_by(Team.created_at, Team.id)
        .limit(1)
    )
    db.session.commit()
    if organisation_id is None:
        raise Unavailable("no_team", "This partnership has no team yet, so nothing can be done for it.")
    with service.acting_for(organisation_id) as actor:
        yield actor


@contextmanager
def _trouble_told(name: str, partnership_id: UUID | None = None) -> Iterator[None]:
    try:
        yield
    except (Conflict, Unavailable, Unsealable) as error:
        db.session.rollback()
        code = error.code if isinstance(error, Conflict | Unavailable) else "unsealable"
        log.error(name, partnership=str(partnership_id or ""), kind=code, reason=getattr(error, "reason", ""))
