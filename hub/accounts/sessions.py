"""Sessions, on the server: started, recognised, switched to another hat, given a new token. It is only in the cookie."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor, RequestFacts, Source
from hub.access.permissions import Role, permissions_of
from hub.access.vocabulary import PURPOSE_LABELS, Audience, Purpose
from hub.accounts import admitting
from hub.accounts.closing import is_closed
from hub.accounts.hats import permitted_purposes
from hub.accounts.models import (
    Organisation,
    Partnership,
    RoleHolding,
    Team,
    TeamMembership,
    User,
    UserSession,
)
from hub.accounts.vocabulary import POLICE_KINDS, Method
from hub.core import clock
from hub.core.errors import Denied
from hub.core.ids import new_id
from hub.extensions import db
from hub.settings.catalogue import IDLE_MINUTES, IDLE_MINUTES_STRICT, SESSION_HOURS
from hub.settings.values import values_of
from hub.web.devices import network_of
from hub.web.identity import Hat, Visit

# the most that a partnership may set (SECURITY N11): cookies and the proofs of providers are good for no longer
ABSOLUTE = timedelta(hours=10)
# `last_seen_at` is written at most this often
TOUCH = timedelta(seconds=30)
# as `start` makes them; a cookie may hold anything
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Limits:
    """How long sessions last in a partnership: after doing nothing, and in any case."""

    usual: timedelta
    strict: timedelta
    absolute: timedelta

    def idle(self, roles: frozenset[Role]) -> timedelta:
        """Administrators and auditors never have longer than everybody else."""
        return min(self.usual, self.strict) if roles & {Role.ADMINISTRATOR, Role.AUDITOR} else self.usual


def limits_of(partnership_id: UUID) -> Limits:
    """What the partnership has set, now: a session is measured anew whenever it is used."""
    held = values_of(partnership_id, IDLE_MINUTES, IDLE_MINUTES_STRICT, SESSION_HOURS)
    return Limits(
        timedelta(minutes=held[IDLE_MINUTES]),
        timedelta(minutes=held[IDLE_MINUTES_STRICT]),
        timedelta(hours=held[SESSION_HOURS]),
    )


def start(
    user: User,
    team: Team,
    *,
    method: Method,
    kind: Source = Source.WEB,
    purpose: str | None = None,
    lasts: timedelta | None = None,
    request: RequestFacts | None = None,
    provider_id: UUID | None = None,
    provider_session: str | None = None,
    device_bound: bool = False,
    proved_at: datetime | None = None,
) -> str:
    """Starts a session and returns its raw token, which is stored only as a hash. Flushes, does not commit.

    `proved_at` is when the user proved who they are, where that was earlier than now and elsewhere.
    """
    token = secrets.token_urlsafe(32)
    now = clock.now()
    lasts = lasts or limits_of(team.partnership_id).idle(_roles(user.id, team.partnership_id, now))
    db.session.execute(
        sa.insert(UserSession).values(
            id=new_id(),
            created_at=now,
            token_hash=_hash(token),
            user_id=user.id,
            team_id=team.id,
            purpose=purpose or team.default_purpose,
            kind=kind.value,
            method=method.value,
            authenticated_at=proved_at or now,
            last_seen_at=now,
            expires_at=now + lasts,
            device=request.device if request else None,
            network=network_of(request.ip) if request else None,
            provider_id=provider_id,
            provider_session=provider_session,
            device_bound=device_bound,
        )
    )
    return token


def identify(token: str, request: RequestFacts, touch: bool) -> Visit | None:
    """Whose token this is: a visit with its actor, or without one where the session ran out; None for any other.

    A session that was ended (signed out, account closed, its last day over) is worth nothing at all, not even a draft.
    """
    row = _load(token)
    if row is None or row[0].ended_at is not None or is_closed(row[1]):
        return None
    session, user, team, organisation, partnership = row
    actor = None
    now = clock.now()
    if session.expires_at > now:
        roles = _roles(user.id, partnership.id, now)
        actor = _actor(session, user, team, organisation, partnership, roles, token, request)
        if touch and now - session.last_seen_at > TOUCH:
            _touch(session, now, limits_of(partnership.id), roles)
    visit = Visit(
        session_id=session.id,
        user_id=user.id,
        partnership_id=partnership.id,
        actor=actor,
        expires_at=session.expires_at,
        authenticated_at=session.authenticated_at,
        hats=_hats(user, team, session.purpose) if actor else (),
        provider_id=session.provider_id,
        terms_version=user.terms_version,
    )
    if touch:
        db.session.commit()
    return visit


def switch(actor: Actor, session_id: UUID, team_id: UUID, purpose: str) -> None:
    """Puts on another hat of the user's own. `Denied` for a team that isn't theirs or a purpose that doesn't exist."""
    member = db.session.scalar(
        sa.select(TeamMembership).where(
            TeamMembership.user_id == actor.user_id,
            TeamMembership.team_id == team_id,
            sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now()),
        )
    )
    if member is None or purpose not in set(Purpose):
        raise Denied("not_your_team", "You are not in that team.")
    bound = db.session.scalar(sa.select(UserSession.device_bound).where(UserSession.id == session_id))
    admitting.check(db.session.get_one(User, actor.user_id), db.session.get_one(Team, team_id), bool(bound))
    db.session.execute(
        sa.update(UserSession).where(UserSession.id == session_id).values(team_id=team_id, purpose=purpose)
    )


