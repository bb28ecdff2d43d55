"""The map of addresses, walked: its rules, an address of each that leads somewhere, and somebody whom it lets in."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule

from hub.access.permissions import Permission
from hub.web.routes import DECLARED
from tests.attacks.arena import Arena
from tests.fixtures.site import Client

# sent by browsers, without a form: tests/web/test_reports.py attacks it
NO_FORM = frozenset({"reports.policy_report"})
SUPERVISES = (
    Permission.EMERGENCY_REVIEW,
    Permission.INTEREST_REVIEW,
    Permission.CASE_HAND_OVER,
    Permission.FILE_HOLD,
    Permission.FILE_EXPORT,
    Permission.ERASURE_ASK,
    Permission.ERASURE_APPROVE,
)


def rules(arena: Arena, method: str) -> list[Rule]:
    return [
        rule
        for rule in arena.site.app.url_map.iter_rules()
        if method in (rule.methods or ()) and rule.endpoint in DECLARED and rule.endpoint not in NO_FORM
    ]


def address_of(arena: Arena, rule: Rule, **changes: Any) -> str:
    adapter = arena.site.app.url_map.bind("127.0.0.1:8480")
    known: dict[str, Any] = {
        **arena.ids_of(arena.mine),
        "key": "cases.new",
        "secret": "x",
        "reference": arena.mine.reference,
        "kind": "person",
        "about": "desk",
        "number": 1,
        "code": "dormant_days" if rule.endpoint.startswith("settings.") else "bulk",
        "list_code": "job_role",
        "entry_code": "panel_member" if rule.endpoint == "code_lists.retire" else "analyst",
    }
    if rule.endpoint.startswith(("incident.", "incident_sharing.")):
        known |= arena.mine.of_incident()
    if rule.endpoint in ("subject_reports.show", "oversight.person"):
        known["reference"] = arena.mine.person_reference
    known |= arena.asides.acts.get(rule.endpoint, {})
    known["agreement_id"] = arena.pacts.get(rule.endpoint, known["agreement_id"])
    if rule.endpoint == "panels.end":
        known["panel_id"] = arena.panels[1]
    if rule.endpoint == "teams.remove":
        known["user_id"] = arena.site.world.users["housing_officer"]
    values = {name: known[name] for name in rule.arguments} | changes
    return str(adapter.build(rule.endpoint, values, method=next(iter(rule.methods or ()))))


def asker(endpoint: str) -> str:
    """Somebody whom the route lets in."""
    needs = DECLARED[endpoint].needs
    if needs in SUPERVISES:
        return "manager"
    if endpoint == "facts.read":
        return "landlord_officer"
    if needs in (Permission.ACCOUNT_MANAGE, Permission.ALERT_SET):
        return "spoc"
    return "auditor" if needs in (Permission.AUDIT_READ, Permission.AUDIT_VERIFY) else "officer"


def posted(client: Client, address: str, form: dict[str, Any]) -> Any:
    """A form as a browser without scripts sends it, with its token and a key of its own."""
    return client.post(address, form)
