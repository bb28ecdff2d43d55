"""Declared interests through HTTP: kept from the user without a sign, told to supervisors, confidential to all others."""

from __future__ import annotations

import html
import re
from threading import Event
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.extensions import db
from hub.interests import jobs
from hub.interests.vocabulary import InterestKind
from tests.conftest import by_worker
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as
from tests.interests.declaring import case_with, declared, place_in

tell_of_stopped_looks = by_worker(jobs.tell_of_stopped_looks)

PERSON = {"given_names": "Oisín", "family_name": "Ó Tuama", "relation": "family"}
SECRET = ("Tuama", "TUAMA", "Mill Lane")


@pytest.fixture
def met(site: Site) -> SimpleNamespace:
    """A case with a person whom the officer declares; the officer's browser."""
    with site.inside():
        case_id, person_id = case_with(site.world)
    return SimpleNamespace(case_id=case_id, person_id=person_id, officer=site.as_user("officer"))


def declare(client: Client, kind: str = "person", **fields: str) -> None:
    answer = client.post(f"/interests/new/{kind}", {**PERSON, **fields})
    assert answer.status_code == 303 and answer.headers["Location"] == "/interests"
    assert "Declared." in client.get("/interests").text


def tell(site: Site) -> int:
    with site.inside():
        enter(db.session(), NOBODY)
        return tell_of_stopped_looks(Event())


def notices(site: Site, database: SimpleNamespace) -> list[tuple[UUID, str]]:
    rows = site.sql(
        database.superuser, "SELECT user_id, address FROM notification WHERE kind = 'interest.met'"
    )
    return [tuple(row) for row in rows]


def test_a_declaration_is_made_shown_and_logged_by_its_kind_alone(
    site: Site, database: SimpleNamespace, met: SimpleNamespace
) -> None:
    assert "You have declared nothing" in met.officer.get("/interests").text
    assert "A person" in met.officer.get("/interests/new").text
    declare(met.officer, **{"date_of_birth-year": "1990"})
    page = html.unescape(met.officer.get("/interests").text)
    assert "Oisín Ó Tuama" in page and "1990" in page and "Rhys Llewellyn" in page
    events = site.sql(
        database.superuser, "SELECT body FROM audit.event WHERE act LIKE 'interest.%' ORDER BY at"
    )
    bodies = b"".join(bytes(row.body) for row in events)
    assert b'"kind":"person"' in bodies and not any(word.encode() in bodies for word in ("Tuama", "Ois"))
    assert str(met.case_id).encode() not in bodies and str(met.person_id).encode() not in bodies


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_lost(met: SimpleNamespace) -> None:
    wrong = {"given_names": "-", "family_name": "", "date_of_birth-day": "3", "date_of_birth-year": "2999"}
    page = met.officer.post("/interests/new/person", {**wrong, "given_names": "—x".strip("x")})
    assert page.status_code == 422
    for words in ("Enter the given names", "Enter the family name", "must include a month", "how you stand"):
        assert words in html.unescape(page.text)
    assert 'value="2999"' in page.text
    future = met.officer.post("/interests/new/person", {**PERSON, "date_of_birth-year": "2999"})
    assert future.status_code == 422 and "in the past" in future.text
    address = met.officer.post(
        "/interests/new/address", {"address": "12", "postcode": "X", "relation": "self"}
    )
    assert address.status_code == 422 and "full UK postcode" in address.text
    bare = met.officer.post("/interests/new/address", {"address": "12", "relation": "self"})
    assert bare.status_code == 422 and "more of the address" in bare.text
    assert met.officer.get("/interests/new/king").status_code == 404


def test_what_is_declared_answers_like_what_is_not_there(
    site: Site, database: SimpleNamespace, met: SimpleNamespace
) -> None:
    assert met.officer.get(f"/cases/{met.case_id}").status_code == 200
    declare(met.officer)
    for address in ("/cases/{}", "/cases/{}/people", "/cases/{}/log", "/people/{}"):
        key = met.person_id if "/people/{" in address else met.case_id
        hidden, absent = (met.officer.get(address.format(one)) for one in (key, uuid4()))
        assert hidden.status_code == absent.status_code == 404
        assert plain(hidden.text) == plain(absent.text) and len(hidden.data) == len(absent.data)
    assert met.officer.post(f"/cases/{met.case_id}/log", {"text": "x"}).status_code == 404


