"""A real object store for the tests of this folder."""

from __future__ import annotations

from tests.fixtures.clamd import clamd, clamd_program, clamd_server
from tests.fixtures.store import bucket, object_store_server

__all__ = ["bucket", "clamd", "clamd_program", "clamd_server", "object_store_server"]
