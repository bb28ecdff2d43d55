"""The sharing rule once more, in plain Python over dictionaries, written from ACCESS section 2's sentences.

It shares no code and no expression with `hub.access.policy`: where the two differ, one of them is wrong.
A world is a dictionary of table name → rows; a reader is a dictionary of what the reader carries.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

Row = dict[str, Any]
World = dict[str, list[Row]]


class Oracle:
    """What one reader may do in one world at one moment."""

    def __init__(self, world: World, reader: Row, now: datetime) -> None:
        self.world, self.me, self.now = world, reader, now

    # ---- the sentences ----------------------------------------------------------------------------------------

    def reads_record(self, record: Row) -> bool:
        """He isn't excluded, and either (a1) or (a2), cleared for it; or (b)."""
        if self._excluded(record):
            return False
        shared = any(not one["fact_only"] for one in self._grants(record))
        return self._emergency(record) or (self._cleared(record) and (self._leads(record) or shared))

    def knows_record(self, record: Row) -> bool:
        """It is knowable, and his organisation shares an agreement in force with its owner for his purpose."""
        agreed = self._agreed(record["owner_organisation_id"], "summary")
        return record["knowable"] and agreed and not self._excluded(record)

    def reads_fact(self, fact: Row) -> bool:
        """Whoever leads the record; and the recipient of the share that tells it, while that lives."""
        if self.changes_record(fact):
            return True
        told = any(one["id"] == fact["grant_id"] for one in self._grants(fact))
        return told and fact["marking"] <= self.me["clearance"] and not self._excluded(fact)

    def reads_hand_over(self, offer: Row) -> bool:
        """Whoever leads the record, the team that offered it and the team that it is offered to, as far as cleared."""
        if self.changes_record(offer):
            return True
        side = self.me["team_id"] in (offer["from_team_id"], offer["to_team_id"])
        return side and offer["marking"] <= self.me["clearance"] and not self._excluded(offer)

    def reads_item(self, item: Row) -> bool:
        """Not excluded, and (b); or (a1), or (a2) with its section and marking, cleared and in its audience; or his own."""
        if self._excluded(item):
            return False
        if self._emergency(item):
            return True
        return self._by_right(item) or self._own_contribution(item)

    def reads_person_item(self, item: Row) -> bool:
        """An item that names a person: not where he has declared an interest in that person."""
        return not self._excluded_person(item["person_id"]) and self.reads_item(item)

    def reads_person(self, person: Row) -> bool:
        """A readable involvement names the person, or his organisation contributed a fact about the person."""
        if self._excluded_person(person["id"]):
            return False
        involved = [one for one in self.world["involvement"] if one["person_id"] == person["id"]]
        facts = [*self.world["person_name"], *self.world.get("person_fact", ())]
        told = [one for one in facts if one["person_id"] == person["id"] and not self._excluded(one)]
        return any(map(self.reads_item, involved)) or any(map(self._own_contribution, told))

    def reads_grant(self, grant: Row) -> bool:
        """Whoever leads the record, and the organisation it is made to, as far as cleared and not excluded."""
        if self.changes_record(grant):
            return True
        mine = (
            grant["to_organisation_id"] == self.me["organisation_id"]
            or grant["to_team_id"] == self.me["team_id"]
        )
        return mine and grant["marking"] <= self.me["clearance"] and not self._excluded(grant)

    def changes_record(self, record: Row) -> bool:
        """He reads it by (a1)."""
        return not self._excluded(record) and self._cleared(record) and self._leads(record)

    def opens_record(self, record: Row) -> bool:
        """A new record is his team's, in the partnership in hand, owned by his organisation."""
        mine = (self.me["partnership_id"], self.me["organisation_id"], self.me["team_id"])
        return (record["partnership_id"], record["owner_organisation_id"], record["lead_team_id"]) == mine

    def adds_item(self, item: Row) -> bool:
        """For his own organisation: on a record that he may change, or by a grant that lets him add to that section."""
        if item["contributor_organisation_id"] != self.me["organisation_id"]:
            return False
        if self.changes_record(item):
            return True
        allowed = [
            one for one in self._grants(item) if one["may_contribute"] and item["section"] in one["sections"]
        ]
        return bool(allowed) and not self._excluded(item) and self._cleared(item)

    def adds_entry(self, item: Row) -> bool:
        """As any item; and emergency access writes an entry, and nothing else."""
        if self.adds_item(item):
            return True
        own = item["contributor_organisation_id"] == self.me["organisation_id"]
        return own and item["section"] == "chronology" and not self._excluded(item) and self._emergency(item)

    def changes_item(self, item: Row) -> bool:
        """Only as its controller, and not by emergency access."""
        if item["contributor_organisation_id"] != self.me["organisation_id"] or self._excluded(item):
            return False
        return self._by_right(item) or self._own_contribution(item)

    def changes_person_item(self, item: Row) -> bool:
        """An item that names a person: what he may not read for an interest in the person, he may not change."""
        return not self._excluded_person(item["person_id"]) and self.changes_item(item)

    # ---- their words ------------------------------------------------------------------------------------------

    def _record_id(self, row: Row) -> UUID:
        found: UUID = row.get("record_id") or row["id"]
        return found

    def _excluded(self, row: Row) -> bool:
        return any(
            wall["user_id"] == self.me["user_id"]
            and wall["record_id"] == self._record_id(row)
            and not self._past(wall["ended_at"])
            for wall in self.world["exclusion"]
        )

    def _excluded_person(self, person_id: UUID) -> bool:
        return any(
            wall["user_id"] == self.me["user_id"]
            and wall["person_id"] == person_id
            and not self._past(wall["ended_at"])
            for wall in self.world["exclusion"]
        )

    def _cleared(self, row: Row) -> bool:
        if row["marking"] > self.me["clearance"]:
            return False
        if not row["restricted"]:
            return True
        named = {(one["record_id"], one["user_id"]) for one in self.world["record_team"]}
        return (self._record_id(row), self.me["user_id"]) in named

    def _leads(self, row: Row) -> bool:
        if row["partnership_id"] != self.me["partnership_id"]:
            return False
        own = row["owner_organisation_id"] == self.me["organisation_id"]
        # in a team of several employers: the team's rights, as far as his own employer's agreement goes
        if row["lead_team_id"] == self.me["team_id"] and (
            own or self._agreed(row["owner_organisation_id"], row.get("section", "summary"))
        ):
            return True
        return row["owner_organisation_id"] == self.me["organisation_id"] and row["open_to_owner"]

    def _agreed(self, owner: UUID, section: str) -> bool:
        return any(
            self._in_force(one, (owner, self.me["organisation_id"]))
            and self._permits(one, self.me["purpose"])
            and section in one["sections"]
            for one in self.world["agreement"]
        )

    def _grants(self, row: Row) -> list[Row]:
        """The live grants of the record that name him, his team in hand or his organisation."""
        of_record = [one for one in self.world["record_grant"] if one["record_id"] == self._record_id(row)]
        return [
            one
            for one in of_record
            if self._names_me(one) and self._grant_lives(one) and self._stands(one, row)
        ]

    def _names_me(self, grant: Row) -> bool:
        if (
            grant["to_organisation_id"] != self.me["organisation_id"]
            and grant["to_team_id"] != self.me["team_id"]
        ):
            return False
        if grant["to_team_id"] is not None and grant["to_team_id"] != self.me["team_id"]:
            return False
        return grant["to_user_id"] is None or grant["to_user_id"] == self.me["user_id"]

    def _grant_lives(self, grant: Row) -> bool:
        begun = grant["state"] == "accepted" and grant["starts_at"] <= self.now
        return begun and not self._past(grant["ends_at"]) and not self._past(grant["revoked_at"])

    def _stands(self, grant: Row, row: Row) -> bool:
        owner = row["owner_organisation_id"]
        if grant["agreement_id"] is None:
            # to another team of the owner itself: no agreement needed
            return bool(owner == self.me["organisation_id"])
        if grant["purpose"] != self.me["purpose"]:
            return False
        return any(
            one["id"] == grant["agreement_id"]
            and self._in_force(one, (owner, self.me["organisation_id"]))
            and self._permits(one, grant["purpose"])
            for one in self.world["agreement"]
        )

    def _in_force(self, agreement: Row, parties: Iterable[UUID]) -> bool:
        signed = agreement["in_force_at"] is not None and agreement["in_force_at"] <= self.now
        runs = agreement["starts_at"] <= self.now and not self._past(agreement["ends_at"])
        if (
            not (signed and runs)
            or self._past(agreement["suspended_at"])
            or self._past(agreement["ended_at"])
        ):
            return False
        return all(self._is_party(agreement, one) for one in parties)

    def _is_party(self, agreement: Row, organisation_id: UUID) -> bool:
        return any(
            one["agreement_id"] == agreement["id"]
            and one["organisation_id"] == organisation_id
            and one["joined_at"] <= self.now
            and not self._past(one["left_at"])
            for one in self.world["agreement_party"]
        )

    def _permits(self, agreement: Row, purpose: str) -> bool:
        return any(
            one["agreement_id"] == agreement["id"] and one["purpose"] == purpose
            for one in self.world["agreement_purpose"]
        )

    def _emergency(self, row: Row) -> bool:
        """Open, breakable, and his organisation owns it or shares an agreement in force with its owner."""
        if not row["breakable"] or not any(self._opened(one, row) for one in self.world["emergency"]):
            return False
        owner, own = row["owner_organisation_id"], self.me["organisation_id"]
        return owner == own or any(self._in_force(one, (owner, own)) for one in self.world["agreement"])

    def _opened(self, emergency: Row, row: Row) -> bool:
        mine = emergency["user_id"] == self.me["user_id"] and emergency["record_id"] == self._record_id(row)
        begun = emergency["granted_at"] <= self.now
        return (
            mine
            and begun
            and not self._past(emergency["expires_at"])
            and not self._past(emergency["closed_at"])
        )

    def _by_right(self, item: Row) -> bool:
        if not self._cleared(item) or not self._reached(item):
            return False
        if self._leads(item):
            return True
        return any(
            item["section"] in one["sections"] and item["item_marking"] <= one["max_marking"]
            for one in self._grants(item)
        )

    def _own_contribution(self, item: Row) -> bool:
        """His organisation put it on another's record; clearance and audience apply."""
        own = self.me["organisation_id"]
        elsewhere = item["contributor_organisation_id"] == own and item["owner_organisation_id"] != own
        return elsewhere and self._reached(item)

    def _reached(self, item: Row) -> bool:
        if item["item_marking"] > self.me["clearance"]:
            return False
        if item["audience"] is None or item["audience"] in self.me["audiences"]:
            return True
        mine = {self.me["user_id"], self.me["team_id"], self.me["organisation_id"]}
        return bool(mine & set(item["audience_ids"] or ()))

    def _past(self, moment: datetime | None) -> bool:
        return moment is not None and moment <= self.now
