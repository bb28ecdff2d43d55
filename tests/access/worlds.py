"""Near-miss worlds: for each path to access one that is just allowed, then each fact flipped once.

All live in one database with ids of their own, so that each query also proves that nothing leaks between worlds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.access.actor import Context
from tests.access.oracle import Row, World

HOURS = timedelta(hours=1)
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
    "signed": (-2, 2, None),
    "starts": (-2, 2),
    "ends": (5, -1),
    "suspended": (None, -1, 3),
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
}
USUAL = {name: values[0] for name, values in FACTS.items()}
PATHS: dict[str, dict[str, Any]] = {
    "nobody": {},
    "lead": {"my_org": "owner", "my_team": "lead"},
    "lead_named": {"my_org": "owner", "my_team": "lead", "restricted": True, "on_team": "me"},
    "lead_low": {"my_org": "owner", "my_team": "lead", "marking": 0},
    "lead_colocated": {"my_team": "lead", "audience": "my_team"},
    "owner_open": {"my_org": "owner", "open_to_owner": True},
    "share": {"grant": True},
    "share_team": {"grant": True, "grant_team": "mine", "grant_adds": True},
    "share_user": {"grant": True, "grant_user": "me"},
    "share_named": {"grant": True, "restricted": True, "on_team": "me", "grant_adds": True},
    "share_low": {"grant": True, "marking": 0, "supervisor": True, "audience": "supervisor_only"},
    "within": {"grant": True, "my_org": "owner", "grant_org": "owner", "grant_team": "mine", "grant_agreement": False, "grant_adds": True},
    "emergency": {"emergency": "me", "breakable": True, "restricted": True, "clearance": 0, "audience": "others"},
    "emergency_own": {"emergency": "me", "breakable": True, "clearance": 0, "my_org": "owner", "owner_party": "out", "recipient_party": "out"},
    "contributed": {"contributor": "recipient"},
    "contributed_to": {"contributor": "recipient", "audience": "me", "marking": 0},
}
# what the plain share has flipped already, its variants need not
AGREEMENT = ("signed", "starts", "ends", "suspended", "permits", "owner_party", "recipient_party")
OF_THE_SHARE = {*AGREEMENT, "grant_starts", "grant_ends", "grant_revoked", "grant_state", "grant_purpose", "purpose"}
VARIANTS = ("share_team", "share_user", "share_named", "share_low")
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
    seen: set[str] = set()
    worlds: list[NearMiss] = []
    for path, flip, facts in _flips():
        key = str(sorted(_telling(facts).items(), key=str))
        if key not in seen:
            seen.add(key)
            number = len(worlds) + 1
            reader, rows = _Maker(number, facts, now).made()
            worlds.append(NearMiss(number, path, flip, reader, rows))
    return worlds


def _flips() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, changes in PATHS.items():
        base = {**USUAL, **changes}
        yield path, "as it is", base
        for name, values in FACTS.items():
            for value in values:
                if value != base[name] and not (path in VARIANTS and name in OF_THE_SHARE):
                    yield path, f"{name}={value}", {**base, name: value}


def _telling(facts: dict[str, Any]) -> dict[str, Any]:
    dropped = [name for part, prefix in PARTS.items() if not facts[part] for name in facts if name.startswith(prefix)]
    if not facts["grant"] and not facts["emergency"]:
        dropped += AGREEMENT
    return {name: value for name, value in facts.items() if name not in dropped}


class _Maker:
    """Rows of one world. Ids tell the world and the thing, so that a mismatch can be read."""

    def __init__(self, number: int, facts: dict[str, Any], now: datetime) -> None:
        self.number, self.facts, self.now = number, facts, now

    def id(self, thing: int) -> UUID:
        return UUID(int=(0xACCE55 << 96) | (self.number << 32) | thing)

    def at(self, hours: float | None) -> datetime | None:
        return None if hours is None else self.now + hours * HOURS

    def made(self) -> tuple[Row, World]:
        f = self.facts
        self.orgs = {"owner": self.id(1), "recipient": self.id(2), "third": self.id(3)}
        self.teams = {"lead": self.id(11), "mine": self.id(12), "other": self.id(13)}
        self.users = {"me": self.id(21), "colleague": self.id(22)}
        self.areas = {"here": self.id(31), "there": self.id(32)}
        self.record, self.agreement = self.id(41), self.id(51)
        self.people = [self.id(61), self.id(62)]
        self.record_facts: Row = {
            "partnership_id": self.areas["here"],
            "owner_organisation_id": self.orgs["owner"],
            "lead_team_id": self.teams["lead"],
            "knowable": False,
            **{name: f[name] for name in ("marking", "restricted", "breakable", "open_to_owner")},
        }
        reader: Row = {
            "user_id": self.users["me"],
            "organisation_id": self.orgs[f["my_org"]],
            "partnership_id": self.areas[f["my_partnership"]],
            "team_id": self.teams[f["my_team"]],
            "clearance": f["clearance"],
            "purpose": f["purpose"],
            "audiences": ("victim_safe", "supervisor_only") if f["supervisor"] else ("victim_safe",),
        }
        rows = {**self._accounts(), **self._agreements(), **self._walls(), **self._items()}
        rows["record"] = [
            {"id": self.record, "created_at": self.now, "kind": "case", "reference": f"R-{self.number}", **self.record_facts}
        ]
        rows["record_grant"] = [self._grant()] if f["grant"] else []
        return reader, rows

    def _accounts(self) -> World:
        made = {"created_at": self.now}
        return {
            "partnership": [{"id": key, **made, "code": key.hex, "name": name} for name, key in self.areas.items()],
            "organisation": [
                {"id": key, **made, "code": f"M{self.number:04X}{place}", "name": name, "kind": "council_unitary", "opens_records": False}
                for place, (name, key) in enumerate(self.orgs.items())
            ],
            "team": [
                {"id": key, **made, "organisation_id": self.orgs["owner"], "partnership_id": self.areas["here"], "name": name, "default_purpose": HERE}
                for name, key in self.teams.items()
            ],
            "app_user": [
                {"id": key, **made, "organisation_id": self.orgs[self.facts["my_org"]], "email": f"{name}{self.number}@example.org", "name": name, "job_title": "", "clearance": 1, "revision": 1}
                for name, key in self.users.items()
            ],
        }

    def _agreements(self) -> World:
        f = self.facts
        agreement = {
            "id": self.agreement, "created_at": self.now, "revision": 1, "reference": f"A-{self.number}", "title": "",
            "partnership_id": self.areas["here"], "starts_at": self.at(f["starts"]), "review_at": self.at(9),
            "ends_at": self.at(f["ends"]), "in_force_at": self.at(f["signed"]), "suspended_at": self.at(f["suspended"]),
            "suspended_why": None if f["suspended"] is None else "test", "data_classes": "",
        }  # fmt: skip
        # a third organisation is always party: "any party" must not do
        standing = {"owner": f["owner_party"], "recipient": f["recipient_party"], "third": "in"}
        return {
            "agreement": [agreement],
            "agreement_party": [
                {
                    "agreement_id": self.agreement,
                    "organisation_id": self.orgs[name],
                    "joined_at": self.at(2 if how == "joins" else -3),
                    "left_at": self.at({"left": -1.0, "leaves": 3.0}.get(how)),
                }
                for name, how in standing.items()
                if how != "out"
            ],
            "agreement_purpose": [
                {"agreement_id": self.agreement, "purpose": one, "gateway": "cda_115", "lawful_basis": "art6_1e"}
                for one in f["permits"]
            ],
        }

    def _walls(self) -> World:
        f = self.facts
        walls = []
        for place, (name, column, subject) in enumerate(
            (("excluded", "record_id", self.record), ("excluded_person", "person_id", self.people[0]))
        ):
            if f[name]:
                who = "colleague" if f[name] == "colleague" else "me"
                ended = self.at({"was": -1.0, "until": 1.0}.get(f[name]))
                walls.append(
                    {"id": self.id(71 + place), "created_at": self.now, "user_id": self.users[who], "organisation_id": self.orgs["third"], "record_id": None, "person_id": None, "why": "test", "ended_at": ended, column: subject}
                )
        emergency = {
            "id": self.id(81), "created_at": self.now, "record_id": self.record, "user_id": self.users[f["emergency"] or "me"],
            "organisation_id": self.orgs["third"], "sealed_reason": b"test", "granted_at": self.at(f["emergency_from"]),
            "expires_at": self.at(f["emergency_until"]), "closed_at": self.at(f["emergency_closed"]),
        }  # fmt: skip
        member = {"record_id": self.record, "user_id": self.users[f["on_team"] or "me"], "added_at": self.now, "added_by": self.users["colleague"], **self.record_facts}
        return {
            "exclusion": walls,
            "emergency": [emergency] if f["emergency"] else [],
            "record_team": [member] if f["on_team"] else [],
        }

    def _grant(self) -> Row:
        f = self.facts
        answered = f["grant_state"] != "pending"
        return {
            "id": self.id(91), "created_at": self.now, "revision": 1, "record_id": self.record, **self.record_facts,
            "record_reference": f"R-{self.number}", "to_organisation_id": self.orgs[f["grant_org"]],
            "to_team_id": self.teams[f["grant_team"]] if f["grant_team"] else None,
            # a share is to a team or to a user, never both
            "to_user_id": self.users[f["grant_user"]] if f["grant_user"] and not f["grant_team"] else None,
            "agreement_id": self.agreement if f["grant_agreement"] else None,
            "agreement_ends_at": self.at(f["ends"]) if f["grant_agreement"] else None,
            "purpose": f["grant_purpose"], "gateway": "cda_115", "lawful_basis": "art6_1e", "sections": f["grant_sections"],
            "max_marking": f["grant_marking"], "may_contribute": f["grant_adds"], "reason": "test", "state": f["grant_state"],
            "requested_by": self.users["colleague"], "answered_by": self.users["me"] if answered else None,
            "answered_at": self.now if answered else None, "starts_at": self.at(f["grant_starts"]),
            "ends_at": self.at(f["grant_ends"]), "revoked_at": self.at(f["grant_revoked"]),
            "revoked_by": None if f["grant_revoked"] is None else self.users["colleague"],
            "revoked_why": None if f["grant_revoked"] is None else "test",
        }  # fmt: skip

    def _items(self) -> World:
        """Of each kind one as the facts say, and one that the reader's organisation would add."""
        f = self.facts
        audience, ids = self._audience()
        given = {"item_marking": f["item_marking"], "audience": audience, "audience_ids": ids, "contributor_organisation_id": self.orgs[f["contributor"]]}
        adder = self.orgs[f["my_org"]] if f["adder"] == "me" else self.orgs["third" if f["my_org"] != "third" else "owner"]
        added = {"item_marking": 0, "audience": None, "audience_ids": None, "contributor_organisation_id": adder}
        entries, involvements = [], []
        for place, item in enumerate((given, added)):
            shared = {"created_at": self.now, "contributed_at": self.now, "contributed_by": self.users["colleague"], "record_id": self.record, "section": f["section"], **self.record_facts, **item}
            entries.append({"id": self.id(101 + place), "kind": "visit", "nature": "fact", "occurred_on": "2026", "occurred_at": self.now, "text": "test", "significant": False, "contributor_team_id": self.teams["mine"], **shared})
            involvements.append({"id": self.id(111 + place), "revision": 1, "person_id": self.people[place], "role": "victim", **shared})
        people = [{"id": key, "created_at": self.now, "organisation_id": self.orgs["owner"], "reference": key.hex} for key in self.people]
        return {"entry": entries, "involvement": involvements, "person": people}

    def _audience(self) -> tuple[str | None, list[UUID] | None]:
        how = self.facts["audience"]
        named = {
            "my_org": ("organisations", [self.orgs[self.facts["my_org"]]]),
            "my_team": ("people", [self.teams[self.facts["my_team"]]]),
            "me": ("people", [self.users["me"]]),
            "others": ("people", [self.users["colleague"]]),
        }
        return named.get(how, (how, None))
