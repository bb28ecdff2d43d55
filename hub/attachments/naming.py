"""Names of files: as they were given, without paths and without what makes them read as something else."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from hub.core.errors import Invalid

MAX_NAME = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# they turn the reading direction: `exe.txt` made of `txt.exe`
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")
_PLAIN = re.compile(r"[^A-Za-z0-9 ._()-]")


def clean_name(given: str) -> str:
    """The name alone, in NFC. `Invalid` where nothing is left or it is longer than 255 characters."""
    name = re.split(r"[/\\]", given.encode("utf-8", "ignore").decode())[-1]
    name = _DIRECTIONS.sub("", _CONTROL.sub("", unicodedata.normalize("NFC", name))).strip()
    if not name.strip("."):
        raise Invalid("file_name", errors={"file": "The file has no name. Give it one and choose it again"})
    if len(name) > MAX_NAME:
        raise Invalid(
            "file_name",
            errors={"file": f"The name of the file must be {MAX_NAME} characters or fewer. Rename it"},
        )
    return name


def extension_of(name: str) -> str:
    """The part after the last dot, in small letters; nothing where there is none."""
    stem, dot, extension = name.rpartition(".")
    return extension.casefold().strip() if dot and stem else ""


def disposition(name: str) -> str:
    """`Content-Disposition` for saving under this name: a plain one for old browsers, the true one beside it (RFC 8187)."""
    plain = _PLAIN.sub("_", unicodedata.normalize("NFKD", name).encode("ascii", "replace").decode())
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
