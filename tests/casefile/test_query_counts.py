"""A page takes a fixed number of queries whatever its rows (DESIGN section 7)."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID

import pytest

from hub.access.vocabulary import Section
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.core.ids import new_id
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.places.forms import PlaceForm
from hub.places.vocabulary import PlaceKind
from hub.sharing.actions import answer_share, revoke_share, share_record
from tests.conftest import QueryCount
from tests.fixtures.shares import led_case, share_form, shared
from tests.fixtures.site import Site
from tests.fixtures.turning import copies
from tests.fixtures.world import act_as

PAGES = (
    ("officer", "/"),
    ("officer", "/cases"),
    ("officer", "/incidents"),
    ("officer", "/people"),
    ("officer", "/search?q=Quell"),
    ("sergeant", "/shared"),
    ("sergeant", "/shared?show=waiting"),
    ("sergeant", "/shared?show=ended"),
    ("sergeant", "/shared?show=contributed"),
    ("officer", "/work/news"),
    ("officer", "/work/incidents"),
    ("officer", "/agreements"),
    ("officer", "/notifications/mail"),
    ("spoc", "/admin/users"),
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


def _more_of_every_list(site: Site, superuser: str) -> None:
    """What stands in the other lists: a share that waits, one that has ended with an entry of its own, something new on
    a case of the officer's, an incident without a case, a user and an agreement."""
    with site.inside():
        officer = act_as(site.world, "officer")
        log_incident(officer, IncidentForm(IncidentKind.NOISE, "Loud elsewhere", "2026-03-01"))
        db.session.commit()
        shared(site.world, led_case(officer), taken_by=None)
        case = led_case(act_as(site.world, "officer"))
        sections = (Section.SUMMARY, Section.CHRONOLOGY)
        grant = shared(site.world, case, sections=sections, may_contribute=True)
        add_entry(act_as(site.world, "sergeant"), case, EntryForm("Patrolled"))
        db.session.commit()
        revoke_share(act_as(site.world, "officer"), grant, reason="Solved")
        db.session.commit()
    copies(
        site,
        superuser,
        "app_user",
        1,
        "jsonb_build_object('id', gen_random_uuid(), 'email', gen_random_uuid() || '@example.org')",
        f"id = '{site.world.users['officer']}'",
    )
    key = str(new_id())
    copies(
        site, superuser, "agreement", 1,
        f"jsonb_build_object('id', '{key}', 'reference', 'NBC-ISA-' || upper(right('{key}', 6)))",
        f"id = '{site.world.agreements['sharing']}'",
    )  # fmt: skip
    site.sql(
        superuser,
        f"INSERT INTO agreement_party SELECT (jsonb_populate_record(old, jsonb_build_object('agreement_id', '{key}'))).*"
        " FROM agreement_party old WHERE agreement_id = :like",
        like=site.world.agreements["sharing"],
    )


@pytest.mark.parametrize(("reader", "address"), PAGES)
def test_rows_cost_no_queries(
    site: Site,
    database: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    count_queries: QueryCount,
    reader: str,
    address: str,
) -> None:
    settings = replace(site.app.config["HUB_SETTINGS"], demo=True)
    monkeypatch.setitem(site.app.config, "HUB_SETTINGS", settings)
    ids = _a_case_more(site)
    _more_of_every_list(site, database.superuser)
    client = site.as_user(reader)
    path = address.format(**ids)
    for _ in range(2):
        assert client.get(path).status_code == 200
    with count_queries() as few:
        client.get(path)
    for _ in range(3):
        _a_case_more(site)
        _more_of_every_list(site, database.superuser)
    with site.inside():
        officer = act_as(site.world, "officer")
        for text in ("Once more", "And again", "And again"):
            add_entry(officer, UUID(ids["case"]), EntryForm(text))
        db.session.commit()
    with count_queries() as many:
        assert client.get(path).status_code == 200
    assert many.count == few.count
