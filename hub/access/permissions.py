"""Permissions, and the one table of roles. The role matrix on screen is rendered from `ROLES`; no role widens scope."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Permission(enum.StrEnum):
    """An act that a role allows. What it may be done *to* is the clause's matter, never the role's."""

    WORK_READ = "work:read"
    INCIDENT_READ = "incident:read"
    INCIDENT_LOG = "incident:log"
    INCIDENT_IMPORT = "incident:import"
    CASE_READ = "case:read"
    CASE_OPEN = "case:open"
    CASE_CHANGE = "case:change"
    CASE_MOVE = "case:move"
    CASE_CLOSE = "case:close"
    CASE_SHARE = "case:share"
    SHARE_READ = "share:read"
    SHARE_ANSWER = "share:answer"
    ENTRY_ADD = "entry:add"
    FILE_ATTACH = "file:attach"
    FILE_PREVIEW = "file:preview"
    FILE_DOWNLOAD = "file:download"
    FILE_CHANGE = "file:change"
    FILE_HOLD = "file:hold"
    FILE_EXPORT = "file:export"
    PERSON_READ = "person:read"
    PERSON_ADD = "person:add"
    SEARCH = "search:run"
    AGREEMENT_READ = "agreement:read"
    NOTIFICATION_READ = "notification:read"
    ACCOUNT_READ_OWN = "account:read_own"
    ACCOUNT_MANAGE = "account:manage"
    AUDIT_READ = "audit:read"
    AUDIT_VERIFY = "audit:verify"
    ALERT_SET = "alert:set"
    CONSENT_RECORD = "consent:record"
    CASE_HAND_OVER = "case:hand_over"
    REQUEST_MAKE = "request:make"
    REQUEST_ANSWER = "request:answer"
    EMERGENCY_OPEN = "emergency:open"
    EMERGENCY_REVIEW = "emergency:review"
    INTEREST_DECLARE = "interest:declare"
    INTEREST_REVIEW = "interest:review"
    KEY_MANAGE = "key:manage"
    KEY_DESTROY = "key:destroy"
    ERASURE_ASK = "erasure:ask"
    ERASURE_APPROVE = "erasure:approve"


class Role(enum.StrEnum):
    PRACTITIONER = "practitioner"
    SUPERVISOR = "supervisor"
    READ_ONLY = "read_only"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    DATA_PROTECTION = "data_protection"
    FACT_RECIPIENT = "fact_recipient"


@dataclass(frozen=True)
class RoleDescription:
    label: str
    description: str
    permissions: frozenset[Permission]


P = Permission
_EVERYONE = frozenset({P.NOTIFICATION_READ, P.ACCOUNT_READ_OWN})
_READS = frozenset(
    {
        P.WORK_READ,
        P.INCIDENT_READ,
        P.CASE_READ,
        P.SHARE_READ,
        P.PERSON_READ,
        P.SEARCH,
        P.AGREEMENT_READ,
        P.FILE_PREVIEW,
        P.INTEREST_DECLARE,
    }
)
_WORKS = frozenset(
    {
        P.INCIDENT_LOG,
        P.CASE_OPEN,
        P.CASE_CHANGE,
        P.CASE_MOVE,
        P.CASE_SHARE,
        P.SHARE_ANSWER,
        P.ENTRY_ADD,
        P.FILE_ATTACH,
        P.FILE_DOWNLOAD,
        P.FILE_CHANGE,
        P.PERSON_ADD,
        P.CONSENT_RECORD,
        P.REQUEST_MAKE,
        P.REQUEST_ANSWER,
        P.EMERGENCY_OPEN,
    }
)
_SUPERVISES = frozenset(
    {
        P.CASE_CLOSE,
        P.CASE_HAND_OVER,
        P.FILE_HOLD,
        P.FILE_EXPORT,
        P.INCIDENT_IMPORT,
        P.EMERGENCY_REVIEW,
        P.INTEREST_REVIEW,
        P.ERASURE_ASK,
        P.ERASURE_APPROVE,
    }
)

ROLES: dict[Role, RoleDescription] = {
    Role.PRACTITIONER: RoleDescription(
        "Practitioner",
        "Logs incidents, opens and works cases, shares them and adds to what is shared.",
        _EVERYONE | _READS | _WORKS,
    ),
    Role.SUPERVISOR: RoleDescription(
        "Supervisor",
        "A practitioner who also approves closure, hands cases over, imports files, puts files under legal hold, "
        "discloses them outside the hub, reads what is for supervisors only, reviews emergency access and declared interests, "
        "and asks for and decides on erasures.",
        _EVERYONE | _READS | _WORKS | _SUPERVISES,
    ),
    Role.READ_ONLY: RoleDescription(
        "Read only",
        "Reads what the team leads and what is shared with it; changes nothing, and takes no original of a file.",
        _EVERYONE | _READS,
    ),
    Role.ADMINISTRATOR: RoleDescription(
        "Administrator (SPOC)",
        "Looks after accounts, teams, agreements and keys of the organisation, and sets from which number on the rules of the "
        "auditor’s alerts speak. Reads no content.",
        _EVERYONE | {P.ACCOUNT_MANAGE, P.AGREEMENT_READ, P.ALERT_SET, P.KEY_MANAGE, P.KEY_DESTROY},
    ),
    Role.AUDITOR: RoleDescription(
        "Auditor",
        "Reads the log of the organisation's people and records. Reads no content.",
        _EVERYONE | {P.AUDIT_READ, P.AUDIT_VERIFY},
    ),
    Role.DATA_PROTECTION: RoleDescription(
        "Data protection officer",
        "Is told of every emergency access to the organisation’s records and reviews it, decides on erasures and on the end of "
        "keys, and sets from which number on the rules of the auditor’s alerts speak. Reads no content.",
        _EVERYONE | {P.EMERGENCY_REVIEW, P.AGREEMENT_READ, P.ALERT_SET, P.KEY_DESTROY, P.ERASURE_APPROVE},
    ),
    Role.FACT_RECIPIENT: RoleDescription(
        "Recipient of single facts",
        "Reads the single facts that partners tell the organisation, such as a landlord. No search, no cases.",
        _EVERYONE | {P.SHARE_READ, P.SHARE_ANSWER},
    ),
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Every act that the roles held together allow."""
    return frozenset().union(*(ROLES[role].permissions for role in roles))
