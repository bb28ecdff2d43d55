"""Consents behind both walls: an item of the record, about a person, changed by its controller alone. And whose counts."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from hub.access.policy import guard_class, item_rules
from hub.consents.models import Consent
from hub.core.errors import Conflict, Denied
from hub.core.partial_dates import latest_day

guard_class(Consent, item_rules(names_person=True, changeable=True))

OF_AGE = 18


def may_be_child(born: str | None, today: date) -> bool | None:
    """Under 18, or perhaps so where a part of the date of birth is unknown; None where nothing of it is on file."""
    if not born:
        return None
    last = latest_day(born)
    # somebody born on 29 February comes of age on 1 March
    return (today.year - last.year - ((today.month, today.day) < (last.month, last.day))) < OF_AGE


def check_may_withdraw(organisation_id: UUID, consent: Consent) -> None:
    """Who: the organisation that recorded it. In what state: not withdrawn yet. Raises `Denied` or `Conflict`."""
    if consent.contributor_organisation_id != organisation_id:
        raise Denied(
            "not_controller",
            "Only the organisation that recorded this consent can write down that it was withdrawn.",
        )
    if consent.withdrawn_at is not None:
        raise Conflict(
            "withdrawn_already", "This consent was withdrawn already. Nothing rests on it any more."
        )
