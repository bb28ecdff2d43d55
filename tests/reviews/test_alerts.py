"""Pages of alerts: purpose first, every look logged, reviewed once and by somebody else, the own organisation's alone."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from hub.reviews.rules import RULES
from tests.fixtures.site import Client, Site
from tests.reviews.seeding import Log, at, with_purpose

NOTE = "Łucja’s case was on her list that morning"


def refused(log: Log, user: str = "manager") -> UUID:
    """An alert about the user, and its id."""
    log.add(user, [at(15, step) for step in range(10)], outcome="denied")
    assert log.run() == 1
    found: UUID = log.sql(
        "SELECT id FROM audit.alert WHERE user_id = :user", user=log.site.world.users[user]
    )[0][0]
    return found


def logged(log: Log, act: str) -> list[Any]:
    rows = log.sql("SELECT outcome, body FROM audit.event WHERE act = :act ORDER BY at", act=act)
    return [(row.outcome, json.loads(row.body)["facts"]) for row in rows]


def review(client: Client, alert: UUID, revision: int = 1, **changes: str) -> Any:
    form = {"decision": "justified", "note": NOTE, "revision": str(revision), **changes}
    return client.post(f"/audit/alerts/{alert}/review", form)


def test_no_alert_is_shown_before_the_purpose_is_stated(site: Site, log: Log) -> None:
    alert, client = refused(log), site.as_user("auditor")
    for path in ("/audit/alerts", f"/audit/alerts/{alert}"):
        answer = client.get(path)
        assert answer.status_code == 302 and "/audit/purpose?next=" in answer.headers["Location"]
    assert review(client, alert).status_code == 302
    assert log.sql("SELECT reviewed_at FROM audit.alert")[0][0] is None
    assert with_purpose(client).get("/audit/alerts").status_code == 200


@pytest.mark.parametrize("user", ["officer", "manager", "spoc", "sergeant"])
def test_only_auditors_have_the_pages(site: Site, user: str) -> None:
    assert site.as_user(user).get("/audit/alerts").status_code == 403


def test_the_list_shows_rule_user_and_counts_and_writes_its_look(log: Log, auditor: Client) -> None:
    refused(log)
    page = auditor.get("/audit/alerts").text
    assert "Rhys Llewellyn" in page and "Waiting for review" in page
    assert all(rule.title in page and rule.told().split("’")[0] in page for rule in RULES.values())
    assert logged(log, "alert.listed") == [("ok", {"purpose": "self_monitoring"})]
    for narrowed, there in (
        ("rule=bulk", False),
        ("rule=denied_series&state=waiting", True),
        ("state=reviewed", False),
    ):
        assert ("Rhys Llewellyn" in auditor.get(f"/audit/alerts?{narrowed}").text) is there, narrowed


def test_the_list_has_pages_by_key(log: Log, auditor: Client) -> None:
    refused(log)
    log.sql(
        "INSERT INTO audit.alert (organisation_id, user_id, rule, day, part, first_at, last_at, events, records, event_ids)"
        " SELECT organisation_id, user_id, rule, day - n, 0, first_at, last_at, 1, 1, '{}' FROM audit.alert, generate_series(1, 60) n"
    )
    first = auditor.get("/audit/alerts").text
    assert first.count("hub-list__row") == 50
    after = first.split("after=")[1].split('"')[0].split("&")[0]
    assert auditor.get(f"/audit/alerts?after={after}").text.count("hub-list__row") == 11


def test_an_alert_shows_its_rule_and_events_with_their_addresses(log: Log, auditor: Client) -> None:
    alert = refused(log)
    page = auditor.get(f"/audit/alerts/{alert}").text
    assert RULES["denied_series"].told() in page
    events = log.sql("SELECT unnest(event_ids) FROM audit.alert")
    assert len(events) == 10 and all(f"/audit/events/{row[0]}" in page for row in events)
    assert logged(log, "alert.opened") == [("ok", {"purpose": "self_monitoring"})]


def test_a_review_is_kept_sealed_and_is_an_event(log: Log, auditor: Client) -> None:
    alert = refused(log)
    assert review(auditor, alert).status_code == 303
    page = auditor.get(f"/audit/alerts/{alert}").text
    assert NOTE in page and "Miriam Castle" in page and "Finish the review" not in page
    assert logged(log, "alert.reviewed") == [("ok", {"decision": "justified", "purpose": "self_monitoring"})]
    row = log.sql("SELECT to_jsonb(a)::text FROM audit.alert a")[0][0]
    event = log.sql("SELECT convert_from(body, 'UTF8') FROM audit.event WHERE act = 'alert.reviewed'")[0][0]
    assert "Łucja" not in row + event
    assert b"ucja" not in bytes(log.sql("SELECT sealed FROM audit.event_text WHERE name = 'note'")[0][0])
    again = review(auditor, alert, decision="training")
    assert again.status_code == 409
    assert log.sql("SELECT decision FROM audit.alert")[0][0] == "justified"


def test_a_bad_review_names_every_mistake_and_keeps_what_was_written(log: Log, auditor: Client) -> None:
    alert = refused(log)
    answer = review(auditor, alert, decision="", note="x" * 2001)
    assert answer.status_code == 422
    assert "Choose how the review ends" in answer.text and "2,000 characters or fewer" in answer.text
    assert "x" * 2001 in answer.text
    assert log.sql("SELECT decision FROM audit.alert")[0][0] is None


def test_an_alert_that_has_grown_is_looked_at_again_first(log: Log, auditor: Client) -> None:
    alert = refused(log)
    log.add("manager", [at(15, 11)], outcome="denied")
    assert log.run() == 0
    assert review(auditor, alert, revision=1).status_code == 409
    assert 'name="revision" value="2"' in auditor.get(f"/audit/alerts/{alert}").text
    assert review(auditor, alert, revision=2).status_code == 303


def test_other_organisations_auditors_see_nothing(site: Site, log: Log) -> None:
    alert = refused(log)
    police = with_purpose(site.as_user("police_auditor"))
    assert "Rhys Llewellyn" not in police.get("/audit/alerts").text
    assert police.get(f"/audit/alerts/{alert}").status_code == 404
    assert review(police, alert).status_code == 404
    assert log.sql("SELECT reviewed_at FROM audit.alert")[0][0] is None


def test_nobody_meets_or_reviews_an_alert_about_themselves(log: Log, auditor: Client) -> None:
    alert = refused(log, "auditor")
    assert "No alerts" in auditor.get("/audit/alerts").text
    assert auditor.get(f"/audit/alerts/{alert}").status_code == 404
    assert review(auditor, alert).status_code == 404
    assert log.sql("SELECT reviewed_at FROM audit.alert")[0][0] is None


def test_the_database_itself_shows_an_organisation_its_own_and_nobody_their_own(site: Site, log: Log) -> None:
    refused(log)
    world = site.world

    def seen(organisation: str, user: str) -> int:
        return int(
            site.sql(
                log.database.app,
                "WITH who AS MATERIALIZED (SELECT set_config('hub.organisation_id', :own, true),"
                " set_config('hub.user_id', :me, true)) SELECT count(a.id) FROM who LEFT JOIN LATERAL"
                " (SELECT id FROM audit.alert) AS a ON true",
                own=str(world.organisations[organisation]),
                me=str(world.users[user]),
            )[0][0]
        )

    assert [seen("council", "auditor"), seen("council", "manager"), seen("police", "police_auditor")] == [
        1,
        0,
        0,
    ]
