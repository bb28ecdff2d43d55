"""A real object store for the tests of this folder."""

from __future__ import annotations

from tests.fixtures.store import bucket, object_store_server

__all__ = ["bucket", "object_store_server"]
