"""Habits of the code that a machine can see (STYLE 3, 4, 12): what was forgotten fails here, with its place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.rules.source import ROOT, called, functions, modules, name_of, tree

LINES, TEMPLATE_LINES, FUNCTION_LINES = 400, 150, 50

# Functions before anybody is signed in, or that look up names for whoever has been let in: no actor to ask.
WITHOUT_ACTOR = {
    "hub/accounts/queries.py": {
        "find_user_by_email",
        "first_team",
        "demo_accounts",
        "organisation_names",
        "user_names",
        "team_names",
        "colleagues",
        "has_signed_in",
        "words_of",
    },
    "hub/passkeys/queries.py": {"find_by_credential"},
    "hub/accounts/actions.py": {
        "sign_in",
        "sign_in_demo",
    },
}
# What makes a function a writer, and what counts as its event.
WRITES = {"add", "add_all", "insert", "update", "delete", "flush"}
EVENTS = {"append", "append_each", "append_nobody", "opened", "listed"}
# Parts of an action whose caller writes the event, or that write no record: (module, function).
EVENT_BY_CALLER = {
    ("hub/access/actions.py", "create_record"),
    ("hub/access/actions.py", "involve"),
    ("hub/notifications/actions.py", "notify"),
    ("hub/notifications/actions.py", "mark_read"),
    ("hub/notifications/actions.py", "mark_all_read"),
}
# Raw SQL is at home in few places; elsewhere it would go round the guard.
RAW_SQL = re.compile(r"(?<![\w.])(?<!def )(?:sa\.)?text\(|\.__table__|from_statement|connection\.execute")
RAW_SQL_MAY = (
    "hub/access/sets.py",
    "hub/access/finding.py",
    "hub/access/walls.py",
    "hub/access/wall_check.py",
    "hub/access/guard.py",
    "hub/audit/",
    "hub/cli/",
    "hub/launcher/",
    "hub/demo/",
)
# A constraint's condition in a model is DDL; a rule of the walls reads access facts as Core tables (access/sets.py).
MODEL_FILES = re.compile(r"^hub/\w+/(models|facts|policy)\.py$")


def test_the_actor_comes_first_in_every_query_and_action() -> None:
    """Of all that reaches the database; what only computes from what it is given asks nobody."""
    wrong = []
    for path in [*modules("*/queries.py"), *modules("*/actions.py")]:
        allowed = WITHOUT_ACTOR.get(name_of(path), set())
        known = {function.name: function for function in functions(path)}
        for name, function in known.items():
            if name.startswith("_") or name in allowed or not _reads_or_writes(function, known):
                continue
            first = function.args.args[0].arg if function.args.args else ""
            if first != "actor":
                wrong.append(f"{name_of(path)}:{function.lineno} {name}({first})")
    assert wrong == []


def _reads_or_writes(function: ast.FunctionDef, known: dict[str, ast.FunctionDef]) -> bool:
    reached = [function, *(known[name] for name in _reached(function, known) if name in known)]
    return any(
        isinstance(node, ast.Name) and node.id in ("db", "session")
        for one in reached
        for node in ast.walk(one)
    )


def test_the_exceptions_from_actor_first_are_still_there() -> None:
    gone = {
        f"{name}:{function}"
        for name, exempt in WITHOUT_ACTOR.items()
        for function in exempt - {one.name for one in functions(ROOT / name)}
    }
    assert gone == set()


def test_every_action_that_writes_appends_an_event() -> None:
    silent = []
    for path in modules("*/actions.py"):
        known = {function.name: function for function in functions(path)}
        for name, function in known.items():
            if name.startswith("_") or (name_of(path), name) in EVENT_BY_CALLER:
                continue
            reached = _reached(function, known)
            if reached & WRITES and not reached & EVENTS:
                silent.append(f"{name_of(path)}:{function.lineno} {name}")
    assert silent == []


def _reached(function: ast.FunctionDef, known: dict[str, ast.FunctionDef]) -> set[str]:
    """All that a function calls, through its module's own functions too."""
    seen: set[str] = set()
    names: set[str] = set()
    waiting = [function.name]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        names |= (here := called(known[name]))
        waiting += [other for other in here if other in known]
    return names


def test_files_and_functions_keep_their_size() -> None:
    long = [
        f"{name_of(path)}: {count} lines"
        for path in modules()
        if (count := len(path.read_text().splitlines())) > LINES
    ]
    long += [
        f"{path.relative_to(ROOT)}: {count} lines"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if (count := len(path.read_text().splitlines())) > TEMPLATE_LINES
    ]
    for path in modules():
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.FunctionDef)
                and node.end_lineno
                and node.end_lineno - node.lineno >= FUNCTION_LINES
            ):
                long.append(
                    f"{name_of(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
                )
    assert long == []


def test_raw_sql_is_at_home_in_few_places() -> None:
    found = []
    for path in modules():
        name = name_of(path)
        if name.startswith(RAW_SQL_MAY) or MODEL_FILES.match(name):
            continue
        found += [
            f"{name}:{number} {line.strip()}"
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if RAW_SQL.search(line)
        ]
    assert found == []


def test_nothing_catches_everything() -> None:
    caught = []
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or _names(node.type) & {"Exception", "BaseException"}
            ):
                caught.append(f"{name_of(path)}:{node.lineno}")
    assert caught == []


def _names(node: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def test_every_module_opens_with_its_responsibility() -> None:
    silent = [name_of(path) for path in modules() if not (ast.get_docstring(tree(path)) or "").strip()]
    # what imports nothing but a version needs no more words than its name
    assert silent == [name_of(path) for path in silent_by_design()]


def silent_by_design() -> list[Path]:
    return []
