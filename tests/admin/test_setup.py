"""`hub setup` sets up an empty hub once, and is no back door later; `hub organisation add` lets partners join."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from hub.cli.db import upgrade
from tests.conftest import on_database

GIVEN = {
    "partnership-code": "mbp",
    "partnership-name": "Millbrook Partnership",
    "organisation-code": "MBC",
    "organisation-name": "Millbrook Council",
    "organisation-kind": "council_unitary",
    "administrator-name": "Ada Moss",
    "administrator-email": "Ada.Moss@example.org",
}


@pytest.fixture
def empty(cluster: SimpleNamespace, template: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """A migrated database with nobody in it."""
    name = "hub_empty_setup"
    with template.admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {name} OWNER hub_owner")
    upgrade(on_database(cluster.owner, name))
    yield SimpleNamespace(cli=on_database(cluster.cli, name), superuser=on_database(cluster.superuser, name))
    with template.admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def run(database: SimpleNamespace, *command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """The command as an operator runs it: in a process of its own."""
    given = {name: value for name, value in {**GIVEN, **changes}.items() if value is not None}
    arguments = [part for name, value in given.items() for part in (f"--{name}", value)]
    environment = {
        "HUB_DATABASE_URL": database.cli,
        "HUB_S3_ENDPOINT": "http://127.0.0.1:1",
        "HUB_S3_BUCKET": "hub",
        # a keeper that is never asked: nothing is sealed yet
        "HUB_KMS_KEY": "alias/hub",
        "HUB_KMS_REGION": "eu-west-2",
        "HUB_CLAMD": "unix:/run/clamav/clamd.ctl",
        "HUB_S3_ACCESS_KEY": "test",
        "HUB_S3_SECRET_KEY": "test",
        "HUB_SECRET_KEY": "k" * 40,
        "HUB_DEMO": "",
    }
    return subprocess.run(  # noqa: PLW1510 - the exit code is what is tested
        [sys.executable, "-m", "hub.cli", *(command or ("setup",)), *arguments],
        env={**os.environ, **environment},
        cwd=Path(__file__).resolve().parents[2],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sa.text(statement))]
    engine.dispose()
    return found


@pytest.mark.slow
def test_an_empty_hub_is_set_up_once(empty: SimpleNamespace) -> None:
    wrong = run(empty, **{"organisation-code": "much too long", "administrator-email": "ada"})
    assert (
        wrong.returncode == 1
        and "code of the organisation" in wrong.stdout
        and "email address" in wrong.stdout
    )
    done = run(empty)
    assert done.returncode == 0, done.stdout
    assert re.search(r"http://127\.0\.0\.1:8480/enrol/[\w-]{40,}", done.stdout)
    assert rows(empty.superuser, "SELECT email, name FROM app_user") == [("ada.moss@example.org", "Ada Moss")]
    acts = rows(empty.superuser, "SELECT act FROM audit.event ORDER BY at, id")
    assert acts == [
        ("partnership.created",),
        ("organisation.created",),
        ("team.created",),
        ("user.invited",),
        ("role.granted",),
    ]
    again = run(empty)
    assert again.returncode == 1 and "set up already" in again.stdout
    assert len(rows(empty.superuser, "SELECT 1 FROM partnership")) == 1


POLICE = {
    "partnership-name": None,
    "organisation-code": "MBP",
    "organisation-name": "Millbrook Police",
    "organisation-kind": "police_force",
    "administrator-name": "Noor Khan",
    "administrator-email": "noor.khan@example.net",
}
STANDS = """SELECT p.code, o.code, o.kind, t.name, u.email, r.role FROM team t JOIN partnership p ON p.id = t.partnership_id
    JOIN organisation o ON o.id = t.organisation_id JOIN team_membership m ON m.team_id = t.id
    JOIN app_user u ON u.id = m.user_id JOIN role_holding r ON r.user_id = u.id AND r.partnership_id = p.id ORDER BY 1, 2"""


@pytest.mark.slow
def test_a_partner_joins_with_its_own_administrator(empty: SimpleNamespace) -> None:
    add = ("organisation", "add")
    # a code that nobody knows makes no partnership by mistake
    lost = run(empty, *add, **POLICE)
    assert lost.returncode == 1 and "no partnership with the code MBP" in lost.stdout
    assert run(empty).returncode == 0
    joined = run(empty, *add, **POLICE)
    assert joined.returncode == 0 and "/enrol/" in joined.stdout, joined.stdout
    council = ("MBC", "council_unitary", "Administration", "ada.moss@example.org", "administrator")
    police = ("MBP", "police_force", "Administration", "noor.khan@example.net", "administrator")
    assert rows(empty.superuser, STANDS) == [("MBP", *council), ("MBP", *police)]
    assert rows(empty.superuser, "SELECT count(*) FROM user_session WHERE ended_at IS NULL") == [(0,)]
    again = run(empty, *add, **POLICE)
    assert again.returncode == 1 and "already" in again.stdout
    renamed = run(empty, *add, **{**POLICE, "organisation-name": "Other Police"})
    assert renamed.returncode == 1 and "is Millbrook Police" in renamed.stdout
    # the force works in a second partnership too: the same administrator, without a new link
    second = {**POLICE, "partnership-code": "EAS", "partnership-name": "Eastmere Partnership"}
    foreign = run(empty, *add, **{**second, "administrator-email": "ada.moss@example.org"})
    assert foreign.returncode == 1 and "another organisation" in foreign.stdout
    there = run(empty, *add, **{**second, "organisation-name": None, "organisation-kind": None})
    assert there.returncode == 0 and "/enrol/" not in there.stdout, there.stdout
    assert rows(empty.superuser, STANDS)[0] == ("EAS", *police)
    assert len(rows(empty.superuser, "SELECT 1 FROM app_user")) == 2
