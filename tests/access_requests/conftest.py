"""What the tests of asking start from: a case of the council that partners may know of, with a suspect and a victim."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.access.vocabulary import Section
from hub.access_requests.actions import make_request
from hub.access_requests.forms import AskForm
from hub.access_requests.vocabulary import Urgency
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

SUSPECT, VICTIM = ("Devon", "Marchbanks"), ("Philippa", "Rosegarden")
ASKED = {
    "sought": "Devon Marchbanks",
    "urgency": Urgency.WITHIN_24_HOURS.value,
    "wanted": "Whether he has been aggressive to staff",
    "reason": "Officers call at his address tomorrow",
}


def known_case(world: World, kind: CaseKind = CaseKind.ASB, **form: Any) -> Case:
    """A case of the council with a suspect and a victim; committed."""
    officer = act_as(world, "officer")
    case = create_case(officer, CaseForm(kind=kind, title="Noise, Harbour", **form))
    for role, (given, family) in (
        (InvolvementRole.SUSPECT, SUSPECT),
        (InvolvementRole.VICTIM, VICTIM),
    ):
        add_person(officer, case, role=role, given_names=given, family_name=family)
    db.session.commit()
    return case


def ask_form(**changes: Any) -> AskForm:
    return AskForm(**{**ASKED, "urgency": Urgency.WITHIN_24_HOURS, **changes})


def asked(world: World, **changes: Any) -> UUID:
    """A request of the police's sergeant to the council, committed."""
    sergeant = act_as(world, "sergeant")
    made = make_request(sergeant, world.organisations["council"], ask_form(**changes))
    db.session.commit()
    return made.id


def answer_values(record_id: UUID, *sections: Section, **changes: Any) -> dict[str, Any]:
    """An answer as the page would send it."""
    return {
        "state": "supplied",
        "answer": "",
        "reason": "They need it to work safely",
        f"sections-{record_id}": [one.value for one in sections],
        "ends-day": "1",
        "ends-month": "3",
        "ends-year": "2027",
        "max_marking": "0",
        **changes,
    }


@pytest.fixture
def placed(site: Site, database: SimpleNamespace, world: World) -> SimpleNamespace:
    """A site that holds the known case."""
    with site.inside():
        case = known_case(world)
        reference = case.reference
        case_id = case.id
    return SimpleNamespace(site=site, case_id=case_id, reference=reference, superuser=database.superuser)