def confirm(session_id: UUID) -> str:
    """The user has proved again who they are: the session goes on under a new token, and the old one is worth nothing.

    Its row stays, and with it the tokens of forms that are open in other tabs, and its longest life.
    """
    token = secrets.token_urlsafe(32)
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.id == session_id, UserSession.ended_at.is_(None))
        .values(authenticated_at=clock.now(), token_hash=_hash(token))
    )
    return token


def take_over(session_id: UUID) -> str:
    """A new token for an open session that is about to be ended by whoever vouched for it; the browser's is worth nothing
    from then on. The log takes its word from a token alone."""
    token = secrets.token_urlsafe(32)
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.id == session_id, UserSession.ended_at.is_(None))
        .values(token_hash=_hash(token))
    )
    return token


def end(session_id: UUID) -> None:
    db.session.execute(
        sa.update(UserSession).where(UserSession.id == session_id).values(ended_at=clock.now())
    )


def actor_of(token: str, request: RequestFacts | None = None) -> Actor:
    """The actor of a token that was just started (commands, jobs, the loader)."""
    visit = identify(token, request or RequestFacts(), False)
    if visit is None or visit.actor is None:
        raise Denied("no_session", "The session could not be started.")
    return visit.actor


def _load(token: str) -> tuple[UserSession, User, Team, Organisation, Partnership] | None:
    if not _TOKEN.fullmatch(token):
        return None
    found = sa.select(sa.func.find_session(token)).scalar_subquery()
    statement = (
        sa.select(UserSession, User, Team, Organisation, Partnership)
        .join(User, User.id == UserSession.user_id)
        .join(Team, Team.id == UserSession.team_id)
        .join(Organisation, Organisation.id == User.organisation_id)
        .join(Partnership, Partnership.id == Team.partnership_id)
        .where(UserSession.id == found)
        .options(sa.orm.defer(UserSession.token_hash, raiseload=True))
    )
    row = db.session.execute(statement).one_or_none()
    return (row[0], row[1], row[2], row[3], row[4]) if row is not None else None


def _touch(session: UserSession, now: datetime, limits: Limits, roles: frozenset[Role]) -> None:
    expires = min(now + limits.idle(roles), session.created_at + limits.absolute)
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.id == session.id)
        .values(last_seen_at=now, expires_at=expires)
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _roles(user_id: UUID, partnership_id: UUID, now: datetime) -> frozenset[Role]:
    held = db.session.scalars(
        sa.select(RoleHolding.role).where(
            RoleHolding.user_id == user_id,
            RoleHolding.partnership_id == partnership_id,
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now),
        )
    )
    return frozenset(Role(role) for role in held)


def _actor(
    session: UserSession,
    user: User,
    team: Team,
    organisation: Organisation,
    partnership: Partnership,
    roles: frozenset[Role],
    token: str,
    request: RequestFacts,
) -> Actor:
    return Actor(
        user_id=user.id,
        name=user.name,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        organisation_code=organisation.code,
        organisation_kind=organisation.kind,
        partnership_id=partnership.id,
        partnership_name=partnership.name,
        team_id=team.id,
        team_name=team.name,
        purpose=session.purpose,
        clearance=user.clearance,
        roles=roles,
        permissions=permissions_of(roles),
        audiences=audiences_of(roles, organisation.kind),
        source=Source(session.kind),
        token=token,
        request=request,
    )


def audiences_of(roles: frozenset[Role], organisation_kind: str) -> tuple[str, ...]:
    """The narrower circles that a user of these roles, employed by an organisation of this kind, belongs to."""
    audiences = [Audience.VICTIM_SAFE.value]
    if Role.SUPERVISOR in roles:
        audiences.append(Audience.SUPERVISOR_ONLY.value)
    if organisation_kind in POLICE_KINDS:
        audiences.append(Audience.POLICE_ONLY.value)
    return tuple(audiences)


def _hats(user: User, team: Team, purpose: str) -> tuple[Hat, ...]:
    """Other teams under their own purpose, and this team's other purposes that an agreement in force permits."""
    now = clock.now()
    teams = db.session.scalars(
        sa.select(Team)
        .join(TeamMembership, TeamMembership.team_id == Team.id)
        .where(
            TeamMembership.user_id == user.id,
            sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now),
        )
        .order_by(Team.name)
    ).all()
    hats = [
        Hat(f"{team.id}:{other}", f"{team.name}: {PURPOSE_LABELS[Purpose(other)]}")
        for other in sorted({*permitted_purposes(user), team.default_purpose})
        if other != purpose
    ]
    hats += [
        Hat(f"{one.id}:{one.default_purpose}", f"{one.name}: {PURPOSE_LABELS[Purpose(one.default_purpose)]}")
        for one in teams
        if one.id != team.id
    ]
    return tuple(hats)
