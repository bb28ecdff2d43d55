"""One object on its way into the store, in bounded memory: whole or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from hub.storage.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# The smallest part S3 allows, so that eight uploads at once stay below 64 MiB (with 8 MiB a part they don't). In as many parts
# as it allows that is 48 GiB, twelve times the largest file.
PART_BYTES = 5 * 1024 * 1024
MOST_PARTS = 10_000


@dataclass(frozen=True)
class StoredObject:
    """What to keep to read an object back. `version_id` is None where a store keeps no versions."""

    key: str
    version_id: str | None
    size: int
    sha256: str


class Upload:
    """Small objects go in one request, larger ones part by part, one part in flight."""

    def __init__(self, client: S3Client, bucket: str, key: str) -> None:
        self.client = client
        self.bucket = bucket
        self.key = key
        # one for all parts: what grows or is made anew for each takes half as much again
        self.buffer = bytearray(PART_BYTES)
        self.filled = 0
        self.digest = hashlib.sha256()
        self.size = 0
        self.upload_id: str | None = None
        self.parts: list[CompletedPartTypeDef] = []
        self.finished = False

    def add(self, block: bytes) -> None:
        self.digest.update(block)
        self.size += len(block)
        with memoryview(block) as left, memoryview(self.buffer) as buffer:
            taken = 0
            while taken < len(block):
                if self.filled == PART_BYTES:
                    self._send()
                step = min(len(block) - taken, PART_BYTES - self.filled)
                buffer[self.filled : self.filled + step] = left[taken : taken + step]
                self.filled += step
                taken += step

    def finish(self) -> StoredObject:
        del self.buffer[self.filled :]
        if self.upload_id is None:
            with translated():
                answer = self.client.put_object(
                    Bucket=self.bucket,
                    Key=self.key,
                    Body=_body(self.buffer),
                    ContentType="application/octet-stream",
                )
            version = answer.get("VersionId")
        else:
            self._send()
            with translated():
                complete = self.client.complete_multipart_upload(
                    Bucket=self.bucket,
                    Key=self.key,
                    UploadId=self.upload_id,
                    MultipartUpload={"Parts": self.parts},
                )
            version = complete.get("VersionId")
        self.finished = True
        return StoredObject(self.key, version, self.size, self.digest.hexdigest())

    def abort_unless_finished(self) -> None:
        if self.finished or self.upload_id is None:
            return
        try:
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=self.upload_id)
        except (BotoCoreError, ClientError):
            pass  # the first failure is the one to report; `abort_unfinished` sweeps what is left

    def _send(self) -> None:
        with translated():
            if self.upload_id is None:
                begun = self.client.create_multipart_upload(
                    Bucket=self.bucket, Key=self.key, ContentType="application/octet-stream"
                )
                self.upload_id = begun["UploadId"]
            number = len(self.parts) + 1
            sent = self.client.upload_part(
                Bucket=self.bucket,
                Key=self.key,
                UploadId=self.upload_id,
                PartNumber=number,
                Body=_body(self.buffer),
            )
        self.filled = 0
        self.parts.append({"PartNumber": number, "ETag": sent["ETag"]})


def _body(part: bytearray) -> bytes:
    """Uncopied: the library takes a bytearray as it is, only its type declarations don't say so."""
    return cast("bytes", part)
