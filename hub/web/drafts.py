"""Drafts: what somebody has typed and not yet saved, sealed on the server, given back at the same form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from werkzeug.datastructures import MultiDict

from hub.access.actor import Actor
from hub.core import clock
from hub.core.errors import Invalid, Unavailable
from hub.core.ids import new_id
from hub.crypto import keyring, wrapping
from hub.crypto.errors import Unsealable
from hub.extensions import db
from hub.web.identity import Visit
from hub.web.models import Draft

MAX_CHARACTERS = 200_000
_FORM = re.compile(r"^[a-z_.]{1,60}(:[0-9a-f-]{36})?$")
# never kept: what proves something now, and secrets
NEVER = frozenset(
    {"csrf_token", "form_key", "draft_key", "password", "old", "again", "code", "client_secret", "back"}
)


def form_name(endpoint: str, subject: UUID | None = None) -> str:
    """The name of a form's draft: the endpoint, and the id of what it is about."""
    return f"{endpoint}:{subject}" if subject else endpoint


def keep(actor: Actor, form: str, values: Mapping[str, Any]) -> None:
    """Keeps the draft of one form. `Invalid` for an unknown form's name or one that is too long."""
    _keep(actor.user_id, actor.partnership_id, form, _plain(values))


def keep_late(visit: Visit, values: MultiDict[str, str]) -> bool:
    """Keeps what was sent and can't be done now, for the user whose session it is or was. Was there anything to keep?"""
    form = values.get("draft_key")
    if not form or not _FORM.match(form):
        return False
    _keep(visit.user_id, visit.partnership_id, form, _plain(values))
    db.session.commit()
    return True


def find(actor: Actor, form: str) -> dict[str, list[str]] | None:
    """The draft of one form, or None."""
    row = db.session.scalar(sa.select(Draft).where(Draft.user_id == actor.user_id, Draft.form == form))
    if row is None:
        return None
    try:
        held = keyring.data_key(db.session(), row.partnership_id)
        text = wrapping.open_text(held.key, row.sealed, purpose="draft", ids=(row.user_id, row.form))
    except (Unsealable, Unavailable):
        return None
    values: dict[str, list[str]] = json.loads(text)
    return values


def find_values(actor: Actor, form: str) -> dict[str, str]:
    """The draft of one form with the last value of each field; empty where there is none."""
    return {name: given[-1] for name, given in (find(actor, form) or {}).items() if given}


def saved_at(actor: Actor, form: str) -> datetime | None:
    """When the draft of one form was kept last."""
    return db.session.scalar(
        sa.select(Draft.updated_at).where(Draft.user_id == actor.user_id, Draft.form == form)
    )


def drop(actor: Actor, form: str) -> None:
    """The form was saved: its draft goes, in the same transaction."""
    db.session.execute(sa.delete(Draft).where(Draft.user_id == actor.user_id, Draft.form == form))


def _plain(values: Mapping[str, Any]) -> dict[str, list[str]]:
    lists = values.to_dict(flat=False) if isinstance(values, MultiDict) else dict(values)
    return {name: [str(one) for one in given] for name, given in lists.items() if name not in NEVER}


def _keep(user_id: UUID, partnership_id: UUID, form: str, values: Mapping[str, list[str]]) -> None:
    if not _FORM.match(form):
        raise Invalid("bad_draft", "This form cannot keep a draft.")
    text = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace").decode()
    if len(text) > MAX_CHARACTERS:
        raise Invalid("draft_too_long", "This is too long to keep as a draft. Save it in parts.")
    held = keyring.data_key(db.session(), partnership_id)
    sealed = wrapping.seal_text(held.key, text, purpose="draft", ids=(user_id, form))
    now = clock.now()
    made = insert(Draft).values(
        id=new_id(),
        created_at=now,
        user_id=user_id,
        partnership_id=partnership_id,
        form=form,
        sealed=sealed,
        updated_at=now,
    )
    db.session.execute(
        made.on_conflict_do_update(
            index_elements=["user_id", "form"],
            set_={"sealed": sealed, "updated_at": now, "partnership_id": partnership_id},
        )
    )
