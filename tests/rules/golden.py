"""Tables that people read and tests compare with: written anew by `HUB_WRITE_TABLES=1 .venv/bin/python -m pytest tests/rules`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

_LIST = re.compile(r"\[\n\s+([^\[\]{}]*?)\n\s+\]")


def wanted(file: Path, found: dict[str, Any]) -> Any:
    """What the table says; when asked for, it is made to say what was found, and then looked at."""
    if os.environ.get("HUB_WRITE_TABLES") == "1":
        text = json.dumps(found, indent=1, sort_keys=True)
        file.write_text(_LIST.sub(_in_a_line, text) + "\n")
    return json.loads(file.read_text())


def _in_a_line(one: re.Match[str]) -> str:
    return "[" + re.sub(r",\s+", ", ", one[1]) + "]"
