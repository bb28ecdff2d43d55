"""`make bench`: starts a demonstration of its own, measures its pages, stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import pages

PATIENCE_SECONDS = 300


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as var:
        log = Path(var) / "bench.log"
        began = time.monotonic()
        with log.open("w") as out:
            hub = subprocess.Popen(
                [
                    str(Path(sys.executable).parent / "hub"),
                    "up",
                    "--demo",
                    "--var",
                    f"{var}/var",
                    "--port",
                    "8497",
                ],
                stdout=out,
                stderr=out,
                env={**os.environ, "HUB_DEMO": "1"},
            )
        try:
            address = _ready(hub, log)
            print(f"first start with the invented partnership: {time.monotonic() - began:.1f} s")
            sys.argv = ["pages", address, *sys.argv[1:]]
            return pages.main()
        finally:
            hub.send_signal(signal.SIGINT)
            hub.wait(timeout=30)


def _ready(hub: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(PATIENCE_SECONDS * 2):
        found = re.search(r"Hub ready on (\S+)", log.read_text())
        if found:
            return found.group(1)
        if hub.poll() is not None:
            break
        time.sleep(0.5)
    raise SystemExit(f"the hub did not start:\n{log.read_text()[-2000:]}")


if __name__ == "__main__":
    raise SystemExit(main())
