"""Which checkpoints the log is held against: the newest signed one, the newest that meets the policy, the one seen last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.audit.verifier.findings import Findings
from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.notes import encode

NOT_DETECTED = (
    "Without a witness in the policy, a log that was rebuilt and signed afresh with a stolen key is not detected,"
    " unless an earlier checkpoint was kept elsewhere. What was never written to the log can't be found in it."
)
FIRST_SIGHT = (
    "First sight: no earlier checkpoint was given, so nothing is known of what the log said before this one."
)
# How far back a checkpoint that meets the policy is looked for.
MOST_NOTES = 5_000


class Unusable(Exception):
    """What the check needs is not there or can't be read: it could not be made. Exit 2."""


@dataclass
class Heads:
    """`believed` meets the policy, `newest` is signed by the log alone maybe; `seen` is what this verifier saw last."""

    newest: Checkpoint | None = None
    newest_note: str = ""
    believed: Checkpoint | None = None
    witnessed: dict[str, int] = field(default_factory=dict)
    seen: Checkpoint | None = None

    def named(self) -> Iterator[tuple[str, Checkpoint]]:
        if self.newest is not None:
            yield "the newest signed checkpoint", self.newest
        if self.believed is not None and self.believed != self.newest:
            yield "the newest checkpoint that meets the policy", self.believed
        if self.seen is not None:
            yield "the checkpoint seen last", self.seen

    @property
    def size(self) -> int:
        return max((head.size for _, head in self.named()), default=0)

    def as_json(self) -> dict[str, Any]:
        times = {name: _time(at) for name, at in self.witnessed.items()}
        return {
            "origin": self.newest.origin if self.newest else None,
            "size": self.newest.size if self.newest else 0,
            "root": encode(self.newest.root) if self.newest else None,
            "meets_policy": self.believed.size if self.believed else 0,
            "witnesses": times,
            "seen_before": self.seen.size if self.seen else None,
        }

    def in_words(self) -> str:
        if self.newest is None:
            return "There is no signed checkpoint."
        by = ", ".join(f"{name} at {_time(at)}" for name, at in self.witnessed.items())
        if not self.believed:
            return f"{self.newest.origin} signed a tree of {self.newest.size:,} leaves."
        cosigned = f"; of {self.believed.size:,} leaves cosigned by {by}" if by else "; by no witness"
        return f"{self.newest.origin} signed a tree of {self.newest.size:,} leaves{cosigned}."


def judge_heads(
    findings: Findings, policy: Policy | None, notes: Iterable[str], seen: Checkpoint | None = None
) -> Heads:
    """Reads the log's notes, newest first, as far as one meets the policy. What is wrong with them is a problem each."""
    heads = Heads(seen=seen)
    if seen is None:
        findings.notes.append(FIRST_SIGHT)
    logs = Policy(policy.logs) if policy else None
    why, read = "", 0
    for note in notes:
        read += 1
        if policy is None or logs is None or read > MOST_NOTES:
            break
        try:
            found, _ = logs.open(note)
        except NotProven as error:
            findings.add("checkpoint_signature", f"A checkpoint is not the log's: {error}.")
            continue
        if heads.newest is None:
            heads.newest, heads.newest_note = found, note
        try:
            heads.believed, signed = policy.open(note)
        except NotProven as error:
            why = why or str(error)
            continue
        heads.witnessed = {name: at for name, at in signed.items() if at is not None}
        break
    if not read or policy is None:
        findings.add(
            "no_checkpoint", "There is no signed checkpoint, so nothing shows what the log said before."
        )
    elif heads.newest is not None and heads.believed is None:
        findings.add(
            "policy_not_met",
            f"No checkpoint meets the policy: {why}. Either no witness was asked, or the log was rebuilt and signed"
            " afresh and no witness would cosign it.",
        )
    _check_same_log(findings, heads)
    return heads


def _check_same_log(findings: Findings, heads: Heads) -> None:
    if heads.newest is None or heads.seen is None:
        return
    if heads.newest.origin != heads.seen.origin:
        findings.add(
            "other_log", f"This is the log {heads.newest.origin}; {heads.seen.origin} was seen before."
        )
        heads.seen = None
    elif heads.newest.size < heads.seen.size:
        findings.add(
            "newest_cut",
            f"The newest checkpoint has {heads.newest.size} leaves; one of {heads.seen.size} was seen before:"
            f" the newest {heads.seen.size - heads.newest.size} were cut off.",
        )


def read_policy(text: str) -> Policy:
    try:
        return Policy.parse(text)
    except NotProven as error:
        raise Unusable(f"The policy can't be used: {error}.") from None


def read_seen(note: bytes, policy: Policy | None) -> Checkpoint:
    """The checkpoint that was kept: signed by the log where its keys are given, else its file is damaged."""
    try:
        if policy is not None:
            return Policy(policy.logs).open(note)[0]
        return Checkpoint.parse(f"{note.decode().rpartition(chr(10) * 2)[0]}\n")
    except (NotProven, UnicodeDecodeError) as error:
        raise Unusable(f"The checkpoint seen last can't be used: {error}.") from None


def _time(at: int) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return "a time that is none"
