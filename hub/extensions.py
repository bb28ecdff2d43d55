"""The Flask extensions, made once, bound to an application in `hub.app`."""

from __future__ import annotations

import functools
from typing import Any

import psycopg
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH, PostgresQuery, _query2pg_nocache
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.pool import Pool

from hub.core.schema import Base

WRITTEN = "written"
PREPARED_AT_MOST = 1000
REMEMBERED_AT_MOST = 512


class HubSession(FlaskSession):
    """The session of the hub. `hub.access.guard` puts the sharing rule on every statement that it runs."""

    @property
    def holds_work(self) -> bool:
        """Whether anything is pending, or written and not committed."""
        return bool(self.new or self.dirty or self.deleted or self.info.get(WRITTEN))

    def mark_written(self) -> None:
        """A statement that the session itself can't tell for a write (a database function) was one."""
        self.info[WRITTEN] = True

    def leave(self) -> None:
        """Ends the transaction: what was written and not committed is rolled back; a mere reading is ended by a commit.

        psycopg forgets its prepared statements at every ROLLBACK, and planning the sharing rule anew is what costs.
        """
        if self.holds_work:
            self.rollback()
        else:
            self.commit()


@event.listens_for(HubSession, "do_orm_execute")
def _mark_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        state.session.info[WRITTEN] = True


@event.listens_for(HubSession, "after_flush")
def _mark_flush(session: Session, _flush: Any) -> None:
    session.info[WRITTEN] = True


@event.listens_for(HubSession, "after_commit")
@event.listens_for(HubSession, "after_rollback")
def _unmark(session: Session) -> None:
    # the end of a savepoint is not the end of the work
    if not session.in_nested_transaction():
        session.info.pop(WRITTEN, None)


class _Query(PostgresQuery):
    """Remembers how a long statement is written for PostgreSQL.

    psycopg does so up to 4,096 characters. A statement with the sharing rule in it is longer, there are a few hundred, and
    taking one apart costs 0.2 ms each time that it runs.
    """

    __slots__ = ()

    def convert(self, query: Any, vars: Any) -> None:
        if isinstance(query, str) and vars is not None and len(query) > MAX_CACHED_STATEMENT_LENGTH:
            self.query, self._want_formats, self._order, self._parts = _written(query, self._tx.encoding)
            self.dump(vars)
        else:
            super().convert(query, vars)


@functools.lru_cache(maxsize=REMEMBERED_AT_MOST)
def _written(query: str, encoding: str) -> Any:
    return _query2pg_nocache(query.encode(encoding), encoding)


class _Cursor(psycopg.Cursor[Any]):
    _query_cls = _Query


@event.listens_for(Pool, "connect")
def _keep_plans(connection: Any, _record: Any) -> None:
    """As many prepared statements as the hub has: at psycopg's hundred they push each other out and are planned anew."""
    connection.prepared_max = PREPARED_AT_MOST
    connection.cursor_factory = _Cursor


db = SQLAlchemy(
    model_class=Base,
    session_options={"class_": HubSession, "autoflush": False, "expire_on_commit": False},
    disable_autonaming=True,
)
login_manager = LoginManager()


def live_session() -> HubSession:
    """The session of this request, as what it is."""
    session = db.session()
    assert isinstance(session, HubSession)  # noqa: S101 - the factory above makes nothing else
    return session
