"""Reads for administrators: the tokens of their organisation's directory, never the token itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import User
from hub.core import clock
from hub.directories.models import Directory
from hub.extensions import db

# those that work come first; of the others a few are enough to see what was
SHOWN = 20


class TokenState(enum.StrEnum):
    WORKS = "works"
    RUN_OUT = "run_out"
    ENDED = "ended"


TOKEN_STATE_LABELS = {
    TokenState.WORKS: "Works",
    TokenState.RUN_OUT: "Run out",
    TokenState.ENDED: "Ended",
}


@dataclass(frozen=True)
class TokenRow:
    """A token as its page shows it."""

    id: UUID
    made_at: datetime
    made_by: str
    last_used_at: datetime | None
    expires_at: datetime
    state: TokenState

    @property
    def works(self) -> bool:
        return self.state is TokenState.WORKS


def list_tokens(actor: Actor) -> list[TokenRow]:
    """The tokens of the actor's organisation in the partnership in hand, the newest first."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    now = clock.now()
    over = sa.or_(Directory.ended_at.is_not(None), Directory.expires_at <= now)
    rows = db.session.execute(
        sa.select(Directory, User.name)
        .join(User, User.id == Directory.made_by)
        .where(
            Directory.organisation_id == actor.organisation_id,
            Directory.partnership_id == actor.partnership_id,
        )
        .order_by(over, Directory.created_at.desc(), Directory.id.desc())
        .limit(SHOWN)
        .options(sa.orm.defer(Directory.token_hash, raiseload=True))
    )
    return [
        TokenRow(row.id, row.created_at, made_by, row.last_used_at, row.expires_at, _state(row, now))
        for row, made_by in rows
    ]


def _state(row: Directory, now: datetime) -> TokenState:
    if row.ended_at is not None:
        return TokenState.ENDED
    return TokenState.WORKS if row.expires_at > now else TokenState.RUN_OUT
