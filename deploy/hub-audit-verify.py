#!/usr/bin/env python3
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

from __future__ import annotations

import argparse
import base64
import binascii
import copy
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Generator, Iterator
from collections.abc import Iterable
from collections.abc import Iterable, Iterator
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import closing
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from dataclasses import dataclass
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit


# ---- hub.crypto.tlog.hashing: RFC 6962 Merkle tree hashes with SHA-256, and the proofs of RFC 9162 section 2.1. All hashes are 32 bytes.

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class NotProven(ValueError):
    """A proof, note or tile does not show what it should. The text says which part, never why an attacker failed."""


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two smaller than `size` (two or more): where RFC 6962 cuts a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """The root above a run of hashes whose number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


class Frontier:
    """A growing tree in constant memory: one hash for each bit of its size. Gives roots, no proofs."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Appends one leaf *hash*."""
        carried, bits = leaf, self.size
        while bits & 1:
            carried = node_hash(self._peaks.pop(), carried)
            bits >>= 1
        self._peaks.append(carried)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node_hash(peak, found)
        return found


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raises `NotProven` unless the leaf hash stands at `index` of the tree with that size and root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise NotProven("the index is not in the tree")
    _check_hashes(leaf, root, *proof)
    at, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            raise NotProven("the inclusion proof is too long")
        if at & 1 or at == last:
            found = node_hash(one, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, one)
        at, last = at >> 1, last >> 1
    if last or found != root:
        raise NotProven("the inclusion proof does not lead to the root")


def check_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raises `NotProven` unless the new tree extends the old one (RFC 9162 2.1.4.2).

    From the empty tree nothing can be proved: a first sight is the caller's decision, never a proof.
    """
    if not 0 < old_size <= new_size:
        raise NotProven("the sizes allow no consistency proof")
    _check_hashes(old_root, new_root, *proof)
    if old_size == new_size:
        if proof or old_root != new_root:
            raise NotProven("one size with two roots")
        return
    if not proof:
        raise NotProven("the consistency proof is empty")
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for one in path[1:]:
        if last == 0:
            raise NotProven("the consistency proof is too long")
        if at & 1 or at == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, one)
        at, last = at >> 1, last >> 1
    if last or old != old_root or new != new_root:
        raise NotProven("the consistency proof does not lead to both roots")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise NotProven("a hash is not 32 bytes long")


# ---- hub.crypto.tlog.notes: C2SP signed notes: a text, a blank line, and signature lines, of Ed25519 keys (type 1) and of witnesses (type 4).

ED25519, COSIGNATURE = 1, 4
MOST_SIGNATURES = 64
MOST_BYTES = 64 * 1024
_DASH = "\N{EM DASH}"


@dataclass(frozen=True)
class Verifier:
    """A public key with its name and kind. `str()` gives the vkey that others keep in their policy."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Reads `name+hash+key`; `NotProven` where it is none or its hash is another's."""
        try:
            name, key_id, encoded = vkey.strip().split("+", 2)
            raw = decode(encoded)
        except ValueError:
            raise NotProven("this is not a verifier key") from None
        if len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
            raise NotProven("a verifier key of a kind that is not known here")
        found = cls(_name(name), raw[0], raw[1:])
        if found.key_id.hex() != key_id:
            raise NotProven("the verifier key's hash is not its own")
        return found

    @property
    def key_id(self) -> bytes:
        start = self.name.encode() + b"\n" + bytes([self.kind])
        return hashlib.sha256(start + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode(bytes([self.kind]) + self.public)}"

    def check(self, text: str, signature: bytes) -> int | None:
        """Raises `NotProven` unless it is this key's signature; gives a cosignature's time in POSIX seconds."""
        at: int | None = None
        message = text.encode()
        if self.kind == COSIGNATURE:
            if len(signature) != 72:
                raise NotProven(f"the cosignature of {self.name} has another length")
            (at,) = struct.unpack(">Q", signature[:8])
            message, signature = _cosigned(text, at), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise NotProven(f"the signature of {self.name} does not verify") from None
        return at


@dataclass(frozen=True)
class Signer:
    """A private key with its name. Witnesses use kind `COSIGNATURE`."""

    name: str
    private: Ed25519PrivateKey
    kind: int = ED25519

    @classmethod
    def from_seed(cls, name: str, seed: bytes, kind: int = ED25519) -> Signer:
        """Out of the 32 bytes of a key file."""
        return cls(_name(name), Ed25519PrivateKey.from_private_bytes(seed), kind)

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.kind, self.private.public_key().public_bytes_raw())

    def sign(self, text: str, *, at: int = 0) -> str:
        """A signature line over the text of a note; `at` is a witness's time in POSIX seconds."""
        if self.kind == COSIGNATURE:
            signature = struct.pack(">Q", at) + self.private.sign(_cosigned(text, at))
        else:
            signature = self.private.sign(text.encode())
        return f"{_DASH} {self.name} {encode(self.verifier.key_id + signature)}\n"


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def write_note(text: str, *lines: str) -> str:
    return f"{text}\n{''.join(lines)}"


