"""What an administrator records of a user: in the one form of a joiner, and later; where it shows; whether it stops a session."""

from __future__ import annotations

import html
from datetime import timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from hub.admin.teams import move_user
from hub.attestations import jobs as attestation_jobs
from hub.core import clock
from hub.core.errors import NotVisible
from hub.extensions import db
from hub.joining.actions import change_details, reopen_user
from hub.joining.forms import NOTHING_KNOWN, DetailsForm
from hub.settings.actions import set_value
from hub.settings.catalogue import CONDITIONS_REFUSE, VETTING_MINIMUM
from hub.settings.forms import SettingForm
from hub.settings.vetting import Vetting
from tests.attacks.door_forms import conditions, day
from tests.conftest import by_worker
from tests.fixtures.door import set_up_door, sign_in
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as

TODAY = clock.today


@pytest.fixture
def spoc(site: Site) -> Client:
    return site.as_user("spoc")


def row(site: Site, database: SimpleNamespace, email: str) -> Any:
    return site.sql(database.superuser, "SELECT * FROM app_user WHERE email = :email", email=email)[0]


def facts(site: Site, database: SimpleNamespace) -> list[dict[str, str]]:
    rows = site.sql(
        database.superuser,
        "SELECT convert_from(body, 'UTF8')::jsonb -> 'facts' AS facts FROM audit.event WHERE act = 'user.conditions_set'"
        " ORDER BY id",
    )
    return [one.facts for one in rows]


def joiner(site: Site, **more: Any) -> dict[str, Any]:
    return {
        "name": "Lu Hall",
        "email": "lu.hall@example.org",
        "job_title": "Warden",
        "team_id": str(site.world.teams["safety"]),
        "roles": ["practitioner"],
        **more,
    }


def test_a_joiner_is_one_form(site: Site, database: SimpleNamespace, spoc: Client) -> None:
    assert spoc.post("/admin/users/new", joiner(site, **conditions())).status_code == 200
    made = row(site, database, "lu.hall@example.org")
    assert (made.trained_on, made.vetting, made.vetting_expires_on, made.access_ends_on) == (
        TODAY() - timedelta(days=30),
        "bpss",
        TODAY() + timedelta(days=300),
        TODAY() + timedelta(days=200),
    )
    assert made.conditions_set_by == site.world.users["spoc"]
    assert facts(site, database) == [
        {
            "trained_on": made.trained_on.isoformat(),
            "vetting": "bpss",
            "vetting_expires_on": made.vetting_expires_on.isoformat(),
            "access_ends_on": made.access_ends_on.isoformat(),
        }
    ]
    page = spoc.get(f"/admin/users/{made.id}").text
    assert "In order until" in page and "Lena Marsh" in page


