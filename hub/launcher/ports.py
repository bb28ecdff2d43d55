"""Ports on the loopback address: chosen free, remembered, chosen anew when another program has taken one."""

import json
import secrets
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes the near end of outgoing connections, which could get there first.
_RANGE = range(20000, 32000)
_TRIES = 200


class Ports:
    """The ports of one directory, by name, kept in `var/ports.json`."""

    def __init__(self, var: Path) -> None:
        self.path = var / "ports.json"
        self.chosen = self._read()

    def claim(self, name: str, *, renew: bool = False, partner: int = 0) -> int:
        """The port of this name: the remembered one when it is free, else a new one. `partner` above is free too."""
        self.chosen = self._read()  # the other server of this directory adds its own
        port = self.chosen.get(name)
        if port is None or renew or not (is_free(port) and is_free(port + partner)):
            port = self._find(partner)
            self.chosen[name] = port
            self._write()
        return port

    def _find(self, partner: int) -> int:
        taken = set(self.chosen.values())
        for port in secrets.SystemRandom().sample(_RANGE, _TRIES):
            if not {port, port + partner} & taken and is_free(port) and is_free(port + partner):
                return port
        raise SystemExit(f"No free port between {_RANGE.start} and {_RANGE.stop} was found on {LOOPBACK}.")

    def _read(self) -> dict[str, int]:
        try:
            kept = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            return {}  # cut short when the machine stopped: choosing anew costs nothing
        return {str(name): int(port) for name, port in kept.items()} if isinstance(kept, dict) else {}

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.chosen, indent=1, sort_keys=True))
        draft.replace(self.path)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True when a server could listen there now. Connections that are still closing do not count."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
