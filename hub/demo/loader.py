"""Loads the invented partnership: all or nothing, in one transaction; then plays looks, searches and refusals live.

The log tells truthfully that the loader did it now (source `load`); only what happened carries dates of the past.
"""

from __future__ import annotations

from collections.abc import Callable

import click
import sqlalchemy as sa

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.config import Settings
from hub.core import clock
from hub.demo import looks
from hub.demo.accounts import demo_password
from hub.demo.invention import Inventor
from hub.demo.partners import Partners
from hub.demo.stage import Stage, is_there
from hub.demo.telling import Teller
from hub.extensions import db
from hub.notifications.models import Notification, OutboxMessage

SEED = 20261121
LOOSE = 260


def load(seed: int, settings: Settings) -> bool:
    """Loads everything and commits; False where a partnership is there already. An interrupted load leaves nothing."""
    if is_there():
        return False
    stage = Stage()
    teller = Teller(stage, Inventor(seed, stage.now.year))
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("people and organisations", lambda: stage.build_cast(demo_password(settings))),
        ("agreements", stage.build_agreements),
        ("cases", teller.tell_stories),
        ("the street cohort", teller.tell_cohort),
        ("incidents", lambda: teller.tell_loose_incidents(LOOSE)),
        ("notices", _settle_notices),
        ("what partners ask and answer", lambda: Partners(stage, teller.cases).play()),
    )
    for words, step in steps:
        click.echo(f"Loading the invented partnership: {words} …", err=True)
        step()
    enter_nobody_after_commit()
    looks.play(stage, teller, seed)
    return True


def enter_nobody_after_commit() -> None:
    db.session.flush()
    db.session.commit()
    enter(db.session(), NOBODY)


def _settle_notices() -> None:
    """What was told in the past has been read and sent."""
    db.session.flush()
    now = clock.now()
    db.session.execute(sa.update(Notification).values(read_at=now))
    db.session.execute(sa.update(OutboxMessage).values(sent_at=now))
