"""A mover: rights follow the team at the next request, and what was led stays with the team that was left."""

from __future__ import annotations

from types import SimpleNamespace

from hub.jobs.app import REGULAR
from hub.web.identity import COOKIE
from tests.casefile.test_stranded import BLOCK, led, run
from tests.fixtures.site import Site
from tests.fixtures.world import act_as


def address(site: Site, user: str = "officer") -> str:
    return f"/admin/users/{site.world.users[user]}/teams"


def test_a_movers_open_session_loses_the_old_team_and_the_case_waits_there(
    site: Site, database: SimpleNamespace
) -> None:
    case, _ = led(site)
    mover, manager, spoc = (site.as_user(user) for user in ("officer", "manager", "spoc"))
    assert mover.get(f"/cases/{case}").status_code == 200 and BLOCK not in manager.get("/").text
    form = spoc.get(address(site))
    assert form.status_code == 200 and "Housing options" in form.text
    assert spoc.post(address(site), {"teams": [str(site.world.teams["housing"])]}).status_code == 303
    # the session that wore the old hat is over; a new one, in the new team, sees nothing of the old
    assert mover.get(f"/cases/{case}").status_code == 302
    with site.inside():
        token = act_as(site.world, "officer", team="housing").token
    housing = site.visitor()
    housing.http.set_cookie(COOKIE, token, secure=True)
    assert housing.get("/account").status_code == 200 and housing.get(f"/cases/{case}").status_code == 404
    old_hat = f"{site.world.teams['safety']}:prevent_crime"
    assert housing.post("/hat", {"hat": old_hat}).status_code == 403
    page = manager.get("/").text
    assert BLOCK in page and f"/cases/{case}" in page
    assert run(site) == 1
    [regular] = [one for one in REGULAR if one.name == "tell_of_stranded_cases"]
    assert regular.cron == "*/10 * * * *"
    acts = site.sql(
        database.superuser,
        "SELECT act, convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'team' AS team FROM audit.event"
        " WHERE object_id = :id AND act LIKE 'team.member%' ORDER BY id",
        id=site.world.users["officer"],
    )
    assert [(one.act, one.team) for one in acts] == [
        ("team.member_added", str(site.world.teams["housing"])),
        ("team.member_removed", str(site.world.teams["safety"])),
    ]


def test_who_is_put_into_one_team_more_stays_signed_in(site: Site) -> None:
    mover, spoc = site.as_user("officer"), site.as_user("spoc")
    both = [str(site.world.teams[team]) for team in ("safety", "housing")]
    assert spoc.post(address(site), {"teams": both}).status_code == 303
    assert mover.get("/account").status_code == 200
    again = spoc.post(address(site), {"teams": both})
    assert again.status_code == 422 and "teams already" in again.text
    # back again, into a team that was left before
    assert spoc.post(address(site), {"teams": both[:1]}).status_code == 303
    assert spoc.post(address(site), {"teams": both}).status_code == 303


def test_nobody_is_left_without_a_team_or_put_into_anothers(site: Site) -> None:
    spoc = site.as_user("spoc")
    for wrong in ([], [str(site.world.teams["npt"])], ["x"], [str(site.world.teams["safety"]), "x"]):
        answer = spoc.post(address(site), {"teams": wrong})
        assert answer.status_code == 422 and "Choose at least one team" in answer.text, wrong
    assert spoc.get(address(site, "sergeant")).status_code == 404
    ours = {"teams": [str(site.world.teams["housing"])]}
    assert spoc.post(address(site, "sergeant"), ours).status_code == 404
    assert site.as_user("manager").post(address(site), ours).status_code == 403
