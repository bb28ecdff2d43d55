"""The object store against real servers: whole or not at all, pinned, within bounds, with named errors."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hub.config import Settings
from hub.core.errors import Unavailable
from hub.launcher.objectstore import S3Address, client_for
from hub.storage.errors import ObjectChanged, ObjectMissing, StoreUnavailable
from hub.storage.s3 import KEY_PREFIX, ObjectStore, new_object_key
from hub.storage.uploads import AHEAD, PART_BYTES

if TYPE_CHECKING:
    from tests.storage.conftest import Relay

SettingsOf = Callable[..., Settings]
MIB = 1024 * 1024


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def blocks_of(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def unfinished(address: S3Address) -> list[str]:
    client = client_for(address)
    try:
        answer = client.list_multipart_uploads(Bucket=address.bucket, Prefix=KEY_PREFIX)
    except client.exceptions.NoSuchUpload:  # rclone says so of a bucket that never had any
        return []
    return [found["Key"] for found in answer.get("Uploads", [])]


# --- storing and reading


@pytest.mark.parametrize(
    "size",
    [0, 1, 72, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 12_345, 7 * PART_BYTES + 5],
)
def test_what_is_stored_is_read_back(store: ObjectStore, size: int) -> None:
    data, key = os.urandom(size), new_object_key()
    stored = store.put_stream(key, blocks_of(data))
    assert (stored.key, stored.size, stored.sha256) == (key, size, hashlib.sha256(data).hexdigest())
    assert b"".join(store.stream(key, stored.version_id, size)) == data


def test_one_block_larger_than_several_parts_is_stored(store: ObjectStore, address: S3Address) -> None:
    data, key = os.urandom(2 * PART_BYTES + 3), new_object_key()
    stored = store.put_stream(key, [data])
    told = client_for(address).head_object(Bucket=address.bucket, Key=key)["ETag"].strip('"')
    # rclone keeps no count of the parts
    assert told.endswith("-3") or "-" not in told, "in parts of one size, as some stores demand"
    assert b"".join(store.stream(key, stored.version_id, len(data))) == data


def test_any_part_is_read_exactly(store: ObjectStore) -> None:
    data, key = os.urandom(PART_BYTES + 100), new_object_key()
    stored = store.put_stream(key, blocks_of(data))
    for offset, length in [(0, 1), (0, 56), (99, 1000), (PART_BYTES - 5, 10), (len(data) - 1, 1), (7, 0)]:
        assert b"".join(store.read(key, stored.version_id, offset, length)) == data[offset : offset + length]


def test_blocks_have_the_size_asked_for(store: ObjectStore) -> None:
    key = new_object_key()
    stored = store.put_stream(key, [bytes(300_000)])
    sizes = [len(block) for block in store.stream(key, stored.version_id, 300_000, block_bytes=65_536)]
    assert sum(sizes) == 300_000
    assert max(sizes) <= 65_536


def test_the_pinned_version_is_read_whatever_came_later(versioned: ObjectStore) -> None:
    key = new_object_key()
    first = versioned.put_stream(key, [b"first"])
    second = versioned.put_stream(key, [b"other"])
    assert first.version_id != second.version_id
    assert b"".join(versioned.read(key, first.version_id, 0, 5)) == b"first"
    assert b"".join(versioned.stream(key, second.version_id, 5)) == b"other"


def test_a_deleted_version_does_not_come_back_as_another(versioned: ObjectStore) -> None:
    key = new_object_key()
    first = versioned.put_stream(key, [b"first"])
    versioned.put_stream(key, [b"other"])
    versioned.delete(key, first.version_id)
    with pytest.raises(ObjectMissing):
        versioned.read(key, first.version_id, 0, 5)


# --- what is not there, or not as it was


def test_what_is_not_there_is_missing(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        store.read(new_object_key(), None, 0, 1)
    with pytest.raises(ObjectMissing):
        store.stream(new_object_key(), None, 1)


@pytest.mark.parametrize("version", ["0" * 32, "odd", "null"])
def test_an_unknown_version_is_missing(versioned: ObjectStore, version: str) -> None:
    key = new_object_key()
    versioned.put_stream(key, [b"x"])
    with pytest.raises(ObjectMissing):
        versioned.stream(key, version, 1)


@pytest.mark.parametrize("expected", [0, 99, 101])
def test_another_size_than_expected_is_refused_before_the_first_byte(
    store: ObjectStore, expected: int
) -> None:
    key = new_object_key()
    stored = store.put_stream(key, [bytes(100)])
    with pytest.raises(ObjectChanged):
        store.stream(key, stored.version_id, expected)


@pytest.mark.parametrize(("offset", "length"), [(99, 2), (100, 1), (5000, 10), (0, 101)])
def test_a_part_beyond_the_end_is_refused(store: ObjectStore, offset: int, length: int) -> None:
    key = new_object_key()
    stored = store.put_stream(key, [bytes(100)])
    with pytest.raises(ObjectChanged):
        store.read(key, stored.version_id, offset, length)


# --- whole or not at all


class Broken(Exception):
    pass


@pytest.mark.parametrize("failure", [Broken, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("after", [10, PART_BYTES + 10, 3 * PART_BYTES])
def test_a_broken_stream_leaves_nothing_behind(
    store: ObjectStore, address: S3Address, failure: type[BaseException], after: int
) -> None:
    def blocks() -> Iterator[bytes]:
        yield from blocks_of(bytes(after), MIB)
        raise failure

    key = new_object_key()
    with pytest.raises(failure):
        store.put_stream(key, blocks())
    assert key not in unfinished(address)
    with pytest.raises(ObjectMissing):
        store.read(key, None, 0, 1)


def test_a_finished_upload_is_no_longer_open(store: ObjectStore, address: S3Address) -> None:
    key = new_object_key()
    store.put_stream(key, [bytes(PART_BYTES + 1)])
    assert key not in unfinished(address)


def test_a_bucket_without_uploads_has_nothing_to_sweep(store: ObjectStore) -> None:
    assert store.abort_unfinished(datetime.now(UTC) - timedelta(days=1)) == 0


def test_parts_that_a_killed_process_left_are_swept(store: ObjectStore, address: S3Address) -> None:
    key, client = new_object_key(), client_for(address)
    begun = client.create_multipart_upload(Bucket=address.bucket, Key=key)
    client.upload_part(
        Bucket=address.bucket, Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=bytes(5 * MIB)
    )
    assert store.abort_unfinished(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert key in unfinished(address)
    assert store.abort_unfinished(soon()) == 1
    assert key not in unfinished(address)


def test_a_large_upload_and_download_hold_little_memory(versioned: ObjectStore) -> None:
    key, size = new_object_key(), 64 * MIB
    block = os.urandom(64 * 1024)
    versioned.put_stream(new_object_key(), [block])  # what is loaded once is not counted
    tracemalloc.start()
    try:
        stored = versioned.put_stream(key, (block for _ in range(size // len(block))))
        _, peak_up = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        assert sum(len(part) for part in versioned.stream(key, stored.version_id, size)) == size
        _, peak_down = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_up < (AHEAD + 2) * PART_BYTES
    assert peak_down < 4 * MIB


# --- deleting and listing


def test_one_version_is_deleted_for_good(versioned: ObjectStore, versioned_address: S3Address) -> None:
    key = new_object_key()
    stored = versioned.put_stream(key, [b"gone"])
    versioned.delete(key, stored.version_id)
    versioned.delete(key, stored.version_id)
    left = client_for(versioned_address).list_object_versions(Bucket=versioned_address.bucket, Prefix=key)
    assert not left.get("Versions") and not left.get("DeleteMarkers")


def test_without_a_version_nothing_of_the_key_is_left(store: ObjectStore, versioned: ObjectStore) -> None:
    key = new_object_key()
    for text in (b"one", b"two", b"three"):
        store.put_stream(key, [text])
    neighbour = store.put_stream(key + "0", [b"stays"])
    store.delete(key, None)
    store.delete(key, None)
    with pytest.raises(ObjectMissing):
        store.read(key, None, 0, 1)
    assert b"".join(store.read(neighbour.key, neighbour.version_id, 0, 5)) == b"stays"


def test_no_version_outlives_a_whole_deletion(versioned: ObjectStore, versioned_address: S3Address) -> None:
    key, client = new_object_key(), client_for(versioned_address)
    stored = versioned.put_stream(key, [b"one"])
    client.delete_object(Bucket=versioned_address.bucket, Key=key)  # leaves a marker over the version
    versioned.delete(key, None)
    left = client.list_object_versions(Bucket=versioned_address.bucket, Prefix=key)
    assert not left.get("Versions") and not left.get("DeleteMarkers")
    with pytest.raises(ObjectMissing):
        versioned.read(key, stored.version_id, 0, 1)


def test_keys_are_listed_by_prefix_and_age(store: ObjectStore) -> None:
    prefix = f"{KEY_PREFIX}list-{os.urandom(4).hex()}/"
    keys = {f"{prefix}{number:04}" for number in range(25)}
    for key in keys:
        store.put_stream(key, [b"x"])
    assert set(store.list_keys(prefix, soon())) == keys
    assert list(store.list_keys(prefix, datetime.now(UTC) - timedelta(hours=1))) == []
    assert list(store.list_keys(prefix + "none", soon())) == []


def test_object_keys_say_nothing_and_never_come_twice() -> None:
    keys = {new_object_key() for _ in range(10_000)}
    assert len(keys) == 10_000
    assert all(re.fullmatch(r"sealed/[0-9a-f]{2}/[0-9a-f]{38}", key) for key in keys)


# --- a store that fails


def test_a_store_that_works_is_healthy(store: ObjectStore) -> None:
    store.check()


EVERY_CALL: dict[str, Callable[[ObjectStore], object]] = {
    "check": lambda store: store.check(),
    "put small": lambda store: store.put_stream(new_object_key(), [b"x"]),
    "put large": lambda store: store.put_stream(new_object_key(), [bytes(PART_BYTES + 1)]),
    "read": lambda store: store.read(new_object_key(), None, 0, 1),
    "stream": lambda store: store.stream(new_object_key(), None, 1),
    "delete": lambda store: store.delete(new_object_key(), "1"),
    "delete all": lambda store: store.delete(new_object_key(), None),
    "list": lambda store: list(store.list_keys(KEY_PREFIX, soon())),
    "sweep": lambda store: store.abort_unfinished(soon()),
}


WRONG = {
    "address": {"s3_endpoint": "http://127.0.0.1:1"},
    "secret": {"s3_secret_key": "wrong-but-long-enough"},
    "key": {"s3_access_key": "NOBODY"},
    "bucket": {"s3_bucket": "no-such-bucket"},
}


@pytest.fixture(scope="module", params=WRONG.values(), ids=list(WRONG))
def refusing(request: pytest.FixtureRequest, seaweedfs: S3Address, settings_of: SettingsOf) -> ObjectStore:
    return ObjectStore.from_settings(settings_of(seaweedfs, **request.param))


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL)
def test_a_store_that_refuses_us_is_unavailable(
    refusing: ObjectStore, call: Callable[[ObjectStore], object], seaweedfs: S3Address
) -> None:
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable) as failure:
        call(refusing)
    assert isinstance(failure.value, Unavailable)
    assert time.monotonic() - begun < 12
    shown = f"{failure.value} {failure.value.reason} {failure.value.message}"
    assert seaweedfs.secret_key not in shown and "127.0.0.1" not in shown


def test_a_store_that_hangs_is_unhealthy_within_seconds(
    seaweedfs: S3Address, settings_of: SettingsOf, hanging: str
) -> None:
    store = ObjectStore.from_settings(settings_of(seaweedfs, s3_endpoint=hanging))
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.check()
    assert time.monotonic() - begun < 6


@pytest.mark.slow
def test_an_address_that_swallows_everything_is_given_up_soon(settings_of_nowhere: Settings) -> None:
    store = ObjectStore.from_settings(settings_of_nowhere)
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.read(new_object_key(), None, 0, 1)
    assert time.monotonic() - begun < 15


@pytest.fixture
def settings_of_nowhere(seaweedfs: S3Address, settings_of: SettingsOf) -> Iterator[Settings]:
    """A listener whose queue of connections is full: further ones get no answer at all."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            waiting.append(client)
        yield settings_of(seaweedfs, s3_endpoint=f"http://127.0.0.1:{address[1]}")
        for client in waiting:
            client.close()


