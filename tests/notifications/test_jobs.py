"""The outbox on its way: sent once, tried again later, given up at last, and captured in a demonstration."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.accounts.models import User, UserSession
from hub.core import clock
from hub.extensions import db
from hub.notifications import jobs
from hub.notifications.actions import notify
from hub.notifications.mail import Postbox
from hub.notifications.models import OutboxMessage
from tests.conftest import by_worker
from tests.fixtures.world import World, act_as
from tests.notifications.conftest import Server

send_due = by_worker(jobs.send_due)


def _tell(world: World, *users: str) -> None:
    actor = act_as(world, "officer")
    notify(
        actor,
        [world.users[one] for one in users],
        "case.shared",
        reference="NBC-CS-7KQ4D2",
        address="/shared",
    )
    db.session.commit()
    enter(db.session(), NOBODY)


def _set(app: Flask, **changes: Any) -> None:
    app.config["HUB_SETTINGS"] = replace(app.config["HUB_SETTINGS"], **changes)


def _messages() -> list[OutboxMessage]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxMessage).execution_options(populate_existing=True)))


def _make_due() -> None:
    db.session.execute(sa.update(OutboxMessage).values(due_at=clock.now()))
    db.session.commit()


def test_a_message_is_sent_once_and_written_down(app: Flask, world: World, mail_server: Server) -> None:
    _set(app, smtp_url=mail_server.url)
    _tell(world, "sergeant", "yot_worker")
    assert send_due(Event()) == 2
    assert send_due(Event()) == 0
    assert sorted(to for to, _ in mail_server.taken) == ["sergeant@example.org", "yot_worker@example.org"]
    message = mail_server.taken[0][1]
    assert message["From"] == "hub@example.org" and "NBC-CS-7KQ4D2" in message["Subject"]
    assert message["Subject"].startswith("OFFICIAL") and not message.is_multipart()
    assert "http://127.0.0.1:8480/shared" in message.get_content()
    assert all(row.sent_at is not None and row.tries == 1 for row in _messages())
    acts = "SELECT u.name, e.source, e.organisation_id FROM audit.event e JOIN app_user u ON u.id = e.user_id WHERE e.act = :act"
    with db.engine.connect() as connection:
        connection.execute(
            sa.text("SELECT set_config('hub.organisation_id', :one, true)"),
            {"one": str(world.organisations["police"])},
        )
        found = connection.execute(sa.text(acts), {"act": "notification.mailed"}).all()
    assert [tuple(row) for row in found] == [("Hub service", "job", world.organisations["police"])]


def test_the_service_account_cannot_be_signed_in_as_and_its_sessions_end(
    app: Flask, world: World, mail_server: Server
) -> None:
    from hub.accounts.queries import colleagues, demo_accounts, first_team

    _set(app, smtp_url=mail_server.url)
    for _ in range(2):
        _tell(world, "sergeant")
        send_due(Event())
    db.session.rollback()
    enter(db.session(), NOBODY)
    service = db.session.scalars(sa.select(User).where(User.name == "Hub service")).one()
    assert service.password_hash is None and service.enrolment_hash is None and first_team(service) is None
    columns = sa.select(UserSession.kind, UserSession.ended_at).where(UserSession.user_id == service.id)
    sessions = db.session.execute(columns).all()
    assert len(sessions) == 2 and all(row.kind == "job" and row.ended_at for row in sessions)
    assert service.id not in {one["id"] for one in demo_accounts()}
    listed = colleagues(world.organisations["police"], world.partnerships["northbrook"])
    assert service.id not in {one.id for one in listed}


def test_a_server_that_refuses_for_now_is_tried_again_later_and_later(
    app: Flask, world: World, mail_server: Server
) -> None:
    _set(app, smtp_url=mail_server.url)
    mail_server.refuse["RCPT"] = "451 try later"
    _tell(world, "sergeant")
    waits = []
    for _ in range(3):
        assert send_due(Event()) == 0
        [row] = _messages()
        waits.append(round((row.due_at - clock.now()).total_seconds() / 60))
        assert row.sent_at is None and row.failed_at is None
        _make_due()
    assert waits == [1, 2, 4]
    mail_server.refuse.clear()
    assert send_due(Event()) == 1


@pytest.mark.parametrize(("verb", "words"), [("RCPT", "550 no such user"), ("DATA", "554 never")])
def test_what_can_never_be_delivered_is_given_up_at_once(
    app: Flask, world: World, mail_server: Server, verb: str, words: str
) -> None:
    _set(app, smtp_url=mail_server.url)
    mail_server.refuse[verb] = words
    _tell(world, "sergeant")
    assert send_due(Event()) == 0
    assert [row.failed_at is not None for row in _messages()] == [True]


def test_a_server_that_is_away_costs_nothing_but_time_until_it_is_given_up(app: Flask, world: World) -> None:
    _set(app, smtp_url="smtp://127.0.0.1:1")
    _tell(world, "sergeant")
    assert send_due(Event()) == 0
    assert [row.failed_at for row in _messages()] == [None]
    db.session.execute(
        sa.update(OutboxMessage).values(created_at=clock.now() - timedelta(days=4), due_at=clock.now())
    )
    db.session.commit()
    assert send_due(Event()) == 0
    assert [row.failed_at is not None for row in _messages()] == [True]


def test_a_message_in_the_hand_of_a_worker_that_died_is_due_again(
    app: Flask, world: World, mail_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(app, smtp_url=mail_server.url)
    _tell(world, "sergeant")

    class Died(BaseException):
        pass

    def die(*_: object, **__: object) -> bool:
        raise Died

    monkeypatch.setattr(jobs, "_send_one", die)
    with pytest.raises(Died):
        send_due(Event())
    monkeypatch.undo()
    assert send_due(Event()) == 0, "still in its hand"
    _make_due()
    assert send_due(Event()) == 1


def test_in_a_demonstration_nothing_leaves_the_hub(app: Flask, world: World, mail_server: Server) -> None:
    _set(app, smtp_url=mail_server.url, demo=True)
    _tell(world, "sergeant")
    assert send_due(Event()) == 1
    assert mail_server.taken == [] and _messages()[0].sent_at is not None


def test_without_a_mail_server_messages_wait(app: Flask, world: World) -> None:
    _tell(world, "sergeant")
    assert send_due(Event()) == 0
    assert _messages()[0].sent_at is None and _messages()[0].tries == 0


def test_a_worker_that_is_told_to_stop_sends_no_more(app: Flask, world: World, mail_server: Server) -> None:
    _set(app, smtp_url=mail_server.url)
    _tell(world, "sergeant", "yot_worker")
    stop = Event()
    stop.set()
    assert send_due(stop) == 0 and mail_server.taken == []


@pytest.mark.parametrize("url", ["http://mail.example.org", "smtp://", "mail.example.org"])
def test_an_address_that_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="HUB_SMTP_URL"):
        Postbox.parse(url, service_host="hub.example.org")


def test_the_parts_of_a_mail_servers_address() -> None:
    postbox = Postbox.parse(
        "smtps://hub%40example.org:p%3Aw@mail.example.org", service_host="hub.example.org"
    )
    assert (postbox.host, postbox.port, postbox.encrypted) == ("mail.example.org", 465, True)
    assert (postbox.user, postbox.password) == ("hub@example.org", "p:w")
    assert postbox.sender == "no-reply@hub.example.org" and "p:w" not in repr(postbox)
