"""The case as its readers meet it, My work, and the pages of cases, through HTTP."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from hub.access.vocabulary import Purpose, Section
from hub.audit.models import Event
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind, CaseStatus
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.chronology.models import Entry
from hub.core import clock
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.sharing.actions import answer_share, share_record
from hub.sharing.forms import ShareForm
from tests.cases.making import at_status
from tests.fixtures.site import Site
from tests.fixtures.world import act_as, look_at

LONG = ('Zażółć gęślą 🚲 jaźń & <b>not bold</b> "quoted"\n\n' * 500)[:19_990].strip()


@pytest.fixture
def case_id(site: Site) -> UUID:
    """An open case of the officer's with one person and one entry."""
    with site.inside():
        officer = act_as(site.world, "officer")
        case = at_status(officer, CaseStatus.OPEN, CaseKind.ASB)
        add_person(officer, case, role=InvolvementRole.VICTIM, given_names="Wanda", family_name="Quell")
        add_entry(officer, case.id, EntryForm("Canary in the log"))
        db.session.commit()
        return case.id


def shared_with_police(site: Site, case_id: UUID, *sections: Section, may_contribute: bool = False) -> None:
    with site.inside():
        form = ShareForm(
            to_organisation_id=site.world.organisations["police"],
            sections=(Section.SUMMARY, *sections),
            reason="Joint visits",
            purpose=Purpose.PREVENT_CRIME,
            ends_at=clock.now() + timedelta(days=30),
            may_contribute=may_contribute,
        )
        grant = share_record(act_as(site.world, "officer"), case_id, form)
        db.session.commit()
        answer_share(act_as(site.world, "sergeant"), grant.id, accept=True)
        db.session.commit()


def events(site: Site, act: str) -> list[Event]:
    with site.inside():
        act_as(site.world, "officer")
        found = list(db.session.scalars(sa.select(Event).where(Event.act == act).order_by(Event.at)))
        db.session.expunge_all()
        return found


def test_the_summary_shows_what_matters_and_logs_whom_it_shows(site: Site, case_id: UUID) -> None:
    page = site.as_user("officer").get(f"/cases/{case_id}")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "Wanda Quell" in text and "Canary in the log" in text and "your team leads this case" in text
    (event,) = events(site, "case.opened")
    assert list(event.record_ids) == [case_id] and len(event.person_ids) == 1


def test_a_hidden_case_and_none_answer_the_same_and_are_written_down(site: Site, case_id: UUID) -> None:
    sergeant = site.as_user("sergeant")
    pages = [sergeant.get(f"/cases/{key}") for key in (case_id, uuid4())]
    assert [page.status_code for page in pages] == [404, 404]
    bodies = [
        re.sub(r"[0-9a-f-]{20,}|nonce=\S+|data-server-now=\S+", "", page.get_data(as_text=True))
        for page in pages
    ]
    assert "NBC-CS" not in bodies[0] and len(bodies[0]) == len(bodies[1])
    with site.inside():
        act_as(site.world, "sergeant")
        denied = db.session.scalars(sa.select(Event.object_id).where(Event.outcome == "denied")).all()
    assert case_id in denied


def test_a_partner_sees_the_shared_sections_alone_and_why(site: Site, case_id: UUID) -> None:
    shared_with_police(site, case_id, Section.CHRONOLOGY)
    sergeant = site.as_user("sergeant")
    text = sergeant.get(f"/cases/{case_id}").get_data(as_text=True)
    assert "Canary in the log" in text and "Wanda" not in text
    assert "Northbrook Council shares it with your organisation under agreement" in text
    assert f"/cases/{case_id}/sharing" not in text and f"/cases/{case_id}/people" not in text
    assert "Add to the log" not in text and f"/cases/{case_id}/edit" not in text
    for path in ("edit", "status", "restrict"):
        assert sergeant.get(f"/cases/{case_id}/{path}").status_code == 403
    assert sergeant.post(f"/cases/{case_id}/log", {"text": "x", "kind": "visit"}).status_code == 403


def test_a_share_of_the_summary_alone_has_no_log(site: Site, case_id: UUID) -> None:
    shared_with_police(site, case_id)
    sergeant = site.as_user("sergeant")
    text = sergeant.get(f"/cases/{case_id}").get_data(as_text=True)
    assert "Noise, Ward 3" in text and "Canary" not in text
    assert sergeant.get(f"/cases/{case_id}/log").status_code == 404


