"""Reads the log back from its second place alone and checks it: events against tiles, tiles against the signed checkpoint.

In constant memory. Only the keys that are believed come from elsewhere. A key whose newest version is wrong or hidden is
looked for among its older versions, which nobody can delete: what is found there is sound, and the hiding is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from hub.audit.archive_format import ALONE, CHECKPOINT, LONGEST, bundle_key, entry_key, read_bundle
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.hashing import HASH_SIZE, NotProven, leaf_hash, subtree_root
from hub.crypto.tlog.tiles import WIDTH, Tree, tile_path
from hub.storage.errors import ObjectMissing
from hub.storage.locked import LockedBucket

MAX_KEPT = 1_000
MOST_VERSIONS = 100
TILES_KEPT = 64

T = TypeVar("T")


@dataclass
class ArchiveReport:
    """What was read and what was found. At most `MAX_KEPT` problems are kept; `found` counts all."""

    size: int = 0
    signed_by: list[str] = field(default_factory=list)
    events: int = 0
    bundles: int = 0
    found: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.found == 0

    def add(self, code: str, words: str) -> None:
        self.found += 1
        if len(self.problems) < MAX_KEPT:
            self.problems.append((code, words))

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "size": self.size,
            "signed_by": self.signed_by,
            "events": self.events,
            "bundles": self.bundles,
            "problems_found": self.found,
            "problems": [{"code": code, "words": words} for code, words in self.problems],
        }


class Archive:
    """A bucket as one reads it who believes nobody but the keys of his policy."""

    def __init__(
        self, bucket: LockedBucket, policy: Policy, report: ArchiveReport, held_at: datetime | None = None
    ) -> None:
        """`held_at`: every lock must still hold then. A lock that has come to its end in its time is no fault else."""
        self._bucket = bucket
        self._held_at = held_at
        self._policy = policy
        self.report = report
        self.size = 0
        self.tile = lru_cache(maxsize=TILES_KEPT)(self._tile)
        self._edge = lru_cache(maxsize=TILES_KEPT)(self._read_edge)

    def open(self, at_least: int = 0) -> bool:
        """Finds the newest signed head and binds the tree's right edge to its root; False where that can't be done.

        A head that is sound but smaller than `at_least` was put back in a newer one's place.
        """
        found = self._sound(CHECKPOINT, self._policy.open, full=True)
        if found is None:
            return False
        head, signed = found
        self.report.size = self.size = head.size
        self.report.signed_by = sorted(signed)
        if head.size < at_least:
            self.report.add("set_back", f"The checkpoint covers {head.size} leaves; {at_least} were copied.")
        try:
            if Tree(self._edge, head.size).root() != head.root:
                raise NotProven("they do not lead to the signed root")
        except (NotProven, ObjectMissing) as why:
            words = str(why) if isinstance(why, NotProven) else "one is missing"
            self.report.add("root", f"The newest tiles of the checkpoint of {head.size} leaves: {words}.")
            return False
        return True

    def entries(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of each sound event from the first leaf to the last; the others are in the report."""
        if last >= self.size:
            self.report.add("missing", f"Leaf {last} lies beyond the archived tree of {self.size}.")
        for number in range(first // WIDTH, min(last, self.size - 1) // WIDTH + 1):
            self.report.bundles += 1
            for place, body in enumerate(self._bundle(number)):
                index = number * WIDTH + place
                if first <= index <= last and body is not None:
                    self.report.events += 1
                    yield index, body

    def _bundle(self, number: int) -> list[bytes | None]:
        count = min(WIDTH, self.size - number * WIDTH)
        tile = self.tile(0, number)
        if tile is None:
            return []
        hashes = [tile[at : at + HASH_SIZE] for at in range(0, count * HASH_SIZE, HASH_SIZE)]

        def sound(data: bytes) -> list[bytes]:
            bodies = read_bundle(data, count)
            for body, wanted in zip(bodies, hashes, strict=True):
                if body != ALONE and leaf_hash(body) != wanted:
                    raise NotProven("an event is not what its leaf says")
            return bodies

        found = self._sound(bundle_key(number, count), sound, full=count == WIDTH) or []
        return [
            body if body != ALONE else self._alone(number * WIDTH + place, hashes[place])
            for place, body in enumerate(found)
        ]

    def _alone(self, index: int, wanted: bytes) -> bytes | None:
        def sound(data: bytes) -> bytes:
            if len(data) <= LONGEST or leaf_hash(data) != wanted:
                raise NotProven("the event is not what its leaf says")
            return data

        return self._sound(entry_key(index), sound, full=True)

    def _tile(self, level: int, number: int) -> bytes | None:
        """A full tile is bound by its parent's hash, a partial one by the root."""
        count = self._count(level, number)
        if count < WIDTH:
            return self._edge(level, number)
        above, place = divmod(number, WIDTH)
        parent = self.tile(level + 1, above)
        if parent is None:
            return None
        wanted = parent[place * HASH_SIZE : (place + 1) * HASH_SIZE]

        def sound(data: bytes) -> bytes:
            if len(data) != WIDTH * HASH_SIZE or subtree_root(_hashes(data)) != wanted:
                raise NotProven("the tile is not what the one above says")
            return data

        return self._sound(tile_path(level, number), sound, full=True)

    def _read_edge(self, level: int, number: int) -> bytes:
        """A tile of the right edge, unchecked until the root is."""
        count = self._count(level, number)
        found = self._bucket.get(tile_path(level, number, count)).body
        if len(found) != count * HASH_SIZE:
            raise NotProven(f"tile {number} of level {level} has another length")
        return found

    def _count(self, level: int, number: int) -> int:
        return min(WIDTH, (self.size >> (8 * level)) - number * WIDTH)

    def _sound(self, key: str, check: Callable[[bytes], T], *, full: bool) -> T | None:
        """The newest version that passes the check. `full`: a lock must hold it."""
        why: str | None = None
        try:
            newest = self._bucket.get(key)
            found = check(newest.body)
        except ObjectMissing:
            pass
        except NotProven as error:
            why = str(error)
        else:
            if full and (newest.until is None or (self._held_at and newest.until < self._held_at)):
                self.report.add("unlocked", f"{key} is under no lock.")
            return found
        older = [one for one in islice(self._bucket.versions(key), MOST_VERSIONS) if one.key == key]
        for one in older:
            if not one.marker:
                try:
                    found = check(self._bucket.get(key, one.version_id).body)
                except (NotProven, ObjectMissing):
                    continue
                self.report.add(
                    "hidden", f"{key} was deleted or written over; version {one.version_id} is sound."
                )
                return found
        self.report.add("damaged" if why else "missing", f"{key}: {why or 'it is missing'}.")
        return None


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]
