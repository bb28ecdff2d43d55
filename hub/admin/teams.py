"""Teams of the organisation, made and named here, and who is in them: its own people, and those of other employers who work with them.

A member's rights are the team's, cut down to what the member's own employer has agreed with the organisation that owns
the record. That is the sharing rule's matter; here is only who wears the hat.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose
from hub.accounts.changing import load_for_change
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.models import Organisation, Team, TeamMembership, User, UserSession
from hub.accounts.queries import find_user_by_email
from hub.admin.team_form import TeamForm
from hub.agreements.policy import Terms, nearest, refusal_of
from hub.agreements.queries import find_between, find_partners
from hub.audit.reading import Shown, listed
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.core.ids import new_id
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.core.text import clean
from hub.extensions import db

# the same for nobody, a closed account and an employer without an agreement: an address is no way to find out who is who
NOBODY = "There is no account with this address at your organisation or at a partner with an agreement in force with yours"


@dataclass(frozen=True)
class TeamRow:
    """A team with how many people wear its hat, and how many of them are of other employers."""

    id: UUID
    name: str
    purpose: str
    members: int
    others: int

    @property
    def href(self) -> str:
        return f"/admin/teams/{self.id}"


@dataclass(frozen=True)
class Member:
    """A member with the employer, and what that employer's agreement with the organisation gives."""

    id: UUID
    name: str
    job_title: str
    employer: str
    own: bool
    joined_at: datetime
    rights: str


def list_teams(actor: Actor) -> list[TeamRow]:
    """The organisation's teams in the partnership in hand. They are few: one page. The look is logged."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    listed(actor, "accounts.listed", Shown())
    of_others = sa.case((User.organisation_id != actor.organisation_id, 1))
    rows = db.session.execute(
        sa.select(Team, sa.func.count(User.id), sa.func.count(of_others))
        .outerjoin(TeamMembership, sa.and_(TeamMembership.team_id == Team.id, _in_force()))
        .outerjoin(User, sa.and_(User.id == TeamMembership.user_id, User.disabled_at.is_(None)))
        .where(*_ours(actor))
        .group_by(Team.id)
        .order_by(Team.name, Team.id)
    )
    return [
        TeamRow(team.id, team.name, PURPOSE_LABELS[Purpose(team.default_purpose)], members, others)
        for team, members, others in rows
    ]


def open_team(actor: Actor, team_id: UUID) -> Team:
    """A team of one's own organisation in the partnership in hand; `NotVisible` for any other. The look is logged."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    found = db.session.scalar(sa.select(Team.id).where(Team.id == team_id, *_ours(actor)))
    if found is None:
        append(actor, "accounts.listed", outcome="denied")
        db.session.commit()
        raise NotVisible
    listed(actor, "accounts.listed", Shown())
    return db.session.get_one(Team, team_id)


def find_members(actor: Actor, team_id: UUID, *, cursor: Cursor | None = None) -> Page[Member]:
    """A page of those who wear the team's hat now, by name. The page that shows them logs the look."""
    statement = (
        sa.select(User, Organisation.name, TeamMembership.joined_at)
        .join(TeamMembership, TeamMembership.user_id == User.id)
        .join(Organisation, Organisation.id == User.organisation_id)
        .where(TeamMembership.team_id == team_id, _in_force(), User.disabled_at.is_(None))
    )
    if cursor is not None:
        statement = statement.where(sa.tuple_(User.name, User.id) > (cursor.key, cursor.id))
    rows = db.session.execute(statement.order_by(User.name, User.id).limit(PAGE_SIZE + 1)).all()
    page = rows[:PAGE_SIZE]
    rights = _rights(actor, {row[0].organisation_id for row in page} - {actor.organisation_id})
    members = [
        Member(
            id=user.id,
            name=user.name,
            job_title=user.job_title,
            employer=employer,
            own=user.organisation_id == actor.organisation_id,
            joined_at=joined_at,
            rights=rights.get(user.organisation_id, "All of them, as far as the role goes"),
        )
        for user, employer, joined_at in page
    ]
    more = len(rows) > PAGE_SIZE
    return Page(members, str(Cursor(members[-1].name, members[-1].id)) if more else None)


