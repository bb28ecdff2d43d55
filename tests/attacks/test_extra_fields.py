"""Mass assignment: what a form does not offer is not taken, whatever a body says."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

from tests.attacks.arena import Arena
from tests.attacks.checks import told
from tests.attacks.conftest import Cast
from tests.attacks.forms import forms
from tests.attacks.walking import address_of, rules

FOREIGN = str(uuid4())
# access facts, keys and states: none of them is ever typed
EXTRA = {
    "id": FOREIGN,
    "reference": "NBC-CS-222222",
    "record_id": FOREIGN,
    "partnership_id": FOREIGN,
    "owner_organisation_id": FOREIGN,
    "contributor_organisation_id": FOREIGN,
    "organisation_id": FOREIGN,
    "lead_team_id": FOREIGN,
    "created_at": "2001-01-01",
    "recorded_at": "2001-01-01",
    "reported_at": "2001-01-01",
    "opened_at": "2001-01-01",
    "starts_at": "2001-01-01",
    "breakable": "yes",
    "knowable": "yes",
    "open_to_owner": "yes",
    "status": "closed",
    "state": "accepted",
    "answered_by": FOREIGN,
    "agreement_id": FOREIGN,
    "clearance": "1",
    "author_id": FOREIGN,
    "contributed_by": FOREIGN,
    "logged_by": FOREIGN,
    "section": "intelligence",
    "item_marking": "0",
    "scan_state": "clean",
    "imported_batch": FOREIGN,
    "source_system": "x",
    "password_hash": "x",
    "disabled_at": "2001-01-01",
}
# fields that some forms do offer, tried on those that do not
SOMEWHERE = {
    "restricted": "yes",
    "marking": "1",
    "revision": "99",
    "audience_ids": FOREIGN,
    "significant": "yes",
}
OUT_OF_RANGE = {"marking": "9", "max_marking": "9"}


def test_fields_that_no_form_offers_change_nothing(
    arena: Arena, cast: Cast, database: SimpleNamespace
) -> None:
    faults = []
    for rule in rules(arena, "POST"):
        if rule.endpoint not in forms(arena) or rule.endpoint.startswith(
            # a sample is drawn from what is a minute old, and the arena may be younger
            (
                "accounts.",
                "credentials.",
                "second_step.",
                "drafts.",
                "admin.close",
                "agreements.s",
                "samples.new",
            )
        ):
            continue
        user, form = forms(arena)[rule.endpoint]
        extra = {name: value for name, value in {**EXTRA, **SOMEWHERE}.items() if name not in form}
        if rule.endpoint == "incident.attach":
            extra.pop("id")
        if rule.endpoint in ("cases.new", "cases.edit"):
            extra.pop("restricted", None)
        if rule.endpoint == "case_file.change":
            extra = {name: value for name, value in extra.items() if name not in ("section", "marking")}
        if rule.endpoint.startswith("case_log"):
            extra.pop("significant")
        answer = cast(user).post(address_of(arena, rule), {**extra, **form})
        if answer.status_code not in (200, 303, 409):
            faults.append(f"{rule.endpoint}: {answer.status_code}")
    assert not faults, told(faults)
    planted = _tables_with(arena, database, FOREIGN)
    assert planted == []
    facts = arena.site.sql(
        database.superuser,
        "SELECT DISTINCT partnership_id, owner_organisation_id, restricted, breakable, knowable, open_to_owner, marking"
        " FROM record WHERE owner_organisation_id = :council",
        council=arena.site.world.organisations["council"],
    )
    assert {(row.partnership_id, row.restricted, row.open_to_owner, row.marking) for row in facts} == {
        (arena.site.world.partnerships["northbrook"], False, False, 0)
    }
    assert (
        arena.site.sql(database.superuser, "SELECT count(*) FROM record WHERE created_at < '2020-01-01'")[0][
            0
        ]
        == 0
    )
    # the police rejected what was offered to them; else only the fact was answered, and what a seat on a panel or a request
    # answers beforehand
    states = arena.site.sql(
        database.superuser,
        "SELECT DISTINCT state FROM record_grant WHERE panel_id IS NULL AND access_request_id IS NULL AND record_id <> :told",
        told=arena.asides.told_case,
    )
    assert {row.state for row in states} <= {"pending", "rejected"}


def test_a_value_outside_its_list_is_refused(arena: Arena, cast: Cast) -> None:
    faults = []
    for rule in rules(arena, "POST"):
        user, form = forms(arena).get(rule.endpoint, ("", {}))
        for name, value in OUT_OF_RANGE.items():
            if name not in form:
                continue
            answer = cast(user).post(address_of(arena, rule), {**form, name: value})
            if answer.status_code != 422:
                faults.append(f"{rule.endpoint} {name}: {answer.status_code}")
    assert not faults, told(faults)


def test_nobody_leads_a_case_or_sits_in_a_circle_by_writing_a_strangers_id(arena: Arena, cast: Cast) -> None:
    stranger = str(arena.site.world.users["east_officer"])
    new = next(rule for rule in rules(arena, "POST") if rule.endpoint == "cases.new")
    form = forms(arena)["cases.new"][1]
    assert (
        cast("officer").post(address_of(arena, new), {**form, "lead_officer_id": stranger}).status_code == 422
    )
    restrict = f"/cases/{arena.mine.case_id}/restrict"
    answer = cast("officer").post(restrict, {"restricted": "yes", "reason": "Because", "members": [stranger]})
    assert answer.status_code == 422
    switched = cast("officer").post("/hat", {"hat": f"{arena.site.world.teams['east_safety']}:prevent_crime"})
    assert switched.status_code == 403
    invite = {**forms(arena)["admin.invite"][1], "team_id": str(arena.site.world.teams["npt"])}
    assert cast("spoc").post("/admin/users/new", invite).status_code == 422
    shared = {**forms(arena)["case_sharing.send"][1], "also": [str(arena.police.incident_id)]}
    cast("officer").post(f"/cases/{arena.mine.case_id}/share/send", shared)
    assert cast("yot_worker").get("/shared").get_data(as_text=True).count("NBP-") == 0


def _tables_with(arena: Arena, database: SimpleNamespace, text: str) -> list[str]:
    names = arena.site.sql(
        database.superuser,
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'draft'",
    )
    return [
        row.tablename
        for row in names
        if arena.site.sql(
            database.superuser,
            f'SELECT 1 FROM "{row.tablename}" t WHERE t::text LIKE :text LIMIT 1',
            text=f"%{text}%",
        )
    ]
