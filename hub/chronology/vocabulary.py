"""Kinds of entries (HANDBOOK 7.5)."""

from __future__ import annotations

import enum


class EntryKind(enum.StrEnum):
    CONTACT_MADE = "contact_made"
    CONTACT_ATTEMPT = "contact_attempt"
    VISIT = "visit"
    PHONE_CALL = "phone_call"
    EMAIL_LETTER = "email_letter"
    PARTNER_UPDATE = "partner_update"
    EVIDENCE = "evidence"
    RISK_UPDATE = "risk_update"
    DECISION = "decision"
    SUPERVISOR_REVIEW = "supervisor_review"
    DIRECTION = "direction"
    VICTIM_UPDATE = "victim_update"
    LEGAL = "legal"
    MEETING_OUTCOME = "meeting_outcome"
    SHARING = "sharing"
    SAFEGUARDING = "safeguarding"
    NO_REPLY = "no_reply"
    SYSTEM = "system"


ENTRY_KIND_LABELS = {
    EntryKind.CONTACT_MADE: "Contact made",
    EntryKind.CONTACT_ATTEMPT: "Contact attempted",
    EntryKind.VISIT: "Visit",
    EntryKind.PHONE_CALL: "Phone call",
    EntryKind.EMAIL_LETTER: "Email or letter",
    EntryKind.PARTNER_UPDATE: "Partner update",
    EntryKind.EVIDENCE: "Evidence",
    EntryKind.RISK_UPDATE: "Risk update",
    EntryKind.DECISION: "Decision",
    EntryKind.SUPERVISOR_REVIEW: "Supervisor review",
    EntryKind.DIRECTION: "Direction",
    EntryKind.VICTIM_UPDATE: "Update to the victim",
    EntryKind.LEGAL: "Legal",
    EntryKind.MEETING_OUTCOME: "Meeting outcome",
    EntryKind.SHARING: "Sharing",
    EntryKind.SAFEGUARDING: "Safeguarding",
    EntryKind.NO_REPLY: "No reply",
    EntryKind.SYSTEM: "System",
}


class EntryNature(enum.StrEnum):
    """Facts and assessments are kept apart (DPA s.38; HANDBOOK 0.1 rule 5)."""

    FACT = "fact"
    ASSESSMENT = "assessment"


ENTRY_NATURE_LABELS = {EntryNature.FACT: "Fact", EntryNature.ASSESSMENT: "Assessment or opinion"}
