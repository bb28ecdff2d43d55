"""What the tests of the web layer share with the attacks: a planted site, and clients who are signed in once."""

from __future__ import annotations

from tests.attacks.conftest import arena, cast, database, planted

__all__ = ["arena", "cast", "database", "planted"]