def _rights(actor: Actor, employers: Iterable[UUID]) -> dict[UUID, str]:
    wanted = set(employers)
    if not wanted:
        return {}
    return {
        one.id: _agreed(actor, one.id, one.agreements) for one in find_partners(actor) if one.id in wanted
    }


def _agreed(actor: Actor, employer: UUID, agreements: Sequence[Terms]) -> str:
    """What the agreements in force between the two give, in words; or why none gives anything."""
    live, refusals = [], []
    for terms in agreements:
        refusal = refusal_of(terms, (actor.organisation_id, employer), clock.now())
        if refusal is None:
            live.append(terms)
        else:
            refusals.append(refusal)
    if not live:
        why = nearest(refusals).sentence if refusals else "There is no agreement with their employer."
        return f"Nothing now. {why}"
    return " ".join(_in_words(terms) for terms in live)


def _in_words(terms: Terms) -> str:
    purposes = ", ".join(PURPOSE_LABELS[Purpose(one.purpose)] for one in terms.purposes)
    covered = set(terms.agreement.sections)
    parts = [label for one, label in SECTION_LABELS.items() if one.value in covered]
    what = "every part" if len(parts) == len(SECTION_LABELS) else ", ".join(parts)
    return f"For {purposes}: {what}. {terms.called}."


