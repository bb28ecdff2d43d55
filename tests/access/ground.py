"""The ground on which lives are lived (`living.py`): who is there, which rows the oracle reads, and which columns tell time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from hub.access.vocabulary import Purpose
from tests.fixtures.world import World

READERS = ("officer", "sergeant", "yot_worker", "housing_officer", "sergeant_east")
# who acts for a team that leads; each is made a supervisor too
LEADS = {"safety": "manager", "npt": "sergeant", "yjs": "yot_worker", "housing": "housing_officer"}
RECIPIENTS = {"police": "sergeant", "yjs": "yot_worker", "council": "housing_officer"}
SPOCS = {"council": "spoc", "police": "police_spoc", "yjs": "yjs_spoc"}
PURPOSES = (Purpose.PREVENT_CRIME, Purpose.SAFEGUARD_CHILD)
DUMPED = (
    "agreement", "agreement_party", "agreement_purpose", "record", "record_team", "person", "exclusion", "emergency",
    "record_grant", "shared_fact", "hand_over", "entry", "involvement", "person_name", "person_fact",
)  # fmt: skip
# the columns that tell when: all of them go back when time goes by
TIMES = {
    "agreement": ("starts_at", "review_at", "ends_at", "in_force_at", "suspended_at", "ended_at", "sent_at"),
    "agreement_party": ("joined_at", "left_at", "signed_at"),
    "record_grant": ("agreement_ends_at", "starts_at", "ends_at", "revoked_at", "answered_at"),
    "emergency": ("granted_at", "expires_at", "closed_at"),
    "exclusion": ("ended_at",),
}
# each reader's search is for a word of his own, and finds them all
TEXT = " ".join(f"world{number}" for number in range(len(READERS)))


@dataclass
class Ground:
    """What a life begins on: a database of its own with the small world, and two connections that tell the walls apart."""

    world: World
    superuser: sa.Engine
    app: sa.Engine
    end: Callable[[], None]