def open_note(note: str | bytes, verifiers: Iterable[Verifier]) -> tuple[str, dict[str, int | None]]:
    """The text, and who of the verifiers signed it with the time of each cosignature.

    `NotProven` where the note is malformed, where a known key's signature fails, or where no known key signed.
    """
    text, lines = _split(note)
    known = {(one.name, one.key_id): one for one in verifiers}
    signed: dict[str, int | None] = {}
    for line in lines:
        name, key_id, signature = _signature(line)
        verifier = known.get((name, key_id))
        if verifier is not None:
            signed[name] = verifier.check(text, signature)
    if not signed:
        raise NotProven("no known key signed the note")
    return text, signed


def signature_lines(note: str | bytes) -> list[str]:
    """The signature lines of a note, unchecked, each with its newline."""
    return [f"{line}\n" for line in _split(note)[1]]


def _split(note: str | bytes) -> tuple[str, list[str]]:
    if isinstance(note, bytes):
        try:
            note = note.decode()
        except UnicodeDecodeError:
            raise NotProven("the note is not UTF-8") from None
    if len(note) > MOST_BYTES or any(ord(one) < 0x20 and one != "\n" for one in note):
        raise NotProven("the note is too long or holds control characters")
    text, cut, signatures = note.rpartition("\n\n")
    if not cut or not text or not signatures.endswith("\n"):
        raise NotProven("the note has no signatures")
    lines = signatures[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NotProven("the note has too many signatures")
    return f"{text}\n", lines


def _signature(line: str) -> tuple[str, bytes, bytes]:
    try:
        dash, name, encoded = line.split(" ")
        raw = decode(encoded)
    except ValueError:
        raise NotProven("a signature line is malformed") from None
    if dash != _DASH or len(raw) < 5:
        raise NotProven("a signature line is malformed")
    return _name(name), raw[:4], raw[4:]


def _name(name: str) -> str:
    if not name or "+" in name or any(one.isspace() for one in name):
        raise NotProven("the name of a key is empty or holds a space or a plus")
    return name


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Strict standard base64, in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotProven("this is not base64") from None
    if encode(data) != text:
        raise NotProven("this is not canonical base64")
    return data


# ---- hub.crypto.tlog.checkpoints: C2SP tlog-checkpoint: the signed head of the tree; and the policy of whoever is to believe it.

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


# ---- hub.crypto.tlog.proof_files: C2SP tlog-proof: that one entry is in the log, in a file that needs nothing else to be checked but a policy.

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


# ---- hub.crypto.tlog.tiles: C2SP tlog-tiles: a tree kept in tiles of 256 hashes, of which growing touches one a level.

WIDTH = 256
# level and number of a tile: tile (0, 1) holds the leaves 256 to 511
Where = tuple[int, int]
# gives the hashes of a tile, one after the other; b"" where there is none yet
Reader = Callable[[int, int], bytes]


def grown(read: Reader, size: int, leaves: Sequence[bytes]) -> dict[Where, bytes]:
    """The tiles that change when leaf hashes are appended to a tree of that size, whole, ready to be written."""
    changed: dict[Where, bytes] = {}
    level, start, new = 0, size, list(leaves)
    while new:
        finished: list[bytes] = []
        number, at = divmod(start, WIDTH)
        position = 0
        while position < len(new):
            taken = new[position : position + WIDTH - at]
            tile = (_checked(read(level, number), at) if at else b"") + b"".join(taken)
            changed[level, number] = tile
            if len(tile) == WIDTH * HASH_SIZE:
                finished.append(subtree_root(_hashes(tile)))
            position += len(taken)
            number, at = number + 1, 0
        level, start, new = level + 1, start // WIDTH, finished
    return changed


class Tree:
    """Roots and proofs of a tree of `size` leaves out of its tiles. What a tile lacks raises `NotProven`."""

    def __init__(self, read: Reader, size: int) -> None:
        self.size = size
        self._read = lru_cache(maxsize=4096)(read)

    def root(self) -> bytes:
        return self._hash(0, self.size)

    def leaf(self, index: int) -> bytes:
        return self._complete(0, index)

    def inclusion(self, index: int) -> list[bytes]:
        """The proof that a leaf stands at `index`, from its sibling up."""
        if not 0 <= index < self.size:
            raise NotProven("the index is not in the tree")
        proof: list[bytes] = []
        first, last = 0, self.size
        while last - first > 1:
            cut = first + split(last - first)
            if index < cut:
                proof.append(self._hash(cut, last))
                last = cut
            else:
                proof.append(self._hash(first, cut))
                first = cut
        return proof[::-1]

    def consistency(self, old_size: int) -> list[bytes]:
        """The proof that this tree extends the one of `old_size`; empty for the same size."""
        if not 0 < old_size <= self.size:
            raise NotProven("the sizes allow no consistency proof")
        if old_size == self.size:
            return []
        proof: list[bytes] = []
        first, last, whole = 0, self.size, True
        while old_size != last:
            cut = first + split(last - first)
            if old_size <= cut:
                proof.append(self._hash(cut, last))
                last = cut
            else:
                proof.append(self._hash(first, cut))
                first, whole = cut, False
        if not whole:
            proof.append(self._hash(first, last))
        return proof[::-1]

    def _hash(self, first: int, last: int) -> bytes:
        """The hash of the leaves from `first` to `last`, which RFC 6962 cuts as a tree of its own."""
        number = last - first
        if number == 0:
            return EMPTY_ROOT
        if number & (number - 1) == 0 and first % number == 0:
            return self._complete(number.bit_length() - 1, first // number)
        cut = first + split(number)
        return node_hash(self._hash(first, cut), self._hash(cut, last))

    def _complete(self, height: int, index: int) -> bytes:
        """The hash of the complete subtree of 2 ** height leaves, counted from the left."""
        level, above = divmod(height, 8)
        number, at = divmod(index << above, WIDTH)
        tile = self._read(level, number)
        part = tile[at * HASH_SIZE : (at + (1 << above)) * HASH_SIZE]
        if len(part) != HASH_SIZE << above:
            raise NotProven(f"tile {number} of level {level} is too short")
        return subtree_root(_hashes(part))


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]


def _checked(tile: bytes, number: int) -> bytes:
    if len(tile) < number * HASH_SIZE:
        raise NotProven("the newest tile is shorter than the tree")
    return tile[: number * HASH_SIZE]


def tiles_of(size: int) -> Iterable[tuple[int, int, int]]:
    """Level, number and count of hashes of every tile of a tree of that size, the last of a level maybe partial."""
    level = 0
    while size:
        for number in range(-(-size // WIDTH)):
            yield level, number, min(WIDTH, size - number * WIDTH)
        level, size = level + 1, size // WIDTH


def tile_path(level: int, number: int, count: int = WIDTH) -> str:
    """Where tlog-tiles puts it: `tile/0/x001/234`, with `.p/17` behind a partial one."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03d}")
    partial = "" if count == WIDTH else f".p/{count}"
    return f"tile/{level}/{'/'.join(reversed(parts))}{partial}"


# ---- hub.audit.verifier.findings: What a check of the log found: each problem with a stable code for machines and plain words for people.

MAX_KEPT = 1_000


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was written. `code` is for machines, `words` for people; ids only."""

    code: str
    words: str
    event_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "words": self.words, "event": self.event_id}


@dataclass
class Findings:
    """At most `MAX_KEPT` problems are kept; `found` counts all. `notes` are no problems, but a reader must know them."""

    found: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.found == 0

    def add(self, code: str, words: str, event_id: str | None = None) -> None:
        self.found += 1
        if len(self.problems) < MAX_KEPT:
            self.problems.append(Problem(code, words, event_id))

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "problems_found": self.found,
            "problems": [one.as_json() for one in self.problems],
            "notes": self.notes,
        }


# ---- hub.audit.verifier.heads: Which checkpoints the log is held against: the newest signed one, the newest that meets the policy, the one seen last.

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


# ---- hub.audit.verifier.proving: One pass over the log's leaves, in constant memory: each event against its leaf, the tiles among themselves, the roots.

# An event must have a leaf, under a signed root, when it is so old.
GRACE_SECONDS = 30
EVERY_INDEX = range(sys.maxsize)
# So many leaves without any hash of theirs: what is said to come after them is not looked for one by one.
MOST_BLIND = 100_000
_NOTHING = b"\x00" * HASH_SIZE


@dataclass
class Difference:
    """A leaf at which the event gives another hash than the tree has. `altered`: event or tile, once that is known."""

    index: int
    event_id: str | None
    made: bytes
    stored: bytes
    altered: str | None = None


class Prover:
    """Takes the leaves in order of their index; `finish` says what only the whole can tell.

    `read` gives stored tiles, of level 0 in order. `whole`: where an event must be at each index; outside it (an export
    of a part, the log as one organisation sees it) the stored hash stands for the event.
    """

    def __init__(self, findings: Findings, read: Reader, heads: Heads, *, whole: range = EVERY_INDEX) -> None:
        self.size = 0
        self._findings, self._heads, self._whole = findings, heads, whole
        self._read = lru_cache(maxsize=16)(read)
        self._started = findings.found
        self._roots = {head.size: (False, False) for _, head in heads.named()}
        self._made = self._stored = Frontier()
        self._tile = b""
        self._block_made: list[bytes] = []
        self._block_stored: list[bytes] = []
        self._upper: list[list[bytes]] = []
        self._counts: list[int] = []
        self._differences: list[Difference] = []
        self._unclear: list[int] = []
        self._gaps: dict[bytes, int] = {}
        self._lacking: set[tuple[int, int]] = set()
        self._blind = 0
        self._archived = 0
        self._unsigned = 0
        self._leafless = 0

    def entry(
        self,
        index: int,
        event_id: str | None,
        body: bytes | None,
        *,
        old: bool = False,
        archived: bool = False,
    ) -> None:
        """The next leaf and its event's bytes, None where there is no event. `old`: past the time of grace.

        `archived`: the database says that the event is in the archive alone.
        """
        while self.size < index and self._blind < MOST_BLIND:
            self._absent()
        if index != self.size:
            self._findings.add("leaf_altered", f"There is a leaf {index} where none can be.", event_id)
            return
        if old and (self._heads.newest is None or index >= self._heads.newest.size):
            self._unsigned += 1
        stored = self._expected()
        if body is None:
            self._archived += archived
            if not archived:
                self._findings.add(
                    "event_deleted", f"The event {event_id} of leaf {index} was deleted.", event_id
                )
            self._add(stored or _NOTHING, stored or _NOTHING, event_id)
            return
        made = leaf_hash(body)
        self._add(made, stored or made, event_id)

    def without_leaf(self, event_id: str, body: bytes, *, old: bool) -> None:
        """An event that no leaf is of. To be called after all leaves."""
        index = self._gaps.pop(leaf_hash(body), None)
        if index is not None:
            self._findings.add(
                "leaf_deleted", f"The leaf {index} was deleted, its event {event_id} was not.", event_id
            )
        elif old and not self.size:
            self._leafless += 1
        elif old:
            self._findings.add(
                "event_without_leaf",
                f"The event {event_id} is older than {GRACE_SECONDS} seconds and has no leaf: it was slipped in,"
                " or its leaf was deleted.",
                event_id,
            )

    def finish(self) -> None:
        if self._leafless:
            self._findings.add(
                "event_without_leaf", f"There are {self._leafless} events, and no tree covers one of them."
            )
        if self._archived:
            self._findings.notes.append(
                f"{self._archived:,} events are in the archive alone, as the database says: they are to be checked there."
            )
        self._run_out()
        for index in self._gaps.values():
            self._findings.add("entry_deleted", f"The leaf {index} was deleted, and its event with it.")
        self._judge_differences()
        self._judge_blocks()
        self._judge_roots()
        if self._unsigned:
            self._findings.add(
                "event_not_signed",
                f"{self._unsigned} events are older than {GRACE_SECONDS} seconds and under no signed checkpoint.",
            )

    # -- the pass

    def _expected(self) -> bytes | None:
        part = self._stored_hash()
        if part is None:
            self._lack(0, self.size // WIDTH)
        return part

    def _stored_hash(self) -> bytes | None:
        """What the tree has for the next leaf."""
        number, at = divmod(self.size, WIDTH)
        if not at:
            self._tile = self._read(0, number)
        part = self._tile[at * HASH_SIZE : (at + 1) * HASH_SIZE]
        return part if len(part) == HASH_SIZE else None

    def _lack(self, level: int, number: int) -> None:
        if (level, number) not in self._lacking and len(self._lacking) < MAX_KEPT:
            self._lacking.add((level, number))
            self._findings.add("tile_missing", f"Tile {number} of level {level} is missing or too short.")

    def _absent(self) -> None:
        """The next leaf isn't there: its stored hash stands for it, so that what follows can be judged."""
        found, index = self._expected(), self.size
        self._blind = self._blind + 1 if found is None else 0
        stored = found or _NOTHING
        if index in self._whole:
            if len(self._gaps) < MAX_KEPT:
                self._gaps[stored] = index
            else:
                self._findings.add("entry_deleted", f"The leaf {index} was deleted.")
        self._add(stored, stored, None)

    def _add(self, made: bytes, stored: bytes, event_id: str | None) -> None:
        if made != stored:
            self._differ(made, stored, event_id)
        self._made.add(made)
        if self._stored is not self._made:
            self._stored.add(stored)
        self._block_made.append(made)
        self._block_stored.append(stored)
        self.size += 1
        if self.size in self._roots:
            made_root = self._made.root()
            stored_root = made_root if self._stored is self._made else self._stored.root()
            wanted = {head.root for _, head in self._heads.named() if head.size == self.size}
            self._roots[self.size] = ({made_root} == wanted, {stored_root} == wanted)
        if not self.size % WIDTH:
            self._close_block()

    def _differ(self, made: bytes, stored: bytes, event_id: str | None) -> None:
        if self._stored is self._made:
            self._stored = copy.deepcopy(self._made)
        if len(self._differences) < MAX_KEPT:
            self._differences.append(Difference(self.size, event_id, made, stored))
        else:
            self._findings.add("event_altered", f"Leaf {self.size} and its event differ.", event_id)

    def _close_block(self) -> None:
        number = self.size // WIDTH - 1
        made, stored = subtree_root(self._block_made), subtree_root(self._block_stored)
        above = self._above(0, number)
        if above not in (None, made, stored) and len(self._unclear) < MAX_KEPT:
            self._unclear.append(number)
        for one in reversed(self._differences):
            if one.index < number * WIDTH or made == stored:
                break
            one.altered = {stored: "event", made: "tile"}.get(above or b"")
        self._block_made, self._block_stored = [], []
        self._rise(0, above or made)

    def _rise(self, below: int, one: bytes) -> None:
        """A finished hash goes one level up; each tile that is full there is held against the one above it."""
        if len(self._upper) == below:
            self._upper.append([])
            self._counts.append(0)
        self._upper[below].append(one)
        if len(self._upper[below]) < WIDTH:
            return
        root, number = subtree_root(self._upper[below]), self._counts[below]
        self._upper[below], self._counts[below] = [], number + 1
        above = self._above(below + 1, number)
        if above is not None and above != root:
            self._findings.add(
                "tile_altered", f"Tile {number} of level {below + 1} and the one above it differ."
            )
        self._rise(below + 1, above or root)

    def _above(self, level: int, number: int) -> bytes | None:
        """The stored hash over a full tile."""
        tile, at = divmod(number, WIDTH)
        part = self._read(level + 1, tile)[at * HASH_SIZE : (at + 1) * HASH_SIZE]
        if len(part) == HASH_SIZE:
            return part
        self._lack(level + 1, tile)
        return None

    # -- the end

    def _run_out(self) -> None:
        """The leaves up to the signed size that did not come."""
        wanted = self._heads.size
        if self._whole.stop < EVERY_INDEX.stop:
            while self.size < wanted and self._blind < MOST_BLIND:
                self._absent()
            return
        # of the one seen last `judge_heads` has told where it is ahead of the newest
        newest = self._heads.newest.size if self._heads.newest else 0
        told = [
            f"{words} has {one.size}" for words, one in self._heads.named() if self.size < one.size <= newest
        ]
        if told:
            self._findings.add(
                "newest_cut",
                f"The log has {self.size} leaves, but {', '.join(told)}: the newest {newest - self.size} were cut off.",
            )
        self._whole = range(self.size)
        while self.size < wanted and self._stored_hash() is not None:
            self._absent()

    def _judge_differences(self) -> None:
        whose = {one.stored: one for one in self._differences}
        told: set[int] = set()
        for one in self._differences:
            other = whose.get(one.made)
            if one.index in told:
                continue
            if self._altered(one) == "tile":
                self._findings.add(
                    "tile_altered",
                    f"The tree's hash of leaf {one.index} was altered; its event stands as it was signed.",
                    one.event_id,
                )
            elif other is not None and other.made == one.stored:
                told.add(other.index)
                self._findings.add(
                    "events_swapped",
                    f"The events of leaves {one.index} and {other.index} were swapped.",
                    one.event_id,
                )
            elif other is not None:
                self._findings.add(
                    "event_moved",
                    f"The event at leaf {one.index} was entered as {other.index}.",
                    one.event_id,
                )
            else:
                self._findings.add(
                    "event_altered",
                    f"The event at leaf {one.index} was altered after it was entered.",
                    one.event_id,
                )

    def _altered(self, one: Difference) -> str | None:
        """What was altered: as its block says; else as the first root over it that fits says."""
        if one.altered is not None:
            return one.altered
        for size in sorted(self._roots):
            made, stored = self._roots[size]
            if size > one.index and made != stored:
                return "tile" if made else "event"
        return None

    def _judge_blocks(self) -> None:
        newest = max(self._roots, default=0)
        made = self._roots.get(newest, (False, False))[0]
        for number in self._unclear:
            first, last = number * WIDTH, number * WIDTH + WIDTH - 1
            if made and last < newest:
                self._findings.add(
                    "tile_altered", f"The tree's hash over leaves {first} to {last} was altered."
                )
            else:
                self._findings.add(
                    "leaf_altered",
                    f"Among leaves {first} to {last} an event and its hash in the tree were altered together.",
                )

    def _judge_roots(self) -> None:
        explained = self._findings.found > self._started
        for words, head in self._heads.named():
            if head.size == 0 or head.size > self.size or any(self._roots[head.size]):
                continue
            self._findings.add(
                "root_differs" if explained else "log_rewritten",
                f"Events and tree do not give the root of {words}, of {head.size} leaves"
                + ("." if explained else ": the log was rewritten, events and tree alike."),
            )


# ---- hub.audit.verifier.folders: An export of the log as a folder: its manifest, its events in files of 10,000 leaves, and the check of the whole.

MANIFEST, CHECKPOINT, POLICY = "MANIFEST", "checkpoint", "policy"
FIRST_LINE = "hub-audit-export v1"
LEAVES_A_FILE = 10_000
MOST_LINE = 16 * 1024 * 1024
_PART = 1024 * 1024
_WHOLE = re.compile(r"whole (0|[1-9][0-9]{0,15}) (0|[1-9][0-9]{0,15})")
_FILE = re.compile(r"file ([0-9a-f]{64}) ([A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)")
_EVENTS = re.compile(r"events/[0-9]{6,12}\.txt")
_LEAF_INDEX = re.compile(rb"0|[1-9][0-9]{0,15}")


class Damaged(Exception):
    """A file of the export is not as it was made."""


@dataclass(frozen=True)
class Manifest:
    """`whole`: every leaf of these has its event in the export. `files` are SHA-256 digests by path."""

    whole: range
    files: dict[str, str]

    def __str__(self) -> str:
        lines = [FIRST_LINE, f"whole {self.whole.start} {self.whole.stop}"]
        lines += [f"file {self.files[path]} {path}" for path in sorted(self.files)]
        text = "".join(f"{line}\n" for line in lines)
        return f"{text}sum {hashlib.sha256(text.encode()).hexdigest()}\n"

    @classmethod
    def parse(cls, raw: bytes) -> Manifest:
        try:
            lines = raw.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise Damaged(f"{MANIFEST} is not as it was made.") from None
        whole = _WHOLE.fullmatch(lines[1]) if len(lines) > 1 else None
        files = [_FILE.fullmatch(line) for line in lines[2:-2]]
        if whole is None or None in files:
            raise Damaged(f"{MANIFEST} is not as it was made.")
        found = cls(range(int(whole[1]), int(whole[2])), {one[2]: one[1] for one in files if one})
        if str(found).encode() != raw:
            raise Damaged(f"{MANIFEST} is not as it was made.")
        return found

    @property
    def events(self) -> list[str]:
        return sorted(path for path in self.files if _EVENTS.fullmatch(path))


def events_path(index: int) -> str:
    """The file in which the event of this leaf stands."""
    return f"events/{index // LEAVES_A_FILE:06d}.txt"


def event_line(index: int, body: bytes) -> bytes:
    """How an event stands in its file: the index of its leaf, a tab, its bytes, a newline."""
    if b"\n" in body:
        raise Unusable(f"The event of leaf {index} is not of canonical bytes; check the log first.")
    return b"%d\t%s\n" % (index, body)


def digest_of(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART):
            found.update(part)
    return found.hexdigest()


def tiles_in(folder: Path, size: int) -> Reader:
    """Reads tiles of a tree of that size where tlog-tiles puts them; b"" for what isn't there."""

    def read(level: int, number: int) -> bytes:
        count = min(WIDTH, (size >> 8 * level) - number * WIDTH)
        if count <= 0:
            return b""
        try:
            with (folder / tile_path(level, number, count)).open("rb") as file:
                return file.read(WIDTH * HASH_SIZE + 1)
        except OSError:
            return b""

    return read


def check_folder(
    findings: Findings, folder: Path, policy: Policy | None = None, seen: Checkpoint | None = None
) -> tuple[Heads, int]:
    """The heads, and how many events were checked. Without a policy the folder's own is used, and that is said."""
    try:
        raw = (folder / MANIFEST).read_bytes()
    except OSError:
        raise Unusable(
            f"{folder} is no export of the log: there is no {MANIFEST} that can be read."
        ) from None
    try:
        manifest = Manifest.parse(raw)
    except Damaged as why:
        findings.add("file_altered", str(why))
        return Heads(), 0
    _check_files(findings, folder, manifest)
    if policy is None:
        policy = read_policy(_read_text(folder / POLICY))
        findings.notes.append(
            "The policy is the export's own: its keys are only as good as the hands the export came from."
        )
    heads = judge_heads(findings, policy, [_read_text(folder / CHECKPOINT)], seen)
    size = heads.newest.size if heads.newest else 0
    prover = Prover(findings, tiles_in(folder, size), heads, whole=manifest.whole)
    events = 0
    try:
        for index, body in _events(folder, manifest, size):
            prover.entry(index, None, body)
            events += 1
    except Damaged as why:
        findings.add("file_altered", str(why))
    prover.finish()
    if events < size:
        findings.notes.append(f"The export holds the events of {events:,} of the log's {size:,} leaves.")
    return heads, events


def _check_files(findings: Findings, folder: Path, manifest: Manifest) -> None:
    for path, digest in manifest.files.items():
        try:
            if digest_of(folder / path) != digest:
                findings.add("file_altered", f"{path} is not as it was made.")
        except OSError:
            findings.add("file_missing", f"{path} is missing or can't be read.")
    for name in (CHECKPOINT, POLICY):
        if name not in manifest.files:
            findings.add("file_missing", f"The manifest does not name {name}.")
    for top in ("events", "tile"):
        for one in sorted((folder / top).rglob("*")):
            path = one.relative_to(folder).as_posix()
            if one.is_file() and path not in manifest.files:
                findings.add("file_added", f"{path} is not of this export.")


def _events(folder: Path, manifest: Manifest, size: int) -> Iterator[tuple[int, bytes]]:
    for path in manifest.events:
        try:
            with (folder / path).open("rb") as file:
                while line := file.readline(MOST_LINE):
                    number, cut, body = line.partition(b"\t")
                    if not cut or not line.endswith(b"\n") or not _LEAF_INDEX.fullmatch(number):
                        raise Damaged(f"{path} holds a line that is no event.")
                    if events_path(int(number)) != path or int(number) >= size:
                        raise Damaged(f"{path} holds an event that does not belong there.")
                    yield int(number), body[:-1]
        except OSError:
            raise Damaged(f"{path} can't be read.") from None


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        raise Unusable(f"{path.name} is missing or can't be read.") from None


# ---- hub.audit.verifier.databases: A live log, read through psycopg or, where that isn't installed, through the program `psql`. Reads, and changes nothing.

# the newest signed checkpoint, and those that a witness cosigned, newest first
NOTES = f"""
    SELECT c.note, (SELECT string_agg(s.line, '' ORDER BY s.name) FROM audit.cosignature s WHERE s.size = c.size)
    FROM audit.checkpoint c WHERE c.note IS NOT NULL
        AND (c.size = (SELECT max(size) FROM audit.checkpoint WHERE note IS NOT NULL)
            OR EXISTS (SELECT FROM audit.cosignature s WHERE s.size = c.size))
    ORDER BY c.size DESC LIMIT {MOST_NOTES}
"""  # noqa: S608
_HEX_NOTES = f"SELECT encode(convert_to(note || coalesce(string_agg, ''), 'UTF8'), 'hex') FROM ({NOTES}) AS n"  # noqa: S608
# Whether the leaf `l` is of a month that the database gave up to the archive.
ARCHIVED = """EXISTS (SELECT FROM audit.archived_month m WHERE l.idx BETWEEN m.first_idx AND m.last_idx
        AND m.month = date_trunc('month', l.event_at AT TIME ZONE 'UTC')::date)"""
# An event is looked up where its leaf says, else by its id alone: then its time was altered. No sort, one look-up a leaf.
_LEAVES = f"""
    SELECT l.idx, l.event_id, l.event_at < now() - interval '{GRACE_SECONDS} s', encode(e.body, 'hex'),
        e.body IS NULL AND {ARCHIVED}
    FROM audit.leaf l LEFT JOIN LATERAL (
        (SELECT a.body FROM audit.event a WHERE a.id = l.event_id AND a.at = l.event_at
         UNION ALL SELECT b.body FROM audit.event b WHERE b.id = l.event_id) LIMIT 1
    ) AS e ON true ORDER BY l.idx
"""  # noqa: S608
_LEAFLESS = f"""
    SELECT e.id, e.at < now() - interval '{GRACE_SECONDS} s', encode(e.body, 'hex') FROM audit.event e
    WHERE NOT EXISTS (SELECT FROM audit.leaf l WHERE l.event_id = e.id AND l.event_at = e.at)
"""  # noqa: S608
_LOWEST = "SELECT number, encode(hashes, 'hex') FROM audit.tile WHERE level = 0 ORDER BY number"
_UPPER = "SELECT level, number, encode(hashes, 'hex') FROM audit.tile WHERE level > 0"
KEYS = "SELECT 'log ' || vkey FROM audit.log_key UNION ALL SELECT 'witness ' || vkey FROM audit.witness_key"
_NARROW = "hub_app"
# to compile such a statement would take longer than to run it
_OPTIONS = "-c default_transaction_read_only=on -c jit=off"
_NULL = b"\\N"

Rows = Generator[list[bytes], None, None]


def check_database(
    findings: Findings, address: str, policy: Policy | None = None, seen: Checkpoint | None = None
) -> tuple[Heads, int]:
    """The heads, and how many events were checked. Without a policy the keys in the database are taken, and that is said."""
    ((role,),) = _rows(address, "SELECT current_user")
    if role.decode() == _NARROW:
        raise Unusable(
            f"The role {_NARROW} sees one organisation's events; the check needs one that sees all."
        )
    if policy is None:
        policy = own_policy(findings, "".join(f"{key.decode()}\n" for (key,) in _rows(address, KEYS)))
    notes = [
        bytes.fromhex(note.decode()).decode("utf-8", "replace") for (note,) in _rows(address, _HEX_NOTES)
    ]
    heads = judge_heads(findings, policy, notes, seen)
    events = 0
    with closing(_rows(address, _LEAVES)) as leaves:
        first = next(leaves, None)  # the leaves' snapshot is the older one: no tile lacks what it should hold
        prover = Prover(findings, _tiles(address), heads)
        while first is not None:
            index, event_id, old, body, archived = first
            if body == _NULL:
                prover.entry(int(index), event_id.decode(), None, old=old == b"t", archived=archived == b"t")
            else:
                prover.entry(int(index), event_id.decode(), bytes.fromhex(body.decode()), old=old == b"t")
            events += body != _NULL
            first = next(leaves, None)
    for event_id, old, body in _rows(address, _LEAFLESS):
        prover.without_leaf(event_id.decode(), bytes.fromhex(body.decode()), old=old == b"t")
        events += 1
    prover.finish()
    return heads, events


def own_policy(findings: Findings, keys: str) -> Policy | None:
    """The log's and its witnesses' keys as the database itself has them; None where the log has none yet."""
    if "log " not in keys:
        return None
    findings.notes.append(
        "No policy was given: keys were taken from the database itself, and no witness had to have signed."
    )
    return read_policy(f"{keys}quorum 0\n")


def _tiles(address: str) -> Reader:
    """The lowest level as a stream beside the leaves, in order; the levels above, a 256th of it, in memory."""
    upper = {
        (int(level), int(number)): bytes.fromhex(hashes.decode())
        for level, number, hashes in _rows(address, _UPPER)
    }
    lowest = _rows(address, _LOWEST)
    ahead: list[tuple[int, bytes]] = []

    def read(level: int, number: int) -> bytes:
        if level:
            return upper.get((level, number), b"")
        while not ahead or ahead[0][0] < number:
            row = next(lowest, None)
            if row is None:
                return b""
            ahead[:] = [(int(row[0]), bytes.fromhex(row[1].decode()))]
        return ahead[0][1] if ahead[0][0] == number else b""

    return read


def _rows(address: str, statement: str) -> Rows:
    """The rows of one statement as text, streamed. Each has a connection of its own."""
    copy = f"COPY ({statement}) TO STDOUT"
    if find_spec("psycopg") is not None:
        lines = _by_psycopg(address.replace("postgresql+psycopg:", "postgresql:", 1), copy)
    elif shutil.which("psql"):
        lines = _by_psql(address.replace("postgresql+psycopg:", "postgresql:", 1), copy)
    else:
        raise Unusable("A database is read through psycopg or psql, and neither is installed.")
    for line in lines:
        yield line.rstrip(b"\n").split(b"\t")


def _by_psycopg(address: str, copy: str) -> Iterator[bytes]:
    driver: Any = import_module("psycopg")
    try:
        with (
            driver.connect(address, autocommit=True, connect_timeout=10, options=_OPTIONS) as connection,
            connection.cursor().copy(copy) as rows,
        ):
            for row in rows:
                yield bytes(row)
    except driver.Error as error:
        raise Unusable(f"The database can't be read: {_first_line(str(error))}") from None


def _by_psql(address: str, copy: str) -> Iterator[bytes]:
    parts = urlsplit(address)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@", 1)))
    environment = {
        **os.environ,
        "PGOPTIONS": _OPTIONS,
        "PGCONNECT_TIMEOUT": "10",
    }
    if parts.password is not None:
        environment["PGPASSWORD"] = unquote(parts.password)  # not where other users' `ps` shows it
    command = ["psql", "-X", "-q", "-w", "-d", plain, "-c", copy]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=environment
        ) as program,
    ):
        try:
            yield from program.stdout or ()
        finally:
            if program.stdout:
                program.stdout.close()
            program.wait()
        if program.returncode:
            said.seek(0)
            raise Unusable(
                f"The database can't be read: {_first_line(said.read(4096).decode(errors='replace'))}"
            )


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no reason was given")


# ---- hub.audit.verifier.command: `hub-audit-verify.py`: checks an export, one proof or a live database. Exit 0 sound, 1 problems, 2 could not check.

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


if __name__ == "__main__":
    sys.exit(main())
