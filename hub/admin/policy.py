"""What may be done to an account, and the words of each permission on the role matrix."""

from __future__ import annotations

import enum

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import User, UserSession
from hub.core.errors import Conflict

PERMISSION_LABELS = {
    Permission.WORK_READ: "See My work",
    Permission.INCIDENT_READ: "Read incidents",
    Permission.INCIDENT_LOG: "Log incidents",
    Permission.INCIDENT_IMPORT: "Import incidents from a file",
    Permission.CASE_READ: "Read cases",
    Permission.CASE_OPEN: "Open cases",
    Permission.CASE_CHANGE: "Change cases",
    Permission.CASE_MOVE: "Change the status of cases",
    Permission.CASE_CLOSE: "Approve closure",
    Permission.CASE_SHARE: "Share records and stop sharing",
    Permission.SHARE_READ: "Read what is shared with the team",
    Permission.SHARE_ANSWER: "Accept or refuse shares",
    Permission.ENTRY_ADD: "Add to the log of a record",
    Permission.FILE_ATTACH: "Attach files",
    Permission.FILE_PREVIEW: "See files in a marked copy",
    Permission.FILE_DOWNLOAD: "Download the originals of files",
    Permission.FILE_CHANGE: "Change, replace and hide own organisation's files",
    Permission.FILE_HOLD: "Place and lift legal holds",
    Permission.FILE_EXPORT: "Disclose files outside the hub",
    Permission.PERSON_READ: "Read people",
    Permission.PERSON_ADD: "Add people, places and vehicles",
    Permission.SEARCH: "Search",
    Permission.AGREEMENT_READ: "Read the agreement register",
    Permission.NOTIFICATION_READ: "Read own notifications",
    Permission.ACCOUNT_READ_OWN: "See own account",
    Permission.ACCOUNT_MANAGE: "Manage accounts and agreements",
    Permission.AUDIT_READ: "Read the log",
    Permission.AUDIT_VERIFY: "Check the log",
    Permission.ALERT_SET: "Set the thresholds of alerts",
    Permission.CONSENT_RECORD: "Record and withdraw consents",
    Permission.CASE_HAND_OVER: "Hand cases over, and take them",
    Permission.REQUEST_MAKE: "Ask partners for what they hold",
    Permission.REQUEST_ANSWER: "Answer what partners ask for",
    Permission.EMERGENCY_OPEN: "Open a record in an emergency",
    Permission.EMERGENCY_REVIEW: "Review emergency access",
    Permission.INTEREST_DECLARE: "Declare interests",
    Permission.INTEREST_REVIEW: "Review declared interests of colleagues",
    Permission.KEY_MANAGE: "Look at keys and turn them",
    Permission.KEY_DESTROY: "Ask for and let go the end of a key",
    Permission.ERASURE_ASK: "Ask to have a closed case erased",
    Permission.ERASURE_APPROVE: "Decide on an erasure that somebody else asked for",
}


class AccountState(enum.StrEnum):
    """Whether somebody can sign in: they do, they have been asked to set a password, or the account is closed."""

    ACTIVE = "active"
    INVITED = "invited"
    CLOSED = "closed"


ACCOUNT_STATE_LABELS = {
    AccountState.ACTIVE: "Active",
    AccountState.INVITED: "Invited",
    AccountState.CLOSED: "Closed",
}


def account_state() -> sa.ColumnElement[str]:
    """The state of each user as the database reads it. Who was ever signed in needs no password to be active."""
    ever_in = sa.select(UserSession.id).where(UserSession.user_id == User.id).exists()
    return sa.case(
        (User.disabled_at.is_not(None), AccountState.CLOSED.value),
        (sa.or_(User.password_hash.is_not(None), ever_in), AccountState.ACTIVE.value),
        else_=AccountState.INVITED.value,
    )


def check_may_disable(actor: Actor, user: User) -> None:
    """`Conflict` for one's own account and for one that is closed already."""
    if user.id == actor.user_id:
        raise Conflict("own_account", "You cannot close your own account. Ask another administrator.")
    if user.disabled_at is not None:
        raise Conflict("closed_already", "This account is closed already.")


def check_may_change_roles(actor: Actor, user: User) -> None:
    """`Conflict` for one's own: nobody gives rights to themselves, or locks the last door behind them."""
    if user.id == actor.user_id:
        raise Conflict("own_roles", "You cannot change your own roles. Ask another administrator.")
    if user.disabled_at is not None:
        raise Conflict("closed_already", "This account is closed.")


def check_may_renew(_actor: Actor, user: User, *, signed_in_before: bool) -> None:
    """A new link is for who has never been in: it is never a way into somebody's account. That is a reset, which is told of."""
    if user.password_hash is not None or signed_in_before or user.reset_at or user.disabled_at is not None:
        raise Conflict(
            "enrolled_already", "This person has set a password already, or the account is closed."
        )


def check_may_reset(actor: Actor, user: User) -> None:
    """`Conflict` for one's own: a session that is in wrong hands must not become the account."""
    if user.id == actor.user_id:
        raise Conflict("own_reset", "You cannot reset your own account. Ask another administrator.")
    if user.disabled_at is not None:
        raise Conflict("closed_already", "This account is closed.")
