"""Teams as a directory keeps them: who of the organisation's own people is in each. Members of other employers are not its matter.

A new group is a new team, as directories make what they do not find: it leads no record and nothing is shared with it, so it
opens nothing. A group that is deleted takes its team with it only where nothing stands on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.vocabulary import Purpose
from hub.accounts.models import Team, TeamMembership, User, UserSession
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.core.ids import new_id
from hub.directories.accounts import known_accounts
from hub.directories.forms import TeamForm
from hub.directories.linking import keep_link
from hub.directories.models import DirectoryLink
from hub.extensions import db, live_session

# what a team works for unless somebody says otherwise, as that of a new hub's first one does
PURPOSE = Purpose.PLANNING
TAKEN = "There is a team with this displayName already"
IN_USE = (
    "Records, shares or sessions stand on this team, so it cannot be deleted. Take its members out instead."
)
Known = tuple[Team, DirectoryLink | None]


def known_teams(actor: Actor) -> sa.Select[Team, DirectoryLink]:
    """The organisation's teams in the directory's partnership."""
    return (
        sa.select(Team, DirectoryLink)
        .outerjoin(DirectoryLink, DirectoryLink.id == Team.id)
        .where(Team.organisation_id == actor.organisation_id, Team.partnership_id == actor.partnership_id)
    )


def load_team(actor: Actor, team_id: UUID | None, *, lock: bool = False) -> Known:
    """One that the directory finds; `NotVisible` for any other."""
    statement = known_teams(actor).where(Team.id == team_id)
    if lock:
        statement = statement.with_for_update(of=Team).execution_options(populate_existing=True)
    found = db.session.execute(statement).one_or_none()
    if found is None:
        raise NotVisible
    return found[0], found[1]


def members_of(actor: Actor, team_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Ids of the organisation's own people in each team, in order."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    rows = db.session.execute(
        sa.select(TeamMembership.team_id, TeamMembership.user_id)
        .where(
            TeamMembership.team_id.in_(list(team_ids)),
            TeamMembership.user_id.in_(known_accounts(actor).with_only_columns(User.id)),
            _in_force(),
        )
        .order_by(TeamMembership.team_id, TeamMembership.user_id)
    )
    for team, user in rows:
        found[team].append(user)
    return found


def create_team(actor: Actor, form: TeamForm) -> Known:
    """A team with its members. `Conflict` where the name is taken, `Invalid` for members who are not the organisation's."""
    _check_free(actor, form.name)
    team = Team(
        id=new_id(),
        organisation_id=actor.organisation_id,
        partnership_id=actor.partnership_id,
        name=form.name,
        default_purpose=PURPOSE.value,
    )
    db.session.add(team)
    db.session.flush()
    append(actor, "team.created", object_id=team.id)
    link = keep_link(actor, team.id, form.external_id)
    _add(actor, team.id, form.members)
    return team, link


def change_team(actor: Actor, known: Known, form: TeamForm) -> Known:
    """The team as the directory wants it. `Conflict` or `Invalid` as for a new one. The caller holds its lock."""
    team, link = known
    external = link.external_id if link else None
    changes: dict[str, tuple[str | None, str | None]] = {}
    if team.name != form.name:
        _check_free(actor, form.name)
        changes["name"] = (team.name, form.name)
        team.name = form.name
    if external != form.external_id:
        changes["external_id"] = (external, form.external_id)
    if changes:
        append(actor, "team.changed", object_id=team.id, changes=changes)
    before = frozenset(members_of(actor, [team.id])[team.id])
    _remove(actor, team.id, before - form.members)
    _add(actor, team.id, form.members - before)
    return team, keep_link(actor, team.id, form.external_id)


def delete_team(actor: Actor, known: Known) -> None:
    """Deletes a team on which nothing stands. `Conflict` for any other, whose people and records stay as they are."""
    team, _ = known
    team_id = team.id
    members = db.session.scalars(
        sa.select(TeamMembership.user_id).where(TeamMembership.team_id == team_id, _in_force())
    ).all()
    if not db.session.scalar(sa.select(sa.func.remove_team(team_id))):
        raise Conflict("team_in_use", IN_USE)
    live_session().mark_written()
    for user_id in members:
        append(actor, "team.member_removed", object_id=user_id, facts={"team": team_id})
    append(actor, "team.removed", object_id=team_id)


def _check_free(actor: Actor, name: str) -> None:
    if db.session.execute(known_teams(actor).where(Team.name == name)).first() is not None:
        raise Conflict("name_taken", TAKEN)


def _add(actor: Actor, team_id: UUID, user_ids: Collection[UUID]) -> None:
    if not user_ids:
        return
    known = known_accounts(actor).with_only_columns(User.id).where(User.id.in_(list(user_ids)))
    if len(db.session.scalars(known).all()) != len(user_ids):
        raise Invalid("no_such_member", errors={"members": "A member is no user of this organisation"})
    now = clock.now()
    for user_id in sorted(user_ids):
        held = db.session.get(TeamMembership, (team_id, user_id), with_for_update=True)
        if held is None:
            db.session.add(TeamMembership(team_id=team_id, user_id=user_id, joined_at=now))
        else:
            held.joined_at, held.left_at = now, None
        append(actor, "team.member_added", object_id=user_id, facts={"team": team_id})


def _remove(actor: Actor, team_id: UUID, user_ids: Collection[UUID]) -> None:
    """Whoever wears the team's hat now is signed out. The last team may go too: then there is no hat to sign in with."""
    now = clock.now()
    for user_id in sorted(user_ids):
        held = db.session.get_one(TeamMembership, (team_id, user_id), with_for_update=True)
        held.left_at = now
        db.session.execute(
            sa.update(UserSession)
            .where(
                UserSession.user_id == user_id,
                UserSession.team_id == team_id,
                UserSession.ended_at.is_(None),
            )
            .values(ended_at=now)
            .execution_options(synchronize_session=False)
        )
        append(actor, "team.member_removed", object_id=user_id, facts={"team": team_id})


def _in_force() -> sa.ColumnElement[bool]:
    return sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now())
