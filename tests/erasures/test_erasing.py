"""What an erasure takes: content, key, salts, objects; what it leaves: the log whole, and nothing in the record."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from hub.access.models import Record
from hub.access.vocabulary import Purpose
from hub.attachments.holding import ask_to_lift, lift_hold, place_hold
from hub.audit.verifying import verify_log
from hub.core.errors import Conflict, Denied, NotVisible, Unavailable
from hub.core.schema import Base
from hub.crypto import keyring
from hub.crypto.tlog.checkpoints import Policy
from hub.erasures import blanking
from hub.erasures.actions import approve_erasure, ask_erasure, refuse_erasure
from hub.erasures.jobs import finish_erasures
from hub.erasures.models import RecordErasure
from hub.erasures.vocabulary import ErasureGround
from hub.extensions import db
from hub.jobs.app import Regular, run_now
from hub.people.actions import involve_person
from hub.people.vocabulary import InvolvementRole
from tests.audit.forging import SIGNER, sequenced
from tests.conftest import as_worker
from tests.erasures.conftest import CANARY, Scene, connect, plain
from tests.fixtures.shares import led_case
from tests.fixtures.world import act_as

GROUND = ErasureGround.RETENTION_OVER


def asked(scene: Scene, by: str = "manager") -> UUID:
    with scene.site.inside():
        key = ask_erasure(act_as(scene.world, by), scene.case_id, GROUND).id
        db.session.commit()
    return key


def erased(scene: Scene, by: str = "reader") -> UUID:
    key = asked(scene)
    with scene.site.inside():
        approve_erasure(act_as(scene.world, by), key)
        db.session.commit()
    return key


def work(scene: Scene) -> int:
    with scene.site.app.app_context(), as_worker():
        return run_now(scene.site.app, Regular("finish_erasures", "* * * * *", finish_erasures), Event())


def test_nothing_of_the_record_is_left_in_the_database_or_the_store(scene: Scene) -> None:
    before = scene.dump()
    assert before.count(CANARY) > 12
    objects = scene.bucket.keys()
    assert len(objects) == 1
    erased(scene)
    assert CANARY not in scene.dump()
    assert work(scene) == 1
    assert scene.bucket.keys() == []
    versions = scene.bucket.client.list_object_versions(Bucket=scene.bucket.name)
    assert not versions.get("Versions") and not versions.get("DeleteMarkers")
    # once is enough, and what a crash had left would be found by the sweep
    assert work(scene) == 0
    gone = scene.sql("SELECT removed_at IS NOT NULL AS gone FROM stored_object")
    assert [row.gone for row in gone] == [True]


def test_reference_dates_and_codes_stay_for_the_count(scene: Scene) -> None:
    wanted = (
        "SELECT reference, kind, status, opened_at, closed_at, closure_reason FROM case_record WHERE id = :id"
    )
    before = scene.sql(wanted, id=scene.case_id)
    erased(scene)
    assert scene.sql(wanted, id=scene.case_id) == before
    assert scene.sql("SELECT title, summary FROM case_record WHERE id = :id", id=scene.case_id) == [
        ("Erased", "Erased")
    ]


def test_the_log_stays_whole_and_its_texts_can_be_proved_no_longer(scene: Scene, tmp_path: Path) -> None:
    texts = "SELECT t.salt FROM audit.event_text t JOIN data_key d ON d.id = t.data_key_id WHERE d.record_id = :id"
    events = "SELECT id, body FROM audit.event ORDER BY id"
    assert scene.sql(texts, id=scene.case_id)
    before = dict(scene.sql(events))
    with closing(psycopg.connect(plain(scene.database.sequencer))) as sequencer:
        sequenced(sequencer, tmp_path)
    erased(scene)
    assert scene.sql(texts, id=scene.case_id) == []
    after = dict(scene.sql(events))
    assert {key: after[key] for key in before} == before
    (body,) = scene.sql("SELECT convert_from(body, 'UTF8') FROM audit.event WHERE act = 'record.erased'")
    assert CANARY not in body[0] and str(scene.case_id) in body[0] and "erasure" in body[0]
    with closing(psycopg.connect(plain(scene.database.sequencer))) as sequencer:
        sequenced(sequencer, tmp_path)
    engine = connect(scene.database.superuser)
    with engine.connect() as connection:
        report = verify_log(connection, policy=Policy((SIGNER.verifier,)))
    engine.dispose()
    assert report.ok, report.problems
    assert scene.sql("SELECT count(*) AS n FROM audit.leaf")[0].n == len(after)


def test_the_key_is_gone_and_never_made_anew(scene: Scene) -> None:
    erased(scene)
    with scene.site.inside():
        actor = act_as(scene.world, "officer")
        with pytest.raises(Unavailable) as told:
            keyring.data_key(db.session(), actor.partnership_id, scene.case_id)
        assert told.value.code == "key_destroyed"


def test_search_finds_nothing_of_it(scene: Scene) -> None:
    officer = scene.site.as_user("officer")
    assert CANARY in officer.get(f"/search?q={CANARY}one").get_data(as_text=True)
    assert f"/people/{scene.person_id}" in officer.get(f"/search?q={CANARY}two").get_data(as_text=True)
    erased(scene)
    for word in ("one", "two", "three", ""):
        page = officer.get(f"/search?q={CANARY}{word}").get_data(as_text=True)
        assert str(scene.case_id) not in page and str(scene.person_id) not in page


def test_two_people_decide(scene: Scene) -> None:
    key = asked(scene)
    with scene.site.inside():
        with pytest.raises(Denied):
            approve_erasure(act_as(scene.world, "manager"), key)
        db.session.rollback()
        with pytest.raises(Denied):
            approve_erasure(act_as(scene.world, "officer"), key)
        db.session.rollback()
        with pytest.raises(NotVisible):
            approve_erasure(act_as(scene.world, "reader", purpose=Purpose.PREVENT_CRIME), scene.case_id)
        db.session.rollback()
        manager = act_as(scene.world, "manager")
        own = sa.update(RecordErasure).values(approved_by=manager.user_id, approved_at=sa.func.now())
        with pytest.raises(sa.exc.DBAPIError, match="two_people"):
            db.session.execute(own)
        db.session.rollback()
        with pytest.raises(sa.exc.DBAPIError, match=r"may not be erased|permission denied"):
            db.session.execute(sa.select(sa.func.erase_record(key)))
    assert CANARY in scene.dump()


@pytest.mark.parametrize("user", ["officer", "reader", "spoc", "auditor", "sergeant"])
def test_only_a_supervisor_of_the_lead_asks(scene: Scene, user: str) -> None:
    with scene.site.inside(), pytest.raises((Denied, NotVisible)):
        ask_erasure(act_as(scene.world, user), scene.case_id, GROUND)


def test_a_case_that_is_open_stays(scene: Scene) -> None:
    reopened = "UPDATE case_record SET status = 'reopened', closed_at = NULL WHERE id = :id"
    key = asked(scene)
    scene.sql(reopened, id=scene.case_id)
    with scene.site.inside():
        with pytest.raises(Conflict):
            ask_erasure(act_as(scene.world, "manager"), scene.case_id, GROUND)
        db.session.rollback()
        with pytest.raises(Conflict):
            approve_erasure(act_as(scene.world, "reader"), key)
        db.session.rollback()
    assert scene.sql("SELECT approved_at FROM record_erasure") == [(None,)]
    assert CANARY in scene.dump()


def test_a_legal_hold_keeps_it(scene: Scene) -> None:
    key = asked(scene)
    # lifting takes a second supervisor
    scene.sql(
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at)"
        " SELECT :user, partnership_id, 'supervisor', now() FROM role_holding WHERE user_id = :user LIMIT 1",
        user=scene.world.users["officer"],
    )
    with scene.site.inside():
        hold = place_hold(
            act_as(scene.world, "manager"), scene.case_id, reason="An inquest", attachment_id=scene.file_id
        ).id
        db.session.commit()
    with scene.site.inside():
        with pytest.raises(Conflict) as told:
            approve_erasure(act_as(scene.world, "reader"), key)
        assert told.value.code == "held"
    assert CANARY in scene.dump()
    with scene.site.inside():
        ask_to_lift(act_as(scene.world, "manager"), scene.case_id, hold, reason="It is over")
        db.session.commit()
        lift_hold(act_as(scene.world, "officer"), scene.case_id, hold)
        db.session.commit()
        approve_erasure(act_as(scene.world, "reader"), key)
        db.session.commit()
    assert CANARY not in scene.dump()


def test_what_was_refused_stays_and_may_be_asked_for_again(scene: Scene) -> None:
    key = asked(scene)
    with scene.site.inside():
        with pytest.raises(Conflict):
            ask_erasure(act_as(scene.world, "manager"), scene.case_id, GROUND)
        db.session.rollback()
        refuse_erasure(act_as(scene.world, "reader"), key)
        db.session.commit()
        with pytest.raises(Conflict):
            approve_erasure(act_as(scene.world, "reader"), key)
        db.session.rollback()
    assert CANARY in scene.dump()
    asked(scene)


def test_what_others_know_of_the_person_and_the_place_stays(scene: Scene) -> None:
    """A second case names the same person: what it says is its own."""
    with scene.site.inside():
        manager = act_as(scene.world, "manager")
        other = led_case(manager)
        record = db.session.get_one(Record, other)
        involve_person(manager, record, scene.person_id, role=InvolvementRole.WITNESS)
        db.session.commit()
    erased(scene)
    left = scene.sql("SELECT record_id FROM involvement WHERE person_id = :id", id=scene.person_id)
    assert [row.record_id for row in left] == [other]


def test_the_store_that_is_away_only_delays_it(scene: Scene) -> None:
    erased(scene)
    settings = scene.site.app.config["HUB_SETTINGS"]
    scene.site.app.config["HUB_SETTINGS"] = replace(settings, s3_endpoint="http://127.0.0.1:1")
    scene.site.app.extensions.pop("hub_object_store", None)
    assert work(scene) == 0
    assert scene.sql("SELECT objects_gone_at FROM record_erasure") == [(None,)]
    scene.site.app.config["HUB_SETTINGS"] = settings
    scene.site.app.extensions.pop("hub_object_store", None)
    assert work(scene) == 1 and scene.bucket.keys() == []


def test_the_databases_function_empties_what_the_columns_say(scene: Scene) -> None:
    (row,) = scene.sql("SELECT prosrc FROM pg_proc WHERE proname = 'empty_record'")
    assert row.prosrc.strip() in blanking.function()


def test_every_content_column_of_a_record_is_emptied() -> None:
    text = blanking.function()
    for table in Base.metadata.tables.values():
        if table.name in blanking.NOT_HERE or table.name in blanking.WHOLE or "record_id" not in table.c:
            continue
        for column in table.columns:
            if column.info["holds"] in blanking.CONTENT and column.computed is None:
                assert f"{column.name} = " in text and f"UPDATE {table.name} SET" in text, (
                    table.name,
                    column.name,
                )
