"""What the hub is made of: locked by hash, listed whole, looked up for weaknesses, and written without what lets strangers in."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import socket
from datetime import date
from types import ModuleType
from typing import Any

import pytest

from tests.rules.source import ROOT, called, modules, name_of, tree

TODAY = date(2026, 11, 29)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.M)
# nowhere in the service: what runs text, opens objects out of bytes, or calls markup of a stranger safe
NEVER = frozenset(
    {
        "eval",
        "exec",
        "render_template_string",
        "from_string",
        "loads_pickle",
        "Unpickler",
        "mktemp",
        "system",
        "popen",
    }
)
MARKUP_AT_HOME = frozenset({"hub/web/filters.py"})


def script(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sbom() -> dict[str, Any]:
    made: dict[str, Any] = script("sbom").document()
    return made


def test_every_library_is_locked_by_hash_and_no_address_stands_there() -> None:
    for name in ("run", "dev", "bootstrap"):
        text = (ROOT / f"requirements/{name}.txt").read_text()
        entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + re.sub(r"^\s*#.*$", "", text, flags=re.M))
        entries = [entry.strip() for entry in entries if entry.strip()]
        assert entries
        for entry in entries:
            assert PIN.match(entry) and "--hash=sha256:" in entry, entry[:100]
        assert "://" not in text and "--index" not in text
    for path, one in json.loads((ROOT / "package-lock.json").read_text())["packages"].items():
        assert not path or (one["integrity"].startswith("sha512-") and "resolved" not in one), path


def test_the_list_of_parts_is_whole_and_says_nothing_of_this_machine(sbom: dict[str, Any]) -> None:
    assert sbom["bomFormat"] == "CycloneDX"
    listed = {(one["name"].lower(), one["version"]) for one in sbom["components"]}
    locked = {
        (name.lower(), version) for name, version in PIN.findall((ROOT / "requirements/run.txt").read_text())
    }
    assert len(locked) > 50 and locked <= listed
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    running = {
        path.rpartition("node_modules/")[2] for path, one in packages.items() if path and not one.get("dev")
    }
    assert running and running <= {name for name, _ in listed}
    assert all(one.get("hashes") or one.get("properties") for one in sbom["components"])
    text = json.dumps(sbom)
    for own in (str(ROOT), socket.gethostname(), "file://", "127.0.0.1"):
        assert own not in text, own


def test_the_list_of_parts_is_as_the_format_has_it(sbom: dict[str, Any]) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(sbom)) is None


def test_a_weakness_fails_unless_a_waiver_holds() -> None:
    audit = script("audit")
    report = json.dumps(
        {
            "dependencies": [
                {"name": "a", "vulns": [{"id": "X-1"}]},
                {"name": "b", "vulns": []},
                {"name": "c", "skip_reason": "?"},
            ]
        }
    )
    found, unknown = audit.python_weaknesses(report)
    assert (found, unknown) == ({("a", "X-1")}, ["c"])
    waiver = {"id": "X-1", "package": "a", "until": TODAY, "why": "Never called"}
    assert audit.not_waived(found, [], TODAY) == ["a: X-1"]
    assert audit.not_waived(found, [waiver], TODAY) == [] == audit.past_their_day([waiver], TODAY)
    late = {**waiver, "until": date(2026, 11, 28)}
    assert (
        audit.not_waived(found, [late], TODAY) == ["a: X-1"] and len(audit.past_their_day([late], TODAY)) == 1
    )
    assert len(audit.past_their_day([{**waiver, "why": ""}], TODAY)) == 1
    npm = {"vulnerabilities": {"p": {"via": [{"url": "https://x/advisories/GHSA-1"}, "q"]}}}
    assert audit.npm_weaknesses(json.dumps(npm)) == ({("p", "GHSA-1")}, [])


@pytest.mark.parametrize("nothing", ["", "{}", "[]", '{"error": {"code": "ENOTFOUND"}}'])
def test_where_nobody_answers_nothing_is_found_and_that_is_said(nothing: str) -> None:
    audit = script("audit")
    assert audit.python_weaknesses(nothing) == (set(), ["all Python libraries"])
    assert audit.npm_weaknesses(nothing) == (set(), ["all npm packages"])


def test_no_waiver_is_past_its_day() -> None:
    import tomllib

    waivers = tomllib.loads((ROOT / "requirements/waivers.toml").read_text()).get("waiver", [])
    assert script("audit").past_their_day(waivers, date.today()) == []


def test_nothing_runs_text_or_calls_a_strangers_markup_safe() -> None:
    faults = []
    for path in modules():
        names = called(tree(path))
        faults += [f"{name_of(path)}: {one}" for one in names & NEVER]
        if "Markup" in names and name_of(path) not in MARKUP_AT_HOME:
            faults.append(f"{name_of(path)}: Markup")
        faults += [
            f"{name_of(path)}: {one}" for one in _imports(path) & {"pickle", "marshal", "shelve", "telnetlib"}
        ]
    assert not faults, faults


def test_no_request_skips_the_check_of_a_certificate_and_no_program_runs_in_a_shell() -> None:
    faults = [
        f"{name_of(path)}:{node.lineno} {word.arg}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if isinstance(word.value, ast.Constant)
        and (word.arg, word.value.value)
        in {("verify", False), ("shell", True), ("autoescape", False), ("debug", True)}
    ]
    assert not faults, faults


def _imports(path: Any) -> set[str]:
    nodes = [node for node in ast.walk(tree(path)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {
        name.partition(".")[0]
        for node in nodes
        for name in (
            [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
    }
