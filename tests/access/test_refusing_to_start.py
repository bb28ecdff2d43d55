"""The service does not start where it would not be safe: a role that passes the wall, a demonstration open to others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.app import create_app
from tests.conftest import connect_to, settings_for
from tests.fixtures.site import Site


def test_a_role_that_may_bypass_row_security_is_refused(
    database: SimpleNamespace, root_key_file: Path
) -> None:
    connect_to(database.superuser)
    with pytest.raises(SystemExit, match="may bypass row security"):
        create_app(settings_for(database.superuser, root_key_file))


def test_the_owner_of_the_tables_is_refused(database: SimpleNamespace, root_key_file: Path) -> None:
    connect_to(database.owner)
    with pytest.raises(SystemExit, match="owns the tables"):
        create_app(settings_for(database.owner, root_key_file))


def test_a_demonstration_starts_on_loopback_only(database: SimpleNamespace, root_key_file: Path) -> None:
    create_app(settings_for(database.app, root_key_file, demo=True, host="127.0.0.1"))
    with pytest.raises(SystemExit, match="only on a loopback address"):
        create_app(settings_for(database.app, root_key_file, demo=True, host="0.0.0.0"))


def test_a_table_without_its_wall_is_refused(
    database: SimpleNamespace, site: Site, root_key_file: Path
) -> None:
    site.sql(database.owner, "ALTER TABLE entry DISABLE ROW LEVEL SECURITY")
    with pytest.raises(SystemExit, match="Row security is not active on the table entry"):
        create_app(settings_for(database.app, root_key_file))
