"""Near-miss worlds: for each path to access one that is just allowed, then each fact flipped once.

All live in one database with ids of their own, so that each query also proves that nothing leaks between worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

from hub.access.actor import Context
from tests.access.oracle import Row, World
from tests.access.rows import Maker

AS_IT_IS = "as it is"
HERE, SUMMARY = "prevent_crime", ["summary"]

# each fact with every value that it takes; the first is the usual one
FACTS: dict[str, tuple[Any, ...]] = {
    "my_org": ("recipient", "owner", "third"),
    "my_team": ("mine", "lead", "other"),
    "my_partnership": ("here", "there"),
    "clearance": (1, 0),
    "purpose": (HERE, "tenancy"),
    "supervisor": (False, True),
    "marking": (1, 0),
    "restricted": (False, True),
    "breakable": (False, True),
    "knowable": (False, True),
    "open_to_owner": (False, True),
    "on_team": (None, "me", "colleague"),
    "excluded": (None, "me", "colleague", "was", "until"),
    "excluded_person": (None, "me", "colleague", "was", "until"),
    "grant": (False, True),
    "grant_org": ("recipient", "owner", "third"),
    "grant_team": (None, "mine", "other"),
    "grant_user": (None, "me", "colleague"),
    "grant_state": ("accepted", "pending", "rejected"),
    "grant_starts": (-2, 2),
    "grant_ends": (4, -1, None),
    "grant_revoked": (None, -1, 3),
    "grant_purpose": (HERE, "tenancy"),
    "grant_sections": (["summary", "chronology"], SUMMARY),
    "grant_marking": (1, 0),
    "grant_adds": (False, True),
    "grant_agreement": (True, False),
    "grant_fact": (False, True),
    "signed": (-2, 2, None),
    "starts": (-2, 2),
    "ends": (5, -1),
    "suspended": (None, -1, 3),
    "ended": (None, -1, 3),
    "agreement_sections": (["summary", "chronology", "files"], SUMMARY),
    "permits": ([HERE, "tenancy"], ["tenancy"]),
    "owner_party": ("in", "out", "joins", "left", "leaves"),
    "recipient_party": ("in", "out", "joins", "left", "leaves"),
    "emergency": (None, "me", "colleague"),
    "emergency_from": (-1, 1),
    "emergency_until": (2, -0.5),
    "emergency_closed": (None, -0.5, 1),
    "section": ("chronology", "files"),
    "item_marking": (1, 0),
    "contributor": ("owner", "recipient", "third"),
    "audience": (None, "supervisor_only", "my_org", "my_team", "me", "others"),
    "adder": ("me", "another"),
    "offer_from": ("third", "mine"),
    "offer_to": ("other", "mine"),
}
USUAL = {name: values[0] for name, values in FACTS.items()}
PATHS: dict[str, dict[str, Any]] = {
    "nobody": {},
    "lead": {"my_org": "owner", "my_team": "lead"},
    "lead_named": {"my_org": "owner", "my_team": "lead", "restricted": True, "on_team": "me"},
    "lead_low": {"my_org": "owner", "my_team": "lead", "marking": 0},
    "lead_colocated": {"my_team": "lead", "audience": "my_team"},
    "knowable": {"knowable": True},
    "offered": {"offer_to": "mine"},
    "offering": {"offer_from": "mine"},
    "owner_open": {"my_org": "owner", "open_to_owner": True},
    "share": {"grant": True},
    "share_team": {"grant": True, "grant_team": "mine", "grant_adds": True},
    "share_user": {"grant": True, "grant_user": "me"},
    "share_colocated": {"grant": True, "grant_org": "third", "grant_team": "mine"},
    "share_fact": {"grant": True, "grant_fact": True},
    "share_named": {"grant": True, "restricted": True, "on_team": "me", "grant_adds": True},
    "share_low": {"grant": True, "marking": 0, "supervisor": True, "audience": "supervisor_only"},
    "within": {
        "grant": True,
        "my_org": "owner",
        "grant_org": "owner",
        "grant_team": "mine",
        "grant_agreement": False,
        "grant_adds": True,
    },
    "emergency": {
        "emergency": "me",
        "breakable": True,
        "restricted": True,
        "clearance": 0,
        "audience": "others",
    },
    "emergency_own": {
        "emergency": "me",
        "breakable": True,
        "clearance": 0,
        "my_org": "owner",
        "owner_party": "out",
        "recipient_party": "out",
    },
    "contributed": {"contributor": "recipient"},
    "contributed_to": {"contributor": "recipient", "audience": "me", "marking": 0},
}
AGREEMENT = (
    "signed",
    "starts",
    "ends",
    "suspended",
    "ended",
    "agreement_sections",
    "permits",
    "owner_party",
    "recipient_party",
)
# what a plain path has flipped already, its variants need not: they flip what sets them apart
VARIANTS: dict[str, tuple[str, ...]] = {
    "lead_named": ("restricted", "on_team", "excluded", "my_partnership"),
    "lead_low": ("marking", "clearance", "item_marking", "audience"),
    "lead_colocated": (
        *("my_org", "my_team", "my_partnership", "audience", "contributor", "adder", "purpose", "section"),
        *AGREEMENT,
    ),
    "knowable": ("my_org", "my_partnership", "purpose", "excluded", "marking", "knowable", *AGREEMENT),
    "offered": ("my_team", "clearance", "marking", "excluded", "offer_to"),
    "offering": ("my_team", "clearance", "marking", "excluded", "offer_from"),
    "share_colocated": ("my_org", "my_team", "grant_org", "grant_team", "purpose", *AGREEMENT),
    "share_fact": (
        "my_org",
        "clearance",
        "marking",
        "excluded",
        "grant_fact",
        "grant_state",
        "grant_revoked",
        "suspended",
    ),
    "share_team": (
        "my_org",
        "my_team",
        "my_partnership",
        "grant_team",
        "grant_adds",
        "grant_sections",
        "section",
        "adder",
        "excluded",
        "clearance",
        "restricted",
    ),
    "share_user": ("my_org", "my_team", "grant_org", "grant_team", "grant_user", "grant_state"),
    "share_named": ("restricted", "on_team", "excluded", "grant_adds", "adder"),
    "share_low": ("marking", "clearance", "item_marking", "grant_marking", "supervisor", "audience"),
    "contributed_to": ("clearance", "marking", "item_marking", "audience", "excluded", "my_org"),
}
# what the database itself doesn't hold: an end before its beginning, an offer to the team that makes it
IMPOSSIBLE: tuple[dict[str, Any], ...] = (
    {"starts": 2, "ends": -1},
    {"grant_starts": 2, "grant_ends": -1},
    {"emergency_from": 1, "emergency_until": -0.5},
    {"offer_from": "mine", "offer_to": "mine"},
)
# facts of a thing that isn't there tell nothing
PARTS = {"grant": "grant_", "emergency": "emergency_"}


@dataclass(frozen=True)
class NearMiss:
    """One world: where it came from, its reader, its rows."""

    number: int
    path: str
    flip: str
    reader: Row
    rows: World

    @property
    def word(self) -> str:
        """What the texts of this world hold, and of no other."""
        return f"world{self.number}"

    @property
    def context(self) -> Context:
        return Context(
            self.reader["user_id"],
            self.reader["organisation_id"],
            self.reader["partnership_id"],
            self.reader["team_id"],
            self.reader["clearance"],
            self.reader["purpose"],
            self.reader["audiences"],
        )


def near_misses(now: datetime) -> list[NearMiss]:
    """Every path as it is, and with each fact flipped once; what is told twice is there once."""
    worlds: list[NearMiss] = []
    for number, (path, flip, facts) in enumerate(_told_once(_flips()), 1):
        reader, rows = Maker(number, facts, now).made()
        worlds.append(NearMiss(number, path, flip, reader, rows))
    return worlds


def as_they_are(now: datetime) -> Iterator[NearMiss]:
    """Every path without a flip."""
    for path, flip, facts in _flips():
        if flip == AS_IT_IS:
            yield NearMiss(0, path, flip, *Maker(0, facts, now).made())


def pairs(now: Callable[[], datetime]) -> Iterator[NearMiss]:
    """Every path with every pair of facts flipped; what is told twice, or with one flip, is not there again."""
    once = {_key(facts) for _, _, facts in _flips()}
    for number, (path, flip, facts) in enumerate(_told_once(_pairs(), once), 1):
        reader, rows = Maker(number, facts, now()).made()
        yield NearMiss(number, path, flip, reader, rows)


Told = tuple[str, str, dict[str, Any]]


def _told_once(told: Iterator[Told], already: Iterable[str] = ()) -> Iterator[Told]:
    seen = set(already)
    for path, flip, facts in told:
        key = _key(facts)
        if key not in seen:
            seen.add(key)
            yield path, flip, facts


def _key(facts: dict[str, Any]) -> str:
    return str(sorted(_telling(facts).items(), key=str))


def _pairs() -> Iterator[Told]:
    flips = [one for one in _flips() if one[1] != AS_IT_IS]
    for path, changes in PATHS.items():
        base = {**USUAL, **changes}
        changed = [
            (flip, name, facts[name])
            for of, flip, facts in flips
            if of == path
            for name in [flip.partition("=")[0]]
        ]
        for (first, one, value), (second, other, another) in combinations(changed, 2):
            facts = {**base, one: value, other: another}
            if one != other and not any(wrong.items() <= facts.items() for wrong in IMPOSSIBLE):
                yield path, f"{first}, {second}", facts


def _flips() -> Iterator[Told]:
    for path, changes in PATHS.items():
        base = {**USUAL, **changes}
        yield path, AS_IT_IS, base
        for name, values in FACTS.items():
            for value in values:
                if value != base[name] and name in VARIANTS.get(path, FACTS):
                    yield path, f"{name}={value}", {**base, name: value}


def _telling(facts: dict[str, Any]) -> dict[str, Any]:
    dropped = [
        name for part, prefix in PARTS.items() if not facts[part] for name in facts if name.startswith(prefix)
    ]
    colocated = facts["my_team"] == "lead" and facts["my_org"] != "owner"
    if not (facts["grant"] or facts["emergency"] or facts["knowable"] or colocated):
        dropped += AGREEMENT
    return {name: value for name, value in facts.items() if name not in dropped}
