"""What a partnership takes: which types of files, how large, how many, and how much of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hub.attachments.types import TAKEN
from hub.config import LARGEST_UPLOAD_MIB


@dataclass(frozen=True)
class FileRules:
    """The rules of one partnership. A file is also never larger than the service itself takes."""

    extensions: frozenset[str] = frozenset(TAKEN)
    max_mib: int = LARGEST_UPLOAD_MIB
    user_quota_mib: int = 50 * 1024
    organisation_quota_mib: int = 1024 * 1024
    max_files: int = 1000


def policy_of(partnership_id: UUID) -> FileRules:
    """The rules of a partnership: every one has the same."""
    return FileRules()
