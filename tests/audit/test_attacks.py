"""The attacks on the log, on a log of 2,000 events: `make attacks` is the same on 200,000."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.audit.attacks import ATTACKS, prepared, tried
from tests.audit.forging import SIGNER, made, policy_of, running


@pytest.mark.slow
def test_every_attack_is_found_and_named_and_an_honest_log_is_sound(
    database: SimpleNamespace, tmp_path: Path
) -> None:
    with running(made(tmp_path, trusting=SIGNER)) as witness:
        field = prepared(database.superuser, database.sequencer, tmp_path, 2_000, witness)
        for policy in (field.policy, policy_of()):
            report, said = field.check(None, policy, field.seen, ask=True)
            assert report.problems == [] and report.events > 2_000 and said == ""
        told = list(tried(field))
        field.engine.dispose()
    assert [line for found, line in told if not found] == []
    assert {attack.number for attack in ATTACKS} == set(range(1, 9)) and len(told) == len(ATTACKS)
