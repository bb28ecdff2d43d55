"""A server that was given: `hub db upgrade` makes the roles as the owner, with the passwords of their addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from hub.cli.db import main
from hub.launcher.postgres import Postgres, PostgresAddress

ROLES = "hub_app, hub_worker, hub_cli, hub_loader, hub_sequencer"
Ask = Callable[..., list[tuple[object, ...]]]


def _addresses(given: PostgresAddress) -> dict[str, str]:
    return {
        "HUB_DATABASE_URL": given.app_url,
        "HUB_WORKER_DATABASE_URL": given.worker_url,
        "HUB_CLI_DATABASE_URL": given.cli_url,
        "HUB_LOADER_DATABASE_URL": given.loader_url,
        "HUB_SEQUENCER_DATABASE_URL": given.sequencer_url,
    }


def _upgrade(given: PostgresAddress, addresses: dict[str, str]) -> str:
    rest = dict.fromkeys(
        ("HUB_S3_ENDPOINT", "HUB_S3_BUCKET", "HUB_S3_ACCESS_KEY", "HUB_S3_SECRET_KEY"), "none"
    )
    rest |= {
        "HUB_OWNER_DATABASE_URL": given.owner_url,
        "HUB_SECRET_KEY": "k" * 40,
        "HUB_DEMO": "1",
        "HUB_ROOT_KEY_FILE": "none",
    }
    answer = CliRunner().invoke(main, ["upgrade"], env={**rest, **addresses})
    assert answer.exit_code == 0, (answer.output, answer.exception)
    return answer.output


@pytest.mark.slow
def test_each_role_is_made_with_its_password_once_its_address_is_told(
    tmp_path: Path, make_postgres: Callable[[Path], Postgres], ask: Ask
) -> None:
    given = make_postgres(tmp_path).start()
    superuser = given.superuser_url.removesuffix("/postgres") + "/hub"
    # somebody else's server knows the owner alone
    ask(superuser, f"DROP OWNED BY {ROLES}; DROP ROLE {ROLES}; GRANT CONNECT ON DATABASE hub TO PUBLIC")
    addresses = _addresses(given)
    told = _upgrade(given, addresses | {"HUB_WORKER_DATABASE_URL": "", "HUB_LOADER_DATABASE_URL": ""})
    for variable, url in addresses.items():
        if variable in ("HUB_WORKER_DATABASE_URL", "HUB_LOADER_DATABASE_URL"):
            assert f"{variable} is not set" in told
            with pytest.raises(psycopg.OperationalError):
                ask(url, "SELECT 1")
        else:
            assert variable not in told
            assert ask(url, "SELECT 1") == [(1,)]
    assert "is not set" not in _upgrade(given, addresses)
    rights = (
        "SELECT pg_has_role('hub_app', 'USAGE'), pg_has_role('hub_finder', 'MEMBER'), pg_has_role('hub_finder', 'USAGE'),"
        " pg_has_role('hub_owner', 'MEMBER')"
    )
    for variable, url in addresses.items():
        if variable != "HUB_SEQUENCER_DATABASE_URL":
            assert ask(url, rights) == [(True, True, False, False)], variable
