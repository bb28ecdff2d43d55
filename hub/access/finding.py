"""By which of the application's two roles a statement runs: what asks for ids, codes and times finds, all else reads.

Finding is the first step of every read: it comes before the event, so it runs as a role that can't read what is said in
a record (`walls.FINDABLE`). Reading runs under the write-ahead gate: without a committed event it gets no row. A statement
that finds and names content besides is refused by the database, so a mistake here fails, and never opens anything.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from hub.access.policy import GUARDED
from hub.access.walls import FINDER_ROLE, is_content

ROLE = "hub_role"
READER = "NONE"
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|FOR SHARE|FOR KEY SHARE)\b")
# these have walls of their own, for the application's role alone
_LOG = re.compile(r"\baudit\.")


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Any guarded table, and any column of a gated one that holds content; aliases are the table's name and a number."""
    contents = []
    for model, rules in GUARDED.items():
        columns = [column.name for column in sa.inspect(model).local_table.columns if is_content(column)]
        if rules.opened_by is not None and columns:
            contents.append(rf"{model.__tablename__}(?:_\d+)?\.(?:{'|'.join(columns)})")
    tables = "|".join(model.__tablename__ for model in GUARDED)
    return re.compile(rf"\b(?:{tables})\b"), re.compile(rf"\b(?:{'|'.join(contents)})\b")


@functools.lru_cache(maxsize=8192)
def role_for(statement: str) -> str | None:
    """The role for the text of a statement; None where it touches nothing guarded, and either will do."""
    guarded, content = _patterns()
    if _WRITES.search(statement) or _LOG.search(statement):
        return READER
    if not guarded.search(statement):
        return None
    return READER if content.search(statement) else FINDER_ROLE


def install(engine: sa.Engine) -> None:
    """From here on each statement of the engine takes its role first. A role lasts until its transaction ends."""

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
