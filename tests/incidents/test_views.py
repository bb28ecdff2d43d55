"""Incidents through HTTP: logging, the list, the page, what a stranger may not see."""

from __future__ import annotations

import re
from types import SimpleNamespace
from uuid import UUID

from hub.access.vocabulary import Purpose, Section
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.extensions import db
from hub.people.actions import involve_person
from hub.people.queries import find_people_of
from hub.people.vocabulary import InvolvementRole
from hub.sharing.actions import answer_share, share_record
from hub.web import drafts
from tests.fixtures.shares import share_form
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as, look_at

FORM = {
    "kind": "noise",
    "description": "Music until 3am.\nAgain <b>loud</b>.",
    "occurred_from-day": "20",
    "occurred_from-month": "11",
    "occurred_from-year": "2026",
    "occurred_time": "11:30pm",
    "place-kind": "street",
    "place-description": "Behind the shops",
    "place-street": "Quarry Row",
    "place-ward": "Quarry",
    "place-postcode": "nb14qt",
    "source": "public_report",
    "told_by": "Mrs Vale, number 4",
    "marking": "0",
}


def log(client: Client, **changes: str) -> str:
    """Logs an incident and returns the address of its page."""
    answer = client.post("/incidents/new", {**FORM, **changes})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.headers["Location"]).removesuffix("/logged")


def test_an_incident_is_logged_shown_and_listed(site: Site, database: SimpleNamespace) -> None:
    client = site.as_user("officer")
    assert client.get("/incidents/new").status_code == 200
    address = log(client)
    after = client.get(f"{address}/logged").get_data(as_text=True)
    assert "is logged" in after and "Add the people involved" in after
    page = client.get(address)
    text = page.get_data(as_text=True)
    assert (
        page.status_code == 200
        and "&lt;b&gt;loud&lt;/b&gt;" in text
        and "Mrs Vale" in text
        and "NB1 4QT" in text
    )
    listed = client.get("/incidents?where=quarry&kind=noise&period=28").get_data(as_text=True)
    assert (
        "Noise, Quarry" in listed and "Led by your team" in listed and "20 November 2026, 11:30pm" in listed
    )
    assert "Noise, Quarry" not in client.get("/incidents?kind=drugs").get_data(as_text=True)
    acts = [
        row.act
        for row in site.sql(
            database.superuser, "SELECT act FROM audit.event WHERE source = 'cli' OR true ORDER BY at"
        )
    ]
    assert acts[-6:] == [
        "incident.logged",
        "place.involved",
        "incident.matched",
        "incident.opened",
        "incident.listed",
        "incident.listed",
    ]


def test_a_stranger_sees_neither_the_page_nor_the_row(site: Site) -> None:
    address = log(site.as_user("officer"))
    for user in ("sergeant", "east_officer", "housing_officer"):
        stranger = site.as_user(user)
        assert stranger.get(address).status_code == 404
        assert "Quarry" not in stranger.get("/incidents").get_data(as_text=True)


def test_errors_come_back_all_at_once_with_what_was_typed(site: Site) -> None:
    client = site.as_user("officer")
    answer = client.post(
        "/incidents/new",
        {
            **FORM,
            "kind": "",
            "occurred_from-year": "2199",
            "occurred_time": "25:00",
            "place-postcode": "QUARRY",
            "source": "anonymous",
        },
    )
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for words in (
        "Select what kind",
        "must be today or in the past",
        "Enter a time such as",
        "full UK postcode",
        "Leave this blank when the report is anonymous",
        "Again &lt;b&gt;loud",
    ):
        assert words in text, words


def test_the_same_form_sent_twice_logs_one_incident(site: Site, database: SimpleNamespace) -> None:
    client = site.as_user("officer")
    key = "0199aaaa-0000-7000-8000-000000000001"
    first = client.post("/incidents/new", FORM, form_key=key)
    again = client.post("/incidents/new", FORM, form_key=key)
    assert first.headers["Location"] == again.headers["Location"]
    assert site.sql(database.superuser, "SELECT count(*) FROM incident")[0][0] == 1


def test_a_reader_is_offered_no_form_and_refused_one(site: Site) -> None:
    reader = site.as_user("reader")
    assert "Log an incident" not in reader.get("/incidents").get_data(as_text=True)
    assert reader.post("/incidents/new", FORM).status_code == 403


