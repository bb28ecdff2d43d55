"""A bucket under S3 Object Lock: what is put in it can be deleted by nobody before its date, its own account included.

Objects here are small and whole. Writing a key again makes a new version and leaves the old one; deleting a key only hides
it behind a marker. So versions are listed here, and a reader decides which of them he believes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

import boto3
from botocore.exceptions import ClientError

from hub.config import ArchiveSettings
from hub.core.errors import Unavailable
from hub.storage.errors import ObjectMissing, StoreUnavailable, translated
from hub.storage.s3 import ATTEMPTS, READ_SECONDS, client_for

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

MODE: Final = "COMPLIANCE"
BINARY = "application/octet-stream"
# 256 entries of 64 KiB, and some
MOST_BYTES = 20 * 1024 * 1024


class NotLocked(Unavailable):
    """The bucket, or an object in it, is not under Object Lock as it should be."""

    def __init__(self) -> None:
        super().__init__("archive_not_locked")


@dataclass(frozen=True)
class Locked:
    """A version as the store gives it back. `until` is None where no compliance lock holds it."""

    body: bytes
    version_id: str
    until: datetime | None


@dataclass(frozen=True)
class Version:
    """One entry in the list of a key's versions; a marker hides the ones before it."""

    key: str
    version_id: str
    at: datetime
    marker: bool


class LockedBucket:
    """One bucket. Safe for threads."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def from_settings(cls, settings: ArchiveSettings, *, attempts: int = ATTEMPTS) -> Self:
        session = boto3.session.Session()
        return cls(
            client_for(session, settings, attempts=attempts, read_seconds=READ_SECONDS), settings.s3_bucket
        )

    def check_lock(self) -> None:
        """`NotLocked` unless the bucket was made with Object Lock."""
        try:
            with translated():
                found = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except StoreUnavailable as error:
            if error.reason == "ObjectLockConfigurationNotFoundError":
                raise NotLocked from None
            raise
        except ObjectMissing:
            raise StoreUnavailable("NoSuchBucket") from None
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise NotLocked

    def put(self, key: str, body: bytes, *, until: datetime, kind: str = BINARY) -> str:
        """A new version under a compliance lock; its id."""
        # S3 asks for a checksum of what it is to lock; this is the one that every store knows
        checksum = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        with translated():
            answer = self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=kind,
                ContentMD5=checksum,
                ObjectLockMode=MODE,
                ObjectLockRetainUntilDate=until,
            )
        version = answer.get("VersionId")
        if version is None:
            raise NotLocked
        return version

    def get(self, key: str, version_id: str | None = None) -> Locked:
        """The newest version, or the one that is named. `ObjectMissing` where there is none, or a marker hides it."""
        wanted: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key}
        if version_id is not None:
            wanted["VersionId"] = version_id
        with translated():
            answer = self._client.get_object(**wanted)
            with answer["Body"] as stream:
                body = stream.read(MOST_BYTES + 1)
        held = answer.get("ObjectLockMode") == MODE
        return Locked(
            body[:MOST_BYTES],
            answer.get("VersionId", ""),
            answer.get("ObjectLockRetainUntilDate") if held else None,
        )

    def check_held(self, key: str, version_id: str, until: datetime) -> None:
        """`NotLocked` unless the store itself says that it holds the version until then (to the second)."""
        try:
            with translated():
                found = self._client.get_object_retention(
                    Bucket=self._bucket, Key=key, VersionId=version_id
                ).get("Retention", {})
        except StoreUnavailable as error:
            if error.reason == "NoSuchObjectLockConfiguration":
                raise NotLocked from None
            raise
        kept = found.get("RetainUntilDate")
        if found.get("Mode") != MODE or kept is None or int(kept.timestamp()) < int(until.timestamp()):
            raise NotLocked

    def versions(self, prefix: str) -> Iterator[Version]:
        """Every version and marker of the keys with that beginning; of one key the newest first."""
        with translated():
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            for page in pages:
                for found in page.get("Versions", []):
                    yield Version(found["Key"], found["VersionId"], found["LastModified"], marker=False)
                for marker in page.get("DeleteMarkers", []):
                    yield Version(marker["Key"], marker["VersionId"], marker["LastModified"], marker=True)

    def delete(self, key: str, version_id: str) -> bool:
        """Delete one version for good; False where its lock still holds it."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version_id)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("AccessDenied", "InvalidRequest"):
                return False
            with translated():
                raise
        return True
