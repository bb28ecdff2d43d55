"""The auditor's desk through HTTP: purpose first, every look logged, only the own organisation's log, never content."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event as sa_event

from hub.access.actions import create_record
from hub.access.vocabulary import RecordKind
from hub.audit.queries import EventFilter
from hub.audit.recording import Recipient, append
from hub.audit.verifying import verify
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.extensions import db
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as, told_of
from tests.rules.canaries import plant


@pytest.fixture
def happened(site: Site) -> SimpleNamespace:
    """The officer logs an incident, looks at it, shares it with the police; a sergeant looks; the other council acts too."""
    with site.inside():
        officer = act_as(site.world, "officer")
        record = create_record(officer, RecordKind.INCIDENT, session=db.session())
        key, reference = record.id, record.reference
        append(officer, "incident.logged", object_id=key, version=1, records=[key], facts={"kind": "noise"})
        append(officer, "incident.opened", object_id=key, records=[key])
        append(
            officer,
            "case.shared",
            object_id=uuid4(),
            version=1,
            records=[key],
            facts={"sections": "summary"},
            texts={"reason": "To stop Łucja being hurt"},
            recipients=[Recipient(site.world.organisations["police"])],
        )
        db.session.commit()
        sergeant = act_as(site.world, "sergeant")
        append(sergeant, "incident.opened", object_id=key, records=[key])
        db.session.commit()
        elsewhere = act_as(site.world, "east_officer")
        foreign = append(elsewhere, "incident.opened", object_id=uuid4(), records=[uuid4()])
        db.session.commit()
        db.session.remove()
    return SimpleNamespace(id=key, reference=reference, foreign=foreign)


@pytest.fixture
def auditor(site: Site) -> Client:
    return with_purpose(site.as_user("auditor"))


def with_purpose(client: Client) -> Client:
    answer = client.post("/audit/purpose", {"purpose": "lawfulness"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/audit")
    return client


def logged(site: Site, database: SimpleNamespace, act: str) -> list[Any]:
    statement = "SELECT outcome, object_id, record_ids, body FROM audit.event WHERE act = :act ORDER BY at"
    return site.sql(database.superuser, statement, act=act)


def test_no_page_of_the_log_opens_before_the_purpose_is_stated(site: Site, happened: SimpleNamespace) -> None:
    client = site.as_user("auditor")
    pages = ("/audit", f"/audit/records/{happened.reference}", f"/audit/users/{uuid4()}", "/audit/check")
    for path in (*pages, f"/audit/events/{happened.foreign}"):
        answer = client.get(path)
        assert answer.status_code == 302 and "/audit/purpose?next=" in answer.headers["Location"], path
    refused = client.post("/audit/purpose", {"purpose": "curiosity"})
    assert refused.status_code == 422 and "Choose what you use the log for" in refused.text
    assert client.post("/audit/purpose", {}).status_code == 422
    assert client.get("/audit").status_code == 302


def test_the_purpose_leads_back_to_the_page_and_nowhere_else(site: Site) -> None:
    client = site.as_user("auditor")
    for given, leads in (
        ("/audit/check", "/audit/check"),
        ("https://evil.example", "/audit"),
        ("//evil", "/audit"),
    ):
        answer = client.post("/audit/purpose", {"purpose": "integrity", "next": given})
        assert answer.headers["Location"] == leads


def test_the_desk_shows_who_did_what_and_writes_its_own_look(
    site: Site, database: SimpleNamespace, happened: SimpleNamespace, auditor: Client
) -> None:
    page = auditor.get("/audit")
    assert page.status_code == 200
    for words in (
        "Amara Okafor",
        "Tomasz Nowak",
        "Incident viewed",
        happened.reference,
        "Told: Northbrook Police",
    ):
        assert words in page.text
    assert "Łucja" not in page.text and str(happened.foreign) not in page.text
    looks = logged(site, database, "log.viewed")
    assert [(one.outcome, json.loads(one.body)["facts"]["purpose"]) for one in looks] == [
        ("ok", "lawfulness")
    ]


def test_filters_narrow_the_log(site: Site, happened: SimpleNamespace, auditor: Client) -> None:
    officer, police = site.world.users["officer"], site.world.organisations["police"]
    assert "Colm Devlin" not in auditor.get("/audit").text
    own = auditor.get(f"/audit?user={officer}&act=incident.opened").text
    assert own.count("Incident viewed</") >= 1 and "users/" + str(site.world.users["sergeant"]) not in own
    theirs = auditor.get(f"/audit?organisation={police}&reference={happened.reference.lower()}").text
    assert "Tomasz Nowak" in theirs and "users/" + str(officer) not in theirs
    assert "No events here" in auditor.get("/audit?to=2020-01-01").text
    assert "No events here" in auditor.get("/audit?reference=NBC-CS-NOTHERE").text
    assert "No events here" not in auditor.get("/audit?from=2020-01-01&category=disclosure&outcome=ok").text


def test_a_wrong_filter_is_named_and_not_obeyed(auditor: Client) -> None:
    for address in (
        "user=x",
        "act=case.vanished",
        "from=yesterday",
        "from=2026-02-02&to=2026-02-01",
        "outcome=fine",
    ):
        answer = auditor.get(f"/audit?{address}")
        assert answer.status_code == 422 and "There is a problem" in answer.text, address
    assert auditor.get("/audit?after=rubbish").status_code == 422


def test_the_trail_of_a_record_is_whole_and_in_order(
    site: Site, database: SimpleNamespace, happened: SimpleNamespace, auditor: Client
) -> None:
    page = auditor.get(f"/audit/records/{happened.reference}")
    places = [
        page.text.index(words) for words in ("Incident logged", "Incident viewed", "Shared", "Tomasz Nowak")
    ]
    assert places == sorted(places)
    again = auditor.get(f"/audit/records/{happened.reference}")
    assert "Log of a record viewed" in again.text
    looks = logged(site, database, "log.record_viewed")
    assert [(one.object_id, one.record_ids) for one in looks] == [(happened.id, [happened.id])] * 2


def test_hidden_and_absent_look_the_same(site: Site, happened: SimpleNamespace, auditor: Client) -> None:
    other = with_purpose(site.as_user("police_auditor"))
    assert other.get(f"/audit/records/{happened.reference}").status_code == 200
    with site.inside():
        stranger = act_as(site.world, "east_officer")
        secret = told_of(stranger, create_record(stranger, RecordKind.CASE, session=db.session()))
        db.session.commit()
        reference = secret.reference
    hidden, absent = auditor.get(f"/audit/records/{reference}"), auditor.get("/audit/records/EMC-CS-234567")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    foreign, none = auditor.get(f"/audit/events/{happened.foreign}"), auditor.get(f"/audit/events/{uuid4()}")
    assert (foreign.status_code, none.status_code) == (404, 404)
    assert auditor.get(f"/audit/users/{site.world.users['east_officer']}").status_code == 404


def test_an_event_is_laid_out_with_its_hash(
    site: Site, database: SimpleNamespace, happened: SimpleNamespace, auditor: Client
) -> None:
    event = site.sql(database.superuser, "SELECT id, hash FROM audit.event WHERE act = 'case.shared'")[0]
    page = auditor.get(f"/audit/events/{event.id}")
    for words in (
        "Shared",
        "Northbrook Police",
        happened.reference,
        "Sealed texts",
        event.hash.hex(),
        "Practitioner",
    ):
        assert words in page.text
    assert "has been altered" not in page.text and "Łucja" not in page.text
    assert [(one.outcome, one.object_id) for one in logged(site, database, "log.opened")] == [
        ("ok", event.id)
    ]

    site.sql(database.superuser, "UPDATE audit.event SET hash = sha256('') WHERE id = :id", id=event.id)
    assert "has been altered" in auditor.get(f"/audit/events/{event.id}").text


def test_the_check_says_its_result_in_words_and_is_logged(
    site: Site, database: SimpleNamespace, happened: SimpleNamespace, auditor: Client
) -> None:
    assert auditor.get("/audit/check").status_code == 200
    clean = auditor.post("/audit/check", {"period": "31"})
    assert "The log is in order" in clean.text and "not detected" in clean.text
    site.sql(database.superuser, "UPDATE audit.event SET act = 'entry.added' WHERE act = 'incident.logged'")
    broken = auditor.post("/audit/check", {"period": "all"})
    assert "not as it was written" in broken.text
    facts = [json.loads(one.body)["facts"] for one in logged(site, database, "log.verified")]
    assert [one["problems"] for one in facts] == [0, 1]
    assert all(one["events"] > 3 for one in facts)
    assert auditor.post("/audit/check", {"period": "99999999999"}).status_code == 303


def test_only_auditors_read_the_log(site: Site) -> None:
    for user in ("officer", "manager", "reader", "spoc"):
        assert site.as_user(user).get("/audit").status_code == 403, user
        assert site.as_user(user).post("/audit/check", {"period": "31"}).status_code == 403, user


def test_the_number_of_queries_does_not_grow_with_the_page(site: Site, auditor: Client) -> None:
    def queries() -> int:
        counted: list[str] = []
        with site.inside():
            engine = db.engine

        def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            counted.append(statement)

        sa_event.listen(engine, "before_cursor_execute", count)
        assert auditor.get("/audit").status_code == 200
        sa_event.remove(engine, "before_cursor_execute", count)
        return len(counted)

    queries()
    few = queries()
    with site.inside():
        officer = act_as(site.world, "officer")
        for _ in range(30):
            append(officer, "incident.opened", object_id=uuid4(), records=[uuid4()])
        db.session.commit()
    assert queries() == few


def test_pages_follow_each_other_without_gap(site: Site, database: SimpleNamespace, auditor: Client) -> None:
    with site.inside():
        officer = act_as(site.world, "officer")
        made = {append(officer, "incident.opened", object_id=uuid4()) for _ in range(120)}
        db.session.commit()
    seen: list[UUID] = []
    address: str | None = f"/audit?user={site.world.users['officer']}&act=incident.opened"
    while address:
        page = auditor.get(address).text
        seen += [UUID(part[:36]) for part in page.split("/audit/events/")[1:]]
        following = (
            page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if 'rel="next"' in page else None
        )
        address = following.replace("&amp;", "&") if following else None
    assert set(seen) == made and len(seen) == len(made)


def test_a_refused_look_names_nothing_of_what_was_there(site: Site, auditor: Client) -> None:
    with site.inside():
        sergeant = act_as(site.world, "sergeant")
        hidden = told_of(sergeant, create_record(sergeant, RecordKind.CASE, session=db.session()))
        key, reference = hidden.id, hidden.reference
        db.session.commit()
        officer = act_as(site.world, "officer")
        append(officer, "case.opened", outcome="denied", object_id=key, facts={"part": "summary"})
        db.session.commit()
    page = auditor.get("/audit?outcome=denied")
    assert "Case viewed" in page.text and reference not in page.text
    assert (
        reference
        not in auditor.get(
            page.text.split('href="/audit/events/')[1].split('"')[0].join(["/audit/events/", ""])
        ).text
    )
    assert auditor.get(f"/audit/records/{reference}").status_code == 404
    assert "No events here" in auditor.get(f"/audit?reference={reference}").text


def test_who_leads_a_case_sees_own_people_by_name_and_partners_in_numbers(site: Site) -> None:
    planted = plant(site)
    case = planted.ids[0]
    with site.inside():
        append(
            act_as(site.world, "sergeant"),
            "case.opened",
            object_id=case,
            records=[case],
            facts={"part": "summary"},
        )
        db.session.commit()
        looked_into = append(
            act_as(site.world, "auditor"),
            "log.record_viewed",
            object_id=case,
            records=[case],
            facts={"purpose": "integrity", **EventFilter(subject=case).as_facts()},
        )
        db.session.commit()
    page = site.as_user("officer").get(f"/cases/{case}/access")
    assert page.status_code == 200 and looked_into
    assert "Northbrook Police" in page.text and "Tomasz Nowak" not in page.text
    assert "Amara Okafor" in page.text and "Miriam Castle" not in page.text
    assert site.as_user("sergeant").get(f"/cases/{case}/access").status_code in (403, 404)


def test_a_look_refused_to_a_stranger_is_in_the_owners_trail_and_tells_the_strangers_auditor_nothing(
    site: Site, database: SimpleNamespace
) -> None:
    with site.inside():
        case = create_case(act_as(site.world, "officer"), CaseForm(kind=CaseKind.ASB, title="Noise, Harbour"))
        db.session.commit()
        case_id, reference = case.id, case.reference
    assert site.as_user("sergeant").get(f"/cases/{case_id}").status_code == 404
    council, police = site.world.organisations["council"], site.world.organisations["police"]
    rows = site.sql(
        database.superuser,
        "SELECT organisation_ids, body FROM audit.event WHERE act = 'case.opened' AND outcome = 'denied'",
    )
    assert set(rows[0].organisation_ids) == {council, police}
    assert str(council).encode() not in bytes(rows[0].body)
    with sa.create_engine(database.owner, poolclass=sa.NullPool).connect() as connection:
        assert verify(connection).problems == []
    # nothing but the id that was guessed: no reference, for the stranger's own auditor
    seen = site.as_user("police_auditor").get("/audit?purpose=self_monitoring", follow_redirects=True)
    assert reference not in seen.get_data(as_text=True)
