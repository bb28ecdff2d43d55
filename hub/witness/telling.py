"""What a witness tells about itself in plain text: who it is, and how far it has seen each log."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.witness.state import Log, State


def status_text(state: State) -> str:
    """Name, key, and for each log its size and since when; nothing in it is secret."""
    lines = [f"witness {state.name}", f"key {state.signer.verifier}"]
    for origin, log in sorted(state.logs.items()):
        lines += ["", f"log {origin}", *_of_log(log)]
    if not state.logs:
        lines += ["", "No log is trusted yet: nothing is cosigned."]
    return "\n".join([*lines, ""])


def _of_log(log: Log) -> list[str]:
    lines = [f"  key {log.keys[-1]}"]
    if len(log.keys) > 1:
        lines.append(f"  key changed {len(log.keys) - 1} time(s); what was seen before is still held to")
    if log.head is None:
        return [*lines, "  size 0, nothing seen yet: the first checkpoint will be trusted as it is shown"]
    lines.append(f"  size {log.head.size} root {log.head.root} since {_time(log.head.at)}")
    if log.first_size is not None and log.first_at is not None:
        lines.append(
            f"  first sight: size {log.first_size} at {_time(log.first_at)}, trusted as it was shown;"
            " every later checkpoint was proved to extend it"
        )
    return lines


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
