"""A witness that trusts the test's log, and its server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.witness.log import Running, TestLog, made, running


@pytest.fixture
def log() -> TestLog:
    return TestLog().grow(600)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Running]:
    with running(made(tmp_path)) as found:
        yield found
