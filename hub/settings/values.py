"""What holds for a partnership now: asked for at every use, in one statement, and kept nowhere, so that all processes agree."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from hub.core import clock
from hub.core.schema import any_of
from hub.extensions import db
from hub.settings.catalogue import Setting
from hub.settings.models import SettingValue

T = TypeVar("T")


@dataclass(frozen=True)
class Values:
    """What one partnership has in force. What it never set, or what the hub can't read any more, is the hub's own."""

    stored: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, setting: Setting[T]) -> T:
        text = self.stored.get(setting.code)
        found = setting.kind.read(text) if text is not None else None
        return setting.default if found is None else found


def value_of(partnership_id: UUID, setting: Setting[T]) -> T:
    """What holds now for one partnership."""
    return values_of(partnership_id, setting)[setting]


def values_of(partnership_id: UUID, *settings: Setting[Any]) -> Values:
    """What holds now for one partnership: of these settings, or of all."""
    return _in_force([partnership_id], settings).get(partnership_id, Values())


def values_in(partnership_ids: Collection[UUID]) -> dict[UUID, Values]:
    """What holds now in each of these partnerships."""
    found = _in_force(partnership_ids, ())
    return {one: found.get(one, Values()) for one in partnership_ids}


def _in_force(partnership_ids: Collection[UUID], settings: Collection[Setting[Any]]) -> dict[UUID, Values]:
    statement = (
        sa.select(SettingValue.partnership_id, SettingValue.code, SettingValue.value)
        .where(
            SettingValue.partnership_id == any_of(partnership_ids),
            SettingValue.effective_from <= clock.today(),
            SettingValue.withdrawn_at.is_(None),
        )
        .ext(distinct_on(SettingValue.partnership_id, SettingValue.code))
        .order_by(
            SettingValue.partnership_id,
            SettingValue.code,
            SettingValue.effective_from.desc(),
            SettingValue.number.desc(),
        )
    )
    if settings:
        statement = statement.where(SettingValue.code.in_([one.code for one in settings]))
    stored: dict[UUID, dict[str, str]] = {}
    for partnership_id, code, value in db.session.execute(statement):
        stored.setdefault(partnership_id, {})[code] = value
    return {one: Values(values) for one, values in stored.items()}
