"""Accounts as a directory keeps them: made, changed, closed at once, opened again. Only its own organisation's.

No role ever comes from here: whom a directory lets in may do nothing until an administrator says what. An account that it opens
again after more than 30 days has lost the roles that it had: who comes back so late seldom does what they did.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.accounts import telling
from hub.accounts.closing import close_accounts, has_ended
from hub.accounts.models import User
from hub.accounts.queries import find_user_by_email, has_signed_in, is_person
from hub.accounts.vocabulary import DISABLED_LABELS, DisabledWhy
from hub.assurances.newcomers import check_assured
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, NotVisible
from hub.core.ids import new_id
from hub.directories.forms import AccountForm
from hub.directories.linking import keep_link
from hub.directories.models import DirectoryLink
from hub.extensions import db
from hub.joining.actions import end_roles
from hub.joining.policy import ROLES_OUTLAST

TAKEN = "There is an account with this userName already"
Known = tuple[User, DirectoryLink | None]


def known_accounts(actor: Actor) -> sa.Select[User, DirectoryLink]:
    """What the organisation's directory finds: its people, but for those that it deleted. The hub's own are nobody."""
    return (
        sa.select(User, DirectoryLink)
        .outerjoin(DirectoryLink, DirectoryLink.id == User.id)
        .where(
            User.organisation_id == actor.organisation_id,
            is_person(),
            DirectoryLink.gone_at.is_(None),
        )
    )


def load_account(actor: Actor, user_id: UUID | None, *, lock: bool = False) -> Known:
    """One that the directory finds; `NotVisible` for any other."""
    statement = known_accounts(actor).where(User.id == user_id)
    if lock:
        statement = statement.with_for_update(of=User).execution_options(populate_existing=True)
    found = db.session.execute(statement).one_or_none()
    if found is None:
        raise NotVisible
    return found[0], found[1]


def create_account(actor: Actor, form: AccountForm) -> Known:
    """An account without a password and without a role. `Conflict` where the address is taken or nobody may come in."""
    check_assured(actor)
    _check_free(form.email)
    user = User(
        id=new_id(),
        organisation_id=actor.organisation_id,
        email=form.email,
        name=form.name,
        job_title=form.job_title,
    )
    db.session.add(user)
    db.session.flush()
    link = keep_link(actor, user.id, form.external_id)
    append(actor, "user.provisioned", object_id=user.id, version=user.revision)
    if not form.active:
        close_accounts(actor, [user], DisabledWhy.DIRECTORY)
    return user, link


def change_account(actor: Actor, known: Known, form: AccountForm) -> Known:
    """The account as the directory wants it. `Conflict` where the address is taken, or it may not be opened from there."""
    user, link = known
    external = link.external_id if link else None
    wanted = {"email": form.email, "name": form.name, "job_title": form.job_title}
    changes: dict[str, tuple[Any, Any]] = {
        field: (getattr(user, field), value)
        for field, value in wanted.items()
        if getattr(user, field) != value
    }
    if "email" in changes:
        _check_free(form.email)
        # before it is changed: the e-mail goes to the address that the person still reads
        telling.tell(actor, telling.NEW_EMAIL, user.id)
    for field in changes:
        setattr(user, field, wanted[field])
    if external != form.external_id:
        changes["external_id"] = (external, form.external_id)
    db.session.flush()
    if changes:
        append(actor, "user.changed", object_id=user.id, version=user.revision, changes=changes)
    if form.active and user.disabled_at is not None:
        _reopen(actor, user)
    elif not form.active and user.disabled_at is None:
        close_accounts(actor, [user], DisabledWhy.DIRECTORY)
    return user, keep_link(actor, user.id, form.external_id)


def delete_account(actor: Actor, known: Known) -> None:
    """Closes the account for good: the directory finds it no more, and its address is not given to anybody else.

    The row stays, as records and the log name it. A later person of the same address would inherit the name, the teams and
    the roles of this one, so making it anew is refused: it takes an administrator.
    """
    user, link = known
    if user.disabled_at is None:
        close_accounts(actor, [user], DisabledWhy.DIRECTORY)
    keep_link(actor, user.id, link.external_id if link else None, gone=True)
    append(actor, "user.deprovisioned", object_id=user.id, version=user.revision)


def _check_free(email: str) -> None:
    if find_user_by_email(email) is not None:
        raise Conflict("email_taken", TAKEN)


def _reopen(actor: Actor, user: User) -> None:
    """Only what the directory closed: what an administrator or the clock closed is for an administrator to open."""
    if user.disabled_why != DisabledWhy.DIRECTORY:
        why = DISABLED_LABELS[DisabledWhy(user.disabled_why)] if user.disabled_why else "Closed"
        raise Conflict(
            "not_of_directory", f"{why}. Only an administrator of the organisation can open this account."
        )
    if has_ended(user.access_ends_on):
        raise Conflict(
            "access_ended",
            "The last day with access has passed. Only an administrator of the organisation can open this account.",
        )
    if user.password_hash is None and not has_signed_in(user):
        # somebody who never came in is new, however long the account has stood
        check_assured(actor)
    now = clock.now()
    long_closed = user.disabled_at is not None and now - user.disabled_at > ROLES_OUTLAST
    user.disabled_at = user.disabled_why = None
    user.reinstated_at = now
    db.session.flush()
    append(actor, "user.reinstated", object_id=user.id, version=user.revision)
    if long_closed:
        end_roles(actor, user)
