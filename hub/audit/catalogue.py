"""The catalogue of events: every act that is written, its category, what it is about, and the facts it must carry.

Missing or extra facts raise. Facts are ids and codes; a text (a reason, a value before and after) is sealed beside the
event and stands in it only as a salted commitment.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Category(enum.StrEnum):
    """The six acts of DPA 2018 s.62, and what concerns the service itself."""

    CONSULTATION = "consultation"
    COLLECTION = "collection"
    ALTERATION = "alteration"
    DISCLOSURE = "disclosure"
    COMBINATION = "combination"
    ERASURE = "erasure"
    SECURITY = "security"
    ADMIN = "admin"
    AUDIT = "audit"


@dataclass(frozen=True)
class Kind:
    """One act. `facts` must all be given; `texts` and `changes` may be."""

    category: Category
    about: str | None
    label: str
    facts: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    changes: bool = False


def _kind(
    category: Category,
    about: str | None,
    label: str,
    *facts: str,
    texts: tuple[str, ...] = (),
    changes: bool = False,
) -> Kind:
    return Kind(category, about, label, frozenset(facts), frozenset(texts), changes)


# what narrowed a look at the log; empty where it was not narrowed so
ASKED = (
    "asked_from", "asked_until", "asked_user", "asked_organisation", "asked_subject", "asked_act", "asked_category",
    "asked_outcome", "asked_purpose", "asked_weekday", "asked_hour", "asked_as_of",
)  # fmt: skip
C = Category
EVENTS: dict[str, Kind] = {
    # at the door
    "session.started": _kind(C.SECURITY, "user", "Signed in", "method"),
    "session.refused": _kind(C.SECURITY, "user", "Sign-in refused", "why"),
    "session.ended": _kind(C.SECURITY, "user", "Signed out"),
    "session.revoked": _kind(C.SECURITY, "user", "Sessions ended", "why"),
    "session.switched": _kind(C.SECURITY, "user", "Changed team or purpose", "team", "purpose"),
    "session.confirmed": _kind(C.SECURITY, "user", "Confirmed identity", "method"),
    "identity.linked": _kind(C.SECURITY, "user", "Organisation’s sign-in linked", "provider"),
    "identity.unlinked": _kind(C.SECURITY, "user", "Organisation’s sign-in unlinked", "provider"),
    "provider.added": _kind(C.ADMIN, "identity_provider", "Sign-in service connected"),
    "provider.changed": _kind(
        C.ADMIN, "identity_provider", "Sign-in service changed", "secret", changes=True
    ),
    "provider.ended": _kind(C.ADMIN, "identity_provider", "Sign-in service disconnected"),
    "access.limited": _kind(C.SECURITY, None, "Refused: too often", "what", "whose"),
    "access.refused": _kind(C.SECURITY, None, "Refused: no permission", "route"),
    "passkey.added": _kind(C.SECURITY, "user", "Passkey added", "passkey", "bound"),
    "passkey.renamed": _kind(C.SECURITY, "user", "Passkey given another name", "passkey"),
    "passkey.removed": _kind(C.SECURITY, "user", "Passkey removed", "passkey", "bound"),
    "passkey_rule.set": _kind(C.ADMIN, "organisation", "Rule for passkeys set", "strict"),
    "user.enrolled": _kind(C.ADMIN, "user", "Enrolled"),
    "user.invited": _kind(C.ADMIN, "user", "Invited"),
    "user.app_set": _kind(C.SECURITY, "user", "Authenticator app set up"),
    "user.password_changed": _kind(C.SECURITY, "user", "Password changed"),
    "user.reset": _kind(C.ADMIN, "user", "Sign-in reset"),
    "user.disabled": _kind(C.ADMIN, "user", "Account closed"),
    "user.provisioned": _kind(C.ADMIN, "user", "Account made by the directory"),
    "user.deprovisioned": _kind(C.ADMIN, "user", "Account deleted by the directory"),
    "user.conditions_set": _kind(
        C.ADMIN,
        "user",
        "Training, vetting and last day recorded",
        "trained_on",
        "vetting",
        "vetting_expires_on",
        "access_ends_on",
    ),
    "terms.accepted": _kind(C.ADMIN, "user", "Terms of use accepted", "terms"),
    "user.changed": _kind(C.ADMIN, "user", "Account changed", changes=True),
    "directory.token_made": _kind(C.ADMIN, "directory", "Token of a directory made"),
    "directory.token_ended": _kind(C.ADMIN, "directory", "Token of a directory ended"),
    "partnership.created": _kind(C.ADMIN, "partnership", "Partnership created"),
    "organisation.created": _kind(C.ADMIN, "organisation", "Organisation created"),
    "team.created": _kind(C.ADMIN, "team", "Team created"),
    "team.changed": _kind(C.ADMIN, "team", "Team changed", changes=True),
    "team.removed": _kind(C.ADMIN, "team", "Team deleted"),
    "team.member_added": _kind(C.ADMIN, "user", "Put into a team", "team"),
    "team.member_removed": _kind(C.ADMIN, "user", "Taken out of a team", "team"),
    # `asked_by` is who asked; the actor approved it, or was alone in it, and then nobody else could have decided
    "role.granted": _kind(
        C.ADMIN, "user", "Role granted", "role", "change", "asked_by", "approved_by", "alone"
    ),
    "role.asked": _kind(C.ADMIN, "user", "Role asked for", "role", "change"),
    "role.refused": _kind(C.ADMIN, "user", "Role refused", "role", "change"),
    "role.withdrawn": _kind(C.ADMIN, "user", "Role no longer asked for", "role", "change"),
    "role.listed": _kind(C.ADMIN, None, "Role changes viewed"),
    "role.viewed": _kind(C.ADMIN, "role_change", "Role change viewed"),
    "role.ended": _kind(C.ADMIN, "user", "Role taken away", "role"),
    "user.opened": _kind(C.ADMIN, "user", "Account viewed"),
    "accounts.listed": _kind(C.ADMIN, None, "Account list viewed"),
    # agreements
    "agreement.created": _kind(C.ADMIN, "agreement", "Agreement drafted"),
    "agreement.changed": _kind(C.ADMIN, "agreement", "Draft of an agreement changed"),
    "agreement.sent": _kind(C.ADMIN, "agreement", "Agreement sent out for signature"),
    "agreement.resumed": _kind(C.ADMIN, "agreement", "Agreement resumed"),
    "agreement.ended": _kind(C.ADMIN, "agreement", "Agreement ended"),
    "agreement.left": _kind(C.ADMIN, "agreement", "Left an agreement"),
    "agreement.warned": _kind(C.ADMIN, "agreement", "Parties told that an agreement ends", "days"),
    "setting.set": _kind(C.ADMIN, "setting", "Setting of the partnership set", "code", "value", "day"),
    "setting.withdrawn": _kind(
        C.ADMIN, "setting", "Coming setting of the partnership withdrawn", "code", "value", "day"
    ),
    "list.changed": _kind(C.ADMIN, "code_list_entry", "Code list changed", "list", "code", "change", "day"),
    "file_policy.set": _kind(C.ADMIN, "file_policy", "Rules for files set", "types"),
    "paper.added": _kind(C.ADMIN, "paper", "Paper added"),
    "paper.downloaded": _kind(C.ADMIN, "paper", "Paper downloaded"),
    "paper.scanned": _kind(C.SECURITY, "paper", "Paper scanned for malware", "state"),
    "assurance.submitted": _kind(C.ADMIN, "assurance", "Assurance answered"),
    "assurance.reviewed": _kind(C.ADMIN, "assurance", "Assurance reviewed", "outcome"),
    "assurance.opened": _kind(C.ADMIN, "assurance", "Answers of an assurance viewed"),
    "assurance.warned": _kind(C.ADMIN, "assurance", "Told that an assurance ends"),
    "assurance.listed": _kind(C.ADMIN, None, "Assurance of partners viewed"),
    "panel.created": _kind(C.ADMIN, "panel", "Panel made"),
    "panel.joined": _kind(C.ADMIN, "panel", "Seat on a panel accepted"),
    "panel.left": _kind(C.ADMIN, "panel", "Seat on a panel given up"),
    "panel.ended": _kind(C.ADMIN, "panel", "Panel ended"),
    "panel.listed": _kind(C.ADMIN, None, "Panels viewed"),
    "attestation.opened": _kind(C.ADMIN, "attestation", "Access list viewed"),
    "attestation.made": _kind(C.ADMIN, "attestation", "Access list of the month made"),
    "attestation.confirmed": _kind(C.ADMIN, "attestation", "Access confirmed", "users"),
    "attestation.closed": _kind(C.ADMIN, "attestation", "Unconfirmed access suspended", "users"),
    "user.reinstated": _kind(C.ADMIN, "user", "Account opened again"),
    "agreement.signed": _kind(C.ADMIN, "agreement", "Agreement signed"),
    "agreement.suspended": _kind(C.ADMIN, "agreement", "Agreement suspended"),
    "agreement.listed": _kind(C.ADMIN, None, "Agreement register viewed"),
    "agreement.opened": _kind(C.ADMIN, "agreement", "Agreement viewed"),
    # consultation
    "work.viewed": _kind(C.CONSULTATION, None, "My work viewed"),
    "incident.listed": _kind(C.CONSULTATION, None, "Incident list viewed"),
    "incident.opened": _kind(C.CONSULTATION, "incident", "Incident viewed"),
    "incident.matched": _kind(C.CONSULTATION, "incident", "Possibly related cases shown"),
    "case.listed": _kind(C.CONSULTATION, None, "Case list viewed"),
    "case.opened": _kind(C.CONSULTATION, "case", "Case viewed", "part"),
    "record.taken_up": _kind(C.CONSULTATION, "record", "Read again for a change"),
    "person.listed": _kind(C.CONSULTATION, None, "People list viewed"),
    "person.opened": _kind(C.CONSULTATION, "person", "Person viewed"),
    "person.compared": _kind(C.COMBINATION, "record", "Compared with somebody being entered"),
    "person.matched": _kind(C.CONSULTATION, "record", "Possible matches of a person shown"),
    "share.listed": _kind(C.CONSULTATION, None, "Shared with us viewed"),
    "contribution.opened": _kind(C.CONSULTATION, "entry", "Own contribution viewed"),
    "contribution.file_opened": _kind(C.CONSULTATION, "attachment", "Own file viewed"),
    "search.run": _kind(C.CONSULTATION, None, "Search", texts=("terms",)),
    "notification.listed": _kind(C.CONSULTATION, None, "Notifications viewed"),
    # collection and alteration
    "incident.logged": _kind(C.COLLECTION, "incident", "Incident logged", "kind"),
    "incident.changed": _kind(C.ALTERATION, "incident", "Incident changed", changes=True),
    "import.run": _kind(
        C.COLLECTION, None, "Incidents imported", "kept", "refused", "known", texts=("file",)
    ),
    "case.created": _kind(C.COLLECTION, "case", "Case opened", "kind"),
    "case.changed": _kind(C.ALTERATION, "case", "Case changed", changes=True),
    "case.moved": _kind(C.ALTERATION, "case", "Case status changed", "from", "to", texts=("reason",)),
    "case.restricted": _kind(C.ALTERATION, "case", "Case restricted", "restricted", texts=("reason",)),
    "case.incident_linked": _kind(C.COMBINATION, "case", "Incident linked to case", "incident"),
    "entry.added": _kind(C.COLLECTION, "entry", "Entry added", "kind"),
    "person.involved": _kind(C.COLLECTION, "involvement", "Person added to record", "role"),
    "person.told": _kind(C.COLLECTION, "person", "Name or fact of a person added", "kind"),
    "place.involved": _kind(C.COLLECTION, "involvement", "Place added to record", "role"),
    "vehicle.involved": _kind(C.COLLECTION, "involvement", "Vehicle added to record", "role"),
    "involvement.ended": _kind(C.ALTERATION, "involvement", "Involvement ended", texts=("reason",)),
    # files
    "attachment.added": _kind(C.COLLECTION, "attachment", "File attached", "kind", "original"),
    "attachment.refused": _kind(C.COLLECTION, "record", "File refused", "why"),
    "attachment.previewed": _kind(C.CONSULTATION, "attachment", "File previewed"),
    "attachment.downloaded": _kind(C.CONSULTATION, "attachment", "File downloaded"),
    "attachment.scanned": _kind(C.SECURITY, "attachment", "File scanned for malware", "state"),
    "quarantine.listed": _kind(C.SECURITY, None, "Files with malware listed"),
    "attachment.opened": _kind(C.CONSULTATION, "attachment", "Page of a file viewed"),
    "attachment.changed": _kind(C.ALTERATION, "attachment", "Details of a file changed", changes=True),
    "attachment.replaced": _kind(
        C.ALTERATION, "attachment", "File replaced", "kind", "original", "replaces", texts=("reason",)
    ),
    "attachment.hidden": _kind(C.ALTERATION, "attachment", "File hidden", texts=("reason",)),
    "attachment.restored": _kind(C.ALTERATION, "attachment", "Hidden file restored", texts=("reason",)),
    "hold.placed": _kind(C.ALTERATION, "legal_hold", "Legal hold placed", "whole", texts=("reason",)),
    "hold.lift_asked": _kind(C.ALTERATION, "legal_hold", "Lifting of a legal hold asked", texts=("reason",)),
    "hold.lifted": _kind(C.ALTERATION, "legal_hold", "Legal hold lifted"),
    "evidence.exported": _kind(
        C.CONSULTATION, "record", "List of files exported", "format", "files", texts=("reason", "files")
    ),
    "attachment.disclosed": _kind(C.DISCLOSURE, "attachment", "File disclosed in a bundle", "original"),
    "disclosure.opened": _kind(C.CONSULTATION, "disclosure", "Disclosure schedule viewed"),
    "disclosure.assessed": _kind(C.ALTERATION, "record", "Disclosure schedule changed", "files"),
    "disclosure.asked": _kind(
        C.ALTERATION,
        "disclosure",
        "Bundle asked for",
        "files",
        "originals",
        "organisation",
        texts=("reason",),
    ),
    "disclosure.approved": _kind(
        C.ALTERATION, "disclosure", "Bundle agreed to", "files", "originals", "organisation"
    ),
    "disclosure.released": _kind(
        C.DISCLOSURE, "disclosure", "Bundle given out", "files", "originals", texts=("reason", "files")
    ),
    "attachment.unsound": _kind(C.SECURITY, "attachment", "File failed its integrity check"),
    "draft.forgotten": _kind(C.ERASURE, None, "Old drafts removed"),
    "service.created": _kind(C.ADMIN, "user", "Service account made"),
    "object.swept": _kind(C.ERASURE, None, "Orphaned objects removed", "objects"),
    # erasure
    "erasure.asked": _kind(C.SECURITY, "record", "Erasure asked for", "ground"),
    "erasure.refused": _kind(C.SECURITY, "record", "Erasure refused"),
    "erasure.listed": _kind(C.SECURITY, None, "Erasures viewed"),
    "erasure.viewed": _kind(C.SECURITY, "record", "Request for an erasure viewed"),
    "erasure.shown": _kind(C.CONSULTATION, "record", "Told that a record was erased"),
    "record.erased": _kind(C.ERASURE, "record", "Record erased", "ground"),
    "erasure.finished": _kind(C.ERASURE, "record", "Objects of an erased record removed", "objects"),
    # keys
    "keys.viewed": _kind(C.ADMIN, None, "State of the keys viewed"),
    "keys.moved": _kind(C.SECURITY, "partnership", "Keys passed to a new epoch", "epoch"),
    "keys.turned": _kind(C.SECURITY, "partnership", "Keys turned", "epoch", "retired"),
    "keys.root_turned": _kind(C.SECURITY, None, "Root key turned"),
    "keys.root_moved": _kind(C.SECURITY, None, "Epochs passed to the new root key"),
    "keys.root_ended": _kind(C.SECURITY, None, "Earlier root key ended for good"),
    "keys.destruction_asked": _kind(C.SECURITY, "key_epoch", "Asked to destroy an epoch’s key"),
    "keys.destroyed": _kind(C.SECURITY, "key_epoch", "Epoch’s key destroyed"),
    # disclosure
    "case.shared": _kind(C.DISCLOSURE, "record_grant", "Shared", "sections", texts=("reason",)),
    "share.previewed": _kind(C.CONSULTATION, "record", "Previewed as a recipient", "organisation"),
    "share.changed": _kind(
        C.DISCLOSURE, "record_grant", "Share changed", "sections", changes=True, texts=("reason",)
    ),
    "share.closed": _kind(C.ALTERATION, "record_grant", "Share ended with what it stood on", "why"),
    "fact.shared": _kind(C.DISCLOSURE, "record_grant", "One fact shared", "code", texts=("reason",)),
    "fact.opened": _kind(C.CONSULTATION, "record_grant", "Shared fact viewed"),
    "consent.recorded": _kind(C.COLLECTION, "consent", "Consent recorded", "purpose", "organisation"),
    "consent.withdrawn": _kind(C.ALTERATION, "consent", "Consent withdrawn", "shares"),
    "handover.offered": _kind(C.DISCLOSURE, "hand_over", "Hand-over offered", texts=("reason",)),
    "handover.accepted": _kind(C.ALTERATION, "hand_over", "Hand-over accepted", "shares", texts=("answer",)),
    "handover.refused": _kind(C.ALTERATION, "hand_over", "Hand-over refused", texts=("answer",)),
    "handover.withdrawn": _kind(C.ALTERATION, "hand_over", "Hand-over withdrawn"),
    "handover.opened": _kind(C.CONSULTATION, "hand_over", "Hand-over viewed"),
    "request.made": _kind(
        C.CONSULTATION, "access_request", "Access asked for", "organisation", texts=("reason",)
    ),
    "request.opened": _kind(C.CONSULTATION, "access_request", "Request viewed"),
    "request.listed": _kind(C.CONSULTATION, None, "Requests viewed"),
    "request.answered": _kind(C.ALTERATION, "access_request", "Request answered", "state", texts=("answer",)),
    "request.withdrawn": _kind(C.ALTERATION, "access_request", "Request withdrawn"),
    "request.late": _kind(C.ADMIN, "access_request", "Reminded of a late request"),
    "share.accepted": _kind(C.ALTERATION, "record_grant", "Share accepted"),
    "share.rejected": _kind(C.ALTERATION, "record_grant", "Share rejected", texts=("reason",)),
    "share.revoked": _kind(C.ALTERATION, "record_grant", "Share ended", texts=("reason",)),
    "share.denied": _kind(C.DISCLOSURE, "record", "Share refused", "why", "organisation"),
    "notification.left": _kind(C.ADMIN, None, "Notices left", "kind"),
    "notification.read": _kind(C.ADMIN, "notification", "Notices marked as read"),
    "notification.mailed": _kind(C.ADMIN, "user", "Email notice sent", "kind"),
    # emergencies and declared interests
    "emergency.opened": _kind(
        C.SECURITY, "emergency", "Emergency access opened", "minutes", texts=("reason",)
    ),
    "emergency.refused": _kind(C.SECURITY, None, "Emergency access refused"),
    "emergency.closed": _kind(C.SECURITY, "emergency", "Emergency access given back"),
    "emergency.reviewed": _kind(
        C.SECURITY, "emergency", "Emergency access reviewed", "outcome", texts=("note",)
    ),
    "emergency.listed": _kind(C.SECURITY, None, "Emergency access viewed"),
    "emergency.viewed": _kind(C.SECURITY, "emergency", "Reason of an emergency access viewed"),
    "interest.declared": _kind(C.SECURITY, "interest", "Interest declared", "kind"),
    "interest.ended": _kind(C.SECURITY, "interest", "Interest ended"),
    "interest.listed": _kind(C.SECURITY, None, "Declared interests viewed"),
    "interest.met": _kind(C.SECURITY, None, "Look stopped by a declared interest"),
    "exclusion.lifted": _kind(C.SECURITY, "exclusion", "Exclusion lifted", texts=("reason",)),
    # the log itself
    "log.viewed": _kind(C.AUDIT, None, "Log viewed", "purpose", *ASKED),
    "log.opened": _kind(C.AUDIT, "event", "Event viewed", "purpose"),
    "log.record_viewed": _kind(C.AUDIT, "record", "Log of a record viewed", "purpose", *ASKED),
    "log.person_viewed": _kind(C.AUDIT, "person", "Log about a person viewed", "purpose", *ASKED),
    "log.user_viewed": _kind(C.AUDIT, "user", "Log of a user viewed", "purpose", *ASKED),
    "log.organisation_viewed": _kind(
        C.AUDIT, "organisation", "Log of an organisation viewed", "purpose", *ASKED
    ),
    "log.exported": _kind(C.AUDIT, None, "Events exported", "purpose", "asked", "events", "format"),
    "log.printed": _kind(C.AUDIT, None, "Events made ready for print", "purpose", "asked", "events"),
    "log.verified": _kind(C.AUDIT, None, "Log verified", "events", "problems"),
    "log.archive_checked": _kind(C.AUDIT, None, "Archive of the log checked", "events", "problems"),
    "log.archive_read": _kind(C.AUDIT, None, "Month of the log read from the archive", "purpose", "month"),
    "log.month_detached": _kind(C.AUDIT, None, "Month of the log given to the archive", "month", "events"),
    "log.subject_reported": _kind(
        C.AUDIT, "person", "Report for a data subject made", "purpose", "titles", texts=("reason",)
    ),
    # what auditors review
    "alert.raised": _kind(C.AUDIT, "alert", "Alert raised", "rule"),
    "alert.listed": _kind(C.AUDIT, None, "Alerts viewed", "purpose"),
    "alert.opened": _kind(C.AUDIT, "alert", "Alert viewed", "purpose"),
    "alert.reviewed": _kind(C.AUDIT, "alert", "Alert reviewed", "purpose", "decision", texts=("note",)),
    "threshold.set": _kind(
        C.ADMIN, "alert_setting", "Threshold of an alert set", "rule", "threshold", "valid_from"
    ),
    "sample.listed": _kind(C.AUDIT, None, "Samples viewed", "purpose"),
    "sample.drawn": _kind(C.AUDIT, "sample", "Sample of accesses drawn", "purpose", "accesses"),
    "sample.opened": _kind(C.AUDIT, "sample", "Sample viewed", "purpose"),
    "sample.judged": _kind(
        C.AUDIT, "sampled_access", "Answer for an access judged", "purpose", "verdict", texts=("note",)
    ),
    "justification.listed": _kind(C.SECURITY, None, "Own accesses to justify viewed"),
    "justification.opened": _kind(C.SECURITY, "sampled_access", "Own access to justify viewed"),
    "justification.given": _kind(C.SECURITY, "sampled_access", "Access justified", texts=("answer",)),
}
