"""Only those who lead a case see what is disclosed of it, and change it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.policy import Rules, change_record, guard_class
from hub.access.queries import right_to
from hub.access.sets import Expression, Terms
from hub.core.errors import Denied, NotVisible
from hub.disclosures.models import Disclosure, DisclosureLine
from hub.disclosures.vocabulary import ALONE_AT_MOST
from hub.extensions import db


def _by_lead(row: Any, terms: Terms) -> Expression:
    return change_record(row, row.record_id, terms)


for _model in (DisclosureLine, Disclosure):
    guard_class(_model, Rules(read=_by_lead, add=_by_lead, change=_by_lead, opened_by=("record_id",)))


def check_may_disclose(actor: Actor, record_id: UUID) -> Record:
    """The record, which the actor leads. `NotVisible` where it is hidden, `Denied` where others lead it."""
    actor.check_may(Permission.FILE_EXPORT)
    right = right_to(actor, record_id, session=db.session())
    record = db.session.scalar(sa.select(Record).where(Record.id == record_id))
    if right is None or record is None:
        raise NotVisible
    if not right.leads:
        raise Denied("not_lead", "Only those who lead the case disclose files of it.")
    return record


def needs_another(files: int) -> bool:
    """Does a second supervisor have to agree?"""
    return files > ALONE_AT_MOST
