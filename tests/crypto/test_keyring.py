"""Keys in hand: one per record whoever asks, none that a rollback has undone."""

from __future__ import annotations

import sqlalchemy as sa

from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.crypto import keyring
from hub.crypto.models import DataKey
from hub.extensions import db
from tests.fixtures.world import World, act_as


def test_a_key_made_in_a_rolled_back_transaction_is_not_used_again(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    lost = keyring.data_key(db.session(), actor.partnership_id)
    db.session.rollback()
    kept = keyring.data_key(db.session(), actor.partnership_id)
    db.session.commit()
    assert kept.id != lost.id
    assert db.session.scalars(sa.select(DataKey.id).where(DataKey.record_id.is_(None))).all() == [kept.id]


def test_a_reader_of_another_partnership_takes_the_records_own_key(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    case = create_case(officer, CaseForm(kind=CaseKind.ASB, title="Noise, Harbour"))
    own = keyring.data_key(db.session(), officer.partnership_id, case.id)
    db.session.commit()
    elsewhere = act_as(world, "sergeant_east")
    assert elsewhere.partnership_id != officer.partnership_id
    keyring.forget(db.session())
    assert keyring.data_key(db.session(), elsewhere.partnership_id, case.id) == own
