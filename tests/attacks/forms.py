"""A right form for every address that takes one, so that each wrong field can be tried by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.core import clock
from tests.agreements.drafting import posted
from tests.attacks.arena import Arena

INCIDENT = {
    "kind": "noise",
    "description": "Music until late",
    "occurred_from-day": "20",
    "occurred_from-month": "11",
    "occurred_from-year": "2026",
    "occurred_to-day": "",
    "occurred_to-month": "",
    "occurred_to-year": "",
    "occurred_time": "11:30pm",
    "place-kind": "street",
    "place-description": "Behind the shops",
    "place-street": "Quarry Row",
    "place-town": "",
    "place-ward": "Quarry",
    "place-postcode": "nb14qt",
    "place-role": "scene",
    "source": "public_report",
    "told_by": "Mrs Vale",
    "marking": "0",
}
PERSON = {
    "given_names": "Cy",
    "family_name": "Ferndale",
    "known_as": "",
    "role": "subject",
    "marking": "0",
    "date_of_birth-day": "1",
    "date_of_birth-month": "2",
    "date_of_birth-year": "1990",
    "same": "new",
}
PLACE = {
    "kind": "street",
    "description": "Corner",
    "street": "",
    "town": "",
    "ward": "",
    "postcode": "",
    "role": "scene",
}
VEHICLE = {
    "kind": "car",
    "vrm": "AB12 CDE",
    "frame_number": "",
    "make": "",
    "model": "",
    "colour": "",
    "description": "",
    "role": "used",
}


def day(name: str, ahead: int) -> dict[str, str]:
    then = clock.now() + timedelta(days=ahead)
    return {f"{name}-day": str(then.day), f"{name}-month": str(then.month), f"{name}-year": str(then.year)}


def case_form(arena: Arena) -> dict[str, Any]:
    return {
        "kind": "asb",
        "title": "Noise, Ward 3",
        "priority": "p3_routine",
        "marking": "0",
        "source": "police",
        "summary": "Loud",
        "reported_on-day": "",
        "reported_on-month": "",
        "reported_on-year": "2026",
        "lead_officer_id": str(arena.site.world.users["officer"]),
        "restricted": "",
        "restricted_reason": "",
    }


def share_form(arena: Arena) -> dict[str, Any]:
    return {
        "to": f"organisation:{arena.site.world.organisations['yjs']}",
        "purpose": "prevent_crime",
        "gateway": "",
        "sections": ["summary", "chronology"],
        "also": [],
        "reason": "They need to know",
        "max_marking": "0",
        "may_contribute": "yes",
        "go": "check",
        **day("ends", 20),
    }


def fact_form(arena: Arena) -> dict[str, Any]:
    return {
        "to": f"organisation:{arena.site.world.organisations['landlord']}",
        "purpose": "tenancy",
        "code": "warning_letter",
        "concerning": "Flat 2",
        "wording": "Sent by post",
        "reason": "They need to know",
        **day("from_on", -20),
        **day("until_on", 20),
        **day("ends", 20),
        "go": "check",
    }


def panel_form(arena: Arena) -> dict[str, Any]:
    return {
        "agreement": str(arena.site.world.agreements["sharing"]),
        "name": "Third",
        "purpose": "prevent_crime",
        "sections": ["chronology"],
        "seats": [f"organisation:{arena.site.world.organisations['police']}"],
        "max_marking": "0",
        "lasts_days": "30",
        "may_contribute": "",
    }


def forms(arena: Arena) -> dict[str, tuple[str, dict[str, Any]]]:
    """Endpoint → who sends it, and a right form. Every address of the map that takes a form is here: a test says so."""
    world = arena.site.world
    officer: dict[str, dict[str, Any]] = {
        "cases.new": case_form(arena),
        "cases.edit": {
            "title": "Noise, Ward 3",
            "priority": "p3_routine",
            "risk_level": "standard",
            "marking": "0",
            "summary": "Loud",
            "lead_officer_id": str(world.users["officer"]),
            "next_review_on-day": "",
            "next_review_on-month": "",
            "next_review_on-year": "",
            "marking_reason": "",
            "revision": "1",
        },
        "case_steps.status": {
            "to": "triage",
            "reason": "Because",
            "closure_reason": "",
            "outcome": "",
            "victim_told": "",
            **day("until", 20),
        },
        "case_steps.restrict": {"restricted": "", "reason": "Open again", "members": []},
        "case_log.add": {
            "text": "Visited",
            "kind": "visit",
            "nature": "fact",
            "audience": "",
            "occurred_on-day": "1",
            "occurred_on-month": "2",
            "occurred_on-year": "2026",
            "occurred_time": "",
            "corrects_id": "",
            "marking": "0",
            "from": "summary",
        },
        "case_people.add_person": PERSON,
        "case_people.add_place": PLACE,
        "case_people.add_vehicle": VEHICLE,
        "case_people.end": {"why": "Wrong person"},
        "incident.add_person": PERSON,
        "incident.add_place": PLACE,
        "incident.add_vehicle": VEHICLE,
        "incident.end": {"why": "Wrong person"},
        "incident.attach": {"case": "", "reference": arena.mine.reference},
        "incidents.log": INCIDENT,
        "case_sharing.share": share_form(arena),
        "case_sharing.send": share_form(arena),
        "case_panels.send": {"panel": str(arena.panels[0]), "reason": "They need to know"},
        "case_facts.share": fact_form(arena),
        "case_facts.send": fact_form(arena),
        "case_sharing.end": {"reason": "Over"},
        "drafts.keep": {"text": "half a word"},
        "drafts.discard": {"back": "/cases"},
        "accounts.hat": {"hat": f"{world.teams['safety']}:prevent_crime", "next": "/cases"},
        "accounts.stay": {},
        "accounts.confirm": {"password": "x", "next": "/cases"},
        "accounts.sign_in": {"email": "nobody@example.org", "password": "x", "next": "/"},
        "accounts.enrol": {"password": "correct horse battery", "again": "correct horse battery"},
        "notifications.read_all": {"before": str(arena.notification_id)},
    }
    found = {endpoint: ("officer", form) for endpoint, form in officer.items()}
    found |= {
        "sharing.answer": ("sergeant", {"answer": "reject", "reason": "Not ours"}),
        "notifications.read_one": ("sergeant", {"then": "open"}),
        "admin.invite": (
            "spoc",
            {
                "name": "Lu Hall",
                "email": "lu.hall@example.org",
                "job_title": "Warden",
                "team_id": str(world.teams["safety"]),
                "roles": ["practitioner"],
            },
        ),
        "admin.renew": ("spoc", {}),
        "panels.new": ("spoc", panel_form(arena)),
        "panels.join": ("police_spoc", {"seat": str(arena.police_seat)}),
        "panels.leave": ("police_spoc", {"seat": str(arena.police_seat)}),
        "panels.end": ("spoc", {}),
        "teams.add": ("spoc", {"email": "sergeant@example.org"}),
        "teams.remove": ("spoc", {}),
        "admin.close": ("spoc", {}),
        "agreements.sign": ("charity_spoc", {"signatory": "Ines Moor, director"}),
        "agreements.send": ("spoc", {}),
        "agreement_terms.new": ("spoc", posted(world)),
        "agreement_terms.edit": ("spoc", posted(world)),
        "agreement.suspend": ("spoc", {"why": "A breach"}),
        "agreement.resume": ("spoc", {}),
        "agreement.leave": ("spoc", {"why": "Not needed"}),
        "agreement.end": ("spoc", {"why": "Not needed"}),
        "oversight.purpose": ("auditor", {"purpose": "lawfulness", "next": "/audit"}),
        "oversight.check": ("auditor", {"period": "7"}),
    }
    return found


# the upload reads its own body (see test_uploads), signing out ends the session that the others use
OF_THEIR_OWN = frozenset({"case_files.upload", "papers.add", "accounts.sign_out"})
# what a reader may put into the address of each page
PARAMETERS: dict[str, tuple[str, ...]] = {
    "cases.index": ("scope", "status", "kind", "priority", "risk", "title", "after"),
    "cases.new": ("incident",),
    "incidents.index": ("kind", "source", "period", "where", "after"),
    "people.index": ("role", "after"),
    "search.results": ("q",),
    "sharing.shared": ("reject",),
    "panels.index": ("state", "after"),
    "panels.new": ("agreement",),
    "case_panels.choose": ("panel",),
    "teams.one": ("remove", "after"),
    "agreements.register": ("standing", "with", "after"),
    "agreements.register_csv": ("standing", "with"),
    "agreement_terms.new": ("like",),
    "notifications.home": ("after",),
    "case_log.show": ("type", "is", "organisation", "only", "corrects", "after"),
    "case_files.home": ("after", "added"),
    "case_sharing.show": ("end",),
    "accounts.sign_in": ("next", "kept"),
    "accounts.confirm": ("next",),
    "oversight.purpose": ("next",),
    "oversight.desk": (
        "user",
        "organisation",
        "reference",
        "act",
        "category",
        "outcome",
        "from",
        "to",
        "after",
    ),
    "oversight.record": ("after",),
    "oversight.user": ("after",),
}
