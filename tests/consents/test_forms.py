"""A consent as it is typed: what is missing, and what a child's, a parent's or an attorney's asks for."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from hub.consents.forms import parse_consent
from hub.consents.policy import may_be_child
from hub.consents.vocabulary import ConsentHow, GivenBy
from hub.core.errors import Invalid

HOW = ConsentHow.PHONE


TYPED = {
    "person": str(UUID(int=1)),
    "purpose": "prevent_crime",
    "to_organisation": str(UUID(int=2)),
    "given_on-day": "",
    "given_on-month": "3",
    "given_on-year": "2026",
    "given_by": "person",
    "given_how": "form",
    "told": "Privacy notice of January 2026",
}


def errors_of(child: bool | None = None, **changes: str) -> set[str]:
    with pytest.raises(Invalid) as wrong:
        parse_consent({**TYPED, **changes}, child=child)
    return set(wrong.value.errors)


def test_the_form_tells_all_that_is_missing_at_once() -> None:
    with pytest.raises(Invalid) as wrong:
        parse_consent({})
    assert set(wrong.value.errors) == {
        "person", "purpose", "to_organisation", "given_on", "given_by", "given_how", "told",
    }  # fmt: skip
    assert parse_consent(TYPED).given_on == "2026-03"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"given_on-year": "2999"}, "given_on"),
        ({"given_on-month": "13"}, "given_on"),
        ({"purpose": "fishing"}, "purpose"),
        ({"given_by": "neighbour"}, "given_by"),
        ({"told": " "}, "told"),
        ({"told": "x" * 20_001}, "told"),
        ({"to_organisation": "police"}, "to_organisation"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(changes: dict[str, str], field: str) -> None:
    assert errors_of(None, **changes) == {field}


def test_a_child_s_consent_asks_for_understanding_and_the_child_s_own_view() -> None:
    assert errors_of(child=True) == {"capacity", "person_view"}
    assert errors_of(child=True, given_by="parent") == {"person_view"}
    form = parse_consent({**TYPED, "capacity": "Explained it back", "person_view": "Wants it"}, child=True)
    assert form.capacity == "Explained it back"


def test_for_an_adult_no_parent_consents_and_an_attorney_says_by_which_power() -> None:
    assert errors_of(child=False, given_by="parent") == {"given_by"}
    assert errors_of(child=False, given_by="attorney") == {"capacity"}
    # nothing on file: the form asks, and believes
    assert parse_consent({**TYPED, "given_by": "parent"}, child=None).given_by is GivenBy.PARENT


@pytest.mark.parametrize(
    ("born", "child"),
    [
        ("2008-11-21", False),
        ("2008-11-22", True),
        ("2008-11", True),
        ("2008", True),
        ("2007", False),
        ("2008-02-29", False),
        ("", None),
        (None, None),
    ],
)
def test_who_may_be_a_child(born: str | None, child: bool | None) -> None:
    assert may_be_child(born, date(2026, 11, 21)) is child
