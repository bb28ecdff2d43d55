"""The source as the rules read it: files and their syntax trees."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def modules(pattern: str = "**/*.py") -> list[Path]:
    """Modules of the service, in name order."""
    return sorted(path for path in (ROOT / "hub").glob(pattern) if "static" not in path.parts)


def name_of(path: Path) -> str:
    """`hub/cases/actions.py`."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def functions(path: Path) -> list[ast.FunctionDef]:
    """The functions at a module's top."""
    return [node for node in tree(path).body if isinstance(node, ast.FunctionDef)]


def called(node: ast.AST) -> set[str]:
    """Names of all that is called inside a node: `append` for `append(…)` and for `recording.append(…)`."""
    found = set()
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            if isinstance(call.func, ast.Name):
                found.add(call.func.id)
            elif isinstance(call.func, ast.Attribute):
                found.add(call.func.attr)
    return found
