"""Objects in an S3 bucket: stored as streams in bounded memory, read back whole or in part, deleted, listed.

Keys are random and used once; what an object is called and who may read it stands in the database. Nothing
here seals or opens: callers hand over ciphertext. Only what every S3 server does is used (path addressing, no
trailing checksums), so that SeaweedFS, Ceph, `rclone serve s3` and a cloud's own all serve.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from hub.config import ArchiveSettings, Settings
from hub.storage.errors import ObjectChanged, ObjectMissing, StoreUnavailable, translated
from hub.storage.uploads import Ahead, StoredObject, Upload

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        GetObjectRequestTypeDef,
        MultipartUploadTypeDef,
    )

KEY_PREFIX = "sealed/"
BLOCK_BYTES = 256 * 1024
# What one request asks for: some stores read far ahead of a slow reader and throw it away again. SeaweedFS spends five times
# the work on a long object asked for at once.
SEGMENT_BYTES = 16 * 1024 * 1024
CONNECT_SECONDS = 2
READ_SECONDS = 30
ATTEMPTS = 3


def new_object_key() -> str:
    """A key that nobody can guess and that says nothing: 160 random bits, spread over 256 folders."""
    token = secrets.token_hex(20)
    return f"{KEY_PREFIX}{token[:2]}/{token[2:]}"


class ObjectStore:
    """One bucket. Safe for threads; make one per process."""

    def __init__(self, client: S3Client, probe: S3Client, bucket: str) -> None:
        self._client = client
        self._probe = probe
        self._bucket = bucket
        self._ahead = Ahead()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        session = (
            boto3.session.Session()
        )  # never the shared one: making clients of it is not safe for threads
        client = client_for(session, settings, attempts=ATTEMPTS, read_seconds=READ_SECONDS)
        probe = client_for(session, settings, attempts=1, read_seconds=CONNECT_SECONDS)
        return cls(client, probe, settings.s3_bucket)

    def put_stream(self, key: str, blocks: Iterable[bytes]) -> StoredObject:
        """Store a stream of any length, holding a few parts of it at a time.

        An error of `blocks` passes through as it is; then, as after any failure, the parts sent are dropped.
        Only a lost answer to the very last request can leave an object that no row names: `list_keys` finds
        it.
        """
        upload = Upload(self._client, self._bucket, key, self._ahead)
        try:
            for block in blocks:
                upload.add(block)
            return upload.finish()
        finally:
            upload.close()

    def read(
        self,
        key: str,
        version_id: str | None,
        offset: int,
        length: int,
        *,
        whole: int | None = None,
        block_bytes: int = BLOCK_BYTES,
    ) -> Iterator[bytes]:
        """Exactly `length` bytes from `offset`, in blocks.

        ObjectChanged when the object ends before them, or is not the size of `whole`.
        """
        if length == 0:
            return iter(())
        first = self._segment(key, version_id, offset, length, whole)
        return self._segments(first, key, version_id, offset, length, whole, block_bytes)

    def stream(
        self, key: str, version_id: str | None, expected_size: int, *, block_bytes: int = BLOCK_BYTES
    ) -> Iterator[bytes]:
        """The whole object in blocks. ObjectChanged before the first one when its size differs."""
        if expected_size:
            return self.read(key, version_id, 0, expected_size, whole=expected_size, block_bytes=block_bytes)
        answer = self._get(key, version_id)
        _refuse_unless(answer, answer["ContentLength"] == 0)
        return _blocks(answer["Body"], block_bytes)

    def delete(self, key: str, version_id: str | None) -> None:
        """Delete one version for good; with None every version of the key. What is gone is no error."""
        with translated():
            if version_id is None:
                self._delete_every_version(key)
            else:
                self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version_id)

    def list_keys(self, prefix: str, older_than: datetime) -> Iterator[str]:
        """Keys of the objects stored before a moment, to find those that no row names."""
        with translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                yield from (
                    found["Key"] for found in page.get("Contents", []) if found["LastModified"] < older_than
                )

    def abort_unfinished(self, older_than: datetime) -> int:
        """Drop the parts of uploads that a killed process left; how many there were."""
        with translated():
            stale = [found for found in self._unfinished() if found["Initiated"] < older_than]
            for found in stale:
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=found["Key"], UploadId=found["UploadId"]
                )
        return len(stale)

    def _unfinished(self) -> list[MultipartUploadTypeDef]:
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket, Prefix=KEY_PREFIX
        )
        try:
            return [found for page in pages for found in page.get("Uploads", [])]
        except ClientError as error:
            # rclone says so of a bucket that never had any
            if error.response.get("Error", {}).get("Code") != "NoSuchUpload":
                raise
            return []

    def check(self) -> None:
        """For the health page: StoreUnavailable unless the bucket answers us within seconds."""
        try:
            with translated():
                self._probe.head_bucket(Bucket=self._bucket)
        except ObjectMissing:
            raise StoreUnavailable("NoSuchBucket") from None

    def _get(self, key: str, version_id: str | None, *, range_of: str = "") -> GetObjectOutputTypeDef:
        wanted: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key}
        if version_id is not None:
            wanted["VersionId"] = version_id
        if range_of:
            wanted["Range"] = range_of
        with translated():
            return self._client.get_object(**wanted)

    def _segment(
        self, key: str, version_id: str | None, offset: int, left: int, whole: int | None
    ) -> GetObjectOutputTypeDef:
        """The next of what is left, as far as one request goes. Refuses unread what is not what was asked for."""
        length = min(left, SEGMENT_BYTES)
        answer = self._get(key, version_id, range_of=f"bytes={offset}-{offset + length - 1}")
        sized = whole is None or answer.get("ContentRange", "").endswith(f"/{whole}")
        # another length: the object ends before, or the server knows no ranges
        _refuse_unless(answer, sized and answer["ContentLength"] == length)
        return answer

    def _segments(
        self,
        answer: GetObjectOutputTypeDef,
        key: str,
        version_id: str | None,
        offset: int,
        left: int,
        whole: int | None,
        block_bytes: int,
    ) -> Iterator[bytes]:
        while True:
            yield from _blocks(answer["Body"], block_bytes)
            offset, left = offset + SEGMENT_BYTES, left - SEGMENT_BYTES
            if left <= 0:
                return
            answer = self._segment(key, version_id, offset, left, whole)

    def _delete_every_version(self, key: str) -> None:
        try:
            versions = self._versions(key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "NotImplemented":
                raise
            self._client.delete_object(Bucket=self._bucket, Key=key)
            return
        for version in versions:
            self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)

    def _versions(self, key: str) -> list[str]:
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
        found = [
            entry for page in pages for entry in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        return [entry["VersionId"] for entry in found if entry["Key"] == key]


def _refuse_unless(answer: GetObjectOutputTypeDef, as_expected: bool) -> None:
    if not as_expected:
        answer["Body"].close()
        raise ObjectChanged


def _blocks(body: StreamingBody, block_bytes: int) -> Iterator[bytes]:
    try:
        while True:
            with translated():
                block = body.read(block_bytes)
            if not block:
                return
            yield block
    finally:
        body.close()


def client_for(
    session: boto3.session.Session, settings: Settings | ArchiveSettings, *, attempts: int, read_seconds: int
) -> S3Client:
    return session.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key,
        region_name=settings.s3_region,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=32,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
