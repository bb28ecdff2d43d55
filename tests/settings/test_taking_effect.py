"""Every number that a partnership may set counts from its day and not before; what was counted under the old one stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

import pytest

from hub.access.actor import NOBODY, RequestFacts
from hub.access.guard import enter
from hub.access.permissions import Role
from hub.access_requests.deadlines import offered
from hub.access_requests.vocabulary import Urgency
from hub.accounts import sessions
from hub.accounts.models import Team, User
from hub.accounts.vocabulary import Method
from hub.agreements.warning import threshold
from hub.assurances import jobs as assurance_jobs
from hub.assurances.queries import find_standing
from hub.attestations import dormant
from hub.attestations import jobs as attestation_jobs
from hub.attestations.policy import due_of
from hub.audit.policy import LogPurpose
from hub.audit.recording import append
from hub.cases.actions import move_case
from hub.cases.vocabulary import CaseStatus
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.ids import new_id
from hub.extensions import db
from hub.jobs import warnings
from hub.reviews.actions import draw_sample
from hub.reviews.forms import SampleForm
from hub.settings.catalogue import (
    AGREEMENT_WARNING_FIRST,
    AGREEMENT_WARNING_LAST,
    AGREEMENT_WARNING_SECOND,
    ASSURANCE_GRACE,
    ASSURANCE_WARNING,
    ATTESTATION_DAYS,
    DORMANT_DAYS,
    IDLE_MINUTES,
    IDLE_MINUTES_STRICT,
    INVITATION_HOURS,
    MONITORING_DAYS,
    REQUEST_ROUTINE_DAYS,
    REQUEST_SOON_DAYS,
    REQUEST_URGENT_HOURS,
    RESET_MINUTES,
    SAMPLE_DAYS,
    SESSION_HOURS,
    SHARE_DAYS,
)
from hub.settings.values import Values, values_of
from hub.sharing.policy import usual_length
from tests.access_requests.conftest import asked, known_case
from tests.agreements.drafting import agreed
from tests.conftest import by_worker
from tests.fixtures.site import Site
from tests.fixtures.world import act_as
from tests.settings.conftest import Hand, Sql

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
JOBS = {
    "dormant": by_worker(dormant.suspend_dormant),
    "attest": by_worker(attestation_jobs.attest_access),
    "agreements": by_worker(warnings.warn_of_ends),
    "assurances": by_worker(assurance_jobs.warn_of_ending),
}


def run(site: Site, job: str) -> int:
    with site.inside():
        enter(db.session(), NOBODY)
        return JOBS[job](Event())


def near(found: timedelta, wanted: timedelta) -> bool:
    return abs(found - wanted) < MINUTE


def started(site: Site, user: str, team: str) -> tuple[str, timedelta]:
    """A new session, and how long it may be idle."""
    with site.inside():
        enter(db.session(), NOBODY)
        world = site.world
        token = sessions.start(
            db.session.get_one(User, world.users[user]),
            db.session.get_one(Team, world.teams[team]),
            method=Method.OPERATOR,
        )
        db.session.commit()
        visit = sessions.identify(token, RequestFacts(), False)
        assert visit is not None
        return token, visit.expires_at - clock.now()


def test_idle_time_follows_its_day_and_a_session_goes_on_by_what_holds_now(
    site: Site, hand: Hand, sql: Sql
) -> None:
    hand.set(IDLE_MINUTES, 6)
    token, lasts = started(site, "officer", "safety")
    assert near(lasts, 15 * MINUTE)
    hand.come()
    # what it was given stays until it is used again
    with site.inside():
        enter(db.session(), NOBODY)
        visit = sessions.identify(token, RequestFacts(), True)
        assert visit is not None and near(visit.expires_at - clock.now(), 15 * MINUTE)
    sql("UPDATE user_session SET last_seen_at = now() - interval '31 seconds'")
    with site.inside():
        enter(db.session(), NOBODY)
        sessions.identify(token, RequestFacts(), True)
        visit = sessions.identify(token, RequestFacts(), False)
        assert visit is not None and near(visit.expires_at - clock.now(), 6 * MINUTE)
    assert near(started(site, "officer", "safety")[1], 6 * MINUTE)
    # never longer than everybody else, and another partnership has its own
    assert near(started(site, "spoc", "safety")[1], 6 * MINUTE)
    assert near(started(site, "sergeant_east", "npt_east")[1], 15 * MINUTE)


def test_idle_time_of_administrators_follows_its_day(site: Site, hand: Hand) -> None:
    hand.set(IDLE_MINUTES_STRICT, 5)
    assert near(started(site, "spoc", "safety")[1], 10 * MINUTE)
    hand.come()
    assert near(started(site, "spoc", "safety")[1], 5 * MINUTE)
    assert near(started(site, "auditor", "safety")[1], 5 * MINUTE)
    assert near(started(site, "officer", "safety")[1], 15 * MINUTE)


def test_a_session_ends_by_the_hours_that_hold(site: Site, hand: Hand, sql: Sql) -> None:
    token, _ = started(site, "officer", "safety")
    hand.set(SESSION_HOURS, 4)
    aged = "UPDATE user_session SET created_at = now() - interval '3 hours 55 minutes', last_seen_at = now() - interval '1 minute'"
    for wanted in (15 * MINUTE, 5 * MINUTE):
        sql(aged)
        with site.inside():
            enter(db.session(), NOBODY)
            sessions.identify(token, RequestFacts(), True)
            visit = sessions.identify(token, RequestFacts(), False)
            assert visit is not None and near(visit.expires_at - clock.now(), wanted)
        hand.come()


def test_no_setting_of_a_session_is_weaker_than_the_security_requirement() -> None:
    roles = frozenset({Role.ADMINISTRATOR})
    for setting, most in ((IDLE_MINUTES, 15), (IDLE_MINUTES_STRICT, 10), (SESSION_HOURS, 10)):
        assert setting.kind.read(str(most)) == most == setting.default
        assert setting.kind.read(str(most + 1)) is None
    for setting, most in ((INVITATION_HOURS, 48), (RESET_MINUTES, 60), (ASSURANCE_GRACE, 30)):
        assert setting.kind.read(str(most + 1)) is None
    assert sessions.Limits(5 * MINUTE, 10 * MINUTE, HOUR).idle(roles) == 5 * MINUTE


def test_links_of_invitations_and_resets_follow_their_day(site: Site, hand: Hand, sql: Sql) -> None:
    hand.set(INVITATION_HOURS, 2)
    hand.set(RESET_MINUTES, 15)
    spoc, form = site.as_user("spoc"), {"name": "Lu Hall", "job_title": "Warden", "roles": ["practitioner"]}
    form["team_id"] = str(site.world.teams["safety"])

    def left(email: str) -> timedelta:
        [row] = sql("SELECT enrolment_expires_at AS at FROM app_user WHERE email = :email", email=email)
        return row.at - clock.now()

    first = spoc.post("/admin/users/new", {**form, "email": "one@example.org"})
    assert first.status_code == 200 and "48 hours" in first.text
    spoc.post(f"/admin/users/{site.world.users['officer']}/reset")
    assert near(left("one@example.org"), 48 * HOUR) and near(left("officer@example.org"), HOUR)
    hand.come()
    second = spoc.post("/admin/users/new", {**form, "email": "two@example.org"})
    assert "2 hours" in second.text and near(left("two@example.org"), 2 * HOUR)
    reset = spoc.post(f"/admin/users/{site.world.users['manager']}/reset")
    assert "15 minutes" in reset.text and near(left("manager@example.org"), 15 * MINUTE)
    # what was given under the old number is as good as it was
    assert near(left("one@example.org"), 48 * HOUR)


def test_unused_accounts_follow_the_shortest_of_their_partnerships(site: Site, hand: Hand, sql: Sql) -> None:
    sql("UPDATE app_user SET created_at = now() - interval '25 days'")
    hand.set(DORMANT_DAYS, 20)
    assert run(site, "dormant") == 0
    hand.come()
    assert run(site, "dormant") > 0

    def out(user: str) -> bool:
        return bool(sql("SELECT disabled_at FROM app_user WHERE id = :id", id=site.world.users[user])[0][0])

    # the police sit in both partnerships, and so go by the shorter time there too; the other council does not
    assert out("officer") and out("sergeant") and out("sergeant_east") and not out("east_officer")


def test_access_lists_follow_their_day_and_one_that_was_made_keeps_its_due(
    site: Site, hand: Hand, sql: Sql
) -> None:
    hand.set(ATTESTATION_DAYS, 28)
    run(site, "attest")
    [council] = sql(
        "SELECT due_at FROM attestation WHERE organisation_id = :id", id=site.world.organisations["council"]
    )
    assert council.due_at == due_of(clock.now(), 14)
    hand.come()
    assert run(site, "attest") == 0
    [again] = sql(
        "SELECT due_at FROM attestation WHERE organisation_id = :id", id=site.world.organisations["council"]
    )
    assert again.due_at == council.due_at
    sql("DELETE FROM attestation_line; DELETE FROM attestation")
    run(site, "attest")
    due = dict(tuple(row) for row in sql("SELECT organisation_id, due_at FROM attestation"))
    where = site.world.organisations
    assert due[where["council"]] == due[where["police"]] == due_of(clock.now(), 28)
    assert due[where["other_council"]] == due_of(clock.now(), 14)


def test_agreements_are_told_of_by_the_days_that_hold(site: Site, hand: Hand, sql: Sql) -> None:
    with site.inside():
        pact = agreed(site.world, "council", "police", days=100)
    hand.set(AGREEMENT_WARNING_FIRST, 120)
    hand.set(AGREEMENT_WARNING_SECOND, 20)
    hand.set(AGREEMENT_WARNING_LAST, 3)

    def warned_at(days: int) -> int:
        sql(
            "UPDATE agreement SET ends_at = now() + make_interval(days => :days) - interval '1 hour' WHERE id = :id",
            days=days,
            id=pact,
        )
        return run(site, "agreements")

    assert warned_at(100) == 0
    hand.come()
    assert [warned_at(days) for days in (121, 120, 30, 20, 7, 3)] == [0, 1, 0, 1, 0, 1]
    given = sql("SELECT days FROM agreement_step WHERE agreement_id = :id AND days IS NOT NULL", id=pact)
    assert sorted(row.days for row in given) == [3, 20, 120]
    assert threshold(clock.now() + 60 * DAY - HOUR, clock.now(), Values()) == 60


def test_the_end_of_an_assurance_is_told_of_by_the_days_that_hold(site: Site, hand: Hand, sql: Sql) -> None:
    sql(
        "INSERT INTO assurance (id, created_at, organisation_id, form_version, answers, state, submitted_by, submitted_at,"
        " reviewed_at, reviewed_by, review_note, valid_until, revision) SELECT gen_random_uuid(), now(), :council, 1, '{}',"
        " 'accepted', :user, now(), now(), :other, '', now() + interval '50 days', 1",
        council=site.world.organisations["council"],
        user=site.world.users["spoc"],
        other=site.world.users["police_spoc"],
    )
    hand.set(ASSURANCE_WARNING, 60)
    assert run(site, "assurances") == 0
    hand.come()
    assert run(site, "assurances") == 1 and run(site, "assurances") == 0


def test_the_grace_of_a_new_organisation_follows_its_day(site: Site, hand: Hand, sql: Sql) -> None:
    sql("UPDATE organisation SET created_at = now() - interval '10 days'")
    hand.set(ASSURANCE_GRACE, 5)
    for blocks in (False, True):
        with site.inside():
            assert find_standing(act_as(site.world, "spoc")).blocks is blocks
        hand.come()


def test_a_share_is_offered_for_as_long_as_holds(site: Site, hand: Hand) -> None:
    hand.set(SHARE_DAYS, 30)
    for days in (90, 30):
        with site.inside():
            assert usual_length(act_as(site.world, "officer")) == days * DAY
            assert usual_length(act_as(site.world, "east_officer")) == 90 * DAY
        hand.come()


def test_requests_are_due_by_what_held_when_they_were_made(site: Site, hand: Hand, sql: Sql) -> None:
    with site.inside():
        known_case(site.world)
    hand.set(REQUEST_URGENT_HOURS, 3)
    hand.set(REQUEST_SOON_DAYS, 2)
    hand.set(REQUEST_ROUTINE_DAYS, 10)

    def ask(urgency: Urgency) -> UUID:
        with site.inside():
            return asked(site.world, urgency=urgency)

    def due(request_id: UUID) -> datetime:
        found: datetime = sql("SELECT due_at FROM access_request WHERE id = :id", id=request_id)[0][0]
        return found

    urgencies = (Urgency.IMMEDIATE_RISK, Urgency.WITHIN_5_DAYS, Urgency.ROUTINE)
    before = [ask(one) for one in urgencies]
    kept = [due(one) for one in before]
    # two working days are four days at the most, five are five at the least
    assert near(kept[0] - clock.now(), HOUR) and kept[1] - clock.now() > 4.8 * DAY
    hand.come()
    after = [due(ask(one)) for one in urgencies]
    assert near(after[0] - clock.now(), 3 * HOUR)
    assert after[1] - clock.now() < 4.2 * DAY and after[2] - clock.now() < 15 * DAY < kept[2] - clock.now()
    assert [due(one) for one in before] == kept
    with site.inside():
        enter(db.session(), NOBODY)
        words = {
            code: f"{label} {hint}"
            for code, label, hint in offered(values_of(site.world.partnerships["northbrook"]))
        }
    assert "Within 2 working days" in words["5_working_days"]
    assert "10 days" in words["routine_20_working_days"] and "3 hours" in words["immediate_risk"]


def test_a_sample_is_answered_within_the_days_that_hold(site: Site, hand: Hand, sql: Sql) -> None:
    hand.set(SAMPLE_DAYS, 3)
    auditor = site.as_user("auditor")
    auditor.post("/audit/purpose", {"purpose": "self_monitoring", "next": "/audit"})
    for days in (7, 3):
        assert f"{days} days to answer" in auditor.get("/audit/samples/new").text
        with site.inside():
            append(
                act_as(site.world, "officer"), "case.opened", object_id=new_id(), facts={"part": "summary"}
            )
            db.session.commit()
            form = SampleForm(clock.now() - DAY, clock.now() + MINUTE, 1, None, "case.opened")
            drawn = draw_sample(act_as(site.world, "auditor"), form, purpose=LogPurpose.SELF_MONITORING)
            db.session.commit()
            sample_id = drawn.id
        [row] = sql("SELECT due_at FROM audit.sample WHERE id = :id", id=sample_id)
        assert near(row.due_at - clock.now(), days * DAY)
        hand.come()


def test_cases_are_monitored_for_as_long_as_holds(site: Site, hand: Hand) -> None:
    hand.set(MONITORING_DAYS, 30)
    with site.inside():
        cases = [known_case(site.world).id for _ in range(2)]
        for case_id in cases:
            for to in (CaseStatus.TRIAGE, CaseStatus.OPEN):
                move_case(act_as(site.world, "officer"), case_id, to)
                db.session.commit()
        move_case(
            act_as(site.world, "officer"), cases[0], CaseStatus.MONITORING, until=clock.now() + 91 * DAY
        )
        db.session.commit()
    hand.come()
    with site.inside(), pytest.raises(Invalid) as refused:
        move_case(
            act_as(site.world, "officer"), cases[1], CaseStatus.MONITORING, until=clock.now() + 31 * DAY
        )
    assert refused.value.errors == {"until": "Monitoring lasts 30 days at most"}
