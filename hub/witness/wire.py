"""The form of what goes over the wire (C2SP tlog-witness): a request for a cosignature, and the lines of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.crypto.tlog.checkpoints import Checkpoint, proof_lines
from hub.crypto.tlog.hashing import HASH_SIZE, NotProven
from hub.crypto.tlog.notes import decode, signature_lines

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MOST_BYTES = 64 * 1024
MOST_PROOF_LINES = 63

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_OLD = re.compile(rf"old ({_SIZE.pattern})")
_SIGNATURE = re.compile(r"— [^\s+]+ ([A-Za-z0-9+/=]+)")
_LEAST_SIGNATURE = 5  # a key's hash of four bytes, and something signed


class Malformed(ValueError):
    """A request or an answer is not of the form that the specification asks for."""


@dataclass(frozen=True)
class Request:
    """What a log asks: cosign this checkpoint, which extends the tree of `old_size` as the proof shows."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str
    text: str
    checkpoint: Checkpoint


def write_request(old_size: int, proof: Sequence[bytes], note: str) -> bytes:
    return f"old {old_size}\n{proof_lines(proof)}\n{note}".encode()


def read_request(body: bytes) -> Request:
    """Raises `Malformed`. Signatures and the proof are of the right form then, but not checked."""
    if len(body) > MOST_BYTES:
        raise Malformed("the request is too long")
    try:
        head, cut, note = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Malformed("the request is not UTF-8") from None
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    if not cut or old is None:
        raise Malformed("the request does not begin with a line of the old size, a proof and an empty line")
    if len(lines) > MOST_PROOF_LINES:
        raise Malformed(f"the proof has more than {MOST_PROOF_LINES} lines")
    text = text_of(note)
    try:
        proof = tuple(decode(line) for line in lines)
        checkpoint = Checkpoint.parse(text)
    except NotProven as error:
        raise Malformed(str(error)) from None
    if any(len(one) != HASH_SIZE for one in proof):
        raise Malformed("a line of the proof is not a hash")
    return Request(int(old[1]), proof, note, text, checkpoint)


def text_of(note: str) -> str:
    """The signed text of a note whose signatures are of the right form; `Malformed` else."""
    try:
        lines = signature_lines(note)
    except NotProven as error:
        raise Malformed(str(error)) from None
    for line in lines:
        check_signature_line(line)
    return note.rpartition("\n\n")[0] + "\n"


def lines_of(answer: bytes) -> list[str]:
    """The signature lines of a witness's answer, each with its newline; there is at least one."""
    try:
        text = answer.decode()
    except UnicodeDecodeError:
        raise Malformed("the answer is not UTF-8") from None
    if not text.endswith("\n"):
        raise Malformed("the answer does not end with a newline")
    lines = [f"{line}\n" for line in text[:-1].split("\n")]
    for line in lines:
        check_signature_line(line)
    return lines


def check_signature_line(line: str) -> None:
    found = _SIGNATURE.fullmatch(line.removesuffix("\n"))
    try:
        if found is not None and len(decode(found[1])) >= _LEAST_SIGNATURE:
            return
    except NotProven:
        pass
    raise Malformed("a signature line is malformed")


def read_size(answer: bytes) -> int:
    """The size that a witness tells with its 409: decimal, and a newline."""
    found = _SIZE.fullmatch(answer.decode("ascii", "replace").removesuffix("\n"))
    if found is None or not answer.endswith(b"\n"):
        raise Malformed("the answer is not a size")
    return int(found[0])
