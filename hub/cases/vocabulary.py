"""Code lists of cases: types and who approves their closure (HANDBOOK 8.1), states (7.3), priority and risk (14.2),
sources (7.2), closure (7.10)."""

from __future__ import annotations

import enum


class CaseKind(enum.StrEnum):
    ASB = "asb"
    ASB_CASE_REVIEW = "asb_case_review"
    BEGGING_STREET = "begging_street"
    OFF_ROAD = "off_road"
    PROBLEM = "problem"
    HATE = "hate"
    DOMESTIC_ABUSE = "domestic_abuse"
    MARAC = "marac"
    IOM = "iom"
    MAPPA_MARKER = "mappa_marker"
    EXPLOITATION = "exploitation"
    MISSING = "missing"
    YOUTH_PREVENTION = "youth_prevention"
    YOUTH_DIVERSION = "youth_diversion"
    YOUTH_STATUTORY = "youth_statutory"
    FAMILY_SUPPORT = "family_support"
    SERIOUS_VIOLENCE = "serious_violence"
    LICENSING_NTE = "licensing_nte"
    TARGET_HARDENING = "target_hardening"
    RETAIL_BUSINESS_CRIME = "retail_business_crime"
    CUCKOOING = "cuckooing"
    OTHER = "other"


CASE_KIND_LABELS = {
    CaseKind.ASB: "Anti-social behaviour",
    CaseKind.ASB_CASE_REVIEW: "ASB case review",
    CaseKind.BEGGING_STREET: "Begging and street-based cohort",
    CaseKind.OFF_ROAD: "Off-road and nuisance vehicles",
    CaseKind.PROBLEM: "Problem-solving plan",
    CaseKind.HATE: "Hate crime or incident",
    CaseKind.DOMESTIC_ABUSE: "Domestic abuse",
    CaseKind.MARAC: "MARAC case",
    CaseKind.IOM: "Integrated offender management",
    CaseKind.MAPPA_MARKER: "MAPPA marker only",
    CaseKind.EXPLOITATION: "Exploitation / VEMT",
    CaseKind.MISSING: "Missing episode and prevention plan",
    CaseKind.YOUTH_PREVENTION: "Prevention and early support",
    CaseKind.YOUTH_DIVERSION: "Diversion and out-of-court disposal",
    CaseKind.YOUTH_STATUTORY: "Court order (summary or full record elsewhere)",
    CaseKind.FAMILY_SUPPORT: "Early help / family support",
    CaseKind.SERIOUS_VIOLENCE: "Serious violence, knife, gang",
    CaseKind.LICENSING_NTE: "Licensing and night-time economy",
    CaseKind.TARGET_HARDENING: "Victim security measures",
    CaseKind.RETAIL_BUSINESS_CRIME: "Retail and business crime",
    CaseKind.CUCKOOING: "Home takeover",
    CaseKind.OTHER: "Other multi-agency",
}

# Existence stays hidden from partners, and marking starts high (ACCESS; HANDBOOK 8.1 `safeguarding` and `named`).
GUARDED_KINDS = frozenset(
    {
        CaseKind.DOMESTIC_ABUSE,
        CaseKind.MARAC,
        CaseKind.EXPLOITATION,
        CaseKind.MISSING,
        CaseKind.MAPPA_MARKER,
        CaseKind.CUCKOOING,
        CaseKind.SERIOUS_VIOLENCE,
        CaseKind.IOM,
    }
)


class Approval(enum.Enum):
    """Who may approve the closure of a case, besides having the permission to close."""

    # whoever may close, the lead officer too
    ANYBODY = "anybody"
    # not the person who worked it
    ANOTHER = "another"
    # not the person who worked it once its risk is medium or more
    ANOTHER_AT_RISK = "another_at_risk"


# The last column of HANDBOOK 8.1: "lead" and "n/a" let the lead officer close; every other entry names somebody else.
CLOSURE_APPROVAL = {
    CaseKind.ASB: Approval.ANOTHER_AT_RISK,
    CaseKind.ASB_CASE_REVIEW: Approval.ANOTHER,
    CaseKind.BEGGING_STREET: Approval.ANOTHER,
    CaseKind.OFF_ROAD: Approval.ANYBODY,
    CaseKind.PROBLEM: Approval.ANOTHER,
    CaseKind.HATE: Approval.ANOTHER,
    CaseKind.DOMESTIC_ABUSE: Approval.ANOTHER,
    CaseKind.MARAC: Approval.ANOTHER,
    CaseKind.IOM: Approval.ANOTHER,
    CaseKind.MAPPA_MARKER: Approval.ANYBODY,
    CaseKind.EXPLOITATION: Approval.ANOTHER,
    CaseKind.MISSING: Approval.ANOTHER,
    CaseKind.YOUTH_PREVENTION: Approval.ANOTHER,
    CaseKind.YOUTH_DIVERSION: Approval.ANOTHER,
    CaseKind.YOUTH_STATUTORY: Approval.ANOTHER,
    CaseKind.FAMILY_SUPPORT: Approval.ANOTHER,
    CaseKind.SERIOUS_VIOLENCE: Approval.ANOTHER,
    CaseKind.LICENSING_NTE: Approval.ANYBODY,
    CaseKind.TARGET_HARDENING: Approval.ANYBODY,
    CaseKind.RETAIL_BUSINESS_CRIME: Approval.ANYBODY,
    CaseKind.CUCKOOING: Approval.ANOTHER,
    CaseKind.OTHER: Approval.ANOTHER,
}


