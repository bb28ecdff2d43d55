"""An account is linked to a provider's subject after proof on both sides, and asked again there."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.accounts.enrolment import new_enrolment
from hub.accounts.models import User
from hub.extensions import db
from tests.fixtures.door import set_up_door
from tests.fixtures.site import Client
from tests.providers.conftest import OFFICER, Door, is_in


def _invite(door: Door, *, hours: int = 48) -> str:
    with door.site.inside():
        enter(db.session(), NOBODY)
        reader = db.session.get_one(User, door.site.world.users["reader"])
        secret = new_enrolment(reader, lasts=timedelta(hours=hours))
        db.session.commit()
    return secret


def _make_stale(door: Door) -> None:
    door.sql("UPDATE user_session SET authenticated_at = authenticated_at - interval '10 minutes'")


def test_linking_asks_for_proof_here_and_there_and_the_user_is_told(door: Door) -> None:
    client = door.site.as_user("officer")
    _make_stale(door)
    late = client.post("/account/organisation/link", {"back": "/account/organisation"})
    assert late.headers["Location"] == "/session/confirm?next=/account/organisation"
    door.link()
    # the provider was told to ask anew
    assert door.provider.began["prompt"] == "login" and door.provider.began["max_age"] == "0"
    provider_id = str(door.sql("SELECT id FROM identity_provider")[0][0])
    assert door.events("identity.linked") == [("ok", {"provider": provider_id})]
    kinds = door.sql("SELECT kind FROM notification WHERE user_id = :id", id=door.site.world.users["officer"])
    assert kinds == [("identity.linked",)]


def test_old_proof_at_the_provider_links_nothing(door: Door) -> None:
    door.provider.lie = lambda claims: {**claims, "auth_time": int(time.time()) - 300}
    client = door.site.as_user("officer")
    door.provider.begin(client.post("/account/organisation/link").headers["Location"])
    assert door.come_back(client).status_code == 403
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_too_old"})
    assert door.sql("SELECT count(*) FROM provider_identity") == [(0,)]


def test_what_one_session_began_to_link_no_other_can_end(door: Door) -> None:
    client, other = door.site.as_user("officer"), door.site.as_user("manager")
    location = client.post("/account/organisation/link").headers["Location"]
    door.provider.begin(location)
    step = client.http.get_cookie("__Host-hub-step", path="/")
    assert step is not None
    other.http.set_cookie("__Host-hub-step", step.value, secure=True)
    assert door.come_back(other).status_code == 403
    signed_out = door.site.visitor()
    signed_out.http.set_cookie("__Host-hub-step", step.value, secure=True)
    assert door.come_back(signed_out).status_code == 403
    assert door.sql("SELECT count(*) FROM provider_identity") == [(0,)]


def test_a_subject_is_linked_to_one_account_and_an_account_to_one_subject(door: Door) -> None:
    door.link()
    second = door.site.as_user("manager")
    door.provider.begin(second.post("/account/organisation/link").headers["Location"])
    assert door.come_back(second, "code-2").status_code == 409
    again = door.site.as_user("officer")
    door.provider.subject = "subject-2"
    door.provider.begin(again.post("/account/organisation/link").headers["Location"])
    assert door.come_back(again, "code-3").status_code == 409
    assert door.sql("SELECT count(*) FROM provider_identity") == [(1,)]


def test_somebody_of_another_organisation_cannot_link_to_this_provider(door: Door) -> None:
    client = door.site.as_user("sergeant")
    assert client.post("/account/organisation/link").status_code == 404
    assert "has not connected" in client.get("/account/organisation").get_data(as_text=True)


def test_the_last_way_in_stays_and_with_a_password_the_link_goes_with_its_other_sessions(door: Door) -> None:
    client = door.link()
    elsewhere = door.signed_in()
    assert client.post("/account/organisation/unlink").status_code == 409
    assert "only way" in client.get("/account/organisation").get_data(as_text=True)
    set_up_door(door.site, "officer")
    assert client.post("/account/organisation/unlink").status_code == 303
    assert door.events("identity.unlinked")[0][0] == "ok"
    assert not is_in(elsewhere) and is_in(client)
    visitor = door.site.visitor()
    door.set_out(visitor)
    assert door.come_back(visitor).status_code == 403


def _enrol(door: Door, secret: str) -> Client:
    visitor = door.site.visitor()
    answer = visitor.post("/enrol/organisation", {"secret": secret})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    door.provider.begin(answer.headers["Location"])
    return visitor


def test_an_enrolment_link_is_followed_through_the_provider_once(door: Door) -> None:
    secret = _invite(door)
    page = door.site.visitor().get(f"/enrol/{secret}")
    assert "Continue with Council sign-in" in page.get_data(as_text=True)
    assert door.provider.issuer in page.headers["Content-Security-Policy"]
    visitor = _enrol(door, secret)
    # not used up before the provider has answered
    assert door.site.visitor().post("/enrol/organisation", {"secret": secret}).status_code == 303
    assert door.come_back(visitor).headers["Location"] == "/" and is_in(visitor)
    assert "Petra Sand" in visitor.get("/account").get_data(as_text=True)
    assert door.site.visitor().post("/enrol/organisation", {"secret": secret}).status_code == 403
    assert [door.events(act)[0][0] for act in ("user.enrolled", "identity.linked")] == ["ok", "ok"]


@pytest.mark.parametrize("hours", [48, 2])
def test_a_newer_enrolment_link_ends_one_that_was_followed_already(door: Door, hours: int) -> None:
    """Also where it works for a shorter time, as the partnership has set meanwhile."""
    visitor = _enrol(door, _invite(door))
    time.sleep(0.01)
    _invite(door, hours=hours)
    assert door.come_back(visitor).status_code == 403 and not is_in(visitor)
    assert door.sql("SELECT count(*) FROM provider_identity") == [(0,)]


def test_a_wrong_enrolment_link_leads_nowhere(door: Door) -> None:
    _invite(door)
    for secret in ("", "x", "é" * 50):
        assert door.site.visitor().post("/enrol/organisation", {"secret": secret}).status_code == 403


def test_who_came_through_the_provider_confirms_there(door: Door) -> None:
    door.link()
    visitor = door.signed_in()
    _make_stale(door)
    page = visitor.get("/session/confirm?next=/account/sessions")
    assert "Go to Council sign-in" in page.get_data(as_text=True) and 'type="password"' not in page.get_data(
        as_text=True
    )
    answer = visitor.post("/session/confirm/organisation", {"next": "/account/sessions"})
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    door.provider.begin(answer.headers["Location"])
    before = visitor.http.get_cookie("__Host-hub-session", path="/")
    assert door.come_back(visitor).headers["Location"] == "/account/sessions"
    after = visitor.http.get_cookie("__Host-hub-session", path="/")
    assert before is not None and after is not None and before.value != after.value
    assert door.events("session.confirmed")[0] == ("ok", {"method": "provider"})
    fresh = door.sql("SELECT count(*) FROM user_session WHERE authenticated_at > now() - interval '1 minute'")
    assert fresh == [(1,)]


def test_somebody_else_or_old_proof_confirms_nothing(door: Door) -> None:
    door.link()
    visitor = door.signed_in()
    _make_stale(door)
    door.provider.subject = "subject-2"
    door.provider.begin(visitor.post("/session/confirm/organisation").headers["Location"])
    assert door.come_back(visitor, "code-2").status_code == 403
    assert door.events("session.refused")[0] == ("denied", {"why": "provider_other_person"})
    door.provider.subject = "subject-1"
    door.provider.lie = lambda claims: {**claims, "auth_time": int(time.time()) - 300}
    door.provider.begin(visitor.post("/session/confirm/organisation").headers["Location"])
    assert door.come_back(visitor, "code-3").status_code == 403
    assert door.events("session.confirmed") == [] and is_in(visitor)
    assert door.sql("SELECT email FROM app_user WHERE email = :email", email=OFFICER) == [(OFFICER,)]
