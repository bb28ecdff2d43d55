"""Known answers: transparency-dev's merkle vectors (Apache 2.0, see LICENSE-vectors), RFC 6962's tree, C2SP's own notes."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.hashing import (
    EMPTY_ROOT,
    Frontier,
    NotProven,
    check_consistency,
    check_inclusion,
    leaf_hash,
)
from hub.crypto.tlog.notes import Verifier, open_note, signature_lines
from hub.crypto.tlog.proof_files import ProofFile
from hub.crypto.tlog.tiles import Tree, grown

HERE = Path(__file__).parent


def _vectors(kind: str) -> list[Any]:
    return [pytest.param(one, id=one["name"]) for one in json.loads((HERE / f"{kind}.json").read_text())]


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


@pytest.mark.parametrize("one", _vectors("inclusion"))
def test_inclusion(one: dict[str, Any]) -> None:
    proof = [_bytes(part) for part in one["proof"] or ()]

    def check() -> None:
        check_inclusion(one["leafIdx"], one["treeSize"], _bytes(one["leafHash"]), proof, _bytes(one["root"]))

    if one["wantErr"]:
        with pytest.raises(NotProven):
            check()
    else:
        check()


@pytest.mark.parametrize("one", _vectors("consistency"))
def test_consistency(one: dict[str, Any]) -> None:
    proof = [_bytes(part) for part in one["proof"] or ()]

    def check() -> None:
        check_consistency(one["size1"], one["size2"], proof, _bytes(one["root1"]), _bytes(one["root2"]))

    if one["wantErr"]:
        with pytest.raises(NotProven):
            check()
    else:
        check()


def test_the_vectors_are_all_there() -> None:
    kinds = {kind: json.loads((HERE / f"{kind}.json").read_text()) for kind in ("inclusion", "consistency")}
    assert {kind: len(found) for kind, found in kinds.items()} == {"inclusion": 49, "consistency": 43}
    assert all({True, False} == {one["wantErr"] for one in found} for found in kinds.values())


# RFC 6962's reference leaves and the roots of their trees of 1 to 8, as certificate-transparency's own tests have them
LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def test_roots_of_the_reference_trees() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    tiles: dict[tuple[int, int], bytes] = {}

    def read(level: int, number: int) -> bytes:
        return tiles.get((level, number), b"")

    frontier = Frontier()
    for size, (leaf, root) in enumerate(zip(LEAVES, ROOTS, strict=True), start=1):
        frontier.add(leaf_hash(bytes.fromhex(leaf)))
        tiles |= grown(read, size - 1, [leaf_hash(bytes.fromhex(leaf))])
        assert frontier.root().hex() == Tree(read, size).root().hex() == root


# the example of C2SP's signed-note, with the key that its text implies by name and id, and of tlog-cosignature
NOTE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def test_the_published_checkpoint_is_read_and_written_to_the_byte() -> None:
    text, lines = NOTE.rsplit("\n\n", 1)
    found = Checkpoint.parse(f"{text}\n")
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text == f"{text}\n"
    assert "".join(signature_lines(NOTE)) == lines


def test_a_proof_file_has_the_published_shape() -> None:
    hashes = ("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=", "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=")
    text = "c2sp.org/tlog-proof@v1\nextra YWdl\nindex 73894\n" + "\n".join(hashes) + "\n\n" + NOTE
    found = ProofFile.parse(text)
    assert (found.index, found.extra, found.note) == (73894, b"age", NOTE)
    assert found.proof == tuple(_bytes(one) for one in hashes)
    assert found.text == text


def test_a_published_note_opens_under_its_key_alone() -> None:
    """Go's sum database note, whose key is published: `PeterNeumann` of the note package's documentation."""
    key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    note = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    verifier = Verifier.parse(key)
    assert str(verifier) == key
    text, signed = open_note(note, [verifier])
    assert signed == {"PeterNeumann": None} and text.startswith("If you think")
    for broken in (note.replace("answer", "Answer"), note.replace("x08go", "x08gp"), note[:-1], note + "\n"):
        with pytest.raises(NotProven):
            open_note(broken, [verifier])


def test_a_policy_reads_what_it_writes() -> None:
    key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(Policy.parse(f"# ours\nlog {key}\n\nquorum 0\n")) == f"log {key}\nquorum 0\n"
    for bad in ("", f"witness {key}", f"log {key}\nquorum 1", "log nothing", f"logs {key}"):
        with pytest.raises(NotProven):
            Policy.parse(bad)
