"""The actor: frozen plain data about who acts, in which hat and for which purpose. Built anew on every request."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from uuid import UUID

from hub.access.permissions import Permission, Role
from hub.core.errors import Denied


class Source(enum.StrEnum):
    """Where an act comes from."""

    WEB = "web"
    CLI = "cli"
    JOB = "job"
    LOAD = "load"
    DIRECTORY = "directory"


@dataclass(frozen=True)
class Context:
    """The values that the clause compares with. `NOBODY` sees nothing."""

    user_id: UUID | None = None
    organisation_id: UUID | None = None
    partnership_id: UUID | None = None
    team_id: UUID | None = None
    clearance: int = -1
    purpose: str = ""
    audiences: tuple[str, ...] = ()

    @property
    def principals(self) -> tuple[UUID, ...]:
        """Ids of the user, the team in hand and the organisation, as far as there are any."""
        return tuple(key for key in (self.user_id, self.team_id, self.organisation_id) if key)


NOBODY = Context()


@dataclass(frozen=True)
class RequestFacts:
    """What the event's `source` says of a request. Nothing here is typed by the user."""

    ip: str | None = None
    request_id: str | None = None
    user_agent_hash: str | None = None
    build: str = ""
    # a code of families, such as firefox.windows; and the mark of this device for accounts that it knows
    device: str | None = None
    known_device: str = field(default="", repr=False)


@dataclass(frozen=True)
class Actor:
    """Who acts. `token` is the raw session token, which only the log's database function can turn into a name."""

    user_id: UUID
    name: str
    organisation_id: UUID
    organisation_name: str
    organisation_code: str
    organisation_kind: str
    partnership_id: UUID
    partnership_name: str
    team_id: UUID
    team_name: str
    purpose: str
    clearance: int
    roles: frozenset[Role]
    permissions: frozenset[Permission]
    audiences: tuple[str, ...]
    source: Source = Source.WEB
    token: str = field(default="", repr=False)
    request: RequestFacts = RequestFacts()

    @property
    def context(self) -> Context:
        return Context(
            self.user_id,
            self.organisation_id,
            self.partnership_id,
            self.team_id,
            self.clearance,
            self.purpose,
            self.audiences,
        )

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def check_may(self, permission: Permission) -> None:
        """Raises `Denied` where no role in force allows the act."""
        if permission not in self.permissions:
            raise Denied("no_permission", "Your role does not allow this. Nothing was changed.")
