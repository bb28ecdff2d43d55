"""The demonstration's witness: made once, trusting the log's key, and the log told where it listens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.audit.witnessing import read_witnesses
from hub.launcher.partner_witness import NAME, PartnerWitness
from hub.witness.state import StateFile

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What the log's own process is told, with a key of its own."""
    key = tmp_path / "log.key"
    key.write_bytes(bytes(range(32)))
    return {**os.environ, "HUB_LOG_KEY_FILE": str(key), "HUB_LOG_ORIGIN": "hub.example/log"}


def test_it_is_made_once_and_trusts_the_log(tmp_path: Path, environment: dict[str, str]) -> None:
    first = PartnerWitness(tmp_path, PROJECT)
    first.prepare(environment)
    (told,) = read_witnesses(first.told)
    state = StateFile(first.state).read()
    assert told.verifier.name == NAME and told.verifier == state.signer.verifier
    assert list(state.logs) == ["hub.example/log"]
    assert told.url == f"http://127.0.0.1:{first.port}"
    again = PartnerWitness(tmp_path, PROJECT)
    again.prepare(environment)
    assert read_witnesses(again.told)[0].verifier == told.verifier
    assert not [name for name in again.program(environment).environment if name.startswith("HUB_")]


def test_a_start_that_was_broken_off_half_way_is_made_good_by_the_next(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    broken = PartnerWitness(tmp_path, PROJECT)
    broken.prepare(environment)
    broken.state.with_name("key.pub").unlink()
    again = PartnerWitness(tmp_path, PROJECT)
    again.prepare(environment)
    state = StateFile(again.state).read()
    assert read_witnesses(again.told)[0].verifier == state.signer.verifier and list(state.logs)