def test_a_person_is_added_only_after_the_question_who_it_is(site: Site, database: SimpleNamespace) -> None:
    client = site.as_user("officer")
    address = log(client)
    typed = {
        "given_names": "Alistair",
        "family_name": "Simpson",
        "role": "victim",
        "date_of_birth-day": "4",
        "date_of_birth-month": "3",
        "date_of_birth-year": "1990",
        "marking": "0",
    }
    assert client.get(f"{address}/people/new").status_code == 200
    assert client.post(f"{address}/people/new", typed).status_code == 303
    other = log(client, kind="drugs")
    near = {
        **typed,
        "given_names": "Alastair",
        "family_name": "Simons",
        "role": "suspect",
        "date_of_birth-day": "3",
        "date_of_birth-month": "4",
    }
    asked = client.post(f"{other}/people/new", near)
    text = asked.get_data(as_text=True)
    assert asked.status_code == 200 and "Is it one of these people?" in text
    undecided = client.post(f"{other}/people/new", {**near, "asked": "yes"})
    assert undecided.status_code == 422 and "Select who it is" in undecided.get_data(as_text=True)
    assert "Day and month of birth exchanged" in text and "Victim in" in text
    person = re.search(r'name="same" type="radio" value="([0-9a-f-]{36})"', text)
    assert person
    assert client.post(f"{other}/people/new", {**near, "same": person.group(1)}).status_code == 303
    assert site.sql(database.superuser, "SELECT count(*) FROM person")[0][0] == 1
    page = client.get(f"/people/{person.group(1)}").get_data(as_text=True)
    for words in (
        "Alastair Simons",
        "Alistair Simpson",
        "Victim",
        "Suspect",
        "Northbrook Council (us)",
        "3 April 1990",
    ):
        assert words in page, words
    assert "same person" in client.get(other).get_data(as_text=True)
    assert client.get("/people?role=suspect").get_data(as_text=True).count("Suspect</span>") == 1
    assert site.as_user("sergeant").get(f"/people/{person.group(1)}").status_code == 404


def test_places_and_vehicles_are_added_and_a_role_ends_with_a_reason(
    site: Site, database: SimpleNamespace
) -> None:
    client = site.as_user("officer")
    address = log(client)
    assert client.get(f"{address}/places/new").status_code == 200
    wrong = client.post(
        f"{address}/places/new", {"kind": "park", "role": "scene", "description": "", "postcode": "nope"}
    )
    assert wrong.status_code == 422 and "Enter the place" in wrong.get_data(as_text=True)
    assert (
        client.post(
            f"{address}/places/new", {"kind": "park", "role": "scene", "description": "Bandstand"}
        ).status_code
        == 303
    )
    assert client.get(f"{address}/vehicles/new").status_code == 200
    assert (
        client.post(
            f"{address}/vehicles/new", {"kind": "quad", "role": "seen", "vrm": "nb21 a?c", "colour": "Red"}
        ).status_code
        == 303
    )
    page = client.get(address).get_data(as_text=True)
    assert "NB21A?C, red (quad bike)" in page and "Bandstand" in page
    end = re.findall(rf'"({address}/involvements/[0-9a-f-]+/end)"', page)[-1]
    assert "Nothing is deleted" in client.get(end).get_data(as_text=True)
    assert client.post(end, {"why": " "}).status_code == 422
    assert client.post(end, {"why": "Entered twice"}).status_code == 303
    assert "Entered twice" in client.get(address).get_data(as_text=True)
    assert client.post(end, {"why": "Again"}).status_code == 409
    assert site.as_user("sergeant").post(end, {"why": "Not mine"}).status_code == 404


def open_case_of(site: Site, person_of: str) -> tuple[str, str]:
    """A case of the officer's team that involves the person of that incident; its id and reference."""
    with site.inside():
        actor = act_as(site.world, "officer")
        case = create_case(actor, CaseForm(kind=CaseKind.ASB, title="Noise, Quarry"))
        look_at(actor)
        person = find_people_of(actor, [UUID(person_of)])[UUID(person_of)][0]
        involve_person(actor, case, person.person_id, role=InvolvementRole.COMPLAINANT)
        db.session.commit()
        return str(case.id), case.reference


def test_an_incident_is_added_to_a_related_case_by_one_button(site: Site, database: SimpleNamespace) -> None:
    client = site.as_user("officer")
    first, second = log(client), log(client, kind="drugs")
    person = {"given_names": "Orla", "family_name": "Vale", "role": "victim", "marking": "0"}
    assert client.post(f"{first}/people/new", person).status_code == 303
    case, reference = open_case_of(site, first.rsplit("/", 1)[1])
    offered = client.get(f"{first}/logged").get_data(as_text=True)
    assert (
        "Does it belong to one of these cases?" in offered and reference in offered and "autofocus" in offered
    )
    assert reference not in client.get(f"{second}/logged").get_data(as_text=True)
    assert client.post(f"{first}/cases", {"case": case}).headers["Location"] == f"/cases/{case}"
    assert f'href="/cases/{case}"' in client.get(first).get_data(as_text=True)
    assert client.post(f"{first}/cases", {"case": case}).status_code == 409
    assert client.post(f"{second}/cases", {"reference": f" {reference.lower()} "}).status_code == 303
    for wrong in ({"reference": "NBC-CS-000000"}, {"reference": ""}, {"case": "nonsense"}):
        assert client.post(f"{second}/cases", wrong).status_code == 422
    stranger = site.as_user("sergeant")
    assert stranger.post(f"{second}/cases", {"case": case}).status_code == 404
    assert site.sql(database.superuser, "SELECT count(*) FROM case_incident")[0][0] == 2


