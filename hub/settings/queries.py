"""Reads of a partnership's settings for its administrators: what holds, what comes, what was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.core import clock
from hub.core.errors import NotVisible
from hub.extensions import db
from hub.settings.catalogue import CHAPTERS, SETTINGS, Setting
from hub.settings.models import SettingValue


@dataclass(frozen=True)
class Row:
    """One value that was set, in words."""

    id: UUID
    words: str
    stored: SettingValue
    # the hub can read it still
    known: bool


@dataclass(frozen=True)
class Standing:
    """One setting of the actor's partnership. `in_force` is None where the hub's own value holds."""

    setting: Setting[Any]
    in_force: Row | None
    coming: tuple[Row, ...]

    @property
    def words(self) -> str:
        if self.in_force is not None and self.in_force.known:
            return self.in_force.words
        return self.setting.kind.words(self.setting.default)


@dataclass(frozen=True)
class Retired:
    """What was set and is no setting of the hub any more."""

    code: str
    value: str
    stored: SettingValue


def list_settings(actor: Actor) -> list[tuple[str, list[Standing]]]:
    """Chapter by chapter: what holds and what comes."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    rows = _rows(actor)
    return [
        (
            chapter.title,
            [_standing(one, [row for row in rows if row.code == one.code]) for one in chapter.settings],
        )
        for chapter in CHAPTERS
    ]


def list_retired(actor: Actor) -> list[Retired]:
    """Values of settings that the hub knows no more: nothing follows them, and they stay readable."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    return [Retired(row.code, row.value, row) for row in _rows(actor) if row.code not in SETTINGS]


def find_standing(actor: Actor, setting: Setting[Any]) -> tuple[Standing, list[Row]]:
    """One setting and all that was ever set for it, the last first."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    rows = _rows(actor, setting.code)
    return _standing(setting, rows), [_row(setting, one) for one in rows]


def setting_of(code: str) -> Setting[Any]:
    """`NotVisible` for a code that is no setting."""
    setting = SETTINGS.get(code)
    if setting is None:
        raise NotVisible
    return setting


def _rows(actor: Actor, code: str | None = None) -> list[SettingValue]:
    statement = sa.select(SettingValue).where(SettingValue.partnership_id == actor.partnership_id)
    if code is not None:
        statement = statement.where(SettingValue.code == code)
    ordered = statement.order_by(
        SettingValue.code, SettingValue.effective_from.desc(), SettingValue.number.desc()
    )
    return list(db.session.scalars(ordered))


def _row(setting: Setting[Any], stored: SettingValue) -> Row:
    value = setting.kind.read(stored.value)
    known = value is not None
    words = setting.kind.words(value) if known else f"{stored.value} (not possible any more)"
    return Row(stored.id, words, stored, known)


def _standing(setting: Setting[Any], rows: list[SettingValue]) -> Standing:
    day = clock.today()
    held = [one for one in rows if one.withdrawn_at is None]
    begun = next((one for one in held if one.effective_from <= day), None)
    coming: dict[Any, SettingValue] = {}
    for one in held:
        if one.effective_from > day:
            # of one day's the last that was set, which comes first
            coming.setdefault(one.effective_from, one)
    return Standing(
        setting,
        _row(setting, begun) if begun else None,
        tuple(_row(setting, one) for _, one in sorted(coming.items())),
    )