class CaseStatus(enum.StrEnum):
    NEW = "new"
    TRIAGE = "triage"
    OPEN = "open"
    ON_HOLD = "on_hold"
    MONITORING = "monitoring"
    CLOSURE_PENDING = "closure_pending"
    CLOSED = "closed"
    REOPENED = "reopened"
    SIGNPOSTED = "signposted"
    NO_FURTHER_ACTION = "no_further_action"
    REJECTED_DUPLICATE = "rejected_duplicate"
    MERGED = "merged"
    TRANSFERRED = "transferred"


CASE_STATUS_LABELS = {
    CaseStatus.NEW: "New",
    CaseStatus.TRIAGE: "Being triaged",
    CaseStatus.OPEN: "Open",
    CaseStatus.ON_HOLD: "On hold",
    CaseStatus.MONITORING: "Monitoring",
    CaseStatus.CLOSURE_PENDING: "Awaiting closure approval",
    CaseStatus.CLOSED: "Closed",
    CaseStatus.REOPENED: "Reopened",
    CaseStatus.SIGNPOSTED: "Signposted",
    CaseStatus.NO_FURTHER_ACTION: "No further action",
    CaseStatus.REJECTED_DUPLICATE: "Rejected as a duplicate",
    CaseStatus.MERGED: "Merged",
    CaseStatus.TRANSFERRED: "Transferred",
}


# States in which nobody works the case any more: it is read, and late entries are post-closure notes.
ENDED = frozenset(
    {
        CaseStatus.CLOSED,
        CaseStatus.SIGNPOSTED,
        CaseStatus.NO_FURTHER_ACTION,
        CaseStatus.REJECTED_DUPLICATE,
        CaseStatus.MERGED,
        CaseStatus.TRANSFERRED,
    }
)

# states under one word, as a list is narrowed to them: word in the address → title and states
STATUS_GROUPS: dict[str, tuple[str, frozenset[CaseStatus]]] = {
    "not_ended": ("Not ended", frozenset(CaseStatus) - ENDED),
    "tray": ("Waiting for triage", frozenset({CaseStatus.NEW, CaseStatus.TRIAGE})),
}


class Priority(enum.StrEnum):
    IMMEDIATE = "p1_immediate"
    URGENT = "p2_urgent"
    ROUTINE = "p3_routine"
    LOW = "p4_low"


PRIORITY_LABELS = {
    Priority.IMMEDIATE: "Immediate",
    Priority.URGENT: "Urgent",
    Priority.ROUTINE: "Routine",
    Priority.LOW: "Low",
}


class RiskLevel(enum.StrEnum):
    NOT_ASSESSED = "not_assessed"
    STANDARD = "standard"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


RISK_LABELS = {
    RiskLevel.NOT_ASSESSED: "Not assessed",
    RiskLevel.STANDARD: "Standard",
    RiskLevel.MEDIUM: "Medium",
    RiskLevel.HIGH: "High",
    RiskLevel.VERY_HIGH: "Very high",
}


# Where a second pair of eyes on closure is due (HANDBOOK 8.1: "supervisor if medium or high").
RAISED_RISK = frozenset({RiskLevel.MEDIUM, RiskLevel.HIGH, RiskLevel.VERY_HIGH})


class CaseSource(enum.StrEnum):
    PUBLIC_REPORT = "public_report"
    PARTNER_REFERRAL = "partner_referral"
    POLICE = "police"
    COUNCILLOR_MP = "councillor_mp"
    SELF_GENERATED = "self_generated"
    TRANSFER = "transfer"
    MEETING = "meeting"


CASE_SOURCE_LABELS = {
    CaseSource.PUBLIC_REPORT: "A member of the public",
    CaseSource.PARTNER_REFERRAL: "A partner organisation",
    CaseSource.POLICE: "Police",
    CaseSource.COUNCILLOR_MP: "Councillor or MP",
    CaseSource.SELF_GENERATED: "Our own staff",
    CaseSource.TRANSFER: "Transfer",
    CaseSource.MEETING: "A meeting",
}


