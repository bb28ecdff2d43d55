"""One kind of cursor, by time or by name: what was made here comes back, everything else is `Invalid`."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest

from hub.core.errors import Invalid
from hub.core.paging import Cursor
from tests.fixtures.turning import HOSTILE, ID, NO_MOMENT, cursor_of

MOMENT = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)
KEY = UUID("0190a0b0-0000-7000-8000-000000000001")


def test_a_cursor_comes_back_as_it_went() -> None:
    assert Cursor.parse(str(Cursor(MOMENT, KEY))) == Cursor(MOMENT, KEY)
    for name in ("Łucja O’Hara", '"Quote", \\', "😀" * 120, ""):
        assert Cursor.parse(str(Cursor(name, KEY)), by=str) == Cursor(name, KEY)
    assert Cursor.parse("") is None and Cursor.parse(None, by=str) is None


def test_a_cursor_of_the_other_kind_is_refused() -> None:
    with pytest.raises(Invalid):
        Cursor.parse(str(Cursor("Amara", KEY)))
    with pytest.raises(TypeError):
        _ = Cursor("Amara", KEY).at


@pytest.mark.parametrize("text", HOSTILE + NO_MOMENT)
def test_what_was_not_made_here_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        Cursor.parse(text)


@pytest.mark.parametrize("text", [*HOSTILE, cursor_of([], ID), base64.urlsafe_b64encode(b"[" * 540).decode()])
def test_a_name_that_the_database_does_not_take_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        Cursor.parse(text, by=str)
