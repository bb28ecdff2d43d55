"""What an erasure takes away, compiled from what each column says that it holds: one SQL function, kept in the migration.

Rows that are about somebody and nothing else go whole; of all else the content columns are emptied, and references, dates
and codes stay for the count. `tests/erasures` holds the database's function against this text.
"""

from __future__ import annotations

import sqlalchemy as sa

from hub.core.schema import Base, Holds

CONTENT = frozenset(
    {
        Holds.NAME,
        Holds.PERSONAL,
        Holds.SENSITIVE,
        Holds.FREE_TEXT,
        Holds.LOCATION,
        Holds.LABEL,
        Holds.SEALED,
        Holds.SECRET,
    }
)
ERASED = "Erased"
# a row each for somebody's part in it, a name, a fact: codes among them say what somebody did or suffered
WHOLE = ("involvement", "person_name", "person_fact", "shared_fact")
# by which the file could still be recognised
BESIDES = {("attachment", "sha256")}
# keys and erasures end in their own way
NOT_HERE = frozenset({"data_key", "record_erasure"})
# what is known of a thing through an involvement alone goes with the last one
THINGS = {"place": "place_id", "vehicle": "vehicle_id"}


def statements() -> list[str]:
    """The statements of the erasure of the record `gone`, in their order."""
    tables = Base.metadata.tables
    made = [
        f"things := ARRAY(SELECT coalesce({', '.join(THINGS.values())}) FROM involvement WHERE record_id = gone);",  # noqa: S608 - names of our own tables
        *(f"DELETE FROM {name} WHERE record_id = gone;" for name in WHOLE),  # noqa: S608
    ]
    for name in sorted(tables):
        column = _record_column(tables[name])
        if column and name not in NOT_HERE and name not in WHOLE:
            made += _emptied(tables[name], f"{column} = gone")
    for name, column in THINGS.items():
        alone = f"id = ANY (things) AND NOT EXISTS (SELECT FROM involvement i WHERE i.{column} = {name}.id)"
        made += _emptied(tables[name], alone)
    return made


def _record_column(table: sa.Table) -> str | None:
    """The column that names the record a row belongs to: its own key for cases and incidents."""
    if table.schema is not None:
        return None
    if "record_id" in table.c:
        return "record_id"
    return "id" if table.name in ("case_record", "incident") else None


def _emptied(table: sa.Table, where: str) -> list[str]:
    content = [
        column
        for column in table.columns
        if column.computed is None
        and (column.info["holds"] in CONTENT or (table.name, column.name) in BESIDES)
    ]
    if not content:
        return []
    emptied = ", ".join(f"{column.name} = {_empty(column)}" for column in content)
    return [f"UPDATE {table.name} SET {emptied} WHERE {where};"]  # noqa: S608


def _empty(column: sa.Column[object]) -> str:
    if isinstance(column.type, sa.LargeBinary):
        return "NULL" if column.nullable else "'\\x'"
    if not isinstance(column.type, sa.Text):
        return "NULL"
    if column.nullable and column.info["holds"] is not Holds.FREE_TEXT:
        return "NULL"
    # that there was a reason, a constraint may ask
    return f"CASE WHEN {column.name} <> '' THEN '{ERASED}' ELSE {column.name} END"


def function() -> str:
    """The function that the migration makes."""
    body = "\n".join(f"    {one}" for one in statements())
    return f"""CREATE OR REPLACE FUNCTION public.empty_record(gone uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    things uuid[];
BEGIN
{body}
END
$$;
REVOKE ALL ON FUNCTION public.empty_record(uuid) FROM PUBLIC;
"""
