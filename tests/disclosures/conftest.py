"""The desk of the tests of files, a case with three files, and a supervisor who leads it."""

from __future__ import annotations

from tests.attachments.conftest import bucket, desk, object_store_server

__all__ = ["bucket", "desk", "object_store_server"]
