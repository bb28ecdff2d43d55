"""The rule of an organisation that administrators and auditors sign in with a passkey that stays on one device."""

from __future__ import annotations

from uuid import uuid4

from tests.fixtures.door import PASSWORD, give_password, next_code, set_up_door
from tests.fixtures.site import Client, Site
from tests.passkeys.authenticator import Device
from tests.passkeys.conftest import Refusals, Sql
from tests.passkeys.door import OWN, add, confirm, sign_in, with_passkey

RULE = "/admin/passkeys"
# a second administrator of the council
PROMOTE = (
    "INSERT INTO role_holding (user_id, partnership_id, role, granted_at)"
    " VALUES (:user, :area, 'administrator', now())"
)


def promote(site: Site, sql: Sql, user: str, area: str = "northbrook") -> None:
    sql(PROMOTE, user=site.world.users[user], area=site.world.partnerships[area])


def switch(client: Client, strict: str) -> tuple[int, str]:
    answer = client.post(RULE, {"strict": strict})
    return answer.status_code, answer.text


def strict_council(site: Site, sql: Sql) -> tuple[Client, Device]:
    """The council under the rule; its first administrator, and what she signs in with."""
    promote(site, sql, "manager")
    with_passkey(site, "manager")
    spoc, device = with_passkey(site, "spoc")
    assert switch(spoc, "yes")[0] == 303
    return spoc, device


def by_password(site: Site, user: str) -> tuple[int, str]:
    client = site.visitor()
    assert give_password(client, user).status_code == 303
    answer = client.post("/sign-in/code", {"code": next_code(site, user)})
    return answer.status_code, answer.text


def test_the_rule_begins_once_two_administrators_could_still_sign_in(site: Site, sql: Sql) -> None:
    promote(site, sql, "manager")
    spoc = site.as_user("spoc")
    status, words = switch(spoc, "yes")
    assert status == 409 and "your own account first" in words
    # one that a cloud copies is none
    assert add(spoc, Device(copies=True)).status_code == 200
    assert "your own account first" in switch(spoc, "yes")[1]
    assert add(spoc, Device()).status_code == 200
    status, words = switch(spoc, "yes")
    assert status == 409 and "At least two administrators" in words
    # an auditor's does not count for an administrator's, nor does one of a closed account
    with_passkey(site, "auditor")
    _, _ = with_passkey(site, "manager")
    sql("UPDATE app_user SET disabled_at = now() WHERE email = 'manager@example.org'")
    assert switch(spoc, "yes")[0] == 409
    assert sql("SELECT count(*) FROM organisation WHERE strict_passkeys") == [(0,)]
    sql("UPDATE app_user SET disabled_at = NULL")
    assert switch(spoc, "yes")[0] == 303
    assert sql("SELECT code FROM organisation WHERE strict_passkeys") == [("NBC",)]
    body = "convert_from(body, 'UTF8')::jsonb #>> '{facts,strict}'"
    events = sql(f"SELECT {body}, user_id FROM audit.event WHERE act = 'passkey_rule.set'")
    assert events == [("true", site.world.users["spoc"])]


def test_an_organisation_of_several_partnerships_is_ready_in_each(site: Site, sql: Sql) -> None:
    promote(site, sql, "sergeant")
    with_passkey(site, "sergeant")
    spoc, _ = with_passkey(site, "police_spoc")
    promote(site, sql, "sergeant_east", "eastmere")
    assert switch(spoc, "yes")[0] == 409
    sql("DELETE FROM role_holding WHERE user_id = :user AND role = 'administrator'",
        user=site.world.users["sergeant_east"])  # fmt: skip
    assert switch(spoc, "yes")[0] == 303


def test_under_the_rule_only_a_passkey_on_one_device_lets_an_administrator_in(
    site: Site, sql: Sql, refusals: Refusals
) -> None:
    set_up_door(site, "officer", "manager", "auditor")
    _, copied = with_passkey(site, "auditor", copies=True)
    _, device = strict_council(site, sql)
    for user in ("manager", "auditor"):
        status, words = by_password(site, user)
        assert status == 422 and "a passkey that stays on one device" in words
    answer = sign_in(site.visitor(), copied)
    assert answer.status_code == 403 and "take the role from you" in answer.get_json()["message"]
    assert sign_in(site.visitor(), device).status_code == 200
    # whom the rule does not concern comes in as before
    assert by_password(site, "officer")[0] == 303
    assert [why for why, _, _ in refusals()] == ["passkey_required"] * 3
    assert {whose for _, _, whose in refusals()} == {
        str(site.world.users[user]) for user in ("manager", "auditor")
    }


