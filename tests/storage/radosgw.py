"""Ceph's S3 gateway on one machine, in memory: a monitor, an object daemon and the gateway, on loopback ports."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from uuid import uuid4

from hub.launcher.objectstore import S3Address
from hub.launcher.ports import LOOPBACK, Ports
from hub.launcher.processes import Child, Program, wait_until

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool", "ceph-authtool")
ACCESS, SECRET = "HUBACCESSKEY00000001", "only-for-this-test-run-0001"
SETTINGS = """[global]
fsid = {fsid}
mon_host = v1:{host}:{mon}
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
public_addr = {host}
cluster_addr = {host}
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
osd_crush_update_on_start = false
osd_class_update_on_start = false
osd_objectstore = memstore
memstore_device_bytes = 2147483648
mon_data_avail_crit = 1
mon_data = {folder}/mon
osd_data = {folder}/osd
rgw_data = {folder}/rgw
keyring = {folder}/keyring
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
pid_file =
rgw_frontends = beast endpoint={host}:{s3}
rgw_enable_apis = s3
rgw_run_sync_thread = false
rgw_thread_pool_size = 32
"""


class RadosGateway:
    """A store of its own under a short folder (sockets have short names)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[Child] = []
        self.environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", "CEPH_CONF": str(folder / "ceph.conf")}

    def __enter__(self) -> S3Address:
        ports, fsid, osd = Ports(self.folder), str(uuid4()), str(uuid4())
        mon, s3 = ports.claim("mon"), ports.claim("s3")
        for name in ("mon", "osd", "rgw"):
            (self.folder / name).mkdir()
        (self.folder / "ceph.conf").write_text(
            SETTINGS.format(fsid=fsid, host=LOOPBACK, mon=mon, s3=s3, folder=self.folder)
        )
        self._run("ceph-authtool --create-keyring keyring --gen-key -n mon. --cap mon", "allow *")
        self._run(f"monmaptool --create --fsid {fsid} --addv a [v1:{LOOPBACK}:{mon}] monmap")
        self._run("ceph-mon --mkfs -i a --monmap monmap --keyring keyring")
        self._start("ceph-mon -i a -f")
        self._run(f"ceph osd new {osd}")
        self._run(f"ceph-osd -i 0 --mkfs --osd-uuid {osd}")
        self._run("ceph osd crush add osd.0 1.0 host=here root=default")
        self._start("ceph-osd -i 0 -f")
        account = f"--uid=hub --display-name=hub --access-key={ACCESS} --secret={SECRET}"
        self._run(f"radosgw-admin user create {account}")
        self._start("radosgw -n client.rgw -f")
        answers = ["curl", "--silent", "--output", "/dev/null", f"http://{LOOPBACK}:{s3}/"]
        if not wait_until(
            lambda: subprocess.run(answers, check=False).returncode == 0, seconds=60, every=0.1
        ):
            raise RuntimeError(f"radosgw does not answer: {self.children[-1].last_words()}")
        return S3Address(f"http://{LOOPBACK}:{s3}", "bucket", ACCESS, SECRET)

    def __exit__(self, *_: object) -> None:
        for child in reversed(self.children):
            child.kill()

    def _run(self, command: str, *more: str) -> None:
        done = subprocess.run(
            [*command.split(), *more],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr.decode()[-1000:]}")

    def _start(self, command: str) -> None:
        name = command.partition(" ")[0]
        program = Program(
            name=name,
            command=command.split(),
            environment=self.environment,
            directory=self.folder,
            log=self.folder / f"{name}.out",
        )
        self.children.append(Child(program))
