"""The rows of one world of the matrix, made from its facts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.access.oracle import Row, World

HOURS = timedelta(hours=1)
USUAL_PURPOSE = "prevent_crime"


class Maker:
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
        self.teams = {"lead": self.id(11), "mine": self.id(12), "other": self.id(13), "third": self.id(14)}
        self.users = {"me": self.id(21), "colleague": self.id(22)}
        self.areas = {"here": self.id(31), "there": self.id(32)}
        self.record, self.agreement = self.id(41), self.id(51)
        # the third is known by a name that was told, and by no involvement
        self.people = [self.id(61), self.id(62), self.id(63)]
        self.record_facts: Row = {
            "partnership_id": self.areas["here"],
            "owner_organisation_id": self.orgs["owner"],
            "lead_team_id": self.teams["lead"],
            **{name: f[name] for name in ("marking", "restricted", "breakable", "knowable", "open_to_owner")},
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
            {
                "id": self.record,
                "created_at": self.now,
                "kind": "case",
                "reference": f"R-{self.number}",
                **self.record_facts,
            }
        ]
        rows["record_grant"] = [self._grant()] if f["grant"] else []
        rows["shared_fact"] = [self._fact()] if f["grant"] else []
        rows["hand_over"] = [self._offer()]
        return reader, rows

    def _accounts(self) -> World:
        made = {"created_at": self.now}
        return {
            "partnership": [
                {"id": key, **made, "code": key.hex, "name": name} for name, key in self.areas.items()
            ],
            "organisation": [
                {
                    "id": key,
                    **made,
                    "code": f"M{self.number:04X}{place}",
                    "name": name,
                    "kind": "council_unitary",
                    "opens_records": False,
                }
                for place, (name, key) in enumerate(self.orgs.items())
            ],
            "team": [
                {
                    "id": key,
                    **made,
                    "organisation_id": self.orgs["owner"],
                    "partnership_id": self.areas["here"],
                    "name": name,
                    "default_purpose": USUAL_PURPOSE,
                }
                for name, key in self.teams.items()
            ],
            "app_user": [
                {
                    "id": key,
                    **made,
                    "organisation_id": self.orgs[self.facts["my_org"]],
                    "email": f"{name}{self.number}@example.org",
                    "name": name,
                    "job_title": "",
                    "clearance": 1,
                    "revision": 1,
                }
                for name, key in self.users.items()
            ],
        }

    def _agreements(self) -> World:
        f = self.facts
        agreement = {
            "id": self.agreement, "created_at": self.now, "revision": 1, "reference": f"A-{self.number}", "title": "",
            "partnership_id": self.areas["here"], "starts_at": self.at(f["starts"]), "review_at": self.at(9),
            "ends_at": self.at(f["ends"]), "in_force_at": self.at(f["signed"]), "suspended_at": self.at(f["suspended"]),
            "suspended_why": None if f["suspended"] is None else "test", "data_classes": "", "receivers": "", "not_shared": "",
            "ended_at": self.at(f["ended"]), "ended_why": None if f["ended"] is None else "test", "sent_at": self.now,
            "sections": f["agreement_sections"], "owner_organisation_id": self.orgs["owner"], "owner_user_id": self.users["me"],
        }  # fmt: skip
        # a third organisation is always party: "any party" must not do
        standing = {"owner": f["owner_party"], "recipient": f["recipient_party"], "third": "in"}
        return {
            "agreement": [agreement],
            "agreement_party": [
                {
                    "agreement_id": self.agreement,
                    "organisation_id": self.orgs[name],
                    "signatory": "",
                    "joined_at": self.at(2 if how == "joins" else -3),
                    "left_at": self.at({"left": -1.0, "leaves": 3.0}.get(how)),
                }
                for name, how in standing.items()
                if how != "out"
            ],
            "agreement_purpose": [
                {
                    "agreement_id": self.agreement,
                    "purpose": one,
                    "gateway": "cda_115",
                    "lawful_basis": "art6_1e",
                }
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
                    {
                        "id": self.id(71 + place),
                        "created_at": self.now,
                        "user_id": self.users[who],
                        "organisation_id": self.orgs["third"],
                        "record_id": None,
                        "person_id": None,
                        "why": "test",
                        "ended_at": ended,
                        column: subject,
                    }
                )
        emergency = {
            "id": self.id(81), "created_at": self.now, "record_id": self.record, "user_id": self.users[f["emergency"] or "me"],
            "organisation_id": self.orgs["third"], "owner_organisation_id": self.orgs["owner"], "record_reference": "test",
            "sealed_reason": b"test", "data_key_id": self.id(141), "review_note": "", "granted_at": self.at(f["emergency_from"]),
            "expires_at": self.at(f["emergency_until"]), "closed_at": self.at(f["emergency_closed"]),
        }  # fmt: skip
        epoch = {
            "id": self.id(142),
            "created_at": self.now,
            "partnership_id": self.areas["here"],
            "root_key_id": "test",
            "wrapped": b"test",
        }
        key = {
            "id": self.id(141),
            "created_at": self.now,
            "partnership_id": self.areas["here"],
            "epoch_id": self.id(142),
            "wrapped": b"test",
        }
        member = {
            "record_id": self.record,
            "user_id": self.users[f["on_team"] or "me"],
            "added_at": self.now,
            "added_by": self.users["colleague"],
            **self.record_facts,
        }
        return {
            "exclusion": walls,
            "emergency": [emergency] if f["emergency"] else [],
            "key_epoch": [epoch],
            "data_key": [key],
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
            "agreement_sections": f["agreement_sections"] if f["grant_agreement"] else None,
            "fact_only": f["grant_fact"], "sections": [] if f["grant_fact"] else f["grant_sections"],
            "purpose": f["grant_purpose"], "gateway": "cda_115", "lawful_basis": "art6_1e",
            "max_marking": f["grant_marking"], "may_contribute": f["grant_adds"], "reason": "test", "state": f["grant_state"],
            "requested_by": self.users["colleague"], "answered_by": self.users["me"] if answered else None,
            "answered_at": self.now if answered else None, "starts_at": self.at(f["grant_starts"]),
            "ends_at": self.at(f["grant_ends"]), "revoked_at": self.at(f["grant_revoked"]),
            "revoked_by": None if f["grant_revoked"] is None else self.users["colleague"],
            "revoked_why": None if f["grant_revoked"] is None else "test",
        }  # fmt: skip

    def _fact(self) -> Row:
        return {
            "id": self.id(121), "created_at": self.now, "record_id": self.record, "grant_id": self.id(91),
            "code": "tenancy_breach", "concerning": "test", "wording": "", "from_on": "2026", **self.record_facts,
        }  # fmt: skip

    def _offer(self) -> Row:
        """A hand-over that waits, from a fourth team to the reader's."""
        return {
            "id": self.id(131), "created_at": self.now, "revision": 1, "record_id": self.record, **self.record_facts,
            "record_reference": f"R-{self.number}", "case_kind": "test", "from_organisation_id": self.orgs["owner"],
            "from_team_id": self.teams[self.facts["offer_from"]], "to_organisation_id": self.orgs["owner"],
            "to_team_id": self.teams[self.facts["offer_to"]], "stays": [], "reason": "test", "state": "offered",
            "offered_by": self.users["colleague"], "answer": "",
        }  # fmt: skip

    def _items(self) -> World:
        """Of each kind one as the facts say, and one that the reader's organisation would add."""
        f = self.facts
        audience, ids = self._audience()
        given = {
            "item_marking": f["item_marking"],
            "audience": audience,
            "audience_ids": ids,
            "contributor_organisation_id": self.orgs[f["contributor"]],
        }
        adder = (
            self.orgs[f["my_org"]]
            if f["adder"] == "me"
            else self.orgs["third" if f["my_org"] != "third" else "owner"]
        )
        added = {
            "item_marking": 0,
            "audience": None,
            "audience_ids": None,
            "contributor_organisation_id": adder,
        }
        entries, involvements, names = [], [], []
        for place, item in enumerate((given, added)):
            shared = {
                "created_at": self.now,
                "contributed_at": self.now,
                "contributed_by": self.users["colleague"],
                "record_id": self.record,
                "section": f["section"],
                **self.record_facts,
                **item,
            }
            entries.append(
                {
                    "id": self.id(101 + place),
                    "kind": "visit",
                    "nature": "fact",
                    "occurred_on": "2026",
                    "occurred_at": self.now,
                    "text": f"Seen in world{self.number}",
                    "significant": False,
                    "contributor_team_id": self.teams["mine"],
                    **shared,
                }
            )
            involvements.append(
                {
                    "id": self.id(111 + place),
                    "revision": 1,
                    "person_id": self.people[place],
                    "role": "victim",
                    **shared,
                }
            )
            if item is given:
                told = {
                    "person_id": self.people[2],
                    "kind": "current",
                    "source": "witness",
                    "given_names": "Bo",
                }
                names.append(
                    {
                        "id": self.id(151),
                        "family_name": "Test",
                        "known_as": "",
                        "words": "bo test",
                        **told,
                        **shared,
                    }
                )
        people = [
            {"id": key, "created_at": self.now, "organisation_id": self.orgs["owner"], "reference": key.hex}
            for key in self.people
        ]
        return {"entry": entries, "involvement": involvements, "person_name": names, "person": people}

    def _audience(self) -> tuple[str | None, list[UUID] | None]:
        how = self.facts["audience"]
        named = {
            "my_org": ("organisations", [self.orgs[self.facts["my_org"]]]),
            "my_team": ("people", [self.teams[self.facts["my_team"]]]),
            "me": ("people", [self.users["me"]]),
            "others": ("people", [self.users["colleague"]]),
        }
        return named.get(how, (how, None))
