"""New records: a reference that is drawn twice does not fail the work, and nothing else of the transaction is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from hub.access import actions
from hub.access.models import Record
from hub.access.vocabulary import RecordKind
from hub.extensions import db, live_session
from tests.fixtures.world import World, act_as, told_of


def test_a_reference_drawn_twice_is_drawn_again(
    app: object, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = act_as(world, "officer")
    drawn: Iterator[str] = iter(["NBC-CS-SAME22", "NBC-CS-SAME22", "NBC-CS-NEXT33"])
    monkeypatch.setattr(actions, "new_reference", lambda *_: next(drawn))
    first, second = (
        told_of(actor, actions.create_record(actor, RecordKind.CASE, session=db.session())) for _ in range(2)
    )
    assert live_session().holds_work
    db.session.commit()
    kept = db.session.scalars(sa.select(Record.reference).where(Record.id.in_([first.id, second.id]))).all()
    assert sorted(kept) == ["NBC-CS-NEXT33", "NBC-CS-SAME22"]
