"""`hub-audit-verify.py`: checks an export, one proof or a live database. Exit 0 sound, 1 problems, 2 could not check."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.audit.verifier.databases import check_database
from hub.audit.verifier.findings import Findings
from hub.audit.verifier.folders import check_folder
from hub.audit.verifier.heads import NOT_DETECTED, Heads, Unusable, read_policy, read_seen
from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.proof_files import ProofFile

SOUND, PROBLEMS, NOT_CHECKED = 0, 1, 2
SHOWN = 50
_MOST_READ = 64 * 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    findings, began = Findings(), time.monotonic()
    try:
        heads, events = _check(given, findings)
    except (Unusable, OSError, NotProven) as why:
        words = str(why) or type(why).__name__
        if given.json:
            print(json.dumps({"ok": None, "error": words}))  # noqa: T201
        else:
            print(f"COULD NOT BE CHECKED. {words}", file=sys.stderr)  # noqa: T201
        return NOT_CHECKED
    _say(given, findings, heads, events, time.monotonic() - began)
    return SOUND if findings.ok else PROBLEMS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Checks a log of the hub: an export, a proof, or a live database.",
        epilog="Exit code 0: sound. 1: problems were found. 2: it could not be checked.",
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--policy", type=Path, help="the keys of the log and its witnesses that you trust")
    common.add_argument("--json", action="store_true", help="the report as one JSON object")
    remembering = argparse.ArgumentParser(add_help=False)
    remembering.add_argument(
        "--seen", type=Path, help="where the checkpoint seen last is kept from check to check"
    )
    folder = kinds.add_parser("folder", parents=[common, remembering], help="an export")
    folder.add_argument("what", metavar="DIRECTORY", type=Path)
    proof = kinds.add_parser("proof", parents=[common], help="the proof of one event")
    proof.add_argument("what", metavar="FILE", type=Path)
    proof.add_argument("--event", type=Path, help="the event's bytes, where the proof does not hold them")
    database = kinds.add_parser("database", parents=[common, remembering], help="a live database")
    database.add_argument("what", metavar="URL", help="postgresql://…, of a role that may read the whole log")
    return parser


def _check(given: argparse.Namespace, findings: Findings) -> tuple[Heads, int]:
    policy = read_policy(_text(given.policy)) if given.policy else None
    if given.kind == "proof":
        return _check_proof(findings, given.what, given.event, policy), 1
    seen = recall(given.seen, policy)
    check: Any = check_folder if given.kind == "folder" else check_database
    heads, events = check(findings, given.what, policy, seen)
    if findings.ok and given.seen and heads.newest_note:
        keep(given.seen, heads.newest_note)
    return heads, events


def _check_proof(findings: Findings, path: Path, event: Path | None, policy: Policy | None) -> Heads:
    if policy is None:
        raise Unusable("A proof is checked with a policy: give the keys that you trust with --policy.")
    body = _bytes(event) if event else None
    try:
        found = ProofFile.parse(_bytes(path).decode())
        if body is not None and found.extra not in (None, body):
            raise NotProven("the event that was given is not the one in the proof")
        head, signed = found.check(policy, body)
    except (NotProven, UnicodeDecodeError) as why:
        reason = "it is not UTF-8" if isinstance(why, UnicodeDecodeError) else str(why)
        findings.add("not_proven", f"The proof does not hold: {reason}.")
        return Heads()
    witnessed = {name: at for name, at in signed.items() if at is not None}
    return Heads(newest=head, newest_note=found.note, believed=head, witnessed=witnessed)


def recall(path: Path | None, policy: Policy | None) -> Checkpoint | None:
    """The checkpoint seen last; None at the first sight."""
    if path is None or not path.exists():
        return None
    if policy is None:
        raise Unusable(
            "What was seen last is believed only with the keys in a policy: give one with --policy."
        )
    return read_seen(_bytes(path), policy)


def keep(path: Path, note: str) -> None:
    """Remembers a checkpoint that was found sound. Whole, or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(note.encode())
    draft.replace(path)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_READ)
    except OSError as error:
        raise Unusable(f"{path} can't be read: {error.strerror}.") from None


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError:
        raise Unusable(f"{path} is not UTF-8.") from None


def _say(given: argparse.Namespace, findings: Findings, heads: Heads, events: int, seconds: float) -> None:
    if given.json:
        told = {**findings.as_json(), "events": events, "tree": heads.as_json()}
        print(json.dumps({**told, "not_detected": NOT_DETECTED, "seconds": round(seconds, 3)}))  # noqa: T201
        return
    lines = [
        f"{events:,} event{'' if events == 1 else 's'} checked in {seconds:.1f} seconds.",
        heads.in_words(),
    ]
    lines += findings.notes
    lines += [f"PROBLEM {one.code}: {one.words}" for one in findings.problems[:SHOWN]]
    if findings.found > SHOWN:
        lines.append(f"… and {findings.found - SHOWN:,} more.")
    lines.append("SOUND." if findings.ok else "PROBLEMS WERE FOUND. Keep everything as it is.")
    print("\n".join([*lines, NOT_DETECTED]))  # noqa: T201
