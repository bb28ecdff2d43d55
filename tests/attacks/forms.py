"""A right form for every address that takes one, so that each wrong field can be tried by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.assurances.questions import questionnaire
from hub.core import clock
from tests.agreements.drafting import posted
from tests.attacks.arena import Arena
from tests.attacks.asides import SOUGHT
from tests.attacks.door_forms import administration, own_account

BUNDLE = {"originals": "no", "reason": "Asked for by the prosecution"}
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


TOLD = {
    "kind": "fact:phone",
    "value": "01632 960 001",
    "given_names": "",
    "family_name": "",
    "source": "person",
    "marking": "0",
    "date_of_birth-day": "",
    "date_of_birth-month": "",
    "date_of_birth-year": "",
}


EMERGENCY = {"reason": "Somebody is about to be hurt there, a caller says", "minutes": "60"}


def day(name: str, ahead: int) -> dict[str, str]:
    then = clock.now() + timedelta(days=ahead)
    return {f"{name}-day": str(then.day), f"{name}-month": str(then.month), f"{name}-year": str(then.year)}


def iso(ahead: int) -> str:
    return (clock.now() + timedelta(days=ahead)).date().isoformat()


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


def change_form(arena: Arena) -> dict[str, Any]:
    return {
        "sections": ["summary", "people"],
        "max_marking": "0",
        "may_contribute": "",
        "reason": "They need more",
        "revision": "",
        **day("ends", 15),
    }


def consent_form(arena: Arena) -> dict[str, Any]:
    return {
        "person": str(arena.mine.person_id),
        "purpose": "support_victim",
        "to_organisation": str(arena.site.world.organisations["yjs"]),
        "given_on-day": "1",
        "given_on-month": "3",
        "given_on-year": "2026",
        "given_by": "person",
        "given_how": "phone",
        "told": "What is shared and with whom",
        "capacity": "He put it in his own words",
        "person_view": "",
    }


def hand_over_form(arena: Arena) -> dict[str, Any]:
    world = arena.site.world
    return {
        "to": f"team:{world.organisations['yjs']}:{world.teams['yjs']}",
        "purpose": f"prevent_crime:{world.agreements['sharing']}",
        "stays": ["files"],
        "reason": "They know the family",
        "go": "check",
    }


def answers_form() -> dict[str, Any]:
    codes = [one.code for one in questionnaire().questions]
    return dict.fromkeys(codes, "yes") | {f"{code}-evidence": "See our paper" for code in codes}


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
        "case_steps.known": {"known": "yes"},
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
        "case_sharing.preview": {**share_form(arena), "as": ""},
        "case_sharing.change": change_form(arena),
        "incident_sharing.share": {**share_form(arena), "sections": ["summary", "people"]},
        "incident_sharing.send": {**share_form(arena), "sections": ["summary", "people"]},
        "incident_sharing.preview": {**share_form(arena), "sections": ["summary", "people"], "as": ""},
        "incident_sharing.change": change_form(arena),
        "case_consents.new": consent_form(arena),
        "case_consents.withdraw": {"withdrawn_how": "phone"},
        "case_people.tell": TOLD,
        "incident.tell": TOLD,
        "case_panels.send": {"panel": str(arena.panels[0]), "reason": "They need to know"},
        "case_facts.share": fact_form(arena),
        "case_facts.send": fact_form(arena),
        "case_sharing.end": {"reason": "Over"},
        "incident_sharing.end": {"reason": "Over"},
        "access_requests.ask": {
            "sought": " ".join(SOUGHT),
            "urgency": "routine_20_working_days",
            "wanted": "Whether he is known",
            "reason": "Officers call tomorrow",
        },
        "access_requests.answer": {
            "state": "part",
            "answer": "The rest is not theirs to know",
            "reason": "They need it to work safely",
            f"sections-{arena.asides.sought_case}": ["summary"],
            "max_marking": "0",
            **day("ends", 20),
        },
        "access_requests.withdraw": {},
        "emergencies.ask": {**EMERGENCY, "reference": arena.asides.reference, "go": "check"},
        "emergencies.open_now": {**EMERGENCY, "reference": arena.asides.reference},
        "emergencies.close": {},
        "interests.declare": {
            "given_names": "Fion",
            "family_name": "Ferndale",
            "date_of_birth-day": "",
            "date_of_birth-month": "",
            "date_of_birth-year": "1990",
            "relation": "friend",
        },
        "drafts.keep": {"text": "half a word"},
        "drafts.discard": {"back": "/cases"},
        **own_account(arena),
        "notifications.read_all": {"before": str(arena.notification_id)},
    }
    manager: dict[str, dict[str, Any]] = {
        "emergencies.review": {"outcome": "explained", "note": "I read what was looked at"},
        "interests.lift": {"reason": "Another of the same name"},
        "interests.end": {},
        "hand_overs.accept": {"gateway": "cda_115", "lawful_basis": "art6_1e", "note": "We take it"},
        "hand_overs.refuse": {"reason": "Not ours"},
        "hand_overs.withdraw": {},
        "case_handover.steps": hand_over_form(arena),
        "case_handover.offer": hand_over_form(arena),
    }
    # before an interest is declared, which may take the case out of the officer's sight
    found: dict[str, tuple[str, Any]] = {
        "case_file.change": ("officer", {"kind": "report", "description": "As found", "revision": "1"}),
        "case_file.hide": ("officer", {"reason": "Attached twice", "revision": "1"}),
        "case_file.restore": ("officer", {"reason": "Needed after all", "revision": "1"}),
        "case_file_list.as_table": ("officer", {"reason": "For the file"}),
        "case_file_list.on_paper": ("officer", {"reason": "For the file"}),
        "case_holds.place": ("manager", {"reason": "An inquest"}),
        "case_holds.place_on_file": ("manager", {"reason": "An inquest"}),
        "case_holds.ask": ("manager", {"reason": "The inquest is over"}),
        "case_holds.lift": ("manager", {}),
        "case_disclosures.assess": ("manager", {}),
        "case_disclosures.check": (
            "manager",
            BUNDLE | {"to_organisation_id": str(world.organisations["police"])},
        ),
        "case_disclosures.ask": (
            "manager",
            BUNDLE | {"to_organisation_id": str(world.organisations["police"])},
        ),
        "case_disclosures.approve": ("manager", {}),
        "erasures.steps": ("manager", {"ground": "retention_over"}),
        "erasures.ask": ("manager", {"ground": "retention_over"}),
        "erasures.approve": ("manager", {}),
        "erasures.refuse": ("manager", {}),
        "thresholds.change": ("spoc", {"threshold-bulk": "60", "valid_from-bulk": iso(1), "newest-bulk": ""}),
        "case_disclosures.bundle": ("manager", {}),
    }
    found |= {endpoint: ("officer", form) for endpoint, form in officer.items()}
    found |= {endpoint: ("manager", form) for endpoint, form in manager.items()}
    found |= {
        "sharing.answer": ("sergeant", {"answer": "reject", "reason": "Not ours"}),
        "notifications.read_one": ("sergeant", {"then": "open"}),
        **administration(arena),
        "file_rules.change": (
            "spoc",
            {
                "extensions": ["pdf", "jpg", "txt"],
                "max_mib": "500",
                "max_files": "100",
                "user_quota_mib": "1000",
                "organisation_quota_mib": "9000",
            },
        ),
        "settings.change": ("spoc", {"chosen": "70", "effective_from": iso(1)}),
        "settings.withdraw": ("spoc", {}),
        "code_lists.add": (
            "spoc",
            {"label": "Street warden", "code": "", "official_code": "W1", "day": iso(1)},
        ),
        "code_lists.relabel": ("spoc", {"label": "Data analyst", "official_code": "", "day": iso(1)}),
        "code_lists.retire": ("spoc", {"end": iso(1)}),
        "panels.new": ("spoc", panel_form(arena)),
        "panels.join": ("police_spoc", {"seat": str(arena.police_seat)}),
        "panels.leave": ("police_spoc", {"seat": str(arena.police_seat)}),
        "panels.end": ("spoc", {}),
        "assurances.answer": ("spoc", answers_form()),
        "assurances.review": ("spoc", {"outcome": "accepted", "note": "Seen", **day("until", 100)}),
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
        "alerts.review": ("auditor", {"decision": "justified", "note": "Asked the manager", "revision": "1"}),
        "samples.new": ("auditor", {"size": "1", "category": "", "act": "", "from": iso(-1), "to": iso(0)}),
        "samples.judge": ("auditor", {"verdict": "accepted", "note": "As the case says"}),
        "my_accesses.answer": ("officer", {"answer": "The caller asked for news"}),
        "subject_reports.show": ("auditor", {"titles": "yes", "reason": "A complaint", "as": "page"}),
    }
    return found
