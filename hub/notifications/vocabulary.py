"""What users are told of. A kind bears the name of the act that it tells of; the sentence names no person."""

from __future__ import annotations

import enum


class NotificationKind(enum.StrEnum):
    CASE_SHARED = "case.shared"
    SHARE_ACCEPTED = "share.accepted"
    SHARE_REJECTED = "share.rejected"
    SHARE_REVOKED = "share.revoked"
    SHARE_ENDING = "share.ending"
    CASE_ASSIGNED = "case.assigned"
    CASE_MOVED = "case.moved"
    CLOSURE_WAITING = "closure.waiting"
    REVIEW_DUE = "review.due"
    ENTRY_ADDED = "entry.added"
    FILE_ADDED = "attachment.added"
    PERSON_ADDED = "person.involved"
    INCIDENT_LOGGED = "incident.logged"
    INCIDENT_LINKED = "case.incident_linked"
    EMERGENCY_OPENED = "emergency.opened"
    AGREEMENT_WAITING = "agreement.created"
    AGREEMENT_SIGNED = "agreement.signed"
    AGREEMENT_SUSPENDED = "agreement.suspended"


NOTIFICATION_LABELS = {
    NotificationKind.CASE_SHARED: "A record is offered to you: accept or reject it",
    NotificationKind.SHARE_ACCEPTED: "A share was accepted",
    NotificationKind.SHARE_REJECTED: "A share was rejected",
    NotificationKind.SHARE_REVOKED: "A share has been ended",
    NotificationKind.SHARE_ENDING: "A share ends soon",
    NotificationKind.CASE_ASSIGNED: "A case was assigned to you",
    NotificationKind.CASE_MOVED: "The status of a case has changed",
    NotificationKind.CLOSURE_WAITING: "A case waits for closure approval",
    NotificationKind.REVIEW_DUE: "A review is due",
    NotificationKind.ENTRY_ADDED: "An entry was added by another organisation",
    NotificationKind.FILE_ADDED: "A file was added by another organisation",
    NotificationKind.PERSON_ADDED: "A person was added by another organisation",
    NotificationKind.INCIDENT_LOGGED: "An incident was logged for your team",
    NotificationKind.INCIDENT_LINKED: "An incident was added to a case",
    NotificationKind.EMERGENCY_OPENED: "A record was opened by emergency access",
    NotificationKind.AGREEMENT_WAITING: "An agreement waits for your signature",
    NotificationKind.AGREEMENT_SIGNED: "An agreement was signed",
    NotificationKind.AGREEMENT_SUSPENDED: "An agreement was suspended",
}
