"""Reads of assurances: one's own, those of the partners with whom one has an agreement, and whether a lack blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from hub.access.actor import Actor
from hub.access.models import Agreement, AgreementParty
from hub.access.permissions import Permission
from hub.accounts.models import Organisation, User
from hub.accounts.queries import administrators_of, user_names
from hub.assurances.models import Assurance
from hub.assurances.policy import Position, Standing
from hub.assurances.questions import Question, questionnaire
from hub.assurances.vocabulary import AssuranceState
from hub.audit.reading import Shown, listed, opened
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.settings.values import values_of


@dataclass(frozen=True)
class Partner:
    """An organisation, how its assurance stands, and the answers that it gave last."""

    id: UUID
    name: str
    standing: Standing
    accepted_until: datetime | None
    latest_id: UUID | None
    state: AssuranceState | None

    @property
    def href(self) -> str:
        return f"/assurance/{self.latest_id}"

    @property
    def last_day(self) -> datetime | None:
        return _last_day(self.accepted_until)


@dataclass(frozen=True)
class Answered:
    """One question with its answer; `question` None where today's questionnaire doesn't ask it any more."""

    code: str
    question: Question | None
    answer: str
    evidence: str


@dataclass(frozen=True)
class Opened:
    """One answered questionnaire in full."""

    row: Assurance
    organisation_name: str
    answers: tuple[Answered, ...]
    submitted_by: str
    reviewed_by: str
    reviewed_for: str
    own: bool
    latest: bool

    @property
    def last_day(self) -> datetime | None:
        return _last_day(self.row.valid_until)

    @property
    def reviewable(self) -> bool:
        return not self.own and self.latest and self.row.state == AssuranceState.SUBMITTED


def _last_day(until: datetime | None) -> datetime | None:
    """Answers hold until a midnight, through the day before."""
    return until - timedelta(seconds=1) if until else None


def open_own(actor: Actor) -> Partner:
    """How the actor's own organisation stands. The look is logged."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    listed(actor, "assurance.listed", Shown())
    return _partners(actor, [actor.organisation_id])[0]


def list_partners(actor: Actor, *, waiting: bool = False, cursor: Cursor | None = None) -> Page[Partner]:
    """A page of the organisations with whom one has a signed agreement, by name; or those whose answers wait for review."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    listed(actor, "assurance.listed", Shown())
    statement = sa.select(Organisation.id, Organisation.name).where(Organisation.id.in_(partners_of(actor)))
    if waiting:
        statement = statement.where(
            Organisation.id.in_(
                sa.select(Assurance.organisation_id).where(
                    Assurance.id.in_(_latest()), Assurance.state == AssuranceState.SUBMITTED.value
                )
            )
        )
    if cursor is not None:
        statement = statement.where(sa.tuple_(Organisation.name, Organisation.id) > (cursor.key, cursor.id))
    rows = db.session.execute(
        statement.order_by(Organisation.name, Organisation.id).limit(PAGE_SIZE + 1)
    ).all()
    page = rows[:PAGE_SIZE]
    more = str(Cursor(page[-1].name, page[-1].id)) if len(rows) > PAGE_SIZE else None
    return Page(_partners(actor, (row.id for row in page)), more)


def open_assurance(actor: Actor, assurance_id: UUID) -> Opened:
    """Answers of one's own organisation or of a partner's. Raises `NotVisible`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    found = db.session.scalar(sa.select(Assurance.id).where(_mine_or_partners(actor, assurance_id)))
    opened(actor, "assurance.opened", assurance_id, Shown() if found else None)
    row = db.session.get(Assurance, assurance_id)
    if row is None:
        raise NotVisible
    names = user_names(one for one in (row.submitted_by, row.reviewed_by) if one)
    latest = db.session.scalar(_latest().where(Assurance.organisation_id == row.organisation_id))
    organisation = db.session.get_one(Organisation, row.organisation_id)
    return Opened(
        row=row,
        organisation_name=organisation.name,
        answers=_answers(row.answers),
        submitted_by=names.get(row.submitted_by, ""),
        reviewed_by=names.get(row.reviewed_by, "") if row.reviewed_by else "",
        reviewed_for=_employer_of(row.reviewed_by),
        own=row.organisation_id == actor.organisation_id,
        latest=row.id == latest,
    )


