"""What a file's scan means to whoever sees the file: a tag, a sentence, and what to do. The same words on pages and refusals."""

from __future__ import annotations

from dataclasses import dataclass

from hub.attachments.vocabulary import ScanState
from hub.core.errors import Conflict


@dataclass(frozen=True)
class ScanWords:
    """`tone` is a colour of components/tags.html. Nothing is said to do where all is well."""

    tag: str
    tone: str
    sentence: str
    what_to_do: str = ""


_STATES = {
    ScanState.NOT_SCANNED: ScanWords(
        "Not scanned for malware",
        "orange",
        "This demonstration has no malware scanner, so the file may be harmful.",
        "Open it only if you trust who sent it.",
    ),
    ScanState.PENDING: ScanWords(
        "Waiting for the malware scan",
        "yellow",
        "The file cannot be opened before a scan has found it free of malware. That usually takes less than a minute.",
        "Come back in a minute. If it still waits after ten minutes, tell your administrator.",
    ),
    ScanState.CLEAN: ScanWords("No malware found", "green", "The scan found no malware."),
    ScanState.INFECTED: ScanWords(
        "Malware found: quarantined",
        "red",
        "Malware was found in the file, so nobody can open it. Whoever added it and the administrators have been told.",
        "Do not send it on in any other way, and have the device that it came from checked. The file can only be hidden;"
        " it is removed when its retention ends.",
    ),
}
_UNSCANNABLE_TAG = "Cannot be scanned"
# by the reason that the scan gave
_REASONS = {
    "too_large": ("it is too large", "Divide it into smaller files, and attach those."),
    "limits": (
        "it holds more than the scanner can unpack",
        "Attach what is in it as files of their own.",
    ),
    "encrypted": (
        "it is protected by a password",
        "Remove the password and attach it again: every file is encrypted here in any case.",
    ),
    "timeout": ("the scan takes too long", "Divide it into smaller files, or save it in another format."),
    "unsound": (
        "what is stored is not what was attached",
        "Tell your administrator. If you have the original, attach it again.",
    ),
    "erased": ("its key has been destroyed", "It was erased. Nothing can be done."),
}
_OTHER_REASON = ("the scanner cannot read it", "Save it in another format, and attach it again.")


def scan_words(state: ScanState | str, finding: str | None) -> ScanWords:
    state = ScanState(state)
    if state is not ScanState.UNSCANNABLE:
        return _STATES[state]
    reason, what_to_do = _REASONS.get(finding or "", _OTHER_REASON)
    sentence = f"The file cannot be scanned for malware because {reason}, so nobody can open it."
    return ScanWords(_UNSCANNABLE_TAG, "orange", sentence, what_to_do)


def withheld_by_scan(state: ScanState | str, finding: str | None) -> Conflict:
    """The refusal of a file that its scan does not let out."""
    words = scan_words(state, finding)
    code = "not_clean" if state == ScanState.NOT_SCANNED else f"file_{ScanState(state).value}"
    return Conflict(code, f"{words.sentence} {words.what_to_do}".strip())
