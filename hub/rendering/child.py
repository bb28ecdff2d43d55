"""The rendering process: loads its readers, locks itself, and only then reads what it was given. `python -m` starts it."""

from __future__ import annotations

import encodings.idna
import encodings.latin_1
import encodings.utf_16_le
import gc
import json
import os
import sys
from typing import Any

from hub.rendering import documents, pictures, watermark
from hub.rendering.jobs import MAX_HEADER, NO_SANDBOX_EXIT, Job, Unreadable
from hub.rendering.sandbox import SandboxMissing, lock

_LOADED = (encodings.idna, encodings.latin_1, encodings.utf_16_le)
_BLOCK = 1024 * 1024


def main() -> None:
    pictures.prepare()
    font = watermark.load_font()
    try:
        lock()
    except SandboxMissing:
        os._exit(NO_SANDBOX_EXIT)
    job, content = _given()
    try:
        facts, picture = _done(job, content, font)
    except Unreadable as error:
        facts, picture = {"refused": error.code}, b""
    except MemoryError:
        gc.collect()
        facts, picture = {"refused": "too_costly"}, b""
    _write(json.dumps(facts).encode() + b"\n" + picture)
    # nothing of a document that nobody trusts is tidied up
    os._exit(0)


def _given() -> tuple[Job, bytes]:
    held = bytearray()
    while block := os.read(0, _BLOCK):
        held += block
    end = held.index(b"\n", 0, MAX_HEADER)
    job = Job.parse(bytes(held[:end]))
    del held[: end + 1]
    return job, bytes(held)


def _done(job: Job, content: bytes, font: bytes) -> tuple[dict[str, Any], bytes]:
    if job.extension == "pdf":
        if not job.draw:
            return {"pages": documents.look_through(content)}, b""
        picture, pages = documents.drawn(content, job.page, job.longest)
    else:
        if not job.draw:
            pictures.look_through(content, job.extension)
            return {"pages": 1}, b""
        picture, pages = pictures.drawn(content, job.extension, job.longest), 1
    return {"pages": pages}, pictures.as_png(watermark.marked(picture, job.lines, font))


def _write(answer: bytes) -> None:
    view = memoryview(answer)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
    sys.exit(0)
