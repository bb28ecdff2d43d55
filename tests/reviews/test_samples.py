"""Samples: the seed gives the same accesses again, each user is asked and answers for themselves, auditors judge once."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

import pytest

from hub.core.ids import new_id
from hub.extensions import db
from tests.fixtures.shares import led_case
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as
from tests.reviews.seeding import Log, at, with_purpose

ANSWER = "Łucja rang and asked when we would come"
PERIOD = {"from": "2025-03-12", "to": "2025-03-12", "size": "5", "category": "consultation", "act": ""}


def drawn(log: Log, auditor: Client, **changes: str) -> UUID:
    """A sample; its id."""
    answer = auditor.post("/audit/samples/new", {**PERIOD, **changes})
    assert answer.status_code == 303, answer.text
    return UUID(answer.headers["Location"].rpartition("/")[2])


def accesses(log: Log, sample: UUID) -> list[Any]:
    return log.sql(
        "SELECT * FROM audit.sampled_access WHERE sample_id = :sample ORDER BY place", sample=sample
    )


def judge(client: Client, access: Any, **changes: str) -> Any:
    form = {"verdict": "accepted", "note": "The log of the case says the same", **changes}
    return client.post(f"/audit/samples/{access.sample_id}/{access.id}/judge", form)


def answer(client: Client, access: Any, text: str = ANSWER) -> Any:
    return client.post(f"/my-accesses/{access.id}/answer", {"answer": text})


@pytest.fixture
def day(log: Log) -> list[UUID]:
    """Looks of the council's people on that day, and what must not be drawn: others' and other kinds."""
    found = log.add("officer", [at(9, minute) for minute in range(8)])
    found += log.add("manager", [at(10, minute) for minute in range(8)])
    log.add("officer", [at(11)], category="alteration", act="case.changed")
    log.add("officer", [at(11)], outcome="denied")
    log.add("officer", [at(11)], source="job")
    log.add("officer", [at(9, days=1)])
    log.add("sergeant", [at(9)], owners=["council"])
    return found


def test_what_is_drawn_is_the_order_of_the_seed(log: Log, auditor: Client, day: list[UUID]) -> None:
    sample = drawn(log, auditor)
    seed = log.sql("SELECT seed FROM audit.sample")[0][0]
    expected = sorted(day, key=lambda one: hashlib.sha256(f"{seed}{one}".encode()).digest())[:5]
    assert [one.event_id for one in accesses(log, sample)] == expected
    page = auditor.get(f"/audit/samples/{sample}").text
    assert str(seed) in page and "The seed gives the same accesses" in page


def test_another_draw_has_another_seed(log: Log, auditor: Client, day: list[UUID]) -> None:
    drawn(log, auditor), drawn(log, auditor)
    assert len({row[0] for row in log.sql("SELECT seed FROM audit.sample")}) == 2


def test_a_log_that_was_changed_gives_another_sample(log: Log, auditor: Client, day: list[UUID]) -> None:
    sample = drawn(log, auditor)
    log.sql("DELETE FROM audit.event WHERE id = :one", one=accesses(log, sample)[0].event_id)
    assert "The seed gives other accesses" in auditor.get(f"/audit/samples/{sample}").text


def test_fewer_are_drawn_where_there_are_not_so_many_and_none_is_said(
    log: Log, auditor: Client, day: list[UUID]
) -> None:
    assert len(accesses(log, drawn(log, auditor, size="50"))) == 16
    assert len(accesses(log, drawn(log, auditor, category="alteration"))) == 1
    none = auditor.post("/audit/samples/new", {**PERIOD, "act": "person.opened"})
    assert none.status_code == 422 and "There is no such access in this time" in none.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": "51"}, "Enter a number from 1 to 50"),
        ({"size": "0"}, "Enter a number from 1 to 50"),
        ({"size": "³"}, "Enter a number from 1 to 50"),
        ({"from": "2025-03-13"}, "The last day must be the first day or later"),
        ({"from": "yesterday"}, "Enter a day such as"),
        ({"from": "2999-01-01", "to": "2999-01-02"}, "The first day must be today or earlier"),
        ({"category": "curiosity"}, "Choose from the list"),
        ({"act": "x"}, "Choose from the list"),
    ],
)
def test_a_bad_question_is_told_beside_its_field(
    log: Log, auditor: Client, changes: dict[str, str], words: str
) -> None:
    refused = auditor.post("/audit/samples/new", {**PERIOD, **changes})
    assert refused.status_code == 422 and words in refused.text
    assert log.sql("SELECT count(*) FROM audit.sample")[0][0] == 0


def test_each_user_is_told_once_and_the_draw_is_an_event(log: Log, auditor: Client, day: list[UUID]) -> None:
    drawn(log, auditor, size="50")
    told = log.sql("SELECT user_id, address FROM notification WHERE kind = 'sample.drawn'")
    users = log.site.world.users
    assert sorted(tuple(row) for row in told) == sorted(
        (users[user], "/my-accesses") for user in ("officer", "manager")
    )
    events = log.sql("SELECT body FROM audit.event WHERE act = 'sample.drawn'")
    assert [json.loads(row[0])["facts"] for row in events] == [{"accesses": 16, "purpose": "self_monitoring"}]


def test_the_user_answers_and_the_auditor_judges(
    log: Log, site: Site, auditor: Client, day: list[UUID]
) -> None:
    sample = drawn(log, auditor)
    one = accesses(log, sample)[0]
    name = next(user for user, key in site.world.users.items() if key == one.user_id)
    client = site.as_user(name)
    assert f"/my-accesses/{one.id}" in client.get("/my-accesses").text
    assert "Why did you look?" in client.get(f"/my-accesses/{one.id}").text
    assert answer(client, one, " ").status_code == 422
    assert judge(auditor, one).status_code == 409
    assert answer(client, one).status_code == 303
    assert answer(client, one, "Something else").status_code == 409
    assert ANSWER in client.get(f"/my-accesses/{one.id}").text
    page = auditor.get(f"/audit/samples/{sample}").text
    assert ANSWER in page and "Something else" not in page
    bad = judge(auditor, one, verdict="", note="")
    assert bad.status_code == 422 and "Choose whether you accept the answer" in bad.text
    assert judge(auditor, one).status_code == 303
    assert judge(auditor, one, verdict="not_accepted").status_code == 409
    assert accesses(log, sample)[0].verdict == "accepted"
    assert "The log of the case says the same" in auditor.get(f"/audit/samples/{sample}").text
    # what was written is sealed, wherever it is kept
    for table in ("audit.sampled_access", "audit.event"):
        assert "Łucja" not in str(log.sql(f"SELECT to_jsonb(t)::text FROM {table} t"))
    bodies = log.sql("SELECT convert_from(body, 'UTF8') FROM audit.event WHERE act LIKE 'justification%'")
    assert len(bodies) >= 4 and "ucja" not in str(bodies)


def test_nobody_answers_for_another_nor_judges_themselves(
    log: Log, site: Site, auditor: Client, day: list[UUID]
) -> None:
    one = accesses(log, drawn(log, auditor))[0]
    for user in ("reader", "sergeant", "auditor"):
        client = site.as_user(user)
        assert client.get(f"/my-accesses/{one.id}").status_code == 404
        assert answer(client, one).status_code == 404
    log.add("auditor", [at(18)], act="case.opened")
    mine = accesses(log, drawn(log, auditor, act="case.opened", size="50"))
    own = next(row for row in mine if row.user_id == site.world.users["auditor"])
    assert answer(auditor, own).status_code == 303
    assert judge(auditor, own).status_code == 403
    log.sql(
        "UPDATE audit.sampled_access SET answered_at = now(), answer_event_id = id WHERE id = :id", id=one.id
    )
    police = with_purpose(site.as_user("police_auditor"))
    assert judge(police, one).status_code == 404
    assert police.get(f"/audit/samples/{one.sample_id}").status_code == 404
    assert str(one.sample_id) not in police.get("/audit/samples").text


def test_who_does_not_answer_in_seven_days_is_overdue_and_can_be_judged(
    log: Log, auditor: Client, day: list[UUID]
) -> None:
    sample = drawn(log, auditor)
    days = log.sql("SELECT due_at - created_at AS given FROM audit.sample")[0][0]
    assert 6.9 < days.total_seconds() / 86_400 < 7.1
    assert "Overdue" not in auditor.get(f"/audit/samples/{sample}").text
    log.sql("UPDATE audit.sample SET due_at = now() - interval '1 minute'")
    assert "Overdue" in auditor.get(f"/audit/samples/{sample}").text
    assert "Overdue" in auditor.get("/audit/samples").text
    assert judge(auditor, accesses(log, sample)[0], verdict="not_accepted").status_code == 303


def test_the_record_is_named_only_while_it_may_be_seen(log: Log, site: Site, auditor: Client) -> None:
    with site.inside():
        case_id = led_case(act_as(site.world, "officer"))
        db.session.remove()
    reference = log.sql("SELECT reference FROM record WHERE id = :id", id=case_id)[0][0]
    log.add("officer", [at(9)], subjects=[case_id])
    one = accesses(log, drawn(log, auditor))[0]
    client = site.as_user("officer")
    assert reference in client.get(f"/my-accesses/{one.id}").text
    look = log.sql("SELECT record_ids FROM audit.event WHERE act = 'justification.opened'")
    assert look[0][0] == [case_id]
    log.sql(
        "INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why) VALUES (:id, now(), :user, :own, :case, 'x')",
        id=new_id(),
        user=site.world.users["officer"],
        own=site.world.organisations["council"],
        case=case_id,
    )
    page = client.get(f"/my-accesses/{one.id}").text
    assert reference not in page and "You cannot see it any more" in page
    # and the log does not say that it was shown
    look = log.sql("SELECT record_ids FROM audit.event WHERE act = 'justification.opened' ORDER BY at")
    assert [row[0] for row in look] == [[case_id], []]


def test_no_page_of_samples_opens_before_the_purpose_is_stated(site: Site, log: Log) -> None:
    client = site.as_user("auditor")
    for path in ("/audit/samples", "/audit/samples/new", f"/audit/samples/{new_id()}"):
        assert "/audit/purpose?next=" in client.get(path).headers["Location"], path
    assert client.post("/audit/samples/new", PERIOD).status_code == 302
    assert log.sql("SELECT count(*) FROM audit.sample")[0][0] == 0
