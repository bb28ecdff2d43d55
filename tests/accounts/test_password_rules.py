"""Which passwords are taken: long ones of any characters, and none that guesses begin with."""

from __future__ import annotations

import time

import pytest

from hub.accounts.password_rules import MAX_PASSWORD, MIN_PASSWORD, check_password, to_guess
from hub.core.errors import Invalid

OWN = (
    "Amara Okafor",
    "amara.okafor@northbrook.example",
    "Community safety officer",
    "Northbrook Council",
    "Northbrook Partnership",
)


def refusal(password: str, again: str | None = None) -> str | None:
    try:
        check_password(password, password if again is None else again, OWN)
    except Invalid as invalid:
        (said,) = invalid.errors.values()
        return said
    return None


@pytest.mark.parametrize(
    "password",
    [
        "violet kettle under the rain",
        "violetkettleunderrain",
        "summer winter autumn",  # three words, however common: what the NCSC advises
        "x7#kQ9!mZ2&vL5p",
        "пароль медведь окно",
        "密码很长很长而且没有人会猜到它真的",
        "🔑🐝🌧️ kettle drizzle 🪣🧦🚲",
        "  spaces before and after  ",
        "'; DROP TABLE app_user; --",
        "<script>alert(1)</script>",
        "a\tb\nc\x01 kettle drizzle",
        "\ud800 broken kettle drizzle",
        "kettle drizzle gondola" + "é" * (MAX_PASSWORD - 22),
        "zyxgqk wvutpo nmlkji",
    ],
    ids=range(14),
)
def test_any_characters_are_taken(password: str) -> None:
    assert refusal(password) is None


@pytest.mark.parametrize("length", [0, 1, MIN_PASSWORD - 1, MAX_PASSWORD + 1, 10_000])
def test_the_length_is_bounded_and_nothing_is_cut(length: int) -> None:
    assert "between 15 and 128" in (refusal(("violet kettle drizzle " * 500)[:length]) or "")


@pytest.mark.parametrize("length", [MIN_PASSWORD, MAX_PASSWORD])
def test_both_ends_of_the_length_are_taken(length: int) -> None:
    assert refusal("fjord gulls oat zebra hums verdant oboes at dusk, again and again; nine gulls cross over Fife, "
                   "and the kettle sings in the rain 7 x"[:length].ljust(length, "ż")) is None  # fmt: skip


@pytest.mark.parametrize(
    "password",
    [
        "password1234567890",
        "passwordpassword",
        "Password1!Password1!",
        "P4ssw0rd!P4$$w0rd!",
        "p.a.s.s.w.o.r.d.1.2.3",
        "correct horse battery staple",
        "CorrectHorseBatteryStaple1",
        "qwertyuiopasdfghjkl",
        "1qaz2wsx3edc4rfv",
        "1q2w3e4r5t6y7u8i",
        "poiuytrewqlkjhgfdsa",
        "12345678901234567890",
        "98765432109876543210",
        "abcdefghijklmnopq",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "iloveyouiloveyou2024",
        "letmein letmein letmein",
        "dragonmonkey2024!!",
        "Sunshine!!!!!!!!1999",
        "trustno1trustno1",
        "amara okafor 1984!",
        "amaraokafor@northbrook",
        "Okafor.Amara.2026",
        "NorthbrookCouncil2026",
        "Northbrook Partnership 1",
        "communitysafetyofficer",
        "partnershiphub2026",
        "hub hub hub hub hub",
        "councilpassword99",
        "ＰＡＳＳＷＯＲＤ１２３４５６７８",  # as wide characters
        "ᴾassword  password",
    ],
)
def test_what_guesses_begin_with_is_refused(password: str) -> None:
    assert "easy to guess" in (refusal(password) or ""), to_guess(password, OWN)


def test_both_must_be_the_same() -> None:
    assert refusal("violet kettle drizzle", "violet kettle drizzl") == "The two passwords must be the same"


def test_the_longest_password_is_looked_at_in_no_time() -> None:
    hard = "a1b2" * 8 + "qwer" * 8 + "0o1l" * 8 + "\u0130ß" * 16
    begun = time.process_time()
    to_guess(hard[:MAX_PASSWORD], OWN * 20)
    assert time.process_time() - begun < 1
