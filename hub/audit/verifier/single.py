"""Puts the verifier into one file: `python -m hub.audit.verifier.single` writes deploy/hub-audit-verify.py.

The sources stand in it as they are, without their imports of each other. Whoever wants to know what it does reads them there.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

TARGET = Path(__file__).resolve().parents[3] / "deploy" / "hub-audit-verify.py"
MODULES = (
    "hub.crypto.tlog.hashing",
    "hub.crypto.tlog.notes",
    "hub.crypto.tlog.checkpoints",
    "hub.crypto.tlog.proof_files",
    "hub.crypto.tlog.tiles",
    "hub.audit.verifier.findings",
    "hub.audit.verifier.heads",
    "hub.audit.verifier.proving",
    "hub.audit.verifier.folders",
    "hub.audit.verifier.databases",
    "hub.audit.verifier.command",
)
_HEAD = '''#!/usr/bin/env python3
"""Checks a log of the hub: an export, the proof of one event, or a live database.

    python3 hub-audit-verify.py folder DIRECTORY [--policy FILE] [--seen FILE] [--json]
    python3 hub-audit-verify.py proof FILE --policy FILE [--event FILE] [--json]
    python3 hub-audit-verify.py database URL [--policy FILE] [--seen FILE] [--json]

Exit code 0: sound. 1: problems were found. 2: it could not be checked. It needs Python 3.11 or later and the package
`cryptography`; for a database psycopg too, or the program psql. It asks no other computer anything.

Made from the hub's own sources by `python -m hub.audit.verifier.single`: change those, not this file.
"""

# ruff: noqa
# fmt: off
'''


def put_together() -> str:
    """The text of the one file. Raises where two modules use one name at their top."""
    imports: set[str] = set()
    parts: list[str] = []
    owners: dict[str, str] = {}
    for name in MODULES:
        source = Path(str(import_module(name).__file__)).read_text(encoding="utf-8")
        tree = ast.parse(source)
        for taken in _names(tree):
            if owners.setdefault(taken, name) != name:
                raise ValueError(f"{name} and {owners[taken]} both name {taken}")
        kept, needed = _split(source, tree)
        imports |= needed
        parts.append(f"# ---- {name}: {(ast.get_docstring(tree) or '').splitlines()[0]}\n\n{kept}")
    ordered = sorted(imports, key=lambda line: (line.startswith("from"), line))
    body = "\n\n\n".join(parts)
    last = '\n\n\nif __name__ == "__main__":\n    sys.exit(main())\n'
    return f"{_HEAD}\nfrom __future__ import annotations\n\n" + "\n".join(ordered) + f"\n\n\n{body}{last}"


def _names(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                found |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
    return found


def _split(source: str, tree: ast.Module) -> tuple[str, set[str]]:
    """The source without docstring and imports, and the imports that it needs from elsewhere."""
    lines = source.splitlines()
    dropped: set[int] = set()
    needed: set[str] = set()
    for at, node in enumerate(tree.body):
        outside = isinstance(node, ast.Import | ast.ImportFrom)
        if not (outside or (at == 0 and isinstance(node, ast.Expr))):
            continue
        dropped |= set(range(node.lineno - 1, node.end_lineno or node.lineno))
        if isinstance(node, ast.Import) or (
            isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(("hub.", "__future__"))
        ):
            needed.add(ast.unparse(node))
    return "\n".join(line for at, line in enumerate(lines) if at not in dropped).strip("\n"), needed


if __name__ == "__main__":
    TARGET.write_text(put_together(), encoding="utf-8")
    TARGET.chmod(0o755)
