"""An export of the log as a folder: its manifest, its events in files of 10,000 leaves, and the check of the whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.audit.verifier.findings import Findings
from hub.audit.verifier.heads import Heads, Unusable, judge_heads, read_policy
from hub.audit.verifier.proving import Prover
from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.hashing import HASH_SIZE
from hub.crypto.tlog.tiles import WIDTH, Reader, tile_path

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
