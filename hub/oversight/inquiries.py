"""From an address to an inquiry: what it starts from is looked up, and the filters become a question to the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from hub.access.actor import Actor
from hub.accounts.queries import organisation_names, user_names
from hub.audit.inquiry_queries import About, Inquiry, refuse_unknown
from hub.audit.policy import LogPurpose
from hub.audit.queries import EventFilter, Subject, find_subject
from hub.oversight.asking import Asked

NOTHING = UUID(int=0)
# filters that the page itself stands for
FIXED = {
    About.PERSON: ("reference",),
    About.RECORD: ("reference",),
    About.USER: ("user",),
    About.ORGANISATION: ("organisation",),
    About.DESK: (),
}
# found by an index of their own: all time unless a period is asked for
WHOLE = (About.PERSON, About.RECORD)
INTRO = {
    About.PERSON: "Every look, change and disclosure that named this person, newest first.",
    About.RECORD: "In order, oldest first: looks, changes, shares with their recipients, and refusals.",
    About.USER: "Newest first, as far as it concerns your organisation's people and records.",
    About.ORGANISATION: "What its people did with your organisation's people and records, newest first.",
    About.DESK: "What your people did, what was done to your records, and what was told to you.",
}


@dataclass(frozen=True)
class Found:
    """An inquiry, its heading, and how its subject stands in an address."""

    inquiry: Inquiry
    title: str
    subject: str


def find_record_or_person(actor: Actor, reference: str, about: About, purpose: LogPurpose) -> Subject:
    """What a reference stands for. Refused and written down where the organisation's log does not tell of it."""
    found = find_subject(actor, reference)
    if found is None:
        refuse_unknown(actor, about, purpose=purpose)
    return found


def about_of(subject: Subject) -> About:
    return About.PERSON if subject.kind == "person" else About.RECORD


def inquire_about(actor: Actor, subject: Subject, asked: Asked) -> Found:
    """Who had to do with one person or record."""
    about = about_of(subject)
    title = f"{'Who looked at' if about is About.PERSON else 'All that happened to'} {subject.reference}"
    return _found(actor, about, subject.id, asked, title, subject.reference)


def inquire_user(actor: Actor, user_id: UUID, asked: Asked) -> Found:
    name = user_names([user_id]).get(user_id, "a user")
    return _found(actor, About.USER, user_id, asked, f"All that {name} did", str(user_id))


def inquire_organisation(actor: Actor, organisation_id: UUID, asked: Asked, *, purpose: LogPurpose) -> Found:
    """Whatever stands in the directory may be asked about."""
    name = organisation_names([organisation_id]).get(organisation_id)
    if name is None:
        refuse_unknown(actor, About.ORGANISATION, purpose=purpose, object_id=organisation_id)
    title = (
        f"All that {name} did" if organisation_id == actor.organisation_id else f"What {name} did with yours"
    )
    return _found(actor, About.ORGANISATION, organisation_id, asked, title, str(organisation_id))


def inquire_desk(actor: Actor, asked: Asked) -> Found:
    """The whole log under the filters."""
    return _found(actor, About.DESK, None, asked, "Log", "")


def _found(
    actor: Actor, about: About, subject_id: UUID | None, asked: Asked, title: str, subject: str
) -> Found:
    question, reference = filter_of(asked), asked.query.reference
    if reference and "reference" not in FIXED[about]:
        named = find_subject(actor, reference)
        # an id that nothing has, so that the look is logged like any other
        question = replace(question, subject=named.id if named else NOTHING)
    if about in (About.PERSON, About.RECORD):
        question = replace(question, subject=subject_id)
    elif about is About.USER:
        question = replace(question, user=subject_id)
    elif about is About.ORGANISATION:
        question = replace(question, organisation=subject_id)
    words = "/".join(
        part
        for part in (
            f"{about}={subject_id}" if subject_id else "",
            f"reference={question.subject}" if reference and question.subject != subject_id else "",
            asked.codes(),
        )
        if part
    )
    return Found(Inquiry(about, subject_id, question, words), title, subject)


def filter_of(asked: Asked) -> EventFilter:
    query = asked.query
    return EventFilter(
        user=query.user_id,
        organisation=query.organisation_id,
        act=query.act,
        category=query.category,
        outcome=query.outcome,
        purpose=query.purpose,
        since=query.since,
        before=query.before,
        as_of=query.as_of,
        weekday=query.weekday,
        hour=query.hour,
    )
