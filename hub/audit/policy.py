"""The words of the log: what an outcome, a basis, a source and a category are called, and what the log may be read for."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from hub.access.vocabulary import PURPOSE_LABELS, Purpose
from hub.audit.catalogue import EVENTS, Category


class LogPurpose(enum.StrEnum):
    """What DPA 2018 s.62(4) lets the log be used for, and nothing else."""

    LAWFULNESS = "lawfulness"
    SELF_MONITORING = "self_monitoring"
    INTEGRITY = "integrity"
    PROCEEDINGS = "proceedings"


LOG_PURPOSE_LABELS = {
    LogPurpose.LAWFULNESS: "Verify that processing was lawful",
    LogPurpose.SELF_MONITORING: "Self-monitoring, including discipline",
    LogPurpose.INTEGRITY: "Integrity and security of the data",
    LogPurpose.PROCEEDINGS: "Criminal proceedings",
}

CATEGORY_LABELS = {
    Category.CONSULTATION: "Consultation",
    Category.COLLECTION: "Collection",
    Category.ALTERATION: "Alteration",
    Category.DISCLOSURE: "Disclosure",
    Category.COMBINATION: "Combination",
    Category.ERASURE: "Erasure",
    Category.SECURITY: "Security",
    Category.ADMIN: "Administration",
    Category.AUDIT: "Use of the log",
}

# code → words, tone of the tag
OUTCOMES = {
    "ok": ("Done", "green"),
    "denied": ("Refused", "red"),
    "withheld": ("Withheld", "orange"),
    "intent": ("Begun", "yellow"),
    "error": ("Failed", "orange"),
}

SOURCE_LABELS = {
    "web": "Website",
    "cli": "Command",
    "job": "Background job",
    "load": "Data load",
    "directory": "Directory",
}

VIA_LABELS = {
    "lead": "Lead team",
    "organisation": "Open to the lead organisation",
    "share": "Share",
    "emergency": "Emergency access",
    "hand_over": "Hand-over",
    "contribution": "Own contribution",
    "none": "Own contribution",
    "own": "Own contribution",
    "list": "List of what may be seen",
}


def act_label(act: str) -> str:
    """The words of an act; an act that this release does not know is shown by its code."""
    return EVENTS[act].label if act in EVENTS else act


def purpose_label(purpose: str | None) -> str:
    """The words of a working purpose; one that this release does not know is shown by its code."""
    return PURPOSE_LABELS[Purpose(purpose)] if purpose in set(Purpose) else purpose or ""


def basis_label(basis: Mapping[str, Any], agreements: Mapping[str, str] | None = None) -> str:
    """By which right and for which purpose, in words. `agreements` are references by id, where they may be told."""
    via = VIA_LABELS.get(str(basis.get("via", "")), "")
    if "agreement" in basis:
        via += f" under {(agreements or {}).get(basis['agreement'], 'an agreement')}"
    words = purpose_label(basis.get("purpose"))
    return ". ".join(part for part in (via, f"For: {words[0].lower()}{words[1:]}" if words else "") if part)
