"""Terms as the tests of agreements draft them, in the hub and as a browser posts them."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from hub.access.vocabulary import Purpose, Section
from hub.agreements.actions import draft_agreement, send_agreement, sign_agreement
from hub.agreements.forms import PartyLine, PermittedPurpose, TermsForm
from hub.core import clock
from hub.extensions import db
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

SPOCS = {"council": "spoc", "police": "police_spoc", "yjs": "yjs_spoc", "charity": "charity_spoc"}


def terms(world: World, *parties: str, days: int = 100, **changes: Any) -> TermsForm:
    now = clock.now()
    values: dict[str, Any] = {
        "title": "Night-time economy",
        "parties": tuple(PartyLine(world.organisations[one], f"Head of {one}") for one in parties),
        "purposes": (PermittedPurpose(Purpose.PREVENT_CRIME, "cda_115", "art6_1e", "s1_p10"),),
        "starts_at": now - timedelta(days=10),
        "review_at": now + timedelta(days=days / 2),
        "ends_at": now + timedelta(days=days),
        "sections": (Section.SUMMARY, Section.CHRONOLOGY),
    }
    return TermsForm(**{**values, **changes})


def drafted(world: World, *parties: str, **changes: Any) -> UUID:
    """A draft of the first party's, committed."""
    agreement = draft_agreement(act_as(world, SPOCS[parties[0]]), terms(world, *parties, **changes))
    db.session.commit()
    return agreement.id


def sent(world: World, *parties: str, **changes: Any) -> UUID:
    agreement_id = drafted(world, *parties, **changes)
    send_agreement(act_as(world, SPOCS[parties[0]]), agreement_id)
    db.session.commit()
    return agreement_id


def agreed(world: World, *parties: str, **changes: Any) -> UUID:
    """Signed by every party, committed."""
    agreement_id = sent(world, *parties, **changes)
    for party in parties:
        sign_agreement(act_as(world, SPOCS[party]), agreement_id)
        db.session.commit()
    return agreement_id


def posted(world: World, **changes: Any) -> dict[str, Any]:
    """The form of terms as a browser sends it: the council with the police."""

    def day(name: str, moment: datetime) -> dict[str, str]:
        local = moment.astimezone(clock.LONDON).date()
        return {
            f"{name}-day": str(local.day),
            f"{name}-month": str(local.month),
            f"{name}-year": str(local.year),
        }

    now = clock.now()
    form: dict[str, Any] = {
        "title": "Night-time economy",
        "owner": str(world.users["spoc"]),
        "signatory-own": "Ada Lane, chief executive",
        "parties": "2",
        "party-0": str(world.organisations["police"]),
        "signatory-0": "Sam Reed, superintendent",
        "party-1": "",
        "signatory-1": "",
        "purposes": "1",
        "purpose-0": "prevent_crime",
        "gateway-0": "cda_115",
        "basis-0": "art6_1e",
        "condition-0": "s1_p10",
        "sections": ["summary", "chronology"],
        "data_classes": "What happened and where",
        "not_shared": "Health",
        "receivers": "Vetted officers",
        **day("starts", now),
        **day("review", now + timedelta(days=180)),
        **day("ends", now + timedelta(days=365)),
    }
    return {**form, **changes}


def acts_on(site: Site, database: SimpleNamespace, agreement_id: UUID) -> list[str]:
    rows = site.sql(
        database.superuser,
        "SELECT act FROM audit.event WHERE object_id = :id AND outcome = 'ok' AND act <> 'agreement.opened' ORDER BY at",
        id=agreement_id,
    )
    return [row.act for row in rows]


def told(site: Site, database: SimpleNamespace, kind: str, agreement_id: UUID | None = None) -> list[str]:
    """The e-mail names of those who were told of a kind, in order; of one agreement, where it is given."""
    rows = site.sql(
        database.superuser,
        "SELECT split_part(u.email, '@', 1) AS who FROM notification n JOIN app_user u ON u.id = n.user_id"
        " WHERE n.kind = :kind AND n.address LIKE :address ORDER BY 1",
        kind=kind,
        address=f"/agreements/{agreement_id}" if agreement_id else "%",
    )
    return [row.who for row in rows]
