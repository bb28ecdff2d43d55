"""A device of our own that makes and uses passkeys, and can be told to lie in every way that the hub must notice."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes as from_text
from webauthn.helpers import bytes_to_base64url as to_text

ORIGIN, RP_ID = "http://localhost:8480", "localhost"
PRESENT, VERIFIED, COPIED_ELSEWHERE, MADE = 0x01, 0x04, 0x08, 0x40


@dataclass
class Device:
    """One passkey on it. `copies`: it says that it may lie in a cloud."""

    copies: bool = False
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    count: int = 0
    handle: bytes = b""

    def make(self, options: dict[str, Any], **lies: Any) -> str:
        """What a browser sends after `navigator.credentials.create`."""
        self.handle = from_text(options["user"]["id"])
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        made = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(cose)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._said(MADE, **lies) + made}
        client = _client("webauthn.create", options, **lies)
        return self._sent(clientDataJSON=client, attestationObject=cbor2.dumps(attested))

    def prove(self, options: dict[str, Any], **lies: Any) -> str:
        """What a browser sends after `navigator.credentials.get`."""
        client, said = _client("webauthn.get", options, **lies), self._said(0, **lies)
        key = lies.get("key", self.key)
        signature = key.sign(said + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        handle = lies.get("handle", self.handle)
        parts = {"clientDataJSON": client, "authenticatorData": said, "signature": signature}
        return self._sent(**parts, **({"userHandle": handle} if handle else {}))

    def _said(
        self, flags: int, *, rp_id: str = RP_ID, verified: bool = True, count: int | None = None, **_: Any
    ) -> bytes:
        self.count = self.count + 1 if count is None else count
        flags |= PRESENT | (VERIFIED if verified else 0) | (COPIED_ELSEWHERE if self.copies else 0)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _sent(self, **parts: bytes) -> str:
        response = {name: to_text(part) for name, part in parts.items()}
        own = to_text(self.id)
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": response})


def _client(
    kind: str, options: dict[str, Any], *, origin: str = ORIGIN, challenge: bytes | None = None, **lies: Any
) -> bytes:
    asked = options["challenge"] if challenge is None else to_text(challenge)
    framed = {"crossOrigin": True} if lies.get("framed") else {}
    return json.dumps({"type": kind, "challenge": asked, "origin": origin, **framed}).encode()
