"""How an account stands with training, vetting and its last day; what needs attention; whether it stops a session.

What a partnership asks for is one value, `Rules`; everything here takes it from `rules_of`.
"""

from __future__ import annotations

import calendar
import enum
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Role
from hub.accounts.closing import has_ended
from hub.accounts.models import RoleHolding, Team, User
from hub.accounts.queries import administrators_of, is_person
from hub.accounts.vocabulary import DisabledWhy
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid
from hub.extensions import db
from hub.settings.catalogue import CONDITIONS_REFUSE, NO_MINIMUM, TRAINING_MONTHS, VETTING_MINIMUM
from hub.settings.values import values_of
from hub.settings.vetting import Vetting
from hub.web.filters import format_date

WARN_BEFORE = timedelta(days=30)
WARN_BEFORE_END = timedelta(days=14)
# an account that a directory opens again after a longer time keeps no role
ROLES_OUTLAST = timedelta(days=30)

# What each level takes in, as the checks behind it do: these are three ladders, and no single one.
_TAKES_IN: dict[Vetting, tuple[Vetting, ...]] = {
    Vetting.NONE: (),
    Vetting.DBS_BASIC: (Vetting.NONE,),
    Vetting.DBS_STANDARD: (Vetting.DBS_BASIC,),
    Vetting.DBS_ENHANCED: (Vetting.DBS_STANDARD,),
    Vetting.BPSS: (Vetting.DBS_BASIC,),
    Vetting.CTC: (Vetting.BPSS,),
    Vetting.SC: (Vetting.CTC,),
    Vetting.NPPV2_ABBREVIATED: (Vetting.BPSS,),
    Vetting.NPPV2_FULL: (Vetting.NPPV2_ABBREVIATED,),
    Vetting.NPPV3: (Vetting.NPPV2_FULL,),
    Vetting.RECRUITMENT: (Vetting.NPPV3,),
    Vetting.MANAGEMENT: (Vetting.RECRUITMENT,),
}


@dataclass(frozen=True)
class Rules:
    """What a partnership asks of its users. `refuses`: without it no session begins, but an administrator's."""

    training_months: int = 12
    vetting_minimum: Vetting | None = None
    refuses: bool = False


def rules_of(partnership_id: UUID) -> Rules:
    """What holds in a partnership now, as it has set it. One query."""
    values = values_of(partnership_id, TRAINING_MONTHS, VETTING_MINIMUM, CONDITIONS_REFUSE)
    least = values[VETTING_MINIMUM]
    return Rules(
        training_months=values[TRAINING_MONTHS],
        vetting_minimum=None if least == NO_MINIMUM else Vetting(least),
        refuses=values[CONDITIONS_REFUSE],
    )


class ConditionState(enum.StrEnum):
    MISSING = "missing"
    IN_ORDER = "in_order"
    RUNS_OUT = "runs_out"
    RAN_OUT = "ran_out"
    TOO_LOW = "too_low"


BROKEN = frozenset({ConditionState.MISSING, ConditionState.RAN_OUT, ConditionState.TOO_LOW})


@dataclass(frozen=True)
class Condition:
    """How one of them stands. `until` is the last day on which it holds, where there is one."""

    state: ConditionState
    until: date | None = None

    @property
    def is_broken(self) -> bool:
        return self.state in BROKEN

    @property
    def needs_attention(self) -> bool:
        return self.state is not ConditionState.IN_ORDER

    @property
    def in_words(self) -> str:
        match self.state:
            case ConditionState.MISSING:
                return "Missing"
            case ConditionState.RUNS_OUT:
                return f"Runs out on {format_date(self.until)}"
            case ConditionState.RAN_OUT:
                return f"Ran out on {format_date(self.until)}"
            case ConditionState.TOO_LOW:
                return "Lower than the partnership asks for"
        return f"In order until {format_date(self.until)}" if self.until else "In order"


@dataclass(frozen=True)
class Conditions:
    training: Condition
    vetting: Condition
    # the last day with access; in order without one
    access: Condition

    @property
    def needs_attention(self) -> bool:
        return any(one.needs_attention for one in (self.training, self.vetting, self.access))

    @property
    def in_words(self) -> str:
        """What needs attention, in a few words; empty where nothing does."""
        named = (("Training", self.training), ("Vetting", self.vetting), ("Access", self.access))
        return "; ".join(f"{name} {_inside(one.in_words)}" for name, one in named if one.needs_attention)


def _inside(words: str) -> str:
    """As it stands within a sentence."""
    return words[:1].lower() + words[1:]


def conditions_of(user: User, today: date, rules: Rules | None = None) -> Conditions:
    """How a user stands on a day; under the defaults where no rules are given."""
    rules = rules or Rules()
    trained_until = months_later(user.trained_on, rules.training_months) if user.trained_on else None
    training = (
        _until(trained_until, today, WARN_BEFORE) if trained_until else Condition(ConditionState.MISSING)
    )
    access = (
        _until(user.access_ends_on, today, WARN_BEFORE_END)
        if user.access_ends_on
        else Condition(ConditionState.IN_ORDER)
    )
    return Conditions(training, _vetting(user, today, rules), access)