class ClosureReason(enum.StrEnum):
    RESOLVED_BEHAVIOUR_STOPPED = "resolved_behaviour_stopped"
    RESOLVED_SUPPORT_IN_PLACE = "resolved_support_in_place"
    RESOLVED_MEDIATION = "resolved_mediation"
    RESOLVED_ENFORCEMENT_COMPLETE = "resolved_enforcement_complete"
    ORDER_EXPIRED_COMPLIED = "order_expired_complied"
    PERPETRATOR_MOVED = "perpetrator_moved"
    VICTIM_MOVED = "victim_moved"
    PERPETRATOR_IN_CUSTODY = "perpetrator_in_custody"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    NO_ASB_FOUND = "no_asb_found"
    COMPLAINANT_DISENGAGED = "complainant_disengaged"
    COMPLAINANT_WITHDREW = "complainant_withdrew"
    DISPUTE_NO_FAULT_ESTABLISHED = "dispute_no_fault_established"
    REFERRED_TO_OTHER_AGENCY = "referred_to_other_agency"
    TRANSFERRED_OUT_OF_AREA = "transferred_out_of_area"
    DUPLICATE_MERGED = "duplicate_merged"
    UNFOUNDED = "unfounded"
    MALICIOUS_REPORT = "malicious_report"
    DECEASED = "deceased"
    THRESHOLD_NOT_MET = "threshold_not_met"
    COHORT_DESELECTED = "cohort_deselected"
    AGE_18_TRANSFERRED = "age_18_transferred"
    OTHER = "other"


CLOSURE_REASON_LABELS = {
    ClosureReason.RESOLVED_BEHAVIOUR_STOPPED: "Resolved: behaviour stopped",
    ClosureReason.RESOLVED_SUPPORT_IN_PLACE: "Resolved: support in place",
    ClosureReason.RESOLVED_MEDIATION: "Resolved: mediation",
    ClosureReason.RESOLVED_ENFORCEMENT_COMPLETE: "Resolved: enforcement complete",
    ClosureReason.ORDER_EXPIRED_COMPLIED: "Order expired, complied with",
    ClosureReason.PERPETRATOR_MOVED: "Alleged perpetrator moved",
    ClosureReason.VICTIM_MOVED: "Victim moved",
    ClosureReason.PERPETRATOR_IN_CUSTODY: "Alleged perpetrator in custody",
    ClosureReason.INSUFFICIENT_EVIDENCE: "Insufficient evidence",
    ClosureReason.NO_ASB_FOUND: "No anti-social behaviour found",
    ClosureReason.COMPLAINANT_DISENGAGED: "Complainant disengaged",
    ClosureReason.COMPLAINANT_WITHDREW: "Complainant withdrew",
    ClosureReason.DISPUTE_NO_FAULT_ESTABLISHED: "Dispute, no fault established",
    ClosureReason.REFERRED_TO_OTHER_AGENCY: "Referred to another agency",
    ClosureReason.TRANSFERRED_OUT_OF_AREA: "Transferred out of area",
    ClosureReason.DUPLICATE_MERGED: "Duplicate, merged",
    ClosureReason.UNFOUNDED: "Unfounded",
    ClosureReason.MALICIOUS_REPORT: "Malicious report",
    ClosureReason.DECEASED: "Deceased",
    ClosureReason.THRESHOLD_NOT_MET: "Threshold not met",
    ClosureReason.COHORT_DESELECTED: "Cohort: deselected",
    ClosureReason.AGE_18_TRANSFERRED: "Aged 18, transferred",
    ClosureReason.OTHER: "Other",
}


class CaseOutcome(enum.StrEnum):
    FULLY_RESOLVED = "fully_resolved"
    PARTLY_RESOLVED = "partly_resolved"
    NOT_RESOLVED = "not_resolved"
    MANAGED_RISK = "managed_risk"
    NOT_APPLICABLE = "not_applicable"


CASE_OUTCOME_LABELS = {
    CaseOutcome.FULLY_RESOLVED: "Fully resolved",
    CaseOutcome.PARTLY_RESOLVED: "Partly resolved",
    CaseOutcome.NOT_RESOLVED: "Not resolved",
    CaseOutcome.MANAGED_RISK: "Risk managed",
    CaseOutcome.NOT_APPLICABLE: "Not applicable",
}


class VictimTold(enum.StrEnum):
    """Was the victim or complainant told before closure, and what did they say?"""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_REACHABLE = "not_reachable"
    NOT_SAFE = "not_safe"
    NO_VICTIM = "no_victim"


VICTIM_TOLD_LABELS = {
    VictimTold.AGREES: "Yes, and they agree",
    VictimTold.DISAGREES: "Yes, and they disagree",
    VictimTold.NOT_REACHABLE: "No: we could not reach them",
    VictimTold.NOT_SAFE: "No: it would not be safe",
    VictimTold.NO_VICTIM: "There is no victim or complainant",
}
