"""Every route, asked by every role about four records: what it answers is written down in `tests/rules/answers.json`.

The table is read by people: a change of it is a change of who gets what. A route without its row fails. Written anew by
`HUB_WRITE_ANSWERS=1 .venv/bin/python -m pytest tests/attacks/test_answers.py`, and then looked at; what no table may say,
however it was written, is below.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from hub.access.permissions import ROLES, Permission, Role
from hub.web.routes import DECLARED
from tests.attacks.records import OF_RECORDS, RECORDS, Stage
from tests.fixtures.site import Client, Site

GOLDEN = Path(__file__).parents[1] / "rules" / "answers.json"
Table = dict[str, dict[str, str]]
# they end the session that asks, count how often they are tried, or are asked by programs
BY_THEMSELVES = frozenset(
    {
        "accounts.sign_out",
        "accounts.sign_in",
        "accounts.enrol",
        "second_step.code",
        "second_step.set_up",
        "passkey_door.begin_sign_in",
        "passkey_door.sign_in",
        "providers.start",
        "providers.start_enrolment",
        "providers.come_back",
        "providers.provider_logout",
        "health.health",
        "reports.policy_report",
        "static",
    }
)
REFUSED = ("403", "404")
# what a reader keeps of a record after its share: what his organisation wrote there, and the line that it was shared
KEPT_AFTERWARDS = frozenset({"GET sharing.contributed", "POST sharing.answer"})


def asked(app: Flask) -> Iterator[tuple[str, Any, str]]:
    """Rules with their methods: all that only reads first, so that each finds the records as they were made."""
    rules = sorted(app.url_map.iter_rules(), key=lambda one: one.endpoint)
    for method in ("GET", "POST"):
        for rule in rules:
            if method in (rule.methods or ()) and rule.endpoint not in BY_THEMSELVES:
                yield f"{method} {rule.endpoint}", rule, method


def found_by(stage: Stage) -> Table:
    app = stage.site.app
    adapter = app.url_map.bind("127.0.0.1:8480")
    clients = {role: stage.client(role) for role in Role}
    table: Table = {}
    for row, rule, method in asked(app):
        stage.site.confirm_all()
        of_record = bool(OF_RECORDS & rule.arguments)
        by_answer: dict[str, list[str]] = {}
        for role, client in clients.items():
            codes = []
            # whom the role does not let in is refused before any record is looked for
            for record in RECORDS if of_record and _may(role, rule.endpoint) else RECORDS[:1]:
                values = stage.values(set(rule.arguments), rule.endpoint, record)
                address = adapter.build(rule.endpoint, values, method=method)
                codes.append(str(_status(client, method, address)))
            by_answer.setdefault(" ".join(codes), []).append(role.value)
        table[row] = {codes: " ".join(roles) for codes, roles in sorted(by_answer.items())}
    return table


def _may(role: Role, endpoint: str) -> bool:
    needs = DECLARED[endpoint].needs
    return not isinstance(needs, Permission) or needs in ROLES[role].permissions


def _status(client: Client, method: str, address: str) -> int:
    answer = client.get(address) if method == "GET" else client.post(address)
    return answer.status_code


@pytest.mark.slow
def test_every_route_answers_every_role_as_the_table_says(site: Site, database: SimpleNamespace) -> None:
    found = found_by(Stage(site, database.superuser))
    if os.environ.get("HUB_WRITE_ANSWERS") == "1":
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    wanted: Table = json.loads(GOLDEN.read_text())
    faults = [
        f"{row} has no row in {GOLDEN.name}: it answers {found[row]}" for row in found if row not in wanted
    ]
    faults += [f"{row} is in {GOLDEN.name}, and no route any more" for row in wanted if row not in found]
    faults += [
        f"{row} answers {found[row]}, and the table says {wanted[row]}"
        for row in found
        if row in wanted and found[row] != wanted[row]
    ]
    assert not faults, "\n".join([f"(columns: {', '.join(RECORDS)})", *faults])


def told(app: Flask) -> Iterator[tuple[str, Any, Role, list[str]]]:
    """Row, rule, role and answers of the table, for each role."""
    table: Table = json.loads(GOLDEN.read_text())
    for row, rule, _ in asked(app):
        for codes, roles in table.get(row, {}).items():
            for role in roles.split():
                yield row, rule, Role(role), codes.split()


def test_no_table_may_let_in_a_role_without_the_permission(app: Flask) -> None:
    wrong = [
        f"{row} answers {role.value} {codes}"
        for row, rule, role, codes in told(app)
        if not _may(role, rule.endpoint) and codes != ["403"]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_table_may_show_a_record_that_is_not_shared_any_more_or_never_was(app: Flask) -> None:
    wrong = [
        f"{row} answers {role.value} {codes}"
        for row, rule, role, codes in told(app)
        if len(codes) == len(RECORDS)
        # a form that is refused before anything is looked for says the same of all
        if not (len(set(codes)) == 1 and codes[0].startswith("4"))
        for expired, foreign in [codes[2:]]
        if foreign not in REFUSED or (expired not in REFUSED and row not in KEPT_AFTERWARDS)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_table_may_hold_a_failure(app: Flask) -> None:
    wrong = [f"{row}: {codes}" for row, _, _, codes in told(app) for code in codes if code.startswith("5")]
    assert not wrong, "\n".join(wrong)


def test_the_readers_are_let_in_somewhere(app: Flask) -> None:
    """Or the refusals would prove nothing."""
    let_in = {
        (role, record)
        for _, _, role, codes in told(app)
        for record, code in zip(RECORDS, codes, strict=False)
        if code == "200"
    }
    reads = (Role.PRACTITIONER, Role.SUPERVISOR, Role.READ_ONLY)
    assert {(role, record) for role in reads for record in RECORDS[:3]} <= let_in
