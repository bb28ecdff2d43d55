"""The small sets keyed on the actor that the sharing rule stands on, and how its clauses are named.

The ORM guard has each set inline, with the actor's values as bound parameters; the database's policies ask functions of the
same text (`walls.py`). A set reads access-fact tables only, as Core tables, and compares with the clock in the query.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, func, or_, select, tuple_

from hub.access.models import (
    Agreement,
    AgreementParty,
    AgreementPurpose,
    Emergency,
    Exclusion,
    Grant,
    RecordTeam,
    SectionLevel,
)
from hub.access.vocabulary import GrantState

Expression = sa.ColumnElement[bool]
DISABLED: ContextVar[frozenset[str]] = ContextVar("disabled_clauses", default=frozenset())


def named(name: str, clause: Expression) -> Expression:
    """The clause itself, or *true* where a test has switched it off by name."""
    return clause if kept(name) else sa.true()


def kept(name: str) -> bool:
    """Whether the clause of that name stands: always, but where a test has switched it off."""
    NAMES.add(name)
    return name not in DISABLED.get()


NAMES: set[str] = set()


@dataclass(frozen=True)
class Terms:
    """The actor's values as SQL: bound parameters in the ORM guard, `current_setting` in the database's policies."""

    user_id: Any
    organisation_id: Any
    partnership_id: Any
    team_id: Any
    clearance: Any
    purpose: Any
    audiences: Any
    principals: Any
    now: Any = field(default_factory=func.now)
    # the database's policies ask functions of the same text for the sets below: see `walls.py`
    through_functions: bool = False


def core(model: type[Any]) -> Any:
    return model.__table__.alias()


def _unset_or_later(column: Any, terms: Terms) -> Expression:
    return or_(column.is_(None), column > terms.now)


# ---- small sets keyed on the actor ------------------------------------------------------------------------------


def _my_excluded_records(terms: Terms) -> sa.Select[Any]:
    wall = core(Exclusion)
    return select(wall.c.record_id).where(
        named("exclusion_me", wall.c.user_id == terms.user_id),
        wall.c.record_id.is_not(None),
        _unset_or_later(wall.c.ended_at, terms),
    )


def _my_excluded_people(terms: Terms) -> sa.Select[Any]:
    wall = core(Exclusion)
    return select(wall.c.person_id).where(
        named("exclusion_person_me", wall.c.user_id == terms.user_id),
        wall.c.person_id.is_not(None),
        _unset_or_later(wall.c.ended_at, terms),
    )


def _my_record_teams(terms: Terms) -> sa.Select[Any]:
    member = core(RecordTeam)
    return select(member.c.record_id).where(named("record_team_me", member.c.user_id == terms.user_id))


def in_force(agreement: Any, terms: Terms, path: str) -> Expression:
    """Signed by all, started, not ended by time or by a party, not suspended."""
    return and_(
        named(f"{path}_agreement_signed", agreement.c.in_force_at <= terms.now),
        named(f"{path}_agreement_started", agreement.c.starts_at <= terms.now),
        named(f"{path}_agreement_not_ended", agreement.c.ends_at > terms.now),
        named(f"{path}_agreement_not_closed", _unset_or_later(agreement.c.ended_at, terms)),
        named(f"{path}_agreement_not_suspended", _unset_or_later(agreement.c.suspended_at, terms)),
    )


def _is_party(party: Any, agreement: Any, terms: Terms, name: str) -> Expression:
    return and_(
        party.c.agreement_id == agreement.c.id,
        named(f"{name}_joined", party.c.joined_at <= terms.now),
        named(f"{name}_not_left", _unset_or_later(party.c.left_at, terms)),
    )


def _us(party: Any, terms: Terms, name: str) -> Expression:
    return named(f"{name}_party", party.c.organisation_id == terms.organisation_id)


def _addressed_to_me(grant: Any, terms: Terms) -> Expression:
    # a grant to a team reaches all who wear its hat, as far as their own employer is party (`_grants_from_partners`)
    ours = or_(
        named("grant_to_organisation", grant.c.to_organisation_id == terms.organisation_id),
        named(
            "grant_to_colocated", and_(grant.c.to_team_id.is_not(None), grant.c.to_team_id == terms.team_id)
        ),
    )
    return and_(
        ours,
        named("grant_to_team", or_(grant.c.to_team_id.is_(None), grant.c.to_team_id == terms.team_id)),
        named("grant_to_user", or_(grant.c.to_user_id.is_(None), grant.c.to_user_id == terms.user_id)),
        named("grant_accepted", grant.c.state == GrantState.ACCEPTED.value),
        named("grant_started", grant.c.starts_at <= terms.now),
        named("grant_not_ended", _unset_or_later(grant.c.ends_at, terms)),
        named("grant_not_revoked", _unset_or_later(grant.c.revoked_at, terms)),
    )


def _grants_from_partners(terms: Terms) -> tuple[Any, list[Expression]]:
    """Grants under an agreement in force between the owner and the actor's employer, for a purpose that it permits."""
    grant, agreement, purpose = core(Grant), core(Agreement), core(AgreementPurpose)
    theirs, ours = core(AgreementParty), core(AgreementParty)
    alike = [(grant.c.agreement_id, agreement.c.id)]
    if kept("grant_owner_party"):
        alike.append((grant.c.owner_organisation_id, theirs.c.organisation_id))
    if kept("grant_agreement_purpose"):
        alike.append((grant.c.purpose, purpose.c.purpose))
    agreed = (
        select(*(agreements for _, agreements in alike))
        .select_from(
            agreement.join(theirs, _is_party(theirs, agreement, terms, "grant_owner"))
            .join(
                ours,
                and_(
                    _is_party(ours, agreement, terms, "grant_recipient"), _us(ours, terms, "grant_recipient")
                ),
            )
            .join(purpose, purpose.c.agreement_id == agreement.c.id)
        )
        .where(in_force(agreement, terms, "grant"))
    )
    # `coalesce` keeps the planner from making a join of it: it would read the agreements again for each grant
    under = func.coalesce(tuple_(*(grants for grants, _ in alike)).in_(agreed), sa.false())
    for_it = named("grant_purpose", grant.c.purpose == terms.purpose)
    return grant, [_addressed_to_me(grant, terms), for_it, under]


