"""Reads of samples: for auditors the list and one with its answers; for users the accesses that they are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.accounts.queries import user_names
from hub.audit.policy import LogPurpose, act_label
from hub.audit.queries import find_references
from hub.audit.reading import Shown, listed, opened
from hub.audit.sampling import Draw, draw, same
from hub.audit.texts import open_texts
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.people.models import Person
from hub.reviews.models import Sample, SampledAccess
from hub.reviews.vocabulary import ACCESS_STATES, AccessState

OWN_SHOWN = 200


@dataclass(frozen=True)
class SampleRow:
    """A sample in the list: how far its answers have come."""

    sample: Sample
    drawn_by: str
    accesses: int
    waiting: int
    to_judge: int

    @property
    def href(self) -> str:
        return f"/audit/samples/{self.sample.id}"


@dataclass(frozen=True)
class AccessRow:
    """One access with its answer, as its auditor reads it; its user reads it without the note."""

    access: SampledAccess
    user_name: str
    reference: str
    state: AccessState
    answer: str = ""
    note: str = ""
    judged_by: str = ""

    @property
    def act(self) -> str:
        return act_label(self.access.act)

    @property
    def state_words(self) -> tuple[str, str]:
        return ACCESS_STATES[self.state]

    @property
    def href(self) -> str:
        return f"/my-accesses/{self.access.id}"


@dataclass(frozen=True)
class OpenedSample:
    row: SampleRow
    accesses: Sequence[AccessRow]
    # whether the seed gives the same accesses now
    same: bool


def list_samples(actor: Actor, *, purpose: LogPurpose, cursor: Cursor | None = None) -> Page[SampleRow]:
    """A page of the organisation's samples, the newest first."""
    actor.check_may(Permission.AUDIT_READ)
    listed(actor, "sample.listed", Shown(), facts={"purpose": purpose.value})
    statement = sa.select(Sample).where(Sample.organisation_id == actor.organisation_id)
    if cursor is not None:
        statement = statement.where(sa.tuple_(Sample.created_at, Sample.id) < (cursor.at, cursor.id))
    found = db.session.scalars(
        statement.order_by(Sample.created_at.desc(), Sample.id.desc()).limit(PAGE_SIZE + 1)
    ).all()
    page = found[:PAGE_SIZE]
    more = str(Cursor(page[-1].created_at, page[-1].id)) if len(found) > PAGE_SIZE else None
    return Page(_sample_rows(page), more)


def open_sample(actor: Actor, sample_id: UUID, *, purpose: LogPurpose) -> OpenedSample:
    """One sample with its answers, drawn a second time to show that the seed gives the same. `NotVisible` for others'."""
    actor.check_may(Permission.AUDIT_READ)
    own = sa.and_(Sample.id == sample_id, Sample.organisation_id == actor.organisation_id)
    known = db.session.scalar(sa.select(Sample.id).where(own))
    opened(actor, "sample.opened", sample_id, Shown() if known else None, facts={"purpose": purpose.value})
    sample = db.session.scalars(sa.select(Sample).where(own)).one()
    accesses = db.session.scalars(
        sa.select(SampledAccess)
        .where(SampledAccess.sample_id == sample_id)
        .order_by(SampledAccess.place)
        .execution_options(populate_existing=True)
    ).all()
    again = draw(actor, draw_of(sample), sample.size)
    references = find_references(actor, [one.event_id for one in accesses])
    answers = open_texts(actor, [one.answer_event_id for one in accesses], "answer")
    notes = open_texts(actor, [one.verdict_event_id for one in accesses], "note")
    names = user_names(key for one in accesses for key in (one.user_id, one.judged_by) if key)
    rows = [
        AccessRow(
            access=one,
            user_name=names.get(one.user_id, "A user of another time"),
            reference=references[one.object_id].reference
            if one.object_id and one.object_id in references
            else "",
            state=state_of(one, sample),
            answer=answers.get(one.answer_event_id, "") if one.answer_event_id else "",
            note=notes.get(one.verdict_event_id, "") if one.verdict_event_id else "",
            judged_by=names.get(one.judged_by, "") if one.judged_by else "",
        )
        for one in accesses
    ]
    return OpenedSample(_sample_rows([sample])[0], rows, same([one.event_id for one in accesses], again))


