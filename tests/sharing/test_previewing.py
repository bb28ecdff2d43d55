"""A preview shows what the recipient then really sees, nothing that the sharer may not, and leaves nothing behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.access.models import Grant
from hub.access.vocabulary import Audience, Marking, Purpose, Section
from hub.attachments.actions import attach
from hub.attachments.vocabulary import DocumentKind
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.core import clock
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.places.forms import PlaceForm
from hub.places.vocabulary import PlaceKind
from hub.sharing.actions import answer_share, revoke_share
from hub.vehicles.actions import add_vehicle
from hub.vehicles.vocabulary import VehicleKind
from tests.conftest import settings_for
from tests.fixtures.applications import application_for
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Client, Site
from tests.fixtures.store import Bucket, bucket, object_store_server
from tests.fixtures.world import World, act_as

__all__ = ["bucket", "object_store_server"]

SENSITIVE = Marking.OFFICIAL_SENSITIVE
# every item of the case has a word of its own, so that a page tells which it shows
MARKERS = re.compile(r"Marker[A-Z][a-z]+")


@pytest.fixture
def stored(database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket) -> Iterator[Site]:
    """The site on a real object store, so that files are files."""
    app = application_for(settings_for(database.app, root_key_file, demo=True, **bucket.settings()))
    yield Site(app, world)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def full(stored: Site) -> dict[str, UUID]:
    """A case of the council with something in every part that pages have, of both markings and several audiences."""
    world = stored.world
    with stored.inside():
        officer = act_as(world, "officer")
        place = PlaceForm(PlaceKind.ADDRESS, "MarkerPlaceincident", "", "Northbrook", "Harbour")
        incident = log_incident(
            officer, IncidentForm(IncidentKind.NOISE, "MarkerIncident", "2026-03-01", place=place)
        )
        summary = CaseForm(kind=CaseKind.ASB, title="MarkerTitle", summary="MarkerSummary")
        case = create_case(officer, summary, from_incident=incident.id)
        for role, marker, marking in (
            (InvolvementRole.SUBJECT, "MarkerSubject", Marking.OFFICIAL),
            (InvolvementRole.SUBJECT, "MarkerSubjectsensitive", SENSITIVE),
            (InvolvementRole.VICTIM, "MarkerVictim", Marking.OFFICIAL),
        ):
            add_person(officer, case, role=role, given_names="Wanda", family_name=marker, marking=marking)
        add_vehicle(officer, case, kind=VehicleKind.CAR, make="MarkerVehicle")
        for text, marking, audience in (
            ("MarkerEntry", Marking.OFFICIAL, None),
            ("MarkerEntrysensitive", SENSITIVE, None),
            ("MarkerEntryvictimsafe", Marking.OFFICIAL, Audience.VICTIM_SAFE),
        ):
            add_entry(officer, case.id, EntryForm(text, marking=marking, audience=audience))
        db.session.commit()
        manager = act_as(world, "manager")
        add_entry(manager, case.id, EntryForm("MarkerSupervisor", audience=Audience.SUPERVISOR_ONLY))
        db.session.commit()
        ids = {"case": case.id, "incident": incident.id}
    for name, marking in (("MarkerFile", Marking.OFFICIAL), ("MarkerFilesensitive", SENSITIVE)):
        with stored.inside():
            attach(
                act_as(world, "officer"),
                ids["case"],
                name=f"{name}.txt",
                kind=DocumentKind.OTHER,
                description="",
                media_type="text/plain",
                blocks=iter([b"words"]),
                marking=marking,
            )
            db.session.commit()
    return ids


def filled(world: World, to: str, sections: tuple[Section, ...], **changes: Any) -> dict[str, Any]:
    until = clock.now() + timedelta(days=20)
    return {
        "to": to,
        "purpose": "prevent_crime",
        "sections": [one.value for one in (Section.SUMMARY, *sections)],
        "reason": "The patrol needs to know where it happens",
        "max_marking": "0",
        "ends-day": str(until.day),
        "ends-month": str(until.month),
        "ends-year": str(until.year),
        **changes,
    }


def markers(page: str) -> set[str]:
    return set(MARKERS.findall(page))


def really_seen(reader: Client, case: UUID) -> set[str]:
    """What the recipient's own pages show: the summary, the log, the people and places, the files."""
    found: set[str] = set()
    for part in ("", "/log", "/people", "/files"):
        answer = reader.get(f"/cases/{case}{part}")
        assert answer.status_code in (200, 404)
        found |= markers(answer.get_data(as_text=True)) if answer.status_code == 200 else set()
    return found


