"""What a user calls a passkey."""

from __future__ import annotations

from hub.core.errors import Invalid
from hub.core.text import clean

MOST_CHARACTERS = 60


def parse_label(text: str) -> str:
    """One line that says which device it is. `Invalid` where there is none, or too much of it."""
    label = " ".join(clean(text).split())
    if not label:
        raise Invalid("no_label", errors={"label": "Enter a name for the passkey"})
    if len(label) > MOST_CHARACTERS:
        raise Invalid(
            "label_too_long",
            errors={"label": f"The name of the passkey must be {MOST_CHARACTERS} characters or fewer"},
        )
    return label
