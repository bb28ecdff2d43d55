"""The steps of sharing as a browser without scripts sends them."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any
from uuid import UUID

from hub.access.models import Grant
from hub.core import clock
from hub.core.ids import new_id
from hub.extensions import db
from tests.fixtures.site import Site
from tests.fixtures.turning import copies
from tests.fixtures.world import World, act_as

WHY = "The patrol needs to know where it happens"


def filled(world: World, to: str = "police", **changes: Any) -> dict[str, Any]:
    until = clock.now() + timedelta(days=20)
    return {
        "to": f"organisation:{world.organisations[to]}",
        "purpose": f"prevent_crime:{world.agreements['sharing']}",
        "sections": ["summary", "chronology"],
        "reason": WHY,
        "max_marking": "0",
        "ends-day": str(until.day),
        "ends-month": str(until.month),
        "ends-year": str(until.year),
        **changes,
    }


def words(answer: Any) -> str:
    return html.unescape(answer.get_data(as_text=True))


def step(site: Site, case: UUID, go: str, user: str = "officer", **form: Any) -> str:
    answer = site.as_user(user).post(f"/cases/{case}/share", {**form, "go": go})
    assert answer.status_code == 200, answer.status_code
    return words(answer)


def joins(site: Site, url: str, user: str, team: str) -> None:
    """Makes a team co-located: somebody of another employer wears its hat too."""
    site.sql(
        url,
        "INSERT INTO team_membership (team_id, user_id, joined_at) VALUES (:team, :user, now())",
        team=site.world.teams[team],
        user=site.world.users[user],
    )


def second_agreement(site: Site, url: str, sections: str) -> str:
    """A copy of the sharing agreement that covers these sections; returns its id."""
    key = str(new_id())
    like = site.world.agreements["sharing"]
    copies(
        site, url, "agreement", 1,
        f"jsonb_build_object('id', '{key}', 'reference', 'NBC-ISA-SECOND', 'title', 'Second agreement',"
        f" 'sections', '{{{sections}}}'::text[], 'ends_at', now() + interval '100 days')",
        f"id = '{like}'",
    )  # fmt: skip
    for table in ("agreement_party", "agreement_purpose"):
        site.sql(
            url,
            f"INSERT INTO {table} SELECT (jsonb_populate_record(old, jsonb_build_object('agreement_id', '{key}'))).*"
            f" FROM {table} old WHERE agreement_id = :like",
            like=like,
        )
    return key


def grant_of(site: Site, record: UUID) -> Grant:
    with site.inside():
        act_as(site.world, "officer")
        found = db.session.query(Grant).filter(Grant.record_id == record).one()
        db.session.expunge(found)
        return found
