"""Setting what a whole partnership lives by: the change itself, and telling the administrators of every organisation in it."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission
from hub.accounts.models import RoleHolding
from hub.core import clock
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.settings.actions import set_value, withdraw_value
from hub.settings.catalogue import Setting
from hub.settings.forms import SettingForm
from hub.settings.models import SettingValue

T = TypeVar("T")
ADDRESS = "/admin/settings"


def change_setting(actor: Actor, setting: Setting[T], form: SettingForm[T]) -> SettingValue:
    """Sets it and tells the others. Flushes, does not commit."""
    row = set_value(actor, setting, form)
    _tell(actor, NotificationKind.SETTING_SET, row.code)
    return row


def withdraw_setting(actor: Actor, setting_id: UUID) -> SettingValue:
    """Takes a coming value back and tells the others. Flushes, does not commit."""
    row = withdraw_value(actor, setting_id)
    _tell(actor, NotificationKind.SETTING_WITHDRAWN, row.code)
    return row


def _tell(actor: Actor, kind: NotificationKind, code: str) -> None:
    manage = [role.value for role, known in ROLES.items() if Permission.ACCOUNT_MANAGE in known.permissions]
    administrators = db.session.scalars(
        sa.select(RoleHolding.user_id)
        .where(
            RoleHolding.partnership_id == actor.partnership_id,
            RoleHolding.role.in_(manage),
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
        )
        .distinct()
    ).all()
    notify(actor, administrators, kind, reference=code, address=f"{ADDRESS}/{code}")
