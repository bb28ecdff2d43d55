"""Writes of settings: a value from a day on, and taking a coming one back. Flush, never commit."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.recording import append
from hub.core import clock
from hub.core.coming_days import TOO_EARLY
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.extensions import db
from hub.settings.catalogue import SETTINGS, Setting
from hub.settings.forms import SettingForm
from hub.settings.models import SettingValue

T = TypeVar("T")


def set_value(actor: Actor, setting: Setting[T], form: SettingForm[T]) -> SettingValue:
    """A value for the actor's partnership from a day on. Of two at once the second waits, and holds: both stay readable."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    _wait_for_others(actor, setting.code)
    if form.effective_from < clock.today():
        raise Invalid("backdated", errors={"effective_from": TOO_EARLY})
    mine = sa.and_(SettingValue.partnership_id == actor.partnership_id, SettingValue.code == setting.code)
    last = db.session.scalar(sa.select(sa.func.max(SettingValue.number)).where(mine))
    row = SettingValue(
        partnership_id=actor.partnership_id,
        code=setting.code,
        value=setting.kind.write(form.value),
        effective_from=form.effective_from,
        number=(last or 0) + 1,
        set_by=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    append(actor, "setting.set", object_id=row.id, facts=_facts(row))
    return row


def withdraw_value(actor: Actor, setting_id: UUID) -> SettingValue:
    """Takes back a value whose day has not come. `NotVisible` for another partnership's, `Conflict` where it is too late."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    row = db.session.scalar(
        sa.select(SettingValue)
        .where(SettingValue.id == setting_id, SettingValue.partnership_id == actor.partnership_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or row.code not in SETTINGS:
        raise NotVisible
    if row.withdrawn_at is not None:
        raise Conflict("withdrawn_already", "This was withdrawn already.")
    if row.effective_from <= clock.today():
        raise Conflict("holds_already", "This holds already. Set another value from a day on.")
    row.withdrawn_at, row.withdrawn_by = clock.now(), actor.user_id
    db.session.flush()
    append(actor, "setting.withdrawn", object_id=row.id, facts=_facts(row))
    return row


def _facts(row: SettingValue) -> dict[str, str | int | bool | UUID]:
    return {"code": row.code, "value": row.value, "day": row.effective_from.isoformat()}


def _wait_for_others(actor: Actor, code: str) -> None:
    """One at a time for a partnership and a setting, until the transaction ends."""
    one = sa.func.hashtextextended(f"setting:{actor.partnership_id}:{code}", 0)
    db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(one)))
