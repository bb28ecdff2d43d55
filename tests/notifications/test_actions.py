"""Telling users: a notice and an e-mail in the transaction of the act, with a reference and a link and nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from hub.core.errors import NotVisible
from hub.core.ids import new_id
from hub.extensions import db
from hub.notifications.actions import WrongNotice, mark_all_read, mark_read, notify
from hub.notifications.models import Notification, OutboxMessage
from hub.notifications.queries import list_notifications, unread_count
from hub.notifications.vocabulary import NOTIFICATION_LABELS, NotificationKind
from tests.fixtures.world import World, act_as

REFERENCE = "NBC-CS-7KQ4D2"


def _tell(world: World, *users: str, kind: NotificationKind = NotificationKind.CASE_SHARED) -> int:
    actor = act_as(world, "officer")
    told = notify(actor, [world.users[one] for one in users], kind, reference=REFERENCE, address="/shared")
    db.session.commit()
    return told


def test_a_notice_and_an_email_are_left_for_each_user_but_the_one_who_acts(app: object, world: World) -> None:
    assert _tell(world, "sergeant", "sergeant", "officer", "yot_worker") == 2
    rows = db.session.scalars(sa.select(Notification)).all()
    assert {row.user_id for row in rows} == {world.users["sergeant"], world.users["yot_worker"]}
    mails = db.session.scalars(sa.select(OutboxMessage)).all()
    assert {mail.to_address for mail in mails} == {"sergeant@example.org", "yot_worker@example.org"}
    assert all("http://127.0.0.1:8480/shared" in mail.body and REFERENCE in mail.body for mail in mails)
    assert all(mail.sent_at is None and mail.tries == 0 for mail in mails)


def test_an_email_names_nobody(app: object, world: World) -> None:
    _tell(world, "sergeant")
    mail = db.session.scalars(sa.select(OutboxMessage)).one()
    for name in ("Tomasz", "Nowak", "Amara", "Okafor", "Northbrook"):
        assert name not in mail.subject + mail.body


def test_what_is_rolled_back_was_never_told(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    notify(actor, [world.users["sergeant"]], "case.shared", reference=REFERENCE, address="/shared")
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notification)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage)) == 0


@pytest.mark.parametrize(
    ("kind", "reference", "address"),
    [
        ("case.exploded", REFERENCE, "/shared"),
        ("case.shared", "Danny Bridgeman of 4 Mill Lane", "/shared"),
        ("case.shared", REFERENCE, "//evil.example/"),
        ("case.shared", REFERENCE, "https://evil.example/"),
        ("case.shared", REFERENCE, "/search?q=Danny Bridgeman"),
    ],
)
def test_a_notice_can_carry_nothing_but_a_reference_and_a_path(
    app: object, world: World, kind: str, reference: str, address: str
) -> None:
    actor = act_as(world, "officer")
    with pytest.raises(WrongNotice):
        notify(actor, [world.users["sergeant"]], kind, reference=reference, address=address)


def test_every_kind_has_a_sentence() -> None:
    assert set(NOTIFICATION_LABELS) == set(NotificationKind)


def test_a_disabled_user_is_not_told(app: object, world: World, database: SimpleNamespace) -> None:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE app_user SET disabled_at = now() WHERE id = :id"), {"id": world.users["sergeant"]}
        )
    engine.dispose()
    assert _tell(world, "sergeant") == 0


def test_the_count_falls_as_notices_are_read(app: object, world: World) -> None:
    for _ in range(3):
        _tell(world, "sergeant")
    sergeant = act_as(world, "sergeant")
    assert unread_count(sergeant) == 3
    page = list_notifications(sergeant)
    assert [row.is_new for row in page.rows] == [True, True, True]
    assert mark_read(sergeant, page.rows[1].id) == "/shared"
    db.session.commit()
    assert unread_count(sergeant) == 2
    assert mark_all_read(sergeant, page.rows[0].id) == 2
    db.session.commit()
    assert unread_count(sergeant) == 0
    assert unread_count(act_as(world, "officer")) == 0


def test_marking_all_leaves_what_came_after_the_page(app: object, world: World) -> None:
    _tell(world, "sergeant")
    sergeant = act_as(world, "sergeant")
    newest = list_notifications(sergeant).rows[0].id
    _tell(world, "sergeant")
    sergeant = act_as(world, "sergeant")
    assert mark_all_read(sergeant, newest) == 1
    assert unread_count(sergeant) == 1


def test_nobody_reads_or_marks_anothers_notice(app: object, world: World) -> None:
    _tell(world, "sergeant")
    found = db.session.scalars(sa.select(Notification.id)).one()
    officer = act_as(world, "officer")
    assert list_notifications(officer).rows == []
    for key in (found, new_id()):
        with pytest.raises(NotVisible):
            mark_read(officer, key)
    assert unread_count(act_as(world, "sergeant")) == 1
