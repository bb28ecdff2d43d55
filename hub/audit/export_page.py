"""The words that go with an export of the log: README.txt, and the same as a page that opens without the service."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from hub.audit.verifier.heads import NOT_DETECTED, Heads
from hub.crypto.tlog.checkpoints import Policy

TITLE = "Export of an audit log"
_STYLE = """
body { font: 19px/1.4 arial, sans-serif; color: #0b0c0c; max-width: 44em; margin: 2em auto; padding: 0 1em }
h1, h2 { line-height: 1.15 }
pre { background: #f3f2f1; padding: 1em; overflow-x: auto; font-size: 16px }
dt { font-weight: bold; margin-top: .5em }
dd { margin: 0 }
"""
# Blocks between empty lines: "# " begins a heading, four spaces what is to be typed, "* NAME: " tells of a file.
_WORDS = """
# What this is

Every look at personal data, and every change and disclosure, is an event in the log. This folder holds events of that log,
and what proves that none of them was altered since it was written.

It holds {events:,} events of a log of {size:,}.{period}{part}

{head}

Events hold ids and codes: no names, and none of the data that was looked at.

# How to check it

On any computer with Python 3.11 or later and the package cryptography. No network is used, and the service does not have
to be there.

    python3 hub-audit-verify.py folder .

It ends with SOUND, or names each problem. Its exit code is 0 where all is sound, 1 where problems were found, 2 where it
could not check.

Whoever gave you this folder could have changed all of it, this program and the policy too. For a check that trusts nobody,
take the program from where the service is published, and the keys from the operator and the witnesses themselves:

    python3 hub-audit-verify.py folder . --policy MY-POLICY

To see at the next export that the log was only added to, let the program remember this one:

    python3 hub-audit-verify.py folder . --policy MY-POLICY --seen LAST-SEEN

# What is in the folder

* events/: The events, 10,000 leaves of the tree to a file. Each line is the number of the leaf, a tab, and the event's own
bytes, which are JSON.

* tile/: The hashes of the whole log in a Merkle tree (RFC 6962), laid out as C2SP tlog-tiles.

* checkpoint: The head of the tree as the log signed it, and as witnesses cosigned it (C2SP tlog-checkpoint).

* policy: The public keys of the log and its witnesses, and how many witnesses must have cosigned.

* hub-audit-verify.py: The program that checks all of this.

* MANIFEST: The SHA-256 digest of every file.

# What it can't show

{not_detected}

The policy in this folder asks for {needed} of {witnesses} witnesses.
"""
_PERIOD = " They are from {first} to {last} (UTC)."
_PART = " They are those that one organisation may read; of the others only their hashes are here."


@dataclass(frozen=True)
class Told:
    """What the words are about. `narrow`: one organisation's events only."""

    heads: Heads
    policy: Policy
    events: int
    narrow: bool
    first: str
    last: str


def text(told: Told) -> str:
    return f"{TITLE}\n{'=' * len(TITLE)}\n{_filled(told)}"


def page(told: Told) -> str:
    body = "\n".join(_element(block) for block in _filled(told).strip("\n").split("\n\n"))
    return (
        f'<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n<title>{TITLE}</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{TITLE}</h1>\n{body}\n</body>\n</html>\n"
    )


def _filled(told: Told) -> str:
    newest = told.heads.newest
    return _WORDS.format(
        events=told.events,
        size=newest.size if newest else 0,
        period=_PERIOD.format(first=told.first, last=told.last) if told.events else "",
        part=_PART if told.narrow else "",
        head=told.heads.in_words(),
        not_detected=NOT_DETECTED,
        needed=told.policy.needed,
        witnesses=len(told.policy.witnesses),
    )


def _element(block: str) -> str:
    if block.startswith("# "):
        return f"<h2>{escape(block[2:])}</h2>"
    if block.startswith("    "):
        return f"<pre>{escape(block.strip())}</pre>"
    if block.startswith("* "):
        name, _, words = block[2:].partition(": ")
        return f"<dl><dt>{escape(name)}</dt><dd>{escape(words)}</dd></dl>"
    return f"<p>{escape(block)}</p>"
