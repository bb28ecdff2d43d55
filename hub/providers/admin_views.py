"""The administrators' page of the organisation's sign-in service: connect it, see what it says of itself, change it, end it."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.core.errors import Conflict, Invalid
from hub.extensions import db
from hub.providers import actions, flow, metadata
from hub.providers.fetching import Unreachable
from hub.providers.finding import find_of_organisation
from hub.providers.forms import FIELDS, LISTS, ProviderForm, parse_provider
from hub.providers.metadata import Metadata
from hub.providers.models import IdentityProvider
from hub.providers.queries import count_linked, load_for_change
from hub.providers.vocabulary import ALGORITHMS, AMR, DEFAULT_AMR
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("provider_admin", __name__)
ADDRESS = "/admin/provider"
DRAFT = drafts.form_name("provider_admin.home")


@pages.page(ADDRESS, needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.STAFF, fresh=True)
def home() -> str:
    actor = current_actor()
    provider = find_of_organisation(actor.organisation_id)
    kept = drafts.find(actor, DRAFT) or {}
    values, lists = _kept(provider)
    values |= {name: given[-1] for name, given in kept.items() if name in FIELDS and given}
    lists |= {name: kept[name] for name in LISTS if name in kept}
    return _page(actor, provider, values, lists, {})


@pages.page(
    f"{ADDRESS}/add",
    needs=Permission.ACCOUNT_MANAGE,
    event="provider.added",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def add() -> Response | tuple[str, int]:
    actor = current_actor()
    try:
        form = parse_provider(*_given())
        _look_at(form)

        def act() -> str:
            actions.add_provider(actor, form)
            flash("The sign-in service is connected. Your people can link their accounts now.", "success")
            return url_for("provider_admin.home")

        return once(actor, act, draft=DRAFT)
    except Invalid as invalid:
        return _again(actor, invalid)


@pages.page(
    f"{ADDRESS}/change",
    needs=Permission.ACCOUNT_MANAGE,
    event="provider.changed",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def change() -> Response | tuple[str, int]:
    actor = current_actor()
    there = _there(actor)
    try:
        form = parse_provider(*_given(), issuer=there.issuer)
        _look_at(form)

        def act() -> str:
            actions.change_provider(actor, load_for_change(actor, there.id), form)
            flash("The sign-in service is changed.", "success")
            return url_for("provider_admin.home")

        return once(actor, act, draft=DRAFT)
    except Invalid as invalid:
        return _again(actor, invalid)


@pages.page(
    f"{ADDRESS}/end",
    needs=Permission.ACCOUNT_MANAGE,
    event="provider.ended",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def end() -> Response:
    actor = current_actor()

    def act() -> str:
        ended = actions.end_provider(actor, load_for_change(actor, _there(actor).id))
        flash(f"The sign-in service is disconnected. Sessions ended: {ended}.", "success")
        return url_for("provider_admin.home")

    return once(actor, act)


def _there(actor: Actor) -> IdentityProvider:
    provider = find_of_organisation(actor.organisation_id)
    if provider is None:
        raise Conflict("no_provider", "Your organisation has no sign-in service connected.")
    return provider


def _given() -> tuple[dict[str, str], dict[str, list[str]]]:
    values = {name: request.form.get(name, "") for name in FIELDS}
    return values, {name: request.form.getlist(name) for name in LISTS}


def _look_at(form: ProviderForm) -> None:
    """What the provider says of itself must fit what is entered, and its keys must be there. Nothing is held meanwhile."""
    db.session.commit()
    found = metadata.fetch_metadata(form.issuer, form.algorithms)
    try:
        metadata.fetch_keys(found)
    except Unreachable:
        raise Invalid(
            "bad_provider", errors={"issuer": "The provider’s keys (jwks_uri) cannot be read"}
        ) from None


def _kept(provider: IdentityProvider | None) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What the form shows at first."""
    if provider is None:
        return dict.fromkeys(FIELDS, ""), {"algorithms": list(ALGORITHMS), "amr": list(DEFAULT_AMR)}
    values = {
        "name": provider.name,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "client_secret": "",
        "domains": "\n".join(provider.domains),
        "acr": "\n".join(provider.accepted_acr),
    }
    return values, {"algorithms": list(provider.algorithms), "amr": list(provider.accepted_amr)}


def _again(actor: Actor, invalid: Invalid) -> tuple[str, int]:
    db.session.rollback()
    if not invalid.errors:
        raise invalid
    values, lists = _given()
    return _page(actor, find_of_organisation(actor.organisation_id), values, lists, invalid.errors), 422


def _page(
    actor: Actor,
    provider: IdentityProvider | None,
    values: dict[str, str],
    lists: dict[str, list[str]],
    errors: dict[str, str],
) -> str:
    return render_template(
        "providers/admin.html",
        provider=provider,
        linked=count_linked(actor, provider.id) if provider else 0,
        found=_found(provider) if provider else None,
        addresses=[
            ("Redirect URI", flow.address_to(flow.RETURN)),
            ("Post-logout redirect URI", flow.address_to(flow.AFTERWARDS)),
            ("Back-channel logout URI", flow.address_to(flow.LOGOUT)),
        ],
        values=values,
        lists=lists,
        algorithms=list(ALGORITHMS.items()),
        factors=list(AMR.items()),
        errors=errors,
        draft_key=DRAFT,
    )


def _found(provider: IdentityProvider) -> Metadata | None:
    """As it was last seen, minutes ago at most; None where the provider does not answer."""
    db.session.commit()
    try:
        return flow.metadata_of(provider)
    except Unreachable:
        return None
