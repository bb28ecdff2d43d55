"""What an agreement allows now, and in plain words why not: the reasons that a refused share is told with."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.access.models import Agreement, AgreementParty, AgreementPurpose
from hub.access.vocabulary import PURPOSE_LABELS, Purpose
from hub.agreements.vocabulary import GATEWAYS
from hub.web.filters import format_date


class Standing(enum.StrEnum):
    """Where an agreement stands at a moment (HANDBOOK 3.9)."""

    NOT_SIGNED = "not_signed"
    NOT_STARTED = "not_started"
    IN_FORCE = "in_force"
    REVIEW_DUE = "review_due"
    SUSPENDED = "suspended"
    EXPIRED = "expired"

    @property
    def live(self) -> bool:
        """May a share stand on it? A review that is due does not end it."""
        return self in (Standing.IN_FORCE, Standing.REVIEW_DUE)


STANDING_LABELS = {
    Standing.NOT_SIGNED: "Not signed by all",
    Standing.NOT_STARTED: "Not started",
    Standing.IN_FORCE: "In force",
    Standing.REVIEW_DUE: "In force, review due",
    Standing.SUSPENDED: "Suspended",
    Standing.EXPIRED: "Ended",
}


def standing_of(agreement: Agreement, now: datetime) -> Standing:
    """The same facts as the clause reads, in the order in which they matter to a reader."""
    if agreement.ends_at <= now:
        return Standing.EXPIRED
    if agreement.suspended_at is not None and agreement.suspended_at <= now:
        return Standing.SUSPENDED
    if agreement.in_force_at is None or agreement.in_force_at > now:
        return Standing.NOT_SIGNED
    if agreement.starts_at > now:
        return Standing.NOT_STARTED
    return Standing.REVIEW_DUE if agreement.review_at <= now else Standing.IN_FORCE


@dataclass(frozen=True)
class Terms:
    """An agreement with its parties and purposes, as far as a share has to know them."""

    agreement: Agreement
    parties: Sequence[AgreementParty]
    purposes: Sequence[AgreementPurpose]
    names: Mapping[UUID, str]

    def party(self, organisation_id: UUID) -> AgreementParty | None:
        return next((one for one in self.parties if one.organisation_id == organisation_id), None)

    def permission_for(self, purpose: str) -> AgreementPurpose | None:
        return next((one for one in self.purposes if one.purpose == purpose), None)

    @property
    def called(self) -> str:
        return f"{self.agreement.title} ({self.agreement.reference})"


@dataclass(frozen=True)
class Refusal:
    """Why a share can't stand: a code for the log and a sentence for the user. `agreement_id` is the nearest miss."""

    why: str
    sentence: str
    agreement_id: UUID | None = None


def refusal_of(terms: Terms, organisations: Sequence[UUID], now: datetime) -> Refusal | None:
    """Why no share between these organisations can stand on this agreement now, whatever its purpose; None if it can."""
    agreement, key = terms.agreement, terms.agreement.id
    standing = standing_of(agreement, now)
    if standing is Standing.EXPIRED:
        return Refusal("expired", f"{terms.called} ended on {format_date(agreement.ends_at)}.", key)
    if standing is Standing.SUSPENDED:
        since = format_date(agreement.suspended_at)
        return Refusal("suspended", f"{terms.called} has been suspended since {since}.", key)
    if standing is Standing.NOT_SIGNED:
        missing = [
            terms.names.get(one.organisation_id, "a party") for one in terms.parties if one.signed_at is None
        ]
        return Refusal(
            "not_signed", f"{terms.called} is not signed yet by {_and(missing) or 'every party'}.", key
        )
    if standing is Standing.NOT_STARTED:
        return Refusal("not_started", f"{terms.called} starts on {format_date(agreement.starts_at)}.", key)
    for organisation in organisations:
        party = terms.party(organisation)
        name = terms.names.get(organisation, "One of the organisations")
        if party is None:
            return Refusal("not_party", f"{name} is not a party to {terms.called}.", key)
        if party.left_at is not None and party.left_at <= now:
            return Refusal("left", f"{name} left {terms.called} on {format_date(party.left_at)}.", key)
        if party.joined_at > now:
            return Refusal(
                "not_joined", f"{name} joins {terms.called} on {format_date(party.joined_at)}.", key
            )
    return None


def check_purpose(terms: Terms, purpose: str, gateway: str) -> AgreementPurpose | Refusal:
    """What the agreement says of the purpose, or why it doesn't carry this one. An empty gateway takes the agreement's."""
    permitted = terms.permission_for(purpose)
    if permitted is None:
        listed = _and([f"‘{PURPOSE_LABELS[Purpose(one.purpose)]}’" for one in terms.purposes])
        wanted = PURPOSE_LABELS[Purpose(purpose)] if purpose in set(Purpose) else "this purpose"
        return Refusal(
            "purpose", f"{terms.called} does not permit ‘{wanted}’. It permits {listed}.", terms.agreement.id
        )
    if gateway and gateway != permitted.gateway:
        said = f"{terms.called} rests this purpose on {GATEWAYS[permitted.gateway]}, not on another legal gateway."
        return Refusal("gateway", said, terms.agreement.id)
    return permitted


# the refusal nearest to a live share is the one worth telling
NEARNESS = (
    "gateway",
    "purpose",
    "suspended",
    "not_signed",
    "not_started",
    "not_joined",
    "left",
    "expired",
    "not_party",
)


def nearest(refusals: Sequence[Refusal]) -> Refusal:
    return min(refusals, key=lambda one: NEARNESS.index(one.why))


def _and(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
