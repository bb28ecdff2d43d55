"""Each wall by itself against the oracle: the guard as superuser, row-level security by raw SQL; list, count, by id, search.

The surfaces of all classes are asked in one statement each, and none is narrowed to the world: what leaks from another shows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid5

import psycopg
import sqlalchemy as sa

from hub.access.guard import CONTEXT_KEY, SETTINGS, _setting
from hub.access.models import Record
from hub.access.vocabulary import RecordKind
from hub.chronology.models import Entry
from hub.core.ids import new_id
from hub.core.schema import UUID_ARRAY
from hub.extensions import HubSession, db
from tests.access.oracle import Row
from tests.access.verdicts import ADDS, CHANGES, READS, Oracles, Result
from tests.access.worlds import NearMiss

MOST = 1000
LOOKS = UUID("00000000-0000-0000-0000-000000000001")
SESSIONS = UUID("00000000-0000-0000-0000-000000000002")
NAMES = {model.__tablename__: model for model in READS}
Ask = Callable[[str, dict[str, Any]], Iterable[Any]]


# ---- the guard --------------------------------------------------------------------------------------------------


class Bound(HubSession):
    """The hub's session, with its guard, on an engine of the test's choice."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(db, autoflush=False)
        self._engine = engine

    def get_bind(self, *_: Any, **__: Any) -> sa.Engine:
        return self._engine


@functools.cache
def _in_orm() -> dict[str, sa.Select[Any]]:
    def together(*conditions: Callable[[type[Any]], Any]) -> sa.Select[Any]:
        parts = [
            sa.select(sa.literal(name).label("name"), model.id).where(*(one(model) for one in conditions))
            for name, model in NAMES.items()
        ]
        return sa.select(sa.union_all(*parts).subquery())

    own = sa.bindparam("own", type_=UUID_ARRAY)
    candidates = sa.func.find_entry_candidates(sa.bindparam("words"), MOST).column_valued("candidate")
    return {
        "list": together(),
        "by id": together(lambda model: model.id == sa.any_(own)),
        "count": sa.select(
            *(sa.select(sa.func.count()).select_from(model).scalar_subquery() for model in READS)
        ),
        "search": sa.select(Entry.id).where(
            Entry.id == sa.any_(sa.func.array(sa.select(candidates).scalar_subquery()))
        ),
    }


def compare_orm(engine: sa.Engine, worlds: list[NearMiss], oracles: Oracles) -> Result:
    """The ORM guard alone: as superuser, whom row-level security doesn't hold."""
    result, statements = Result(), _in_orm()
    with Bound(engine) as session:
        for world in worlds:
            session.leave()  # not rolled back: the plans are kept
            session.info[CONTEXT_KEY] = world.context
            _compare_reads(
                result, "ORM", world, oracles, lambda surface, values: session.execute(statements[surface], values)
            )  # fmt: skip
    return result


# ---- row-level security -----------------------------------------------------------------------------------------

_IN_SQL = {
    "list": " UNION ALL ".join(f"SELECT '{name}', id FROM {name}" for name in NAMES),
    "by id": " UNION ALL ".join(f"SELECT '{name}', id FROM {name} WHERE id = ANY (%(own)s)" for name in NAMES),
    "count": "SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in NAMES),
    "search": f"SELECT id FROM entry WHERE id = ANY (ARRAY(SELECT find_entry_candidates(%(words)s, {MOST})))",
}  # fmt: skip
# a list that goes by the candidates of a reader of few is the same list
_SHORT_LIST = " UNION ".join(
    f"SELECT id FROM record WHERE kind = '{kind}' AND id = ANY (ARRAY(SELECT find_list_candidates('{kind}', {MOST})))"
    for kind in RecordKind
)


def compare_reads(engine: sa.Engine, worlds: list[NearMiss], oracles: Oracles) -> Result:
    """Row-level security alone: raw SQL as the application's role."""
    result = Result()
    with engine.connect() as connection:
        for world in worlds:
            announce(connection, world)
            connection.exec_driver_sql("SET LOCAL ROLE hub_finder")
            _compare_reads(
                result, "database", world, oracles, lambda surface, values: connection.exec_driver_sql(_IN_SQL[surface], values)
            )  # fmt: skip
            wanted = {row["id"] for row in world.rows["record"] if READS[Record](oracles[world.number], row)}
            short = set(connection.exec_driver_sql(_SHORT_LIST).scalars())
            result.count("database short list", world, Record, short, wanted)
            connection.commit()  # not rolled back: the plans are kept
    return result


def compare_writes(engine: sa.Engine, worlds: list[NearMiss], oracles: Oracles) -> Result:
    """Attempts to write as the application's role, all undone."""
    result = Result()
    with engine.connect() as connection:
        for world in worlds:
            announce(connection, world, looks=look_of(world), token=token_of(world))
            _compare_changes(result, world, oracles, connection)
            _compare_additions(result, world, oracles, connection)
            connection.rollback()
    return result


