"""The minimum share (FEATURES T18): one fact told to a partner, such as a landlord, who is given nothing else of the record.

It is a share like any other: asked for by the lead, answered by the recipient, ended by the lead, by the clock or with its
agreement. What differs is that its grant opens no section, and that the one fact hangs on it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.guard import bound_terms
from hub.access.models import Agreement, Grant, Record
from hub.access.permissions import Permission
from hub.access.sets import my_live_grants
from hub.access.vocabulary import PURPOSE_LABELS, Purpose
from hub.accounts.models import Team
from hub.accounts.queries import organisation_names, user_names
from hub.agreements.policy import Terms, nearest, refusal_of
from hub.agreements.queries import find_partners
from hub.audit.reading import Shown, opened, withheld
from hub.audit.recording import Basis
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
from hub.extensions import db
from hub.sharing.actions import check_share, share_record
from hub.sharing.fact_forms import FactForm
from hub.sharing.models import SharedFact
from hub.sharing.vocabulary import FACT_LABELS, FactCode


@dataclass(frozen=True)
class Fact:
    """A fact as it is read: by its recipient, and by those who lead the record."""

    label: str
    concerning: str
    wording: str
    from_on: str
    until_on: str | None

    @property
    def in_words(self) -> str:
        """For those who lead the record, among its shares."""
        return f"One fact and nothing of the record: {self.label}, {self.concerning}"


@dataclass(frozen=True)
class ToldFact:
    """All that a recipient is given: the fact, and by whom, for what, under which agreement and until when."""

    fact: Fact
    reference: str
    marking: int
    owner: str
    told_by: str
    purpose: str
    agreement: str
    told_at: datetime
    last_moment: datetime | None


@dataclass(frozen=True)
class Recipients:
    """To whom a fact may be told (value, name, what for), and who not and why."""

    choices: Sequence[tuple[str, str, str]]
    greyed: Sequence[tuple[str, str]]
    terms: dict[UUID, list[Terms]]


def share_fact(actor: Actor, record_id: UUID, form: FactForm) -> Grant:
    """Tells one fact: the grant and the fact in one transaction. Raises as `share_record` does."""
    _check_partner(actor, record_id, form)
    grant = share_record(actor, record_id, form.share, fact=form.code)
    db.session.add(
        SharedFact(
            **facts_of(grant),
            record_id=record_id,
            grant_id=grant.id,
            code=form.code.value,
            concerning=form.concerning,
            wording=form.wording,
            from_on=form.from_on,
            until_on=form.until_on,
        )
    )
    db.session.flush()
    return grant


def check_fact(actor: Actor, record_id: UUID, form: FactForm) -> UUID | None:
    """All that `share_fact` would check, without telling anything; the agreement that it would stand on."""
    _check_partner(actor, record_id, form)
    return check_share(actor, record_id, form.share).agreement_id


def _check_partner(actor: Actor, record_id: UUID, form: FactForm) -> None:
    """Inside the owner organisation a case is shared as a whole, or not."""
    actor.check_may(Permission.CASE_SHARE)
    owner = db.session.scalar(sa.select(Record.owner_organisation_id).where(Record.id == record_id))
    if owner is None:
        raise NotVisible
    if form.share.to_organisation_id in (owner, actor.organisation_id):
        raise Invalid("bad_fact", errors={"to": "Choose a partner: a fact is told to another organisation"})


def open_fact(actor: Actor, grant_id: UUID) -> ToldFact:
    """The fact of a live share with the actor. `NotVisible` for any other, and from the moment that the share ends."""
    actor.check_may(Permission.SHARE_READ)
    found = db.session.execute(
        sa.select(SharedFact.record_id, Grant.agreement_id)
        .join(Grant, Grant.id == SharedFact.grant_id)
        .where(*_told_to_me(grant_id))
    ).one_or_none()
    shown = None
    if found is not None:
        basis = Basis("share", found.agreement_id, grant_id)
        shown = Shown(records=[found.record_id], basis=basis)
    opened(actor, "fact.opened", grant_id, shown)
    row = db.session.execute(
        sa.select(SharedFact, Grant, Agreement)
        .join(Grant, Grant.id == SharedFact.grant_id)
        .join(Agreement, Agreement.id == Grant.agreement_id)
        .where(*_told_to_me(grant_id))
    ).one_or_none()
    if row is None:
        # ended between the two steps
        withheld(actor, "fact.opened", shown.records if shown else (), ())
        raise NotVisible
    return _told(row[0], row[1], row[2])


def _told_to_me(grant_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    """By a live share alone: those who lead the record read its facts on its own page."""
    return (SharedFact.grant_id == grant_id, SharedFact.grant_id.in_(my_live_grants(bound_terms())))


def _told(fact: SharedFact, grant: Grant, agreement: Agreement) -> ToldFact:
    return ToldFact(
        fact=_fact(fact),
        reference=grant.record_reference,
        marking=fact.marking,
        owner=organisation_names([grant.owner_organisation_id]).get(grant.owner_organisation_id, ""),
        told_by=user_names([grant.requested_by]).get(grant.requested_by, ""),
        purpose=PURPOSE_LABELS[Purpose(grant.purpose)] if grant.purpose else "",
        agreement=f"{agreement.title} ({agreement.reference})",
        told_at=grant.starts_at,
        last_moment=grant.last_moment,
    )


def fact_of(actor: Actor, grant_ids: Collection[UUID]) -> dict[UUID, Fact]:
    """Grant → its fact, of those that the actor may read: as the lead, or by a share that is live. Logs nothing."""
    if not grant_ids:
        return {}
    found = db.session.scalars(sa.select(SharedFact).where(SharedFact.grant_id.in_(grant_ids)))
    return {one.grant_id: _fact(one) for one in found}


def _fact(row: SharedFact) -> Fact:
    return Fact(FACT_LABELS[FactCode(row.code)], row.concerning, row.wording, row.from_on, row.until_on)


def find_recipients(actor: Actor) -> Recipients:
    """Partners with an agreement in force and their teams in the partnership in hand; the others with the reason."""
    now = clock.now()
    live: dict[UUID, list[Terms]] = {}
    greyed = []
    partners = find_partners(actor)
    for partner in partners:
        refusals = []
        for terms in partner.agreements:
            refusal = refusal_of(terms, (actor.organisation_id, partner.id), now)
            if refusal is None:
                live.setdefault(partner.id, []).append(terms)
            else:
                refusals.append(refusal)
        if partner.id not in live:
            why = nearest(refusals).sentence if refusals else "You have no agreement with them."
            greyed.append((partner.name, why))
    teams = db.session.scalars(
        sa.select(Team)
        .where(Team.organisation_id.in_(live), Team.partnership_id == actor.partnership_id)
        .order_by(Team.name, Team.id)
    ).all()
    choices: list[tuple[str, str, str]] = []
    for partner in partners:
        if partner.id in live:
            choices.append((f"organisation:{partner.id}", partner.name, _for_what(live[partner.id])))
            choices += [
                (f"team:{partner.id}:{team.id}", f"{partner.name}: {team.name}", "Only people of this team")
                for team in teams
                if team.organisation_id == partner.id
            ]
    return Recipients(choices, greyed, live)


def _for_what(live: Sequence[Terms]) -> str:
    purposes = dict.fromkeys(PURPOSE_LABELS[Purpose(one.purpose)] for terms in live for one in terms.purposes)
    return ", ".join(purposes)
