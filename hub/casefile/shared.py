"""What *Shared with us* shows: what partners share under the purpose in hand, what waits, what we added elsewhere."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose
from hub.accounts.queries import organisation_names
from hub.audit.looking import last_looks
from hub.casefile.contributed import Contribution, find_contribution_owners, list_contributions
from hub.cases.models import Case
from hub.core.paging import Cursor
from hub.extensions import db
from hub.incidents.models import Incident
from hub.sharing.facts import Fact, fact_of
from hub.sharing.queries import (
    GrantRow,
    SharedView,
    find_owners,
    find_waiting,
    list_shared,
    waiting_count,
    waiting_under_other_purposes,
)

# of what waits for an answer, before the list of what is shared now
FIRST_WAITING = 5
ONE_FACT = "One fact, and nothing else of the record"


@dataclass(frozen=True)
class SharedRow:
    """A live share with what it opens."""

    share: GrantRow
    title: str
    href: str
    sections: Sequence[str]
    marking: int
    is_new: bool

    @property
    def reference(self) -> str:
        return self.share.grant.record_reference

    @property
    def why(self) -> str:
        """Why a fact had to be told is said to nobody who is told it."""
        grant = self.share.grant
        return f"Told to you under {self.share.agreement}" if grant.fact_only else grant.reason


class SharedPart(enum.StrEnum):
    """The parts of the page, each with pages of its own."""

    LIVE = "live"
    WAITING = "waiting"
    ENDED = "ended"
    CONTRIBUTED = "contributed"


@dataclass(frozen=True)
class SharedPage:
    """One part of *Shared with us*; of what waits for an answer the first lines stand before the live ones too."""

    part: SharedPart
    waiting_number: int
    live: Sequence[SharedRow] = ()
    waiting: Sequence[GrantRow] = ()
    more_waiting: bool = False
    ended: Sequence[GrantRow] = ()
    contributions: Sequence[Contribution] = ()
    next_cursor: str | None = None

    @property
    def marking(self) -> int:
        return max((row.marking for row in self.live), default=0)

    @property
    def shown(self) -> int:
        """How many rows the part's own list has."""
        lists = {
            SharedPart.LIVE: self.live,
            SharedPart.WAITING: self.waiting,
            SharedPart.ENDED: self.ended,
            SharedPart.CONTRIBUTED: self.contributions,
        }
        return len(lists[self.part])


def open_shared(
    actor: Actor,
    part: SharedPart = SharedPart.LIVE,
    *,
    owner_id: UUID | None = None,
    after: Cursor | None = None,
) -> SharedPage:
    """One look, logged once (share.listed) with the records that the page shows anything of."""
    number = waiting_count(actor)
    if part is SharedPart.CONTRIBUTED:
        found = list_contributions(actor, owner_id, after)
        return SharedPage(part, number, contributions=found.rows, next_cursor=found.next_cursor)
    page = list_shared(actor, SharedView(part.value), owner_id=owner_id, after=after)
    if part is SharedPart.WAITING:
        return SharedPage(part, number, waiting=page.rows, next_cursor=page.next_cursor)
    if part is SharedPart.ENDED:
        return SharedPage(part, number, ended=page.rows, next_cursor=page.next_cursor)
    first = find_waiting(actor, at_most=FIRST_WAITING + 1)
    return SharedPage(
        part,
        number,
        live=_live_rows(actor, page.rows),
        waiting=first[:FIRST_WAITING],
        more_waiting=len(first) > FIRST_WAITING,
        next_cursor=page.next_cursor,
    )


def find_part_owners(actor: Actor, part: SharedPart, asked: UUID | None) -> dict[str, str]:
    """The lead organisations of all that a part holds, by name, and the one asked for though it may hold nothing of it."""
    if part is SharedPart.CONTRIBUTED:
        names = find_contribution_owners(actor)
    else:
        names = find_owners(actor, SharedView(part.value))
    if asked is not None:
        names = {**organisation_names([asked]), **names}
    return {str(key): name for key, name in sorted(names.items(), key=lambda one: (one[1], one[0]))}


def find_elsewhere(actor: Actor) -> list[tuple[str, str, int]]:
    """Hat, purpose and how many shares are to be seen under it and not under the purpose in hand."""
    return [
        (f"{actor.team_id}:{purpose}", PURPOSE_LABELS[Purpose(purpose)], number)
        for purpose, number in waiting_under_other_purposes(actor).items()
    ]


def _live_rows(actor: Actor, shares: Sequence[GrantRow]) -> list[SharedRow]:
    ids = {row.grant.record_id for row in shares}
    titles = _titles(ids)
    facts = fact_of(actor, [row.grant.id for row in shares if row.grant.fact_only])
    seen_ids = ids | {row.grant.id for row in shares}
    looks = last_looks(actor, seen_ids, acts=("case.opened", "incident.opened", "fact.opened"))
    rows = []
    for share in shares:
        key = share.grant.record_id
        if share.grant.fact_only:
            if share.grant.id in facts:
                rows.append(_fact_row(share, facts[share.grant.id], is_new=share.grant.id not in looks))
            continue
        if key not in titles:
            continue
        title, href, changed_at, marking = titles[key]
        seen = looks.get(key)
        rows.append(
            SharedRow(
                share=share,
                title=title,
                href=href,
                sections=[SECTION_LABELS[one] for one in SECTION_LABELS if one.value in share.grant.sections],
                marking=marking,
                is_new=seen is None or seen < changed_at,
            )
        )
    return rows


def _fact_row(share: GrantRow, fact: Fact, *, is_new: bool) -> SharedRow:
    """Of the record behind it nothing but the reference."""
    return SharedRow(
        share=share,
        title=fact.label,
        href=f"/facts/{share.grant.id}",
        sections=[ONE_FACT],
        marking=share.grant.marking,
        is_new=is_new,
    )


def _titles(ids: Iterable[UUID]) -> dict[UUID, tuple[str, str, datetime, int]]:
    """Title, address, last change and marking by id."""
    wanted = list(ids)
    cases = db.session.execute(
        sa.select(Case.id, Case.title, Case.changed_at, Case.marking).where(Case.id.in_(wanted))
    )
    found = {key: (title, f"/cases/{key}", changed, marking) for key, title, changed, marking in cases}
    incidents = db.session.execute(
        sa.select(Incident.id, Incident.title, Incident.reported_at, Incident.marking).where(
            Incident.id.in_(wanted)
        )
    )
    found.update({key: (title, f"/incidents/{key}", at, marking) for key, title, at, marking in incidents})
    return found
