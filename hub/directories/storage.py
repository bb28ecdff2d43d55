"""Our tables as the SCIM library reads and writes them: one storage per request, which acts as the organisation's account."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from unicodedata import normalize
from uuid import UUID

import sqlalchemy as sa
from scim2_models import (
    Meta,
    PreconditionFailedException,
    Reference,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimFilter,
    SearchRequest,
)
from scim2_models.path import CompareOperator, Comparison
from scim2_server.storage import ScimStorage, SearchPage

from hub.access.actor import Actor
from hub.accounts import models as tables
from hub.audit.reading import Shown, listed, opened
from hub.core.errors import NotVisible
from hub.directories import accounts, teams
from hub.directories.forms import parse_account, parse_id, parse_team
from hub.directories.models import DirectoryLink
from hub.directories.resources import Group, GroupMember, User
from hub.extensions import db

USER = "User"
Users = sa.Select[tables.User, DirectoryLink]


class Storage(ScimStorage):
    """Users and teams of one organisation in one partnership. Flushes, never commits a change; reads are logged first."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """One resource. The library gives `response_parameters` where it is to be shown, and none before a change of it."""
        if response_parameters is not None:
            self._note_opened(resource_type, resource_id)
        return self._load(resource_type, resource_id)

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        listed(self.actor, "accounts.listed", Shown())
        start, count = search_request.start_index_0 or 0, search_request.count
        stop = None if count is None else start + count
        names = [one.name for one in resource_types]
        if search_request.filter is None and search_request.sort_by is None and len(names) == 1:
            return self._page(names[0] == USER, start, stop)
        found = [
            one for one in self._candidates(names, search_request.filter) if _matches(search_request, one)
        ]
        if search_request.sort_by is not None:
            down = search_request.sort_order == SearchRequest.SortOrder.descending
            found.sort(key=lambda one: _sort_key(search_request, one), reverse=down)
        return SearchPage(len(found), found[start:stop])

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        if isinstance(resource, User):
            return _as_user(*accounts.create_account(self.actor, parse_account(resource)))
        return self._as_groups([teams.create_team(self.actor, parse_team(_group(resource)))])[0]

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        if isinstance(resource, User):
            account = accounts.load_account(self.actor, parse_id(resource.id), lock=True)
            _check_version(_as_user(*account), expected_version)
            return _as_user(*accounts.change_account(self.actor, account, parse_account(resource)))
        team = teams.load_team(self.actor, parse_id(resource.id), lock=True)
        _check_version(self._as_groups([team])[0], expected_version)
        return self._as_groups([teams.change_team(self.actor, team, parse_team(_group(resource)))])[0]

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        if resource_type.name == USER:
            account = accounts.load_account(self.actor, parse_id(resource_id), lock=True)
            _check_version(_as_user(*account), expected_version)
            accounts.delete_account(self.actor, account)
            return
        team = teams.load_team(self.actor, parse_id(resource_id), lock=True)
        _check_version(self._as_groups([team])[0], expected_version)
        teams.delete_team(self.actor, team)

    def _load(self, resource_type: ResourceType, resource_id: str) -> Resource[Any]:
        if resource_type.name == USER:
            return _as_user(*accounts.load_account(self.actor, parse_id(resource_id)))
        return self._as_groups([teams.load_team(self.actor, parse_id(resource_id))])[0]

    def _note_opened(self, resource_type: ResourceType, resource_id: str) -> None:
        key = parse_id(resource_id)
        if resource_type.name != USER:
            listed(self.actor, "accounts.listed", Shown())
            return
        if key is None:
            raise NotVisible
        mine = accounts.known_accounts(self.actor).with_only_columns(tables.User.id)
        seen = db.session.scalar(mine.where(tables.User.id == key))
        opened(self.actor, "user.opened", key, Shown() if seen else None)

    def _page(self, users: bool, start: int, stop: int | None) -> SearchPage:
        """A page as the database cuts it: without filter or order there is no need to read all."""
        count = None if stop is None else stop - start
        if users:
            known = accounts.known_accounts(self.actor)
            rows = db.session.execute(known.order_by(tables.User.id).offset(start).limit(count))
            return SearchPage(_count(known), [_as_user(*row) for row in rows])
        held = teams.known_teams(self.actor)
        found = db.session.execute(held.order_by(tables.Team.id).offset(start).limit(count)).all()
        return SearchPage(_count(held), [*self._as_groups([(row[0], row[1]) for row in found])])

    def _candidates(self, names: list[str | None], sought: ScimFilter[Any] | None) -> list[Resource[Any]]:
        found: list[Resource[Any]] = []
        if USER in names:
            known = accounts.known_accounts(self.actor).order_by(tables.User.id)
            if len(names) == 1:
                known = _narrowed(known, sought)
            found += [_as_user(*row) for row in db.session.execute(known)]
        if names != [USER]:
            held = db.session.execute(teams.known_teams(self.actor).order_by(tables.Team.id)).all()
            found += self._as_groups([(row[0], row[1]) for row in held])
        return found

    def _as_groups(self, known: Sequence[teams.Known]) -> list[Group]:
        members = teams.members_of(self.actor, [team.id for team, _ in known])
        return [_as_group(team, link, members[team.id]) for team, link in known]


def _group(resource: Resource[Any]) -> Group:
    if not isinstance(resource, Group):
        raise TypeError(f"no such resource: {type(resource).__name__}")
    return resource


def _count(statement: sa.Select[Any, Any]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(statement.subquery())) or 0


def _narrowed(statement: Users, sought: ScimFilter[Any] | None) -> Users:
    """What directories ask before every change is one user by one attribute: the database looks that up by its index."""
    node = sought.ast if sought is not None else None
    if (
        sought is None
        or not isinstance(node, Comparison)
        or node.op != CompareOperator.eq
        or not isinstance(node.value, str)
    ):
        return statement
    bound = sought.resolve_comparison(node.attr_path, strict=False)
    name = bound.field_name if bound is not None and bound.sub_field_name is None else None
    value = node.value.replace("\0", "")
    if name == "user_name":
        return statement.where(tables.User.email == normalize("NFC", value.lower()))
    if name == "external_id":
        return statement.where(DirectoryLink.external_id == value)
    if name == "id":
        return statement.where(tables.User.id == parse_id(value))
    return statement


def _matches(request: SearchRequest[Any], resource: Resource[Any]) -> bool:
    return request.filter is None or bool(request.filter.match(resource))


def _sort_key(request: SearchRequest[Any], resource: Resource[Any]) -> tuple[bool, Any, str]:
    value = request.sort_value(resource)
    return value is None, "" if value is None else value, str(resource.id)


def _check_version(stored: Resource[Any], expected: str | None) -> None:
    if expected is not None and stored.meta is not None and stored.meta.version != expected:
        raise PreconditionFailedException


def _as_user(user: tables.User, link: DirectoryLink | None) -> User:
    found = User(
        id=str(user.id),
        external_id=link.external_id if link else None,
        user_name=user.email,
        display_name=user.name,
        title=user.job_title or None,
        active=user.disabled_at is None,
    )
    found.meta = _meta(found, user.created_at, link)
    return found


def _as_group(team: tables.Team, link: DirectoryLink | None, members: list[UUID]) -> Group:
    found = Group(
        id=str(team.id),
        external_id=link.external_id if link else None,
        display_name=team.name,
        members=[
            GroupMember(value=str(one), ref=Reference["User"](f"Users/{one}"), type=USER) for one in members
        ]
        or None,
    )
    found.meta = _meta(found, team.created_at, link)
    return found


def _meta(resource: Resource[Any], created_at: datetime, link: DirectoryLink | None) -> Meta:
    """The version is what the resource says: it changes with that and with nothing else."""
    said = json.dumps(resource.model_dump(), sort_keys=True, default=str).encode()
    return Meta(
        resource_type=type(resource).__name__,
        created=created_at,
        last_modified=link.changed_at if link else created_at,
        version=f'W/"{hashlib.sha256(said).hexdigest()[:32]}"',
    )
