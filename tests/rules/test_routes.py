"""Every route, who may use it, which event it writes and what it shows: a change of any is a change of this table."""

from __future__ import annotations

from flask import Flask

from hub.web.routes import DECLARED
from tests.rules.routes import ROUTES
from tests.rules.source import modules, name_of


def test_the_routes_are_those_of_the_table(app: Flask) -> None:
    found = {
        endpoint: (one.needs.value, one.event, one.data.value)
        for endpoint, one in DECLARED.items()
        if endpoint in app.view_functions
    }
    assert found == ROUTES


def test_every_rule_of_the_map_is_declared(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}
    assert endpoints == set(ROUTES)


def test_no_route_answers_to_more_than_get_and_post(app: Flask) -> None:
    methods = set().union(*(rule.methods or set() for rule in app.url_map.iter_rules()))
    assert methods <= {"GET", "HEAD", "OPTIONS", "POST"}


def test_nothing_stands_before_the_pages_but_the_proxy_and_the_directories() -> None:
    """What is mounted there is in no map of routes and passes no gate: tests/directories/test_door.py walks that of SCIM."""
    mounted = [name_of(path) for path in modules() if ".wsgi_app = " in path.read_text()]
    assert mounted == ["hub/directories/mounting.py", "hub/web/proxy.py"]


def test_only_the_door_and_what_belongs_to_nobody_is_public(app: Flask) -> None:
    assert {endpoint for endpoint, (needs, _, _) in ROUTES.items() if needs == "public"} <= {
        "accounts.sign_in",
        "accounts.enrol",
        "second_step.code",
        "second_step.set_up",
        "passkey_door.begin_sign_in",
        "passkey_door.sign_in",
        "providers.start",
        "providers.start_enrolment",
        "providers.come_back",
        "providers.provider_logout",
        "health.health",
        "about.help_page",
        "about.accessibility",
        "about.security",
        "about.security_txt",
        "reports.policy_report",
    }


def test_only_programs_that_prove_themselves_are_asked_for_no_form_of_ours(app: Flask) -> None:
    """No cookie is looked at there, so that no visitor's rights can be borrowed."""
    assert {
        endpoint for endpoint, one in DECLARED.items() if one.programs and endpoint in app.view_functions
    } == {"providers.provider_logout"}
