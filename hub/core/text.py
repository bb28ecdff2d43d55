"""Text as people type it, and the folded form that is searched (HANDBOOK 6.3: keep what was given, plus a normalised form)."""

from __future__ import annotations

import re
import unicodedata

MAX_TEXT = 20_000
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """NFC, line ends as LF, control characters dropped, no blank ends. PostgreSQL refuses NUL; logs fear the rest."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    # lone surrogates can reach us through JSON and cannot be encoded
    text = text.encode("utf-8", "ignore").decode("utf-8")
    return _FORBIDDEN.sub("", text).strip()


def folded(text: str) -> str:
    """Case-folded, diacritics and punctuation removed, single spaces: `O'Brien-Łuć` → `o brien luc`."""
    text = text.replace("ł", "l").replace("Ł", "L").replace("ø", "o").replace("Ø", "O")
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w]+", " ", letters.replace("_", " ")).split())
