"""Reads of declared interests: one's own, and for supervisors their colleagues' with what those exclude them from.

The user is never told what a declaration met: that would say that there is something. A supervisor is told the reference of
a record or person of the own organisation, as far as the sharing rule shows it to the supervisor, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Exclusion
from hub.access.permissions import Permission, Role
from hub.accounts.models import RoleHolding, User
from hub.accounts.queries import user_names
from hub.audit.reading import Shown, listed
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.interests.models import DeclaredInterest
from hub.interests.vocabulary import KIND_LABELS, RELATION_LABELS, InterestKind, Relation

SUBJECT_LABELS = {"case": "Case", "incident": "Incident", "person": "Person"}


@dataclass(frozen=True)
class Declared:
    """A declaration as its user and the supervisors read it."""

    id: UUID
    user_id: UUID
    user_name: str
    kind: str
    subject: str
    born: str
    relation: str
    declared_at: datetime
    ended_at: datetime | None
    ended_by: str

    @property
    def href(self) -> str:
        return f"/interests/{self.id}"


@dataclass(frozen=True)
class Excluded:
    """An exclusion that a supervisor may know of and lift."""

    id: UUID
    what: str
    reference: str
    since: datetime
    ended_at: datetime | None
    lifted_by: str

    @property
    def href(self) -> str:
        return f"/interests/exclusions/{self.id}/lift"


def list_own(actor: Actor) -> list[Declared]:
    """The actor's own declarations, the newest first: open ones and ended ones."""
    actor.check_may(Permission.INTEREST_DECLARE)
    listed(actor, "interest.listed", Shown())
    rows = db.session.scalars(
        sa.select(DeclaredInterest)
        .where(DeclaredInterest.user_id == actor.user_id)
        .order_by(DeclaredInterest.ended_at.is_not(None), DeclaredInterest.id.desc())
        .limit(PAGE_SIZE * 4)
    ).all()
    return _declared(rows)


def list_colleagues(
    actor: Actor,
    *,
    user_id: UUID | None = None,
    ended: bool = False,
    cursor: Cursor | None = None,
) -> Page[Declared]:
    """A page of the declarations of the supervisor's organisation, the newest first; not the supervisor's own."""
    actor.check_may(Permission.INTEREST_REVIEW)
    listed(actor, "interest.listed", Shown())
    statement = sa.select(DeclaredInterest).where(
        DeclaredInterest.organisation_id == actor.organisation_id,
        DeclaredInterest.user_id != actor.user_id,
        DeclaredInterest.ended_at.is_not(None) if ended else DeclaredInterest.ended_at.is_(None),
    )
    if user_id is not None:
        statement = statement.where(DeclaredInterest.user_id == user_id)
    if cursor is not None:
        after = sa.tuple_(DeclaredInterest.created_at, DeclaredInterest.id)
        statement = statement.where(after < (cursor.at, cursor.id))
    rows = db.session.scalars(
        statement.order_by(DeclaredInterest.created_at.desc(), DeclaredInterest.id.desc()).limit(
            PAGE_SIZE + 1
        )
    ).all()
    page = rows[:PAGE_SIZE]
    more = str(Cursor(page[-1].created_at, page[-1].id)) if len(rows) > PAGE_SIZE else None
    return Page(_declared(page), more)


def find_declarants(actor: Actor) -> dict[str, str]:
    """Colleagues who have declared anything, by name: what the list is narrowed by."""
    actor.check_may(Permission.INTEREST_REVIEW)
    ids = sa.select(DeclaredInterest.user_id).where(
        DeclaredInterest.organisation_id == actor.organisation_id, DeclaredInterest.user_id != actor.user_id
    )
    rows = db.session.execute(
        sa.select(User.id, User.name).where(User.id.in_(ids)).order_by(User.name, User.id)
    )
    return {str(row.id): row.name for row in rows}


def list_exclusions(
    actor: Actor, interest_id: UUID, *, cursor: Cursor | None = None
) -> tuple[Declared, Page[Excluded]]:
    """A colleague's declaration and what it excludes them from, as far as the supervisor may know of it."""
    actor.check_may(Permission.INTEREST_REVIEW)
    listed(actor, "interest.listed", Shown())
    row = db.session.scalar(
        sa.select(DeclaredInterest).where(
            DeclaredInterest.id == interest_id,
            DeclaredInterest.organisation_id == actor.organisation_id,
            DeclaredInterest.user_id != actor.user_id,
        )
    )
    if row is None:
        raise NotVisible
    statement = _known(interest_id)
    if cursor is not None:
        statement = statement.where(sa.tuple_(Exclusion.created_at, Exclusion.id) > (cursor.at, cursor.id))
    found = db.session.execute(
        statement.order_by(Exclusion.created_at, Exclusion.id).limit(PAGE_SIZE + 1)
    ).all()
    page = found[:PAGE_SIZE]
    last = page[-1].Exclusion if len(found) > PAGE_SIZE else None
    return _declared([row])[0], Page(_excluded(page), str(Cursor(last.created_at, last.id)) if last else None)


