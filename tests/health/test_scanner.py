"""What the health page tells of the malware scan: whether it answers, how old its signatures are, how many files wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.app import create_app
from hub.attachments.papers import add_paper
from hub.extensions import db
from hub.web.store import store_of
from tests.attachments.test_views import pdf
from tests.conftest import settings_for
from tests.fixtures.clamd import Clamd
from tests.fixtures.crooked import Crooked
from tests.fixtures.site import Site
from tests.fixtures.store import Bucket
from tests.fixtures.world import World, act_as

Served = Callable[[str], Site]


@pytest.fixture
def served(
    database: SimpleNamespace,
    root_key_file: Path,
    world: World,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Served]:
    """The service with a scanner at an address."""
    # a busy machine may take its time
    monkeypatch.setattr("hub.web.health.DEADLINE_SECONDS", 20.0)
    monkeypatch.setattr("hub.web.health.SCANNER_SECONDS", 10.0)
    made: list[Site] = []

    def serve(address: str) -> Site:
        app = create_app(settings_for(database.app, root_key_file, clamd=address, **bucket.settings()))
        store_of(app).check()
        made.append(Site(app, world))
        return made[-1]

    yield serve
    for site in made:
        with site.app.app_context():
            db.engine.dispose()


def _asked(site: Site) -> dict[str, Any]:
    answer = site.visitor().get("/health")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_scanner_without_dated_signatures_is_an_alarm(served: Served, clamd: Clamd) -> None:
    """As ours in the tests, which knows one virus: it answers, and finds next to nothing."""
    found = _asked(served(clamd.address))
    assert (found["parts"]["scanner"], found["status"]) == ("down", "degraded")
    assert found["scanner"] == {"files_waiting": 0} and found["parts"]["scans"] == "up"


def test_a_scanner_that_is_away_is_an_alarm_but_no_failure(served: Served, tmp_path: Path) -> None:
    found = _asked(served(f"unix:{tmp_path}/none.sock"))
    assert (found["parts"]["scanner"], found["status"]) == ("down", "degraded")


@pytest.mark.parametrize(("days", "state"), [(0, "up"), (2, "up"), (4, "due"), (6, "due"), (8, "down")])
def test_old_signatures_are_an_alarm_with_their_age(
    served: Served, tmp_path: Path, days: int, state: str
) -> None:
    made_at = datetime.now(UTC) - timedelta(days=days, hours=1)
    version = f"ClamAV 1.4.6/27800/{made_at:%a %b %d %H:%M:%S %Y}\0".encode()
    crooked = Crooked(tmp_path, lambda said: b"PONG\0" if said == b"zPING\0" else version)
    with crooked.serving():
        site = served(crooked.address)
        found = _asked(site)
        assert found["parts"]["scanner"] == state
        assert found["scanner"] == {"signature_days": days, "files_waiting": 0}
        page = site.visitor().get("/health", headers={"Accept": "text/html"}).get_data(as_text=True)
        assert "Malware scanner" in page and "Age of the malware signatures" in page


def test_files_that_wait_too_long_are_counted(
    served: Served, database: SimpleNamespace, world: World, tmp_path: Path
) -> None:
    site = served(f"unix:{tmp_path}/none.sock")
    for minutes in (1, 9, 11, 500):
        with site.inside():
            actor = act_as(world, "spoc")
            agreement = world.agreements["sharing"]
            key = add_paper(actor, agreement_id=agreement, name="pact.pdf", blocks=[pdf()]).id
            db.session.commit()
        site.sql(
            database.superuser,
            "UPDATE paper SET created_at = now() - make_interval(mins => :minutes) WHERE id = :key",
            minutes=minutes,
            key=key,
        )
    found = _asked(site)
    assert found["scanner"] == {"files_waiting": 2} and found["parts"]["scans"] == "due"
    page = site.visitor().get("/health", headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "Files waiting for a scan" in page
