"""Routes that can't exist without saying who may use them, which event they write and what data they show.

`needs`, `event` and `data` are required: forgetting one is a `TypeError` at import. What was declared is kept in
`DECLARED`, which the gate enforces (an undeclared route answers 403) and the rule tests compare with their table.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint

from hub.access.permissions import Permission
from hub.audit.catalogue import EVENTS


class Door(enum.Enum):
    """Routes that no permission guards."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"


class Data(enum.Enum):
    """What a route's answers may hold."""

    NONE = "no personal data"
    STAFF = "data about users"
    PERSONAL = "personal data"
    LOG = "the log"


class Limit(enum.Enum):
    """What is bounded per user and per organisation (SECURITY W9): the most in a window of so many minutes."""

    SEARCH = ("search", 60, 600, 1)
    EXPORT = ("export", 20, 100, 60)

    def __init__(self, code: str, per_user: int, per_organisation: int, minutes: int) -> None:
        self.code = code
        self.per_user = per_user
        self.per_organisation = per_organisation
        self.minutes = minutes


@dataclass(frozen=True)
class Declared:
    needs: Permission | Door
    event: str | None
    data: Data
    # the body is read by the view itself, never parsed beforehand (uploads)
    streams: bool = False
    # does using it count as activity of the user?
    keeps_session: bool = True
    # does it ask who it is again where that was proved longer than five minutes ago?
    fresh: bool = False
    # how often it may be used
    limit: Limit | None = None
    # is it asked by programs of others, which prove who they are in what they send? Then no cookie is looked at, and no
    # form's token asked for
    programs: bool = False
    # may it be used before the terms of use are accepted?
    before_terms: bool = False


DECLARED: dict[str, Declared] = {}


class Pages(Blueprint):
    """A blueprint whose routes are declared."""

    def page(
        self,
        rule: str,
        *,
        needs: Permission | Door,
        event: str | None,
        data: Data,
        methods: Sequence[str] = ("GET",),
        streams: bool = False,
        keeps_session: bool = True,
        fresh: bool = False,
        limit: Limit | None = None,
        programs: bool = False,
        before_terms: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Registers a view. `event` is the act it writes; None only where it shows no personal data."""
        if event is not None and event not in EVENTS:
            raise TypeError(f"{rule}: the event {event} is not in the catalogue")
        if event is None and data in (Data.PERSONAL, Data.LOG):
            raise TypeError(f"{rule} shows personal data and must write an event")

        if programs and needs is not Door.PUBLIC:
            raise TypeError(f"{rule} looks at no cookie, so nobody could be signed in there")

        def register(view: Callable[..., Any]) -> Callable[..., Any]:
            DECLARED[f"{self.name}.{view.__name__}"] = Declared(
                needs, event, data, streams, keeps_session, fresh, limit, programs, before_terms
            )
            self.add_url_rule(rule, view.__name__, view, methods=list(methods))
            return view

        return register

    def route(self, rule: str, **options: Any) -> Any:
        raise TypeError(f"{rule}: use page(…), which says who may use it")
