"""The export for the regulator and the single file that checks it: sound without the hub, unsound after any change."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.audit.verifier import single
from hub.audit.verifying import verify_log
from hub.cli.audit import main as audit_command
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.notes import COSIGNATURE, Signer
from tests.audit.conftest import Connect
from tests.audit.forging import EVENTS, POLICY, SIGNER, WITNESS
from tests.conftest import connected_to
from tests.fixtures.world import World

Run = Callable[..., Result]


@pytest.fixture
def export(database: SimpleNamespace, root_key_file: Path, tmp_path: Path, policy: Path) -> Run:
    """`hub audit export` into tmp_path/out."""

    def run(*arguments: str, **changes: str) -> Result:
        environment = {
            "HUB_DATABASE_URL": database.cli,
            "HUB_OWNER_DATABASE_URL": database.owner,
            "HUB_S3_ENDPOINT": "http://127.0.0.1:1",
            "HUB_S3_BUCKET": "hub",
            "HUB_DEMO": "1",
            "HUB_ROOT_KEY_FILE": str(root_key_file),
            "HUB_S3_ACCESS_KEY": "test",
            "HUB_S3_SECRET_KEY": "test",
            "HUB_SECRET_KEY": "k" * 40,
            **changes,
        }
        told = ["--policy", str(policy)] if policy.exists() else []
        command = ["export", str(tmp_path / "out"), "--purpose", "lawfulness", *told, *arguments]
        with connected_to(database.cli):
            return CliRunner().invoke(audit_command, command, env=environment)

    return run


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The verifier of the export in a Python that has cryptography, but not the hub, and no network."""
    start = (
        "import sys, runpy, importlib.util\n"
        f"sys.path.append({sysconfig.get_path('purelib')!r})\n"
        "assert importlib.util.find_spec('hub') is None\n"
        "def audit(event, _):\n"
        "    if event.startswith('socket.'): raise RuntimeError(event)\n"
        "sys.addaudithook(audit)\n"
        "sys.argv = ['hub-audit-verify.py', *sys.argv[1:]]\n"
        "runpy.run_path('hub-audit-verify.py', run_name='__main__')\n"
    )
    command = [sys.executable, "-I", "-S", "-c", start, "folder", ".", *arguments]
    return subprocess.run(
        command, cwd=folder, env={}, check=False, capture_output=True, text=True, timeout=60
    )


def test_the_single_file_is_made_of_the_sources_of_today() -> None:
    assert single.TARGET.read_text() == single.put_together()
    assert "import hub" not in single.put_together() and "from hub" not in single.put_together()


def test_an_export_is_sound_on_a_machine_without_the_service(
    log: object, export: Run, tmp_path: Path, policy: Path, connect: Connect
) -> None:
    done = export()
    assert done.exit_code == 0 and "The export is sound." in done.output, done.output
    out = tmp_path / "out"
    assert {one.name for one in out.iterdir()} == {
        "MANIFEST", "README.txt", "checkpoint", "events", "hub-audit-verify.py", "index.html", "policy", "tile",
    }  # fmt: skip
    for options in ((), ("--policy", str(policy)), ("--json",)):
        ran = alone(out, *options)
        assert (ran.returncode, ran.stderr) == (0, ""), ran
    told = json.loads(alone(out, "--json").stdout)
    assert told["ok"] and told["events"] == told["tree"]["size"] > EVENTS
    assert told["tree"]["witnesses"] == {WITNESS.name: "2023-11-14T22:13:20Z"}
    page = (out / "index.html").read_text()
    assert f"It holds {told['events']:,} events of a log of {told['events']:,}" in page
    assert "http" not in page.replace("c2sp.org", "") and "<script" not in page
    rows = connect("superuser").execute("SELECT body FROM audit.event WHERE act = 'log.exported'").fetchall()
    facts = json.loads(bytes(rows[0][0]))["facts"]
    assert len(rows) == 1 and facts == {
        "purpose": "lawfulness",
        "asked": "all",
        "events": told["events"],
        "format": "folder",
    }


