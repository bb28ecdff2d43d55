"""Through a provider into the hub: begun, and ended in a session, a link or a confirmation. `Refused` with the reason else.

Whom a provider means is told by its issuer and its subject alone (N9): an e-mail address leads to a provider, and to no account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from hub.access.actor import Actor, RequestFacts
from hub.accounts import admitting, ceremonies, queries, sessions, starting, telling
from hub.accounts.closing import is_closed, not_closed
from hub.accounts.enrolment import ENROLMENT_LASTS
from hub.accounts.models import Ceremony, User, UserSession
from hub.accounts.vocabulary import CeremonyKind, Method
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Denied, NotVisible
from hub.extensions import db
from hub.providers import flow
from hub.providers.fetching import Unreachable
from hub.providers.finding import find_by_domain, find_identity, find_live, find_of_organisation
from hub.providers.forms import domain_of
from hub.providers.linking import LINKED, insert_identity
from hub.providers.models import IdentityProvider
from hub.providers.tokens import BadToken, Vouched
from hub.providers.vocabulary import Why, sentence
from hub.web.counting import count
from hub.web.identity import Visit

# of one source: a whole organisation may come from one address at nine in the morning
STARTS_A_MINUTE = 300
WAIT = "There were too many tries. Wait a minute, then try again."


class Refused(Denied):
    """A sign-in through a provider that came to nothing, and why."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value, sentence(why))
        self.why = why


@dataclass(frozen=True)
class Begun:
    """The token for the browser's cookie, and where the browser goes."""

    token: str
    address: str


@dataclass(frozen=True)
class Answered:
    """A ceremony that a provider's answer has ended, and whom the provider vouches for."""

    ceremony: Ceremony
    provider: IdentityProvider
    vouched: Vouched


def begin_sign_in(email: str, address: str, request: RequestFacts) -> Begun | None:
    """Towards the provider of the address's domain; None where there is none. No account is looked for. Commits."""
    over = count(f"provider:{request.ip}", timedelta(minutes=1)).tries > STARTS_A_MINUTE
    db.session.commit()
    if over:
        raise Denied("too_often", WAIT)
    domain = domain_of(email)
    provider = find_by_domain(domain) if domain else None
    if provider is None:
        return None
    token, ceremony = ceremonies.begin(CeremonyKind.PROVIDER_SIGN_IN, about=provider.id, address=address)
    return _lead_out(provider, token, ceremony)


def begin_link(actor: Actor, visit: Visit) -> Begun:
    """Towards the provider of the actor's organisation, to link it to the account in hand. Commits."""
    provider = find_of_organisation(actor.organisation_id)
    if provider is None:
        raise NotVisible
    token, ceremony = ceremonies.begin(
        CeremonyKind.PROVIDER_LINK, user_id=actor.user_id, session_id=visit.session_id, about=provider.id
    )
    return _lead_out(provider, token, ceremony)


def begin_confirmation(actor: Actor, visit: Visit, address: str) -> Begun:
    """Towards the provider that vouched for the session, to prove again who it is. Commits."""
    admitting.check_confirming(actor)
    provider = find_live(visit.provider_id)
    if provider is None:
        raise NotVisible
    token, ceremony = ceremonies.begin(
        CeremonyKind.PROVIDER_CONFIRM,
        user_id=actor.user_id,
        session_id=visit.session_id,
        about=provider.id,
        address=address,
    )
    return _lead_out(provider, token, ceremony)


def find_invited(secret: str) -> tuple[User, IdentityProvider] | None:
    """Whose enrolment link this is, with the provider of their organisation; None where either is not there."""
    user = db.session.scalar(
        sa.select(User).where(
            User.enrolment_hash == hashlib.sha256(secret.encode("utf-8", "replace")).digest(),
            User.enrolment_expires_at > clock.now(),
            not_closed(),
            # who was reset sets up a password and an app first
            User.reset_at.is_(None),
        )
    )
    provider = find_of_organisation(user.organisation_id) if user is not None else None
    return (user, provider) if user is not None and provider is not None else None


def begin_enrolment(secret: str) -> Begun:
    """Towards the provider with an enrolment link in hand, which is used up only when the provider has answered. Commits."""
    found = find_invited(secret)
    if found is None:
        raise Denied(
            "bad_enrolment", "This link has been used or is too old. Ask your administrator for a new one."
        )
    user, provider = found
    token, ceremony = ceremonies.begin(CeremonyKind.PROVIDER_LINK, user_id=user.id, about=provider.id)
    return _lead_out(provider, token, ceremony)


def _lead_out(provider: IdentityProvider, token: str, ceremony: Ceremony) -> Begun:
    # nothing of the database is held while the provider is asked
    db.session.commit()
    try:
        return Begun(token, flow.leading_out(provider, ceremony))
    except Unreachable:
        raise Refused(Why.UNREACHABLE) from None


