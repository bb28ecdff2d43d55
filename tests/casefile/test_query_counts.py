"""A page takes a fixed number of queries whatever its rows (DESIGN section 7)."""

from __future__ import annotations

from uuid import UUID

import pytest

from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.places.forms import PlaceForm
from hub.places.vocabulary import PlaceKind
from hub.sharing.actions import answer_share, share_record
from tests.conftest import QueryCount
from tests.fixtures.shares import share_form
from tests.fixtures.site import Site
from tests.fixtures.world import act_as

PAGES = (
    ("officer", "/"),
    ("officer", "/cases"),
    ("officer", "/incidents"),
    ("officer", "/people"),
    ("officer", "/search?q=Quell"),
    ("sergeant", "/shared"),
    ("sergeant", "/cases"),
    ("officer", "/cases/{case}"),
    ("officer", "/cases/{case}/log"),
    ("officer", "/cases/{case}/people"),
    ("officer", "/cases/{case}/sharing"),
    ("officer", "/cases/{case}/files"),
    ("officer", "/incidents/{incident}"),
)


def _a_case_more(site: Site) -> dict[str, str]:
    """A case from an incident with a place, two people and an entry, shared with the neighbourhood team."""
    with site.inside():
        officer = act_as(site.world, "officer")
        place = PlaceForm(PlaceKind.ADDRESS, "1 Rope Walk", "Rope Walk", "Northbrook", "Harbour")
        form = IncidentForm(IncidentKind.NOISE, "Loud again", "2026-03-01", place=place)
        incident = log_incident(officer, form)
        case = create_case(
            officer, CaseForm(kind=CaseKind.ASB, title="Noise, Harbour"), from_incident=incident.id
        )
        for given in ("Wanda", "Bela"):
            add_person(officer, case, role=InvolvementRole.WITNESS, given_names=given, family_name="Quell")
        add_entry(officer, case.id, EntryForm("Heard it too"))
        grant = share_record(officer, case.id, share_form(site.world))
        db.session.commit()
        answer_share(act_as(site.world, "sergeant"), grant.id, accept=True)
        db.session.commit()
        return {"case": str(case.id), "incident": str(incident.id)}


@pytest.mark.parametrize(("reader", "address"), PAGES)
def test_rows_cost_no_queries(site: Site, count_queries: QueryCount, reader: str, address: str) -> None:
    ids = _a_case_more(site)
    client = site.as_user(reader)
    path = address.format(**ids)
    for _ in range(2):
        assert client.get(path).status_code == 200
    with count_queries() as few:
        client.get(path)
    for _ in range(3):
        _a_case_more(site)
    with site.inside():
        officer = act_as(site.world, "officer")
        for text in ("Once more", "And again", "And again"):
            add_entry(officer, UUID(ids["case"]), EntryForm(text))
        db.session.commit()
    with count_queries() as many:
        assert client.get(path).status_code == 200
    assert many.count == few.count