def test_a_line_that_breaks_while_reading_is_noticed(
    versioned: ObjectStore, over_relay: ObjectStore, relay: Relay
) -> None:
    key, data = new_object_key(), os.urandom(4 * MIB)
    stored = versioned.put_stream(key, [data])
    relay.cut_down = MIB
    received = bytearray()
    with pytest.raises(StoreUnavailable):
        for block in over_relay.stream(key, stored.version_id, len(data)):
            received += block
    assert 0 < len(received) < len(data)
    assert data.startswith(received)
    relay.cut_down = MIB
    with pytest.raises(StoreUnavailable):
        list(over_relay.read(key, stored.version_id, 0, len(data)))


def test_a_line_that_breaks_while_storing_is_noticed(
    over_relay: ObjectStore, relay: Relay, versioned: ObjectStore
) -> None:
    key = new_object_key()
    relay.cut_up = PART_BYTES + 2 * MIB
    with pytest.raises(StoreUnavailable):
        over_relay.put_stream(key, blocks_of(bytes(4 * PART_BYTES)))
    with pytest.raises(ObjectMissing):
        versioned.read(key, None, 0, 1)


def test_a_line_that_breaks_once_is_tried_again(over_relay: ObjectStore, relay: Relay) -> None:
    key, data = new_object_key(), os.urandom(3 * PART_BYTES)

    def blocks() -> Iterator[bytes]:
        for at, block in enumerate(blocks_of(data, MIB)):
            if at == 10:
                for each in relay.open:
                    each.close()
            yield block

    stored = over_relay.put_stream(key, blocks())
    assert b"".join(over_relay.stream(key, stored.version_id, len(data))) == data
