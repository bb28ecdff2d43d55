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
    FILE_INFECTED = "attachment.scanned"
    FILE_UNSCANNABLE = "attachment.unscannable"
    PERSON_ADDED = "person.involved"
    INCIDENT_LOGGED = "incident.logged"
    INCIDENT_LINKED = "case.incident_linked"
    EMERGENCY_OPENED = "emergency.opened"
    AGREEMENT_WAITING = "agreement.created"
    AGREEMENT_SIGNED = "agreement.signed"
    AGREEMENT_SUSPENDED = "agreement.suspended"
    AGREEMENT_RESUMED = "agreement.resumed"
    AGREEMENT_ENDED = "agreement.ended"
    AGREEMENT_LEFT = "agreement.left"
    AGREEMENT_ENDING = "agreement.warned"
    SHARE_CHANGED = "share.changed"
    SHARE_CLOSED = "share.closed"
    FACT_SHARED = "fact.shared"
    PANEL_SEAT = "panel.created"
    PANEL_SHARED = "panel.shared"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    HANDOVER_OFFERED = "handover.offered"
    HANDOVER_ANSWERED = "handover.accepted"
    REQUEST_MADE = "request.made"
    REQUEST_ANSWERED = "request.answered"
    REQUEST_LATE = "request.late"
    EMERGENCY_REVIEWED = "emergency.reviewed"
    INTEREST_MET = "interest.met"
    ATTESTATION_DUE = "attestation.made"
    ASSURANCE_WAITING = "assurance.submitted"
    ASSURANCE_REVIEWED = "assurance.reviewed"
    ASSURANCE_ENDING = "assurance.warned"
    ALERTS_RAISED = "alert.raised"
    ACCESS_SAMPLED = "sample.drawn"
    NEW_DEVICE = "session.started"
    REFUSED_SIGN_IN = "session.refused"
    NEW_PASSWORD = "user.enrolled"
    CHANGED_PASSWORD = "user.password_changed"
    NEW_APP = "user.app_set"
    ACCOUNT_RESET = "user.reset"
    NEW_EMAIL = "user.changed"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    PASSKEY_SUSPENDED = "passkey.suspended"
    PROVIDER_LINKED = "identity.linked"
    PROVIDER_UNLINKED = "identity.unlinked"
    TRAINING_ENDING = "training.ending"
    VETTING_ENDING = "vetting.ending"
    ACCESS_ENDING = "access.ending"
    ROLES_ENDED = "role.ended"
    ACCOUNTS_UNUSED = "user.disabled"
    CASES_WITHOUT_OFFICER = "case.stranded"
    SETTING_SET = "setting.set"
    SETTING_WITHDRAWN = "setting.withdrawn"
    ROLE_ASKED = "role.asked"
    ROLE_ANSWERED = "role.refused"
    ROLE_GRANTED = "role.granted"
    ROLE_ALONE = "role.alone"


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
    NotificationKind.FILE_INFECTED: "Malware was found in a file: it is quarantined, and nobody can open it",
    NotificationKind.FILE_UNSCANNABLE: "A file that you added cannot be scanned for malware, so nobody can open it",
    NotificationKind.PERSON_ADDED: "A person was added by another organisation",
    NotificationKind.INCIDENT_LOGGED: "An incident was logged for your team",
    NotificationKind.INCIDENT_LINKED: "An incident was added to a case",
    NotificationKind.EMERGENCY_OPENED: "A record was opened by emergency access",
    NotificationKind.AGREEMENT_WAITING: "An agreement waits for your signature",
    NotificationKind.AGREEMENT_SIGNED: "An agreement was signed",
    NotificationKind.AGREEMENT_SUSPENDED: "An agreement was suspended",
    NotificationKind.AGREEMENT_RESUMED: "An agreement is in force again; what it carried must be shared anew",
    NotificationKind.AGREEMENT_ENDED: "An agreement was ended",
    NotificationKind.AGREEMENT_LEFT: "A party left an agreement",
    NotificationKind.AGREEMENT_ENDING: "An agreement ends soon",
    NotificationKind.SHARE_CHANGED: "What is shared with you has changed",
    NotificationKind.SHARE_CLOSED: "A share ended with the agreement or consent that it stood on",
    NotificationKind.FACT_SHARED: "A fact is offered to you: accept or reject it",
    NotificationKind.PANEL_SEAT: "Your organisation is offered a seat on a panel",
    NotificationKind.PANEL_SHARED: "A record is shared with your panel: you can see it now",
    NotificationKind.CONSENT_WITHDRAWN: "A consent was withdrawn",
    NotificationKind.HANDOVER_OFFERED: "A case is offered to your team: accept or refuse it",
    NotificationKind.HANDOVER_ANSWERED: "A hand-over was answered",
    NotificationKind.REQUEST_MADE: "A partner asks for what you hold",
    NotificationKind.REQUEST_ANSWERED: "Your request was answered",
    NotificationKind.REQUEST_LATE: "A request waits beyond its time",
    NotificationKind.EMERGENCY_REVIEWED: "An emergency access was reviewed",
    NotificationKind.INTEREST_MET: "A look was stopped by a declared interest",
    NotificationKind.ATTESTATION_DUE: "Confirm who still needs access",
    NotificationKind.ASSURANCE_WAITING: "A partner’s assurance waits for review",
    NotificationKind.ASSURANCE_REVIEWED: "Your organisation’s assurance was reviewed",
    NotificationKind.ASSURANCE_ENDING: "Your organisation’s assurance ends soon: answer it anew",
    NotificationKind.ALERTS_RAISED: "Alerts about accesses wait for review",
    NotificationKind.ACCESS_SAMPLED: "Say why you looked at something: it was drawn by chance",
    NotificationKind.NEW_DEVICE: "You were signed in on a device that is new to your account",
    NotificationKind.REFUSED_SIGN_IN: "Somebody tried to sign in as you: if it was not you, change your password",
    NotificationKind.NEW_PASSWORD: "The password of your account was set",
    NotificationKind.CHANGED_PASSWORD: "The password of your account was changed",
    NotificationKind.NEW_APP: "An authenticator app was set up for your account",
    NotificationKind.ACCOUNT_RESET: "An administrator has reset how you sign in: if you did not ask for it, tell them at once",
    NotificationKind.NEW_EMAIL: "The email address of your account is another now: if you did not expect it, tell your administrator at once",
    NotificationKind.PASSKEY_ADDED: "A passkey was added to your account",
    NotificationKind.PASSKEY_REMOVED: "A passkey was removed from your account",
    NotificationKind.PASSKEY_SUSPENDED: "A passkey of yours was taken out of use, because a copy of it may exist",
    NotificationKind.PROVIDER_LINKED: "Your organisation’s sign-in was linked to your account",
    NotificationKind.PROVIDER_UNLINKED: "Your organisation’s sign-in was unlinked from your account",
    NotificationKind.ACCOUNTS_UNUSED: "Accounts that were not used for a long time are suspended",
    NotificationKind.TRAINING_ENDING: "Training for an account runs out: do the courses again, and have them recorded",
    NotificationKind.VETTING_ENDING: "Vetting for an account runs out: have it renewed, and recorded",
    NotificationKind.ACCESS_ENDING: "The last day of somebody’s access is near",
    NotificationKind.ROLES_ENDED: "An account that your directory opened again has no roles any more: give them anew",
    NotificationKind.ACCOUNTS_UNUSED: "Accounts that were not used for 60 days are suspended",
    NotificationKind.CASES_WITHOUT_OFFICER: "Open cases of your team are without an officer who can work on them",
    NotificationKind.SETTING_SET: "A setting of your partnership was changed",
    NotificationKind.SETTING_WITHDRAWN: "A coming change of a setting of your partnership was withdrawn",
    NotificationKind.ROLE_ASKED: "A role that somebody is to have waits for your decision",
    NotificationKind.ROLE_ANSWERED: "A role that was asked for was decided on",
    NotificationKind.ROLE_GRANTED: "You were given a role: sign in again to use it",
    NotificationKind.ROLE_ALONE: "An administrator gave a role alone, as there was no other to decide",
}