def plain(page: str) -> str:
    """Without what is different at each request: tokens, times and ids."""
    page = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}|\d{4}-\d\d-\d\dT[^\"<]*", "?", page)
    return re.sub(r"nonce-?=?\"[^\"]*\"|[A-Za-z0-9_-]{22,}", "?", page)


def test_lists_searches_and_matches_leave_it_out(site: Site, met: SimpleNamespace) -> None:
    with site.inside():
        place_in(site.world, met.case_id)
    pages = ("/people", "/cases", "/", "/search?q=Tuama", "/search?q=Mill+Lane", "/people?q=Tuama")
    before = [html.unescape(met.officer.get(page).text) for page in pages]
    reference = re.search(r"P-[A-Z0-9-]+|NBC-[A-Z]+-[A-Z0-9-]+", before[0])
    assert "Ó Tuama" in before[0] and reference
    with site.inside():
        new, _ = case_with(site.world, "Maeve", "Quill")
    twin = {"given_names": "Oisin", "family_name": "O Tuama", "role": "witness"}
    assert str(met.person_id) in met.officer.post(f"/cases/{new}/people/new", twin).text
    declare(met.officer)
    for page in pages:
        shown = html.unescape(met.officer.get(page).text)
        assert "Ó Tuama" not in shown and str(met.case_id) not in shown, page
        assert str(met.person_id) not in shown and reference.group() not in shown, page
    step = met.officer.post(f"/cases/{new}/people/new", twin)
    assert step.status_code < 400 and str(met.person_id) not in step.text


def test_supervisors_are_told_once_for_each_look(
    site: Site, database: SimpleNamespace, met: SimpleNamespace
) -> None:
    declare(met.officer)
    met.officer.get(f"/cases/{uuid4()}")
    assert tell(site) == 0 and notices(site, database) == []
    met.officer.get(f"/cases/{met.case_id}")
    assert tell(site) == 1 and tell(site) == 0
    manager = (site.world.users["manager"], f"/interests/colleagues?user={site.world.users['officer']}")
    assert notices(site, database) == [manager]
    met.officer.get(f"/people/{met.person_id}")
    met.officer.get(f"/cases/{met.case_id}")
    assert tell(site) == 2
    assert notices(site, database) == [manager] * 3
    told = site.sql(
        database.superuser,
        "SELECT user_id, object_id, record_ids, person_ids, body FROM audit.event WHERE act = 'interest.met'",
    )
    assert len(told) == 3
    for row in told:
        # an auditor must not read whose look it was, nor at what
        assert row.user_id != site.world.users["officer"] and row.object_id is None
        assert row.record_ids == [] and row.person_ids == []
        assert str(site.world.users["officer"]).encode() not in bytes(row.body)
    mails = site.sql(
        database.superuser, "SELECT subject || body AS text FROM outbox_message WHERE kind = 'interest.met'"
    )
    assert len(mails) == 3 and not any(
        word in row.text for row in mails for word in ("Amara", "Okafor", "Tuama")
    )
    page = html.unescape(site.as_user("manager").get(manager[1]).text)
    assert "Ó Tuama" in page and "Amara Okafor" in page


def test_a_refused_look_leaves_the_same_number_of_statements_behind(
    site: Site, met: SimpleNamespace, count_queries: object
) -> None:
    declare(met.officer)
    counts = []
    for key in (met.case_id, uuid4(), met.case_id, uuid4()):
        with count_queries() as seen:  # type: ignore[operator]
            met.officer.get(f"/cases/{key}")
        counts.append(seen.count)
    assert len(set(counts[1:])) == 1, counts


