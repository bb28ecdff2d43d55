"""Commitments: one text, one salt, one value, and nothing without the salt."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.crypto.commitments import commitment
from hub.crypto.randomness import new_key, new_salt

SALT = bytes(range(32))


def test_it_is_hmac_sha256_under_the_salt_in_hex() -> None:
    # computed with OpenSSL's command line
    assert (
        commitment(SALT, "A typed reason.")
        == "dfcb882664b3d90279ef3cbd557ac1223136ab8129b566466056223fa19bdaac"
    )


@given(text=st.text())
def test_any_text_has_one(text: str) -> None:
    assert len(bytes.fromhex(commitment(SALT, text))) == 32


def test_equal_texts_in_unequal_composition_are_one_text() -> None:
    assert commitment(SALT, "Zo\u00eb") == commitment(SALT, "Zoe\u0308")


@given(first=st.binary(min_size=32, max_size=32), second=st.binary(min_size=32, max_size=32))
def test_another_salt_is_another_value(first: bytes, second: bytes) -> None:
    assert (commitment(first, "x") == commitment(second, "x")) == (first == second)


def test_it_differs_from_an_unsalted_hash() -> None:
    assert commitment(SALT, "x") != hashlib.sha256(b"x").hexdigest()
    assert commitment(SALT, "x") != hmac.new(b"", b"x", hashlib.sha256).hexdigest()


@pytest.mark.parametrize("salt", [b"", SALT[:31], SALT + b"x"])
def test_a_salt_of_another_length_is_an_error(salt: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(salt, "x")


def test_half_a_character_is_not_text() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        commitment(SALT, "\udfff")


@pytest.mark.parametrize("make", [new_salt, new_key])
def test_salts_and_keys_have_32_bytes_and_never_come_twice(make: type) -> None:
    made = {make() for _ in range(10_000)}
    assert len(made) == 10_000
    assert {len(value) for value in made} == {32}
