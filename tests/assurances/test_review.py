"""Partner assurance: answered, reviewed by another organisation, ended, and what its lack blocks."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.assurances import jobs
from hub.assurances.policy import Position, Standing
from hub.assurances.questions import questionnaire
from hub.core.clock import LONDON
from hub.extensions import db
from hub.settings.values import Values
from tests.conftest import by_worker
from tests.fixtures.site import Client, Site

warn_of_ending = by_worker(jobs.warn_of_ending)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INVITATION = {
    "name": "Łucja Hall",
    "email": "lucja.hall@example.org",
    "job_title": "Warden",
    "roles": ["practitioner"],
}


def answers(**changes: str) -> dict[str, str]:
    given = {one.code: "yes" for one in questionnaire().questions}
    given |= {f"{one.code}-evidence": f"See paper {one.code}" for one in questionnaire().questions}
    return {**given, **changes}


def submit(client: Client, **changes: str) -> str:
    answer = client.post("/assurance/answer", answers(**changes))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def review(
    client: Client, address: str, outcome: str = "accepted", *, days: int = 200, note: str = ""
) -> Any:
    until = datetime.now(LONDON) + timedelta(days=days)
    parts = {"until-day": until.day, "until-month": until.month, "until-year": until.year}
    return client.post(f"{address}/review", {"outcome": outcome, "note": note, **parts})


def age(site: Site, database: SimpleNamespace, days: int, organisation: str = "council") -> None:
    site.sql(
        database.superuser,
        "UPDATE organisation SET created_at = now() - make_interval(days => :days) WHERE id = :id",
        days=days,
        id=site.world.organisations[organisation],
    )


def invite(site: Site, client: Client) -> Any:
    return client.post("/admin/users/new", {**INVITATION, "team_id": str(site.world.teams["safety"])})


@pytest.mark.parametrize(
    ("since", "until", "standing", "blocks"),
    [
        (NOW, None, Standing.NEW, False),
        (NOW - 29 * DAY, None, Standing.NEW, False),
        (NOW - 30 * DAY, None, Standing.MISSING, True),
        (NOW, NOW + 31 * DAY, Standing.ACCEPTED, False),
        (NOW - 900 * DAY, NOW + 30 * DAY, Standing.ENDS_SOON, False),
        (NOW, NOW + timedelta(seconds=1), Standing.ENDS_SOON, False),
        (NOW, NOW, Standing.LAPSED, True),
        (NOW - DAY, NOW - DAY, Standing.LAPSED, True),
    ],
)
def test_how_an_organisation_stands(
    since: datetime, until: datetime | None, standing: Standing, blocks: bool
) -> None:
    found = Position(since, until).standing(NOW, Values())
    assert found is standing and found.blocks is blocks


def test_the_questionnaire_is_whole() -> None:
    codes = [one.code for one in questionnaire().questions]
    assert len(codes) == len(set(codes)) == 14 and questionnaire().version == 1
    assert all(one.text.endswith(".") and one.evidence for one in questionnaire().questions)


def test_answers_are_given_reviewed_by_a_partner_and_hold_until_a_day(
    site: Site, database: SimpleNamespace
) -> None:
    spoc, partner = site.as_user("spoc"), site.as_user("police_spoc")
    assert "Not accepted yet" in spoc.get("/assurance").text
    address = submit(spoc)
    told = site.sql(
        database.superuser, "SELECT user_id, address FROM notification WHERE kind = 'assurance.submitted'"
    )
    assert {row.address for row in told} == {address}
    assert {site.world.users["police_spoc"], site.world.users["yjs_spoc"]} <= {row.user_id for row in told}
    assert site.world.users["charity_spoc"] not in {row.user_id for row in told}
    page = html.unescape(partner.get(address).text)
    assert "Northbrook Council" in page and "See paper mfa" in page and "Review these answers" in page
    assert "Review these answers" not in spoc.get(address).text
    waiting = partner.get("/assurance/partners?show=waiting").text
    assert "Northbrook Council" in waiting and "Youth Justice" not in waiting
    assert review(partner, address).status_code == 303
    assert "Accepted" in spoc.get("/assurance").text
    assert "Northbrook Council" not in partner.get("/assurance/partners?show=waiting").text
    assert "Ola Brandt, Northbrook Police" in html.unescape(spoc.get(address).text)
    reviewed = "SELECT user_id FROM notification WHERE kind = 'assurance.reviewed'"
    assert [row.user_id for row in site.sql(database.superuser, reviewed)] == [site.world.users["spoc"]]
    assert review(partner, address).status_code == 409
    acts = site.sql(database.superuser, "SELECT act FROM audit.event WHERE act LIKE 'assurance.%'")
    assert {row.act for row in acts} == {
        f"assurance.{what}" for what in ("submitted", "reviewed", "listed", "opened")
    }


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_lost(site: Site) -> None:
    spoc = site.as_user("spoc")
    wrong = spoc.post(
        "/assurance/answer", answers(**{"mfa": "perhaps", "leavers-evidence": " ", "devices": ""})
    )
    assert wrong.status_code == 422 and "See paper vetting" in wrong.text
    for words in (
        "Question 6: choose an answer",
        "Question 4: enter the evidence",
        "Question 7: choose an answer",
    ):
        assert words in wrong.text
    # no evidence is asked for a no
    address = submit(spoc, **{"mfa": "no", "mfa-evidence": ""})
    partner = site.as_user("police_spoc")
    for outcome, days, note, words in (
        ("", 10, "", "Choose whether"),
        ("submitted", 10, "", "Choose whether"),
        ("returned", 10, " ", "Enter what is missing"),
        ("accepted", -1, "", "today or later"),
        ("accepted", 400, "", "within a year"),
    ):
        answer = review(partner, address, outcome, days=days, note=note)
        assert answer.status_code == 422 and words in answer.text, words
    assert partner.post(f"{address}/review", {"outcome": "accepted"}).status_code == 422
    assert review(partner, address, days=366).status_code == 303


def test_answers_are_returned_with_a_reason_and_given_anew(site: Site) -> None:
    spoc, partner = site.as_user("spoc"), site.as_user("police_spoc")
    first = submit(spoc)
    assert review(partner, first, "returned", note="The certificate is old").status_code == 303
    assert "The certificate is old" in spoc.get(first).text
    assert "Returned with a reason" in spoc.get("/assurance").text
    second, third = submit(spoc), submit(spoc)
    assert review(partner, second).status_code == 409
    assert "Review these answers" not in partner.get(second).text
    assert review(partner, third).status_code == 303


def test_nobody_reviews_their_own_organisation(site: Site, database: SimpleNamespace) -> None:
    spoc = site.as_user("spoc")
    address = submit(spoc)
    refused = review(spoc, address)
    assert refused.status_code == 403 and "A partner reviews" in html.unescape(refused.text)
    for reviewer in ("spoc", "manager"):
        # the first is refused by a constraint as well, the second by the database's watch alone
        with pytest.raises(sa.exc.DBAPIError):
            site.sql(
                database.superuser,
                "UPDATE assurance SET state = 'accepted', reviewed_by = :who, reviewed_at = now(), valid_until = now()",
                who=site.world.users[reviewer],
            )
    with pytest.raises(sa.exc.IntegrityError, match="reviewed_by_another"):
        site.sql(
            database.superuser,
            "ALTER TABLE assurance DISABLE TRIGGER watch_assurance;"
            " UPDATE assurance SET state = 'accepted', reviewed_by = submitted_by, reviewed_at = now(), valid_until = now()",
        )


def test_who_has_no_agreement_with_an_organisation_sees_nothing_of_it(
    site: Site, database: SimpleNamespace
) -> None:
    address = submit(site.as_user("spoc"))
    for user in ("charity_spoc",):
        client = site.as_user(user)
        assert client.get(address).status_code == 404 and review(client, address).status_code == 404
        assert "Northbrook Council" not in client.get("/assurance/partners").text
    for user in ("officer", "manager", "auditor"):
        client = site.as_user(user)
        assert client.get(address).status_code == client.get("/assurance").status_code == 403
    partner = site.as_user("police_spoc")
    assert partner.get(address).status_code == 200
    site.sql(
        database.superuser,
        "UPDATE agreement_party SET left_at = now() WHERE organisation_id = :id",
        id=site.world.organisations["police"],
    )
    assert partner.get(address).status_code == 404
    assert "No partner yet" in partner.get("/assurance/partners").text


def test_without_an_accepted_assurance_no_new_users_are_invited(
    site: Site, database: SimpleNamespace
) -> None:
    spoc, partner = site.as_user("spoc"), site.as_user("police_spoc")
    age(site, database, 31)
    assert "No new users can be invited" in spoc.get("/assurance").text
    refused = invite(site, spoc)
    assert refused.status_code == 409 and "No partner has accepted" in html.unescape(refused.text)
    address = submit(spoc)
    assert invite(site, spoc).status_code == 409
    assert review(partner, address).status_code == 303
    assert invite(site, spoc).status_code == 200
    site.sql(
        database.superuser,
        "UPDATE app_user SET email = 'x@example.org' WHERE email = 'lucja.hall@example.org'",
    )
    end(site, database, -1)
    lapsed = invite(site, spoc)
    assert lapsed.status_code == 409 and "has lapsed" in html.unescape(lapsed.text)
    # answers that wait do not open it again
    submit(spoc)
    assert invite(site, spoc).status_code == 409
    assert not site.sql(database.superuser, "SELECT 1 FROM app_user WHERE email = 'lucja.hall@example.org'")


def end(site: Site, database: SimpleNamespace, days: int) -> UUID:
    # a review is never changed by the service: the clock is, here
    site.sql(database.superuser, "ALTER TABLE assurance DISABLE TRIGGER watch_assurance")
    rows = site.sql(
        database.superuser,
        "UPDATE assurance SET valid_until = now() + make_interval(days => :days) WHERE state = 'accepted' RETURNING id",
        days=days,
    )
    found: UUID = rows[0][0]
    return found


def test_a_new_organisation_may_invite_for_its_first_month(site: Site, database: SimpleNamespace) -> None:
    age(site, database, 29)
    assert invite(site, site.as_user("spoc")).status_code == 200


def test_administrators_are_warned_once_before_the_end(site: Site, database: SimpleNamespace) -> None:
    review(site.as_user("police_spoc"), submit(site.as_user("spoc")))

    def warn() -> int:
        with site.inside():
            enter(db.session(), NOBODY)
            return warn_of_ending(Event())

    assert warn() == 0
    end(site, database, 31)
    assert warn() == 0
    end(site, database, 29)
    assert warn() == 1 and warn() == 0
    rows = site.sql(database.superuser, "SELECT user_id FROM notification WHERE kind = 'assurance.warned'")
    assert [row.user_id for row in rows] == [site.world.users["spoc"]]
    assert "It ends soon" in site.as_user("spoc").get("/assurance").text
