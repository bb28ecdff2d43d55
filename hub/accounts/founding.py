"""Partnerships and organisations, as the operator adds them: each organisation with a first team and a first administrator.

Nobody inside the hub can do this: whom a partnership takes in is agreed outside it. Everything after that is the
administrator's. The acts stand in the log under the new administrator, by a session of the command line.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from hub.access.actor import NOBODY, RequestFacts, Source
from hub.access.guard import enter
from hub.access.permissions import Role
from hub.access.vocabulary import Purpose
from hub.accounts import sessions
from hub.accounts.enrolment import new_enrolment
from hub.accounts.models import Organisation, Partnership, RoleHolding, Team, TeamMembership, User
from hub.accounts.queries import find_user_by_email
from hub.accounts.vocabulary import Method
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Unavailable
from hub.extensions import db

FIRST_TEAM = "Administration"


@dataclass(frozen=True)
class PartnershipForm:
    """Code of 2 to 6 capitals and digits; the name only of a new one."""

    code: str
    name: str | None


@dataclass(frozen=True)
class OrganisationForm:
    """As `PartnershipForm`; the kind is of the code list of organisations."""

    code: str
    name: str | None
    kind: str | None


@dataclass(frozen=True)
class Founding:
    """An organisation joins a partnership; either may be new. The administrator: full name, e-mail address."""

    partnership: PartnershipForm
    organisation: OrganisationForm
    administrator: tuple[str, str]


def set_up(form: Founding) -> str:
    """The first partnership, organisation and administrator of an empty hub; the secret of the enrolment link. Commits.

    `Denied` where there is any partnership already: there is no back door later.
    """
    enter(db.session(), NOBODY)
    if db.session.scalar(sa.select(sa.func.count()).select_from(Partnership)):
        raise Denied(
            "already_set_up", "The hub is set up already. Add an organisation with: hub organisation add"
        )
    return _found(form) or ""


def add_organisation(form: Founding) -> str | None:
    """An organisation joins a partnership. The secret of the administrator's enrolment link, or None where the account stood
    before. Commits. `Conflict` where something is named anew that there is, or is not named that there is not."""
    enter(db.session(), NOBODY)
    return _found(form)


def _found(form: Founding) -> str | None:
    acts: list[str] = []
    area = _partnership(form.partnership, acts)
    owner = _organisation(form.organisation, acts)
    if db.session.scalar(
        sa.select(Team.id).where(Team.organisation_id == owner.id, Team.partnership_id == area.id).limit(1)
    ):
        raise Conflict("there_already", f"{owner.name} is in {area.name} already.")
    team = Team(
        organisation_id=owner.id,
        partnership_id=area.id,
        name=FIRST_TEAM,
        default_purpose=Purpose.PLANNING.value,
    )
    user, secret = _administrator(owner, form.administrator)
    db.session.add(team)
    db.session.flush()
    now = clock.now()
    db.session.add_all(
        [
            TeamMembership(team_id=team.id, user_id=user.id, joined_at=now),
            RoleHolding(
                user_id=user.id, partnership_id=area.id, role=Role.ADMINISTRATOR.value, granted_at=now
            ),
        ]
    )
    db.session.flush()
    token = sessions.start(user, team, method=Method.OPERATOR, kind=Source.CLI)
    visit = sessions.identify(token, RequestFacts(), False)
    if visit is None or visit.actor is None:
        raise Unavailable("no_session", "The session of this command could not be started.")
    # it signs the events, in the same transaction; nothing is read by it
    actor = visit.actor
    ids = {"partnership.created": area.id, "organisation.created": owner.id}
    for act in acts:
        append(actor, act, object_id=ids[act])
    append(actor, "team.created", object_id=team.id)
    if secret is not None:
        append(actor, "user.invited", object_id=user.id)
    nobody = dict.fromkeys(("change", "asked_by", "approved_by"), "")
    append(
        actor,
        "role.granted",
        object_id=user.id,
        facts={"role": Role.ADMINISTRATOR.value, "alone": True, **nobody},
    )
    sessions.end(visit.session_id)
    db.session.commit()
    return secret


def _partnership(form: PartnershipForm, acts: list[str]) -> Partnership:
    found = db.session.scalar(sa.select(Partnership).where(Partnership.code == form.code))
    _check_named(form.name, found, "partnership", form.code)
    if found is None:
        found = Partnership(code=form.code, name=form.name)
        db.session.add(found)
        db.session.flush()
        acts.append("partnership.created")
    return found


def _organisation(form: OrganisationForm, acts: list[str]) -> Organisation:
    found = db.session.scalar(sa.select(Organisation).where(Organisation.code == form.code))
    _check_named(form.name, found, "organisation", form.code)
    if found is None:
        found = Organisation(code=form.code, name=form.name, kind=form.kind)
        db.session.add(found)
        db.session.flush()
        acts.append("organisation.created")
    return found


def _check_named(name: str | None, found: Partnership | Organisation | None, what: str, code: str) -> None:
    """A slip in a code must neither make a second one nor rename the first."""
    if found is None and name is None:
        raise Conflict("unknown", f"There is no {what} with the code {code}. Give its name to add it.")
    if found is not None and name is not None and name != found.name:
        raise Conflict("named_otherwise", f"The {what} with the code {code} is {found.name}.")


def _administrator(owner: Organisation, given: tuple[str, str]) -> tuple[User, str | None]:
    name, email = given
    user = find_user_by_email(email)
    if user is None:
        user = User(
            organisation_id=owner.id, name=name, email=email.lower(), job_title="System administrator"
        )
        db.session.add(user)
        db.session.flush()
        return user, new_enrolment(user)
    if user.organisation_id != owner.id or user.disabled_at is not None:
        raise Conflict(
            "other_person", f"{email} has an account of another organisation, or one that is closed."
        )
    return user, None
