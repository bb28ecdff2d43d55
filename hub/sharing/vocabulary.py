"""How the state of a share is told: the stored state and the clock together."""

from __future__ import annotations

import enum


class ShareState(enum.StrEnum):
    """What a reader is told. Only ACTIVE opens the record."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    REVOKED = "revoked"
    EXPIRED = "expired"

    @property
    def over(self) -> bool:
        return self in (ShareState.REJECTED, ShareState.REVOKED, ShareState.EXPIRED)


STATE_LABELS = {
    ShareState.PENDING: "Waiting for an answer",
    ShareState.ACTIVE: "Sharing now",
    ShareState.SUSPENDED: "Stopped: no agreement in force",
    ShareState.REJECTED: "Refused",
    ShareState.REVOKED: "Ended early",
    ShareState.EXPIRED: "Ended",
}


class FactCode(enum.StrEnum):
    """The facts that a minimum share may tell (HANDBOOK 8.4: steps of the incremental approach, and what a landlord acts on)."""

    TENANCY_BREACH = "tenancy_breach"
    WARNING_LETTER = "warning_letter"
    ACCEPTABLE_BEHAVIOUR_CONTRACT = "acceptable_behaviour_contract"
    COMMUNITY_PROTECTION_WARNING = "community_protection_warning"
    COMMUNITY_PROTECTION_NOTICE = "community_protection_notice"
    CIVIL_INJUNCTION = "civil_injunction"
    CLOSURE_ORDER = "closure_order"
    CONVICTION_AT_PROPERTY = "conviction_at_property"


FACT_LABELS = {
    FactCode.TENANCY_BREACH: "Breach of tenancy",
    FactCode.WARNING_LETTER: "Warning letter sent",
    FactCode.ACCEPTABLE_BEHAVIOUR_CONTRACT: "Acceptable behaviour contract signed",
    FactCode.COMMUNITY_PROTECTION_WARNING: "Community protection warning served",
    FactCode.COMMUNITY_PROTECTION_NOTICE: "Community protection notice served",
    FactCode.CIVIL_INJUNCTION: "Civil injunction made",
    FactCode.CLOSURE_ORDER: "Closure order made",
    FactCode.CONVICTION_AT_PROPERTY: "Conviction for an offence at the property",
}
