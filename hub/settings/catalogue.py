"""Every setting that a partnership may change: what it means, its bounds, the hub's own value and where that comes from.

Numbers that only keep attackers out (passwords, tries, keys, how long a proof of identity counts) are not here: they stay in
the code. What guards a session is here with the security requirement as its most, so that it can be made stricter only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hub.settings.kinds import Kind, Number, OneOf, YesNo
from hub.settings.vetting import VETTING_LABELS, Vetting

T = TypeVar("T")
NO_MINIMUM = "none"
# days: no agreement is looked at before
LONGEST_WARNING = 180


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One thing that a partnership may set. `source` says where the hub's own value comes from."""

    code: str
    label: str
    about: str
    kind: Kind[T]
    default: T
    source: str


@dataclass(frozen=True)
class Chapter:
    title: str
    settings: tuple[Setting[Any], ...]


IDLE_MINUTES = Setting(
    "idle_minutes",
    "Signed out after doing nothing for",
    "How long somebody may do nothing before they are signed out.",
    Number(5, 15, "minutes"),
    15,
    "Security requirement N11 (ASVS 7.3.1): never longer",
)
IDLE_MINUTES_STRICT = Setting(
    "idle_minutes_strict",
    "Administrators and auditors signed out after",
    "The same for administrators and auditors. It is never longer than for everybody else.",
    Number(5, 10, "minutes"),
    10,
    "Security requirement N11 (ASVS 7.3.1): never longer",
)
SESSION_HOURS = Setting(
    "session_hours",
    "Signed out in any case after",
    "How long somebody may stay signed in, whatever they do.",
    Number(4, 10, "hours"),
    10,
    "Security requirement N11 (ASVS 7.3.2): never longer",
)
INVITATION_HOURS = Setting(
    "invitation_hours",
    "An invitation works for",
    "How long the one-time link of somebody new can be used.",
    Number(1, 48, "hours"),
    48,
    "The hub’s own policy: never longer",
)
RESET_MINUTES = Setting(
    "reset_minutes",
    "The link of a reset works for",
    "How long somebody whose sign-in was reset can use the one-time link.",
    Number(10, 60, "minutes"),
    60,
    "The hub’s own policy: never longer",
)
DORMANT_DAYS = Setting(
    "dormant_days",
    "Unused accounts are suspended after",
    "How long an account may go unused before it is suspended. An organisation in several partnerships follows the shortest.",
    # sessions, by which it is known when somebody was here, are kept for 90 days
    Number(14, 80, "days"),
    60,
    "The hub’s own policy (the handbook, 12.4, suggests 45 days)",
)
ATTESTATION_DAYS = Setting(
    "attestation_days",
    "An access list can be confirmed for at least",
    "How long administrators have, at the least, to confirm who still needs access. A list is never due before its month ends. An organisation in several partnerships follows the longest.",
    Number(7, 28, "days"),
    14,
    "The hub’s own policy",
)
TRAINING_MONTHS = Setting(
    "training_months",
    "Training counts for",
    "How long training in data protection, safeguarding and the hub counts from the day on which it was passed.",
    Number(6, 24, "months"),
    12,
    "Handbook 12.4: passed within 12 months",
)
VETTING_MINIMUM = Setting(
    "vetting_minimum",
    "Vetting that everybody needs",
    "The least vetting that a user must hold; a level that takes it in will do.",
    OneOf(
        {NO_MINIMUM: "None"}
        | {one.value: label for one, label in VETTING_LABELS.items() if one is not Vetting.NONE}
    ),
    "none",
    "Handbook 12.4: as the agreement says",
)
CONDITIONS_REFUSE = Setting(
    "conditions_refuse",
    "Nobody signs in without training and vetting",
    "Whether somebody is refused when their training or vetting has run out. If not, they and their administrators are only told.",
    YesNo(),
    False,
    "The hub’s own policy",
)
AGREEMENT_WARNING_FIRST = Setting(
    "agreement_warning_first",
    "First warning before an agreement ends",
    "How long before its end the parties are told of it for the first time.",
    Number(31, LONGEST_WARNING, "days"),
    60,
    "The hub’s own policy",
)
AGREEMENT_WARNING_SECOND = Setting(
    "agreement_warning_second",
    "Second warning before an agreement ends",
    "How long before its end the parties are told again.",
    Number(8, 30, "days"),
    30,
    "The hub’s own policy",
)
AGREEMENT_WARNING_LAST = Setting(
    "agreement_warning_last",
    "Last warning before an agreement ends",
    "How long before its end the parties are told for the last time.",
    Number(1, 7, "days"),
    7,
    "The hub’s own policy",
)
ASSURANCE_GRACE = Setting(
    "assurance_grace",
    "A new organisation may invite users before its assurance is accepted for",
    "After that it invites nobody until a partner has accepted its answers.",
    Number(1, 30, "days"),
    30,
    "The hub’s own policy: never longer",
)
ASSURANCE_WARNING = Setting(
    "assurance_warning",
    "Warning before an assurance ends",
    "How long before its end an organisation is told that its assurance ends. An organisation in several partnerships follows the longest.",
    Number(7, 90, "days"),
    30,
    "The hub’s own policy",
)
SHARE_DAYS = Setting(
    "share_days",
    "A share is offered for",
    "How long a share lasts where nobody says otherwise. Whoever shares may choose another end.",
    Number(7, 365, "days"),
    90,
    "The hub’s own policy",
)
MONITORING_DAYS = Setting(
    "monitoring_days",
    "A case may be monitored for at most",
    "How long a case may stay in monitoring, in which nobody works on it, before it is looked at again.",
    Number(28, 184, "days"),
    92,
    "Handbook 7.3: 3 months at most",
)
REQUEST_URGENT_HOURS = Setting(
    "request_urgent_hours",
    "A request at immediate risk is to be answered within",
    "How long partners have to answer when somebody is at immediate risk.",
    Number(1, 24, "hours"),
    1,
    "Handbook 3.8",
)
REQUEST_SOON_DAYS = Setting(
    "request_soon_days",
    "A request that is needed soon is to be answered within",
    "How long partners have for a request that cannot wait for the usual time. Bank holidays count as working days.",
    Number(2, 10, "working days"),
    5,
    "Handbook 3.8: within 5 working days",
)
REQUEST_ROUTINE_DAYS = Setting(
    "request_routine_days",
    "A routine request is to be answered within",
    "How long partners have for any other request. Bank holidays count as working days.",
    Number(5, 20, "working days"),
    20,
    "Handbook 3.8: within 20 working days",
)
SAMPLE_DAYS = Setting(
    "sample_days",
    "Why somebody looked is to be said within",
    "How long a user has to say why they looked at what an auditor has drawn by chance.",
    Number(2, 28, "days"),
    7,
    "The hub’s own policy",
)

CHAPTERS = (
    Chapter(
        "Signing in",
        (IDLE_MINUTES, IDLE_MINUTES_STRICT, SESSION_HOURS, INVITATION_HOURS, RESET_MINUTES),
    ),
    Chapter(
        "People",
        (DORMANT_DAYS, ATTESTATION_DAYS, TRAINING_MONTHS, VETTING_MINIMUM, CONDITIONS_REFUSE),
    ),
    Chapter(
        "Agreements, assurance and shares",
        (
            AGREEMENT_WARNING_FIRST,
            AGREEMENT_WARNING_SECOND,
            AGREEMENT_WARNING_LAST,
            ASSURANCE_GRACE,
            ASSURANCE_WARNING,
            SHARE_DAYS,
        ),
    ),
    Chapter(
        "Cases, requests and reviews",
        (MONITORING_DAYS, REQUEST_URGENT_HOURS, REQUEST_SOON_DAYS, REQUEST_ROUTINE_DAYS, SAMPLE_DAYS),
    ),
)
SETTINGS: dict[str, Setting[Any]] = {one.code: one for chapter in CHAPTERS for one in chapter.settings}
