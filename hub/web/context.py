"""What every template is given: the reader, the navigation, the marking, the tokens of its forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, Marking, Purpose
from hub.core import clock
from hub.web.gate import csrf_token
from hub.web.identity import counts
from hub.web.once import new_form_key


@dataclass(frozen=True)
class Place:
    """An entry of the navigation: nobody sees a link that leads to a refusal."""

    label: str
    href: str
    needs: Permission
    blueprints: tuple[str, ...]


NAVIGATION = (
    Place("My work", "/", Permission.WORK_READ, ("work",)),
    Place("Incidents", "/incidents", Permission.INCIDENT_READ, ("incidents", "incident", "incident_sharing")),
    Place(
        "Cases",
        "/cases",
        Permission.CASE_READ,
        (
            "cases",
            "case_steps",
            "casefile",
            "case_log",
            "case_people",
            "case_files",
            "case_file",
            "case_file_list",
            "case_holds",
            "case_disclosures",
            "case_sharing",
            "case_access",
            "case_consents",
            "case_handover",
            "case_panels",
            "case_facts",
            "case_seen",
        ),
    ),
    Place("People", "/people", Permission.PERSON_READ, ("people", "person")),
    Place("Shared with us", "/shared", Permission.SHARE_READ, ("sharing", "hand_overs", "facts")),
    Place(
        "Agreements",
        "/agreements",
        Permission.AGREEMENT_READ,
        ("agreements", "agreement", "agreement_terms", "papers", "panels"),
    ),
    Place("Emergencies", "/emergencies", Permission.EMERGENCY_REVIEW, ("emergencies",)),
    Place("Alert rules", "/alert-rules", Permission.ALERT_SET, ("thresholds",)),
    Place("Erasures", "/erasures", Permission.ERASURE_APPROVE, ("erasures",)),
    Place("Audit", "/audit", Permission.AUDIT_READ, ("oversight", "alerts", "samples", "subject_reports")),
    Place(
        "Admin",
        "/admin",
        Permission.ACCOUNT_MANAGE,
        (
            "admin",
            "configuration",
            "teams",
            "joiners",
            "directories",
            "file_rules",
            "settings",
            "code_lists",
            "quarantine",
            "attestations",
            "assurances",
            "evidence",
            "passkey_rule",
            "provider_admin",
            "role_changes",
        ),
    ),
)


# places of the navigation that show how many wait there
COUNTED = {"/shared": "waiting", "/emergencies": "reviews"}


@dataclass(frozen=True)
class Reader:
    """The actor as templates see one."""

    name: str
    organisation_name: str
    team_name: str
    purpose_label: str
    permissions: frozenset[Permission]

    def may(self, permission: str) -> bool:
        return permission in self.permissions


def install(app: Flask) -> None:
    app.context_processor(_everywhere)


def _everywhere() -> dict[str, Any]:
    visit = g.get("visit")
    actor = g.get("actor")
    reader = None
    numbers: dict[str, int] = {}
    if actor is not None:
        numbers = counts(actor) if not g.get("failed") else {}
        purpose = PURPOSE_LABELS[Purpose(actor.purpose)]
        reader = Reader(actor.name, actor.organisation_name, actor.team_name, purpose, actor.permissions)
    return {
        "actor": reader,
        "navigation": _navigation(actor, numbers),
        # the page's own marking where it has one; else what a page of this service bears at least
        "marking": g.get("marking") or (Marking.OFFICIAL.label if actor else ""),
        "hats": [{"value": hat.value, "label": hat.label} for hat in visit.hats] if visit and actor else [],
        "unread": numbers.get("unread", 0),
        "session_expires_at": visit.expires_at if visit and actor else None,
        "csrf_token": csrf_token() if not g.get("failed") or actor else "",
        "form_key": new_form_key(),
        "nonce": g.get("nonce", ""),
        "demo": current_app.config["HUB_SETTINGS"].demo,
        "build": current_app.config["HUB_SETTINGS"].build,
        "now": clock.now(),
        "page_title": "Partner hub",
    }


def _navigation(actor: Any, numbers: dict[str, int]) -> list[dict[str, Any]]:
    if actor is None:
        return []
    blueprint = (request.blueprint or "") if request else ""
    return [
        {
            "label": place.label,
            "href": place.href,
            "active": blueprint in place.blueprints,
            "count": numbers.get(COUNTED.get(place.href, ""), 0),
        }
        for place in NAVIGATION
        if actor.may(place.needs)
    ]


def lead_back(href: str, label: str) -> None:
    """Where a refusal or a conflict in this request leads back to, rather than to the start."""
    g.back_to = {"href": href, "label": label}


def mark_page(marking: int, *descriptors: str) -> None:
    """Sets the protective marking of the page being made: the highest of what it shows."""
    parts = [Marking(marking).label, *descriptors]
    g.marking = " – ".join(parts).upper()