def test_no_flip_of_a_bit_and_no_cut_of_any_file_is_sound(
    log: object, export: Run, tmp_path: Path, single_file: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export().exit_code == 0
    out = tmp_path / "out"
    files = sorted(path for path in out.rglob("*") if path.is_file())
    assert single_file.main(["folder", str(out)]) == 0

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(files), st.integers(0, 2**40), st.sampled_from(["flip", "cut", "gone", "more"]))
    def check(path: Path, where: int, how: str) -> None:
        whole = path.read_bytes()
        changed = bytearray(whole)
        if how == "flip":
            changed[where // 8 % len(whole)] ^= 1 << where % 8
        elif how == "cut":
            del changed[where % len(whole) :]
        else:
            changed += b"\n"
        try:
            path.write_bytes(changed)
            if how == "gone":
                path.unlink()
            assert single_file.main(["folder", str(out)]) in (1, 2), (path, where, how)
        finally:
            path.write_bytes(whole)

    check()
    assert single_file.main(["folder", str(out)]) == 0
    capsys.readouterr()


def test_every_byte_of_the_small_files_counts(
    log: object, export: Run, tmp_path: Path, single_file: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even where the manifest is made to agree: then checkpoint, policy and tiles must tell by themselves."""
    export()
    out = tmp_path / "out"
    unnoticed = []
    for name in ("checkpoint", "tile/0/000", "events/000000.txt"):
        whole = (out / name).read_bytes()
        for at in range(0, len(whole), 1 if name == "checkpoint" else 997):
            (out / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
            _agree(out, single_file)
            if single_file.main(["folder", str(out)]) == 0:
                unnoticed.append((name, at))
        (out / name).write_bytes(whole)
    assert unnoticed == []
    capsys.readouterr()


def _agree(out: Path, single_file: ModuleType) -> None:
    manifest = single_file.Manifest.parse((out / "MANIFEST").read_bytes())
    files = {path: single_file.digest_of(out / path) for path in manifest.files}
    (out / "MANIFEST").write_text(str(single_file.Manifest(manifest.whole, files)))


def test_an_event_left_out_of_the_export_is_missed(
    log: object, export: Run, tmp_path: Path, single_file: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    export()
    out = tmp_path / "out"
    path = out / "events" / "000000.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:50] + lines[51:]))
    _agree(out, single_file)
    assert single_file.main(["folder", str(out)]) == 1
    assert "PROBLEM entry_deleted: The leaf 50 was deleted" in capsys.readouterr().out


def test_a_policy_of_other_keys_is_not_met(log: object, export: Run, tmp_path: Path) -> None:
    export()
    other = Signer.from_seed("other.example/witness", b"o" * 32, COSIGNATURE)
    theirs = tmp_path / "theirs"
    theirs.write_text(str(Policy(POLICY.logs, (other.verifier,), 1)))
    ran = alone(tmp_path / "out", "--policy", str(theirs))
    assert ran.returncode == 1 and "policy_not_met" in ran.stdout
    theirs.write_text(str(Policy((Signer.from_seed(SIGNER.name, b"x" * 32).verifier,))))
    ran = alone(tmp_path / "out", "--policy", str(theirs))
    assert ran.returncode == 1 and "checkpoint_signature" in ran.stdout


def test_a_period_and_an_organisation_are_exported_alone(
    log: psycopg.Connection[Any], export: Run, tmp_path: Path, world: World
) -> None:
    row = log.execute("SELECT event_at, idx FROM audit.leaf ORDER BY idx DESC OFFSET 99 LIMIT 1").fetchone()
    assert row is not None
    cut = row[0].replace(microsecond=0)
    earlier = log.execute("SELECT count(*) FROM audit.leaf WHERE event_at < %s", [cut]).fetchone()
    done = export("--to", cut.astimezone().strftime("%Y-%m-%dT%H:%M:%S%z"))
    assert done.exit_code == 0, done.output
    told = json.loads(alone(tmp_path / "out", "--json").stdout)
    assert told["ok"] and (told["events"],) == earlier and 0 < told["events"] < EVENTS
    shutil.rmtree(tmp_path / "out")
    council = world.organisations["council"]
    count = "SELECT count(*) FROM audit.event JOIN audit.leaf ON event_id = id WHERE organisation_ids @> ARRAY[%s]"
    expected = log.execute(count, [council]).fetchone()
    for changes in ({}, {"HUB_OWNER_DATABASE_URL": ""}):
        done = export("--organisation", str(council), **changes)
        assert done.exit_code == 0, done.output
        told = json.loads(alone(tmp_path / "out", "--json").stdout)
        assert told["ok"] and (told["events"],) == expected and told["events"] > 0
        bodies = b"".join(one.read_bytes() for one in (tmp_path / "out" / "events").iterdir())
        assert bodies.count(str(council).encode()) >= told["events"]
        shutil.rmtree(tmp_path / "out")


def test_without_a_policy_the_keys_of_the_database_go_with_it(
    log: psycopg.Connection[Any], export: Run, tmp_path: Path, policy: Path
) -> None:
    log.execute("INSERT INTO audit.witness_key (vkey) VALUES (%s)", [str(WITNESS.verifier)])
    policy.write_text("nonsense")
    assert export().exit_code == 2
    policy.unlink()
    done = export()
    assert done.exit_code == 0, done.output
    assert Policy.parse((tmp_path / "out" / "policy").read_text()) == POLICY
    assert alone(tmp_path / "out").returncode == 0


def test_a_month_in_the_archive_alone_is_said_and_not_called_deleted(
    log: psycopg.Connection[Any], export: Run, tmp_path: Path, database: SimpleNamespace
) -> None:
    log.execute(
        "INSERT INTO audit.archived_month (month, first_idx, last_idx, events, size)"
        " SELECT date_trunc('month', min(event_at) AT TIME ZONE 'UTC'), 0, 39, 40, 50 FROM audit.leaf WHERE idx < 40"
    )
    log.execute("DELETE FROM audit.event WHERE id IN (SELECT event_id FROM audit.leaf WHERE idx < 40)")
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        report = verify_log(connection, policy=POLICY)
    engine.dispose()
    codes = {one.code for one in report.problems}
    assert "event_deleted" not in codes and any("40 events are in the archive" in one for one in report.notes)
    assert export().exit_code == 0
    told = json.loads(alone(tmp_path / "out", "--json").stdout)
    assert told["ok"] and told["events"] == told["tree"]["size"] - 40
    log.execute("DELETE FROM audit.event WHERE id IN (SELECT event_id FROM audit.leaf WHERE idx = 40)")
    with engine.connect() as connection:
        report = verify_log(connection, policy=POLICY)
    engine.dispose()
    assert "event_deleted" in {one.code for one in report.problems}


def test_an_export_that_can_t_be_made_says_why(
    log: psycopg.Connection[Any], export: Run, tmp_path: Path
) -> None:
    nobody = export(HUB_OWNER_DATABASE_URL="")
    assert nobody.exit_code == 2 and "HUB_OWNER_DATABASE_URL" in nobody.output
    assert export("--purpose", "curiosity").exit_code == 2
    assert export().exit_code == 0
    again = export()
    assert again.exit_code == 2 and "not an empty directory" in again.output


def test_without_its_event_nothing_is_exported(
    log: psycopg.Connection[Any], export: Run, tmp_path: Path
) -> None:
    log.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA audit FROM hub_app, hub_finder, PUBLIC")
    unlogged = export()
    assert unlogged.exit_code == 2 and "nothing was exported" in unlogged.output
    assert not (tmp_path / "out").exists()


def test_an_export_of_a_log_that_was_tampered_with_shows_it(
    log: psycopg.Connection[Any], export: Run
) -> None:
    log.execute("DELETE FROM audit.event WHERE id = (SELECT event_id FROM audit.leaf WHERE idx = 99)")
    done = export()
    assert done.exit_code == 1 and "PROBLEM entry_deleted" in done.output


# -- one proof
