"""What a thief with the bucket and the database can do to stored files, and what a reader gets: never a wrong byte.

    make tamper

Each case is done to an honest file, asked for over HTTP (whole, and a range that meets what was done), and undone again. One
line a case: what was done → what the reader got → what the log says.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import psycopg
import sqlalchemy as sa

from hub.attachments.models import Attachment
from hub.audit.verifying import verify_log
from hub.crypto import keyring, wrapping
from hub.crypto.randomness import new_key
from hub.crypto.stream import CHUNK, HEADER, SALT, SEALED_CHUNK
from hub.extensions import db
from hub.web.identity import COOKIE
from tests.attachments.asking import Heard, Line
from tests.attachments.conftest import Desk, new_case
from tests.attachments.storing import PLAIN, attach_file, row_of
from tests.audit.forging import policy_of, sequenced
from tests.conftest import settings_for
from tests.fixtures.alone import alone
from tests.fixtures.server import serving
from tests.fixtures.world import act_as, look_at

OTHER = PLAIN[::-1]
CHUNKS = len(PLAIN) // CHUNK + 1
# the chunk that most cases change, and a range that begins before it
HIT = 40
AROUND = ((HIT - 2) * CHUNK + 7, (HIT + 2) * CHUNK)


@dataclass
class Stolen:
    """An honest file as the thief holds it: its object, its row, and the others that he could put in its place."""

    path: str
    id: UUID
    sealed: bytes
    neighbour: Attachment
    other_case: Attachment
    other_partnership: Attachment
    rewrapped: bytes


# What the thief puts in its place: the object's bytes, and columns of its row
Done = tuple[bytes | None, dict[str, object]]


@dataclass(frozen=True)
class Case:
    """One attack. `safe`: how many bytes of the file stand before what was changed, and may leave."""

    name: str
    act: Callable[[Stolen, Arena], Done]
    safe: int = 0
    # what of it a range meets (first, beyond), and how many bytes of that range may leave
    range: tuple[int, int] = AROUND
    safe_of_range: int = 0


@dataclass
class Arena:
    """The served hub, its bucket and its database, with the thief's rights on both."""

    desk: Desk
    line: Line
    superuser: str
    stolen: Stolen = field(init=False)

    def __post_init__(self) -> None:
        with self.desk.site.inside():
            self.stolen = self._prepared()

    def sql(self, statement: str, **values: object) -> list[sa.Row[tuple[object, ...]]]:
        return self.desk.site.sql(self.superuser, statement, **values)

    def unsound(self) -> int:
        return int(self.sql("SELECT count(*) FROM audit.event WHERE act = 'attachment.unsound'")[0][0])  # type: ignore[call-overload]

    def _prepared(self) -> Stolen:
        world, bucket = self.desk.site.world, self.desk.bucket
        ids = [attach_file(world, self.desk.case_id, content) for content in (PLAIN, OTHER)]
        second = new_case(act_as(world, "officer"))
        ids.append(attach_file(world, second, OTHER))
        east = new_case(act_as(world, "east_officer"))
        ids.append(attach_file(world, east, OTHER, who="east_officer"))
        look_at(act_as(world, "east_officer"), east)
        foreign = _row(ids[3])
        look_at(act_as(world, "officer"), self.desk.case_id, second)
        mine, neighbour, other_case = (_row(key) for key in ids[:3])
        held = keyring.key_by_id(db.session(), mine.data_key_id)
        rewrapped = wrapping.wrap(held.key, new_key(), purpose="file", ids=(mine.id, str(mine.version)))
        return Stolen(
            self.desk.path(mine.id), mine.id, bucket.read(mine.object_key), neighbour, other_case, foreign, rewrapped
        )  # fmt: skip

    def bytes_of(self, row: Attachment) -> bytes:
        return self.desk.bucket.read(row.object_key, row.object_version)

    @contextmanager
    def done(self, case: Case) -> Iterator[None]:
        """The attack, and the honest row again."""
        columns = "object_version, wrapped_key, size, stored_size, stored_sha256"
        [honest] = self.sql(f"SELECT object_key, {columns} FROM attachment WHERE id = :id", id=self.stolen.id)
        body, changes = case.act(self.stolen, self)
        if body is not None:
            changes["object_version"] = self.desk.bucket.write(str(honest[0]), body)
        self._set(changes)
        try:
            yield
        finally:
            self._set(dict(honest._mapping) | {"object_key": honest[0]})

    def _set(self, values: dict[str, object]) -> None:
        given = ", ".join(f"{name} = :{name}" for name in values)
        self.sql(f"UPDATE attachment SET {given} WHERE id = :id", id=self.stolen.id, **values)

    def attempt(self, case: Case) -> tuple[bool, str]:
        """Whether it was refused as it must be, and the line that says so."""
        with self.done(case):
            told = [
                self._asked(None, 0, len(PLAIN), case.safe),
                self._asked(f"bytes={case.range[0]}-{case.range[1] - 1}", *case.range, case.safe_of_range),
            ]
        # undone, it opens again: the refusal was for what was done and nothing else
        again = self.line.get(self.stolen.path)
        well = all(good for good, _ in told) and again.body == PLAIN
        return well, f"{case.name} → whole: {told[0][1]}; range: {told[1][1]}" + ("" if well else "   WRONG")

    def _asked(self, wanted: str | None, first: int, beyond: int, safe: int) -> tuple[bool, str]:
        before = self.unsound()
        heard = self.line.get(self.stolen.path, **({"Range": wanted} if wanted else {}))
        events = self.unsound() - before
        words, sound = _heard(heard, PLAIN[first:beyond], safe)
        return sound and events == 1, f"{words}; log: {events} × attachment.unsound"

    def sequence_and_verify(self, sequencer: str, folder: Path) -> bool:
        with psycopg.connect(sequencer.replace("+psycopg", "")) as connection:
            sequenced(connection, folder)
        engine = sa.create_engine(self.superuser, poolclass=sa.NullPool)
        with engine.connect() as reading:
            sound = verify_log(reading, policy=policy_of()).ok
        engine.dispose()
        return sound


