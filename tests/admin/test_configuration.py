"""The page of how the hub is set up: told to administrators, without a secret."""

from __future__ import annotations

import dataclasses

import pytest

from hub.config import Settings
from tests.fixtures.site import Site


def test_an_administrator_sees_what_was_chosen_and_how_the_service_does(site: Site) -> None:
    answer = site.as_user("spoc").get("/admin/service")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for words in ("15 minutes", "10 hours", "15 to 128 characters", "Working", "Largest file"):
        assert words in page, words


def test_no_secret_and_no_inner_address_is_told(site: Site) -> None:
    settings: Settings = site.app.config["HUB_SETTINGS"]
    page = site.as_user("spoc").get("/admin/service").get_data(as_text=True)
    hidden = [field.name for field in dataclasses.fields(Settings) if not field.repr]
    assert {"secret_key", "s3_secret_key", "database_url"} <= set(hidden)
    for name in (*hidden, "s3_endpoint", "s3_bucket", "root_key_file", "var"):
        value = getattr(settings, name)
        # the shortest ones of a test are words of the page too
        assert not value or len(str(value)) < 8 or str(value) not in page, name


@pytest.mark.parametrize("user", ["officer", "auditor", "manager"])
def test_others_are_not_told(site: Site, user: str) -> None:
    assert site.as_user(user).get("/admin/service").status_code == 403
