"""Puts the application together: settings, database, walls, routes. Nothing else imports the views."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask

import hub.models  # noqa: F401
from hub.access import finding
from hub.access.wall_check import check_walls
from hub.access_requests.views import pages as access_requests_pages
from hub.accounts import admitting, enrolment, sessions, telling, ways
from hub.accounts.credential_views import pages as credentials_pages
from hub.accounts.session_views import pages as own_sessions_pages
from hub.accounts.step_views import pages as second_step_pages
from hub.accounts.views import pages as accounts_pages
from hub.admin import fixed_lists
from hub.admin.configuration_views import pages as configuration_pages
from hub.admin.file_rules_views import pages as file_rules_pages
from hub.admin.joining_views import pages as joiners_pages
from hub.admin.list_views import pages as code_lists_pages
from hub.admin.setting_views import pages as settings_pages
from hub.admin.team_views import pages as teams_pages
from hub.admin.views import pages as admin_pages
from hub.agreements.draft_views import pages as agreement_terms_pages
from hub.agreements.views import pages as agreements_pages
from hub.assurances.views import pages as assurances_pages
from hub.attachments.evidence_views import pages as evidence_pages
from hub.attachments.file_views import pages as case_file_pages
from hub.attachments.hold_views import pages as case_holds_pages
from hub.attachments.list_views import pages as case_file_list_pages
from hub.attachments.paper_views import pages as papers_pages
from hub.attachments.quarantine_views import pages as quarantine_pages
from hub.attestations.views import pages as attestations_pages
from hub.casefile.access_views import pages as case_access_pages
from hub.casefile.agreement_views import pages as agreement_pages
from hub.casefile.consent_views import pages as case_consents_pages
from hub.casefile.fact_views import pages as case_facts_pages
from hub.casefile.fact_views import told as facts_pages
from hub.casefile.file_preview_views import pages as case_previews_pages
from hub.casefile.files_views import pages as case_files_pages
from hub.casefile.handover_views import pages as case_handover_pages
from hub.casefile.incident_views import pages as incident_pages
from hub.casefile.log_views import pages as case_log_pages
from hub.casefile.panel_views import pages as case_panels_pages
from hub.casefile.people_views import pages as case_people_pages
from hub.casefile.person_views import pages as person_pages
from hub.casefile.shared_views import pages as shared_pages
from hub.casefile.sharing_views import incident_pages as incident_sharing_pages
from hub.casefile.sharing_views import pages as case_sharing_pages
from hub.casefile.views import pages as casefile_pages
from hub.casefile.work_views import pages as work_pages
from hub.cases.step_views import pages as case_steps_pages
from hub.cases.views import pages as cases_pages
from hub.config import Settings
from hub.crypto import keyring
from hub.crypto.rootkey import keeper_of
from hub.directories import mounting as directories
from hub.directories.views import pages as directories_pages
from hub.disclosures.views import pages as case_disclosures_pages
from hub.emergencies import banner
from hub.emergencies.queries import count_unreviewed
from hub.emergencies.views import pages as emergencies_pages
from hub.erasures import gone
from hub.erasures.views import pages as erasures_pages
from hub.erasures.vocabulary import GROUND_LABELS
from hub.extensions import db
from hub.handovers.views import pages as hand_overs_pages
from hub.incidents.views import pages as incidents_pages
from hub.interests.views import pages as interests_pages
from hub.joining import terms
from hub.joining.policy import check_may_begin as check_conditions
from hub.joining.views import pages as joining_pages
from hub.notifications.account_notices import tell_user, warn_user
from hub.notifications.queries import unread_count
from hub.notifications.views import pages as notifications_pages
from hub.oversight.views import pages as oversight_pages
from hub.panels.views import pages as panels_pages
from hub.passkeys.actions import forget_passkeys
from hub.passkeys.door_views import pages as passkey_door_pages
from hub.passkeys.policy import check_may_begin
from hub.passkeys.queries import confirms_by_bound, has_any
from hub.passkeys.rule_views import pages as passkey_rule_pages
from hub.passkeys.views import pages as passkeys_pages
from hub.people.views import pages as people_pages
from hub.providers import installing as providers
from hub.providers.admin_views import pages as provider_admin_pages
from hub.providers.queries import is_linked
from hub.providers.views import pages as providers_pages
from hub.reviews.alert_views import pages as alerts_pages
from hub.reviews.sample_views import own as my_accesses_pages
from hub.reviews.sample_views import pages as samples_pages
from hub.reviews.seen_views import pages as case_seen_pages
from hub.reviews.subject_views import pages as subject_reports_pages
from hub.reviews.threshold_views import pages as thresholds_pages
from hub.reviews.vocabulary import DECISION_LABELS
from hub.role_changes.views import pages as role_changes_pages
from hub.search.views import pages as search_pages
from hub.sharing.queries import waiting_count
from hub.web import context, failures, gate, headers, identity, login, proxy, templating
from hub.web.health import pages as health_pages
from hub.web.reports import pages as reports_pages
from hub.web.views import about as about_pages
from hub.web.views import pages as drafts_pages

ENGINE: dict[str, Any] = {
    # a statement's values are people's data and tokens: no error message ever carries them
    "hide_parameters": True,
    "pool_size": 8,
    "max_overflow": 4,
    "pool_pre_ping": True,
    "pool_timeout": 10,
    # planning the sharing rule costs ten times its execution: each connection plans a statement once;
    # and its estimated cost would start the JIT compiler, which takes seconds where the query takes milliseconds
    "connect_args": {"prepare_threshold": 0, "options": "-c plan_cache_mode=force_generic_plan -c jit=off"},
}
BLUEPRINTS = (
    about_pages,
    reports_pages,
    drafts_pages,
    case_steps_pages,
    cases_pages,
    work_pages,
    casefile_pages,
    case_log_pages,
    accounts_pages,
    own_sessions_pages,
    second_step_pages,
    credentials_pages,
    passkey_door_pages,
    passkeys_pages,
    passkey_rule_pages,
    providers_pages,
    provider_admin_pages,
    agreements_pages,
    agreement_pages,
    agreement_terms_pages,
    papers_pages,
    case_sharing_pages,
    incident_sharing_pages,
    shared_pages,
    search_pages,
    health_pages,
    notifications_pages,
    case_access_pages,
    case_files_pages,
    case_file_pages,
    case_holds_pages,
    case_disclosures_pages,
    case_file_list_pages,
    incidents_pages,
    incident_pages,
    people_pages,
    person_pages,
    access_requests_pages,
    emergencies_pages,
    case_people_pages,
    case_consents_pages,
    case_handover_pages,
    hand_overs_pages,
    file_rules_pages,
    settings_pages,
    code_lists_pages,
    case_previews_pages,
    case_panels_pages,
    panels_pages,
    case_facts_pages,
    facts_pages,
    oversight_pages,
    admin_pages,
    joiners_pages,
    joining_pages,
    configuration_pages,
    quarantine_pages,
    teams_pages,
    directories_pages,
    interests_pages,
    attestations_pages,
    assurances_pages,
    evidence_pages,
    alerts_pages,
    samples_pages,
    my_accesses_pages,
    subject_reports_pages,
    case_seen_pages,
    thresholds_pages,
    erasures_pages,
    role_changes_pages,
)


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. Refuses to start in demo mode beyond loopback, or when the database's wall is down."""
    settings = settings or Settings.from_environment()
    if settings.demo and not settings.bound_to_loopback:
        raise SystemExit("A demonstration signs in without a password: it starts only on a loopback address.")
    app = Flask(__name__, template_folder=None, static_folder="static")
    app.config.update(
        HUB_SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=ENGINE,
        SESSION_COOKIE_NAME="__Host-hub-notes",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
    )
    _quiet_logs()
    templating.install(app)
    db.init_app(app)
    keyring.install(keeper_of(settings))
    identity.install(app, sessions.identify)
    telling.install(app, tell_user, warn_user)
    admitting.install(app, check_may_begin)
    admitting.install_confirming(app, confirms_by_bound)
    admitting.install(app, check_conditions)
    enrolment.install(app, forget_passkeys)
    fixed_lists.install(app, "erasure_ground", "Grounds of erasures", "Erasures", GROUND_LABELS)
    fixed_lists.install(app, "alert_decision", "Decisions on alerts", "Audit", DECISION_LABELS)
    ways.install(app, "passkey", has_any)
    ways.install(app, "provider", is_linked)
    identity.install_count(app, "unread", unread_count)
    identity.install_count(app, "waiting", waiting_count)
    identity.install_count(app, "reviews", count_unreviewed)
    # the proxy comes last, and so first: what stands before the pages believes it too
    for part in (gate, failures, headers, context, login, terms, banner, gone, providers, directories, proxy):
        part.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    with app.app_context():
        finding.install(db.engine)
        try:
            check_walls()
        finally:
            # no connection outlives the check: a server may fork after it
            db.engine.dispose()
    return app


def _quiet_logs() -> None:
    """One JSON object a line; no personal data ever goes in."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ]
    )
