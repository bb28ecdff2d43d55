"""A real object store for the tests of this folder."""

from __future__ import annotations

import time

import pytest

from tests.fixtures.clamd import clamd, clamd_program, clamd_server
from tests.fixtures.store import bucket, object_store_server

__all__ = ["bucket", "clamd", "clamd_program", "clamd_server", "object_store_server"]


@pytest.fixture(autouse=True)
def _long_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service of these tests was started long ago, unless they say otherwise."""
    monkeypatch.setattr("hub.web.health._STARTED", time.monotonic() - 3_600)
