"""Wrapped keys and sealed texts: bound to kind, purpose and ids, refused when anything differs."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.crypto.errors import Unsealable
from hub.crypto.wrapping import Ids, open_text, seal_text, unwrap, wrap

KEY = bytes(range(32))
SECRET = b"\x07" * 32
HERE = (UUID(int=7), "epoch")

some_ids = st.lists(st.one_of(st.uuids(), st.text(max_size=40)), max_size=4).map(tuple)


@given(secret=st.binary(max_size=200), purpose=st.text(max_size=30), bound=some_ids)
def test_what_is_wrapped_opens_again(secret: bytes, purpose: str, bound: Ids) -> None:
    assert unwrap(KEY, wrap(KEY, secret, purpose=purpose, ids=bound), purpose=purpose, ids=bound) == secret


@given(text=st.text())
def test_any_text_is_kept_to_the_letter(text: str) -> None:
    assert (
        open_text(KEY, seal_text(KEY, text, purpose="reason", ids=HERE), purpose="reason", ids=HERE) == text
    )


def test_a_text_may_be_long() -> None:
    text = "Grüße 👮\u200d♀️\0\r\n" * 20_000
    assert (
        open_text(KEY, seal_text(KEY, text, purpose="reason", ids=HERE), purpose="reason", ids=HERE) == text
    )


def test_half_a_character_is_not_text() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        seal_text(KEY, "\ud800", purpose="reason", ids=HERE)


@given(first=st.tuples(st.text(max_size=3), some_ids), second=st.tuples(st.text(max_size=3), some_ids))
def test_it_opens_only_for_the_same_purpose_and_ids(first: tuple[str, Ids], second: tuple[str, Ids]) -> None:
    sealed = wrap(KEY, SECRET, purpose=first[0], ids=first[1])
    if first == second:
        assert unwrap(KEY, sealed, purpose=second[0], ids=second[1]) == SECRET
    else:
        with pytest.raises(Unsealable):
            unwrap(KEY, sealed, purpose=second[0], ids=second[1])


@pytest.mark.parametrize(
    ("purpose", "bound"),
    [
        ("cas", ("e", *HERE)),
        ("casee", HERE),
        ("case", (*HERE, "")),
        ("case", HERE[::-1]),
        ("case", (HERE[0],)),
        ("case", (str(HERE[0]), HERE[1])),
        ("case", (UUID(int=7).bytes.decode("latin-1"), "epoch")),
        ("case", (UUID(int=7), "epo", "ch")),
        ("", ("case", *HERE)),
    ],
)
def test_ids_that_only_look_alike_are_told_apart(purpose: str, bound: Ids) -> None:
    sealed = wrap(KEY, SECRET, purpose="case", ids=HERE)
    with pytest.raises(Unsealable):
        unwrap(KEY, sealed, purpose=purpose, ids=bound)


@pytest.mark.parametrize(
    ("ids", "others"),
    [
        (("a", "b"), ("asb",)),
        (("a", "b"), ("a\0\0\0\1b",)),
        (("a", UUID(int=0x61626364656667686970717273747576)), ("auabcdefghipqrstuv",)),
        (("",), ()),
        (("", ""), ("s",)),
    ],
)
def test_ids_that_run_together_are_told_apart(ids: Ids, others: Ids) -> None:
    sealed = wrap(KEY, SECRET, purpose="case", ids=ids)
    with pytest.raises(Unsealable):
        unwrap(KEY, sealed, purpose="case", ids=others)


def test_a_key_does_not_open_as_a_text_nor_a_text_as_a_key() -> None:
    with pytest.raises(Unsealable):
        open_text(KEY, wrap(KEY, b"abc", purpose="case", ids=HERE), purpose="case", ids=HERE)
    with pytest.raises(Unsealable):
        unwrap(KEY, seal_text(KEY, "abc", purpose="case", ids=HERE), purpose="case", ids=HERE)


def test_every_changed_bit_and_every_cut_is_refused() -> None:
    sealed = wrap(KEY, SECRET, purpose="case", ids=HERE)
    for position in range(len(sealed)):
        for changed in (
            sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :],
            sealed[:position],
            sealed + bytes(position + 1),
        ):
            with pytest.raises(Unsealable):
                unwrap(KEY, changed, purpose="case", ids=HERE)


def test_another_key_opens_nothing() -> None:
    sealed = wrap(KEY, SECRET, purpose="case", ids=HERE)
    for key in (os.urandom(32), KEY[:16], b""):
        with pytest.raises(Unsealable):
            unwrap(key, sealed, purpose="case", ids=HERE)


def test_a_short_key_seals_nothing() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        wrap(KEY[:16], SECRET, purpose="case", ids=HERE)


def test_no_nonce_comes_twice() -> None:
    bound = (uuid4(),)
    nonces = {wrap(KEY, SECRET, purpose="case", ids=bound)[1:13] for _ in range(20_000)}
    assert len(nonces) == 20_000


def test_the_failure_says_nothing_about_its_cause() -> None:
    sealed = wrap(KEY, SECRET, purpose="case", ids=HERE)
    said = set()
    for key, changed in ((os.urandom(32), sealed), (KEY, sealed[:-1]), (KEY, b""), (b"", sealed)):
        with pytest.raises(Unsealable) as failure:
            unwrap(key, changed, purpose="case", ids=HERE)
        said.add((str(failure.value), failure.value.__cause__))
    assert len(said) == 1
