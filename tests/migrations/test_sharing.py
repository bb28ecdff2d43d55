"""The migration to sharing in full (0002), on a database in use: everything is still there, and read by the same people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from hub.access.actor import Context
from hub.access.vocabulary import Section
from hub.cli.db import MIGRATIONS, upgrade
from hub.core import clock
from tests.access.both_walls import announce

DAY = timedelta(days=1)
# where there is one already
AS_FINDER = "SELECT set_config('role', 'hub_finder', true) WHERE has_column_privilege('hub_finder', 'record', 'id', 'SELECT')"
# what readers are asked for before and after
GUARDED = ("record", "case_record", "entry", "involvement", "person", "record_grant")
KEPT = (
    *GUARDED,
    "agreement",
    "agreement_party",
    "agreement_purpose",
    "app_user",
    "team",
    "exclusion",
    "record_team",
)


@dataclass
class Old:
    """A database as the first migration left it, with rows put in as its owner."""

    owner: sa.Engine
    app: sa.Engine
    tables: sa.MetaData = field(default_factory=sa.MetaData)
    ids: dict[str, UUID] = field(default_factory=dict)
    readers: dict[str, Context] = field(default_factory=dict)

    def put(self, table: str, key: str, /, **values: Any) -> UUID:
        """A row with what is said of it, and something plain in every other column that may not be empty."""
        plain = {
            "UUID": uuid4,
            "TEXT": str,
            "BOOLEAN": bool,
            "INTEGER": int,
            "SMALLINT": int,
            "TIMESTAMP": clock.now,
        }
        row: dict[str, Any] = {}
        for column in self.tables.tables[table].columns:
            if column.name in values:
                row[column.name] = values[column.name]
            elif not column.nullable and column.server_default is None and column.computed is None:
                row[column.name] = plain[type(column.type).__name__.upper()]()
        with self.owner.begin() as connection:
            connection.execute(sa.insert(self.tables.tables[table]).values(row))
        self.ids[key] = row.get("id", UUID(int=0))
        return self.ids[key]

    def seen(self) -> dict[tuple[str, str], set[UUID]]:
        """Reader and table → the ids that row-level security lets them read."""
        found = {}
        for name, context in self.readers.items():
            with self.app.connect() as connection:
                announce(connection, SimpleNamespace(context=context))
                connection.exec_driver_sql(AS_FINDER)
                for table in GUARDED:
                    found[name, table] = {
                        row[0] for row in connection.exec_driver_sql(f"SELECT id FROM {table}")
                    }
        return found

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.owner.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT to_jsonb(t) AS row FROM {table} t")
            return sorted((dict(row[0]) for row in found), key=str)


@pytest.fixture
def old(database: SimpleNamespace) -> Iterator[Old]:
    name = f"{database.name}_old"
    admin = sa.create_engine(
        make_url(database.superuser).set(database="postgres"),
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
    )
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} OWNER hub_owner")
        urls = [make_url(url).set(database=name) for url in (database.owner, database.app)]
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        address = urls[0].render_as_string(hide_password=False)
        config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
        command.upgrade(config, "0001")
        owner, app = (sa.create_engine(url, poolclass=sa.NullPool) for url in urls)
        found = Old(owner, app)
        found.tables.reflect(owner)
        fill(found)
        yield found
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def fill(old: Old) -> None:
    """Two organisations that share under an agreement in force, one suspended, one unsigned; shares in every state."""
    put, ids, now = old.put, old.ids, clock.now()
    put("partnership", "area", code="ONE", name="One")
    for key, code in (("council", "NBC"), ("police", "NBP"), ("yjs", "NYJ")):
        put("organisation", key, code=code, name=key, kind="council_unitary")
        put(
            "team",
            f"{key} team",
            organisation_id=ids[key],
            partnership_id=ids["area"],
            name=key,
            default_purpose="prevent_crime",
        )
        user = put(
            "app_user",
            f"{key} user",
            organisation_id=ids[key],
            email=f"{key}@example.org",
            name=key,
            clearance=1,
        )
        put("team_membership", "", team_id=ids[f"{key} team"], user_id=user)
        old.readers[key] = Context(
            user, ids[key], ids["area"], ids[f"{key} team"], 1, "prevent_crime", ("victim_safe",)
        )
    old.readers["police, another purpose"] = Context(
        ids["police user"], ids["police"], ids["area"], ids["police team"], 1, "tenancy", ()
    )  # fmt: skip
    ends = now + 300 * DAY
    for key, more in (
        ("in force", {"in_force_at": now - 30 * DAY}),
        (
            "suspended",
            {"in_force_at": now - 30 * DAY, "suspended_at": now - DAY, "suspended_why": "A breach"},
        ),
        ("unsigned", {}),
    ):
        agreement = put(
            "agreement", key, reference=f"ISA-{key[0]}", title=key, partnership_id=ids["area"], starts_at=now - 30 * DAY,
            ends_at=ends, review_at=ends, revision=1, **more,
        )  # fmt: skip
        for party in ("council", "police"):
            signed = (
                {"signed_at": now - 30 * DAY, "signed_by": ids[f"{party} user"]}
                if more or party == "council"
                else {}
            )
            put(
                "agreement_party",
                "",
                agreement_id=agreement,
                organisation_id=ids[party],
                joined_at=now - 30 * DAY,
                **signed,
            )
        put(
            "agreement_purpose",
            "",
            agreement_id=agreement,
            purpose="prevent_crime",
            gateway="cda_115",
            lawful_basis="art6_1e",
        )
    state: dict[str, dict[str, Any]] = {
        "accepted": {"state": "accepted"},
        "pending": {"state": "pending", "answered_at": None, "answered_by": None},
        "rejected": {"state": "rejected"},
        "over": {"starts_at": now - 9 * DAY, "ends_at": now - DAY},
        "revoked": {"revoked_at": now - DAY, "revoked_by": ids["council user"], "revoked_why": "Over"},
        "suspended": {"agreement_id": ids["suspended"]},
        "inside": {"agreement_id": None, "agreement_ends_at": None, "purpose": None, "ends_at": None, "to": "council"},
        "none": {},
    }  # fmt: skip
    for name, how in state.items():
        case(old, name, how, ends)
    put("exclusion", "interest", user_id=ids["council user"], organisation_id=ids["council"], record_id=ids["rejected case"],
        person_id=None, why="A relative")  # fmt: skip


def case(old: Old, name: str, how: dict[str, Any], agreement_ends: Any) -> None:
    """A case of the council's with an entry and a person, and its share."""
    ids, now = old.ids, clock.now()
    facts = {
        "partnership_id": ids["area"], "owner_organisation_id": ids["council"], "lead_team_id": ids["council team"],
        "marking": 0, "restricted": False, "breakable": True, "knowable": False, "open_to_owner": False,
    }  # fmt: skip
    reference = f"NBC-CS-{name}"
    record = old.put("record", f"{name} case", kind="case", reference=reference, **facts)
    old.put("case_record", "", id=record, reference=reference, kind="asb", title="Noise", status="new", priority="p3_routine",
            risk_level="not_assessed", source="police", reported_on="2026", lead_officer_id=ids["council user"], revision=1,
            **facts)  # fmt: skip
    person = old.put(
        "person", f"{name} person", organisation_id=ids["council"], reference=f"P-{name}", revision=1
    )
    item = {
        "record_id": record,
        "contributor_organisation_id": ids["council"],
        "contributed_by": ids["council user"],
        **facts,
    }
    old.put("entry", "", section="chronology", kind="visit", nature="fact", occurred_on="2026", text="Seen",
            contributor_team_id=ids["council team"], **item)  # fmt: skip
    old.put("involvement", "", section="people", person_id=person, role="subject", revision=1, **item)
    if name == "none":
        return
    share = {
        "record_id": record, "record_reference": reference, "to_organisation_id": ids[how.pop("to", "police")],
        "agreement_id": ids["in force"], "agreement_ends_at": agreement_ends, "purpose": "prevent_crime", "gateway": "cda_115",
        "lawful_basis": "art6_1e", "sections": ["summary", "chronology"], "max_marking": 1, "reason": "Needed",
        "state": "accepted", "requested_by": ids["council user"], "answered_by": ids["police user"], "answered_at": now,
        "starts_at": now - 2 * DAY, "ends_at": now + 30 * DAY, "revision": 1, **facts,
    }  # fmt: skip
    old.put("record_grant", f"{name} share", **{**share, **how})


