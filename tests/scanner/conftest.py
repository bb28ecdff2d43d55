"""A real clamd for the tests of this folder."""

from __future__ import annotations

from tests.fixtures.clamd import clamd, clamd_program, clamd_server

__all__ = ["clamd", "clamd_program", "clamd_server"]