def announce(connection: sa.Connection, who: Any, *, looks: str = "", token: str = "") -> None:
    """Tells the database who acts, as the hub's sessions do at the start of a transaction."""
    values = {name: _setting(who.context, name) for name in SETTINGS}
    values |= {"looks": looks, "token": token}
    columns = ", ".join(f"set_config('hub.{name}', :{name}, true)" for name in values)
    connection.execute(sa.text(f"SELECT {columns}"), values)


def look_of(world: NearMiss) -> str:
    """The event by which all of a world is open: what may be changed is compared, not what has been looked at."""
    return str(uuid5(LOOKS, str(world.number)))


def token_of(world: NearMiss) -> str:
    return f"the reader of world {world.number}"


def open_all(connection: sa.Connection, worlds: list[NearMiss]) -> None:
    """As superuser: the reader of each world with a live session that says of him what the world says, and his event."""
    for world in worlds:
        told = {
            **world.reader,
            "token": token_of(world),
            "session": uuid5(SESSIONS, str(world.number)),
            "look": look_of(world),
            "records": [row["id"] for row in world.rows["record"]],
        }
        for statement in _READER[: None if "supervisor_only" in world.reader["audiences"] else -1]:
            connection.exec_driver_sql(statement, told)


_READER = (
    "UPDATE app_user SET clearance = %(clearance)s WHERE id = %(user_id)s",
    "UPDATE team SET partnership_id = %(partnership_id)s WHERE id = %(team_id)s",
    (
        "INSERT INTO user_session (id, created_at, token_hash, user_id, team_id, purpose, kind, method, authenticated_at,"
        " last_seen_at, expires_at) VALUES (%(session)s, now(), sha256(convert_to(%(token)s, 'UTF8')), %(user_id)s, %(team_id)s,"
        " %(purpose)s, 'web', 'operator', now(), now(), now() + interval '1 hour')"
    ),
    (
        "INSERT INTO audit.event (id, at, xid, category, act, outcome, source, user_id, record_ids, person_ids,"
        " organisation_ids, body, hash) VALUES (%(look)s, now() + interval '50 minutes', pg_current_xact_id(),"
        " 'consultation', 'case.opened', 'ok', 'web', %(user_id)s, %(records)s, '{}', '{}', '', '')"
    ),
    (
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at)"
        " VALUES (%(user_id)s, %(partnership_id)s, 'supervisor', now())"
    ),
)


def _compare_changes(
    result: Result, world: NearMiss, oracles: Oracles, connection: sa.Connection
) -> None:  # fmt: skip
    for model, verdict in CHANGES.items():
        column = "knowable" if model is Record else "role"
        rows = world.rows[model.__tablename__]
        changed = connection.exec_driver_sql(
            f"UPDATE {model.__tablename__} SET {column} = {column} WHERE id = ANY(%(own)s) RETURNING id",
            {"own": [row["id"] for row in rows]},
        )
        wanted = {row["id"] for row in rows if verdict(oracles[world.number], row)}
        result.count("database change", world, model, {row[0] for row in changed}, wanted)


def _compare_additions(
    result: Result, world: NearMiss, oracles: Oracles, connection: sa.Connection
) -> None:  # fmt: skip
    for model, verdict in ADDS.items():
        row = world.rows[model.__tablename__][-1]
        wanted = verdict(oracles[world.number], row)
        result.count("database add", world, model, _can_add(connection, model, row), wanted)


def _can_add(connection: sa.Connection, model: type[Any], row: Row) -> bool:
    copy = {**row, "id": new_id()}
    if "reference" in copy:
        copy["reference"] = copy["id"].hex
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(model.__table__), copy)
    except sa.exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        return False
    return True


# ---- what is asked of both --------------------------------------------------------------------------------------


def _compare_reads(result: Result, wall: str, world: NearMiss, oracles: Oracles, ask: Ask) -> None:
    """Every class by every surface; a surface that gives another world's row differs too."""
    oracle = oracles[world.number]
    wanted: dict[str, set[UUID]] = {
        name: {row["id"] for row in world.rows[name] if READS[model](oracle, row)}
        for name, model in NAMES.items()
    }
    own = [row["id"] for name in NAMES for row in world.rows[name]]
    for surface, values in (("list", {}), ("by id", {"own": own})):
        seen: dict[str, set[UUID]] = {name: set() for name in NAMES}
        for name, key in ask(surface, values):
            seen[name].add(key)
        for name, model in NAMES.items():
            result.count(f"{wall} {surface}", world, model, seen[name], wanted[name])
    (counts,) = ask("count", {})
    for number, (name, model) in zip(counts, NAMES.items(), strict=True):
        result.count(f"{wall} count", world, model, number, len(wanted[name]))
    found = {row[0] for row in ask("search", {"words": world.word})}
    result.count(f"{wall} search", world, Entry, found, wanted[Entry.__tablename__])