def _row(attachment_id: UUID) -> Attachment:
    row = row_of(attachment_id)
    db.session.expunge(row)
    return row


def _heard(heard: Heard, right: bytes, safe: int) -> tuple[str, bool]:
    """In words; and whether no byte left that should not have, and the reader can tell that it is not the whole."""
    if heard.status == 503:
        return "503 refused", b"integrity check" in heard.body and PLAIN[:30] not in heard.body
    short = len(heard.body) < int(heard.headers["Content-Length"])
    right_so_far = right.startswith(heard.body) and len(heard.body) <= safe
    return f"{heard.status} cut after {len(heard.body):,} true bytes", short and heard.cut and right_so_far


# --- what is done


def flip(position: int) -> Callable[[Stolen, Arena], Done]:
    def act(stolen: Stolen, _: Arena) -> Done:
        changed = bytearray(stolen.sealed)
        changed[position] ^= 1
        return bytes(changed), {}

    return act


def at(chunk: int) -> int:
    return HEADER + chunk * SEALED_CHUNK


def cut_to(size: int, *, told: bool = False) -> Callable[[Stolen, Arena], Done]:
    """Shorter than it was; `told`: and the row says so."""

    def act(stolen: Stolen, _: Arena) -> Done:
        body = stolen.sealed[:size]
        chunks, rest = divmod(len(body) - HEADER, SEALED_CHUNK)
        plain = chunks * CHUNK + max(0, rest - 16)
        return body, {"stored_size": len(body), "size": plain} if told else {}

    return act


def append(stolen: Stolen, _: Arena) -> Done:
    return stolen.sealed + bytes(100), {}


def append_chunk(stolen: Stolen, _: Arena) -> Done:
    return stolen.sealed + stolen.sealed[at(1) : at(2)], {}


def reorder(stolen: Stolen, _: Arena) -> Done:
    one, two = stolen.sealed[at(HIT) : at(HIT + 1)], stolen.sealed[at(HIT + 1) : at(HIT + 2)]
    return stolen.sealed[: at(HIT)] + two + one + stolen.sealed[at(HIT + 2) :], {}


def repeat(stolen: Stolen, _: Arena) -> Done:
    return stolen.sealed[: at(HIT)] + stolen.sealed[at(HIT - 1) : at(HIT)] + stolen.sealed[at(HIT + 1) :], {}


def swap(which: str) -> Callable[[Stolen, Arena], Done]:
    return lambda stolen, arena: (arena.bytes_of(getattr(stolen, which)), {})


def swap_with_key(stolen: Stolen, arena: Arena) -> Done:
    other = stolen.neighbour
    return arena.bytes_of(other), {"wrapped_key": other.wrapped_key, "stored_sha256": other.stored_sha256}


def roll_back(stolen: Stolen, arena: Arena) -> Done:
    """A version of before under the same key in the store, as the row's version, which is none of the hub's."""
    key = str(arena.sql("SELECT object_key FROM attachment WHERE id = :id", id=stolen.id)[0][0])
    older = arena.desk.bucket.write(key, arena.bytes_of(stolen.neighbour))
    arena.desk.bucket.write(key, stolen.sealed)
    return None, {"object_version": older}


def lose(stolen: Stolen, arena: Arena) -> Done:
    """The version is gone from the store; the next older one is not taken for it."""
    key = str(arena.sql("SELECT object_key FROM attachment WHERE id = :id", id=stolen.id)[0][0])
    gone = arena.desk.bucket.write(key, stolen.sealed)
    arena.desk.bucket.client.delete_object(Bucket=arena.desk.bucket.name, Key=key, VersionId=gone)
    return None, {"object_version": gone}


