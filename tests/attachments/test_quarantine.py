"""What administrators see of files with malware: where, by whom and what was found, of their own organisation's matters only."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from tests.attachments.conftest import Desk, share
from tests.attachments.storing import PLAIN
from tests.attachments.test_views import _added

SECRET = "Danny Bridgeman.txt"


def _infected(desk: Desk, database: SimpleNamespace, user: str, count: int = 1) -> list[str]:
    sender = desk.site.as_user(user)
    keys = [_added(desk.send(sender, SECRET, PLAIN[:500]).headers["Location"]) for _ in range(count)]
    desk.site.sql(
        database.superuser,
        "UPDATE attachment SET scan_state = 'infected', scan_finding = 'Win.Trojan-X',"
        " scanned_at = now() WHERE id = ANY (CAST(:keys AS uuid[]))",
        keys=keys,
    )
    return keys


def test_both_sides_administrators_see_it_and_nobody_else_s(desk: Desk, database: SimpleNamespace) -> None:
    share(desk.site, database.superuser, desk.case_id, "summary", "files", may_contribute=True)
    _infected(desk, database, "sergeant")
    for user in ("spoc", "police_spoc"):
        page = desk.site.as_user(user).get("/admin/malware").get_data(as_text=True)
        assert "Win.Trojan-X" in page and "Tomasz Nowak" in page and re.search("NBC-CS-", page)
        assert SECRET not in page and str(desk.case_id) not in page
    for user in ("yjs_spoc", "charity_spoc"):
        page = desk.site.as_user(user).get("/admin/malware").get_data(as_text=True)
        assert "No malware was found" in page and "NBC-CS-" not in page
    looked = desk.site.sql(
        database.superuser, "SELECT count(*) FROM audit.event WHERE act = 'quarantine.listed'"
    )
    assert looked[0][0] == 4
    for user in ("officer", "auditor", "sergeant"):
        assert desk.site.as_user(user).get("/admin/malware").status_code == 403


def test_files_that_are_not_infected_are_not_there(desk: Desk, database: SimpleNamespace) -> None:
    _infected(desk, database, "officer")
    for state in ("pending", "clean", "unscannable", "not_scanned"):
        desk.site.sql(database.superuser, "UPDATE attachment SET scan_state = :state", state=state)
        page = desk.site.as_user("spoc").get("/admin/malware").get_data(as_text=True)
        assert "No malware was found" in page, state


def test_its_pages_turn_without_loss(
    desk: Desk, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.attachments.quarantine.PAGE_SIZE", 2)
    # some at the same moment
    _infected(desk, database, "officer", 3)
    _infected(desk, database, "officer", 2)
    spoc = desk.site.as_user("spoc")
    seen, address = [], "/admin/malware"
    while address:
        page = spoc.get(address).get_data(as_text=True)
        seen.append(page.count("Win.Trojan-X"))
        address = next(iter(re.findall(r'href="(/admin/malware\?after=[^"]+)"', page)), "")
    assert seen == [2, 2, 1]
