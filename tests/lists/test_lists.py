"""Code lists: entries hold from a day until a day, are never renamed, and say what they were called on old records."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from hub.admin.code_lists import list_code_lists
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.lists.actions import add_entry, relabel_entry, retire_entry
from hub.lists.catalogue import EDITABLE, JOB_ROLE, EditableList, Keeper
from hub.lists.entries import entries_of, label_of, labels_of
from hub.lists.forms import EntryForm, LabelForm, parse_entry
from hub.lists.job_roles import JOB_ROLES
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

Sql = Callable[..., list[Any]]
DAY = timedelta(days=1)
LIST = "/admin/lists/job_role"
WARDEN = {"label": "Street warden", "code": "", "official_code": "", "day": clock.today().isoformat()}


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


def entry(label: str, *, code: str = "", day: date | None = None) -> EntryForm:
    return EntryForm(code or label.lower().replace(" ", "_"), label, None, day or clock.today())


def test_an_empty_hub_has_the_handbooks_job_roles(app: Flask, world: World) -> None:
    actor = act_as(world, "spoc")
    found = [(one.code, one.last.label) for one in entries_of(actor, JOB_ROLE)]
    assert found == list(JOB_ROLES) and len(dict(JOB_ROLES)) == len(JOB_ROLES)
    assert labels_of(actor, JOB_ROLE)[:2] == ["Analyst", "ASB officer"]


def test_an_entry_is_on_the_list_from_its_day_and_in_its_organisation_only(app: Flask, world: World) -> None:
    actor = act_as(world, "spoc")
    add_entry(actor, JOB_ROLE, entry("Street warden", day=clock.today() + DAY))
    assert "Street warden" not in labels_of(actor, JOB_ROLE)
    assert "Street warden" in labels_of(actor, JOB_ROLE, clock.today() + DAY)
    db.session.commit()
    assert "Street warden" not in labels_of(act_as(world, "police_spoc"), JOB_ROLE, clock.today() + DAY)
    assert "Street warden" in labels_of(act_as(world, "officer"), JOB_ROLE, clock.today() + DAY)


def test_a_new_label_ends_the_old_one_the_day_before(app: Flask, world: World) -> None:
    actor, later = act_as(world, "spoc"), clock.today() + 5 * DAY
    relabel_entry(actor, JOB_ROLE, "analyst", LabelForm("Data analyst", "A1", later))
    assert label_of(actor, JOB_ROLE, "analyst", later - DAY) == "Analyst"
    assert label_of(actor, JOB_ROLE, "analyst", later) == "Data analyst"
    relabel_entry(actor, JOB_ROLE, "analyst", LabelForm("Insight analyst", None, later + DAY))
    [found] = [one for one in entries_of(actor, JOB_ROLE) if one.code == "analyst"]
    assert [(one.label, one.last) for one in found.spells] == [
        ("Analyst", later - DAY),
        ("Data analyst", later),
        ("Insight analyst", None),
    ]
    # the place in the hub's own order stays
    assert [one.code for one in entries_of(actor, JOB_ROLE)] == [code for code, _ in JOB_ROLES]


def test_a_retired_code_is_offered_no_more_and_keeps_its_label(app: Flask, world: World) -> None:
    actor = act_as(world, "spoc")
    retire_entry(actor, JOB_ROLE, "pcso", clock.today())
    add_entry(actor, JOB_ROLE, entry("Street warden"))
    retire_entry(actor, JOB_ROLE, "street_warden", clock.today() + DAY)
    assert "PCSO" not in labels_of(actor, JOB_ROLE) and "Street warden" in labels_of(actor, JOB_ROLE)
    assert "Street warden" not in labels_of(actor, JOB_ROLE, clock.today() + DAY)
    assert label_of(actor, JOB_ROLE, "pcso") == "PCSO"
    assert label_of(actor, JOB_ROLE, "street_warden", clock.today() + 900 * DAY) == "Street warden"
    assert label_of(actor, JOB_ROLE, "never_was") == "never_was"


def test_duplicates_are_refused(app: Flask, world: World) -> None:
    actor = act_as(world, "spoc")
    for form, field in (
        (entry("pCSO"), "label"),
        (entry("Warden of the street", code="pcso"), "label"),
    ):
        with pytest.raises(Invalid) as refused:
            add_entry(actor, JOB_ROLE, form)
        assert list(refused.value.errors) == [field]
        assert "on the list already" in refused.value.errors[field]
    with pytest.raises(Invalid, match="label_taken"):
        relabel_entry(actor, JOB_ROLE, "analyst", LabelForm("Auditor", None, clock.today()))
    with pytest.raises(Invalid, match="same_label"):
        relabel_entry(actor, JOB_ROLE, "analyst", LabelForm("Analyst", None, clock.today()))
    # one that ends before the other begins is no duplicate
    retire_entry(actor, JOB_ROLE, "pcso", clock.today() + DAY)
    add_entry(actor, JOB_ROLE, entry("PCSO", code="pcso_new", day=clock.today() + DAY))


def test_gaps_are_refused_and_a_code_goes_on_only_from_the_next_day(app: Flask, world: World) -> None:
    actor, end = act_as(world, "spoc"), clock.today() + 3 * DAY
    retire_entry(actor, JOB_ROLE, "pcso", end)
    for wrong in (end + DAY, end - DAY):
        with pytest.raises(Invalid) as refused:
            add_entry(actor, JOB_ROLE, entry("PCSO", day=wrong))
        assert refused.value.code == "gap" and f"Enter {end:%-d %B %Y}" in refused.value.errors["day"]
    with pytest.raises(Conflict, match="ends"):
        relabel_entry(actor, JOB_ROLE, "pcso", LabelForm("Support officer", None, end))
    with pytest.raises(Conflict, match="ends_already"):
        retire_entry(actor, JOB_ROLE, "pcso", end)
    add_entry(actor, JOB_ROLE, entry("PCSO", day=end))
    assert all("PCSO" in labels_of(actor, JOB_ROLE, end + days * DAY) for days in (-1, 0, 1))


def test_a_code_that_was_retired_in_the_past_is_not_used_again(site: Site, sql: Sql) -> None:
    with site.inside():
        retire_entry(act_as(site.world, "spoc"), JOB_ROLE, "pcso", clock.today())
        db.session.commit()
    sql("UPDATE code_list_entry SET valid_to = valid_to - 9")
    with site.inside(), pytest.raises(Invalid, match="code_retired"):
        add_entry(act_as(site.world, "spoc"), JOB_ROLE, entry("PCSO"))


def test_a_label_that_comes_is_taken_back_and_not_overtaken(app: Flask, world: World) -> None:
    actor, later = act_as(world, "spoc"), clock.today() + 5 * DAY
    relabel_entry(actor, JOB_ROLE, "analyst", LabelForm("Data analyst", None, later))
    for early in (clock.today(), later):
        with pytest.raises(Invalid, match="label_meanwhile"):
            relabel_entry(actor, JOB_ROLE, "analyst", LabelForm("Insight analyst", None, early))
    with pytest.raises(Invalid, match="label_meanwhile"):
        retire_entry(actor, JOB_ROLE, "analyst", later - DAY)
    retire_entry(actor, JOB_ROLE, "analyst", later)
    add_entry(actor, JOB_ROLE, entry("Analyst", day=later))
    assert label_of(actor, JOB_ROLE, "analyst", later) == "Analyst"


def test_nothing_is_backdated_and_nobody_else_changes_a_list(app: Flask, world: World) -> None:
    actor, before = act_as(world, "spoc"), clock.today() - DAY
    for act in (
        lambda: add_entry(actor, JOB_ROLE, entry("Street warden", day=before)),
        lambda: relabel_entry(actor, JOB_ROLE, "analyst", LabelForm("Data analyst", None, before)),
        lambda: retire_entry(actor, JOB_ROLE, "analyst", before),
    ):
        with pytest.raises(Invalid, match="backdated"):
            act()
    with pytest.raises(NotVisible):
        retire_entry(actor, JOB_ROLE, "no_such_code", clock.today())
    with pytest.raises(Denied):
        add_entry(act_as(world, "officer"), JOB_ROLE, entry("Street warden"))


def test_a_second_list_is_one_line_and_a_partnership_keeps_it_together(app: Flask, world: World) -> None:
    second = EditableList(
        "court", "Courts", "Where cases are heard.", Keeper.PARTNERSHIP, (("mags", "Magistrates"),)
    )
    add_entry(act_as(world, "spoc"), second, entry("Crown Court"))
    db.session.commit()
    assert labels_of(act_as(world, "police_spoc"), second) == ["Crown Court", "Magistrates"]
    assert labels_of(act_as(world, "east_officer"), second) == ["Magistrates"]
    assert "Crown Court" not in labels_of(act_as(world, "spoc"), JOB_ROLE)


def test_two_at_once_add_one_entry(site: Site, sql: Sql) -> None:
    together, refused = threading.Barrier(2), []

    def act() -> None:
        with site.inside():
            actor = act_as(site.world, "spoc")
            together.wait(timeout=30)
            try:
                add_entry(actor, JOB_ROLE, entry("Street warden"))
                db.session.commit()
            except Invalid as invalid:
                refused.append(invalid.code)

    both = [threading.Thread(target=act) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert refused == ["code_taken"]
    assert sql("SELECT count(*) FROM code_list_entry")[0][0] == 1


def test_the_database_lets_no_code_be_called_two_things_on_one_day(site: Site, sql: Sql) -> None:
    with site.inside():
        add_entry(act_as(site.world, "spoc"), JOB_ROLE, entry("Street warden"))
        db.session.commit()
    with pytest.raises(Exception, match="ex_code_list_entry_one_at_a_time"):
        sql(
            "INSERT INTO code_list_entry SELECT list_code, code, 'Other', NULL, valid_from + 9, NULL, organisation_id,"
            " partnership_id, created_by, gen_random_uuid(), now() FROM code_list_entry"
        )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "two\nlines"}, "label"),
        ({"code": "Not A Code"}, "code"),
        ({"code": "x" * 61}, "code"),
        ({"label": "†††"}, "code"),
        ({"official_code": "<b>"}, "official_code"),
        ({"official_code": "9" * 1000}, "official_code"),
        ({"day": "2027-02-30"}, "day"),
        ({"day": "2026-01-01"}, "day"),
        ({"day": ""}, "day"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(given: dict[str, str], field: str) -> None:
    assert parse_entry(WARDEN).code == "street_warden"
    with pytest.raises(Invalid) as refused:
        parse_entry({**WARDEN, **given})
    assert set(refused.value.errors) == {field}


def test_the_pages_add_relabel_and_retire_and_each_is_an_event(site: Site, sql: Sql) -> None:
    spoc = site.as_user("spoc")
    assert spoc.post(f"{LIST}/new", WARDEN).location == LIST
    soon = (clock.today() + DAY).isoformat()
    form = {"label": "Neighbourhood ranger", "official_code": "R1", "day": soon}
    assert spoc.post(f"{LIST}/street_warden/label", form).status_code == 303
    assert spoc.post(f"{LIST}/pcso/retire", {"end": soon}).status_code == 303
    page = spoc.get(LIST).text
    assert "Neighbourhood ranger" in page and "Coming" in page and "Street warden" in page
    one = spoc.get(f"{LIST}/street_warden").text
    assert "Street warden" in one and "Neighbourhood ranger" in one and "Retire it" in one
    assert "This entry ends" in spoc.get(f"{LIST}/pcso").text
    events = sql(
        "SELECT convert_from(body, 'UTF8')::jsonb -> 'facts' AS facts FROM audit.event WHERE act = 'list.changed' ORDER BY at"
    )
    assert [(row.facts["code"], row.facts["change"]) for row in events] == [
        ("street_warden", "added"),
        ("street_warden", "relabelled"),
        ("pcso", "retired"),
    ]
    # another organisation's list is as it was
    assert "Street warden" not in site.as_user("police_spoc").get(LIST).text
    assert site.as_user("police_spoc").get(f"{LIST}/street_warden").status_code == 404


def test_a_refused_form_keeps_what_was_typed(site: Site) -> None:
    spoc = site.as_user("spoc")
    added = spoc.post(f"{LIST}/new", {**WARDEN, "label": "PCSO", "official_code": "P1"})
    assert added.status_code == 422 and 'id="label-error"' in added.text and 'value="P1"' in added.text
    renamed = spoc.post(f"{LIST}/analyst/label", {"label": "", "official_code": "A9", "day": "2027-02-30"})
    assert (
        renamed.status_code == 422 and 'value="A9"' in renamed.text and 'value="2027-02-30"' in renamed.text
    )
    assert 'id="label-error"' in renamed.text and 'id="day-error"' in renamed.text
    retired = spoc.post(f"{LIST}/analyst/retire", {"end": "2026-01-01"})
    assert retired.status_code == 422 and 'id="end-error"' in retired.text


def test_every_list_can_be_looked_up_and_taken_away(site: Site, app: Flask, world: World) -> None:
    spoc = site.as_user("spoc")
    lists = list_code_lists(act_as(world, "spoc"))
    codes = [one.code for one in lists]
    assert len(set(codes)) == len(codes) and set(EDITABLE) < set(codes)
    assert {"incident_type", "case_type", "closure_reason", "erasure_ground", "alert_decision"} <= set(codes)
    index = spoc.get("/admin/lists").text
    for one in lists:
        assert one.href in index and one.lines
        page = spoc.get(one.href)
        assert page.status_code == 200 and ("Add an entry" in page.text) is (one.editable is not None)
    whole = spoc.get("/admin/lists/all.csv")
    assert whole.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(whole.data.decode("utf-8-sig"))))
    assert len(rows) == sum(len(one.lines) for one in lists)
    alone = spoc.get("/admin/lists/incident_type/list.csv").data.decode("utf-8-sig")
    assert '"Incident types","noise","Noise"' in alone


def test_a_list_of_the_hub_is_not_changed_and_nobody_else_sees_the_pages(site: Site) -> None:
    spoc = site.as_user("spoc")
    for path in ("incident_type/new", "incident_type/noise", "no_such_list", "no_such_list/list.csv"):
        assert spoc.get(f"/admin/lists/{path}").status_code == 404, path
    assert spoc.post("/admin/lists/incident_type/new", WARDEN).status_code == 404
    assert spoc.post("/admin/lists/incident_type/noise/retire", {"end": WARDEN["day"]}).status_code == 404
    for user in ("officer", "auditor"):
        client = site.as_user(user)
        for path in ("/admin/lists", LIST, "/admin/lists/all.csv", f"{LIST}/new", f"{LIST}/analyst"):
            assert client.get(path).status_code == 403, path
        assert client.post(f"{LIST}/new", WARDEN).status_code == 403


def test_the_invitation_offers_the_job_roles_and_takes_any_other(site: Site) -> None:
    spoc = site.as_user("spoc")
    spoc.post(f"{LIST}/new", WARDEN)
    spoc.post(f"{LIST}/pcso/retire", {"end": WARDEN["day"]})
    page = spoc.get("/admin/users/new").text
    assert 'list="job_title-suggestions"' in page and '<option value="Street warden">' in page
    assert '<option value="PCSO">' not in page
    form = {
        "name": "Lu Hall",
        "email": "lu@example.org",
        "job_title": "Keeper of the lighthouse",
        "team_id": str(site.world.teams["safety"]),
        "roles": ["practitioner"],
    }
    assert spoc.post("/admin/users/new", form).status_code == 200