def _grants_within_owner(terms: Terms) -> tuple[Any, list[Expression]]:
    """A grant to another team of the owner itself needs no agreement, and holds under any purpose."""
    grant = core(Grant)
    within = named("grant_within_owner", grant.c.owner_organisation_id == terms.organisation_id)
    return grant, [_addressed_to_me(grant, terms), within, grant.c.agreement_id.is_(None)]


def _granted(terms: Terms, *columns: str, chosen: str = "record_id", contribute: bool = False) -> Any:
    """Union of both kinds of live grants; with columns, unfolded by `section_level` to the sections and markings granted.

    The unfolding is a join with a real table: functions in FROM are not adapted when the ORM meets an alias.
    """
    parts = []
    for grant, conditions in (_grants_from_partners(terms), _grants_within_owner(terms)):
        wanted = list(conditions)
        joined, selected = grant, [grant.c[chosen]]
        if chosen == "record_id" and not columns:
            # a minimum share opens nothing of the record
            wanted.append(named("grant_not_fact", grant.c.fact_only.is_(False)))
        if columns:
            level = core(SectionLevel)
            joined = joined.join(level, level.c.section == sa.any_(grant.c.sections))
            wanted.append(named("grant_marking", level.c.marking <= grant.c.max_marking))
            selected += [level.c[column] for column in columns]
        if contribute:
            wanted.append(named("grant_may_contribute", grant.c.may_contribute.is_(True)))
        parts.append(select(*selected).select_from(joined).where(*wanted))
    return sa.union_all(*parts)


def _my_granted_records(terms: Terms) -> Any:
    return _granted(terms)


def _my_live_grants(terms: Terms) -> Any:
    return _granted(terms, chosen="id")


def _my_granted_sections(terms: Terms) -> Any:
    return _granted(terms, "section", "marking")


def _my_contributable_sections(terms: Terms) -> Any:
    return _granted(terms, "section", contribute=True)


