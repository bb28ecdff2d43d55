"""C2SP tlog-checkpoint: the signed head of the tree; and the policy of whoever is to believe it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hub.crypto.tlog.hashing import HASH_SIZE, NotProven
from hub.crypto.tlog.notes import COSIGNATURE, ED25519, Verifier, decode, encode, open_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """Origin, size and root of a tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Reads a note's text; extension lines are allowed and ignored."""
        origin, *lines = text.split("\n")
        if not text.endswith("\n") or len(lines) < 3 or not origin or "" in lines[:-1]:
            raise NotProven("the checkpoint has too few lines")
        if not _SIZE.fullmatch(lines[0]):
            raise NotProven("the checkpoint's size is not a number")
        root = decode(lines[1])
        if len(root) != HASH_SIZE:
            raise NotProven("the checkpoint's root is not 32 bytes long")
        return cls(origin, int(lines[0]), root)


@dataclass(frozen=True)
class Policy:
    """Whose signatures make a checkpoint believed: the log's (old keys are kept), and so many of the witnesses'."""

    logs: tuple[Verifier, ...]
    witnesses: tuple[Verifier, ...] = ()
    needed: int = 0

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Reads lines `log VKEY`, `witness VKEY`, `quorum N`; empty lines and those after # are comments."""
        logs, witnesses, needed = [], [], None
        for line in text.splitlines():
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            if len(words) != 2 or words[0] not in ("log", "witness", "quorum"):
                raise NotProven(f"the policy has a line that is none: {line.strip()[:80]}")
            if words[0] == "log":
                logs.append(_of_kind(words[1], ED25519))
            elif words[0] == "witness":
                witnesses.append(_of_kind(words[1], COSIGNATURE))
            else:
                if not _SIZE.fullmatch(words[1]):
                    raise NotProven("the policy's quorum is not a number")
                needed = int(words[1])
        found = cls(tuple(logs), tuple(witnesses), len(witnesses) if needed is None else needed)
        if not found.logs or found.needed > len(found.witnesses):
            raise NotProven("the policy names no log, or asks for more witnesses than it names")
        return found

    def __str__(self) -> str:
        lines = [f"log {one}" for one in self.logs] + [f"witness {one}" for one in self.witnesses]
        return "\n".join([*lines, f"quorum {self.needed}", ""])

    def open(self, note: str | bytes) -> tuple[Checkpoint, dict[str, int | None]]:
        """The checkpoint and who signed it, with each witness's time; `NotProven` where the policy is not met."""
        text, signed = open_note(note, (*self.logs, *self.witnesses))
        found = Checkpoint.parse(text)
        if not any(one.name in signed and one.name == found.origin for one in self.logs):
            raise NotProven("the log itself did not sign the checkpoint")
        seen = [one.name for one in self.witnesses if signed.get(one.name) is not None]
        if len(set(seen)) < self.needed:
            raise NotProven(f"{len(set(seen))} of {self.needed} witnesses signed the checkpoint")
        return found, signed


def _of_kind(vkey: str, kind: int) -> Verifier:
    found = Verifier.parse(vkey)
    if found.kind != kind:
        raise NotProven(f"the key of {found.name} is of another kind than its line says")
    return found


def proof_lines(hashes: Iterable[bytes]) -> str:
    """A proof as it stands in files and requests: one hash in base64 a line."""
    return "".join(f"{encode(one)}\n" for one in hashes)
