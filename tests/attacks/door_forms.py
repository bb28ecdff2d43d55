"""Forms of one's own account, and of those who look after accounts: what each sends that would be right, or as right as can be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.core import clock
from hub.joining.terms import IN_FORCE
from tests.attacks.arena import Arena

# nobody listens there: what is asked of it is refused at once
PROVIDER = {
    "name": "Council sign-in",
    "issuer": "https://127.0.0.1:9",
    "client_id": "hub",
    "client_secret": "between us",
    "domains": "northbrook.example",
}

# the upload reads its own body (see test_uploads), signing out ends the session that the others use, what a device answers is
# asked for by a script (see tests/passkeys), and a provider must answer (see tests/providers)
OF_THEIR_OWN = frozenset(
    {
        "case_files.upload",
        "case_file.replace",
        "papers.add",
        "evidence.add",
        "accounts.sign_out",
        "passkeys.begin",
        "passkeys.add",
        "passkey_door.begin_sign_in",
        "passkey_door.sign_in",
        "passkey_door.begin_confirming",
        "passkey_door.confirm",
        "provider_admin.add",
        "providers.link",
        "providers.provider_logout",
        "providers.start_confirmation",
        "providers.start_enrolment",
        "providers.unlink",
    }
)


def own_account(arena: Arena) -> dict[str, dict[str, Any]]:
    return {
        "accounts.hat": {"hat": f"{arena.site.world.teams['safety']}:prevent_crime", "next": "/cases"},
        "accounts.stay": {},
        "joining.accept": {"version": IN_FORCE, "next": "/cases"},
        "own_sessions.end_one": {},
        "own_sessions.end_others": {},
        "accounts.confirm": {"password": "x", "code": "000000", "next": "/cases"},
        "credentials.password": {"old": "x", "password": "violet kettle rain", "again": "violet kettle rain"},
        "credentials.app": {"code": "000000"},
        "credentials.start_app": {},
        "second_step.code": {"code": "000000"},
        "second_step.set_up": {"code": "000000"},
        "passkeys.rename": {"label": "Key in the drawer"},
        "passkeys.remove": {},
        "accounts.sign_in": {"email": "nobody@example.org", "password": "x", "next": "/"},
        "accounts.enrol": {"password": "correct horse battery", "again": "correct horse battery"},
        "providers.start": {"email": "officer@example.org", "next": "/"},
    }


def day(name: str, away: int) -> dict[str, str]:
    """So many days from today, as three boxes."""
    one = clock.today() + timedelta(days=away)
    return {f"{name}-day": str(one.day), f"{name}-month": str(one.month), f"{name}-year": str(one.year)}


def conditions() -> dict[str, str]:
    return {"vetting": "bpss", **day("trained", -30), **day("vetted", 300), **day("ends", 200)}


def administration(arena: Arena) -> dict[str, tuple[str, Any]]:
    return {
        "admin.invite": (
            "spoc",
            {
                "name": "Lu Hall",
                "email": "lu.hall@example.org",
                "job_title": "Warden",
                "team_id": str(arena.site.world.teams["safety"]),
                "roles": ["practitioner"],
                **conditions(),
            },
        ),
        "joiners.details": ("spoc", {"name": "Petra Sand", "job_title": "Analyst", **conditions()}),
        "joiners.move": (
            "spoc",
            {"teams": [str(arena.site.world.teams["safety"]), str(arena.site.world.teams["housing"])]},
        ),
        "joiners.reopen": ("spoc", day("ends", 90)),
        "admin.renew": ("spoc", {}),
        # her organisation is not ready for it, so that nobody is signed out
        "passkey_rule.change": ("spoc", {"strict": "yes"}),
        "admin.reset": ("spoc", {}),
        "teams.new": ("spoc", {"name": "Night wardens", "purpose": "prevent_crime"}),
        "teams.edit": ("spoc", {"name": "Day wardens", "purpose": "planning"}),
        "teams.add": ("spoc", {"email": "sergeant@example.org"}),
        "teams.remove": ("spoc", {}),
        "directories.make": ("spoc", {"days": "90"}),
        "directories.end": ("spoc", {}),
        "admin.close": ("spoc", {}),
        "admin.change_roles": ("spoc", {"roles": ["practitioner"]}),
        "admin.end_sessions": ("spoc", {}),
        "attestations.confirm": ("spoc", {"user": [str(arena.site.world.users["officer"])]}),
        "attestations.reinstate": ("spoc", {}),
        "provider_admin.change": ("spoc", PROVIDER),
        "provider_admin.end": ("spoc", {}),
        "role_changes.approve": ("spoc", {}),
        "role_changes.refuse": ("spoc", {}),
        "role_changes.withdraw": ("spoc", {}),
    }
