"""Streams in overlapping pieces: nothing is left out, and what lies on a cut is whole in one of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.scanner.pieces import in_pieces


@given(
    sizes=st.lists(st.integers(0, 40), max_size=12),
    most=st.integers(6, 50),
    overlap=st.integers(1, 5),
)
def test_the_pieces_are_the_stream(sizes: list[int], most: int, overlap: int) -> None:
    whole = bytes(number % 251 for number in range(sum(sizes)))
    blocks, at = [], 0
    for size in sizes:
        blocks.append(whole[at : at + size])
        at += size
    pieces = [b"".join(piece) for piece in in_pieces(blocks, most, overlap)]
    assert all(len(piece) <= most for piece in pieces)
    again = pieces[0]
    for piece in pieces[1:]:
        shared = min(overlap, len(again))
        assert not shared or piece[:shared] == again[-shared:]
        again += piece[shared:]
    assert again == whole


def test_what_lies_on_a_cut_is_whole_in_one_piece() -> None:
    mark = b"MARK"
    for place in range(30):
        whole = b"." * place + mark + b"." * (30 - place)
        pieces = [b"".join(piece) for piece in in_pieces([whole], 10, len(mark))]
        assert any(mark in piece for piece in pieces), place


def test_an_empty_stream_is_one_empty_piece() -> None:
    assert [b"".join(piece) for piece in in_pieces([], 10, 1)] == [b""]


def test_a_piece_is_longer_than_what_it_shares() -> None:
    with pytest.raises(ValueError, match="longer"):
        next(iter(in_pieces([b"x"], 5, 5)))
