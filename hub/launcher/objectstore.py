"""An S3 server of our own under `var/` (SeaweedFS): started, given its bucket, stopped."""

import http.client
import json
import os
import re
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from hub.launcher.console import tell
from hub.launcher.ports import LOOPBACK, Ports, is_free
from hub.launcher.processes import Child, Program, end_left_over, wait_until
from hub.launcher.secrets import Secrets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "hub-attachments"
LOG_BUCKET = "hub-log"  # under Object Lock
REGION = "us-east-1"

_MEMORY_LIMIT = "320MiB"  # soft: its collector works harder from here on
_START_SECONDS = 8.0
_PATIENCE_SECONDS = 120.0
_TRIES = 5
_PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc", "admin")
_VOLUMES = re.compile(r'"Volumes":\s*(\d+)')
# what the log's own account may do, and in its own bucket alone
_LOG_RIGHTS = (
    "Read",
    "Write",
    "List",
    "GetObjectRetention",
    "PutObjectRetention",
    "GetBucketObjectLockConfiguration",
)
_ADMIN_PARTNER = 10000  # its worker looks for it there, whatever it is told


@dataclass(frozen=True)
class S3Address:
    endpoint: str
    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str = REGION


class ObjectStore:
    """The store of one `var`. The caller sees to it that nobody else starts it at the same time."""

    def __init__(self, var: Path) -> None:
        self.directory = var.resolve() / "objects"
        self.log = var.resolve() / "log" / "objectstore.log"
        self.secrets = Secrets(var.resolve())
        self.ports = Ports(var.resolve())
        self.chosen: dict[str, int] = {}
        self.child: Child | None = None
        self.address: S3Address | None = None

    def start(self) -> S3Address:
        """Start and wait; the first time make the bucket, which keeps every version."""
        self.launch()
        return self.ready()

    def launch(self) -> S3Address:
        """Start without waiting, so that something else can start meanwhile: where it will be found."""
        self.program = _weed()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if end_left_over(self.directory, ask=signal.SIGTERM, grace_seconds=1):
            tell("The object store was still running from an earlier start that was killed: stopped it.")
        self._spawn(renew=False)
        return self._address()

    def ready(self) -> S3Address:
        """Wait until it serves the bucket."""
        for _ in range(_TRIES):
            if self._answers():
                self.address = address = self._address()
                self._provide_bucket(address)
                return address
            if self._running().exit_code is None:
                break
            self._spawn(renew=True)  # another program was quicker to one of its ports
        words = self._running().last_words()
        self.stop()
        raise SystemExit(f"The object store did not start; {self.log} ends:\n{words}")

    def stop(self) -> None:
        """It takes half a minute to stop by itself and loses nothing when killed, so it is not given long."""
        if self.child is not None:
            self.child.stop()
            self.child = None
            self._remove_sockets()

    def destroy(self) -> None:
        """Stop, and remove what it stored. For throw-away stores."""
        self.stop()
        self._remove_sockets()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self, *, renew: bool) -> None:
        self._remove_sockets()
        self.chosen = {
            name: self.ports.claim(
                f"objectstore.{name}", renew=renew, partner=_ADMIN_PARTNER * (name == "admin")
            )
            for name in _PORTS
        }
        self.had_volumes = any(self.directory.glob("*.dat"))
        (self.directory / "mini.options").unlink(missing_ok=True)  # the options of an earlier start
        self._write_accounts()
        self.child = Child(
            Program(
                name="the object store",
                command=[str(self.program), "mini", *self._options()],
                environment={
                    "PATH": os.environ.get("PATH", ""),
                    "HOME": str(self.directory),
                    "AWS_ACCESS_KEY_ID": self.secrets.token("s3_access_key"),
                    "AWS_SECRET_ACCESS_KEY": self.secrets.token("s3_secret_key"),
                    "GOMEMLIMIT": _MEMORY_LIMIT,
                    "GOGC": "50",
                },
                directory=self.directory,
                log=self.log,
                stop_signal=signal.SIGTERM,
                orphan_signal=signal.SIGKILL,
                grace_seconds=3,
            )
        )

    def _options(self) -> list[str]:
        ports = [f"-{_flag(name)}={port}" for name, port in self.chosen.items()]
        return [
            f"-dir={self.directory}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            f"-bucket={BUCKET}",
            f"-s3.config={self._accounts}",
            *ports,
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.allowDeleteBucketNotEmpty=false",
            "-s3.autoCreateBucket=false",
            "-s3.cacheCapacityMB=0",
            "-s3.readerCacheSizeMB=64",
            "-webdav=false",
            "-admin.ui=false",
            "-master.resumeState=false",  # what it remembers can cost it 5 s; the volumes tell it anyway
            "-master.telemetry=false",
            "-volume.preStopSeconds=0",
            # a volume takes what is written to it and no more; by itself it allows but one for each gibibyte that is free
            "-volume.max=10000",
        ]

    def _answers(self) -> bool:
        child = self._running()

        def settled() -> bool:
            return child.exit_code is not None or self._serves()

        if not wait_until(settled, seconds=_START_SECONDS, every=0.05):
            tell("The object store is taking its time …")
            wait_until(settled, seconds=_PATIENCE_SECONDS, every=0.2)
        return child.exit_code is None

    def _serves(self) -> bool:
        """The gateway answers, if only to refuse us, and its master has heard where the stored bytes are."""
        status, _ = _get(self.chosen["s3"], f"/{BUCKET}")
        if status not in {200, 403}:
            return False
        _, words = _get(self.chosen["master"], "/dir/status")
        volumes = _VOLUMES.findall(words)  # one count for each volume server
        return bool(volumes) and (sum(map(int, volumes)) > 0 or not self.had_volumes)

    def _running(self) -> Child:
        if self.child is None:
            raise RuntimeError("launch() comes first")
        return self.child

    def _address(self) -> S3Address:
        return S3Address(
            endpoint=f"http://{LOOPBACK}:{self.chosen['s3']}",
            bucket=BUCKET,
            access_key=self.secrets.token("s3_access_key"),
            secret_key=self.secrets.token("s3_secret_key"),
        )

    def archive_address(self) -> S3Address:
        """The bucket for the log's copy, with an account that reaches no other."""
        return S3Address(
            endpoint=f"http://{LOOPBACK}:{self.chosen['s3']}",
            bucket=LOG_BUCKET,
            access_key=self.secrets.token("archive_access_key"),
            secret_key=self.secrets.token("archive_secret_key"),
        )

    @property
    def _accounts(self) -> Path:
        return self.secrets.directory / "objectstore.json"

    def _write_accounts(self) -> None:
        """Both accounts, in a file that only its owner can read."""
        rights = {"s3": ["Admin"], "archive": [f"{right}:{LOG_BUCKET}" for right in _LOG_RIGHTS]}
        accounts = [
            {
                "name": name,
                "credentials": [
                    {
                        "accessKey": self.secrets.token(f"{name}_access_key"),
                        "secretKey": self.secrets.token(f"{name}_secret_key"),
                    }
                ],
                "actions": actions,
            }
            for name, actions in rights.items()
        ]
        draft = self._accounts.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"identities": accounts}, file)
        draft.replace(self._accounts)

    def _provide_bucket(self, address: S3Address) -> None:
        client = client_for(address)

        def provided() -> bool:
            try:
                if client.get_bucket_versioning(Bucket=address.bucket).get("Status") != "Enabled":
                    client.put_bucket_versioning(
                        Bucket=address.bucket, VersioningConfiguration={"Status": "Enabled"}
                    )
                if LOG_BUCKET not in {one.get("Name") for one in client.list_buckets().get("Buckets", [])}:
                    client.create_bucket(Bucket=LOG_BUCKET, ObjectLockEnabledForBucket=True)
            except (BotoCoreError, ClientError) as error:
                self.last_error = error
                return False
            return True

        if not wait_until(provided, seconds=30, every=0.1):
            raise SystemExit(f"The object store did not make its buckets: {self.last_error}")

    def _remove_sockets(self) -> None:
        """When killed it leaves sockets in the shared temporary directory, named after its ports."""
        ours = [port for name, port in self.ports.chosen.items() if name.startswith("objectstore.")]
        for port in [*ours, *(port + _ADMIN_PARTNER for port in ours)]:
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                if is_free(port) and socket.stat().st_uid == os.geteuid():
                    socket.unlink(missing_ok=True)


def client_for(address: S3Address) -> "S3Client":
    """A plain client of the store, for its set-up and for tests."""
    return boto3.client(
        "s3",
        endpoint_url=address.endpoint,
        aws_access_key_id=address.access_key,
        aws_secret_access_key=address.secret_key,
        region_name=address.region,
        config=Config(s3={"addressing_style": "path"}, connect_timeout=2, retries={"total_max_attempts": 2}),
    )


def _get(port: int, path: str) -> tuple[int, str]:
    """Status and body, or 0 while nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _flag(name: str) -> str:
    part, _, kind = name.partition(".")
    return f"{part}.port.{kind}" if kind else f"{part}.port"


def _weed() -> Path:
    """The program that the wheel puts beside our Python."""
    beside = Path(sys.executable).parent / "weed"
    if beside.exists():
        return beside
    if on_path := shutil.which("weed"):
        return Path(on_path)
    raise SystemExit(
        "The object store's program weed is not installed on this machine. "
        "Give HUB_S3_ENDPOINT, HUB_S3_BUCKET, HUB_S3_ACCESS_KEY and HUB_S3_SECRET_KEY of a store instead."
    )