def draw_of(sample: Sample) -> Draw:
    """What the sample was drawn from."""
    return Draw(sample.seed, sample.since, sample.before, sample.category, sample.act)


def list_own(actor: Actor) -> list[AccessRow]:
    """The accesses that the actor was asked about, the newest first: when and what, not which record."""
    listed(actor, "justification.listed", Shown())
    found = db.session.execute(
        sa.select(SampledAccess, Sample)
        .join(Sample, Sample.id == SampledAccess.sample_id)
        .where(SampledAccess.user_id == actor.user_id)
        .order_by(SampledAccess.answered_at.is_not(None), SampledAccess.id.desc())
        .limit(OWN_SHOWN)
        .execution_options(populate_existing=True)
    ).all()
    return [AccessRow(access, actor.name, "", state_of(access, sample)) for access, sample in found]


def open_own(actor: Actor, access_id: UUID) -> tuple[AccessRow, Sample]:
    """One of them, with the record's reference as far as the actor may still see the record. `NotVisible` for others'."""
    own = sa.and_(SampledAccess.id == access_id, SampledAccess.user_id == actor.user_id)
    access = db.session.scalar(sa.select(SampledAccess).where(own))
    subject = _still_visible(actor, access) if access is not None else None
    shown = None
    if access is not None:
        people = [subject] if subject and access.object_type == "person" else []
        shown = Shown(records=[subject] if subject and not people else [], people=people)
    opened(actor, "justification.opened", access_id, shown)
    access = db.session.scalar(sa.select(SampledAccess).where(own).execution_options(populate_existing=True))
    if access is None:
        raise NotVisible
    sample = db.session.scalars(sa.select(Sample).where(Sample.id == access.sample_id)).one()
    kind = Person if access.object_type == "person" else Record
    reference = db.session.scalar(sa.select(kind.reference).where(kind.id == subject)) if subject else None
    answer = open_texts(actor, [access.answer_event_id], "answer")
    row = AccessRow(
        access, actor.name, reference or "", state_of(access, sample), next(iter(answer.values()), "")
    )
    return row, sample


def state_of(access: SampledAccess, sample: Sample) -> AccessState:
    """Where it stands now."""
    if access.verdict:
        return AccessState(access.verdict)
    if access.answered_at is not None:
        return AccessState.ANSWERED
    return AccessState.OVERDUE if sample.due_at <= clock.now() else AccessState.WAITING


def _still_visible(actor: Actor, access: SampledAccess) -> UUID | None:
    """The id of what was opened, under the sharing rule of now."""
    if access.object_id is None or access.object_type not in ("case", "incident", "person"):
        return None
    kind = Person if access.object_type == "person" else Record
    return db.session.scalar(sa.select(kind.id).where(kind.id == access.object_id))


def _sample_rows(samples: Sequence[Sample]) -> list[SampleRow]:
    counted = {
        row.sample_id: row
        for row in db.session.execute(
            sa.select(
                SampledAccess.sample_id,
                sa.func.count().label("accesses"),
                sa.func.count(sa.case((SampledAccess.answered_at.is_(None), 1))).label("waiting"),
                sa.func.count(
                    sa.case(
                        (
                            sa.and_(SampledAccess.answered_at.is_not(None), SampledAccess.verdict.is_(None)),
                            1,
                        )
                    )
                ).label("to_judge"),
            )
            .where(SampledAccess.sample_id.in_([one.id for one in samples]))
            .group_by(SampledAccess.sample_id)
        )
    }
    names = user_names(one.drawn_by for one in samples)
    return [
        SampleRow(
            one,
            names.get(one.drawn_by, ""),
            *((row.accesses, row.waiting, row.to_judge) if (row := counted.get(one.id)) else (0, 0, 0)),
        )
        for one in samples
    ]
