"""How large a file and how many to a record."""

from __future__ import annotations

from flask import current_app

from hub.core.errors import Invalid
from hub.web.filters import file_size

MAX_FILES = 1000
MIB = 1024 * 1024


def max_bytes() -> int:
    """The largest file that is taken."""
    return int(current_app.config["HUB_SETTINGS"].upload_mib) * MIB


def too_large(limit: int) -> Invalid:
    return Invalid("file_too_large", errors={"file": f"The file must be {file_size(limit)} or smaller"})
