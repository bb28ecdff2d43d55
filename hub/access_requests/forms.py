"""A request as it is typed, and its answer: every mistake is told at once, beside its field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.access.vocabulary import Marking, Section
from hub.access_requests.vocabulary import RequestState, Urgency
from hub.core.errors import Invalid
from hub.core.text import MAX_TEXT, clean, folded
from hub.sharing.forms import parse_end

MAX_SOUGHT = 200
# what an owner may say; the asker alone withdraws
ANSWERS = (RequestState.SUPPLIED, RequestState.PART, RequestState.REFUSED, RequestState.NOT_HELD)
SHARES = (RequestState.SUPPLIED, RequestState.PART)


@dataclass(frozen=True)
class AskForm:
    """What is asked of an organisation. The purpose is the one in hand."""

    sought: str
    urgency: Urgency
    wanted: str
    reason: str


@dataclass(frozen=True)
class AnswerForm:
    """The owner's answer: which sections of which of its records, until when and why; or why not."""

    state: RequestState
    answer: str = ""
    sections: Mapping[UUID, tuple[Section, ...]] | None = None
    reason: str = ""
    ends_at: datetime | None = None
    max_marking: Marking = Marking.OFFICIAL


def parse_ask(form: Mapping[str, Any]) -> AskForm:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    sought = clean(str(form.get("sought", "")))
    if len(set(folded(sought).split())) < 2:
        errors["sought"] = "Enter the person’s name as you searched for it: at least two words"
    elif len(sought) > MAX_SOUGHT:
        errors["sought"] = f"The name must be {MAX_SOUGHT} characters or fewer"
    urgency = str(form.get("urgency", ""))
    if urgency not in set(Urgency):
        errors["urgency"] = "Choose how soon you need an answer"
    wanted = _text(form, "wanted", "Write exactly what you need to know, and for which time", errors)
    reason = _text(form, "reason", "Write why it is necessary, and what would go wrong without it", errors)
    if errors:
        raise Invalid("bad_request", errors=errors)
    return AskForm(sought, Urgency(urgency), wanted, reason)


def parse_answer(form: Mapping[str, Any], record_ids: Collection[UUID]) -> AnswerForm:
    """Of the records that the request is about. Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    given = str(form.get("state", ""))
    if given not in {one.value for one in ANSWERS}:
        raise Invalid("bad_answer", errors={"state": "Choose your answer"})
    state = RequestState(given)
    answer = clean(str(form.get("answer", "")))
    if state in (RequestState.PART, RequestState.REFUSED) and not answer:
        errors["answer"] = (
            "Write why your organisation does not supply it"
            if state is RequestState.REFUSED
            else "Write what is left out, and why"
        )
    elif len(answer) > MAX_TEXT:
        errors["answer"] = f"The answer must be {MAX_TEXT:,} characters or fewer"
    if state not in SHARES:
        _raise(errors)
        return AnswerForm(state, answer)
    sections = _sections(form, record_ids, state, errors)
    reason = _text(form, "reason", "Write why sharing this is necessary", errors)
    ends_at = parse_end(form, errors)
    if ends_at is None and "ends" not in errors:
        errors["ends"] = "Write until when they may see it"
    marking = str(form.get("max_marking", "0"))
    if marking not in ("0", "1"):
        errors["max_marking"] = "Choose the highest marking that is shared"
    _raise(errors)
    return AnswerForm(state, answer, sections, reason, ends_at, Marking(int(marking)))


def _raise(errors: dict[str, str]) -> None:
    if errors:
        raise Invalid("bad_answer", errors=errors)


def _text(form: Mapping[str, Any], name: str, missing: str, errors: dict[str, str]) -> str:
    text = clean(str(form.get(name, "")))
    if not text:
        errors[name] = missing
    elif len(text) > MAX_TEXT:
        errors[name] = f"This must be {MAX_TEXT:,} characters or fewer"
    return text


def _sections(
    form: Mapping[str, Any], record_ids: Collection[UUID], state: RequestState, errors: dict[str, str]
) -> dict[UUID, tuple[Section, ...]]:
    """The sections chosen for each record; a record without any is not supplied."""
    chosen: dict[UUID, tuple[Section, ...]] = {}
    for record_id in record_ids:
        name = f"sections-{record_id}"
        given = form.getlist(name) if hasattr(form, "getlist") else form.get(name, [])
        if set(given) - set(Section):
            errors[name] = "Choose sections from the list"
        elif given and Section.SUMMARY not in given:
            errors[name] = "The summary is part of every share: choose it too"
        elif not given and state is RequestState.SUPPLIED:
            errors[name] = "Choose what you supply of this record, or answer ‘in part’"
        elif given:
            chosen[record_id] = tuple(one for one in Section if one.value in given)
    if not chosen and not any(name.startswith("sections-") for name in errors):
        errors[f"sections-{next(iter(record_ids), '')}"] = (
            "Choose at least one record and what you supply of it"
        )
    return chosen
