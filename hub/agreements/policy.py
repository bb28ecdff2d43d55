"""Where an agreement stands, what may be done about it then and by whom, and in plain words why a share can't stand on it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement, AgreementParty, AgreementPurpose
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, Purpose
from hub.agreements.vocabulary import GATEWAYS
from hub.core import clock
from hub.core.errors import Conflict, Denied
from hub.web.filters import format_date


class Standing(enum.StrEnum):
    """Where an agreement stands at a moment (HANDBOOK 3.9)."""

    DRAFT = "draft"
    NOT_SIGNED = "not_signed"
    NOT_STARTED = "not_started"
    IN_FORCE = "in_force"
    REVIEW_DUE = "review_due"
    SUSPENDED = "suspended"
    ENDED = "ended"
    EXPIRED = "expired"

    @property
    def live(self) -> bool:
        """May a share stand on it? A review that is due does not end it."""
        return self in (Standing.IN_FORCE, Standing.REVIEW_DUE)

    @property
    def over(self) -> bool:
        return self in (Standing.ENDED, Standing.EXPIRED)


STANDING_LABELS = {
    Standing.DRAFT: "Draft",
    Standing.NOT_SIGNED: "Out for signature",
    Standing.NOT_STARTED: "Signed, not started",
    Standing.IN_FORCE: "In force",
    Standing.REVIEW_DUE: "In force, review due",
    Standing.SUSPENDED: "Suspended",
    Standing.ENDED: "Ended early",
    Standing.EXPIRED: "Ended",
}


def standing_of(agreement: Agreement, now: datetime) -> Standing:
    """The same facts as the clause reads, in the order in which they matter to a reader."""
    if agreement.ended_at is not None and agreement.ended_at <= now:
        return Standing.ENDED
    if agreement.sent_at is None or agreement.sent_at > now:
        return Standing.DRAFT
    if agreement.ends_at <= now:
        return Standing.EXPIRED
    if agreement.suspended_at is not None and agreement.suspended_at <= now:
        return Standing.SUSPENDED
    if agreement.in_force_at is None or agreement.in_force_at > now:
        return Standing.NOT_SIGNED
    if agreement.starts_at > now:
        return Standing.NOT_STARTED
    return Standing.REVIEW_DUE if agreement.review_at <= now else Standing.IN_FORCE


def standing_column(now: datetime) -> sa.ColumnElement[str]:
    """`standing_of` for the database: the first condition of the table that holds. A test keeps the two at one."""
    table: dict[Standing, sa.ColumnElement[bool]] = {
        Standing.ENDED: Agreement.ended_at <= now,
        Standing.DRAFT: sa.or_(Agreement.sent_at.is_(None), Agreement.sent_at > now),
        Standing.EXPIRED: Agreement.ends_at <= now,
        Standing.SUSPENDED: Agreement.suspended_at <= now,
        Standing.NOT_SIGNED: sa.or_(Agreement.in_force_at.is_(None), Agreement.in_force_at > now),
        Standing.NOT_STARTED: Agreement.starts_at > now,
        Standing.REVIEW_DUE: Agreement.review_at <= now,
        Standing.IN_FORCE: sa.true(),
    }
    return sa.case(*((condition, standing.value) for standing, condition in table.items()))


def last_moment(agreement: Agreement) -> datetime:
    """The last moment at which it holds: one that ends at midnight holds through the day before."""
    return agreement.ends_at - timedelta(seconds=1)


def days_left(agreement: Agreement, now: datetime) -> int:
    """Days from today to its last day, as people in London count them."""
    last, today = (moment.astimezone(clock.LONDON).date() for moment in (last_moment(agreement), now))
    return (last - today).days


@dataclass(frozen=True)
class Terms:
    """An agreement with its parties and purposes, as far as a share has to know them."""

    agreement: Agreement
    parties: Sequence[AgreementParty]
    purposes: Sequence[AgreementPurpose]
    names: Mapping[UUID, str]
    # the organisation that suspended it, where it is suspended and the history tells
    suspended_by: UUID | None = None

    def party(self, organisation_id: UUID) -> AgreementParty | None:
        return next((one for one in self.parties if one.organisation_id == organisation_id), None)

    def permission_for(self, purpose: str) -> AgreementPurpose | None:
        return next((one for one in self.purposes if one.purpose == purpose), None)

    @property
    def not_signed(self) -> list[str]:
        """The parties whose signature is missing, by name."""
        missing = [one.organisation_id for one in self.parties if one.signed_at is None]
        return [self.names.get(one, "a party") for one in missing]

    def others(self, organisation_id: UUID) -> list[str]:
        """The other parties, by name."""
        return [
            self.names.get(one.organisation_id, "")
            for one in self.parties
            if one.organisation_id != organisation_id
        ]

    def takes_part(self, organisation_id: UUID, now: datetime) -> bool:
        """Is it a party that has not left?"""
        party = self.party(organisation_id)
        return party is not None and (party.left_at is None or party.left_at > now)

    @property
    def called(self) -> str:
        return f"{self.agreement.title} ({self.agreement.reference})"


class Act(enum.StrEnum):
    """What a party may do about an agreement."""

    CHANGE = "change"
    SEND = "send"
    SIGN = "sign"
    SUSPEND = "suspend"
    RESUME = "resume"
    LEAVE = "leave"
    END = "end"


_SIGNED = frozenset({Standing.NOT_STARTED, Standing.IN_FORCE, Standing.REVIEW_DUE})
_STOPPABLE: dict[Act, frozenset[Standing]] = {
    Act.SUSPEND: frozenset({Standing.SUSPENDED}),
    Act.END: frozenset({Standing.ENDED}),
}

# Where an agreement stands → what may be done then → where that leads. The actions' checks and the pages' buttons are
# drawn from it. The clock moves one on as well: to its start, to its review and to its end.
TRANSITIONS: dict[Standing, dict[Act, frozenset[Standing]]] = {
    Standing.DRAFT: {
        Act.CHANGE: frozenset({Standing.DRAFT}),
        Act.SEND: frozenset({Standing.NOT_SIGNED}),
        Act.END: frozenset({Standing.ENDED}),
    },
    Standing.NOT_SIGNED: {
        Act.SIGN: _SIGNED | {Standing.NOT_SIGNED},
        Act.END: frozenset({Standing.ENDED}),
    },
    **{one: {**_STOPPABLE, Act.LEAVE: frozenset({one, Standing.ENDED})} for one in sorted(_SIGNED)},
    Standing.SUSPENDED: {
        Act.RESUME: _SIGNED,
        Act.LEAVE: frozenset({Standing.SUSPENDED, Standing.ENDED}),
        Act.END: frozenset({Standing.ENDED}),
    },
    Standing.ENDED: {},
    Standing.EXPIRED: {},
}

_NOT_NOW = {
    Standing.DRAFT: "This agreement is still a draft. Its owner sends it out for signature first.",
    Standing.NOT_SIGNED: "This agreement is out for signature: its terms stand, and not every party has signed yet.",
    Standing.NOT_STARTED: "Every party has signed this agreement, so its terms stand. It has not started yet.",
    Standing.IN_FORCE: "This agreement is in force, so its terms stand.",
    Standing.REVIEW_DUE: "This agreement is in force, so its terms stand.",
    Standing.SUSPENDED: "This agreement is suspended already.",
    Standing.ENDED: "This agreement was ended already.",
    Standing.EXPIRED: "This agreement has come to its end.",
}


def check_may(actor: Actor, act: Act, terms: Terms, now: datetime) -> None:
    """Who may: the administrators of a party. In what state: see `TRANSITIONS`. Raises `Denied` or `Conflict`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    mine = terms.party(actor.organisation_id)
    if mine is None or not terms.takes_part(actor.organisation_id, now):
        raise Denied("left", "Your organisation is no longer a party to this agreement.")
    if act is Act.SIGN and mine.signed_at is not None:
        raise Conflict("signed_already", "Your organisation has signed this agreement already.")
    standing = standing_of(terms.agreement, now)
    if act not in TRANSITIONS[standing]:
        raise Conflict(f"agreement_{standing.value}", _NOT_NOW[standing])
    if act is Act.END and not _keeps(actor, terms, now):
        keeper = terms.names.get(terms.agreement.owner_organisation_id, "its owner")
        raise Denied(
            "not_owner", f"Only {keeper} can end this agreement for all. Your organisation can leave it."
        )
    if act is Act.RESUME and not _stopped(actor, terms, now):
        stopper = terms.names.get(
            terms.suspended_by or terms.agreement.owner_organisation_id, "another party"
        )
        raise Denied("not_suspender", f"{stopper} suspended this agreement, so only {stopper} can resume it.")