@pytest.mark.slow
def test_everything_is_there_afterwards_and_read_by_the_same_people(old: Old) -> None:
    seen = old.seen()
    # or nothing would be proven
    assert seen["police", "record"] == {old.ids["accepted case"]} and len(seen["council", "record"]) == 7
    assert not seen["yjs", "record"] and not seen["police, another purpose", "record"]
    before = {table: old.rows(table) for table in KEPT}
    upgrade(old.owner.url.render_as_string(hide_password=False))
    assert old.seen() == seen
    for table, rows in before.items():
        after = [{name: row[name] for name in rows[0]} for row in old.rows(table)] if rows else []
        assert sorted(after, key=str) == rows and (rows or table == "record_team"), table


@pytest.mark.slow
def test_what_is_new_has_a_value_that_means_what_was_meant(old: Old) -> None:
    upgrade(old.owner.url.render_as_string(hide_password=False))
    agreements = {row["title"]: row for row in old.rows("agreement")}
    for row in agreements.values():
        assert set(row["sections"]) == set(Section) and row["sent_at"] is not None and row["ended_at"] is None
        assert row["owner_organisation_id"] in (str(old.ids["council"]), str(old.ids["police"]))
    # whoever signed first
    assert agreements["unsigned"]["owner_user_id"] == str(old.ids["council user"])
    for row in old.rows("record_grant"):
        assert not row["fact_only"] and row["consent_id"] is None and row["closed_with"] is None
        assert (row["agreement_sections"] is None) == (row["agreement_id"] is None)
        assert row["agreement_id"] is None or set(row["agreement_sections"]) == set(Section)
    with old.owner.connect() as connection:
        waiting = connection.exec_driver_sql("SELECT conname FROM pg_constraint WHERE NOT convalidated").all()
    assert waiting == []


@pytest.mark.slow
def test_shares_of_before_end_with_their_agreement_afterwards(old: Old) -> None:
    upgrade(old.owner.url.render_as_string(hide_password=False))
    council = old.readers["council"]
    with old.app.begin() as connection:
        announce(connection, SimpleNamespace(context=council))
        connection.exec_driver_sql(
            "UPDATE agreement SET suspended_at = now(), suspended_why = 'A breach' WHERE id = %(id)s", {"id": old.ids["in force"]}
        )  # fmt: skip
    assert old.seen()["police", "record"] == set()
    closed = {row["id"] for row in old.rows("record_grant") if row["closed_with"] == str(old.ids["in force"])}
    assert closed == {str(old.ids[f"{name} share"]) for name in ("accepted", "pending")}
