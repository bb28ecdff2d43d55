"""Writes of identity providers: connect, change, disconnect, link an account and unlink it. Flushes, does not commit."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts import telling, ways
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.models import User, UserSession
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.core.ids import new_id
from hub.extensions import db
from hub.providers import metadata
from hub.providers.finding import find_by_issuer, find_of_organisation
from hub.providers.forms import ProviderForm
from hub.providers.linking import LINKED, UNLINKED, insert_identity
from hub.providers.models import IdentityProvider
from hub.providers.queries import find_own
from hub.providers.sealing import seal_secret

# one after another: that a domain leads to one provider only is seen across all of them
_ONE_AT_A_TIME = 0x6875622D69647073


def add_provider(actor: Actor, form: ProviderForm) -> IdentityProvider:
    """Connects the organisation's provider. The caller has looked at its metadata."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    if find_of_organisation(actor.organisation_id) is not None:
        raise Conflict("provider_there", "Your organisation has a sign-in service connected already.")
    if find_by_issuer(form.issuer) is not None:
        raise Invalid("bad_provider", errors={"issuer": "This provider is connected to another organisation"})
    _check_domains(actor, form.domains, None)
    provider = IdentityProvider(
        id=new_id(), organisation_id=actor.organisation_id, issuer=form.issuer, **_settings(form)
    )
    seal_secret(actor, provider, form.client_secret)
    db.session.add(provider)
    db.session.flush()
    append(actor, "provider.added", object_id=provider.id, version=provider.revision)
    return provider


def change_provider(actor: Actor, provider: IdentityProvider, form: ProviderForm) -> None:
    """Everything but the issuer, which is whom the links speak of. An empty secret leaves the one that is kept."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    _check_domains(actor, form.domains, provider)
    changes = {}
    for field, after in _settings(form).items():
        before = getattr(provider, field)
        if before != after:
            changes[field] = (_plain(before), _plain(after))
            setattr(provider, field, after)
    if form.client_secret:
        seal_secret(actor, provider, form.client_secret)
    if not changes and not form.client_secret:
        raise Invalid("no_change", errors={"form": "Nothing is different from what is kept"})
    db.session.flush()
    append(
        actor,
        "provider.changed",
        object_id=provider.id,
        version=provider.revision,
        facts={"secret": bool(form.client_secret)},
        changes=changes,
    )
    metadata.forget(provider.id)


def end_provider(actor: Actor, provider: IdentityProvider) -> int:
    """Disconnects it, for good. Sessions that it vouched for end at once; how many."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    provider.ended_at = clock.now()
    # the secret is of no use any more
    seal_secret(actor, provider, "ended")
    db.session.flush()
    append(actor, "provider.ended", object_id=provider.id, version=provider.revision)
    metadata.forget(provider.id)
    return end_vouched_sessions(actor, provider, UserSession.user_id != actor.user_id)


def end_vouched_sessions(actor: Actor, provider: IdentityProvider, which: sa.ColumnElement[bool]) -> int:
    """Ends those of the sessions that a provider vouched for; how many. One event for each user who had any."""
    vouched = sa.and_(UserSession.provider_id == provider.id, which)
    users = db.session.scalars(
        sa.select(UserSession.user_id).where(vouched, UserSession.ended_at.is_(None)).distinct()
    ).all()
    return sum(end_sessions_of(actor, user, EndedWhy.PROVIDER, which=vouched) for user in users)


def link_identity(actor: Actor, provider: IdentityProvider, subject: str) -> None:
    """The actor has proved both: who they are here, and who they are there. Tells the user."""
    if provider.organisation_id != actor.organisation_id:
        raise NotVisible
    insert_identity(provider, actor.user_id, subject)
    append(actor, LINKED, object_id=actor.user_id, facts={"provider": provider.id})
    telling.tell(actor, LINKED)


def unlink_identity(actor: Actor, session_id: UUID) -> None:
    """`Conflict` where it is the last way in. Other sessions that came that way end. Tells the user."""
    provider, identity = find_own(actor)
    if provider is None or identity is None:
        raise NotVisible
    db.session.execute(sa.select(User.id).where(User.id == actor.user_id).with_for_update())
    if not ways.has_another(actor, "provider"):
        raise Conflict("last_way_in", "This is your only way to sign in. Set up another one first.")
    db.session.delete(identity)
    db.session.flush()
    append(actor, UNLINKED, object_id=actor.user_id, facts={"provider": provider.id})
    telling.tell(actor, UNLINKED)
    vouched = UserSession.provider_id == provider.id
    end_sessions_of(actor, actor.user_id, EndedWhy.PROVIDER, but=session_id, which=vouched)


def _settings(form: ProviderForm) -> dict[str, object]:
    return {
        "name": form.name,
        "client_id": form.client_id,
        "domains": list(form.domains),
        "algorithms": list(form.algorithms),
        "accepted_acr": list(form.acr),
        "accepted_amr": list(form.amr),
    }


def _plain(value: object) -> object:
    return " ".join(value) if isinstance(value, list) else value


def _check_domains(actor: Actor, domains: tuple[str, ...], own: IdentityProvider | None) -> None:
    """Only domains of the organisation's own accounts, and of no other provider: nobody leads another's people away."""
    ours = set(
        db.session.scalars(
            sa.select(sa.func.split_part(User.email, "@", 2))
            .where(User.organisation_id == actor.organisation_id, User.disabled_at.is_(None))
            .distinct()
        )
    )
    strange = [one for one in domains if one not in ours]
    if strange:
        raise Invalid(
            "bad_provider",
            errors={"domains": f"Nobody of your organisation has an account with an address at {strange[0]}"},
        )
    taken = db.session.scalar(
        sa.select(IdentityProvider.id).where(
            IdentityProvider.ended_at.is_(None),
            IdentityProvider.domains.overlap(list(domains)),
            IdentityProvider.id != own.id if own else sa.true(),
        )
    )
    if taken is not None:
        raise Invalid(
            "bad_provider", errors={"domains": "One of these domains leads to another provider already"}
        )
