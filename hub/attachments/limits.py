"""How large a file, how many to a record, and how much of them a user and an organisation may store."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask import current_app

from hub.access.actor import Actor
from hub.attachments.file_policy import policy_of
from hub.attachments.models import FileUse
from hub.attachments.types import accept_of, is_recording, words_for
from hub.config import Settings
from hub.core.errors import Conflict, HubError, Invalid
from hub.extensions import db
from hub.web.filters import file_size

MIB = 1024 * 1024


@dataclass(frozen=True)
class Room:
    """The most bytes that the next file may have, and what is said of one that has more."""

    size: int
    refusal: HubError

    def check(self, size: int) -> None:
        if size > self.size:
            raise self.refusal


def max_bytes() -> int:
    """The largest file that the service takes, whatever the partnership."""
    return int(current_app.config["HUB_SETTINGS"].upload_mib) * MIB


@dataclass(frozen=True)
class Offer:
    """What an upload field says before a file is chosen; the upload asks again."""

    accept: str
    in_words: str
    max_bytes: int


def offer_of(partnership_id: UUID) -> Offer:
    """What a partnership takes now, as its file field shows it."""
    rules = policy_of(partnership_id)
    return Offer(
        accept_of(rules.extensions),
        words_for(rules.extensions),
        min(max_bytes(), rules.max_mib * MIB),
    )


def room_for(actor: Actor, partnership_id: UUID, media_type: str | None = None) -> Room:
    """The room for one file of the actor's in a partnership, as it is now: one look at a counter.

    Of a type that is scanned whole no file is taken that the scanner would not take: it could never be opened.
    It is looked at again when the file has come. Of several at once those under way may together go beyond a quota.
    """
    rules = policy_of(partnership_id)
    mine, ours = _used(actor)
    largest = min(max_bytes(), rules.max_mib * MIB, _scannable(media_type))
    return min(
        Room(largest, too_large(largest)),
        _quota("user_quota", "You have", rules.user_quota_mib * MIB, mine),
        _quota("organisation_quota", "Your organisation has", rules.organisation_quota_mib * MIB, ours),
        key=lambda room: room.size,
    )


def _scannable(media_type: str | None) -> int:
    settings: Settings = current_app.config["HUB_SETTINGS"]
    if settings.clamd is None or media_type is None or is_recording(media_type):
        return max_bytes()
    return settings.clamd_max_mib * MIB


def too_large(limit: int) -> Invalid:
    return Invalid("file_too_large", errors={"file": f"The file must be {file_size(limit)} or smaller"})


def _quota(code: str, who: str, quota: int, used: int) -> Room:
    return Room(
        quota - used,
        Conflict(
            code,
            f"{who} {file_size(max(0, quota - used))} left of {file_size(quota)} for files, and this file is larger."
            " Nothing was saved. Ask your administrator for more room.",
        ),
    )


def _used(actor: Actor) -> tuple[int, int]:
    """Bytes that the user has stored for the organisation, and all of its users together."""
    mine = sa.func.coalesce(sa.func.sum(FileUse.stored_bytes).filter(FileUse.user_id == actor.user_id), 0)
    ours = sa.func.coalesce(sa.func.sum(FileUse.stored_bytes), 0)
    found = db.session.execute(
        sa.select(mine, ours).where(FileUse.organisation_id == actor.organisation_id)
    ).one()
    return int(found[0]), int(found[1])