def may(actor: Actor, act: Act, terms: Terms, now: datetime) -> bool:
    """`check_may`, for a button."""
    try:
        check_may(actor, act, terms, now)
    except (Denied, Conflict):
        return False
    return True


def _keeps(actor: Actor, terms: Terms, now: datetime) -> bool:
    """Is it the owner? Any party is, once the owner has left."""
    owner = terms.agreement.owner_organisation_id
    return owner == actor.organisation_id or not terms.takes_part(owner, now)


def _stopped(actor: Actor, terms: Terms, now: datetime) -> bool:
    """Did the actor's organisation suspend it? Where whoever did has left or is not known, the owner stands for it."""
    stopper = terms.suspended_by
    if stopper is None or not terms.takes_part(stopper, now):
        return _keeps(actor, terms, now)
    return stopper == actor.organisation_id


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
    if not standing.live:
        return Refusal(standing.value, f"{terms.called} {_not_live(terms, standing)}.", key)
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


def _not_live(terms: Terms, standing: Standing) -> str:
    """Why nothing stands on it, to follow its name."""
    agreement = terms.agreement
    if standing is Standing.DRAFT:
        return "is a draft"
    if standing is Standing.ENDED:
        return f"was ended on {format_date(agreement.ended_at)}"
    if standing is Standing.EXPIRED:
        return f"ended on {format_date(last_moment(agreement))}"
    if standing is Standing.SUSPENDED:
        return f"has been suspended since {format_date(agreement.suspended_at)}"
    if standing is Standing.NOT_STARTED:
        return f"starts on {format_date(agreement.starts_at)}"
    return f"is not signed yet by {in_a_row(terms.not_signed) or 'every party'}"


def check_purpose(terms: Terms, purpose: str, gateway: str) -> AgreementPurpose | Refusal:
    """What the agreement says of the purpose, or why it doesn't carry this one. An empty gateway takes the agreement's."""
    permitted = terms.permission_for(purpose)
    if permitted is None:
        listed = in_a_row([f"‘{PURPOSE_LABELS[Purpose(one.purpose)]}’" for one in terms.purposes])
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
    "section",
    "gateway",
    "purpose",
    "suspended",
    "not_signed",
    "not_started",
    "draft",
    "not_joined",
    "left",
    "ended",
    "expired",
    "not_party",
)


def nearest(refusals: Sequence[Refusal]) -> Refusal:
    return min(refusals, key=lambda one: NEARNESS.index(one.why))


def in_a_row(words: Sequence[str]) -> str:
    """`a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
