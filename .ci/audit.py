"""Known weaknesses of what the hub is made of: fails for each that is not waived, and for each waiver that is past its day.

    python .ci/audit.py

Needs a network to know of weaknesses; where there is none it says so, and only the waivers are judged.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 120
Weakness = tuple[str, str]


def past_their_day(waivers: list[dict[str, Any]], today: date) -> list[str]:
    """Waivers that do not hold any more, or never did."""
    faults = []
    for one in waivers:
        until = one.get("until")
        if not isinstance(until, date) or not all(one.get(name) for name in ("id", "package", "why")):
            faults.append(f"a waiver needs id, package, until and why: {one}")
        elif until < today:
            faults.append(f"the waiver of {one['id']} ({one['package']}) ended on {until}: look at it again")
    return faults


def not_waived(found: set[Weakness], waivers: list[dict[str, Any]], today: date) -> list[str]:
    waived = {(one["package"], one["id"]) for one in waivers if not past_their_day([one], today)}
    return [f"{package}: {weakness}" for package, weakness in sorted(found - waived)]


def python_weaknesses(report: str) -> tuple[set[Weakness], list[str]]:
    """What pip-audit found, and what it could not look up."""
    try:
        libraries = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return set(), ["all Python libraries"]
    found = {(one["name"], weakness["id"]) for one in libraries for weakness in one.get("vulns", [])}
    return found, [one["name"] for one in libraries if "skip_reason" in one]


def npm_weaknesses(report: str) -> tuple[set[Weakness], list[str]]:
    """The same of npm's own audit."""
    try:
        packages = json.loads(report)["vulnerabilities"]
        via = [
            (name, one)
            for name, package in packages.items()
            for one in package["via"]
            if isinstance(one, dict)
        ]
        return {(name, str(one["url"]).rpartition("/")[2]) for name, one in via}, []
    except (ValueError, KeyError, TypeError):
        return set(), ["all npm packages"]


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (subprocess.TimeoutExpired, OSError):
        return ""
    return done.stdout


def main() -> int:
    today = datetime.now(UTC).date()
    waivers = tomllib.loads((ROOT / "requirements/waivers.toml").read_text()).get("waiver", [])
    faults = past_their_day(waivers, today)
    audit = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-r", "requirements/run.txt",
             "-f", "json", "--progress-spinner", "off", "--timeout", "10"]  # fmt: skip
    npm = str(Path(sys.executable).with_name("npm"))
    asked = [python_weaknesses(_said(audit))]
    asked.append(npm_weaknesses(_said([npm if Path(npm).exists() else shutil.which("npm") or "npm",
                                       "audit", "--package-lock-only", "--omit=dev", "--json"])))  # fmt: skip
    for found, unknown in asked:
        faults += not_waived(found, waivers, today)
        if unknown:
            many = ", ".join(unknown) if len(unknown) < 6 else f"{len(unknown)} libraries"
            print(
                f"Warning: nothing could be found out about {many}: no answer from where weaknesses are listed."
            )
    told_of_all = not any(unknown for _, unknown in asked)
    print(
        "\n".join(faults)
        or ("No known weakness that is not waived." if told_of_all else "No waiver is past its day.")
    )
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(main())
