"""The database wall: the rule of every guarded class compiled to the text of row-level security policies.

The migration carries this text; a test fails when a database's policies differ from what is compiled here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from hub.access.models import Record
from hub.access.policy import GUARDED, Rules, know_record, read_record
from hub.access.sets import ACTOR_SETS, Expression, Terms
from hub.core.schema import Holds

APPLICATION_ROLE = "hub_app"
FINDER_ROLE = "hub_finder"
OWNER_ROLE = "hub_owner"
READER_ROLE = "hub_reader"
FINDING = "hub_find"
BORN = "pg_current_xact_id_if_assigned()::text::bigint"
# what the finder may see of a record: never what is said in it
FINDABLE = frozenset(
    (Holds.KEY, Holds.REFERENCE, Holds.ACCESS_FACT, Holds.CODE, Holds.TIME, Holds.COUNT, Holds.STAFF)
)
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def setting_terms() -> Terms:
    """The actor's values as transaction-local settings. An unset setting reads '', hence nullif."""

    def setting(name: str, kind: str) -> Any:
        text = f"(SELECT nullif(current_setting('hub.{name}', true), '')::{kind})"
        # `= ANY ((SELECT …))` would be read as a comparison with rows, not with the array's members
        return sa.literal_column(f"coalesce({text}, '{{}}'::{kind})" if kind.endswith("[]") else text)

    return Terms(
        user_id=setting("user_id", "uuid"),
        organisation_id=setting("organisation_id", "uuid"),
        partnership_id=setting("partnership_id", "uuid"),
        team_id=setting("team_id", "uuid"),
        clearance=setting("clearance", "smallint"),
        purpose=setting("purpose", "text"),
        audiences=setting("audiences", "text[]"),
        principals=setting("principals", "uuid[]"),
        through_functions=True,
    )


