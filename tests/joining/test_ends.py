"""The last day of temporary staff: over by the clock alone, closed by the job, and opened again by an administrator."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from hub.access.actor import NOBODY, RequestFacts
from hub.access.guard import enter
from hub.accounts import starting
from hub.accounts.models import Team, User
from hub.accounts.vocabulary import Method
from hub.core import clock
from hub.core.errors import Denied
from hub.extensions import db
from hub.jobs.app import REGULAR
from hub.joining import jobs
from tests.attacks.door_forms import day
from tests.conftest import by_worker
from tests.fixtures.door import give_password, set_up_door
from tests.fixtures.site import Site

close_ended = by_worker(jobs.close_ended)
warn_of_conditions = by_worker(jobs.warn_of_conditions)


def run(site: Site, job: Any = close_ended) -> int:
    with site.inside():
        return int(job(Event()))


def ends(site: Site, database: SimpleNamespace, days: int | None, user: str = "officer") -> None:
    last = clock.today() + timedelta(days=days) if days is not None else None
    site.sql(
        database.superuser,
        "UPDATE app_user SET access_ends_on = :day WHERE id = :id",
        day=last,
        id=site.world.users[user],
    )


def state(site: Site, database: SimpleNamespace, user: str = "officer") -> Any:
    return site.sql(
        database.superuser,
        "SELECT disabled_at IS NOT NULL AS out, disabled_why AS why, access_ends_on AS ends FROM app_user WHERE id = :id",
        id=site.world.users[user],
    )[0]


def test_after_the_last_day_no_session_goes_on_or_starts_though_no_job_has_run(
    site: Site, database: SimpleNamespace
) -> None:
    set_up_door(site, "officer")
    client = site.as_user("officer")
    ends(site, database, 0)
    assert client.get("/account").status_code == 200
    ends(site, database, -1)
    assert client.get("/account").status_code == 302 and not state(site, database).out
    refused = give_password(site.visitor(), "officer")
    ends(site, database, None)
    site.sql(
        database.superuser,
        "UPDATE app_user SET disabled_at = now(), disabled_why = 'left' WHERE id = :id",
        id=site.world.users["officer"],
    )
    closed = give_password(site.visitor(), "officer")
    # as for a closed account, to the letter
    assert refused.status_code == closed.status_code == 422
    assert starting.REFUSED in refused.text and starting.REFUSED in closed.text


def test_however_it_was_proved_who_it_is(site: Site, database: SimpleNamespace) -> None:
    """Passkeys, providers, codes and clicks all begin a session here."""
    ends(site, database, -1)
    with site.inside():
        enter(db.session(), NOBODY)
        user = db.session.get_one(User, site.world.users["officer"])
        team = db.session.get_one(Team, site.world.teams["safety"])
        for method in (Method.PASSKEY, Method.PROVIDER, Method.PASSWORD_AND_CODE, Method.ENROLMENT):
            with pytest.raises(Denied) as refused:
                starting.begin(user, team, method, RequestFacts(), enrolling=method is Method.ENROLMENT)
            assert refused.value.code == "bad_credentials"


@pytest.mark.parametrize(
    ("moment", "over"),
    [
        (datetime(2027, 3, 31, 22, 59, tzinfo=UTC), False),
        (datetime(2027, 3, 31, 23, 0, tzinfo=UTC), True),
        (datetime(2027, 1, 31, 23, 59, tzinfo=UTC), False),
        (datetime(2027, 2, 1, 0, 0, tzinfo=UTC), True),
    ],
)
def test_the_day_ends_at_midnight_in_london(
    moment: datetime, over: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.accounts import closing

    monkeypatch.setattr(clock, "now", lambda: moment)
    last = date(2027, 3, 31) if moment.month == 3 else date(2027, 1, 31)
    assert closing.has_ended(last) is over


def test_the_database_itself_opens_nothing_past_the_last_day(site: Site, database: SimpleNamespace) -> None:
    """Whoever holds a token and a password of the service goes round the pages, and not round this."""
    from hub.audit.recording import append
    from hub.core.errors import Unavailable
    from tests.fixtures.world import act_as

    with site.inside():
        actor = act_as(site.world, "officer")
        append(actor, "accounts.listed")
        db.session.commit()
        ends(site, database, -1)
        with pytest.raises((Denied, Unavailable)):
            append(actor, "accounts.listed")


def test_the_job_closes_the_account_once_and_its_cases_wait_for_the_supervisor(
    site: Site, database: SimpleNamespace
) -> None:
    from tests.casefile.test_stranded import BLOCK, led

    case, _ = led(site)
    client, manager = site.as_user("officer"), site.as_user("manager")
    ends(site, database, 0)
    assert run(site) == 0
    ends(site, database, -1)
    assert run(site) == 1 and run(site) == 0
    assert (state(site, database).out, state(site, database).why) == (True, "ended")
    assert client.get("/account").status_code == 302
    open_now = site.sql(
        database.superuser,
        "SELECT count(*) FROM user_session WHERE user_id = :id AND ended_at IS NULL",
        id=site.world.users["officer"],
    )
    events = site.sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE act = 'user.disabled' AND object_id = :id",
        id=site.world.users["officer"],
    )
    assert (open_now[0][0], events[0][0]) == (0, 1)
    page = manager.get("/").text
    assert BLOCK in page and f"/cases/{case}" in page
    assert [one.cron for one in REGULAR if one.name == "close_ended"] == ["5 * * * *"]


def test_an_administrator_opens_it_again_with_a_new_last_day(site: Site, database: SimpleNamespace) -> None:
    spoc, address = site.as_user("spoc"), f"/admin/users/{site.world.users['officer']}"
    assert spoc.get(f"{address}/reopen").status_code == 409
    ends(site, database, -1)
    run(site)
    page = spoc.get(address).text
    assert "last day with access has passed" in page and f"{address}/reopen" in page
    late = spoc.post(f"{address}/reopen", day("ends", -1))
    assert late.status_code == 422 and "must be today or later" in late.text
    assert spoc.post(f"{address}/reopen", day("ends", 40)).location == address
    found = state(site, database)
    assert (found.out, found.why, found.ends) == (False, None, clock.today() + timedelta(days=40))
    assert site.as_user("officer").get("/account").status_code == 200
    # of another organisation's there is nothing
    assert site.as_user("police_spoc").post(f"{address}/reopen", day("ends", 40)).status_code == 404


def test_one_that_somebody_closed_is_not_opened_by_a_new_last_day(
    site: Site, database: SimpleNamespace
) -> None:
    spoc, address = site.as_user("spoc"), f"/admin/users/{site.world.users['officer']}"
    assert spoc.post(f"{address}/close").status_code == 303
    assert spoc.post(f"{address}/reopen", day("ends", 40)).status_code == 409
    assert state(site, database).why == "left"


def test_it_is_lengthened_before_the_job_has_run(site: Site, database: SimpleNamespace) -> None:
    spoc, address = site.as_user("spoc"), f"/admin/users/{site.world.users['officer']}"
    ends(site, database, -1)
    assert f"{address}/reopen" in spoc.get(address).text
    assert spoc.post(f"{address}/reopen", day("ends", 3)).status_code == 303
    assert run(site) == 0 and site.as_user("officer").get("/account").status_code == 200


def notices(site: Site, database: SimpleNamespace) -> list[tuple[Any, ...]]:
    rows = site.sql(
        database.superuser,
        "SELECT user_id, kind, address FROM notification WHERE kind LIKE '%.ending' AND kind <> 'share.ending'",
    )
    names = {key: name for name, key in site.world.users.items()}
    return sorted((names[row.user_id], row.kind, row.address) for row in rows)


def test_what_runs_out_soon_is_told_to_the_user_and_the_administrators_once(
    site: Site, database: SimpleNamespace
) -> None:
    officer = site.world.users["officer"]
    assert run(site, warn_of_conditions) == 0
    site.sql(
        database.superuser,
        "UPDATE app_user SET trained_on = current_date - interval '11 months' - interval '10 days', vetting = 'bpss',"
        " vetting_expires_on = current_date + 20, access_ends_on = current_date + 15 WHERE id = :id",
        id=officer,
    )
    page = f"/admin/users/{officer}"
    two = [
        (user, kind, address)
        for user, address in (("officer", "/account/conditions"), ("spoc", page))
        for kind in ("training.ending", "vetting.ending")
    ]
    assert run(site, warn_of_conditions) == 2 and run(site, warn_of_conditions) == 0
    assert notices(site, database) == sorted(two)
    # the last day fourteen days before
    ends(site, database, 14)
    assert run(site, warn_of_conditions) == 1 and run(site, warn_of_conditions) == 0
    assert ("officer", "access.ending", "/account/conditions") in notices(site, database)
    # a new day is told of anew
    ends(site, database, 13)
    assert run(site, warn_of_conditions) == 1 and len(notices(site, database)) == 8
    own = site.as_user("officer").get("/account/conditions").text
    assert "Runs out on" in own and "Baseline personnel security standard" in own


def test_an_administrator_is_told_once_of_their_own(site: Site, database: SimpleNamespace) -> None:
    site.sql(
        database.superuser,
        "UPDATE app_user SET trained_on = current_date, vetting = 'bpss', vetting_expires_on = current_date + 20 WHERE id = :id",
        id=site.world.users["spoc"],
    )
    assert run(site, warn_of_conditions) == 1
    assert notices(site, database) == [("spoc", "vetting.ending", "/account/conditions")]
