"""One pass over the log's leaves, in constant memory: each event against its leaf, the tiles among themselves, the roots.

The tree is built twice, from the events and from the stored tiles. Where the two differ, a block of 256 leaves and the
hash above it, or the signed root, tell which of them was altered.
"""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass
from functools import lru_cache

from hub.audit.verifier.findings import MAX_KEPT, Findings
from hub.audit.verifier.heads import Heads
from hub.crypto.tlog.hashing import HASH_SIZE, Frontier, leaf_hash, subtree_root
from hub.crypto.tlog.tiles import WIDTH, Reader

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
