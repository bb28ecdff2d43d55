"""The lists that can be kept by administrators, with the hub's own entries: they hold where nobody has changed them.

A second list is one line in `EDITABLE`, and its entries.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from hub.lists.job_roles import JOB_ROLES


class Keeper(enum.Enum):
    """Whose a list is: each organisation keeps its own, or a partnership has one together."""

    ORGANISATION = "your organisation"
    PARTNERSHIP = "your partnership"


@dataclass(frozen=True)
class EditableList:
    """`entries` are the hub's own: code and label."""

    code: str
    title: str
    about: str
    keeper: Keeper
    entries: tuple[tuple[str, str], ...]


JOB_ROLE = EditableList(
    "job_role",
    "Job roles",
    "What people do. Offered where a job is entered, and something else can be typed.",
    Keeper.ORGANISATION,
    JOB_ROLES,
)
EDITABLE: dict[str, EditableList] = {one.code: one for one in (JOB_ROLE,)}
