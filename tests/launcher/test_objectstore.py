"""Our own object store: keeps versions, checks keys, survives being killed, and runs beside another."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from hub.launcher.objectstore import ObjectStore, client_for
from hub.launcher.ports import LOOPBACK
from hub.launcher.processes import left_over_in, wait_until

pytestmark = pytest.mark.slow

Make = Callable[[Path], ObjectStore]


def test_what_was_stored_outlives_a_kill_and_a_stop(tmp_path: Path, make_store: Make) -> None:
    store = make_store(tmp_path)
    address = store.start()
    client = client_for(address)
    first = client.put_object(Bucket=address.bucket, Key="one", Body=b"first")["VersionId"]
    second = client.put_object(Bucket=address.bucket, Key="one", Body=b"second")["VersionId"]
    assert store.child
    os.kill(store.child.pid, signal.SIGKILL)

    again = make_store(tmp_path)
    assert again.start() == address
    for version, body in ((first, b"first"), (second, b"second")):
        assert client.get_object(Bucket=address.bucket, Key="one", VersionId=version)["Body"].read() == body
    again.stop()
    assert left_over_in(again.directory) == []
    assert list(Path("/tmp").glob(f"seaweedfs-*-{again.chosen['s3']}.sock")) == []


def test_an_orphan_is_stopped_by_the_next_start(tmp_path: Path, make_store: Make) -> None:
    orphan = make_store(tmp_path)
    address = orphan.start()
    client = client_for(address)
    client.put_object(Bucket=address.bucket, Key="one", Body=b"kept")
    assert make_store(tmp_path).start() == address
    assert orphan.child
    assert orphan.child.process.wait(5) is not None
    assert client.get_object(Bucket=address.bucket, Key="one")["Body"].read() == b"kept"


def test_a_killed_launcher_takes_the_store_with_it(tmp_path: Path, make_store: Make) -> None:
    code = "import sys, time; from pathlib import Path; from hub.launcher.objectstore import ObjectStore\n"
    code += "ObjectStore(Path(sys.argv[1])).start(); print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout
        assert launcher.stdout.readline() == "ready\n"
        assert left_over_in(tmp_path / "objects")
        launcher.kill()
    assert wait_until(lambda: left_over_in(tmp_path / "objects") == [], seconds=5)
    make_store(tmp_path)  # removes what the killed one left


def test_wrong_keys_and_none_are_refused_and_two_run_side_by_side(tmp_path: Path, make_store: Make) -> None:
    first, second = make_store(tmp_path / "one").start(), make_store(tmp_path / "two").start()
    client_for(first).put_object(Bucket=first.bucket, Key="one", Body=b"mine")
    assert client_for(second).list_objects_v2(Bucket=second.bucket)["KeyCount"] == 0
    for wrong in (
        replace(first, secret_key=second.secret_key),
        replace(first, access_key=second.access_key, secret_key=second.secret_key),
    ):
        with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied"):
            client_for(wrong).get_object(Bucket=first.bucket, Key="one")


def test_it_listens_on_this_machine_only(tmp_path: Path, make_store: Make) -> None:
    store = make_store(tmp_path)
    store.start()
    assert store.child
    sockets = set()
    for entry in Path(f"/proc/{store.child.pid}/fd").iterdir():
        target = os.readlink(entry)
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{store.child.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                listening.append(fields[1].split(":")[0])
    assert len(listening) >= 5
    assert set(listening) == {"0100007F"}


def test_a_small_disk_is_not_out_of_volumes_before_it_is_full(tmp_path: Path, make_store: Make) -> None:
    store = make_store(tmp_path)
    store.start()
    with urllib.request.urlopen(
        f"http://{LOOPBACK}:{store.chosen['master']}/dir/status", timeout=5
    ) as answer:
        most = json.load(answer)["Topology"]["Max"]
    assert most > shutil.disk_usage(tmp_path).total / 2**30
