"""What a witness cosigns: a checkpoint of a log that it trusts, which extends the newest one that it has cosigned.

The statuses are those of C2SP tlog-witness. The order of checks too: whose log, whose signature, then the sizes, then the
proof. The new head is on the disk before the cosignature exists.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

from hub.crypto.tlog.hashing import EMPTY_ROOT, NotProven, check_consistency
from hub.crypto.tlog.notes import decode, encode, open_note, signature_lines, write_note
from hub.witness.state import Head, Log, StateFile
from hub.witness.wire import Malformed, Request, read_request

Clock = Callable[[], float]


class Refusal(Exception):
    """No cosignature, with the HTTP status and, for a conflict, the size that the witness knows.

    `origin` is there for logs that are known; `evidence` are two notes of the log itself that no honest log can both sign.
    """

    def __init__(
        self,
        status: HTTPStatus,
        why: str,
        *,
        origin: str | None = None,
        size: int | None = None,
        evidence: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(why)
        self.status, self.why, self.origin, self.size, self.evidence = status, why, origin, size, evidence


@dataclass(frozen=True)
class Cosigned:
    origin: str
    size: int
    line: str


def add_checkpoint(file: StateFile, body: bytes, *, clock: Clock = time.time) -> Cosigned:
    """Raises `Refusal`, or `StateError` where the file can't be read or written: nothing is cosigned then either."""
    try:
        request = read_request(body)
    except Malformed as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None
    origin, size = request.checkpoint.origin, request.checkpoint.size
    with file.held() as held:
        log = held.state.logs.get(origin)
        if log is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "the log is not known here")
        _check_signed(request, log)
        _check_extends(request, log)
        at = int(clock())
        head = log.head
        if head is None or head.size != size:  # the same one again needs no writing
            held.write(held.state.with_log(origin, _grown(request, log, at)))
        return Cosigned(origin, size, held.state.signer.sign(request.text, at=at))


def _check_signed(request: Request, log: Log) -> None:
    try:
        open_note(request.note, [log.verifier])
    except NotProven:
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "no signature is by the key of the log that is trusted here",
            origin=request.checkpoint.origin,
        ) from None


def _check_extends(request: Request, log: Log) -> None:
    """The heart of it. An empty tree has one root, so what was never seen counts as the empty tree seen."""
    old, new, head = request.old_size, request.checkpoint, log.head
    known = head.size if head else 0
    root = decode(head.root) if head else EMPTY_ROOT
    if old > new.size:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "the old size is above the checkpoint's", origin=new.origin, size=known
        )
    if old != known:
        raise Refusal(
            HTTPStatus.CONFLICT, "the old size is not the one known here", origin=new.origin, size=known
        )
    if old == new.size and root != new.root:
        both = (head.note, _by_log(request, log)) if head else None
        raise Refusal(
            HTTPStatus.CONFLICT, "one size with two roots", origin=new.origin, size=known, evidence=both
        )
    try:
        if old:
            check_consistency(old, new.size, request.proof, root, new.root)
        elif request.proof:
            raise NotProven("from size 0 there is nothing to prove")
    except NotProven as error:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), origin=new.origin, size=known) from None


def _grown(request: Request, log: Log, at: int) -> Log:
    new = request.checkpoint
    log = replace(log, head=Head(new.size, encode(new.root), at, _by_log(request, log)))
    if log.first_size is None and new.size:
        log = replace(log, first_size=new.size, first_at=at)
    return log


def _by_log(request: Request, log: Log) -> str:
    """The note with the log's own signatures: others in it were not checked, and are no evidence."""
    return write_note(
        request.text, *(line for line in signature_lines(request.note) if _is_by(line, request, log))
    )


def _is_by(line: str, request: Request, log: Log) -> bool:
    try:
        open_note(write_note(request.text, line), [log.verifier])
    except NotProven:
        return False
    return True
