"""The thresholds of alerts as who sets them and who reads the alerts meet them: by keyboard and reader, on a phone too."""

from __future__ import annotations

from tests.fixtures.site import Site
from tests.journeys.conftest import Visit, bucket, chromium, object_store_server, served, visit
from tests.journeys.pages import go_to, press, sign_in
from tests.reviews.seeding import Log, detached

__all__ = ["bucket", "chromium", "object_store_server", "served", "visit"]


def test_who_sets_a_number_and_who_reads_the_alerts(site: Site, log: Log, visit: Visit) -> None:
    spoc = visit()
    sign_in(spoc, "Lena Marsh")
    go_to(spoc, "Alert rules")
    spoc.look("The rules")
    spoc.page.get_by_text("Set another number for Many records in an hour").click()
    spoc.page.locator("#threshold-bulk").fill("500")
    spoc.page.get_by_label("Set a number for Many records in an hour").get_by_role("button").click()
    spoc.see("There is a problem", "Enter a number from 10 to 200")
    spoc.look("A wrong number")
    spoc.page.locator("#threshold-bulk").fill("60")
    spoc.page.get_by_label("Set a number for Many records in an hour").get_by_role("button").click()
    spoc.see("Saved. Many records in an hour: 60 from", "set by Lena Marsh")
    detached(log, "2024-01-01", "2024-02-01")
    auditor = visit()
    sign_in(auditor, "Miriam Castle")
    auditor.go("/audit/alerts")
    auditor.page.get_by_label("Verify that processing was lawful").check()
    press(auditor, "Go to the log")
    auditor.see("Threshold in force: 60, since")
    auditor.look("The rules with their numbers")
    auditor.go("/audit?from=2024-01-01")
    auditor.see("In the archive only: January 2024 to February 2024")
    auditor.look("A time that lies in the archive")