def share_and_accept(site: Site, case: UUID, form: dict[str, Any], reader: str, purpose: Purpose) -> None:
    assert site.as_user("officer").post(f"/cases/{case}/share/send", form).status_code == 303
    with site.inside():
        them = act_as(site.world, reader, purpose=purpose)
        for grant in db.session.query(Grant.id).all():
            answer_share(them, grant.id, accept=True)
        db.session.commit()


EVERYTHING = tuple(one for one in Section if one is not Section.SUMMARY)
LOG, PEOPLE = {"Entry", "Entryvictimsafe"}, {"Subject", "Vehicle", "Placeincident"}
ALL = LOG | PEOPLE | {"Victim", "File"}
# recipient, parts, what else is chosen, and what is seen besides the title and the summary
FORMS: dict[str, tuple[str, tuple[Section, ...], dict[str, Any], set[str]]] = {
    "the summary alone": ("organisation:police", (), {}, set()),
    "the log": ("organisation:police", (Section.CHRONOLOGY,), {}, LOG),
    "people without victims": ("organisation:police", (Section.PEOPLE,), {}, PEOPLE),
    "victims": ("organisation:police", (Section.VICTIM,), {}, {"Victim"}),
    "files": ("team:police:npt", (Section.FILES,), {}, {"File"}),
    "all, up to official": ("team:police:npt", EVERYTHING, {}, ALL),
    "all, sensitive too": (
        "organisation:police",
        EVERYTHING,
        {"max_marking": "1"},
        ALL | {"Entrysensitive", "Subjectsensitive", "Filesensitive"},
    ),
    "one person": ("user:police:sergeant", (Section.FILES,), {"max_marking": "1"}, {"File", "Filesensitive"}),
    "another purpose": ("organisation:police", (Section.CHRONOLOGY,), {"purpose": "safeguard_child"}, LOG),
    "with its incident": (
        "organisation:police",
        (Section.PEOPLE,),
        {"also": ["incident"]},
        PEOPLE,
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_preview_shows_what_the_recipient_then_really_sees(
    stored: Site, full: dict[str, UUID], name: str
) -> None:
    to, sections, changes, expected = FORMS[name]
    world = stored.world
    named = {"police": world.organisations["police"], "npt": world.teams["npt"], **world.users}
    to = ":".join(str(named.get(part, part)) for part in to.split(":"))
    if "also" in changes:
        changes = {"also": [str(full["incident"])]}
    form = filled(world, to, sections, **changes)
    officer = stored.as_user("officer")
    answer = officer.post(f"/cases/{full['case']}/share/preview", form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "You see this as Tomasz Nowak" in page
    previewed = markers(page)
    assert ("NBC-IN-" in page) is bool(form.get("also"))
    purpose = Purpose(form["purpose"])
    assert stored.as_user("sergeant", purpose=purpose).get(f"/cases/{full['case']}").status_code == 404
    share_and_accept(stored, full["case"], form, "sergeant", purpose)
    sergeant = stored.as_user("sergeant", purpose=purpose)
    seen = really_seen(sergeant, full["case"])
    real = sergeant.get(f"/cases/{full['case']}").get_data(as_text=True)
    assert ("NBC-IN-" in real) is bool(form.get("also"))
    assert previewed == seen == {f"Marker{word}" for word in {"Title", "Summary", *expected}}
    # and the preview of what is shared now is the same
    with stored.inside():
        act_as(world, "officer")
        grant = db.session.query(Grant.id).filter(Grant.record_id == full["case"]).scalar()
    live = officer.get(f"/cases/{full['case']}/sharing/{grant}/preview").get_data(as_text=True)
    assert markers(live) == seen


def test_a_share_that_waits_is_previewed_as_if_it_were_accepted(stored: Site, full: dict[str, UUID]) -> None:
    with stored.inside():
        grant = shared(stored.world, full["case"], taken_by=None)
    page = stored.as_user("officer").get(f"/cases/{full['case']}/sharing/{grant}/preview")
    assert "MarkerEntry" in markers(page.get_data(as_text=True))
    assert stored.as_user("sergeant").get(f"/cases/{full['case']}").status_code == 404


@pytest.fixture
def case(site: Site, world: World) -> UUID:
    with site.inside():
        return led_case(act_as(world, "officer"), "MarkerTitle")


def preview(site: Site, case: UUID, user: str = "officer", to: str = "police", **changes: Any) -> Any:
    sections = changes.pop("parts", (Section.CHRONOLOGY, Section.PEOPLE))
    form = filled(site.world, f"organisation:{site.world.organisations[to]}", sections, **changes)
    return site.as_user(user).post(f"/cases/{case}/share/preview", form)


def test_nothing_of_a_preview_stays_and_nobody_is_told(
    site: Site, case: UUID, database: SimpleNamespace
) -> None:
    tables = ("record_grant", "notification", "outbox_message", "submission")

    def state() -> list[Any]:
        counts = [site.sql(database.superuser, f"SELECT count(*) FROM {table}")[0][0] for table in tables]
        changed = site.sql(database.superuser, "SELECT changed_at, revision FROM case_record")
        return [*counts, *(tuple(row) for row in changed)]

    before = state()
    assert preview(site, case).status_code == 200
    assert state() == before
    events = site.sql(
        database.superuser,
        "SELECT outcome, record_ids, convert_from(body, 'UTF8')::jsonb AS body FROM audit.event"
        " WHERE act = 'share.previewed'",
    )
    assert [row.outcome for row in events] == ["ok"]
    assert events[0].body["facts"] == {"organisation": str(site.world.organisations["police"])}
    assert events[0].record_ids == [case]
    acts = {row[0] for row in site.sql(database.superuser, "SELECT act FROM audit.event")}
    assert not acts & {"case.shared", "share.accepted"}


def test_a_preview_never_shows_what_the_sharer_may_not_read(site: Site, case: UUID) -> None:
    """The police put an entry for police only on the council's case: the council meets it in no preview either."""
    with site.inside():
        sections = (Section.SUMMARY, Section.CHRONOLOGY)
        grant = shared(site.world, case, sections=sections, may_contribute=True)
        sergeant = act_as(site.world, "sergeant")
        add_entry(sergeant, case, EntryForm("MarkerPolice", audience=Audience.POLICE_ONLY))
        add_entry(sergeant, case, EntryForm("MarkerOpen"))
        db.session.commit()
        add_entry(
            act_as(site.world, "manager"), case, EntryForm("MarkerBoss", audience=Audience.SUPERVISOR_ONLY)
        )
        db.session.commit()
    page = site.as_user("officer").get(f"/cases/{case}/sharing/{grant}/preview").get_data(as_text=True)
    assert markers(page) == {"MarkerTitle", "MarkerOpen"}
    assert "MarkerPolice" in markers(
        site.as_user("sergeant").get(f"/cases/{case}/log").get_data(as_text=True)
    )
    # who may read both sees only what the recipient may
    boss = site.as_user("manager").get(f"/cases/{case}/sharing/{grant}/preview").get_data(as_text=True)
    assert markers(boss) == {"MarkerTitle", "MarkerOpen"}


def test_a_declared_interest_of_the_recipient_is_not_betrayed(
    site: Site, case: UUID, database: SimpleNamespace
) -> None:
    site.sql(
        database.superuser,
        "INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why)"
        " VALUES (gen_random_uuid(), now(), :user, :organisation, :record, 'my neighbour')",
        user=site.world.users["sergeant"],
        organisation=site.world.organisations["police"],
        record=case,
    )
    assert "MarkerTitle" in markers(preview(site, case).get_data(as_text=True))
    assert site.sql(database.superuser, "SELECT ended_at FROM exclusion")[0][0] is None


def test_one_chooses_as_whom_to_look(site: Site, case: UUID) -> None:
    world = site.world
    page = preview(site, case).get_data(as_text=True)
    assert "Tomasz Nowak" in page and "Imogen Farrow" in page and "Gareth Pugh" not in page
    other = preview(site, case, **{"as": str(world.users["sergeant_east"])}).get_data(as_text=True)
    assert "You see this as Imogen Farrow" in other
    unknown = preview(site, case, **{"as": str(world.users["yot_worker"])}).get_data(as_text=True)
    assert "You see this as Tomasz Nowak" in unknown


def test_who_is_not_named_on_a_restricted_case_would_see_nothing(
    site: Site, case: UUID, database: SimpleNamespace
) -> None:
    site.sql(database.superuser, "UPDATE record SET restricted = true WHERE id = :id", id=case)
    site.sql(
        database.superuser,
        "INSERT INTO record_team (record_id, user_id, added_at, added_by, partnership_id, owner_organisation_id,"
        " lead_team_id, marking, restricted, breakable, knowable, open_to_owner)"
        " SELECT id, :user, now(), :user, partnership_id, owner_organisation_id, lead_team_id, marking, restricted,"
        " breakable, knowable, open_to_owner FROM record WHERE id = :id",
        user=site.world.users["officer"],
        id=case,
    )
    page = preview(site, case).get_data(as_text=True)
    assert "They would see nothing" in page and not markers(page)


@pytest.mark.parametrize("to", ["charity", "other_council"])
def test_a_preview_is_refused_as_the_share_would_be(
    site: Site, case: UUID, database: SimpleNamespace, to: str
) -> None:
    answer = preview(site, case, to=to)
    assert answer.status_code == 403 and "agreement" in answer.get_data(as_text=True)
    outcomes = site.sql(database.superuser, "SELECT outcome FROM audit.event WHERE act = 'share.denied'")
    assert [row[0] for row in outcomes] == ["denied"]


def test_what_is_missing_leads_back_to_its_step(site: Site, case: UUID) -> None:
    answer = preview(site, case, reason=" ")
    assert answer.status_code == 422 and "Say why sharing this is necessary" in answer.get_data(as_text=True)
    again = preview(site, case, **{"ends-year": "2999"})
    assert again.status_code == 422 and "must not be after the agreement" in again.get_data(as_text=True)


def test_only_the_lead_previews(site: Site, case: UUID, database: SimpleNamespace) -> None:
    with site.inside():
        grant = shared(site.world, case)
    address = f"/cases/{case}/sharing/{grant}/preview"
    assert site.as_user("sergeant").get(address).status_code == 403
    assert preview(site, case, "sergeant", to="yjs").status_code == 403
    assert site.as_user("yot_worker").get(address).status_code == 404
    assert site.as_user("reader").get(address).status_code == 403
    denied = site.sql(database.superuser, "SELECT outcome FROM audit.event WHERE act = 'share.previewed'")
    assert [row[0] for row in denied] == ["denied"] * 3


def test_a_share_of_another_case_or_one_that_is_over_is_not_previewed(site: Site, case: UUID) -> None:
    with site.inside():
        other = led_case(act_as(site.world, "officer"), "Another")
        grant = shared(site.world, other)
        over = shared(site.world, case)
        revoke_share(act_as(site.world, "officer"), over, reason="Solved")
        db.session.commit()
    officer = site.as_user("officer")
    assert officer.get(f"/cases/{case}/sharing/{grant}/preview").status_code == 404
    assert officer.get(f"/cases/{case}/sharing/{uuid4()}/preview").status_code == 404
    assert officer.get(f"/cases/{case}/sharing/{over}/preview").status_code == 409


def test_an_incident_is_previewed_without_its_case(site: Site) -> None:
    with site.inside():
        officer = act_as(site.world, "officer")
        form = IncidentForm(IncidentKind.NOISE, "MarkerIncident", "2026-03-01")
        form = replace(form, told_by="MarkerToldby")
        incident = log_incident(officer, form).id
        db.session.commit()
    world = site.world
    for parts, seen in (((), {"MarkerIncident"}), ((Section.VICTIM,), {"MarkerIncident", "MarkerToldby"})):
        form_data = filled(world, f"organisation:{world.organisations['police']}", parts)
        page = site.as_user("officer").post(f"/incidents/{incident}/share/preview", form_data)
        assert page.status_code == 200 and markers(page.get_data(as_text=True)) == seen