def test_it_is_each_organisation_s_own(site: Site, sql: Sql) -> None:
    set_up_door(site, "police_spoc")
    strict_council(site, sql)
    assert by_password(site, "police_spoc")[0] == 303


def test_it_ends_the_sessions_that_it_would_not_let_begin(site: Site, sql: Sql) -> None:
    promote(site, sql, "manager")
    with_passkey(site, "manager")
    manager, auditor, officer = (site.as_user(user) for user in ("manager", "auditor", "officer"))
    spoc, _ = with_passkey(site, "spoc")
    assert switch(spoc, "yes")[0] == 303
    assert manager.get("/account").status_code == auditor.get("/account").status_code == 302
    assert officer.get("/account").status_code == spoc.get("/account").status_code == 200


def test_nobody_puts_on_a_hat_under_which_they_could_not_have_come_in(site: Site, sql: Sql) -> None:
    sql("UPDATE organisation SET strict_passkeys = true WHERE code = 'NBP'")
    promote(site, sql, "sergeant", "eastmere")
    sql("INSERT INTO team_membership (team_id, user_id, joined_at) VALUES (:team, :user, now())",
        team=site.world.teams["npt_east"], user=site.world.users["sergeant"])  # fmt: skip
    sergeant = site.as_user("sergeant")
    east = {"hat": f"{site.world.teams['npt_east']}:prevent_crime"}
    answer = sergeant.post("/hat", east)
    assert answer.status_code == 403 and "a passkey that stays on one device" in answer.text
    sql("UPDATE user_session SET device_bound = true")
    assert sergeant.post("/hat", east).status_code == 303


def test_under_the_rule_the_last_passkey_on_one_device_stays(site: Site, sql: Sql) -> None:
    set_up_door(site, "spoc")
    spoc, _ = strict_council(site, sql)
    own = "SELECT id FROM passkey WHERE user_id = :user ORDER BY created_at"
    bound = sql(own, user=site.world.users["spoc"])[0][0]
    assert add(spoc, Device(copies=True), "Phone").status_code == 200
    answer = spoc.post(f"{OWN}/{bound}/remove")
    assert answer.status_code == 409 and "this is your last" in answer.text
    assert add(spoc, Device(), "Spare").status_code == 200
    assert spoc.post(f"{OWN}/{bound}/remove").status_code == 303


def test_the_rule_ends_as_it_began(site: Site, sql: Sql) -> None:
    set_up_door(site, "auditor")
    spoc, _ = strict_council(site, sql)
    assert switch(spoc, "yes")[0] == 409
    assert switch(spoc, "no")[0] == 303
    assert by_password(site, "auditor")[0] == 303
    assert switch(spoc, "maybe")[0] == 422


def test_the_page_says_who_could_sign_in_and_asks_who_it_is(site: Site, sql: Sql) -> None:
    spoc, _ = with_passkey(site, "spoc")
    page = spoc.get(RULE).text
    assert "Lena Marsh" in page and "Miriam Castle" in page and "Amara Okafor" not in page
    assert "Ola Brandt" not in page and "The rule does not hold." in page
    sql("UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    assert spoc.get(RULE).status_code == 303
    assert spoc.post(RULE, {"strict": "yes"}).status_code == 303
    assert sql("SELECT count(*) FROM organisation WHERE strict_passkeys") == [(0,)]
    assert site.as_user("officer").get(RULE).status_code == 403


def test_a_double_click_sets_the_rule_once(site: Site, sql: Sql) -> None:
    promote(site, sql, "manager")
    with_passkey(site, "manager")
    spoc, _ = with_passkey(site, "spoc")
    key = str(uuid4())
    answers = [spoc.post(RULE, {"strict": "yes"}, form_key=key).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert sql("SELECT count(*) FROM audit.event WHERE act = 'passkey_rule.set'") == [(1,)]


def test_under_the_rule_nothing_less_confirms_who_it_is(site: Site, sql: Sql) -> None:
    set_up_door(site, "spoc")
    spoc, device = strict_council(site, sql)
    copied = Device(copies=True)
    assert add(spoc, copied, "Phone").status_code == 200
    page = spoc.get("/session/confirm").text
    assert "stays on one device" in page and 'name="password"' not in page
    proof = {"password": PASSWORD, "code": next_code(site, "spoc")}
    assert spoc.post("/session/confirm", proof).status_code == 403
    assert confirm(spoc, copied).status_code == 403
    assert confirm(spoc, device).status_code == 200
    # an officer's password goes on being enough
    set_up_door(site, "officer")
    proof = {"password": PASSWORD, "code": next_code(site, "officer")}
    assert site.as_user("officer").post("/session/confirm", proof).status_code == 303
