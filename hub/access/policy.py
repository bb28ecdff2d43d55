"""The sharing rule, once (ACCESS section 2), as facts on the row plus small uncorrelated sets keyed on the actor.

The same expressions serve the ORM guard (`guard.py`, values as bound parameters) and row-level security
(`walls.py`, values from `current_setting`). Rules for whoever changes this page:

* read only access-fact tables, and as Core tables: a policy that reads a guarded class recurses;
* correlate one level at most: SQLAlchemy silently compiles a nested EXISTS into "any share";
* every comparison with the clock is in the query; nothing about access is cached;
* every clause has a name, so that a test can switch it off and must then fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, func, or_, tuple_

from hub.access.models import Involvement
from hub.access.sets import (
    Expression,
    Terms,
    core,
    my_contributable_sections,
    my_emergencies,
    my_excluded_people,
    my_excluded_records,
    my_granted_records,
    my_granted_sections,
    my_partner_sections,
    my_partners,
    my_record_teams,
    named,
)
from hub.access.vocabulary import Section

Rule = Callable[[Any, Terms], Expression]


# ---- the rule itself: `row` is a mapped class or the columns of a Core alias -------------------------------------


def not_excluded(row: Any, record_id: Any, terms: Terms, path: str) -> Expression:
    return named(f"{path}_not_excluded", record_id.not_in(my_excluded_records(terms)))


def cleared(row: Any, record_id: Any, terms: Terms, path: str) -> Expression:
    """Clearance reaches the record's marking, and it isn't restricted or the actor is on its team."""
    return and_(
        named(f"{path}_clearance", row.marking <= terms.clearance),
        named(f"{path}_restricted", or_(row.restricted.is_(False), record_id.in_(my_record_teams(terms)))),
    )


def leads(row: Any, terms: Terms, path: str, section: Any = None) -> Expression:
    """(a1): in the partnership in hand, and led by the team in hand or opened to the owner organisation.

    In a team of several employers the rights are the team's, cut down to what the member's own employer has agreed with
    the owner for the purpose in hand: `section` is the item's, a record's own is the summary.
    """
    part = sa.literal(Section.SUMMARY.value) if section is None else section
    agreed = tuple_(row.owner_organisation_id, part).in_(my_partner_sections(terms))
    return and_(
        named(f"{path}_partnership", row.partnership_id == terms.partnership_id),
        or_(
            and_(
                named(f"{path}_lead_team", row.lead_team_id == terms.team_id),
                named(
                    f"{path}_lead_employer",
                    or_(row.owner_organisation_id == terms.organisation_id, agreed),
                ),
            ),
            and_(
                named(f"{path}_owner", row.owner_organisation_id == terms.organisation_id),
                named(f"{path}_open_to_owner", row.open_to_owner.is_(True)),
            ),
        ),
    )


def in_emergency(row: Any, record_id: Any, terms: Terms, path: str) -> Expression:
    """(b): it lifts restriction, marking and audience, never an exclusion."""
    owner = row.owner_organisation_id
    ours = or_(owner == terms.organisation_id, owner.in_(my_partners(terms)))
    return and_(
        named(f"{path}_breakable", row.breakable.is_(True)),
        record_id.in_(my_emergencies(terms)),
        named(f"{path}_emergency_scope", ours),
    )


def read_record(row: Any, record_id: Any, terms: Terms) -> Expression:
    by_right = or_(leads(row, terms, "record"), record_id.in_(my_granted_records(terms)))
    return and_(
        not_excluded(row, record_id, terms, "record"),
        or_(
            in_emergency(row, record_id, terms, "record"),
            and_(cleared(row, record_id, terms, "record"), by_right),
        ),
    )


def know_record(row: Any, record_id: Any, terms: Terms) -> Expression:
    """Know that a record exists: it is knowable, and an agreement in force covers its owner and the purpose in hand."""
    summary = tuple_(row.owner_organisation_id, sa.literal(Section.SUMMARY.value))
    return and_(
        named("know_knowable", row.knowable.is_(True)),
        summary.in_(my_partner_sections(terms)),
        not_excluded(row, record_id, terms, "know"),
    )


def change_record(row: Any, record_id: Any, terms: Terms) -> Expression:
    """Change a record: it is read by (a1)."""
    reached = and_(not_excluded(row, record_id, terms, "change"), cleared(row, record_id, terms, "change"))
    return and_(reached, leads(row, terms, "change"))


def reaches_item(item: Any, terms: Terms, path: str) -> Expression:
    """Clearance reaches the item's own marking, and its audience, where set, includes the actor."""
    return and_(
        named(f"{path}_item_clearance", item.item_marking <= terms.clearance),
        named(
            f"{path}_audience",
            or_(
                item.audience.is_(None),
                item.audience == sa.any_(terms.audiences),
                item.audience_ids.overlap(terms.principals),
            ),
        ),
    )


def contributed(item: Any, terms: Terms) -> Expression:
    """One's organisation put it on *another's* record: it stays readable after the share ends.

    On one's own organisation's records the lead team's rule alone governs; otherwise every colleague would read
    all that the organisation ever wrote, restricted records included.
    """
    return and_(
        named("contributed_mine", item.contributor_organisation_id == terms.organisation_id),
        named("contributed_to_another", item.owner_organisation_id != terms.organisation_id),
        reaches_item(item, terms, "contributed"),
    )


def by_right_or_own(item: Any, terms: Terms) -> Expression:
    granted = tuple_(item.record_id, item.section, item.item_marking).in_(my_granted_sections(terms))
    by_right = or_(leads(item, terms, "item", item.section), granted)
    reached = and_(cleared(item, item.record_id, terms, "item"), reaches_item(item, terms, "item"))
    return or_(and_(reached, by_right), contributed(item, terms))


