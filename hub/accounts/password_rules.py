"""Which passwords are taken (SECURITY N5): 15 to 128 characters of any kind, and none that a list of guesses begins with.

No rules of composition. Refused is what falls apart into fewer than three things that have to be guessed: common passwords and
names of `common_passwords.json` (the commonest of public breaches, as Django (BSD) and zxcvbn (MIT) ship them, with frequent
names), words of the user and of this service, runs such as 12345 or qwerty, repetitions. What does not have to be guessed
(the user's own words, runs, years, signs between) counts nothing; letters put as digits count as letters.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

from hub.core.errors import Invalid

MIN_PASSWORD = 15
MAX_PASSWORD = 128
# what must be guessed at least: three words, as the NCSC advises
LEAST = 3
COMMON = Path(__file__).with_name("common_passwords.json")
SERVICE = (
    "hub", "partner", "partnership", "partners", "community", "safety", "csp", "council", "police", "force", "team",
    "case", "cases", "sharing", "information", "agency", "account", "login", "signin", "user", "secret", "password",
    "passphrase", "passcode", "officer", "service",
)  # fmt: skip
# each read forwards and backwards
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "1q2w3e4r5t6y7u8i9o0p")
SHORTEST_RUN = 3
SHORTEST_ROW = 4
_SPELT = [str.maketrans("013457890@$!", "oleastbgoasi"), str.maketrans("013457890@$!|", "oieastbgoasil")]
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_DIGITS = re.compile(r"[0-9]+")


def check_password(password: str, again: str, own_words: Iterable[str]) -> None:
    """Raises `Invalid` with the fields that are wrong. `own_words`: names and addresses that a stranger may know."""
    errors: dict[str, str] = {}
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        errors["password"] = f"Password must be between {MIN_PASSWORD} and {MAX_PASSWORD} characters"
    elif to_guess(password, own_words) < LEAST:
        errors["password"] = (
            "This password is easy to guess: it is made of common passwords, names, your own details or runs of "
            "characters. Use three or more words that do not belong together"
        )
    elif password != again:
        errors["again"] = "The two passwords must be the same"
    if errors:
        raise Invalid("bad_password", errors=errors)


def to_guess(password: str, own_words: Iterable[str]) -> int:
    """How many things of a password have to be guessed, at the least: words of the list, other characters, numbers."""
    text = _once(unicodedata.normalize("NFKC", password).casefold())
    spellings = [text, *(text.translate(table) for table in _SPELT)]
    bare = {re.sub(r"[^a-z0-9]", "", spelling) for spelling in spellings}
    if bare & _common():
        return 1
    known = _words_of([*own_words, *SERVICE])
    cost = [0]
    for end in range(1, len(text) + 1):
        ways = [
            cost[start] + _cost(text, spellings, start, end, known) for start in range(max(0, end - 40), end)
        ]
        cost.append(min(ways))
    return cost[-1]


def _cost(text: str, spellings: list[str], start: int, end: int, known: frozenset[str]) -> int:
    piece = text[start:end]
    given = {spelling[start:end] for spelling in spellings}
    if given & known or _is_run(piece) or _YEAR.fullmatch(piece) or (len(piece) == 1 and not piece.isalnum()):
        return 0
    if given & _common() or len(piece) == 1 or _DIGITS.fullmatch(piece):
        return 1
    return len(piece)


def _is_run(piece: str) -> bool:
    """The same character, characters that follow each other, or keys that lie beside each other."""
    if len(piece) >= SHORTEST_RUN:
        steps = {ord(after) - ord(before) for before, after in pairwise(piece)}
        if len(steps) == 1 and steps <= {-1, 0, 1}:
            return True
    return len(piece) >= SHORTEST_ROW and any(piece in row or piece in row[::-1] for row in ROWS)


def _once(text: str) -> str:
    """What is said over and over, said once. Signs and digits between do not hide it."""
    letters = re.sub(r"[\W\d_]", "", text)
    for whole in (text, letters):
        unit = (whole + whole).find(whole, 1) if whole else 0
        if 0 < unit < len(whole):
            return whole[:unit]
    return text


def _words_of(texts: Iterable[str]) -> frozenset[str]:
    """The words of names and addresses, and each as a whole without what is between."""
    found: set[str] = set()
    for text in texts:
        plain = unicodedata.normalize("NFKC", text).casefold()
        words = re.findall(r"[^\W_]+", plain)
        found.update(word for word in words if len(word) >= SHORTEST_RUN)
        found.add("".join(words))
    return frozenset(found - {""})


@cache
def _common() -> frozenset[str]:
    """Small letters and digits only, four or more."""
    return frozenset(json.loads(COMMON.read_text()))
