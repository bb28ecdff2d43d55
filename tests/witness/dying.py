"""A witness's server that is killed at a chosen moment of its first cosignature: `python -m tests.witness.dying FILE MOMENT`.

MOMENT is `before` the new state takes the place of the old one, or `after` it, when the answer is not yet given.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from hub.crypto.tlog.notes import Signer
from hub.witness import state
from hub.witness.serving import WitnessServer


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if sys.argv[2] == "before":
        state.os.replace = die  # type: ignore[assignment]
    else:
        Signer.sign = die  # type: ignore[assignment]
    server = WitnessServer(("127.0.0.1", 0), state.StateFile(Path(sys.argv[1])))
    print(server.server_port, flush=True)
    server.serve_forever()
