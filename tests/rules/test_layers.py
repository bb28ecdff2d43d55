"""The import contracts of pyproject.toml hold, and they are the ones that we mean to have."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib

import pytest

from tests.rules.source import ROOT, modules, name_of, tree

ORDER = ("models", "policy", "queries", "actions", "forms", "views", "jobs")


@pytest.mark.slow
def test_the_contracts_of_imports_hold() -> None:
    program = (
        "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_contracts_that_we_mean_are_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}
    assert {
        "Imports only downwards",
        "The tables of the log belong to the log",
        "boto3 only in hub.storage and the KMS keeper",
        "cryptography and argon2 only in hub.crypto",
    } <= names


def test_inside_a_feature_imports_keep_their_order() -> None:
    """models, policy, queries, actions, forms, views, jobs: a form may be read by an action that takes it."""
    wrong = []
    for path in modules("*/*.py"):
        if path.stem not in ORDER:
            continue
        own = f"hub.{path.parent.name}"
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            names = [node.module] if node.module.startswith(f"{own}.") else []
            names += [f"{own}.{one.name}" for one in node.names if node.module == own]
            for name in names:
                later = name.removeprefix(f"{own}.").split(".")[0]
                if later in ORDER and ORDER.index(later) > ORDER.index(path.stem) and later != "forms":
                    wrong.append(f"{name_of(path)}:{node.lineno} imports {later}")
    assert wrong == []


def test_views_are_imported_by_the_application_alone() -> None:
    """Views of one feature may share a part among themselves."""
    wrong = []
    for path in modules():
        if name_of(path) == "hub/app.py":
            continue
        sharing = path.stem.endswith("views")
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
            for name in names:
                own = sharing and name.startswith(f"hub.{path.parent.name}.")
                if name.startswith("hub.") and name.endswith((".views", "_views")) and not own:
                    wrong.append(f"{name_of(path)}:{node.lineno} {name}")
    assert wrong == []
