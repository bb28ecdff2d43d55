"""What the pages of others show of providers: the field on the sign-in page, the button of a confirmation, where forms may lead."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Flask, g

from hub.accounts import leaving
from hub.providers.fetching import origin_of
from hub.providers.finding import find_live, live_issuers
from hub.providers.logging_out import onward
from hub.providers.signing_in import find_invited
from hub.web.headers import allow_forms_to
from hub.web.identity import current_visit

# an issuer never changes, so that its origin may be remembered for ever
_origins: dict[UUID, str] = {}


def install(app: Flask) -> None:
    leaving.install(app, onward)
    app.context_processor(_everywhere)
    app.add_template_global(any_provider)
    app.add_template_global(provider_of_session)
    app.add_template_global(provider_of_invitation)


def any_provider() -> bool:
    """Has any organisation connected its own sign-in? The page in hand then has a form that leads there."""
    issuers = live_issuers()
    for issuer in issuers:
        allow_forms_to(origin_of(issuer))
    return bool(issuers)


def provider_of_session() -> str | None:
    """The name of the provider that vouched for the session in hand."""
    visit = current_visit()
    provider = find_live(visit.provider_id) if visit is not None else None
    return provider.name if provider is not None else None


def provider_of_invitation(secret: str) -> str | None:
    """The name of the provider by which an enrolment link may be followed instead of setting a password."""
    found = find_invited(secret)
    if found is None:
        return None
    allow_forms_to(origin_of(found[1].issuer))
    return found[1].name


def _everywhere() -> dict[str, Any]:
    """The sign-out form is on every page of a session, and leads on to the provider that vouched for it."""
    visit = g.get("visit")
    if visit is not None and visit.actor is not None and visit.provider_id is not None:
        origin = _origins.get(visit.provider_id)
        if origin is None and not g.get("failed"):
            provider = find_live(visit.provider_id)
            origin = origin_of(provider.issuer) if provider is not None else None
            if origin is not None:
                _origins[visit.provider_id] = origin
        if origin is not None:
            allow_forms_to(origin)
    return {}
