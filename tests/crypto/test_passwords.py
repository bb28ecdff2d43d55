"""Password hashes: their strength, their number at once, and the equal time of unknown users."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.crypto import passwords
from hub.crypto.errors import Busy
from hub.crypto.passwords import COST, Cost, hash_password, needs_rehash, verify_password

CHEAP = Cost(memory_kib=64, passes=1)
WORK = Cost(memory_kib=8192, passes=2)


def test_the_default_is_argon2id_at_64_mib_three_passes_one_lane() -> None:
    stored = hash_password("correct horse battery staple")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert verify_password(stored, "correct horse battery staple")
    assert not needs_rehash(stored)


@given(password=st.text(), other=st.text())
@settings(max_examples=60, deadline=None)
def test_only_the_password_itself_fits(password: str, other: str) -> None:
    stored = hash_password(password, cost=CHEAP)
    assert verify_password(stored, password, cost=CHEAP)
    if passwords._bytes(password) != passwords._bytes(other):
        assert not verify_password(stored, other, cost=CHEAP)


@pytest.mark.parametrize("password", ["x" * 5000, "pass\0word", "\ud800 broken", "пароль密码🔑"])
def test_any_characters_and_any_length_are_hashed_whole(password: str) -> None:
    stored = hash_password(password, cost=CHEAP)
    assert verify_password(stored, password, cost=CHEAP)
    assert not verify_password(stored, password[:-1], cost=CHEAP)


def test_a_password_composed_by_another_keyboard_fits() -> None:
    assert verify_password(hash_password("caf\u00e9", cost=CHEAP), "cafe\u0301", cost=CHEAP)


def test_equal_passwords_have_unequal_hashes() -> None:
    assert hash_password("same", cost=CHEAP) != hash_password("same", cost=CHEAP)


GOOD = hash_password("secret", cost=CHEAP)
SALT, HASH = GOOD.split("$")[-2:]


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "!",
        "secret",
        GOOD.replace("argon2id", "argon2i"),
        GOOD.replace("v=19", "v=16"),
        GOOD[:-1],
        GOOD + "A",
        GOOD + "\n",
        GOOD.replace("m=64", "m=7"),
        GOOD.replace("m=64", "m=064"),
        GOOD.replace("t=1", "t=0"),
        GOOD.replace(HASH, "!" * len(HASH)),
        GOOD.replace(HASH, HASH[:-1] + "B"),
        GOOD.replace(SALT, SALT[:-1] + "B"),
        "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZFN2Sv1VxYhQjz0sQ9JrN5o3yVxZ1W",
    ],
    # the salt is drawn anew by every worker: its text can't be a test's name
    ids=range(16),
)
def test_nothing_fits_what_is_no_hash_of_ours(stored: str | None) -> None:
    assert verify_password(stored, "secret", cost=CHEAP) is False
    assert stored is None or needs_rehash(stored, cost=CHEAP)


@given(stored=st.one_of(st.text(), st.from_regex(passwords._STORED, fullmatch=True)))
@settings(max_examples=30, deadline=None)
def test_any_stored_text_is_answered_not_crashed_on(stored: str) -> None:
    parameters = passwords._parameters(stored)
    if parameters is None or parameters[0] * parameters[1] < 2000:  # what it would cost is not tried
        assert verify_password(stored, "secret", cost=CHEAP) is False


def test_a_hash_of_another_cost_still_fits_and_asks_to_be_renewed() -> None:
    stored = hash_password("secret", cost=CHEAP)
    assert verify_password(stored, "secret", cost=COST)
    assert needs_rehash(stored, cost=COST)
    assert not needs_rehash(stored, cost=CHEAP)


def test_an_unknown_user_takes_the_time_of_a_wrong_password() -> None:
    stored = hash_password("secret", cost=WORK)

    def seconds(candidate: str | None) -> float:
        begun = time.process_time()
        assert not verify_password(candidate, "wrong", cost=WORK)
        return time.process_time() - begun

    pairs = [(seconds(stored), seconds(None)) for _ in range(25)]
    known, unknown = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    assert unknown == pytest.approx(known, rel=0.1)


def test_only_two_hash_at_once_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.05)
    slow = Cost(memory_kib=65_536, passes=8)
    gate = threading.Barrier(6)

    def attempt(_: int) -> str:
        gate.wait()
        try:
            return str(verify_password(None, "x", cost=slow))
        except Busy as busy:
            return busy.code

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(attempt, range(6)))
    assert answers == ["False", "False", "busy", "busy", "busy", "busy"]
    assert verify_password(GOOD, "secret"), "room again afterwards"


def test_those_who_wait_get_their_turn() -> None:
    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(lambda _: verify_password(GOOD, "secret"), range(48)))


def test_a_crowd_of_strangers_is_told_at_once_and_leaves_room_for_others() -> None:
    slow, gate, over = Cost(memory_kib=65_536, passes=12), threading.Barrier(9), threading.Event()
    waited: list[float] = []

    def stranger(_: int) -> str:
        gate.wait()
        begun = time.monotonic()
        try:
            return str(passwords.verify_strangers_password(None, "x", cost=slow))
        except Busy as busy:
            waited.append(time.monotonic() - begun)
            return busy.code
        finally:
            over.set()

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(stranger, range(8))
        gate.wait()
        over.wait()
        with pytest.raises(Busy):
            passwords.check_room_for_strangers()
        # strangers wait, and somebody else does not
        assert verify_password(GOOD, "secret")
        assert sorted(answers) == ["False"] * passwords.STRANGERS + ["busy"] * (8 - passwords.STRANGERS)
    assert max(waited) < 1, waited
    passwords.check_room_for_strangers()


def test_strangers_are_checked_one_at_a_time_and_behind_all_other_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[int, int]] = []
    now = itertools.count()
    inside: set[int] = set()

    def verify(*_: object, **__: object) -> bool:
        inside.add(next(now))
        seen.append((len(inside), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
        time.sleep(0.02)
        inside.clear()
        return True

    monkeypatch.setattr(passwords, "verify_password", verify)
    with ThreadPoolExecutor(passwords.STRANGERS) as pool:
        assert (
            list(pool.map(lambda _: passwords.verify_strangers_password(None, "x"), range(3))) == [True] * 3
        )
    assert seen == [(1, passwords.PRIORITY_OF_STRANGERS)] * 3
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < passwords.PRIORITY_OF_STRANGERS


def test_room_is_given_back_after_a_failure() -> None:
    impossible = Cost(passes=0)
    for _ in range(passwords.AT_ONCE + 1):
        with pytest.raises(Busy):
            hash_password("x", cost=impossible)
    assert verify_password(GOOD, "secret")


@pytest.mark.timing
def test_a_check_costs_between_a_tenth_and_half_a_second() -> None:
    """SECURITY N6, in the time of one processor: less is cheap to guess at, more keeps people waiting."""
    stored, took = hash_password("secret"), []
    for _ in range(9):
        begun = time.process_time()
        assert verify_password(stored, "secret")
        took.append(time.process_time() - begun)
    assert 0.1 <= statistics.median(took) <= 0.5, took
    assert (COST.memory_kib, COST.passes) >= (19_456, 2)


def test_a_hundred_checks_at_once_stay_under_a_bound_of_memory() -> None:
    """In a process of its own, whose peak nothing else has raised: two hashes at once and no more, whoever else waits."""
    program = (
        "import resource, threading\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from hub.crypto.errors import Busy\n"
        "from hub.crypto.passwords import AT_ONCE, COST, verify_password\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "def one(_):\n"
        "    try:\n"
        "        return verify_password(None, 'x')\n"
        "    except Busy:\n"
        "        return None\n"
        "before, gate = peak(), threading.Barrier(100)\n"
        "def together(number):\n"
        "    gate.wait()\n"
        "    return one(number)\n"
        "with ThreadPoolExecutor(100) as pool:\n"
        "    answers = list(pool.map(together, range(100)))\n"
        "print(answers.count(False), answers.count(None), (peak() - before) / (AT_ONCE * COST.memory_kib))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    answered, busy, share = done.stdout.split()
    assert int(answered) + int(busy) == 100 and int(answered) >= passwords.AT_ONCE
    assert float(share) < 1.5, done.stdout
