"""The pages of notices, and the demonstration's e-mails."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from hub.core.ids import new_id
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.models import Notification
from tests.fixtures.site import Site
from tests.fixtures.world import act_as


def _tell(site: Site, *users: str, times: int = 1) -> None:
    with site.inside():
        for _ in range(times):
            actor = act_as(site.world, "officer")
            told = [site.world.users[one] for one in users]
            notify(actor, told, "case.shared", reference="NBC-CS-7KQ4D2", address="/notifications?after=")
            db.session.commit()


def _first(site: Site) -> str:
    with site.inside():
        act_as(site.world, "sergeant")
        return str(db.session.scalars(sa.select(Notification.id)).first())


def test_a_notice_shows_with_its_reference_and_counts_until_it_is_opened(site: Site) -> None:
    _tell(site, "sergeant")
    sergeant = site.as_user("sergeant")
    page = sergeant.get("/notifications").get_data(as_text=True)
    assert "A record is offered to you" in page and "NBC-CS-7KQ4D2" in page and "hub-header__badge" in page
    opened = sergeant.post(f"/notifications/{_first(site)}", {"then": "open"})
    assert opened.status_code == 303 and opened.headers["Location"] == "/notifications?after="
    page = sergeant.get("/notifications").get_data(as_text=True)
    assert "hub-header__badge" not in page and "Mark all as read" not in page and "NBC-CS-7KQ4D2" in page


def test_all_are_marked_at_once(site: Site) -> None:
    _tell(site, "sergeant", times=2)
    sergeant = site.as_user("sergeant")
    with site.inside():
        act_as(site.world, "sergeant")
        newest = max(db.session.scalars(sa.select(Notification.id)))
    assert sergeant.post("/notifications/read", {"before": str(newest)}).status_code == 303
    assert "hub-header__badge" not in sergeant.get("/notifications").get_data(as_text=True)
    assert sergeant.post("/notifications/read", {"before": "x"}).status_code == 422


def test_anothers_notice_is_not_found(site: Site) -> None:
    _tell(site, "sergeant")
    assert site.as_user("officer").post(f"/notifications/{_first(site)}").status_code == 404
    assert site.as_user("officer").post(f"/notifications/{new_id()}").status_code == 404


def test_a_long_list_turns_its_pages_without_loss(site: Site) -> None:
    _tell(site, "sergeant", times=52)
    sergeant = site.as_user("sergeant")
    first = sergeant.get("/notifications").get_data(as_text=True)
    assert first.count("hub-notice--new") == 50 and "Next" in first
    after = first.partition('href="/notifications?after=')[2].partition('"')[0]
    second = sergeant.get(f"/notifications?after={after}").get_data(as_text=True)
    assert second.count("hub-notice--new") == 2
    assert sergeant.get("/notifications?after=rubbish").status_code == 422


def test_with_nothing_to_tell_the_page_says_so(site: Site) -> None:
    assert "No notifications" in site.as_user("officer").get("/notifications").get_data(as_text=True)


def test_the_demonstrations_mail_is_the_readers_own_and_only_in_a_demonstration(site: Site) -> None:
    _tell(site, "sergeant")
    assert site.as_user("sergeant").get("/notifications/mail").status_code == 404
    site.app.config["HUB_SETTINGS"] = replace(site.app.config["HUB_SETTINGS"], demo=True)
    page = site.as_user("sergeant").get("/notifications/mail").get_data(as_text=True)
    assert "OFFICIAL: A record is offered to you" in page and "Waiting for the worker" in page
    assert "No emails yet" in site.as_user("officer").get("/notifications/mail").get_data(as_text=True)


def test_the_unread_ones_can_be_listed_alone(site: Site) -> None:
    _tell(site, "sergeant")
    sergeant = site.as_user("sergeant")
    assert "NBC-CS-7KQ4D2" in sergeant.get("/notifications?show=unread").get_data(as_text=True)
    sergeant.post(f"/notifications/{_first(site)}", {"then": "open"})
    page = sergeant.get("/notifications?show=unread").get_data(as_text=True)
    assert "NBC-CS-7KQ4D2" not in page and "Nothing unread" in page
