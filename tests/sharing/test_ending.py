"""What ends with an agreement: its shares, live and waiting, in the same transaction; written down, told, never reopened."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.models import Agreement, Record
from hub.access.vocabulary import Purpose, Section
from hub.core.errors import Denied, Invalid
from hub.extensions import db
from hub.sharing.actions import share_record
from hub.sharing.ending import end_agreement, leave_agreement, resume_agreement, suspend_agreement
from tests.agreements.drafting import agreed
from tests.fixtures.shares import led_case, led_record, share_form, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as


@pytest.fixture
def record(app: Flask, world: World) -> UUID:
    return led_record(act_as(world, "officer"))


def rows(database: SimpleNamespace, sql: str, **values: Any) -> list[Any]:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sa.text(sql), values)
        found = list(result) if result.returns_rows else []
    engine.dispose()
    return found


def open_shares(database: SimpleNamespace) -> set[UUID]:
    return {row.id for row in rows(database, "SELECT id FROM record_grant WHERE revoked_at IS NULL")}


def closed(database: SimpleNamespace) -> dict[UUID, str]:
    """Share → why, by the events."""
    found = rows(
        database,
        "SELECT object_id, convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'why' AS why FROM audit.event"
        " WHERE act = 'share.closed'",
    )
    assert len({row.object_id for row in found}) == len(found), "a share was closed twice"
    return {row.object_id: row.why for row in found}


def notices(database: SimpleNamespace, kind: str) -> Counter[str]:
    found = rows(
        database,
        "SELECT split_part(u.email, '@', 1) AS who FROM notification n JOIN app_user u ON u.id = n.user_id"
        " WHERE n.kind = :kind",
        kind=kind,
    )
    return Counter(row.who for row in found)


def visible() -> bool:
    return db.session.scalar(sa.select(Record.id)) is not None


@pytest.mark.parametrize(
    ("act", "why"), [(suspend_agreement, "agreement_suspended"), (end_agreement, "agreement_ended")]
)
def test_live_and_waiting_shares_end_in_the_same_transaction(
    act: Any, why: str, record: UUID, world: World, database: SimpleNamespace
) -> None:
    live = shared(world, record)
    waiting = shared(world, led_record(act_as(world, "officer")), taken_by=None)
    other = agreed(world, "council", "police")
    elsewhere = shared(world, led_record(act_as(world, "officer")), agreement_id=other)
    act(act_as(world, "spoc"), world.agreements["sharing"], why="Breach")
    # nobody else sees half of it
    assert open_shares(database) == {live, waiting, elsewhere}
    db.session.rollback()
    assert open_shares(database) == {live, waiting, elsewhere} and closed(database) == {}

    act(act_as(world, "spoc"), world.agreements["sharing"], why="Breach")
    db.session.commit()
    assert open_shares(database) == {elsewhere}
    assert closed(database) == {live: why, waiting: why}


def test_whom_it_concerns_is_told_once_and_the_parties_administrators_too(
    record: UUID, world: World, database: SimpleNamespace
) -> None:
    for _ in range(3):
        shared(world, led_record(act_as(world, "officer")))
    # one alone concerns the youth justice service
    shared(world, record, to="yjs", taken_by="yot_worker", purpose=Purpose.SAFEGUARD_CHILD)
    suspend_agreement(act_as(world, "police_spoc"), world.agreements["sharing"], why="Breach")
    db.session.commit()
    assert notices(database, "share.closed") == {"officer": 1, "sergeant": 1, "yot_worker": 1}
    told = rows(
        database,
        "SELECT u.email, n.reference, n.address FROM notification n JOIN app_user u ON u.id = n.user_id"
        " WHERE kind = 'share.closed'",
    )
    about = {row.email.split("@")[0]: (row.reference, row.address) for row in told}
    agreement = f"/agreements/{world.agreements['sharing']}"
    assert about["officer"][1] == about["sergeant"][1] == agreement
    reference = rows(database, "SELECT reference FROM record WHERE id = :id", id=record)[0].reference
    assert about["yot_worker"] == (reference, "/shared")
    assert notices(database, "agreement.suspended") == {"spoc": 1, "yjs_spoc": 1}


def test_resuming_reopens_nothing(record: UUID, world: World, database: SimpleNamespace) -> None:
    live = shared(world, record)
    waiting = shared(world, led_record(act_as(world, "officer")), taken_by=None)
    sharing = world.agreements["sharing"]
    suspend_agreement(act_as(world, "spoc"), sharing, why="Breach")
    db.session.commit()
    resume_agreement(act_as(world, "spoc"), sharing)
    db.session.commit()
    assert open_shares(database) == set()
    act_as(world, "sergeant")
    assert not visible()
    assert set(closed(database)) == {live, waiting}
    assert notices(database, "agreement.resumed") == {"police_spoc": 1, "yjs_spoc": 1}
    # shared anew, it holds
    shared(world, record)
    act_as(world, "sergeant")
    assert visible()


def test_what_slipped_in_while_it_was_suspended_ends_when_it_is_resumed(
    record: UUID, world: World, database: SimpleNamespace
) -> None:
    """A share that was checked before the suspension and written after it."""
    sharing = world.agreements["sharing"]
    suspend_agreement(act_as(world, "spoc"), sharing, why="Breach")
    db.session.commit()
    form = "UPDATE agreement SET suspended_at = {0}, suspended_why = {1} WHERE id = :id"
    rows(database, "ALTER TABLE agreement DISABLE TRIGGER close_shares")
    rows(database, form.format("NULL", "NULL"), id=sharing)
    late = shared(world, record, taken_by=None)
    rows(database, form.format("now()", "'Breach'"), id=sharing)
    rows(database, "ALTER TABLE agreement ENABLE TRIGGER close_shares")
    assert open_shares(database) == {late}
    db.session.rollback()
    resume_agreement(act_as(world, "spoc"), sharing)
    db.session.commit()
    assert open_shares(database) == set() and set(closed(database)) == {late}


def test_leaving_ends_the_shares_of_that_party_alone(
    record: UUID, world: World, database: SimpleNamespace
) -> None:
    to_police = shared(world, record)
    to_yjs = shared(world, record, to="yjs", taken_by="yot_worker", purpose=Purpose.SAFEGUARD_CHILD)
    theirs = led_record(act_as(world, "sergeant"))
    from_police = shared(world, theirs, by="sergeant", to="council", taken_by="officer")
    leave_agreement(act_as(world, "police_spoc"), world.agreements["sharing"], why="No longer needed")
    db.session.commit()
    assert open_shares(database) == {to_yjs}
    assert closed(database) == {to_police: "party_left", from_police: "party_left"}
    assert notices(database, "agreement.left") == {"spoc": 1, "yjs_spoc": 1}
    act_as(world, "sergeant")
    assert set(db.session.scalars(sa.select(Record.id))) == {theirs}
    act_as(world, "yot_worker", purpose=Purpose.SAFEGUARD_CHILD)
    assert visible()
    with pytest.raises(Denied, match="left"):
        share_record(act_as(world, "officer"), record, share_form(world))


def test_ending_by_the_last_leaver_closes_each_share_once(
    record: UUID, world: World, database: SimpleNamespace
) -> None:
    pair = agreed(world, "council", "police")
    live = shared(world, record, agreement_id=pair)
    leave_agreement(act_as(world, "police_spoc"), pair, why="No longer needed")
    db.session.commit()
    assert closed(database) == {live: "party_left"}
    acts = rows(database, "SELECT act FROM audit.event WHERE object_id = :id ORDER BY at", id=pair)
    assert [row.act for row in acts][-2:] == ["agreement.left", "agreement.ended"]


def test_a_reason_is_asked_for_and_shown(record: UUID, world: World) -> None:
    for act in (suspend_agreement, end_agreement, leave_agreement):
        for why in ("", " \n ", "x" * 501):
            with pytest.raises(Invalid) as refused:
                act(act_as(world, "spoc"), world.agreements["sharing"], why=why)
            assert "why" in refused.value.errors
            db.session.rollback()
    assert db.session.get_one(Agreement, world.agreements["sharing"]).suspended_at is None


def test_a_share_that_had_ended_is_not_closed_again(
    record: UUID, world: World, database: SimpleNamespace
) -> None:
    rejected = shared(world, record, taken_by=None)
    rows(
        database,
        "UPDATE record_grant SET state = 'rejected', answered_at = now(), answered_by = requested_by WHERE id = :id",
        id=rejected,
    )
    suspend_agreement(act_as(world, "spoc"), world.agreements["sharing"], why="Breach")
    db.session.commit()
    assert closed(database) == {}


def test_a_partner_who_has_the_case_open_sees_nothing_at_the_next_click(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    with site.inside():
        case_id = led_case(act_as(world, "officer"))
        shared(world, case_id)
    sergeant = site.as_user("sergeant")
    assert sergeant.get(f"/cases/{case_id}").status_code == 200
    spoc = site.as_user("spoc")
    sharing = world.agreements["sharing"]
    page = spoc.get(f"/agreements/{sharing}/suspend").get_data(as_text=True)
    assert "1 by your organisation and 0 with it" in page
    assert spoc.post(f"/agreements/{sharing}/suspend", {"why": "Breach"}).status_code == 303
    for path in (f"/cases/{case_id}", f"/cases/{case_id}/log"):
        assert sergeant.get(path).status_code == 404


def test_no_share_without_a_live_agreement_that_covers_it(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    """The plain reason, as a page, with 403."""
    with site.inside():
        case_id = led_case(act_as(world, "officer"))
        agreed(world, "council", "charity", sections=(Section.SUMMARY,))
    officer = site.as_user("officer")
    form = {
        "to": f"organisation:{world.organisations['charity']}",
        "purpose": "prevent_crime",
        "sections": ["summary", "health"],
        "reason": "They need to know",
        "max_marking": "0",
        "ends-day": "1",
        "ends-month": "1",
        "ends-year": "2099",
    }
    beyond = officer.post(f"/cases/{case_id}/share/send", form)
    assert beyond.status_code == 403
    assert "does not cover Health" in beyond.get_data(as_text=True)
    site.sql(
        database.superuser,
        "UPDATE agreement SET suspended_at = now(), suspended_why = 'Breach' WHERE title = 'Night-time economy'",
    )
    refused = officer.post(f"/cases/{case_id}/share/send", {**form, "sections": ["summary"]})
    assert refused.status_code == 403
    assert "has been suspended since" in refused.get_data(as_text=True)
    assert site.sql(database.superuser, "SELECT count(*) FROM record_grant")[0][0] == 0
