"""Which algorithms the code uses and where (SECURITY K1), that randomness is the operating system's (K10), and that it never repeats (K2).

`algorithms.json` is read by people. It is what a walk through the code finds: a change of it is a change of cryptography.
"""

from __future__ import annotations

import ast
import re
import secrets
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.crypto import wrapping
from hub.crypto.randomness import new_key, new_salt
from hub.crypto.wrapping import NONCE_BYTES
from tests.rules.golden import wanted
from tests.rules.source import ROOT, modules, name_of, tree

INVENTORY = Path(__file__).with_name("algorithms.json")
# what may be used at all: AES-256-GCM, HKDF, SHA-2 and HMAC over it, Ed25519, argon2id
ALLOWED = frozenset(
    {
        "AESGCM",
        "Cobblestone256Decryptor",
        "Cobblestone256Encryptor",
        "Ed25519PrivateKey",
        "Ed25519PublicKey",
        "HKDFExpand",
        "SHA256",
        "SHA384",
        "SHA512",
        "argon2.PasswordHasher",
        "hmac",
        "sha256",
        "sha384",
        "sha512",
    }
)
# what a bucket's door asks for beside every locked object: a check of the transport, which protects nothing of ours
ELSEWHERE = {"md5": ["hub/storage/locked.py"]}
_BARRED = ("random", "numpy.random", "uuid.uuid1")
_SQL = re.compile(
    r"\b(md5|sha1|digest|crypt|gen_salt|encrypt|hmac|sha224|sha256|sha384|sha512)\s*\(", re.IGNORECASE
)


def found() -> dict[str, list[str]]:
    """Each algorithm by its name in the library, and the modules that name it."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in modules():
        for name in _algorithms(tree(path)):
            places[name].add(name_of(path))
    return {name: sorted(files) for name, files in sorted(places.items())}


def _algorithms(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cryptography."):
            # modules are entered by their attributes, below; exceptions seal nothing
            yield from (
                one.name for one in node.names if one.name[0].isupper() and "exceptions" not in node.module
            )  # type: ignore[operator]
        elif isinstance(node, ast.ImportFrom) and node.module in ("hashlib", "hmac"):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner, name = node.value.id, node.attr
            if owner == "hashlib" or (owner == "hashes" and name.isupper()):
                yield name
            elif owner == "hmac" and name in ("new", "digest"):
                yield "hmac"
            elif owner == "argon2":
                yield f"argon2.{name}"


def test_the_inventory_is_what_the_code_uses() -> None:
    now = found()
    assert now == wanted(INVENTORY, now)


def test_nothing_but_the_allowed_algorithms_is_used() -> None:
    used = found()
    assert {
        name: files for name, files in used.items() if name not in ALLOWED and ELSEWHERE.get(name) != files
    } == {}


def test_the_walk_would_find_a_weak_one() -> None:
    weak = "import hashlib\nfrom cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES\nhashlib.md5(b'')\n"
    assert set(_algorithms(ast.parse(weak))) == {"md5", "TripleDES"}


def test_the_databases_functions_hash_with_sha_2_only() -> None:
    used = {
        name.lower()
        for path in (ROOT / "migrations/sql").glob("*/*.sql")
        for name in _SQL.findall(re.sub(r"--.*", "", path.read_text()))
    }
    assert used <= {"hmac", "sha256"}


def test_randomness_is_the_operating_systems() -> None:
    faults = []
    for path in modules():
        for node in ast.walk(tree(path)):
            names = []
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{one.name}" for one in node.names)]
            faults += [f"{name_of(path)}:{node.lineno}" for name in names if name in _BARRED]
    # the invented partnership of a demonstration is the same at every start, on purpose
    assert [one for one in faults if not one.startswith("hub/demo/")] == []


@pytest.mark.slow
def test_a_million_wrappings_repeat_no_key_and_no_nonce() -> None:
    """Every key is drawn, and every nonce: of a million of each no two are alike."""
    key, nonces = new_key(), set()
    secret = secrets.token_bytes(32)
    for _ in range(1_000_000):
        nonces.add(wrapping.wrap(key, secret, purpose="test", ids=())[1 : 1 + NONCE_BYTES])
    assert len(nonces) == 1_000_000
    assert len({new_key() for _ in range(100_000)} | {new_salt() for _ in range(100_000)}) == 200_000