def test_a_partners_entry_moves_the_case_up_without_touching_its_revision(
    site: Site, case_id: UUID, database: SimpleNamespace
) -> None:
    shared_with_police(site, case_id, Section.CHRONOLOGY, may_contribute=True)
    before = site.sql(database.superuser, "SELECT revision, changed_at FROM case_record")[0]
    answer = site.as_user("sergeant").post(f"/cases/{case_id}/log", {"text": "Seen by us", "kind": "visit"})
    assert answer.status_code == 303
    after = site.sql(database.superuser, "SELECT revision, changed_at FROM case_record")[0]
    assert after.revision == before.revision and after.changed_at > before.changed_at
    text = site.as_user("officer").get(f"/cases/{case_id}/log").get_data(as_text=True)
    assert "Seen by us" in text and "Northbrook Police" in text


def test_an_entry_comes_back_byte_for_byte_with_twenty_thousand_characters(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    form = {"text": LONG.replace("\n", "\r\n"), "kind": "visit", "nature": "fact", "significant": "yes"}
    answer = officer.post(f"/cases/{case_id}/log", form)
    assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
    with site.inside():
        look_at(act_as(site.world, "officer"))
        kept = db.session.scalar(sa.select(Entry.text).where(Entry.kind == "visit"))
    assert kept is not None and kept.encode() == LONG.encode()
    page = officer.get(f"/cases/{case_id}/log").get_data(as_text=True)
    assert "<b>not bold</b>" not in page and "&lt;b&gt;not bold" in page and "🚲" in page


def test_one_character_too_many_is_told_and_nothing_is_cut(site: Site, case_id: UUID) -> None:
    text = "🚲" * 20_001
    answer = site.as_user("officer").post(f"/cases/{case_id}/log", {"text": text, "kind": "visit"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "20,000 characters or fewer" in page and text in page


def test_a_double_click_adds_one_entry(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    key = str(uuid4())
    answers = [
        officer.post(f"/cases/{case_id}/log", {"text": "Once", "kind": "visit"}, form_key=key) for _ in (1, 2)
    ]
    assert answers[0].location == answers[1].location
    with site.inside():
        look_at(act_as(site.world, "officer"))
        assert len(db.session.scalars(sa.select(Entry.id).where(Entry.text == "Once")).all()) == 1


def test_a_correction_points_at_the_old_entry_and_both_show(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    with site.inside():
        act_as(site.world, "officer")
        old = db.session.scalar(sa.select(Entry.id))
    form_page = officer.get(f"/cases/{case_id}/log?corrects={old}").get_data(as_text=True)
    assert "Correct an entry" in form_page and f'name="corrects_id" value="{old}"' in form_page
    officer.post(
        f"/cases/{case_id}/log", {"text": "Canary, corrected", "kind": "visit", "corrects_id": str(old)}
    )
    page = officer.get(f"/cases/{case_id}/log").get_data(as_text=True)
    assert "Canary in the log" in page and "Canary, corrected" in page
    assert "Corrected by" in page and "Corrects" in page


def test_nobody_corrects_an_entry_of_another_case_or_organisation(site: Site, case_id: UUID) -> None:
    shared_with_police(site, case_id, Section.CHRONOLOGY, may_contribute=True)
    with site.inside():
        old = add_entry(act_as(site.world, "sergeant"), case_id, EntryForm("Theirs")).id
        db.session.commit()
        officer = act_as(site.world, "officer")
        other = create_case(officer, CaseForm(CaseKind.ASB, "Other")).id
        db.session.commit()
    client = site.as_user("officer")
    form = {"text": "x", "kind": "visit", "corrects_id": str(old)}
    assert client.post(f"/cases/{case_id}/log", form).status_code == 403
    assert client.post(f"/cases/{other}/log", form).status_code == 404


def test_the_log_is_filtered_by_type_organisation_nature_and_significance(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    officer.post(
        f"/cases/{case_id}/log",
        {"text": "Bravo", "kind": "decision", "nature": "assessment", "significant": "yes"},
    )
    police = site.world.organisations["police"]
    for query, shown in (
        ("type=decision", True),
        ("type=visit", False),
        ("is=assessment", True),
        ("is=fact", False),
        ("only=significant", True),
        (f"organisation={site.world.organisations['council']}", True),
        (f"organisation={police}&type=nonsense&is=what", True),
    ):
        assert ("Bravo" in officer.get(f"/cases/{case_id}/log?{query}").get_data(as_text=True)) is shown, (
            query
        )


def test_what_others_added_since_the_last_look_is_marked(
    site: Site, case_id: UUID, database: SimpleNamespace
) -> None:
    site.as_user("officer").get(f"/cases/{case_id}")
    site.sql(
        database.superuser, "UPDATE audit.event SET at = at - interval '20 minutes' WHERE act = 'case.opened'"
    )
    with site.inside():
        add_entry(act_as(site.world, "manager"), case_id, EntryForm("Fresh"))
        db.session.commit()
    text = site.as_user("officer").get(f"/cases/{case_id}").get_data(as_text=True)
    assert "1 new entry since you last looked" in text and 'class="hub-new"' in text
    assert "since you last looked" not in site.as_user("manager").get(f"/cases/{case_id}").get_data(
        as_text=True
    )


def test_a_supervisors_entry_is_hidden_from_the_rest(site: Site, case_id: UUID) -> None:
    manager = site.as_user("manager")
    manager.post(
        f"/cases/{case_id}/log",
        {"text": "Between us", "kind": "supervisor_review", "audience": "supervisor_only"},
    )
    assert "Between us" in manager.get(f"/cases/{case_id}/log").get_data(as_text=True)
    assert "Between us" not in site.as_user("officer").get(f"/cases/{case_id}/log").get_data(as_text=True)


def test_the_page_bears_the_highest_marking_of_what_it_shows(site: Site, case_id: UUID) -> None:
    officer = site.as_user("officer")
    assert "OFFICIAL-SENSITIVE – PERSONAL DATA" not in officer.get(f"/cases/{case_id}/log").get_data(
        as_text=True
    )
    officer.post(f"/cases/{case_id}/log", {"text": "Careful", "kind": "visit", "marking": "1"})
    assert "OFFICIAL-SENSITIVE – PERSONAL DATA" in officer.get(f"/cases/{case_id}/log").get_data(as_text=True)


def test_my_work_is_one_look_with_every_record_that_it_shows(site: Site, case_id: UUID) -> None:
    with site.inside():
        tray = at_status(act_as(site.world, "manager"), CaseStatus.NEW).id
    text = site.as_user("officer").get("/").get_data(as_text=True)
    assert "Cases you lead" in text and f"/cases/{case_id}" in text and f"/cases/{tray}" in text
    (event,) = events(site, "work.viewed")
    assert set(event.record_ids) == {case_id, tray}


def test_my_work_tells_what_is_overdue(site: Site, case_id: UUID, database: SimpleNamespace) -> None:
    site.sql(database.superuser, "UPDATE case_record SET next_review_on = '2026-01-05'")
    text = site.as_user("officer").get("/").get_data(as_text=True)
    assert "Review" in text and "Overdue" in text and "hub-stat--overdue" in text


def test_an_empty_day_says_so(site: Site) -> None:
    text = site.as_user("outreach_worker").get("/").get_data(as_text=True)
    assert "You lead no open cases" in text and "The tray is empty" in text


@pytest.mark.parametrize(("user", "desk"), [("auditor", "/audit"), ("spoc", "/admin")])
def test_those_who_read_no_content_start_at_their_own_desk(site: Site, user: str, desk: str) -> None:
    answer = site.as_user(user).get("/")
    assert (answer.status_code, answer.location) == (302, desk)


def test_a_case_is_opened_by_form_with_all_mistakes_told_at_once(site: Site) -> None:
    officer = site.as_user("officer")
    wrong = officer.post(
        "/cases/new", {"title": "", "kind": "nonsense", "summary": "Kept words", "restricted": "yes"}
    )
    text = wrong.get_data(as_text=True)
    assert wrong.status_code == 422 and "Kept words" in text
    for sentence in (
        "Choose the type of case",
        "Write a short title",
        "Choose who leads the case",
        "Write why it is restricted",
    ):
        assert sentence in text
    good = {
        "title": "Noise, Ward 9",
        "kind": "asb",
        "priority": "p2_urgent",
        "source": "police",
        "marking": "0",
        "lead_officer_id": str(site.world.users["officer"]),
    }
    answer = officer.post("/cases/new", good)
    assert answer.status_code == 303
    assert "Noise, Ward 9" in officer.get(answer.location).get_data(as_text=True)


def test_two_editors_meet_a_page_that_shows_both_versions(site: Site, case_id: UUID) -> None:
    form = {
        "title": "Noise, Ward 3",
        "priority": "p3_routine",
        "risk_level": "standard",
        "marking": "0",
        "lead_officer_id": str(site.world.users["officer"]),
        "revision": "3",
    }
    assert (
        site.as_user("manager").post(f"/cases/{case_id}/edit", {**form, "summary": "Theirs"}).status_code
        == 303
    )
    clash = site.as_user("officer").post(f"/cases/{case_id}/edit", {**form, "summary": "Mine"})
    text = clash.get_data(as_text=True)
    assert clash.status_code == 409 and "Theirs" in text and "Mine" in text
    revision = re.search(r'name="revision" value="(\d+)"', text)
    assert revision and revision.group(1) == "4"
    again = site.as_user("officer").post(
        f"/cases/{case_id}/edit", {**form, "summary": "Mine", "revision": "4"}
    )
    assert again.status_code == 303
    with site.inside():
        look_at(act_as(site.world, "officer"))
        assert db.session.scalar(sa.select(Case.summary)) == "Mine"


def test_a_blocked_closure_is_written_down(site: Site) -> None:
    with site.inside():
        case_id = at_status(act_as(site.world, "manager"), CaseStatus.CLOSURE_PENDING, CaseKind.HATE).id
    answer = site.as_user("manager").post(f"/cases/{case_id}/status", {"to": "closed"})
    assert answer.status_code == 403
    denied = [event for event in events(site, "case.moved") if event.outcome == "denied"]
    assert [event.object_id for event in denied] == [case_id]


def test_an_ended_case_still_takes_a_note(site: Site) -> None:
    with site.inside():
        case_id = at_status(act_as(site.world, "officer"), CaseStatus.CLOSED).id
    officer = site.as_user("officer")
    assert officer.post(f"/cases/{case_id}/log", {"text": "Late", "kind": "email_letter"}).status_code == 303
    assert "Added after the case had ended" in officer.get(f"/cases/{case_id}/log").get_data(as_text=True)
    assert officer.post(f"/cases/{case_id}/edit", {"revision": "4"}).status_code == 422


def test_the_list_says_why_each_case_is_there_and_filters(site: Site, case_id: UUID) -> None:
    shared_with_police(site, case_id)
    mine, theirs = site.as_user("officer"), site.as_user("sergeant")
    assert "You lead it" in mine.get("/cases").get_data(as_text=True)
    assert "Northbrook Council shares it to prevent crime and disorder" in theirs.get(
        "/cases?scope=shared"
    ).get_data(as_text=True)
    for query, shown in (("scope=mine", True), ("scope=shared", False), ("status=open", True), ("status=new", False),
                         ("title=NOISE", True), ("title=100%25", False), ("risk=high", False), ("kind=asb", True)):  # fmt: skip
        assert (f"/cases/{case_id}" in mine.get(f"/cases?{query}").get_data(as_text=True)) is shown, query
    assert mine.get("/cases?after=nonsense").status_code == 422


def test_the_list_is_paged_without_loss_or_repeat(site: Site) -> None:
    with site.inside():
        officer = act_as(site.world, "officer")
        made = {str(create_case(officer, CaseForm(CaseKind.ASB, f"Noise {n}")).id) for n in range(53)}
        db.session.commit()
    client = site.as_user("officer")
    first = client.get("/cases?scope=mine").get_data(as_text=True)
    link = re.search(r'href="(/cases\?[^"]*after=[^"]+)"', first)
    assert link
    second = client.get(link.group(1).replace("&amp;", "&")).get_data(as_text=True)
    found = [re.findall(r'hub-list__link" href="/cases/([0-9a-f-]+)"', page) for page in (first, second)]
    assert [len(page) for page in found] == [50, 3]
    assert {*found[0], *found[1]} == made


@pytest.mark.parametrize("path", ["/help", "/accessibility", "/security"])
def test_the_pages_about_the_service_are_open_to_all(site: Site, path: str) -> None:
    assert site.visitor().get(path).status_code == 200
    assert site.as_user("officer").get(path).status_code == 200
