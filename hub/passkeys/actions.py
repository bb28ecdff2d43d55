"""Writes of a user's own passkeys: add one, give it another name, take it away. Each ends the user's other sessions or tells."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.dialects.postgresql import insert

from hub.access.actor import Actor
from hub.accounts import ceremonies, ways
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.models import Organisation, User
from hub.accounts.vocabulary import CeremonyKind
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid
from hub.core.ids import new_id
from hub.extensions import db
from hub.notifications.vocabulary import NotificationKind
from hub.passkeys import policy, proving, queries, telling
from hub.passkeys.forms import parse_label
from hub.passkeys.models import Passkey
from hub.passkeys.party import required_party

NOT_MADE = "The passkey could not be added, because what the browser sent does not fit what was asked for. Try again."


def begin_adding(actor: Actor, session_id: UUID, label: str) -> tuple[str, str]:
    """The token of the step, and what the browser is to ask its devices for, as JSON. Flushes, does not commit."""
    party = required_party(current_app.config["HUB_SETTINGS"])
    parse_label(label)
    own = queries.list_own(actor)
    policy.check_may_add(len(own))
    user = db.session.get_one(User, actor.user_id)
    token, ceremony = ceremonies.begin(
        CeremonyKind.PASSKEY_ADD, user_id=actor.user_id, session_id=session_id, address=telling.ADDRESS
    )
    options = proving.ask_for_new(
        party,
        ceremony.challenge,
        user=(user.id.bytes, user.email, user.name),
        known=[one.credential_id for one in own],
    )
    return token, options


def add_passkey(actor: Actor, session_id: UUID, *, token: str, credential: str, label: str) -> UUID:
    """Keeps what the browser made. `Denied` or `Invalid` where it is not what was asked for. The challenge is used up anyhow."""
    party = required_party(current_app.config["HUB_SETTINGS"])
    label = parse_label(label)
    try:
        ceremony = ceremonies.take(token, CeremonyKind.PASSKEY_ADD, session_id=session_id)
        made = proving.check_new(party, ceremony.challenge, credential)
    except (Denied, proving.Untrue) as error:
        why = error.code if isinstance(error, Denied) else "passkey_untrue"
        append(actor, "session.refused", outcome="denied", object_id=actor.user_id, facts={"why": why})
        db.session.commit()
        raise error if isinstance(error, Denied) else Invalid("passkey_untrue", NOT_MADE) from error
    # two tabs at once: counted under the user's lock
    db.session.execute(sa.select(User.id).where(User.id == actor.user_id).with_for_update())
    policy.check_may_add(len(queries.list_own(actor)))
    passkey_id = _keep(actor, made, label)
    append(
        actor,
        "passkey.added",
        object_id=actor.user_id,
        facts={"passkey": passkey_id, "bound": made.device_bound},
    )
    end_sessions_of(actor, actor.user_id, EndedWhy.PASSKEY, but=session_id)
    telling.tell(actor, NotificationKind.PASSKEY_ADDED)
    return passkey_id


def _keep(actor: Actor, made: proving.Made, label: str) -> UUID:
    """Whoever's it was before, and whether it was removed, an id is kept once."""
    kept = db.session.scalar(
        insert(Passkey)
        .values(
            id=new_id(),
            created_at=clock.now(),
            user_id=actor.user_id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            device_bound=made.device_bound,
            label=label,
        )
        .on_conflict_do_nothing()
        .returning(Passkey.id)
    )
    if kept is None:
        raise Conflict("known_passkey", "This passkey was added before. Make a new one.")
    return UUID(str(kept))


def rename_passkey(actor: Actor, passkey_id: UUID, label: str) -> None:
    """`NotVisible` for anybody else's."""
    passkey = queries.find_own(actor, passkey_id)
    passkey.label = parse_label(label)
    append(actor, "passkey.renamed", object_id=actor.user_id, facts={"passkey": passkey.id})


def remove_passkey(actor: Actor, session_id: UUID, passkey_id: UUID) -> str:
    """Takes it away for good; what it was called. `Conflict` for the last way in. Ends the user's other sessions."""
    _lock(actor)
    passkey = queries.find_own(actor, passkey_id)
    check_may_remove(actor, passkey)
    passkey.removed_at = clock.now()
    append(
        actor,
        "passkey.removed",
        object_id=actor.user_id,
        facts={"passkey": passkey.id, "bound": passkey.device_bound},
    )
    end_sessions_of(actor, actor.user_id, EndedWhy.PASSKEY, but=session_id)
    telling.tell(actor, NotificationKind.PASSKEY_REMOVED)
    return passkey.label


def forget_passkeys(actor: Actor, user_id: UUID) -> None:
    """Takes away all of somebody whose account is reset: whoever holds the lost device comes in by none of them. Flushes."""
    gone = (
        sa.update(Passkey)
        .where(Passkey.user_id == user_id, Passkey.removed_at.is_(None))
        .values(removed_at=clock.now())
        .returning(Passkey.id, Passkey.device_bound)
        .execution_options(synchronize_session=False)
    )
    for passkey_id, bound in db.session.execute(gone).all():
        append(actor, "passkey.removed", object_id=user_id, facts={"passkey": passkey_id, "bound": bound})


def check_may_remove(actor: Actor, passkey: Passkey) -> None:
    """`Conflict` for the last way in, and for the last that the organisation asks for."""
    others = [one for one in queries.list_own(actor) if one.id != passkey.id]
    needed = policy.is_strict(actor.organisation_id) and policy.holds_strict_role(actor.user_id)
    policy.check_may_remove(
        others=len(others),
        other_ways=ways.has_another(actor, "passkey"),
        bound_needed=passkey.device_bound and needed and not any(one.device_bound for one in others),
    )


def _lock(actor: Actor) -> None:
    """Two removals at once, or one while the organisation begins to ask for such passkeys: one after the other."""
    organisation = sa.select(Organisation.id).where(Organisation.id == actor.organisation_id)
    db.session.execute(organisation.with_for_update(key_share=True))