def test_everybody_and_everything_on_a_case_has_a_role_and_can_be_added_there(site: Site) -> None:
    client = site.as_user("officer")
    first = log(client)
    person = {"given_names": "Orla", "family_name": "Vale", "role": "victim", "marking": "0"}
    client.post(f"{first}/people/new", person)
    case, _ = open_case_of(site, first.rsplit("/", 1)[1])
    tab = f"/cases/{case}/people"
    for step in ("people", "places", "vehicles"):
        assert client.get(f"/cases/{case}/{step}/new").status_code == 200
    subject = {"known_as": "Baz", "role": "subject", "marking": "1"}
    assert client.post(f"/cases/{case}/people/new", subject).headers["Location"] == tab
    assert (
        client.post(
            f"/cases/{case}/places/new", {"kind": "park", "role": "scene", "description": "Bandstand"}
        ).status_code
        == 303
    )
    page = client.get(tab)
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    for words in ("Complainant", "Subject of concern", "Baz", "Bandstand", "OFFICIAL-SENSITIVE"):
        assert words in text, words
    assert site.as_user("sergeant").get(tab).status_code == 404
    assert site.as_user("reader").post(f"/cases/{case}/people/new", subject).status_code == 403


def test_a_partner_reads_what_is_shared_and_neither_the_victim_nor_who_told_us(site: Site) -> None:
    client = site.as_user("officer")
    address = log(client)
    person = {"given_names": "Orla", "family_name": "Vale", "role": "victim", "marking": "0"}
    client.post(f"{address}/people/new", person)
    client.post(f"{address}/people/new", {"known_as": "Baz", "role": "subject", "marking": "0"})
    with site.inside():
        form = share_form(site.world, sections=(Section.SUMMARY, Section.PEOPLE))
        grant = share_record(act_as(site.world, "officer"), UUID(address.rsplit("/", 1)[1]), form).id
        db.session.commit()
    sergeant = site.as_user("sergeant")
    assert sergeant.get(address).status_code == 404
    with site.inside():
        answer_share(act_as(site.world, "sergeant"), grant, accept=True)
        db.session.commit()
    text = sergeant.get(address).get_data(as_text=True)
    assert "Again &lt;b&gt;loud" in text and "Baz" in text and "Northbrook Council shares it with you" in text
    for hidden in ("Orla", "Mrs Vale", "Add a person", "/end"):
        assert hidden not in text, hidden
    assert "Shared by Northbrook Council" in sergeant.get("/incidents").get_data(as_text=True)
    assert "Orla" not in sergeant.get("/people").get_data(as_text=True)
    assert sergeant.post(f"{address}/people/new", {"known_as": "X", "role": "subject"}).status_code == 403
    # under another purpose the share is not there
    other = site.as_user("sergeant", purpose=Purpose.SAFEGUARD_CHILD)
    assert other.get(address).status_code == 404


def test_every_look_is_written_with_every_id_that_the_page_shows(
    site: Site, database: SimpleNamespace
) -> None:
    client = site.as_user("officer")
    first, second = log(client), log(client, kind="drugs")
    person = {"given_names": "Orla", "family_name": "Vale", "role": "victim", "marking": "0"}
    client.post(f"{first}/people/new", person)
    client.get(first)
    event = site.sql(
        database.superuser,
        "SELECT record_ids, person_ids FROM audit.event WHERE act = 'incident.opened' ORDER BY at DESC LIMIT 1",
    )[0]
    people = [row.id for row in site.sql(database.superuser, "SELECT id FROM person")]
    assert {str(key) for key in event.record_ids} == {one.rsplit("/", 1)[1] for one in (first, second)}
    assert event.person_ids == people
    site.as_user("sergeant").get(first)
    denied = site.sql(
        database.superuser, "SELECT outcome, record_ids FROM audit.event ORDER BY at DESC LIMIT 1"
    )
    assert denied[0].outcome == "denied" and denied[0].record_ids == []


def test_what_was_typed_comes_back_as_a_draft_and_goes_when_it_is_saved(site: Site) -> None:
    client = site.as_user("officer")
    with site.inside():
        actor = act_as(site.world, "officer")
        drafts.keep(actor, "incidents.log", {"description": ["Half a sentence"], "kind": ["noise"]})
        db.session.commit()
    page = client.get("/incidents/new").get_data(as_text=True)
    assert "Half a sentence" in page and "We kept what you wrote" in page
    assert "Half a sentence" not in site.as_user("manager").get("/incidents/new").get_data(as_text=True)
    log(client)
    assert "Half a sentence" not in client.get("/incidents/new").get_data(as_text=True)
