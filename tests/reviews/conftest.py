"""What the tests of reviews start from: the log of the test's database."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.fixtures.site import Client, Site
from tests.reviews.seeding import Log, with_purpose


@pytest.fixture
def log(site: Site, database: SimpleNamespace) -> Log:
    return Log(site, database)


@pytest.fixture
def auditor(site: Site) -> Client:
    return with_purpose(site.as_user("auditor"))