def create_team(actor: Actor, form: TeamForm) -> Team:
    """A team of the organisation in the partnership in hand: it leads nothing, and nothing is shared with it. `Invalid`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    team = Team(
        id=new_id(),
        organisation_id=actor.organisation_id,
        partnership_id=actor.partnership_id,
        name=form.name,
        default_purpose=form.purpose.value,
    )
    _save(team)
    append(actor, "team.created", object_id=team.id)
    return team


def change_team(actor: Actor, team_id: UUID, form: TeamForm) -> Team:
    """Another name, or another purpose for who puts its hat on from now on. `NotVisible` or `Invalid`."""
    team = _load_team(actor, team_id, lock=True)
    wanted = {"name": form.name, "default_purpose": form.purpose.value}
    changes: dict[str, tuple[str, str]] = {
        field: (getattr(team, field), value)
        for field, value in wanted.items()
        if getattr(team, field) != value
    }
    for field in changes:
        setattr(team, field, wanted[field])
    if changes:
        _save(team)
        append(actor, "team.changed", object_id=team.id, changes=changes)
    return team


def _save(team: Team) -> None:
    """`Invalid` where another team of the organisation has this name here; two at once meet in the database."""
    try:
        with db.session.begin_nested():
            db.session.add(team)
    except sa.exc.IntegrityError as error:
        raise Invalid(
            "team_named", errors={"name": "Your organisation has a team of this name already"}
        ) from error


def add_member(actor: Actor, team_id: UUID, email: str) -> User:
    """Puts somebody who has an account into the team. `NotVisible`, `Invalid` or `Conflict`.

    Somebody of another employer only where that has an agreement in force with the organisation. Roles stay as they are:
    they are the matter of the employer's own administrator.
    """
    team = _load_team(actor, team_id)
    user = find_user_by_email(clean(email))
    if user is None or user.disabled_at is not None or not _may_work_here(actor, user):
        raise Invalid("no_such_user", errors={"email": NOBODY})
    now = clock.now()
    held = db.session.get(TeamMembership, (team.id, user.id), with_for_update=True)
    if held is None:
        db.session.add(TeamMembership(team_id=team.id, user_id=user.id, joined_at=now))
    elif held.left_at is None or held.left_at > now:
        raise Invalid("member_already", errors={"email": f"{user.name} is in this team already"})
    else:
        held.joined_at, held.left_at = now, None
    db.session.flush()
    append(actor, "team.member_added", object_id=user.id, facts={"team": team.id})
    return user


def remove_member(actor: Actor, team_id: UUID, user_id: UUID) -> User:
    """Takes somebody out of the team: whoever wears its hat now is signed out. `NotVisible` or `Conflict`."""
    team = _load_team(actor, team_id)
    held = db.session.get(TeamMembership, (team.id, user_id), with_for_update=True)
    now = clock.now()
    if held is None or (held.left_at is not None and held.left_at <= now):
        raise NotVisible
    user = db.session.get_one(User, user_id)
    if user.organisation_id == actor.organisation_id and not _in_another_team(user_id, team.id):
        raise Conflict("only_team", "This is the only team of theirs. Close the account instead.")
    held.left_at = now
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.team_id == team.id, UserSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    db.session.flush()
    append(actor, "team.member_removed", object_id=user_id, facts={"team": team.id})
    return user


def move_user(actor: Actor, user_id: UUID, team_ids: frozenset[UUID]) -> User:
    """The organisation's teams, in the partnership in hand, that a user of its own is in from now on.

    Rights follow the team at once: a session that wears the hat of a team that is left ends. What they led there stays the
    team's, and waits among its cases without an officer. `NotVisible`, `Conflict` or `Invalid`.
    """
    user = load_for_change(actor, user_id)
    if user.disabled_at is not None:
        raise Conflict("closed_already", "This account is closed.")
    ours = set(db.session.scalars(sa.select(Team.id).where(*_ours(actor))))
    if not team_ids or not team_ids <= ours:
        raise Invalid("bad_teams", errors={"teams": "Choose at least one team"})
    now = clock.now()
    rows = db.session.scalars(
        sa.select(TeamMembership)
        .where(TeamMembership.user_id == user.id, TeamMembership.team_id.in_(ours))
        .order_by(TeamMembership.team_id)
        .with_for_update()
    ).all()
    held = {row.team_id: row for row in rows}
    had = {key for key, row in held.items() if row.left_at is None or row.left_at > now}
    if team_ids == had:
        raise Invalid("no_change", errors={"teams": "These are the teams already"})
    for key in sorted(team_ids - had):
        _join(user, key, held.get(key), now)
    for key in sorted(had - team_ids):
        held[key].left_at = now
    db.session.flush()
    for key in sorted(team_ids - had):
        append(actor, "team.member_added", object_id=user.id, facts={"team": key})
    for key in sorted(had - team_ids):
        append(actor, "team.member_removed", object_id=user.id, facts={"team": key})
    left = UserSession.team_id.in_(had - team_ids)
    end_sessions_of(actor, user.id, EndedWhy.TEAM, which=left)
    return user


def _join(user: User, team_id: UUID, before: TeamMembership | None, now: datetime) -> None:
    if before is not None:
        before.joined_at, before.left_at = now, None
    else:
        db.session.add(TeamMembership(team_id=team_id, user_id=user.id, joined_at=now))


def find_own_teams(actor: Actor, user_id: UUID) -> frozenset[UUID]:
    """Of the organisation's teams in the partnership in hand, those that a user is in."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    mine = (
        sa.select(Team.id)
        .join(TeamMembership, TeamMembership.team_id == Team.id)
        .where(TeamMembership.user_id == user_id, _in_force(), *_ours(actor))
    )
    return frozenset(db.session.scalars(mine))


def _may_work_here(actor: Actor, user: User) -> bool:
    if user.organisation_id == actor.organisation_id:
        return True
    both = (actor.organisation_id, user.organisation_id)
    return any(
        refusal_of(terms, both, clock.now()) is None for terms in find_between(actor, user.organisation_id)
    )


def _in_another_team(user_id: UUID, team_id: UUID) -> bool:
    other = sa.select(TeamMembership.team_id).where(
        TeamMembership.user_id == user_id, TeamMembership.team_id != team_id, _in_force()
    )
    return db.session.scalar(other.limit(1)) is not None


def _load_team(actor: Actor, team_id: UUID, *, lock: bool = False) -> Team:
    actor.check_may(Permission.ACCOUNT_MANAGE)
    chosen = sa.select(Team).where(Team.id == team_id, *_ours(actor))
    team = db.session.scalar(chosen.with_for_update() if lock else chosen)
    if team is None:
        raise NotVisible
    return team


def _ours(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return (Team.organisation_id == actor.organisation_id, Team.partnership_id == actor.partnership_id)


def _in_force() -> sa.ColumnElement[bool]:
    return sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now())
