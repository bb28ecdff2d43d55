"""The two-step read: first which ids may be seen, written down and committed; only then the rows, by those ids.

`open_…` and `list_…` of the features call these between the two steps. They raise when the session holds anything
pending or written, because the commit here must never carry half of somebody's change with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.guard import looks_in_hand, remember_look
from hub.audit.recording import Basis, append
from hub.core.errors import NotVisible
from hub.extensions import db, live_session

_OPENING = sa.text("SELECT audit.find_opening(:token, :act, :object)")
_LOOK = sa.text("SELECT set_config('hub.looks', :looks, true)")


class UncommittedWork(RuntimeError):
    """A read that commits was called with a change under way: a mistake of the programmer."""


@dataclass(frozen=True)
class Shown:
    """What step one found: the ids that step two may read, and by which right."""

    records: Collection[UUID] = field(default_factory=tuple)
    people: Collection[UUID] = field(default_factory=tuple)
    basis: Basis | None = None
    version: int | None = None
    # where something without an id was told as well: the number of all
    counted: int | None = None


def opened(
    actor: Actor, act: str, object_id: UUID, shown: Shown | None, *, facts: Mapping[str, Any] | None = None
) -> Shown:
    """Step one of opening one thing. None (hidden or absent alike) is written as denied, then `NotVisible` is raised."""
    _refuse_uncommitted()
    if shown is None:
        append(actor, act, outcome="denied", object_id=object_id, facts=facts)
        # where a declared interest withheld it, the worker tells the supervisors: this answer takes as long as any other
        db.session.execute(sa.select(sa.func.note_refused_look(object_id)))
        db.session.commit()
        raise NotVisible
    append(
        actor,
        act,
        object_id=object_id,
        version=shown.version,
        records=shown.records,
        people=shown.people,
        basis=shown.basis,
        facts=facts,
    )
    db.session.commit()
    return shown


def opened_lately(actor: Actor, act: str, object_id: UUID) -> bool:
    """Did the actor open this by this act minutes ago? Then the session reads on under that event, and none is written."""
    found = db.session.scalar(_OPENING, {"token": actor.token, "act": act, "object": object_id})
    if found is None:
        return False
    session = live_session()
    remember_look(session, found)
    db.session.execute(_LOOK, {"looks": looks_in_hand(session)})
    return True


def listed(
    actor: Actor,
    act: str,
    shown: Shown,
    *,
    facts: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Shown:
    """Step one of a list or a search: one event with all ids of the page."""
    _refuse_uncommitted()
    append(
        actor,
        act,
        records=shown.records,
        people=shown.people,
        counted=shown.counted,
        basis=shown.basis or Basis("list"),
        facts=facts,
        texts=texts,
    )
    db.session.commit()
    return shown


def withheld(actor: Actor, act: str, announced: Iterable[UUID], read: Iterable[UUID]) -> None:
    """After step two: where fewer rows came than were announced (revoked between), an event says so."""
    missing = set(announced) - set(read)
    if missing:
        append(actor, act, outcome="withheld", records=missing)
        db.session.commit()


def _refuse_uncommitted() -> None:
    if live_session().holds_work:
        raise UncommittedWork("a logged read may not run with uncommitted work in the session")