def _vetting(user: User, today: date, rules: Rules) -> Condition:
    if user.vetting is None:
        return Condition(ConditionState.MISSING)
    if rules.vetting_minimum and rules.vetting_minimum not in takes_in(Vetting(user.vetting)):
        return Condition(ConditionState.TOO_LOW, user.vetting_expires_on)
    if user.vetting_expires_on is None:
        return Condition(ConditionState.IN_ORDER)
    return _until(user.vetting_expires_on, today, WARN_BEFORE)


def _until(last_day: date, today: date, warn_before: timedelta) -> Condition:
    if last_day < today:
        return Condition(ConditionState.RAN_OUT, last_day)
    soon = last_day <= today + warn_before
    return Condition(ConditionState.RUNS_OUT if soon else ConditionState.IN_ORDER, last_day)


def takes_in(level: Vetting) -> frozenset[Vetting]:
    """The level itself and all that it takes in."""
    return frozenset({level}).union(*(takes_in(one) for one in _TAKES_IN[level]))


def months_later(day: date, months: int) -> date:
    """The same day so many months on; the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def needs_attention(today: date, rules: Rules) -> sa.ColumnElement[bool]:
    """`Conditions.needs_attention` of each user as the database reads it; of open accounts of people only."""
    soon = today + WARN_BEFORE
    trained_until = sa.cast(User.trained_on + sa.func.make_interval(0, rules.training_months), sa.Date)
    low = [
        level.value
        for level in Vetting
        if rules.vetting_minimum and rules.vetting_minimum not in takes_in(level)
    ]
    return sa.and_(
        User.disabled_at.is_(None),
        is_person(),
        sa.or_(
            User.trained_on.is_(None),
            trained_until <= soon,
            User.vetting.is_(None),
            User.vetting_expires_on <= soon,
            User.vetting.in_(low),
            User.access_ends_on <= today + WARN_BEFORE_END,
        ),
    )


RENEW_TRAINING = "Do the courses in data protection, safeguarding and this system, and ask your administrator to record them."
RENEW_VETTING = "Ask your employer’s vetting officer to renew it, and your administrator to record it."


def check_may_begin(user: User, team: Team, _device_bound: bool) -> None:
    """`Denied` where the partnership asks for training and vetting in order, and they are not. Never for an administrator:
    somebody must be able to mend it."""
    rules = rules_of(team.partnership_id)
    if not rules.refuses:
        return
    standing = conditions_of(user, clock.today(), rules)
    refusal = _refusal("training", standing.training) or _refusal("vetting", standing.vetting)
    if refusal is not None and not _administers(user.id, team.partnership_id):
        raise refusal


def _refusal(what: str, standing: Condition) -> Denied | None:
    if not standing.is_broken:
        return None
    happened = {
        ConditionState.MISSING: f"Your {what} is not recorded.",
        ConditionState.TOO_LOW: f"Your {what} is lower than your partnership asks for.",
        ConditionState.RAN_OUT: f"Your {what} ran out on {format_date(standing.until)}.",
    }[standing.state]
    renew = RENEW_TRAINING if what == "training" else RENEW_VETTING
    return Denied(f"{what}_{standing.state.value}", f"{happened} {renew}")


def _administers(user_id: UUID, partnership_id: UUID) -> bool:
    held = sa.select(RoleHolding.role).where(
        RoleHolding.user_id == user_id,
        RoleHolding.partnership_id == partnership_id,
        RoleHolding.role == Role.ADMINISTRATOR.value,
        sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
    )
    return db.session.scalar(held.limit(1)) is not None


def check_may_change(actor: Actor, user: User) -> None:
    """`Conflict` for a closed account, and for one's own unless there is no other administrator: nobody vouches for
    themselves where somebody else can."""
    if user.disabled_at is not None:
        raise Conflict("closed_already", "This account is closed.")
    if user.id == actor.user_id and _other_administrators(actor):
        raise Conflict("own_details", "Another administrator changes your details.")


def check_may_end(actor: Actor, user: User, last_day: date | None) -> None:
    """`Invalid` for the last day of an administrator with whom the last one would go."""
    if last_day is None or user.id not in set(db.session.scalars(administrators_of([actor.organisation_id]))):
        return
    staying = sa.select(User.id).where(
        User.id.in_(administrators_of([actor.organisation_id])),
        User.id != user.id,
        sa.or_(User.access_ends_on.is_(None), User.access_ends_on > last_day),
    )
    if db.session.scalar(staying.limit(1)) is None:
        raise Invalid(
            "last_administrator",
            errors={
                "ends": "Nobody would be left to look after accounts. Give another person the administrator’s role first"
            },
        )


def check_may_reopen(_actor: Actor, user: User) -> None:
    """`Conflict` for any account but one whose last day has passed."""
    ended = user.disabled_why == DisabledWhy.ENDED or (
        user.disabled_at is None and has_ended(user.access_ends_on)
    )
    if not ended:
        raise Conflict("not_ended", "This account was not closed by its last day, so it is not opened here.")


def _other_administrators(actor: Actor) -> bool:
    others = set(db.session.scalars(administrators_of([actor.organisation_id]))) - {actor.user_id}
    return bool(others)
