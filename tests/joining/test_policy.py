"""How an account stands, day by day: pure reckoning, and the same in the database."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.accounts.models import User
from hub.core.errors import Invalid
from hub.extensions import db
from hub.joining.forms import NOTHING_KNOWN, ConditionsForm, parse_last_day, read_conditions
from hub.joining.policy import ConditionState, Rules, conditions_of, months_later, needs_attention, takes_in
from hub.settings.vetting import VETTING_LABELS, Vetting
from tests.fixtures.site import Site

TODAY = date(2026, 11, 29)
S = ConditionState


def user(**more: object) -> User:
    return User(**more)


def after(days: int) -> date:
    return TODAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("trained_on", "state"),
    [
        (None, S.MISSING),
        (date(2025, 11, 28), S.RAN_OUT),
        (date(2025, 11, 29), S.RUNS_OUT),
        (date(2025, 12, 29), S.RUNS_OUT),
        (date(2025, 12, 30), S.IN_ORDER),
        (TODAY, S.IN_ORDER),
    ],
)
def test_training_holds_for_twelve_months_and_is_warned_of_thirty_days_before(
    trained_on: date | None, state: ConditionState
) -> None:
    assert conditions_of(user(trained_on=trained_on), TODAY).training.state is state


@pytest.mark.parametrize(
    ("vetting", "until", "state"),
    [
        (None, None, S.MISSING),
        ("none", None, S.IN_ORDER),
        ("sc", after(-1), S.RAN_OUT),
        ("sc", TODAY, S.RUNS_OUT),
        ("sc", after(30), S.RUNS_OUT),
        ("sc", after(31), S.IN_ORDER),
    ],
)
def test_vetting_holds_through_its_last_day(
    vetting: str | None, until: date | None, state: ConditionState
) -> None:
    stands = conditions_of(user(vetting=vetting, vetting_expires_on=until), TODAY).vetting
    assert stands.state is state


def test_the_last_day_is_warned_of_fourteen_days_before() -> None:
    states = {
        days: conditions_of(user(access_ends_on=after(days)), TODAY).access.state for days in (-1, 0, 14, 15)
    }
    assert states == {-1: S.RAN_OUT, 0: S.RUNS_OUT, 14: S.RUNS_OUT, 15: S.IN_ORDER}


def test_what_a_partnership_asks_for_is_compared_by_what_each_level_takes_in() -> None:
    rules = Rules(training_months=6, vetting_minimum=Vetting.NPPV2_ABBREVIATED)
    for level, enough in (
        (Vetting.NPPV3, True),
        (Vetting.MANAGEMENT, True),
        (Vetting.NPPV2_ABBREVIATED, True),
        (Vetting.BPSS, False),
        (Vetting.DBS_ENHANCED, False),
        (Vetting.SC, False),
    ):
        one = user(vetting=level.value, vetting_expires_on=after(100), trained_on=after(-200))
        stands = conditions_of(one, TODAY, rules)
        assert (stands.vetting.state is S.IN_ORDER) is enough, level
        assert stands.vetting.state in (S.IN_ORDER, S.TOO_LOW)
        assert stands.training.state is S.RAN_OUT
    assert set(VETTING_LABELS) == set(Vetting)
    assert all(Vetting.NONE in takes_in(level) for level in Vetting)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 60))
def test_months_later_is_the_same_day_or_the_months_last(day: date, months: int) -> None:
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


def test_the_database_finds_whom_the_page_marks(site: Site, database: SimpleNamespace) -> None:
    """Over days around every edge, a leap day among them, under two rules."""
    days = [None, date(2024, 2, 29), date(2025, 2, 28)]
    days += [date(2025, 11, 29) + timedelta(days=one) for one in (-2, -1, 0, 1, 29, 30, 31, 32, 200)]
    users = list(site.world.users.values())
    with site.inside():
        enter(db.session(), NOBODY)
        for day in days:
            for vetting, until in ((None, None), ("none", None), ("bpss", after(30)), ("sc", after(31))):
                for ends in (None, after(14), after(15)):
                    row = db.session.get_one(User, users[0])
                    row.trained_on, row.vetting, row.vetting_expires_on = day, vetting, until
                    row.access_ends_on = ends
                    db.session.flush()
                    for today in (TODAY, date(2025, 3, 1), date(2025, 1, 29)):
                        for rules in (Rules(), Rules(6, Vetting.CTC)):
                            found = db.session.scalar(
                                sa.select(User.id).where(User.id == row.id, needs_attention(today, rules))
                            )
                            marked = conditions_of(row, today, rules).needs_attention
                            assert (found is not None) is marked, (day, vetting, until, ends, today, rules)


BOXES = {"trained": after(-10), "vetted": after(10), "ends": after(20)}


def typed(**changes: object) -> dict[str, str]:
    values: dict[str, str] = {"vetting": str(changes.pop("vetting", "sc"))}
    for name, day in {**BOXES, **changes}.items():
        for part in ("day", "month", "year"):
            values[f"{name}-{part}"] = str(getattr(day, part)) if isinstance(day, date) else ""
    return values


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trained": after(1)}, "trained"),
        ({"trained": date(2025, 11, 28)}, "trained"),
        ({"vetting": "topsecret"}, "vetting"),
        ({"vetting": ""}, "vetting"),
        ({"vetting": "none"}, "vetted"),
        ({"vetted": None}, "vetted"),
        ({"vetted": after(-1)}, "vetted"),
        ({"ends": TODAY}, "ends"),
    ],
)
def test_what_an_organisation_must_give_is_asked_for_beside_its_field(
    changes: dict[str, object], field: str
) -> None:
    errors: dict[str, str] = {}
    read_conditions(typed(**changes), errors, today=TODAY, rules=Rules())
    assert set(errors) == {field}


def test_what_is_right_and_what_is_not_known_yet_is_taken() -> None:
    errors: dict[str, str] = {}
    found = read_conditions(typed(), errors, today=TODAY, rules=Rules())
    assert found == ConditionsForm(after(-10), Vetting.SC, after(10), after(20)) and not errors
    assert read_conditions({}, errors, today=TODAY, rules=Rules()) == NOTHING_KNOWN and not errors
    # half a date is no date; and the whole of it is said beside its field
    read_conditions({"trained-month": "3", "trained-year": "2026"}, errors, today=TODAY, rules=Rules())
    assert "day" in errors["trained"]


def test_what_ran_out_meanwhile_is_not_asked_about_again_where_it_is_left_as_it_was() -> None:
    had = ConditionsForm(date(2024, 1, 1), Vetting.SC, date(2025, 1, 1), date(2026, 1, 1))
    given = typed(trained=had.trained_on, vetted=had.vetting_expires_on, ends=had.access_ends_on)
    errors: dict[str, str] = {}
    assert read_conditions(given, errors, today=TODAY, rules=Rules(), had=had) == had and not errors
    read_conditions({**given, "vetting": "ctc"}, errors, today=TODAY, rules=Rules(), had=had)
    assert set(errors) == {"vetted"}


def test_a_new_last_day_is_today_or_later() -> None:
    assert parse_last_day(typed(ends=TODAY), today=TODAY) == TODAY
    for wrong in (typed(ends=after(-1)), {}, {"ends-day": "31", "ends-month": "2", "ends-year": "2027"}):
        with pytest.raises(Invalid) as refused:
            parse_last_day(wrong, today=TODAY)
        assert set(refused.value.errors) == {"ends"}