def open_exclusion(actor: Actor, exclusion_id: UUID) -> tuple[Excluded, Declared]:
    """`find_exclusion` as a look of its own, which is logged."""
    listed(actor, "interest.listed", Shown())
    return find_exclusion(actor, exclusion_id)


def find_exclusion(actor: Actor, exclusion_id: UUID) -> tuple[Excluded, Declared]:
    """One exclusion of a colleague's to lift, and its declaration. Raises `NotVisible` for what the supervisor can't know of."""
    actor.check_may(Permission.INTEREST_REVIEW)
    interest_id = db.session.scalar(
        sa.select(Exclusion.interest_id).where(
            Exclusion.id == exclusion_id,
            Exclusion.user_id != actor.user_id,
            Exclusion.organisation_id == actor.organisation_id,
        )
    )
    if interest_id is None:
        raise NotVisible
    found = db.session.execute(_known(interest_id).where(Exclusion.id == exclusion_id)).one_or_none()
    declared = db.session.get(DeclaredInterest, interest_id)
    if found is None or declared is None:
        raise NotVisible
    return _excluded([found])[0], _declared([declared])[0]


def _known(interest_id: UUID) -> sa.Select[Any]:
    """Exclusions of a declaration with what they are about: those alone that the database lets the supervisor know of."""
    subject = sa.func.find_exclusion_subjects(interest_id).table_valued("exclusion_id", "kind", "reference")
    return sa.select(Exclusion, subject.c.kind, subject.c.reference).join(
        subject, subject.c.exclusion_id == Exclusion.id
    )


def _excluded(rows: Sequence[Any]) -> list[Excluded]:
    names = user_names(row.Exclusion.ended_by for row in rows if row.Exclusion.ended_by)
    return [
        Excluded(
            id=row.Exclusion.id,
            what=SUBJECT_LABELS[row.kind],
            reference=row.reference,
            since=row.Exclusion.created_at,
            ended_at=row.Exclusion.ended_at,
            lifted_by=names.get(row.Exclusion.ended_by, ""),
        )
        for row in rows
    ]


def _declared(rows: Iterable[DeclaredInterest]) -> list[Declared]:
    rows = list(rows)
    names = user_names([one for row in rows for one in (row.user_id, row.ended_by) if one])
    return [
        Declared(
            id=row.id,
            user_id=row.user_id,
            user_name=names[row.user_id],
            kind=KIND_LABELS[InterestKind(row.kind)],
            subject=_subject(row),
            born=row.date_of_birth,
            relation=RELATION_LABELS[Relation(row.relation)],
            declared_at=row.created_at,
            ended_at=row.ended_at,
            ended_by=names.get(row.ended_by, "") if row.ended_by else "",
        )
        for row in rows
    ]


def _subject(row: DeclaredInterest) -> str:
    if row.kind == InterestKind.ADDRESS:
        return ", ".join(part for part in (row.address.replace("\n", ", "), row.postcode) if part)
    return " ".join(part for part in (row.given_names, row.family_name) if part)


def find_supervisors(actor: Actor) -> list[str]:
    """Whom to ask for the end of a declaration: names of the supervisors of the actor's organisation."""
    ids = supervisors_of(actor.user_id, actor.organisation_id, actor.partnership_id)
    return list(db.session.scalars(sa.select(User.name).where(User.id.in_(ids)).order_by(User.name)))


def supervisors_of(user_id: UUID, organisation_id: UUID, partnership_id: UUID) -> sa.Select[UUID]:
    """Ids of those who hold the role in that organisation and partnership, without the user themselves."""
    return (
        sa.select(User.id)
        .join(RoleHolding, RoleHolding.user_id == User.id)
        .where(
            User.id != user_id,
            User.organisation_id == organisation_id,
            User.disabled_at.is_(None),
            RoleHolding.partnership_id == partnership_id,
            RoleHolding.role == Role.SUPERVISOR.value,
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
        )
    )