def sizes(*, stored: bool) -> Callable[[Stolen, Arena], Done]:
    """A byte less by the row; `stored`: of the ciphertext too."""

    def act(stolen: Stolen, _: Arena) -> Done:
        return None, {"size": len(PLAIN) - 1, **({"stored_size": len(stolen.sealed) - 1} if stored else {})}

    return act


def wrong_key(stolen: Stolen, _: Arena) -> Done:
    return None, {"wrapped_key": stolen.rewrapped}


def neighbour_s_key(stolen: Stolen, _: Arena) -> Done:
    return None, {"wrapped_key": stolen.neighbour.wrapped_key}


BEFORE = HIT * CHUNK
OF_RANGE = BEFORE - AROUND[0]
END = (len(PLAIN) - 100, len(PLAIN))
CASES = (
    Case("flip a bit of the salt", flip(3)),
    Case("flip a bit of the commitment", flip(SALT + 3)),
    Case("flip a bit of the first chunk", flip(HEADER + 9), range=(5, 50)),
    Case("flip a bit of the middle", flip(at(HIT) + 9), BEFORE, safe_of_range=OF_RANGE),
    Case("flip a bit of a tag", flip(at(HIT + 1) - 1), BEFORE, safe_of_range=OF_RANGE),
    Case("flip a bit of the last tag", flip(-1), (CHUNKS - 1) * CHUNK, END),
    Case("cut within a chunk", cut_to(at(HIT) + 500)),
    Case("cut at a chunk's end", cut_to(at(HIT))),
    Case("cut at a chunk's end, and the row says so", cut_to(at(HIT), told=True)),
    Case("cut within a chunk, and the row says so", cut_to(at(HIT) + 500, told=True), BEFORE, (0, 100)),
    Case("append bytes", append),
    Case("append a chunk", append_chunk),
    Case("put two chunks in each other's place", reorder, BEFORE, safe_of_range=OF_RANGE),
    Case("put a chunk twice", repeat, BEFORE, safe_of_range=OF_RANGE),
    Case("put another file of the case in its place", swap("neighbour")),
    Case("put a file of another case in its place", swap("other_case")),
    Case("put a file of another partnership in its place", swap("other_partnership")),
    Case("put another file with its key in its place", swap_with_key),
    Case("roll back to an older version of the object", roll_back),
    Case("take the version away", lose),
    Case("wrap another key for it", wrong_key),
    Case("give it another file's wrapped key", neighbour_s_key),
    Case("change the row's size", sizes(stored=False)),
    Case("change both of the row's sizes", sizes(stored=True)),
)


def tried(arena: Arena) -> Iterator[tuple[bool, str]]:
    for case in CASES:
        yield arena.attempt(case)
    yield beside(arena)


def beside(arena: Arena) -> tuple[bool, str]:
    """What lies before and behind a changed chunk is still true, and is given; so is the pinned version, whatever came later."""
    before = arena.unsound()
    with arena.done(Case("", flip(at(HIT) + 9))):
        heard = [
            arena.line.get(arena.stolen.path, Range=f"bytes={first}-{first + 99}")
            for first in (7, BEFORE + 2 * CHUNK)
        ]
    key = str(arena.sql("SELECT object_key FROM attachment WHERE id = :id", id=arena.stolen.id)[0][0])
    arena.desk.bucket.write(key, b"something else")
    pinned = arena.line.get(arena.stolen.path)
    right = [PLAIN[first : first + 100] for first in (7, BEFORE + 2 * CHUNK)]
    well = [one.body for one in heard] == right and pinned.body == PLAIN and arena.unsound() == before
    return well, (
        "ranges beside a changed chunk, and a newer version over the pinned one → true bytes; log: no integrity event"
        + ("" if well else "   WRONG")
    )


# --- the program


@contextmanager
def arena_of(desk: Desk, urls: SimpleNamespace, root_key_file: Path, folder: Path) -> Iterator[Arena]:
    """The desk's site, served."""
    cookie = desk.officer().http.get_cookie(COOKIE)
    assert cookie is not None
    with serving(settings_for(urls.app, root_key_file, **desk.bucket.settings()), folder) as served:
        yield Arena(desk, Line(served.port, cookie.value), urls.superuser)


def main() -> int:
    failed = False
    with tempfile.TemporaryDirectory(prefix="hub-tamper-") as name, alone(Path(name)) as ground:
        desk = Desk(ground.site, ground.bucket)
        with arena_of(desk, ground.urls, ground.root_key_file, Path(name)) as arena:
            for well, line in tried(arena):
                print(line, flush=True)
                failed |= not well
            sound = arena.sequence_and_verify(ground.urls.sequencer, Path(name))
    print(f"the log of it all: {'sound' if sound else 'NOT SOUND'}")
    print("NOT EVERY CASE WAS REFUSED." if failed else f"All {len(CASES)} cases were refused.")
    return int(failed or not sound)


if __name__ == "__main__":
    sys.exit(main())