def compiled(model: type[Any], expression: Expression) -> str:
    """The SQL text of an expression over `model`'s columns, all values literal."""
    statement = sa.select(sa.literal(1)).select_from(model).where(expression)
    sql = str(statement.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
    where = sql.split("WHERE", 1)[1].strip()
    refuse_cartesian(where)
    return "\n".join(line.strip() for line in where.splitlines())


def refuse_cartesian(sql: str) -> None:
    """A comma in a FROM of a policy means a join that SQLAlchemy lost: any share would do. Fails the build."""
    flat = re.sub(r"'[^']*'", "''", sql)
    while True:
        inner = re.sub(r"\((?!\s*SELECT)[^()]*\)", "", flat)
        inner = re.sub(r"\(\s*SELECT nullif[^()]*\)", "setting", inner)
        if inner == flat:
            break
        flat = inner
    for found in re.finditer(r"FROM (.*?)(?=WHERE|\)|$)", flat, re.S):
        if "," in found.group(1):
            raise RuntimeError(f"cartesian FROM in a policy: {found.group(1)[:200]}")


def policies() -> dict[tuple[str, str], tuple[str, str | None, str | None]]:
    """(table, policy name) → (command, USING, WITH CHECK) of every policy for the application's two roles."""
    terms = setting_terms()
    found: dict[tuple[str, str], tuple[str, str | None, str | None]] = {}
    for model, rules in GUARDED.items():
        found.update(_policies_of(model, rules, terms))
    return found


def _policies_of(
    model: type[Any], rules: Rules, terms: Terms
) -> dict[tuple[str, str], tuple[str, str | None, str | None]]:
    table = model.__tablename__
    readable = compiled(model, rules.read(model, terms))
    found: dict[tuple[str, str], tuple[str, str | None, str | None]] = {
        (table, "hub_read"): ("SELECT", _gated(model, rules, readable), None),
        (table, FINDING): ("SELECT", readable, None),
    }
    if rules.add is not None:
        found[(table, "hub_add")] = ("INSERT", None, compiled(model, rules.add(model, terms)))
    if rules.change is not None:
        text = compiled(model, rules.change(model, terms))
        found[(table, "hub_change")] = ("UPDATE", text, text)
    return found


def _gated(model: type[Any], rules: Rules, readable: str) -> str:
    """The write-ahead gate: content is read only under a committed event that names what it belongs to (`1_gate.sql`)."""
    if not rules.opened_by:
        return readable
    table, own = model.__tablename__, "record_id" if "record_id" in rules.opened_by else "id"
    # a row that is being returned by its own INSERT can't be looked up yet
    made = f"{table}.born = {BORN}" if model is Record else f"audit.made_here({table}.{own})"
    opened = [f"{table}.{name} IN (SELECT audit.opened())" for name in rules.opened_by]
    return f"({' OR '.join([*opened, made])})\nAND ({readable})"


def set_bodies() -> dict[str, str]:
    """Function name → query of every set keyed on the actor, for the database wall.

    Functions of the reader role, not views: what they read is not walled a second time, and their plans are kept, while a
    view's text is planned anew inside each of a statement's policies. Each gives the actor's own rows only.
    """
    terms = replace(setting_terms(), through_functions=False)
    bodies = {}
    for one in ACTOR_SETS:
        sql = str(one.query(terms).compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
        refuse_cartesian(sql)
        bodies[one.name] = "\n".join(line.strip() for line in sql.splitlines())
    return bodies


def set_statements() -> list[str]:
    bodies = set_bodies()
    statements = []
    for one in ACTOR_SETS:
        columns = ", ".join(f"{name} {kind}" for name, kind in one.columns)
        statements.append(
            f"CREATE FUNCTION {one.name}() RETURNS TABLE ({columns}) LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100\n"
            "SET search_path = pg_catalog, public, pg_temp AS $set$\n#variable_conflict use_column\n"
            f"BEGIN RETURN QUERY\n{bodies[one.name]};\nEND $set$"
        )
        statements.append(f"REVOKE ALL ON FUNCTION {one.name}() FROM PUBLIC")
        statements.append(f"GRANT EXECUTE ON FUNCTION {one.name}() TO {APPLICATION_ROLE}, {FINDER_ROLE}")
    return statements


def knowing_statement() -> str:
    """The function that tells which of some records the actor may know of without reading them, and who owns them.

    For the database's own functions (blind hits, requests) alone: no role of the service may call it.
    """
    terms = setting_terms()
    known = compiled(Record, know_record(Record, Record.id, terms))
    read = compiled(Record, read_record(Record, Record.id, terms))
    return (
        "CREATE FUNCTION my_knowable_record(candidates uuid[])"
        " RETURNS TABLE (record_id uuid, owner_organisation_id uuid) LANGUAGE sql STABLE SECURITY DEFINER\n"
        "SET search_path = pg_catalog, public, pg_temp AS $set$\n"
        f"SELECT record.id, record.owner_organisation_id FROM record\nWHERE record.id = ANY (candidates)\nAND ({known})\n"
        f"AND ({read}) IS NOT TRUE\n$set$"
    )


def is_content(column: sa.Column[Any]) -> bool:
    return column.info["holds"] not in FINDABLE


def finder_statements() -> list[str]:
    """What the finder may read: of gated classes all but their content, of the other guarded ones everything."""
    statements = []
    for model, rules in GUARDED.items():
        table = sa.inspect(model).local_table
        columns = ", ".join(column.name for column in table.columns if not is_content(column))
        part = "" if rules.opened_by is None else f" ({columns})"
        statements.append(f"GRANT SELECT{part} ON {model.__tablename__} TO {FINDER_ROLE}")
    return statements


def policy_statements() -> list[str]:
    """Statements that raise the wall: the actor's sets, ENABLE, FORCE, and every policy. For the migration."""
    statements = [*set_statements(), knowing_statement()]
    statements.append("REVOKE ALL ON FUNCTION my_knowable_record(uuid[]) FROM PUBLIC")
    for model in GUARDED:
        table = model.__tablename__
        statements += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            # FORCE hides rows from the owner too: migrations and definer functions have their own policies
            f"CREATE POLICY hub_owner_all ON {table} TO {OWNER_ROLE} USING (true) WITH CHECK (true)",
            f"CREATE POLICY hub_reader_all ON {table} FOR SELECT TO {READER_ROLE} USING (true)",
        ]
    statements += finder_statements()
    for (table, name), (command, using, check) in policies().items():
        role = FINDER_ROLE if name == FINDING else APPLICATION_ROLE
        statement = f"CREATE POLICY {name} ON {table} FOR {command} TO {role}"
        statement += f" USING (\n{using}\n)" if using else ""
        statement += f" WITH CHECK (\n{check}\n)" if check else ""
        statements.append(statement)
    return statements
