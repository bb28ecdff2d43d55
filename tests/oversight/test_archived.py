"""A month that lies in the archive only: whatever is asked of a time that reaches into it says that it is left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from hub.audit.archive_checking import Archive, ArchiveReport
from hub.audit.archive_months import Month, detach
from tests.fixtures.archive import POLICY, Place, Tree, log_store, place, tree
from tests.fixtures.site import Client, Site
from tests.oversight.asked import Told, happen, with_purpose
from tests.oversight.test_exports import FORMS, table

__all__ = ["log_store", "place", "tree"]

WORDS = "In the archive only: January 2024"
NOT_IN_LIST = "January 2024: in the archive only"


@pytest.fixture
def told(site: Site) -> Told:
    return happen(site)


@pytest.fixture
def auditor(site: Site) -> Client:
    return with_purpose(site.as_user("auditor"))


@pytest.fixture
def give_up(tree: Tree, place: Place) -> Callable[[], None]:
    """January 2024, as `hub archive detach` gives it up."""

    def given_up() -> None:
        tree.write(300, at=datetime(2024, 1, 10, 12, tzinfo=UTC))
        tree.write(300)
        tree.grow()
        tree.copier().step()
        archive = Archive(place.bucket, POLICY, ArchiveReport())
        assert archive.open(int(tree.one("SELECT size FROM audit.archive")))
        now = datetime(2026, 2, 1, tzinfo=UTC)
        assert detach(tree.owner, archive, Month.parse("2024-01"), online_months=24, now=now) == 300

    return given_up


def test_every_page_whose_time_reaches_into_the_month_says_so(
    site: Site, told: Told, auditor: Client, give_up: Callable[[], None]
) -> None:
    everywhere = (f"/audit/people/{told.person}", f"/audit/records/{told.case}", "/audit?from=2024-01-31")
    for address in everywhere:
        assert "In the archive only" not in auditor.get(address).text, address
    give_up()
    for address in (
        *everywhere,
        f"/audit/users/{site.world.users['officer']}?from=2023-01-01&to=2024-01-01",
        f"/audit/organisations/{site.world.organisations['police']}?from=2024-01-15",
    ):
        page = auditor.get(address).text
        assert WORDS in page and "hub archive read FILE --month 2024-01" in page, address
    # the days beside it, and the last 31 days
    for period in ("from=2024-02-01", "from=2023-01-01&to=2023-12-31", ""):
        assert "In the archive only" not in auditor.get(f"/audit?{period}").text, period


def test_what_is_taken_says_what_is_not_in_it(
    told: Told, auditor: Client, give_up: Callable[[], None]
) -> None:
    give_up()
    for form in FORMS:
        watermark, _ = table(auditor.get(f"/audit/exports/person.{form}?subject={told.person}"))
        assert watermark["Not in this list"] == NOT_IN_LIST, form
        address = f"/audit/exports/person.{form}?subject={told.person}&from=2024-02-01"
        assert "Not in this list" not in table(auditor.get(address))[0], form
    assert NOT_IN_LIST in auditor.get(f"/audit/prints/person?subject={told.person}").text


def test_the_months_are_told_without_a_number_of_anybody(
    database: SimpleNamespace, auditor: Client, told: Told, give_up: Callable[[], None]
) -> None:
    give_up()
    assert "300" not in auditor.get(f"/audit/people/{told.person}").text.split(WORDS)[1].split("</div>")[0]
