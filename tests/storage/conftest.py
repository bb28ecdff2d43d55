"""Real S3 servers for the tests of this folder, and a line to them that can break."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.config import Settings
from hub.launcher.objectstore import ObjectStore as Launched
from hub.launcher.objectstore import S3Address, client_for
from hub.storage.s3 import ObjectStore
from tests.fixtures.relay import Relay
from tests.storage.radosgw import PROGRAMS, RadosGateway

# rclone comes with the tests; radosgw is Debian's (packages radosgw, ceph-mon, ceph-osd)
SERVERS = ["seaweedfs", "rclone", "radosgw"]
# rclone keeps none
WITH_VERSIONS = ["seaweedfs", "radosgw"]
RCLONE = shutil.which("rclone", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def settings_for(address: S3Address, **changes: str) -> Settings:
    given: dict[str, Any] = {field.name: "" for field in dataclasses.fields(Settings)}
    given |= {
        "s3_endpoint": address.endpoint,
        "s3_bucket": address.bucket,
        "s3_access_key": address.access_key,
        "s3_secret_key": address.secret_key,
        "s3_region": address.region,
    }
    return Settings(**(given | changes))


class Rclone:
    """`rclone serve s3` over a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> S3Address:
        port = free_port()
        access, secret = "HUBACCESSKEY00000001", "only-for-this-test-run-0001"
        self.process = subprocess.Popen(
            [
                "rclone",
                "serve",
                "s3",
                f"--addr=127.0.0.1:{port}",
                f"--auth-key={access},{secret}",
                str(self.folder),
            ],
            env={"PATH": "", "RCLONE_CONFIG": "/dev/null"},
            executable=RCLONE,
            stderr=subprocess.DEVNULL,
        )
        wait_for(port)
        return S3Address(f"http://127.0.0.1:{port}", "bucket", access, secret)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Address]:
    launched = Launched(tmp_path_factory.mktemp("objects"))
    try:
        yield launched.start()
    finally:
        launched.destroy()


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Address]:
    if RCLONE is None:
        pytest.skip("rclone is not installed: no wheel of it for this machine")
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "bucket").mkdir()
    with Rclone(folder) as started:
        yield started


@pytest.fixture(scope="session")
def radosgw() -> Iterator[S3Address]:
    missing = [
        name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None
    ]
    if missing:
        pytest.skip(
            f"Ceph's gateway is not installed ({', '.join(missing)}): packages radosgw, ceph-mon, ceph-osd"
        )
    with tempfile.TemporaryDirectory(prefix="rgw-") as folder, RadosGateway(Path(folder)) as started:
        client = client_for(started)
        client.create_bucket(Bucket=started.bucket)
        client.put_bucket_versioning(Bucket=started.bucket, VersioningConfiguration={"Status": "Enabled"})
        yield started


@pytest.fixture(scope="session", params=SERVERS)
def address(request: pytest.FixtureRequest) -> S3Address:
    """Each server in turn."""
    found: S3Address = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session", params=WITH_VERSIONS)
def versioned_address(request: pytest.FixtureRequest) -> S3Address:
    """Each server that keeps versions, and objects under lock."""
    found: S3Address = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def store(address: S3Address) -> ObjectStore:
    return ObjectStore.from_settings(settings_for(address))


@pytest.fixture(scope="session")
def versioned(versioned_address: S3Address) -> ObjectStore:
    """A store that keeps versions."""
    return ObjectStore.from_settings(settings_for(versioned_address))


@pytest.fixture(scope="session")
def settings_of() -> Callable[..., Settings]:
    """Settings for a server, with changes."""
    return settings_for


@pytest.fixture
def relay(versioned_address: S3Address) -> Iterator[Relay]:
    relay = Relay(int(versioned_address.endpoint.rsplit(":", 1)[1]))
    yield relay
    relay.close()


@pytest.fixture
def over_relay(versioned_address: S3Address, relay: Relay) -> ObjectStore:
    return ObjectStore.from_settings(
        settings_for(versioned_address, s3_endpoint=f"http://127.0.0.1:{relay.port}")
    )


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
