"""Street-level files: good rows kept, bad ones named, the same file twice, the whole file refused where asked."""

from __future__ import annotations

import json
import tracemalloc
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from hub.cli.incidents import main
from hub.incidents.street_level import StreetRow, WrongFile, read_rows
from tests.conftest import connected_to
from tests.fixtures.world import World

HEADER = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,Last outcome category,Context"


def row(crime_id: str = "", **changes: str) -> str:
    values = {
        "crime_id": crime_id,
        "month": "2026-03",
        "by": "Northbrook Police",
        "within": "Northbrook Police",
        "longitude": "-1.234567",
        "latitude": "54.567891",
        "location": "On or near Quarry Row",
        "code": "E01012345",
        "name": "Northbrook 012B",
        "type": "Anti-social behaviour" if not crime_id else "Burglary",
        "outcome": "" if not crime_id else "Under investigation",
        "context": "",
    }
    return ",".join({**values, **changes}.values())


@pytest.fixture
def run(
    database: SimpleNamespace,
    root_key_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    world: World,
) -> object:
    """Runs the command on a file with these bytes, on the test's own database."""
    for name, value in {
        "HUB_DATABASE_URL": database.cli,
        "HUB_DEMO": "1",
        "HUB_ROOT_KEY_FILE": str(root_key_file),
        "HUB_SECRET_KEY": "test-" + "k" * 40,
        "HUB_S3_ENDPOINT": "http://127.0.0.1:1",
        "HUB_S3_BUCKET": "hub",
        "HUB_S3_ACCESS_KEY": "test",
        "HUB_S3_SECRET_KEY": "test",
        "HUB_VAR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)

    def run(
        text: str | bytes, *options: str, email: str = "manager@example.org", code: str = "NBC"
    ) -> Result:
        file = tmp_path / "2026-03-street.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        with connected_to(database.cli):
            return CliRunner().invoke(
                main, ["import", str(file), "--organisation", code, "--as", email, *options]
            )

    return run


def count(database: SimpleNamespace, table: str) -> int:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
    engine.dispose()
    return int(found)


GOOD = (
    "\n".join([HEADER, row("a1"), row(), row(), row("a2", location="No location", longitude="", latitude="")])
    + "\n"
)


def test_a_good_file_is_kept_once_and_twice_changes_nothing(run, database: SimpleNamespace) -> None:  # type: ignore[no-untyped-def]
    first = run(GOOD, "--json")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["kept"] == 4
    # two equal rows without a Crime ID are two incidents; one place serves them all
    assert (
        count(database, "incident") == 4
        and count(database, "place") == 1
        and count(database, "involvement") == 3
    )
    again = json.loads(run(GOOD, "--json").stdout)
    assert (again["kept"], again["known"]) == (0, 4)
    assert (
        count(database, "incident") == 4 and count(database, "record") == 4 and count(database, "place") == 1
    )
    events = count(
        database,
        "audit.event WHERE act = 'incident.logged' AND object_version = 1 AND cardinality(record_ids) = 1",
    )
    assert events == 4 and count(database, "audit.event WHERE act = 'import.run'") == 2


def test_bad_rows_are_named_by_line_and_good_ones_kept(run, database: SimpleNamespace) -> None:  # type: ignore[no-untyped-def]
    bad = [
        row("b1", month="2026-13"),
        row("b2", month="2199-01"),
        row("b3", type="Witchcraft"),
        row("b4", latitude="91"),
        row("b5", latitude="nan"),
        row("b6") + ",more",
        row("b7", location="On\x00or"),
        '"b8"x,' + row()[1:],
        row("b9", context="x" * 3_000),
    ]
    text = ("\n".join([HEADER, *bad, row("good")]) + "\n").encode().replace(b"more", b"m\xff")
    result = run(text, "--json")
    assert result.exit_code == 2, result.output
    told = json.loads(result.stdout)
    assert [error["line"] for error in told["errors"]] == list(range(2, 11)) and told["kept"] == 1
    words = " | ".join(str(error["reason"]) for error in told["errors"])
    for reason in (
        "such as 2026-03",
        "in the future",
        "Unknown crime type: Witchcraft",
        "not on the map",
        "13 fields instead of 12",
        "control character",
        "quotation marks",
        "longer than 2,000",
    ):
        assert reason in words, reason
    assert count(database, "incident") == 1


def test_the_whole_file_is_refused_where_asked(run, database: SimpleNamespace) -> None:  # type: ignore[no-untyped-def]
    result = run("\n".join([HEADER, row("a"), row("b", month="March")]), "--all-or-nothing")
    assert result.exit_code == 1 and "nothing was written" in result.output and "Line 3" in result.output
    assert count(database, "incident") == 0


def test_a_dry_run_writes_nothing(run, database: SimpleNamespace) -> None:  # type: ignore[no-untyped-def]
    result = run(GOOD, "--dry-run")
    assert result.exit_code == 0 and "4 new, 0 known, 0 refused" in result.output
    assert count(database, "incident") == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty"),
        ("Crime ID;Month\n", "missing: Crime ID"),
        (GOOD.replace("Crime type", "Kind"), "missing: Crime type"),
        (GOOD.replace("Month", "Crime ID"), "missing: Month"),
        (GOOD.replace("Reported by", "Month"), "missing: Reported by"),
        (GOOD.encode("utf-16"), "not CSV text in UTF-8"),
        (HEADER + "\n" + "x" * 60_000, "longer than 50,000"),
    ],
)
def test_what_is_no_such_file_is_said_in_words(run, text: str | bytes, words: str) -> None:  # type: ignore[no-untyped-def]
    result = run(text)
    assert result.exit_code == 1 and words in result.output, result.output


def test_a_byte_order_mark_and_windows_line_ends_are_taken(run) -> None:  # type: ignore[no-untyped-def]
    result = run(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(), "--json")
    assert json.loads(result.stdout)["kept"] == 4, result.output


def test_only_somebody_who_may_import_does(run, database: SimpleNamespace) -> None:  # type: ignore[no-untyped-def]
    assert "does not allow this" in run(GOOD, email="officer@example.org").output
    assert "no user" in run(GOOD, code="NBP").output
    assert "no user" in run(GOOD, email="nobody@example.org").output
    assert count(database, "incident") == 0


def test_rows_that_another_team_imported_are_known_though_unseen(
    run, database: SimpleNamespace, world: World
) -> None:  # type: ignore[no-untyped-def]
    assert run(GOOD).exit_code == 0
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE record SET lead_team_id = :team"), {"team": world.teams["housing"]}
        )
    engine.dispose()
    told = json.loads(run(GOOD + row("a9") + "\n", "--json").stdout)
    assert (told["kept"], told["known"]) == (1, 4)
    assert count(database, "record") == 5


def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("w") as out:
        out.write(HEADER + "\n")
        out.writelines(row(f"id{number}") + "\n" for number in range(30_000))
    tracemalloc.start()
    rows = sum(isinstance(one, StreetRow) for one in read_rows(file, date(2026, 11, 21)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 30_000 and peak < 2_000_000 < file.stat().st_size


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "any.csv"
    file.write_bytes(HEADER.encode() + b"\n" + data)
    try:
        found = list(read_rows(file, date(2026, 11, 21)))
    except WrongFile:
        return
    assert all(isinstance(one, StreetRow) or one.reason for one in found)
