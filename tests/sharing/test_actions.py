"""What a share must be, in what state it may be answered or ended, and what the database refuses whatever we do."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.models import Grant, Record
from hub.access.vocabulary import Marking, Purpose, Section
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.notifications.models import Notification
from hub.sharing.actions import answer_share, revoke_share, share_record
from hub.sharing.ending import suspend_agreement
from hub.sharing.queries import SharedView, list_shared, waiting_count, waiting_under_other_purposes
from tests.fixtures.shares import led_record, share_form, shared
from tests.fixtures.world import World, act_as, look_at


@pytest.fixture
def record(app: Flask, world: World) -> UUID:
    return led_record(act_as(world, "officer"))


def run(database: SimpleNamespace, sql: str, **values: Any) -> None:
    """As superuser: what no user could do."""
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(sql), values)
    engine.dispose()


def events(database: SimpleNamespace, act: str) -> list[Any]:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = list(
            connection.execute(
                sa.text(
                    "SELECT outcome, object_version, convert_from(body, 'UTF8')::jsonb FROM audit.event WHERE act = :act ORDER BY at"
                ),
                {"act": act},
            )
        )
    engine.dispose()
    return rows


def test_a_share_is_pending_until_it_is_accepted(record: UUID, world: World) -> None:
    grant = shared(world, record, taken_by=None)
    sergeant = act_as(world, "sergeant")
    assert db.session.scalar(sa.select(Record.id)) is None
    assert waiting_count(sergeant) == 1
    db.session.rollback()
    answer_share(sergeant, grant, accept=True)
    db.session.commit()
    assert db.session.scalar(sa.select(Record.id)) == record
    assert waiting_count(sergeant) == 0


def test_each_step_is_an_event_with_its_version_and_the_disclosure_names_its_recipient(
    record: UUID, world: World, database: SimpleNamespace
) -> None:
    grant = shared(world, record)
    revoke_share(act_as(world, "officer"), grant, reason="Solved")
    db.session.commit()
    (asked,), (taken,), (ended,) = (
        events(database, act) for act in ("case.shared", "share.accepted", "share.revoked")
    )
    assert [row[1] for row in (asked, taken, ended)] == [1, 2, 3]
    assert asked[2]["recipients"] == [{"channel": "hub", "organisation": str(world.organisations["police"])}]
    assert asked[2]["basis"]["agreement"] == str(world.agreements["sharing"])
    assert asked[2]["facts"] == {"sections": "summary+chronology"}
    assert set(asked[2]["commitments"]) == {"reason"}


def test_recipients_and_owner_are_told(record: UUID, world: World, database: SimpleNamespace) -> None:
    shared(world, record)
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.connect() as connection:
        told = {
            (row.user_id, row.kind)
            for row in connection.execute(sa.select(Notification.user_id, Notification.kind))
        }
    engine.dispose()
    assert (world.users["sergeant"], "case.shared") in told
    assert (world.users["officer"], "share.accepted") in told
    assert world.users["police_auditor"] not in {user for user, _ in told}
    assert world.users["sergeant_east"] not in {user for user, _ in told}


def test_only_the_recipient_answers(record: UUID, world: World) -> None:
    grant = shared(world, record, taken_by=None)
    with pytest.raises(Denied):
        answer_share(act_as(world, "officer"), grant, accept=True)
    with pytest.raises(NotVisible):
        answer_share(act_as(world, "yot_worker"), grant, accept=True)
    with pytest.raises(Denied):
        answer_share(act_as(world, "police_auditor"), grant, accept=True)
    to_one = shared(
        world, record, taken_by=None, purpose=Purpose.SAFEGUARD_CHILD, to_user_id=world.users["sergeant_east"]
    )
    with pytest.raises(Denied):
        answer_share(act_as(world, "sergeant"), to_one, accept=True)


def test_only_the_lead_ends_a_share(record: UUID, world: World) -> None:
    grant = shared(world, record)
    with pytest.raises(Denied):
        revoke_share(act_as(world, "sergeant"), grant, reason="We are done")
    with pytest.raises(NotVisible):
        revoke_share(act_as(world, "yot_worker"), grant, reason="Nosy")
    with pytest.raises(Invalid):
        revoke_share(act_as(world, "officer"), grant, reason=" ")


def test_a_share_that_is_over_is_neither_answered_nor_ended(record: UUID, world: World) -> None:
    grant = shared(world, record, taken_by=None)
    revoke_share(act_as(world, "officer"), grant, reason="Wrong team")
    db.session.commit()
    with pytest.raises(Conflict):
        answer_share(act_as(world, "sergeant"), grant, accept=True)
    with pytest.raises(Conflict):
        revoke_share(act_as(world, "officer"), grant, reason="Again")
    # and what was ended leaves room for a new one
    shared(world, record)


def test_another_team_of_the_owner_needs_no_agreement_and_no_end(record: UUID, world: World) -> None:
    within = {"to_team_id": world.teams["housing"], "purpose": None, "ends_at": None}
    shared(world, record, to="council", taken_by="housing_officer", **within)
    assert db.session.scalar(sa.select(Record.id)) == record
    with pytest.raises(Invalid):
        share_record(act_as(world, "officer"), record, share_form(world, "council", purpose=None))
    with pytest.raises(Invalid):
        share_record(
            act_as(world, "officer"),
            record,
            share_form(world, "council", to_team_id=world.teams["safety"], purpose=None),
        )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ends_at": None}, "ends"),
        ({"ends_at": clock.now() - timedelta(days=1)}, "ends"),
        ({"ends_at": clock.now() + timedelta(days=3000)}, "ends"),
        ({"sections": (Section.CHRONOLOGY,)}, "sections"),
        ({"reason": "  "}, "reason"),
        ({"purpose": None}, "purpose"),
        ({"to_organisation_id": uuid4()}, "to"),
        ({"to_team_id": uuid4()}, "to"),
        ({"to_user_id": uuid4()}, "to"),
    ],
)
def test_what_a_share_lacks_is_named_by_its_field(
    record: UUID, world: World, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as wrong:
        share_record(act_as(world, "officer"), record, share_form(world, **change))
    assert field in wrong.value.errors


def test_a_team_or_person_of_another_organisation_is_no_recipient(record: UUID, world: World) -> None:
    for change in ({"to_team_id": world.teams["yjs"]}, {"to_user_id": world.users["yot_worker"]}):
        with pytest.raises(Invalid) as wrong:
            share_record(act_as(world, "officer"), record, share_form(world, **change))
        assert "to" in wrong.value.errors


def test_nobody_is_given_what_they_are_not_cleared_for(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    sensitive = led_record(act_as(world, "officer"), marking=Marking.OFFICIAL_SENSITIVE)
    run(database, "UPDATE app_user SET clearance = 0 WHERE id = :id", id=world.users["sergeant"])
    named = {"to_user_id": world.users["sergeant"], "max_marking": Marking.OFFICIAL_SENSITIVE}
    with pytest.raises(Invalid) as wrong:
        share_record(act_as(world, "officer"), sensitive, share_form(world, **named))
    assert "not cleared for OFFICIAL-SENSITIVE" in wrong.value.errors["to"]
    low = led_record(act_as(world, "officer"))
    with pytest.raises(Invalid) as wrong:
        share_record(act_as(world, "officer"), low, share_form(world, **named))
    assert "max_marking" in wrong.value.errors


def refused(world: World, record: UUID, **form: Any) -> Denied:
    with pytest.raises(Denied) as denied:
        share_record(act_as(world, "officer"), record, share_form(world, **form))
    return denied.value


def test_every_refusal_for_want_of_an_agreement_says_why_and_is_recorded(
    record: UUID, world: World, database: SimpleNamespace
) -> None:
    sharing, police = world.agreements["sharing"], world.organisations["police"]
    assert refused(world, record, to="other_council").code == "no_agreement_none"
    assert "not signed yet by Lantern Outreach" in refused(world, record, to="charity").message
    assert "does not permit ‘Tenancy’" in refused(world, record, purpose=Purpose.TENANCY).message
    assert "legal gateway" in refused(world, record, gateway="da21").message
    change = "UPDATE agreement SET {} WHERE id = :id"
    for setting, words, undo in (
        ("starts_at = now() + interval '2 days'", "starts on", "starts_at = now() - interval '30 days'"),
        (
            "suspended_at = now(), suspended_why = 'x'",
            "has been suspended since",
            "suspended_at = NULL, suspended_why = NULL",
        ),
        ("ends_at = now() - interval '1 day'", "ended on", "ends_at = now() + interval '330 days'"),
    ):
        run(database, change.format(setting), id=sharing)
        assert words in refused(world, record).message
        run(database, change.format(undo), id=sharing)
    leave = "UPDATE agreement_party SET left_at = now() WHERE agreement_id = :id AND organisation_id = :party"
    run(database, leave, id=sharing, party=police)
    assert "Northbrook Police left" in refused(world, record).message
    reasons = [row[2]["facts"]["why"] for row in events(database, "share.denied")]
    assert reasons == [
        "none",
        "not_signed",
        "purpose",
        "gateway",
        "not_started",
        "suspended",
        "expired",
        "left",
    ]
    assert all(row[0] == "denied" for row in events(database, "share.denied"))


def test_suspending_the_agreement_stops_its_shares_at_once(record: UUID, world: World) -> None:
    shared(world, record)
    assert db.session.scalar(sa.select(Record.id)) == record
    suspend_agreement(act_as(world, "police_spoc"), world.agreements["sharing"], why="Breach")
    db.session.commit()
    sergeant = act_as(world, "sergeant")
    assert db.session.scalar(sa.select(Record.id)) is None
    assert not list_shared(sergeant).rows
    assert [row.state.value for row in list_shared(sergeant, SharedView.ENDED).rows] == ["revoked"]


def test_a_second_live_share_is_a_conflict_and_leaves_the_rest_of_the_transaction(
    record: UUID, world: World
) -> None:
    shared(world, record)
    officer = act_as(world, "officer")
    first = share_record(officer, record, share_form(world, purpose=Purpose.SAFEGUARD_CHILD)).id
    with pytest.raises(Conflict):
        share_record(officer, record, share_form(world))
    db.session.commit()
    assert db.session.scalar(sa.select(Grant.state).where(Grant.id == first)) == "pending"


def test_a_share_may_list_other_records_with_a_grant_each(record: UUID, world: World) -> None:
    officer = act_as(world, "officer")
    other = led_record(officer)
    share_record(officer, record, share_form(world), also=[other])
    db.session.commit()
    assert set(db.session.scalars(sa.select(Grant.record_id))) == {record, other}


def test_a_share_starts_in_the_past_only_when_it_is_loaded(record: UUID, world: World) -> None:
    with pytest.raises(Invalid):
        share_record(
            act_as(world, "officer"), record, share_form(world), starts_at=clock.now() - timedelta(days=2)
        )


def test_shares_under_other_purposes_are_counted_while_they_hold(record: UUID, world: World) -> None:
    shared(world, record, purpose=Purpose.SAFEGUARD_CHILD)
    assert waiting_under_other_purposes(act_as(world, "sergeant")) == {"safeguard_child": 1}
    assert waiting_under_other_purposes(act_as(world, "sergeant", purpose=Purpose.SAFEGUARD_CHILD)) == {}
    assert waiting_under_other_purposes(act_as(world, "yot_worker", purpose=Purpose.TENANCY)) == {}


# ---- what the database refuses, whatever the code does -----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (
            "agreement_id = NULL, agreement_ends_at = NULL, agreement_sections = NULL",
            "outside_needs_agreement",
        ),
        ("agreement_sections = NULL", "agreement_terms_copied"),
        ("ends_at = NULL", "outside_needs_agreement"),
        ("purpose = NULL", "outside_needs_agreement"),
        ("ends_at = agreement_ends_at + interval '1 second'", "ends_within_agreement"),
        ("ends_at = starts_at", "ends_after_start"),
        ("sections = ARRAY['chronology']", "summary_or_fact"),
        ("fact_only = true", "summary_or_fact"),
        ("lawful_basis = 'art6_1a'", "consent_basis_names_consent"),
        ("sections = ARRAY['summary', 'secrets']", "sections_known"),
        ("reason = ' '", "reason_given"),
        ("revoked_at = now()", "revoked_together"),
        ("state = 'pending'", "answered_unless_pending"),
    ],
)
def test_a_grant_that_cannot_be_is_refused_by_a_constraint(
    record: UUID, world: World, database: SimpleNamespace, change: str, constraint: str
) -> None:
    grant = shared(world, record)
    with pytest.raises(sa.exc.IntegrityError, match=f"ck_record_grant_{constraint}"):
        run(database, f"UPDATE record_grant SET {change} WHERE id = :id", id=grant)


@pytest.mark.parametrize(
    ("user", "change"),
    [
        ("sergeant", "sections = ARRAY['summary', 'health']"),
        ("sergeant", "ends_at = ends_at + interval '1 day'"),
        ("sergeant", "may_contribute = true"),
        ("officer", "to_organisation_id = owner_organisation_id"),
        ("officer", "state = 'accepted', answered_at = now(), answered_by = requested_by"),
        ("sergeant", "revoked_at = now(), revoked_by = requested_by, revoked_why = 'x'"),
    ],
)
def test_a_share_is_never_widened_nor_answered_by_the_wrong_side(
    record: UUID, world: World, app: Flask, user: str, change: str
) -> None:
    grant = shared(world, record, taken_by=None)
    act_as(world, user)
    with pytest.raises(sa.exc.ProgrammingError):
        db.session.execute(sa.text(f"UPDATE record_grant SET {change} WHERE id = :id"), {"id": grant})


def test_an_ended_share_is_not_reopened(record: UUID, world: World, app: Flask) -> None:
    grant = shared(world, record)
    revoke_share(act_as(world, "officer"), grant, reason="Solved")
    db.session.commit()
    with pytest.raises(sa.exc.ProgrammingError, match="ended once"):
        db.session.execute(
            sa.text(
                "UPDATE record_grant SET revoked_at = NULL, revoked_by = NULL, revoked_why = NULL WHERE id = :id"
            ),
            {"id": grant},
        )


def test_a_grant_follows_the_facts_of_its_record(record: UUID, world: World, app: Flask) -> None:
    grant = shared(world, record)
    look_at(act_as(world, "officer"))
    db.session.execute(sa.update(Record).values(open_to_owner=True))
    db.session.commit()
    assert db.session.scalar(sa.select(Grant.open_to_owner).where(Grant.id == grant)) is True
