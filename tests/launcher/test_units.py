"""The units for servers: three accounts, each with its own file of settings and its own key, and nothing else within reach."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
SERVICES = ("web", "worker", "sequencer")
CLOSED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "UMask": "0077",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectProc": "invisible",
    "ProtectKernelTunables": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallFilter": "@system-service",
    "LimitCORE": "0",
}


def _settings(service: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in (UNITS / f"hub-{service}.service").read_text().splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found[name].append(value)
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_each_has_an_account_settings_and_a_key_of_its_own_and_is_closed(service: str) -> None:
    told = _settings(service)
    assert told["User"] == told["Group"] == [f"hub-{service}"]
    assert told["EnvironmentFile"] == [f"/etc/hub/{service}.env"]
    key = "log.key" if service == "sequencer" else "root.key"
    assert told["LoadCredential"] == [f"{key}:/etc/hub/{key}"]
    assert told["StateDirectory"] == [f"hub-{service}"]
    assert {name: told[name] for name in CLOSED} == {name: [value] for name, value in CLOSED.items()}
    # no secret stands in a unit, which everybody can read
    assert not re.search(r"PASSWORD|://[^ ]*@|SECRET", "\n".join(map(str, told.values())))


def test_only_the_sequencer_s_unit_names_the_log_s_key() -> None:
    naming = [
        service for service in SERVICES if re.search(r"log\.key|LOG_KEY", str(_settings(service).values()))
    ]
    assert naming == ["sequencer"]
