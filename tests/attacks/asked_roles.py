"""Roles that were asked for in the arena: a second administrator of the council and of the police, and what waits between them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import NOBODY, Actor
from hub.access.guard import enter
from hub.access.permissions import Role
from hub.accounts import sessions
from hub.accounts.models import Team, TeamMembership, User
from hub.accounts.vocabulary import Method
from hub.core import clock
from hub.extensions import db
from hub.role_changes.actions import give_roles
from hub.role_changes.models import RoleChange
from tests.fixtures.planting import plant_roles
from tests.fixtures.world import World, act_as

Waiting = dict[Role, UUID]


def ask_for_roles(world: World) -> tuple[Waiting, UUID, Waiting]:
    """What waits for the council's administrator, what she asked for herself, and what waits at the police."""
    person = _user(world, "council", "safety", "asked")
    mine = _asked(_second(world, "council", "safety"), person, Role.SUPERVISOR, Role.AUDITOR, Role.READ_ONLY)
    own = _asked(act_as(world, "spoc"), person, Role.FACT_RECIPIENT)[Role.FACT_RECIPIENT]
    stranger = _user(world, "police", "npt", "asked")
    return mine, own, _asked(_second(world, "police", "npt"), stranger, Role.SUPERVISOR)


def _asked(actor: Actor, person: UUID, *roles: Role) -> Waiting:
    give_roles(actor, db.session.get_one(User, person), roles)
    db.session.commit()
    rows = sa.select(RoleChange.role, RoleChange.id).where(RoleChange.user_id == person)
    return {Role(role): key for role, key in db.session.execute(rows)}


def _second(world: World, organisation: str, team: str) -> Actor:
    key = _user(world, organisation, team, "second")
    plant_roles([(key, world.partnerships["northbrook"], Role.ADMINISTRATOR.value)])
    user, hat = db.session.get_one(User, key), db.session.get_one(Team, world.teams[team])
    token = sessions.start(user, hat, method=Method.OPERATOR, lasts=timedelta(hours=1))
    db.session.commit()
    actor = sessions.actor_of(token)
    enter(db.session(), actor)
    return actor


def _user(world: World, organisation: str, team: str, name: str) -> UUID:
    enter(db.session(), NOBODY)
    user = User(
        organisation_id=world.organisations[organisation],
        email=f"{name}.{organisation}@example.org",
        name=f"Noa {name.title()}",
        job_title="Warden",
    )
    db.session.add(user)
    db.session.flush()
    key = user.id
    db.session.add(TeamMembership(team_id=world.teams[team], user_id=key, joined_at=clock.now()))
    db.session.commit()
    return key
