"""The catalogue of events, roles and permissions against the code: nothing unknown is written, nothing listed is unused."""

from __future__ import annotations

import ast
import re

from hub.access.permissions import ROLES, Permission, Role
from hub.admin.policy import PERMISSION_LABELS
from hub.audit.catalogue import EVENTS
from tests.rules.source import ROOT, modules, name_of, tree

WRITERS = {"append", "append_each", "append_nobody", "opened", "listed", "withheld"}
CATALOGUE = "hub/audit/catalogue.py"
# Listed ahead of the code that will write or ask for them. A test sees to it that they go from here when that comes.
EVENTS_AHEAD = {"incident.changed"}
PERMISSIONS_AHEAD = {"ACCOUNT_READ_OWN"}


def test_every_event_that_is_written_is_in_the_catalogue() -> None:
    unknown = []
    for path in modules():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or _called(node) not in WRITERS:
                continue
            for argument in [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "act")]:
                if (
                    isinstance(argument, ast.Constant)
                    and isinstance(argument.value, str)
                    and argument.value not in EVENTS
                ):
                    unknown.append(f"{name_of(path)}:{node.lineno} {argument.value}")
    assert unknown == []


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def test_every_event_of_the_catalogue_is_written_somewhere() -> None:
    code = "\n".join(path.read_text() for path in modules() if name_of(path) != CATALOGUE)
    assert {act for act in EVENTS if f'"{act}"' not in code} == EVENTS_AHEAD


def test_every_event_says_what_it_is_in_words() -> None:
    for act, kind in EVENTS.items():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", act)
        assert kind.label[:1].isupper() and kind.label == kind.label.strip()
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in kind.facts | kind.texts), act


def test_every_role_is_described_and_every_permission_is_held_described_and_used() -> None:
    assert set(ROLES) == set(Role)
    assert all(one.label and one.description.endswith(".") for one in ROLES.values())
    held = frozenset().union(*(one.permissions for one in ROLES.values()))
    assert held == set(Permission)
    assert set(PERMISSION_LABELS) == set(Permission)
    own = {"hub/access/permissions.py", "hub/admin/policy.py"}
    code = "\n".join(path.read_text() for path in modules() if name_of(path) not in own)
    unused = {one.name for one in Permission if not re.search(rf"(Permission|P)\.{one.name}\b", code)}
    assert unused == PERMISSIONS_AHEAD


def test_no_template_asks_for_a_permission_that_does_not_exist() -> None:
    asked = set()
    for path in (ROOT / "templates").rglob("*.html"):
        asked |= set(re.findall(r"may\('([a-z_:]+)'\)", path.read_text()))
    assert asked <= {one.value for one in Permission}
