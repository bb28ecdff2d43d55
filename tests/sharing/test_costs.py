"""A page of sharing takes a fixed number of queries, however many shares, agreements, teams and items there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.access.models import Record
from hub.access.vocabulary import Purpose, Section
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
from tests.conftest import QueryCount
from tests.fixtures.shares import shared
from tests.fixtures.site import Client, Site
from tests.fixtures.turning import copies
from tests.fixtures.world import act_as

PARTS = (Section.SUMMARY, Section.CHRONOLOGY, Section.PEOPLE)
GETS = (
    "/cases/{case}/sharing",
    "/cases/{case}/share",
    "/cases/{case}/sharing/{grant}/change",
    "/cases/{case}/sharing/{grant}/preview",
    "/incidents/{incident}",
    "/incidents/{incident}/sharing",
    "/incidents/{incident}/share",
    "/incidents/{incident}/sharing/{other}/preview",
)
POSTS = (
    ("/cases/{case}/share", "what"),
    ("/cases/{case}/share", "check"),
    ("/cases/{case}/share/preview", ""),
    ("/incidents/{incident}/share", "check"),
)


@pytest.fixture
def ids(site: Site) -> dict[str, str]:
    with site.inside():
        officer = act_as(site.world, "officer")
        incident = log_incident(officer, IncidentForm(IncidentKind.NOISE, "Loud", "2026-03-01")).id
        case = create_case(officer, CaseForm(kind=CaseKind.ASB, title="Noise"), from_incident=incident).id
        db.session.commit()
        grant = shared(site.world, case, sections=PARTS)
        other = shared(site.world, incident, sections=(Section.SUMMARY, Section.PEOPLE))
    return {"case": str(case), "incident": str(incident), "grant": str(grant), "other": str(other)}


def more_of_everything(site: Site, superuser: str, ids: dict[str, str], **to_one: Any) -> None:
    """Shares with two organisations, or with one team or person (`to_team_id`, `to_user_id`); people, entries, users, an
    agreement."""
    world = site.world
    with site.inside():
        for key in ("case", "incident"):
            for to in ["police"] if to_one else ["police", "yjs"]:
                purpose = Purpose.SAFEGUARD_CHILD
                shared(world, UUID(ids[key]), to=to, taken_by=None, purpose=purpose, **to_one)
        officer = act_as(world, "officer")
        for key in ("case", "incident"):
            record = db.session.get_one(Record, UUID(ids[key]))
            for given in ("Wanda", "Bela"):
                add_person(
                    officer, record, role=InvolvementRole.SUBJECT, given_names=given, family_name="Quell"
                )
        for text in ("Once", "Twice"):
            add_entry(officer, UUID(ids["case"]), EntryForm(text))
        db.session.commit()
    user = "jsonb_build_object('id', gen_random_uuid(), 'email', gen_random_uuid() || '@example.org')"
    copies(site, superuser, "app_user", 2, user, f"id = '{world.users['sergeant']}'")
    team = "jsonb_build_object('id', gen_random_uuid(), 'name', gen_random_uuid()::text)"
    copies(site, superuser, "team", 2, team, f"id = '{world.teams['npt']}'")
    key = str(new_id())
    like = world.agreements["sharing"]
    terms = f"jsonb_build_object('id', '{key}', 'reference', 'NBC-ISA-' || upper(right('{key}', 6)))"
    copies(site, superuser, "agreement", 1, terms, f"id = '{like}'")
    for table in ("agreement_party", "agreement_purpose"):
        site.sql(
            superuser,
            f"INSERT INTO {table} SELECT (jsonb_populate_record(old, jsonb_build_object('agreement_id', '{key}'))).*"
            f" FROM {table} old WHERE agreement_id = :like",
            like=like,
        )


def typed(site: Site, wanted: str) -> dict[str, Any]:
    return {
        "to": f"organisation:{site.world.organisations['police']}",
        "purpose": f"safeguard_child:{site.world.agreements['sharing']}",
        "sections": [one.value for one in PARTS],
        "reason": "The patrol needs to know",
        "ends-day": "1",
        "ends-month": "1",
        "ends-year": "2027",
        "go": wanted,
    }


@pytest.mark.parametrize("address", GETS)
def test_looking_costs_no_more_with_more_rows(
    site: Site, database: SimpleNamespace, ids: dict[str, str], count_queries: QueryCount, address: str
) -> None:
    client, path = site.as_user("officer"), address.format(**ids)
    more_of_everything(site, database.superuser, ids, to_user_id=site.world.users["sergeant"])
    for _ in range(2):
        assert client.get(path).status_code == 200
    with count_queries() as few:
        client.get(path)
    more_of_everything(site, database.superuser, ids)
    more_of_everything(site, database.superuser, ids, to_team_id=site.world.teams["npt_east"])
    with count_queries() as many:
        assert client.get(path).status_code == 200
    assert many.count == few.count


@pytest.mark.parametrize(("address", "wanted"), POSTS)
def test_a_step_costs_no_more_with_more_rows(
    site: Site,
    database: SimpleNamespace,
    ids: dict[str, str],
    count_queries: QueryCount,
    address: str,
    wanted: str,
) -> None:
    client, path = site.as_user("officer"), address.format(**ids)
    form = typed(site, wanted)
    more_of_everything(site, database.superuser, ids, to_user_id=site.world.users["sergeant"])

    def send(client: Client) -> int:
        return client.post(path, form).status_code

    for _ in range(2):
        assert send(client) == 200
    with count_queries() as few:
        send(client)
    more_of_everything(site, database.superuser, ids, to_team_id=site.world.teams["npt_east"])
    with count_queries() as many:
        assert send(client) == 200
    assert many.count == few.count
