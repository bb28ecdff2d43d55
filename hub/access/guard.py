"""The ORM wall: every select, update and delete of a guarded class carries its rule; no context is an error.

What it can't see (Core statements, `text()`, `refresh()`, inserts) the database's wall does: see `walls.py`.
"""

from __future__ import annotations

import functools
import itertools
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.orm.interfaces import CriteriaOption
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql.base import ExecutableOption

from hub.access.actor import Actor, Context
from hub.access.finding import begin_as_finder
from hub.access.policy import GUARDED
from hub.access.sets import Terms
from hub.access.walls import FINDER_ROLE
from hub.core.errors import Denied
from hub.core.schema import TEXT_ARRAY, UUID_ARRAY
from hub.extensions import HubSession

CONTEXT_KEY = "access_context"
TOKEN_KEY = "access_token"
LOOKS_KEY = "access_looks"
# a page is one look, an export a few; what a long import writes needs no look
LOOKS_AT_MOST = 16
SETTINGS = (
    "user_id",
    "organisation_id",
    "partnership_id",
    "team_id",
    "clearance",
    "purpose",
    "audiences",
    "principals",
)
_current: ContextVar[Context] = ContextVar("access_context")


class NoContext(RuntimeError):
    """A statement ran in a session that nobody had given an access context."""


def enter(session: Session, who: Actor | Context) -> None:
    """Gives the session its context. Only a session that holds nothing may change it (the identity map remembers)."""
    if session.in_transaction() or len(session.identity_map):
        session.leave() if isinstance(session, HubSession) else session.rollback()
        session.expunge_all()
    _become(session, who)


def _become(session: Session, who: Actor | Context) -> None:
    session.info[CONTEXT_KEY] = who.context if isinstance(who, Actor) else who
    session.info[TOKEN_KEY] = who.token if isinstance(who, Actor) else ""
    session.info[LOOKS_KEY] = ()


def remember_look(session: Session, event_id: UUID) -> None:
    """Under this event, once it is committed, the session reads what it names."""
    looks = [key for key in session.info.get(LOOKS_KEY, ()) if key != event_id]
    session.info[LOOKS_KEY] = (*looks, event_id)[-LOOKS_AT_MOST:]


def looks_in_hand(session: Session) -> str:
    """The events as the database is told them (`hub.looks`)."""
    return ",".join(str(key) for key in session.info.get(LOOKS_KEY, ()))


def context_of(session: Session) -> Context:
    context = session.info.get(CONTEXT_KEY)
    if not isinstance(context, Context):
        raise NoContext("the session has no access context")
    return context


def bound_terms() -> Terms:
    """The actor's values as bound parameters, read when a statement runs: the options are built once per process."""

    def bound(name: str, kind: Any) -> Any:
        return sa.bindparam(f"hub_{name}", callable_=lambda: _value(name), type_=kind)

    return Terms(
        user_id=bound("user_id", sa.Uuid()),
        organisation_id=bound("organisation_id", sa.Uuid()),
        partnership_id=bound("partnership_id", sa.Uuid()),
        team_id=bound("team_id", sa.Uuid()),
        clearance=bound("clearance", sa.SmallInteger()),
        purpose=bound("purpose", sa.Text()),
        audiences=bound("audiences", TEXT_ARRAY),
        principals=bound("principals", UUID_ARRAY),
    )


def _value(name: str) -> Any:
    value = getattr(_current.get(), name)
    return list(value) if isinstance(value, tuple) else value


class Guard(CriteriaOption):
    """The rule of every guarded class as one option of a statement.

    One, and its own cache key: the expressions never change and their values are read when a statement runs. An option a
    class, as `with_loader_criteria` gives, costs every statement 60 µs for 23 classes, and walking through the rules for its
    cache key 25 ms.
    """

    inherit_cache = True
    propagate_to_loaders = False

    def __init__(self, rules: tuple[LoaderCriteriaOption, ...]) -> None:
        self.rules = rules
        self.number = next(_numbers)

    def _gen_cache_key(self, anon_map: Any, bindparams: Any) -> tuple[Any, ...]:
        return (Guard, self.number)

    def process_compile_state(self, compile_state: Any) -> None:
        self.get_global_criteria(compile_state.global_attributes)

    def process_compile_state_replaced_entities(self, compile_state: Any, mapper_entities: Any) -> None:
        self.process_compile_state(compile_state)

    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        for rule in self.rules:
            rule.get_global_criteria(attributes)


_numbers = itertools.count()


def build_options() -> tuple[ExecutableOption, ...]:
    """What every statement carries. Building takes 60 ms; `guard_options` does it once."""
    terms = bound_terms()
    rules = (
        LoaderCriteriaOption(model, rule.read(model, terms), include_aliases=True, propagate_to_loaders=False)
        for model, rule in GUARDED.items()
    )
    return (Guard(tuple(rules)),)


@functools.cache
def guard_options() -> tuple[ExecutableOption, ...]:
    return build_options()


@event.listens_for(HubSession, "do_orm_execute")
def _guard(state: ORMExecuteState) -> None:
    if state.is_column_load:
        return
    _current.set(context_of(state.session))
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(*guard_options())


@event.listens_for(HubSession, "after_begin")
def _announce(session: Session, _transaction: Any, connection: sa.Connection) -> None:
    """Tells the database who acts, for this transaction only: a pooled connection carries nothing to the next."""
    context = context_of(session)
    values = {name: _setting(context, name) for name in SETTINGS}
    values["token"] = session.info.get(TOKEN_KEY, "")
    values["looks"] = looks_in_hand(session)
    columns = ", ".join(f"set_config('hub.{name}', :{name}, true)" for name in values)
    # without a look there is nothing to read yet: the role comes along, which spares a journey
    if not values["looks"] and begin_as_finder(connection):
        columns += f", set_config('role', '{FINDER_ROLE}', true)"
    connection.execute(sa.text(f"SELECT {columns}"), values)


def _setting(context: Context, name: str) -> str:
    value = getattr(context, name)
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "{" + ",".join(str(part) for part in value) + "}"
    return str(value)


@event.listens_for(HubSession, "before_flush")
def _check_writes(session: Session, _flush: Any, _instances: Any) -> None:
    """The write rule as far as a row alone tells it; the database's wall checks it whole."""
    context = context_of(session)
    for row in session.new:
        if type(row) not in GUARDED:
            continue
        owner = getattr(row, "contributor_organisation_id", None)
        if owner is None and not hasattr(row, "record_id"):
            owner = getattr(row, "owner_organisation_id", None)
        if owner is not None and owner != context.organisation_id:
            raise Denied("not_controller", "You can only add to a record for your own organisation.")
    for row in session.deleted:
        if type(row) in GUARDED:
            raise Denied("no_deletion", "Nothing is deleted here. It can be ended or hidden with a reason.")


def hand_over(session: Session, who: Actor | Context) -> None:
    """Lets another actor go on in the same transaction. For the loader alone, which is all or nothing."""
    session.flush()
    session.expunge_all()
    _become(session, who)
    if session.in_transaction():
        _announce(session, None, session.connection())