def test_a_joiner_who_does_the_course_on_the_first_day_stands_as_missing(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    assert spoc.post("/admin/users/new", joiner(site)).status_code == 200
    made = row(site, database, "lu.hall@example.org")
    assert made.conditions_set_at is None and facts(site, database) == []
    assert spoc.get(f"/admin/users/{made.id}").text.count("Missing") == 2


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    wrong = joiner(site, **{**conditions(), **day("trained", 1), **day("vetted", -2), **day("ends", 0)})
    answer = spoc.post("/admin/users/new", wrong)
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    for words in ("must be today or in the past", "must be today or later", "must be in the future"):
        assert page.count(words) == 2, words
    assert f'name="ends-year" type="text" inputmode="numeric" value="{TODAY().year}"' in page
    assert site.sql(database.superuser, "SELECT 1 FROM app_user WHERE name = 'Lu Hall'") == []


def test_details_are_changed_by_another_administrator_and_written_down(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    address = f"/admin/users/{site.world.users['officer']}/details"
    form = {"name": "Amara Okafor-Bell", "job_title": "Officer", **conditions()}
    assert spoc.get(address).status_code == 200
    assert spoc.post(address, form).status_code == 303
    changed = row(site, database, "officer@example.org")
    assert (changed.name, changed.job_title, changed.vetting) == ("Amara Okafor-Bell", "Officer", "bpss")
    acts = site.sql(
        database.superuser,
        "SELECT act FROM audit.event WHERE object_id = :id AND act IN ('user.changed', 'user.conditions_set') ORDER BY id",
        id=changed.id,
    )
    assert [one.act for one in acts] == ["user.changed", "user.conditions_set"]
    assert 'value="bpss" selected' in spoc.get(address).text
    # saved again as it is, it is no event
    assert spoc.post(address, form).status_code == 303 and len(facts(site, database)) == 1
    # hidden and absent alike for others
    for other in ("police_spoc",):
        assert site.as_user(other).get(address).status_code == 404
        assert site.as_user(other).post(address, form).status_code == 404
    assert site.as_user("officer").post(address, form).status_code == 403


def test_nobody_records_their_own_where_somebody_else_can(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    address = f"/admin/users/{site.world.users['spoc']}/details"
    form = {"name": "Lena Marsh", "job_title": "Officer", **conditions()}
    form |= {f"ends-{part}": "" for part in ("day", "month", "year")}
    # she is alone
    assert spoc.post(address, form).status_code == 303
    site.sql(
        database.superuser,
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:u, :p, 'administrator', now())",
        u=site.world.users["manager"],
        p=site.world.partnerships["northbrook"],
    )
    assert spoc.get(address).status_code == 409 and spoc.post(address, form).status_code == 409


def test_the_last_administrator_gets_no_last_day(site: Site, database: SimpleNamespace, spoc: Client) -> None:
    address = f"/admin/users/{site.world.users['spoc']}/details"
    answer = spoc.post(address, {"name": "Lena Marsh", "job_title": "Officer", **conditions()})
    assert answer.status_code == 422 and "Nobody would be left" in answer.text
    assert row(site, database, "spoc@example.org").access_ends_on is None


def in_order(site: Site, database: SimpleNamespace, *users: str) -> None:
    site.sql(
        database.superuser,
        "UPDATE app_user SET trained_on = current_date, vetting = 'nppv3', vetting_expires_on = current_date + 300"
        " WHERE id = ANY (:ids)",
        ids=[site.world.users[user] for user in users],
    )


def test_the_list_of_users_and_the_monthly_page_show_who_needs_attention(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    in_order(site, database, "officer", "manager")
    site.sql(
        database.superuser,
        "UPDATE app_user SET vetting_expires_on = current_date + 5 WHERE id = :id",
        id=site.world.users["manager"],
    )
    page = spoc.get("/admin/users?needs=attention").text
    assert "Rhys Llewellyn" in page and "Amara Okafor" not in page and "Vetting runs out on" in page
    # the hub's own account has nothing of the kind
    assert "Hub service" not in page
    assert "Amara Okafor" in spoc.get("/admin/users").text
    with site.inside():
        by_worker(attestation_jobs.attest_access)(Event())
    monthly = spoc.get("/admin/attestation").text
    assert "Vetting runs out on" in monthly and "Training missing; Vetting missing" in monthly


@pytest.fixture
def strict(site: Site) -> None:
    """The partnership has set that everybody is vetted, and that nobody comes in without."""
    with site.inside():
        spoc = act_as(site.world, "spoc")
        set_value(spoc, VETTING_MINIMUM, SettingForm(Vetting.BPSS.value, clock.today()))
        set_value(spoc, CONDITIONS_REFUSE, SettingForm(True, clock.today()))
        db.session.commit()


def refusals(site: Site, database: SimpleNamespace) -> list[str]:
    rows = site.sql(
        database.superuser,
        "SELECT convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'why' AS why FROM audit.event WHERE act = 'session.refused'"
        " ORDER BY id",
    )
    return [one.why for one in rows]


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("trained_on = current_date - 400", "training_ran_out", "Your training ran out on"),
        ("trained_on = NULL", "training_missing", "Your training is not recorded"),
        ("vetting_expires_on = current_date - 1", "vetting_ran_out", "Your vetting ran out on"),
        ("vetting = 'dbs_enhanced'", "vetting_too_low", "lower than your partnership asks for"),
    ],
)
def test_where_a_partnership_refuses_what_ran_out_names_what_to_renew(
    site: Site, database: SimpleNamespace, change: str, code: str, words: str
) -> None:
    set_up_door(site, "officer")
    in_order(site, database, "officer")
    assert sign_in(site.visitor(), site, "officer").status_code == 303
    site.sql(
        database.superuser, f"UPDATE app_user SET {change} WHERE id = :id", id=site.world.users["officer"]
    )
    answer = sign_in(site.visitor(), site, "officer")
    assert answer.status_code in (403, 422) and words in html.unescape(answer.text)
    assert refusals(site, database) == [code]


@pytest.mark.usefixtures("strict")
def test_an_administrator_still_comes_in_to_mend_it(site: Site, database: SimpleNamespace) -> None:
    set_up_door(site, "spoc")
    assert sign_in(site.visitor(), site, "spoc").status_code == 303


def test_without_that_rule_nobody_is_refused(site: Site, database: SimpleNamespace) -> None:
    set_up_door(site, "officer")
    assert sign_in(site.visitor(), site, "officer").status_code == 303


def test_the_actions_themselves_reach_no_other_organisations_user(site: Site) -> None:
    """Pages look first; this is what stands where one forgets to."""
    officer = site.world.users["officer"]
    with site.inside():
        stranger = act_as(site.world, "police_spoc")
        with pytest.raises(NotVisible):
            change_details(stranger, officer, DetailsForm("X", "Y", NOTHING_KNOWN))
        with pytest.raises(NotVisible):
            reopen_user(stranger, officer, TODAY())
        with pytest.raises(NotVisible):
            move_user(stranger, officer, frozenset({site.world.teams["npt"]}))
