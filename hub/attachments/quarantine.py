"""Files in which malware was found, as an administrator is told of them: where and by whom they were added, never what they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names, user_names
from hub.audit.reading import Shown, listed
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.core.schema import TIMESTAMP
from hub.extensions import db

_ROW = (
    sa.column("id", sa.Uuid),
    sa.column("reference", sa.Text),
    sa.column("organisation_id", sa.Uuid),
    sa.column("added_by", sa.Uuid),
    sa.column("added_at", TIMESTAMP),
    sa.column("scanned_at", TIMESTAMP),
    sa.column("finding", sa.Text),
)


@dataclass(frozen=True)
class Quarantined:
    id: UUID
    reference: str
    finding: str
    by: str
    organisation: str
    added_at: datetime
    scanned_at: datetime


def list_quarantined(actor: Actor, *, cursor: Cursor | None = None) -> Page[Quarantined]:
    """A page of the files that the actor's organisation added or that lie on its records, the latest first; logged."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    listed(actor, "quarantine.listed", Shown())
    below = sa.cast(cursor.at if cursor else None, TIMESTAMP)
    below_id = sa.cast(cursor.id if cursor else None, sa.Uuid)
    found = sa.func.find_quarantined(below, below_id, PAGE_SIZE + 1).table_valued(*_ROW)
    rows = db.session.execute(sa.select(*found.c)).all()
    people = user_names(one.added_by for one in rows)
    organisations = organisation_names(one.organisation_id for one in rows)
    shown = [
        Quarantined(
            id=one.id,
            reference=one.reference,
            finding=one.finding,
            by=people.get(one.added_by, ""),
            organisation=organisations.get(one.organisation_id, ""),
            added_at=one.added_at,
            scanned_at=one.scanned_at,
        )
        for one in rows[:PAGE_SIZE]
    ]
    more = len(rows) > PAGE_SIZE
    return Page(shown, str(Cursor(shown[-1].scanned_at, shown[-1].id)) if more else None)