def load_for_review(actor: Actor, assurance_id: UUID) -> tuple[Assurance, bool]:
    """Answers that the actor may see, locked, and whether they are the last that their organisation gave."""
    row = db.session.scalar(
        sa.select(Assurance).where(_mine_or_partners(actor, assurance_id)).with_for_update()
    )
    if row is None:
        raise NotVisible
    latest = db.session.scalar(_latest().where(Assurance.organisation_id == row.organisation_id))
    return row, latest == row.id


def find_standing(actor: Actor) -> Standing:
    """How the actor's own organisation stands now."""
    return _partners(actor, [actor.organisation_id])[0].standing


def find_partners_administrators(actor: Actor) -> list[UUID]:
    """The administrators of all partners, who may review what the actor's organisation answers."""
    return list(db.session.scalars(administrators_of(partners_of(actor))))


def partners_of(actor: Actor) -> sa.Select[UUID]:
    """Ids of other organisations that have signed an agreement with the actor's, which has not ended."""
    mine, theirs = sa.orm.aliased(AgreementParty), sa.orm.aliased(AgreementParty)
    now = clock.now()
    return (
        sa.select(theirs.organisation_id)
        .join(mine, mine.agreement_id == theirs.agreement_id)
        .join(Agreement, Agreement.id == mine.agreement_id)
        .where(
            mine.organisation_id == actor.organisation_id,
            theirs.organisation_id != actor.organisation_id,
            mine.signed_at.is_not(None),
            theirs.signed_at.is_not(None),
            sa.or_(mine.left_at.is_(None), mine.left_at > now),
            sa.or_(theirs.left_at.is_(None), theirs.left_at > now),
            Agreement.ends_at > now,
            sa.or_(Agreement.ended_at.is_(None), Agreement.ended_at > now),
        )
    )


def _mine_or_partners(actor: Actor, assurance_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(
        Assurance.id == assurance_id,
        sa.or_(
            Assurance.organisation_id == actor.organisation_id,
            Assurance.organisation_id.in_(partners_of(actor)),
        ),
    )


def _latest() -> sa.Select[UUID]:
    """The last answers of each organisation."""
    return (
        sa.select(Assurance.id)
        .ext(distinct_on(Assurance.organisation_id))
        .order_by(Assurance.organisation_id, Assurance.id.desc())
    )


def accepted() -> sa.Select[UUID, UUID, datetime | None]:
    """Of each organisation the answers that were accepted last, and until when."""
    return (
        sa.select(Assurance.organisation_id, Assurance.id, Assurance.valid_until)
        .ext(distinct_on(Assurance.organisation_id))
        .where(Assurance.state == AssuranceState.ACCEPTED.value)
        .order_by(Assurance.organisation_id, Assurance.reviewed_at.desc())
    )


def _partners(actor: Actor, ids: Iterable[UUID]) -> list[Partner]:
    keys = list(ids)
    rows = db.session.scalars(
        sa.select(Organisation).where(Organisation.id.in_(keys)).order_by(Organisation.name, Organisation.id)
    ).all()
    until = {
        row.organisation_id: row.valid_until
        for row in db.session.execute(accepted().where(Assurance.organisation_id.in_(keys))).all()
    }
    latest = {
        row.organisation_id: row
        for row in db.session.scalars(
            sa.select(Assurance).where(Assurance.id.in_(_latest().where(Assurance.organisation_id.in_(keys))))
        )
    }
    now, values = clock.now(), values_of(actor.partnership_id)
    return [
        Partner(
            id=row.id,
            name=row.name,
            standing=Position(row.created_at, until.get(row.id)).standing(now, values),
            accepted_until=until.get(row.id),
            latest_id=latest[row.id].id if row.id in latest else None,
            state=AssuranceState(latest[row.id].state) if row.id in latest else None,
        )
        for row in rows
    ]


def _answers(given: dict[str, Any]) -> tuple[Answered, ...]:
    known = {one.code: one for one in questionnaire().questions}
    codes = [*(code for code in known if code in given), *(code for code in given if code not in known)]
    return tuple(
        Answered(code, known.get(code), given[code]["answer"], given[code]["evidence"]) for code in codes
    )


def _employer_of(user_id: UUID | None) -> str:
    if user_id is None:
        return ""
    return (
        db.session.scalar(
            sa.select(Organisation.name)
            .join(User, User.organisation_id == Organisation.id)
            .where(User.id == user_id)
        )
        or ""
    )
