"""Writes events. There is no other way: the database's function decides time, actor and transaction, and makes the bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor, RequestFacts, Source
from hub.access.guard import remember_look
from hub.audit import trouble
from hub.audit.catalogue import EVENTS, Category
from hub.core.errors import Unavailable
from hub.crypto import keyring, wrapping
from hub.crypto.commitments import commitment
from hub.crypto.randomness import new_salt
from hub.extensions import db, live_session

LOG_DOWN = "The access log cannot be written, so no personal data can be shown or changed. Nothing was lost."
_RECORD = sa.text(
    "SELECT audit.record_event(:token, :category, :act, :outcome, :object_type, CAST(:object_id AS uuid),"
    " CAST(:object_version AS integer), CAST(:records AS uuid[]), CAST(:people AS uuid[]), CAST(:counted AS integer),"
    " CAST(:recipients AS jsonb), CAST(:basis AS jsonb), CAST(:file AS jsonb), CAST(:facts AS jsonb),"
    " CAST(:texts AS jsonb), CAST(:source AS jsonb))"
)

_RECORD_EACH = sa.text(
    "SELECT count(audit.record_event(:token, :category, :act, 'ok', :object_type, made.id, made.version, made.records,"
    " CAST('{}' AS uuid[]), NULL, '[]', '{}', NULL, made.facts, '[]', CAST(:source AS jsonb)))"
    " FROM jsonb_to_recordset(CAST(:made AS jsonb)) AS made(id uuid, version integer, records uuid[], facts jsonb)"
)

_EMPTY: dict[str, Any] = {
    "object_id": None,
    "object_version": None,
    "records": "{}",
    "people": "{}",
    "counted": None,
    "recipients": "[]",
    "basis": "{}",
    "file": None,
    "facts": "{}",
    "texts": "[]",
}


class WrongEvent(RuntimeError):
    """An event does not match the catalogue: a mistake of the programmer, never of the user."""


@dataclass(frozen=True)
class Recipient:
    """Who received a disclosure, and how."""

    organisation_id: UUID
    channel: str = "hub"
    team_id: UUID | None = None
    user_id: UUID | None = None

    def as_json(self) -> dict[str, str]:
        parts = {"organisation": self.organisation_id, "team": self.team_id, "user": self.user_id}
        return {"channel": self.channel, **{name: str(key) for name, key in parts.items() if key}}


@dataclass(frozen=True)
class Basis:
    """By which right something was seen: the lead team, a share under an agreement, an emergency, an own contribution."""

    via: str
    agreement_id: UUID | None = None
    grant_id: UUID | None = None

    def as_json(self) -> dict[str, str]:
        parts = {"agreement": self.agreement_id, "grant": self.grant_id}
        return {"via": self.via, **{name: str(key) for name, key in parts.items() if key}}


@dataclass(frozen=True)
class StoredFile:
    """The file that an event is about: SHA-256 of the ciphertext, hex, and its size in bytes."""

    id: UUID
    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return {"id": str(self.id), "sha256": self.sha256, "size": self.size}


@dataclass(frozen=True)
class Written:
    """One of many like objects written together: an event each, without texts, people or recipients."""

    object_id: UUID
    version: int
    records: tuple[UUID, ...]
    facts: Mapping[str, str | int | bool]


def append_each(actor: Actor, act: str, written: Sequence[Written]) -> None:
    """Writes an event for each of many objects in one statement (imports). As `append` otherwise."""
    if not written:
        return
    for one in written:
        _checked(act, one.facts, {}, {}, "ok")
    kind = EVENTS[act]
    db.session.flush()
    made = [
        {
            "id": str(one.object_id),
            "version": one.version,
            "records": [str(key) for key in one.records],
            "facts": dict(one.facts),
        }
        for one in written
    ]
    values = {
        "token": actor.token,
        "category": kind.category.value,
        "act": act,
        "object_type": kind.about,
        "source": _source(actor.request),
        "made": json.dumps(made),
    }
    try:
        db.session.execute(_RECORD_EACH, values)
    except sa.exc.DBAPIError as error:
        raise _refused(error) from error


def append(
    actor: Actor,
    act: str,
    *,
    outcome: str = "ok",
    object_id: UUID | None = None,
    version: int | None = None,
    records: Iterable[UUID] = (),
    people: Iterable[UUID] = (),
    counted: int | None = None,
    recipients: Sequence[Recipient] = (),
    basis: Basis | None = None,
    file: StoredFile | None = None,
    facts: Mapping[str, str | int | bool | UUID] | None = None,
    texts: Mapping[str, str] | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    key_of: UUID | None = None,
) -> UUID:
    """Writes one event in the current transaction and returns its id.

    `texts` and `changes` (field → before, after) are sealed under the key of the record `key_of`, or under the
    partnership's. `WrongEvent` where the catalogue says otherwise; `Unavailable` where the log can't be written.
    """
    kind = _checked(act, facts or {}, texts or {}, changes or {}, outcome)
    db.session.flush()
    sealed = _sealed(actor, {**(texts or {}), **_as_texts(changes or {})}, key_of)
    written = _write(
        actor.token,
        actor.request,
        category=kind.category.value,
        act=act,
        outcome=outcome,
        object_type=kind.about,
        object_id=object_id,
        object_version=version,
        records=_array(records),
        people=_array(people),
        counted=counted,
        recipients=json.dumps([one.as_json() for one in recipients]),
        basis=json.dumps(basis.as_json() if basis else {}),
        file=json.dumps(file.as_json()) if file else None,
        facts=json.dumps(
            {name: str(value) if isinstance(value, UUID) else value for name, value in (facts or {}).items()}
        ),
        texts=json.dumps(sealed),
    )
    # what the loader makes it reads back without a look: see `record.born`
    if actor.source is not Source.LOAD or kind.category is Category.CONSULTATION:
        remember_look(live_session(), written)
    return written


def append_apart(actor: Actor, act: str, *, records: Iterable[UUID]) -> UUID:
    """Writes and commits an event on a connection of its own: what is under way in the session stays under way."""
    kind = _checked(act, {}, {}, {}, "ok")
    values = _EMPTY | {
        "token": actor.token,
        "category": kind.category.value,
        "act": act,
        "outcome": "ok",
        "object_type": kind.about,
        "records": _array(records),
        "source": _source(actor.request),
    }
    try:
        with db.engine.begin() as connection:
            written: UUID = connection.execute(_RECORD, values).scalar_one()
    except sa.exc.SQLAlchemyError as error:
        raise _refused(error) from error
    return written


def append_nobody(request: RequestFacts, act: str, *, user_id: UUID | None, facts: Mapping[str, str]) -> UUID:
    """An event before anybody is signed in (a refused sign-in). Category security only."""
    kind = _checked(act, facts, {}, {}, "denied")
    if kind.category is not Category.SECURITY:
        raise WrongEvent(f"{act} needs an actor")
    values = _EMPTY | {
        "category": kind.category.value,
        "act": act,
        "outcome": "denied",
        "object_type": kind.about,
        "object_id": user_id,
        "facts": json.dumps(dict(facts)),
    }
    return _write(None, request, **values)


def _checked(
    act: str, facts: Mapping[str, Any], texts: Mapping[str, Any], changes: Mapping[str, Any], outcome: str
) -> Any:
    try:
        kind = EVENTS[act]
    except KeyError:
        raise WrongEvent(f"{act} is not in the catalogue") from None
    if (outcome == "ok" and set(facts) != kind.facts) or not set(facts) <= kind.facts:
        raise WrongEvent(f"{act} takes the facts {sorted(kind.facts)}, not {sorted(facts)}")
    if not set(texts) <= kind.texts:
        raise WrongEvent(f"{act} takes the texts {sorted(kind.texts)}, not {sorted(texts)}")
    if changes and not kind.changes:
        raise WrongEvent(f"{act} takes no changes")
    return kind


def _as_texts(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, str]:
    def plain(value: Any) -> Any:
        return value if value is None or isinstance(value, str | int | bool) else str(value)

    return {
        f"change_{field}": json.dumps(
            {"before": plain(before), "after": plain(after)}, ensure_ascii=False, sort_keys=True
        )
        for field, (before, after) in changes.items()
    }


def _sealed(actor: Actor, texts: Mapping[str, str], record_id: UUID | None) -> list[dict[str, str]]:
    if not texts:
        return []
    held = keyring.data_key(db.session(), actor.partnership_id, record_id)
    sealed = []
    for name, text in texts.items():
        salt = new_salt()
        sealed.append(
            {
                "name": name,
                "commitment": commitment(salt, text),
                "salt": salt.hex(),
                "key": str(held.id),
                "sealed": wrapping.seal_text(held.key, text, purpose="event", ids=(held.id, name)).hex(),
            }
        )
    return sealed


def _array(ids: Iterable[UUID]) -> str:
    return "{" + ",".join(str(one) for one in dict.fromkeys(ids)) + "}"


def _write(token: str | None, request: RequestFacts, **values: Any) -> UUID:
    values["source"] = _source(request)
    values["token"] = token
    try:
        written: UUID = db.session.execute(_RECORD, values).scalar_one()
    except sa.exc.DBAPIError as error:
        raise _refused(error) from error
    trouble.note_success()
    live_session().mark_written()
    return written


def _refused(error: sa.exc.SQLAlchemyError) -> Unavailable:
    """Whatever hinders the log hinders the act: no event, no personal data."""
    db.session.rollback()
    trouble.note_failure(error)
    return Unavailable("log_unavailable", LOG_DOWN)


def _source(request: RequestFacts) -> str:
    source = {
        "build": request.build,
        "ip": request.ip,
        "request": request.request_id,
        "user_agent": request.user_agent_hash,
    }
    return json.dumps({name: value for name, value in source.items() if value})