def _my_emergencies(terms: Terms) -> sa.Select[Any]:
    opened = core(Emergency)
    return select(opened.c.record_id).where(
        named("emergency_me", opened.c.user_id == terms.user_id),
        named("emergency_started", opened.c.granted_at <= terms.now),
        named("emergency_not_expired", opened.c.expires_at > terms.now),
        named("emergency_not_closed", _unset_or_later(opened.c.closed_at, terms)),
    )


def _partners(terms: Terms, path: str) -> tuple[Any, Any, Any]:
    """Agreements in force of the actor's organisation, with every party to them."""
    agreement, theirs, ours = core(Agreement), core(AgreementParty), core(AgreementParty)
    joined = agreement.join(
        theirs,
        and_(
            theirs.c.agreement_id == agreement.c.id,
            named(f"{path}_owner_joined", theirs.c.joined_at <= terms.now),
            named(f"{path}_owner_not_left", _unset_or_later(theirs.c.left_at, terms)),
        ),
    ).join(
        ours,
        and_(_is_party(ours, agreement, terms, f"{path}_recipient"), _us(ours, terms, f"{path}_recipient")),
    )
    return agreement, theirs, joined


def _my_partners(terms: Terms) -> sa.Select[Any]:
    """Organisations with which the actor's shares an agreement in force, for whatever purpose."""
    agreement, theirs, joined = _partners(terms, "emergency")
    return select(theirs.c.organisation_id).select_from(joined).where(in_force(agreement, terms, "emergency"))


def _my_partner_sections(terms: Terms) -> sa.Select[Any]:
    """Organisations with which the actor's shares an agreement in force for the purpose in hand, and what it covers."""
    agreement, theirs, joined = _partners(terms, "partner")
    purpose, level = core(AgreementPurpose), core(SectionLevel)
    joined = joined.join(
        purpose,
        and_(
            purpose.c.agreement_id == agreement.c.id,
            named("partner_purpose", purpose.c.purpose == terms.purpose),
        ),
    ).join(level, and_(level.c.marking == 0, level.c.section == sa.any_(agreement.c.sections)))
    wanted = in_force(agreement, terms, "partner")
    return select(theirs.c.organisation_id, level.c.section).select_from(joined).where(wanted)


@dataclass(frozen=True)
class ActorSet:
    """A small set keyed on the actor: its name, its columns with their types, and the query that it is."""

    name: str
    columns: tuple[tuple[str, str], ...]
    query: Callable[[Terms], Any]

    def __call__(self, terms: Terms) -> Any:
        return select(*self._function().c) if terms.through_functions else self.query(terms)

    def _function(self) -> Any:
        columns: list[Any] = [sa.column(name) for name, _ in self.columns]
        return getattr(func, self.name)().table_valued(*columns).alias(self.name)


ACTOR_SETS: list[ActorSet] = []


def actor_set(name: str, columns: tuple[tuple[str, str], ...], query: Callable[[Terms], Any]) -> ActorSet:
    """Declares a set keyed on the actor; the order of declaration is the order in which the functions are made."""
    made = ActorSet(name, columns, query)
    ACTOR_SETS.append(made)
    return made


my_excluded_records = actor_set("my_excluded_record", (("record_id", "uuid"),), _my_excluded_records)
my_excluded_people = actor_set("my_excluded_person", (("person_id", "uuid"),), _my_excluded_people)
my_record_teams = actor_set("my_named_record", (("record_id", "uuid"),), _my_record_teams)
my_granted_records = actor_set("my_granted_record", (("record_id", "uuid"),), _my_granted_records)
my_live_grants = actor_set("my_live_grant", (("grant_id", "uuid"),), _my_live_grants)
my_granted_sections = actor_set(
    "my_granted_section",
    (("record_id", "uuid"), ("section", "text"), ("marking", "smallint")),
    _my_granted_sections,
)
my_contributable_sections = actor_set(
    "my_contributable_section", (("record_id", "uuid"), ("section", "text")), _my_contributable_sections
)
my_emergencies = actor_set("my_emergency", (("record_id", "uuid"),), _my_emergencies)
my_partners = actor_set("my_partner", (("organisation_id", "uuid"),), _my_partners)
my_partner_sections = actor_set(
    "my_partner_section", (("organisation_id", "uuid"), ("section", "text")), _my_partner_sections
)
