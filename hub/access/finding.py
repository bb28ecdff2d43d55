"""By which of the application's two roles a statement runs: what asks for ids, codes and times finds, all else reads.

Finding is the first step of every read: it comes before the event, so it runs as a role that can't read what is said in
a record (`walls.FINDABLE`). Reading runs under the write-ahead gate: without a committed event it gets no row. A statement
that finds and names content besides is refused by the database, so a mistake here fails, and never opens anything.
"""

from __future__ import annotations

import functools
import re
from typing import Any
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy import event

from hub.access.policy import GUARDED
from hub.access.walls import FINDER_ROLE, is_content

ROLE = "hub_role"
READER = "NONE"
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|FOR SHARE|FOR KEY SHARE)\b")
# the log has walls of its own, for the application's role alone; writing an event needs neither role
_LOG = re.compile(r"\baudit\.(?!record_event\b)")
# a function that reads gated tables with the rights of whoever calls it; all others have rights of their own
_AS_CALLER = "find_exclusion_subjects"


_installed: WeakSet[sa.Engine] = WeakSet()


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Gated tables, their columns that hold content, and the other guarded tables; aliases are a name and a number."""
    gated = {model: rules for model, rules in GUARDED.items() if rules.opened_by is not None}
    contents = []
    for model in gated:
        columns = [column.name for column in sa.inspect(model).local_table.columns if is_content(column)]
        if columns:
            contents.append(rf"{model.__tablename__}(?:_\d+)?\.(?:{'|'.join(columns)})")
    others = [model.__tablename__ for model in GUARDED if model not in gated]
    return _any([*(model.__tablename__ for model in gated), _AS_CALLER]), _any(contents), _any(others)


def _any(parts: list[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(parts)})\b")


@functools.lru_cache(maxsize=8192)
def role_for(statement: str) -> str | None:
    """The role for the text of a statement; None where it meets no wall, and either will do.

    Always the same for one text: a plan under row-level security is made for a role, and made anew for another.
    """
    gated, content, walled = _patterns()
    if _WRITES.search(statement) or _LOG.search(statement):
        return READER
    if gated.search(statement):
        return READER if content.search(statement) else FINDER_ROLE
    return READER if walled.search(statement) else None


def install(engine: sa.Engine) -> None:
    """From here on each statement of the engine takes its role first. A role lasts until its transaction ends."""
    _installed.add(engine)

    @event.listens_for(engine, "before_cursor_execute")
    def _take_role(
        connection: sa.Connection, cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
    ) -> None:
        wanted = role_for(statement)
        if wanted is not None and wanted != connection.info.get(ROLE, READER):
            cursor.connection.execute(f"SET LOCAL ROLE {wanted}", prepare=False)
            connection.info[ROLE] = wanted

    def forget(connection: sa.Connection, *_: Any) -> None:
        # one that broke took its role with it, and may not even be asked
        if not connection.invalidated:
            connection.info.pop(ROLE, None)

    def unsure(connection: sa.Connection, *_: Any) -> None:
        if not connection.invalidated:
            connection.info[ROLE] = ""

    for name in ("begin", "commit", "rollback"):
        event.listen(engine, name, forget)
    event.listen(engine, "rollback_savepoint", unsure)


def begin_as_finder(connection: sa.Connection) -> bool:
    """Writes down that a transaction begins as the finder, which its first statement sees to. False where no role is taken."""
    if connection.engine not in _installed:
        return False
    connection.info[ROLE] = FINDER_ROLE
    return True
