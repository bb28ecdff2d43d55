"""The buffers that uploads of a process share: given back by each, and in a crowd one for each."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hub.storage.s3 import ObjectStore, new_object_key
from hub.storage.uploads import AHEAD, BUFFERS, PART_BYTES


class Broken(Exception):
    pass


def test_whole_and_broken_uploads_give_back_their_buffers(store: ObjectStore) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(4 * PART_BYTES)
        raise Broken

    for _ in range(AHEAD):
        store.put_stream(new_object_key(), [bytes(4 * PART_BYTES)])
        with pytest.raises(Broken):
            store.put_stream(new_object_key(), broken())
    assert store._ahead.held == 0


def test_in_a_crowd_an_upload_keeps_one_buffer(store: ObjectStore) -> None:
    ahead, data = store._ahead, os.urandom(9 * PART_BYTES)

    def crowding() -> Iterator[bytes]:
        yield data[: 4 * PART_BYTES]
        assert ahead.held == AHEAD + 1
        ahead.held += BUFFERS
        yield data[4 * PART_BYTES : 6 * PART_BYTES]
        assert ahead.held == BUFFERS + 1
        ahead.held -= BUFFERS
        yield data[6 * PART_BYTES :]
        assert ahead.held == AHEAD + 1

    key = new_object_key()
    stored = store.put_stream(key, crowding())
    assert ahead.held == 0
    assert b"".join(store.stream(key, stored.version_id, stored.size)) == data