def read_item(item: Any, terms: Terms) -> Expression:
    return and_(
        not_excluded(item, item.record_id, terms, "item"),
        or_(in_emergency(item, item.record_id, terms, "item"), by_right_or_own(item, terms)),
    )


def add_item(item: Any, terms: Terms) -> Expression:
    """Add an item: one leads the record, or holds a grant that lets one contribute to that section."""
    may_contribute = tuple_(item.record_id, item.section).in_(my_contributable_sections(terms))
    return and_(
        named("add_controller", item.contributor_organisation_id == terms.organisation_id),
        not_excluded(item, item.record_id, terms, "add"),
        cleared(item, item.record_id, terms, "add"),
        or_(leads(item, terms, "add", item.section), may_contribute),
    )


def add_entry(item: Any, terms: Terms) -> Expression:
    """Emergency access writes nothing but an entry."""
    writing = and_(
        item.section == Section.CHRONOLOGY.value,
        item.contributor_organisation_id == terms.organisation_id,
        not_excluded(item, item.record_id, terms, "entry"),
        in_emergency(item, item.record_id, terms, "entry"),
    )
    return or_(add_item(item, terms), writing)


def change_item(item: Any, terms: Terms) -> Expression:
    """Change an item: only as its controller, and only while it is readable without emergency access."""
    mine = named("change_controller", item.contributor_organisation_id == terms.organisation_id)
    return and_(mine, not_excluded(item, item.record_id, terms, "change_item"), by_right_or_own(item, terms))


def named_by(subject_id: Any, column: str, terms: Terms) -> Expression:
    """A readable involvement names it: one correlated EXISTS over an access-fact table.

    In the database's policies the wall of `involvement` itself says which are readable. `coalesce` keeps the planner from
    turning the EXISTS into a join that reads every involvement of the actor.
    """
    one = core(Involvement)
    readable = sa.true() if terms.through_functions else read_item(one.c, terms)
    return _probe(_any(one.c[column] == subject_id, readable))


def _any(*conditions: Expression) -> Expression:
    """An EXISTS that names no column of its table: the finder may not read all of them."""
    return sa.select(sa.literal_column("1")).where(*conditions).exists()


def _probe(found: Expression) -> Expression:
    return func.coalesce(found, sa.false())


def told_by_us(subject_id: Any, facts: Any, terms: Terms) -> Expression:
    """One's own organisation contributed a fact about the person to another's record, which is itself readable."""
    readable = and_(contributed(facts.c, terms), not_excluded(facts.c, facts.c.record_id, terms, "told"))
    return _probe(_any(facts.c.person_id == subject_id, readable))


def about_person(rule: Rule) -> Rule:
    """The rule of an item that names a person: also not of a person in whom the actor has declared an interest."""

    def narrowed(item: Any, terms: Terms) -> Expression:
        allowed = or_(item.person_id.is_(None), item.person_id.not_in(my_excluded_people(terms)))
        return and_(named("person_item_not_excluded", allowed), rule(item, terms))

    return narrowed


def read_grant(grant: Any, terms: Terms) -> Expression:
    """A grant is read by those who lead the record and, as far as they are cleared, by the organisation it is made to."""
    received = and_(
        or_(
            named("grant_row_recipient", grant.to_organisation_id == terms.organisation_id),
            named("grant_row_colocated", func.coalesce(grant.to_team_id == terms.team_id, sa.false())),
        ),
        named("grant_row_clearance", grant.marking <= terms.clearance),
        not_excluded(grant, grant.record_id, terms, "grant_row"),
    )
    return or_(received, change_record(grant, grant.record_id, terms))


@dataclass(frozen=True)
class Rules:
    """The rule of one guarded class. `add` and `change` None: the application role may not do it at all.

    `opened_by`: columns of which one must stand in a committed event of the reader before a row is given out at all
    (`walls.py`). None for a class that holds who may see what and no content of a record; empty where the rule itself
    asks a class that has such columns.
    """

    read: Rule
    add: Rule | None = None
    change: Rule | None = None
    opened_by: tuple[str, ...] | None = None


GUARDED: dict[type[Any], Rules] = {}


def guard_class(model: type[Any], rules: Rules) -> None:
    """Puts a class behind both walls. Each feature's `policy.py` calls it once, at import."""
    if model in GUARDED:
        raise RuntimeError(f"{model.__name__} is guarded already")
    GUARDED[model] = rules


def item_rules(*, entry: bool = False, names_person: bool = False, changeable: bool = False) -> Rules:
    """Rules of a class that hangs on a record."""
    narrowed: Callable[[Rule], Rule] = about_person if names_person else lambda rule: rule
    change = narrowed(change_item) if changeable else None
    named_there = ("person_id",) if names_person else ()
    return Rules(
        read=narrowed(read_item),
        add=add_entry if entry else add_item,
        change=change,
        opened_by=("record_id", *named_there),
    )


def new_record(row: Any, terms: Terms) -> Expression:
    return and_(
        named("new_partnership", row.partnership_id == terms.partnership_id),
        named("new_owner", row.owner_organisation_id == terms.organisation_id),
        named("new_lead_team", row.lead_team_id == terms.team_id),
    )


def record_rules() -> Rules:
    """Rules of `record` and of the feature rows that share its id. A new one is the actor's own team's."""
    return Rules(
        read=lambda row, terms: read_record(row, row.id, terms),
        add=new_record,
        change=lambda row, terms: change_record(row, row.id, terms),
        opened_by=("id",),
    )
