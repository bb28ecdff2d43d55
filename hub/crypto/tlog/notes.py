"""C2SP signed notes: a text, a blank line, and signature lines, of Ed25519 keys (type 1) and of witnesses (type 4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.crypto.tlog.hashing import NotProven

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
