"""Where the event of a look can't be written or committed, nothing of the look is shown (SECURITY A4, A20)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.fixtures.site import Client, Site
from tests.rules.canaries import Canaries, plant

_TRIGGER = """
    CREATE FUNCTION audit.fault() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN {body}; RETURN new; END $$;
    GRANT EXECUTE ON FUNCTION audit.fault() TO PUBLIC;
    {kind} ON audit.event {when} FOR EACH ROW EXECUTE FUNCTION audit.fault();
"""
_INSERTED = ("CREATE TRIGGER fault BEFORE INSERT", "")
_COMMITTED = ("CREATE CONSTRAINT TRIGGER fault AFTER INSERT", "DEFERRABLE INITIALLY DEFERRED")
_FULL = "RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'"
_CUT = "PERFORM pg_terminate_backend(pg_backend_pid())"


def _trigger(body: str, place: tuple[str, str]) -> str:
    return _TRIGGER.format(body=body, kind=place[0], when=place[1])


def _setting(change: str) -> str:
    """A setting of the whole database, and every session begun anew."""
    return f"""
        SET TRANSACTION READ WRITE;
        DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' {change}'; END $$;
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'hub_app'
    """


_UNDO = "DROP TRIGGER fault ON audit.event; DROP FUNCTION audit.fault()"
FAULTS = {
    "the disk is full": (_trigger(_FULL, _INSERTED), _UNDO),
    "the commit fails": (_trigger(_FULL, _COMMITTED), _UNDO),
    "the connection is cut while it is written": (_trigger(_CUT, _INSERTED), _UNDO),
    "the connection is cut at the commit": (_trigger(_CUT, _COMMITTED), _UNDO),
    "the door is closed": (
        "ALTER FUNCTION audit.record_event RENAME TO record_event_away",
        "ALTER FUNCTION audit.record_event_away RENAME TO record_event",
    ),
    "the database only reads": (
        _setting("SET default_transaction_read_only = on"),
        _setting("RESET default_transaction_read_only"),
    ),
}


@pytest.fixture
def canaries(site: Site) -> Canaries:
    return plant(site)


def _pages(canaries: Canaries) -> list[str]:
    case, incident, person = canaries.ids[:3]
    word = next(iter(canaries.texts))
    return [
        "/cases",
        "/incidents",
        "/people",
        f"/search?q={word}",
        f"/cases/{case}",
        f"/cases/{case}/log",
        f"/incidents/{incident}",
        f"/people/{person}",
    ]


def _shown(client: Client, canaries: Canaries) -> tuple[set[int], set[str]]:
    """The statuses of all pages, and the canaries that any of them let out."""
    statuses, out = set(), set()
    for address in _pages(canaries):
        answer = client.get(address)
        statuses.add(answer.status_code)
        body = answer.get_data(as_text=True).lower()
        out |= {word for word in canaries.texts if word in body.replace(address.lower(), "")}
        assert "traceback" not in body and "audit." not in body, address
    return statuses, out


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_without_its_event_nothing_is_shown(
    site: Site, database: SimpleNamespace, canaries: Canaries, fault: str
) -> None:
    client = site.as_user("officer")
    statuses, out = _shown(client, canaries)
    assert statuses == {200} and out, "the pages must show something, or this proves nothing"
    do, undo = FAULTS[fault]
    site.sql(database.superuser, do)
    try:
        statuses, out = _shown(client, canaries)
        assert (statuses, out) == ({503}, set())
    finally:
        site.sql(database.superuser, undo)
    statuses, again = _shown(client, canaries)
    assert statuses == {200} and again