def take_answer(token: str, visit: Visit | None, answer: Mapping[str, str]) -> Answered:
    """What a provider's answer is worth, once. `Refused` else. Commits."""
    ceremony = _find_begun(token, visit)
    if ceremony is None:
        raise Refused(Why.OVER if token else Why.STATE)
    if not flow.is_answer_to(ceremony, answer):
        # whoever sent it does not end what somebody else began
        raise Refused(Why.STATE)
    try:
        ceremony = ceremonies.take(token, CeremonyKind(ceremony.kind), session_id=ceremony.session_id)
    except Denied:
        raise Refused(Why.OVER) from None
    provider = find_live(ceremony.about)
    db.session.commit()
    if provider is None:
        raise Refused(Why.ENDED)
    try:
        return Answered(ceremony, provider, flow.vouched_for(provider, ceremony, answer))
    except BadToken as bad:
        raise Refused(bad.why) from None
    except Unreachable:
        raise Refused(Why.UNREACHABLE) from None


def _find_begun(token: str, visit: Visit | None) -> Ceremony | None:
    kinds = [(CeremonyKind.PROVIDER_SIGN_IN, None), (CeremonyKind.PROVIDER_LINK, None)]
    found = [ceremonies.find(token, kind, session_id=session) for kind, session in kinds]
    if visit is not None and visit.actor is not None:
        found += [
            ceremonies.find(token, kind, session_id=visit.session_id)
            for kind in (CeremonyKind.PROVIDER_LINK, CeremonyKind.PROVIDER_CONFIRM)
        ]
    return next((one for one in found if one is not None), None)


def sign_in(answered: Answered, request: RequestFacts) -> tuple[str, Actor]:
    """A session of the account that the subject is linked to. `Refused` where there is none to use. Commits."""
    provider, vouched = answered.provider, answered.vouched
    found = find_identity(provider.id, vouched.subject)
    if found is None:
        raise Refused(Why.STRANGER)
    identity, user = found
    team = queries.first_team(user)
    closed = is_closed(user) or user.reset_at is not None
    if team is None or closed or user.organisation_id != provider.organisation_id:
        raise Refused(Why.CLOSED)
    identity.last_used_at = clock.now()
    return _start(user, answered, request)


def enrol(answered: Answered, request: RequestFacts) -> tuple[str, Actor]:
    """Links the account of an enrolment link and signs in; the link is used up. `Refused` where it is not good any more. Commits."""
    begun = answered.ceremony
    user = db.session.scalar(
        sa.select(User)
        .where(
            User.id == begun.user_id,
            User.enrolment_hash.is_not(None),
            User.enrolment_expires_at > clock.now(),
            # a newer link ends an older one, also where that was followed already
            User.enrolment_expires_at <= begun.created_at + ENROLMENT_LASTS,
            User.organisation_id == answered.provider.organisation_id,
            not_closed(),
            User.reset_at.is_(None),
        )
        .with_for_update()
    )
    if user is None or queries.first_team(user) is None:
        raise Refused(Why.CLOSED)
    insert_identity(answered.provider, user.id, answered.vouched.subject)
    user.enrolment_hash = user.enrolment_expires_at = None
    db.session.flush()
    token, actor = _start(user, answered, request, enrolling=True)
    append(actor, "user.enrolled", object_id=actor.user_id)
    append(actor, LINKED, object_id=actor.user_id, facts={"provider": answered.provider.id})
    telling.tell(actor, LINKED)
    db.session.commit()
    return token, actor


def confirm(actor: Actor, visit: Visit, answered: Answered) -> str:
    """The session's new token. `Refused` where the provider vouches for somebody else."""
    found = find_identity(answered.provider.id, answered.vouched.subject)
    if found is None or found[1].id != actor.user_id or answered.provider.id != visit.provider_id:
        raise Refused(Why.OTHER_PERSON)
    admitting.check_confirming(actor)
    append(actor, "session.confirmed", object_id=actor.user_id, facts={"method": Method.PROVIDER.value})
    token = sessions.confirm(visit.session_id)
    # the provider may have begun a session of its own anew: by that one it will end this one
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.id == visit.session_id)
        .values(provider_session=answered.vouched.session)
    )
    return token


def _start(
    user: User, answered: Answered, request: RequestFacts, *, enrolling: bool = False
) -> tuple[str, Actor]:
    team = queries.first_team(user)
    if team is None:
        raise Refused(Why.CLOSED)
    return starting.begin(
        user,
        team,
        Method.PROVIDER,
        request,
        provider_id=answered.provider.id,
        provider_session=answered.vouched.session,
        proved_at=answered.vouched.proved_at,
        enrolling=enrolling,
    )
