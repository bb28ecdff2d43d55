"""One object on its way into the store, in bounded memory: whole or not at all."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
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
# How many parts of one upload may be on their way while the next is filled: a store on two processors takes two at once.
AHEAD = 2
# How many buffers of a process uploads share. Each has one in any case; in a crowd that keeps the lines busy by itself.
BUFFERS = 8


@dataclass(frozen=True)
class StoredObject:
    """What to keep to read an object back. `version_id` is None where a store keeps no versions."""

    key: str
    version_id: str | None
    size: int
    sha256: str


class Ahead:
    """Sends parts behind the back of whoever fills the next, as far as there are buffers for both."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="part")
        self.lock = threading.Lock()
        self.held = 0

    @property
    def crowded(self) -> bool:
        return self.held > BUFFERS

    def take(self, *, always: bool = False) -> bool:
        """One buffer more, if there is one to be had."""
        with self.lock:
            if self.held >= BUFFERS and not always:
                return False
            self.held += 1
            return True

    def give_back(self, count: int) -> None:
        with self.lock:
            self.held -= count


class Upload:
    """Small objects go in one request, larger ones part by part: the next is filled meanwhile where `ahead` has a place."""

    def __init__(self, client: S3Client, bucket: str, key: str, ahead: Ahead) -> None:
        self.client = client
        self.bucket = bucket
        self.key = key
        self.ahead = ahead
        self.held = 1
        ahead.take(always=True)
        self.spare: list[bytearray] = []
        self.in_flight: deque[tuple[Future[CompletedPartTypeDef], bytearray]] = deque()
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
        with memoryview(block) as left:
            taken = 0
            while taken < len(block):
                if self.filled == PART_BYTES:
                    self._send()
                step = min(len(block) - taken, PART_BYTES - self.filled)
                self.buffer[self.filled : self.filled + step] = left[taken : taken + step]
                self.filled += step
                taken += step

    def finish(self) -> StoredObject:
        if self.upload_id is None:
            del self.buffer[self.filled :]
            with translated():
                answer = self.client.put_object(
                    Bucket=self.bucket,
                    Key=self.key,
                    Body=_body(self.buffer),
                    ContentType="application/octet-stream",
                )
            version = answer.get("VersionId")
        else:
            while self.in_flight:
                self._land()
            del self.buffer[self.filled :]
            self.parts.append(self._part(len(self.parts) + 1, self.buffer))
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

    def close(self) -> None:
        """Gives back what was held; drops the parts that were sent unless the object is whole."""
        wait(future for future, _ in self.in_flight)
        self.in_flight.clear()
        self.spare.clear()
        self._give_back(self.held)
        if self.finished or self.upload_id is None:
            return
        try:
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=self.upload_id)
        except (BotoCoreError, ClientError):
            pass  # the first failure is the one to report; `abort_unfinished` sweeps what is left

    def _send(self) -> None:
        """Sends the full part: behind our back where there is a place for that, else before going on."""
        if self.upload_id is None:
            with translated():
                begun = self.client.create_multipart_upload(
                    Bucket=self.bucket, Key=self.key, ContentType="application/octet-stream"
                )
            self.upload_id = begun["UploadId"]
        self._find_spare()
        number = len(self.parts) + len(self.in_flight) + 1
        if self.spare:
            self.in_flight.append((self.ahead.pool.submit(self._part, number, self.buffer), self.buffer))
            self.buffer = self.spare.pop()
        else:
            self.parts.append(self._part(number, self.buffer))
        self.filled = 0

    def _find_spare(self) -> None:
        """A buffer to fill while the full one is sent: a new one, or that of the oldest part in flight once it has arrived."""
        while self.ahead.crowded and self.held > 1:
            if not self.spare:
                self._land()
            self.spare.pop()
            self._give_back(1)
        if self.spare:
            return
        if len(self.in_flight) < AHEAD and self.ahead.take():
            self.held += 1
            self.spare.append(bytearray(PART_BYTES))
        elif self.in_flight:
            self._land()

    def _give_back(self, count: int) -> None:
        self.held -= count
        self.ahead.give_back(count)

    def _land(self) -> None:
        """Waits for the oldest part in flight; raises what became of it."""
        in_flight, buffer = self.in_flight.popleft()
        self.parts.append(in_flight.result())
        self.spare.append(buffer)

    def _part(self, number: int, part: bytearray) -> CompletedPartTypeDef:
        with translated():
            sent = self.client.upload_part(
                Bucket=self.bucket,
                Key=self.key,
                UploadId=self.upload_id or "",
                PartNumber=number,
                Body=_body(part),
            )
        return {"PartNumber": number, "ETag": sent["ETag"]}


def _body(part: bytearray) -> bytes:
    """Uncopied: the library takes a bytearray as it is, only its type declarations don't say so."""
    return cast("bytes", part)