def test_a_supervisor_sees_references_lifts_and_ends(
    site: Site, database: SimpleNamespace, met: SimpleNamespace
) -> None:
    declare(met.officer)
    manager = site.as_user("manager")
    references = {
        row.kind: row.reference
        for row in site.sql(
            database.superuser,
            "SELECT kind, reference FROM record WHERE id = :case UNION ALL SELECT 'person', reference FROM person WHERE id = :person",
            case=met.case_id,
            person=met.person_id,
        )
    }
    row = site.sql(database.superuser, "SELECT id FROM declared_interest")[0]
    page = html.unescape(manager.get(f"/interests/{row.id}").text)
    assert "Declared by Amara Okafor" in page and set(references.values()) <= set(
        re.findall(r"[A-Z0-9-]{8,}", page)
    )
    assert "Noise, Ward X" not in page
    lift = re.findall(r"/interests/exclusions/[0-9a-f-]{36}/lift", page)
    assert len(lift) == 2
    answers = {re.search(r'hub-reference">([^<]+)', manager.get(one).text).group(1): one for one in lift}  # type: ignore[union-attr]
    address = answers[references["person"]]
    wrong = manager.post(address, {"reason": " "})
    assert wrong.status_code == 422 and "Enter why" in wrong.text
    assert met.officer.get(f"/cases/{met.case_id}").status_code == 404
    assert manager.post(address, {"reason": "Another man of that name"}).status_code == 303
    assert met.officer.get(f"/cases/{met.case_id}").status_code == 200
    assert "Lifted by Rhys Llewellyn" in manager.get(f"/interests/{row.id}").text
    assert manager.post(address, {"reason": "again"}).status_code == 409
    texts = site.sql(database.superuser, "SELECT name FROM audit.event_text WHERE name = 'reason'")
    assert len(texts) == 1
    assert manager.post(f"/interests/{row.id}/end").status_code == 303
    assert manager.post(f"/interests/{row.id}/end").status_code == 409
    assert "No colleague" in manager.get("/interests/colleagues").text
    assert "Ó Tuama" in html.unescape(manager.get("/interests/colleagues?state=ended").text)
    assert "Ended" in met.officer.get("/interests").text


def test_nobody_else_sees_anything_of_it(site: Site, database: SimpleNamespace, met: SimpleNamespace) -> None:
    declare(met.officer)
    with site.inside():
        declared(site.world, InterestKind.ADDRESS, address="12 Mill Lane", postcode="NB1 4QT")
    keys = site.sql(
        database.superuser,
        "SELECT id, 'one' AS what FROM declared_interest UNION ALL SELECT id, 'exclusion' FROM exclusion",
    )
    addresses = [
        "/interests",
        "/interests/colleagues",
        f"/interests/colleagues?user={site.world.users['officer']}",
    ]
    addresses += [f"/interests/{row.id}" for row in keys if row.what == "one"]
    addresses += [f"/interests/exclusions/{row.id}/lift" for row in keys if row.what == "exclusion"]
    for user in ("reader", "housing_officer", "spoc", "auditor", "sergeant", "police_spoc"):
        client = site.as_user(user)
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code in ({200, 403} if address == "/interests" else {403}), (user, address)
            assert not any(word in html.unescape(answer.text) for word in SECRET), (user, address)
    auditor = site.as_user("auditor")
    auditor.post("/audit/purpose", {"purpose": "monitoring"})
    log = html.unescape(auditor.get("/audit").text)
    assert not any(word in log for word in SECRET)
    # the user is not told what their declaration met
    for address in ("/interests", "/interests/new", "/account", "/notifications"):
        assert str(met.case_id) not in met.officer.get(address).text
    for address in addresses[1:]:
        assert met.officer.get(address).status_code == 403


def test_a_supervisor_learns_nothing_of_what_they_may_not_read(
    site: Site, database: SimpleNamespace, met: SimpleNamespace
) -> None:
    declare(met.officer)
    site.sql(database.superuser, "UPDATE record SET restricted = true WHERE id = :id", id=met.case_id)
    row = site.sql(database.superuser, "SELECT id FROM declared_interest")[0]
    manager = site.as_user("manager")
    page = manager.get(f"/interests/{row.id}").text
    assert "Nothing that you may know of" in page and "/lift" not in page
    for exclusion in site.sql(database.superuser, "SELECT id FROM exclusion"):
        assert manager.get(f"/interests/exclusions/{exclusion.id}/lift").status_code == 404
    with site.inside():
        own = declared(site.world, by="manager")
        act_as(site.world, "manager")
    assert manager.get(f"/interests/{own}").status_code == 404
    assert manager.post(f"/interests/{own}/end").status_code == 403
