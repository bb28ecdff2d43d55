"""Step 3 of sharing a record: the plain sentence before it happens, what it stands on, and what travels between the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Marking
from hub.agreements.vocabulary import CONDITIONS, GATEWAYS, LAWFUL_BASES
from hub.casefile.share_subject import Subject
from hub.casefile.share_who import COLOCATED
from hub.casefile.share_wizard import What, lower
from hub.sharing.checking import Footing
from hub.sharing.forms import ShareForm
from hub.web.filters import format_date

SECOND = timedelta(seconds=1)
# what travels from step to step; the boxes of several values last
SINGLE = (
    "to", "find", "of", "purpose", "gateway", "lawful_basis", "consent", "max_marking", "may_contribute", "reason",
    "ends-day", "ends-month", "ends-year",
)  # fmt: skip
SEVERAL = ("sections", "also")


@dataclass(frozen=True)
class Told:
    """What step 3 says will happen."""

    sentence: str
    parts: Sequence[str]
    until: str
    # key and words: what it stands on
    stands_on: Sequence[tuple[str, str]]


def tell(subject: Subject, form: ShareForm, what: What, footing: Footing, also: Sequence[UUID]) -> Told:
    chosen = {str(one) for one in also}
    with_it = [words for key, words in what.incidents if key in chosen]
    return Told(
        sentence=_sentence(subject, form, what, len(also)),
        parts=[*(SECTION_LABELS[one] for one in form.sections), _marking(form.max_marking), *with_it],
        until=f"The end of {last_day(form.ends_at)}" if form.ends_at else "You end it",
        stands_on=_stands_on(form, what, footing),
    )


def _sentence(subject: Subject, form: ShareForm, what: What, incidents: int) -> str:
    """What will happen, to whom, until when: one plain sentence."""
    thing = f"{subject.reference}{f' and {incidents} of its incidents' if incidents else ''}"
    until = f" until the end of {last_day(form.ends_at)}" if form.ends_at else " until you end it"
    who = what.to_name if form.to_team_id or form.to_user_id else f"people of {what.to_name}"
    if what.colocated and form.agreement_id:
        who = f"{lower(COLOCATED)} ({what.to_name})"
    adding = "read and add to" if form.may_contribute else "read, and not change,"
    purpose = f", while they work to {lower(PURPOSE_LABELS[form.purpose])}" if form.purpose else ""
    return (
        f"Once they have accepted, {who} can {adding} the parts of {thing} listed below{purpose},{until}."
        " You can change or end it at any time."
    )


def _stands_on(form: ShareForm, what: What, footing: Footing) -> list[tuple[str, str]]:
    terms = next((one for one in what.terms if one.agreement.id == footing.agreement_id), None)
    if terms is None or form.purpose is None:
        return []
    permitted = terms.permission_for(form.purpose.value)
    found = [
        ("What for", PURPOSE_LABELS[form.purpose]),
        ("Agreement", terms.called),
        ("Legal gateway", GATEWAYS[footing.gateway]),
        ("Lawful basis", LAWFUL_BASES[footing.lawful_basis]),
    ]
    if permitted is not None and permitted.condition:
        found.append(("Condition", CONDITIONS.get(permitted.condition, permitted.condition)))
    consent = dict(what.consents).get(str(footing.consent_id))
    return [*found, ("Consent", consent)] if consent else found


def _marking(highest: Marking) -> str:
    return f"Nothing marked above {Marking(highest).label}"


def hidden(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The state between the steps, as hidden fields."""
    single = [(name, str(values[name])) for name in SINGLE if values.get(name)]
    return single + [(name, str(one)) for name in SEVERAL for one in values.get(name, ())]


def last_day(ends_at: datetime | None) -> str:
    return format_date(ends_at - SECOND) if ends_at else ""
