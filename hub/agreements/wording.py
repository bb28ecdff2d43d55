"""Agreements in sentences and in lines of the register: what happens next, what signing means, how long is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose, Section
from hub.agreements.policy import STANDING_LABELS, Standing, Terms, days_left, in_a_row, last_moment
from hub.agreements.queries import Entry
from hub.agreements.vocabulary import GATEWAYS, LAWFUL_BASES
from hub.core import clock
from hub.web.filters import format_date

HEADINGS = (
    "Reference",
    "Title",
    "Parties",
    "Purposes",
    "Legal gateways",
    "Lawful bases",
    "Sections",
    "Start",
    "Review",
    "End",
    "State",
    "Owner",
)


def csv_row(entry: Entry) -> list[str]:
    """A line of the register as a file: days as ISO 8601, several values set apart by semicolons."""
    terms, agreement = entry.terms, entry.terms.agreement
    owner = terms.names.get(agreement.owner_organisation_id, "")
    keeper = entry.users.get(agreement.owner_user_id, "")
    return [
        agreement.reference,
        agreement.title,
        "; ".join(_party(terms, key) for key in (one.organisation_id for one in terms.parties)),
        "; ".join(PURPOSE_LABELS[Purpose(one.purpose)] for one in terms.purposes),
        "; ".join(dict.fromkeys(GATEWAYS[one.gateway] for one in terms.purposes)),
        "; ".join(dict.fromkeys(LAWFUL_BASES[one.lawful_basis] for one in terms.purposes)),
        "; ".join(SECTION_LABELS[Section(one)] for one in agreement.sections),
        _iso(agreement.starts_at),
        _iso(agreement.review_at),
        _iso(last_moment(agreement)),
        STANDING_LABELS[entry.standing],
        ", ".join(part for part in (owner, keeper) if part),
    ]


def _party(terms: Terms, organisation_id: UUID) -> str:
    party, name = terms.party(organisation_id), terms.names.get(organisation_id, "")
    if party is not None and party.left_at is not None:
        return f"{name} (left {_iso(party.left_at)})"
    return name if party is not None and party.signed_at is not None else f"{name} (not signed)"


def _iso(moment: datetime) -> str:
    return moment.astimezone(clock.LONDON).date().isoformat()


def ends_words(entry: Entry, now: datetime) -> str:
    """How long is left, while that matters to somebody."""
    if entry.standing.over or entry.standing in (Standing.DRAFT, Standing.NOT_SIGNED):
        return ""
    left = days_left(entry.terms.agreement, now)
    return "last day today" if left == 0 else f"{left:,} {'day' if left == 1 else 'days'} left"


def purposes_in_words(terms: Terms) -> list[str]:
    return [PURPOSE_LABELS[Purpose(one.purpose)] for one in terms.purposes]


def signing_words(entry: Entry, own: UUID) -> str:
    """What a signature means, in one sentence."""
    terms = entry.terms
    parties = in_a_row([terms.names.get(own, "your organisation"), *terms.others(own)])
    return (
        f"From {format_date(terms.agreement.starts_at)} until {format_date(last_moment(terms.agreement))}, "
        f"{parties} may share records with each other for these purposes: {_and_small(purposes_in_words(terms))}."
    )


def _and_small(words: Sequence[str]) -> str:
    return in_a_row([word[0].lower() + word[1:] for word in words])


def next_words(entry: Entry, now: datetime) -> str:
    """What happens next, for the line under the title."""
    terms, agreement = entry.terms, entry.terms.agreement
    last = format_date(last_moment(agreement))
    left = days_left(agreement, now)
    ends = f"It ends on {last}" + (f", in {left:,} {'day' if left == 1 else 'days'}." if left else ", today.")
    match entry.standing:
        case Standing.DRAFT:
            return (
                "Only your organisation sees this draft. Send it out for signature when its terms are agreed."
            )
        case Standing.NOT_SIGNED:
            return (
                f"It waits for {in_a_row(terms.not_signed)} to sign. "
                f"It is in force when every party has signed, and not before {format_date(agreement.starts_at)}."
            )
        case Standing.NOT_STARTED:
            return f"Every party has signed. It starts on {format_date(agreement.starts_at)}. {ends}"
        case Standing.IN_FORCE:
            return f"Records can be shared under it. Its review is due on {format_date(agreement.review_at)}. {ends}"
        case Standing.REVIEW_DUE:
            return f"Its review was due on {format_date(agreement.review_at)}. Records can still be shared under it. {ends}"
        case Standing.SUSPENDED:
            stopper = terms.names.get(terms.suspended_by or agreement.owner_organisation_id, "A party")
            return (
                f"Nothing can be shared under it, and what was shared has ended. {stopper} can resume it. "
                f"Resuming opens nothing again. {ends}"
            )
        case Standing.ENDED:
            return "Nothing can be shared under it, and what was shared has ended. It cannot be opened again."
        case _:
            return f"It ended on {last}. To go on sharing, draft a new agreement."
