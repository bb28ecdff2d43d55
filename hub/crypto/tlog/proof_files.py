"""C2SP tlog-proof: that one entry is in the log, in a file that needs nothing else to be checked but a policy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.crypto.tlog.checkpoints import Checkpoint, Policy, proof_lines
from hub.crypto.tlog.hashing import NotProven, check_inclusion, leaf_hash
from hub.crypto.tlog.notes import decode, encode

HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
MOST_HASHES = 63


@dataclass(frozen=True)
class ProofFile:
    """The entry's index, its inclusion proof, the checkpoint's note, and the entry itself as extra data."""

    index: int
    proof: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    @property
    def text(self) -> str:
        extra = f"extra {encode(self.extra)}\n" if self.extra is not None else ""
        return f"{HEAD}\n{extra}index {self.index}\n{proof_lines(self.proof)}\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> ProofFile:
        head, cut, note = text.partition("\n\n")
        lines = head.split("\n")
        if not cut or lines[0] != HEAD:
            raise NotProven("this is not a proof file")
        extra = decode(lines.pop(1)[6:]) if len(lines) > 1 and lines[1].startswith("extra ") else None
        index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
        if index is None or len(lines) > 2 + MOST_HASHES:
            raise NotProven("the proof file has no index, or too many hashes")
        return cls(int(index[1]), tuple(decode(one) for one in lines[2:]), note, extra)

    def check(self, policy: Policy, body: bytes | None = None) -> tuple[Checkpoint, dict[str, int | None]]:
        """Raises `NotProven` unless the entry (given, or the extra data) is in the log whose checkpoint the policy believes."""
        entry = self.extra if body is None else body
        if entry is None:
            raise NotProven("the proof file does not hold the entry, and none was given")
        found, signed = policy.open(self.note)
        check_inclusion(self.index, found.size, leaf_hash(entry), self.proof, found.root)
        return found, signed
