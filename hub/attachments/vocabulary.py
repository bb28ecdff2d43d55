"""Code lists of attachments: kinds of documents (HANDBOOK 14.2) and what the malware scan said (SECURITY F7)."""

from __future__ import annotations

import enum

from hub.access.vocabulary import Section


class DocumentKind(enum.StrEnum):
    LETTER = "letter"
    NOTICE = "notice"
    ORDER = "order"
    STATEMENT = "statement"
    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"
    DIARY = "diary"
    PLAN = "plan"
    ASSESSMENT = "assessment"
    MINUTES = "minutes"
    REPORT = "report"
    COURT = "court"
    CONSENT = "consent"
    IDENTITY = "identity"
    CORRESPONDENCE = "correspondence"
    LICENCE = "licence"
    OTHER = "other"


# the parts of a record to which a file may belong; whoever reads one of them has a Files tab
FILE_SECTIONS = (
    Section.FILES,
    Section.VICTIM,
    Section.RISK,
    Section.ENFORCEMENT,
    Section.SAFEGUARDING,
    Section.YOUTH_JUSTICE,
    Section.HEALTH,
)
DOCUMENT_KIND_LABELS = {kind: kind.value.capitalize() for kind in DocumentKind}


class ScanState(enum.StrEnum):
    """`not_scanned`: no scanner is configured, which only a demonstration may be, and every file says so."""

    NOT_SCANNED = "not_scanned"
    PENDING = "pending"
    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNABLE = "unscannable"


SCAN_LABELS = {
    ScanState.NOT_SCANNED: "Not scanned for malware",
    ScanState.PENDING: "Waiting for the malware scan",
    ScanState.CLEAN: "No malware found",
    ScanState.INFECTED: "Malware found",
    ScanState.UNSCANNABLE: "Cannot be scanned",
}
