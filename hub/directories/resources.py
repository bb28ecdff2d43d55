"""What a directory sees of us, in the words of RFC 7643: users and teams, and what the service can do with them."""

from __future__ import annotations

from typing import Annotated, Any, Union

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Filter,
    ListResponse,
    Mutability,
    Patch,
    PatchOp,
    Reference,
    Required,
    Resource,
    ResponseParameters,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_server.utils import parametrize

# the most users or groups that one answer holds
PAGE = 200


class User(Resource[Any]):
    """An account. Nothing else of a person is asked for, and what a directory sends besides is dropped unread."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The email address, in small letters. The organisation's provider and invitations know the person by it."""

    display_name: Annotated[str | None, Required.true] = None
    """The name that colleagues and the log show."""

    title: str | None = None
    """The job title."""

    active: Annotated[bool | None, Required.true] = None
    """Whether the account is open. False ends every session at once."""


class GroupMember(ComplexAttribute):
    """A user of the organisation who is in the team. Members whom other organisations employ are not shown."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of the user."""

    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the user."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always User: a team holds no other team."""


class Group(Resource[Any]):
    """A team of the organisation in the partnership."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The team’s name."""

    members: list[GroupMember] | None = None
    """The organisation’s own people in the team."""


CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    # one request is one transaction: many changes in one would stand or fall together
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=PAGE),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Token",
            description="The token that an administrator of the organisation made, as a bearer token",
        )
    ],
)
# as the directories in use send it: attributes that we do not keep, and a value with what is to be removed
TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER = ScimProvider(models=[User, Group], config=CONFIG, policy=TOLERANT)


def _shapes() -> list[type[Any]]:
    """The library makes a class for each shape of a message, in a tenth of a second, and keeps it while somebody holds it."""
    both = Union[User, Group]  # noqa: UP007 - as the library writes it: the class is found by that
    asked = [
        (shape, of)
        for shape in (PatchOp, SearchRequest, ResponseParameters, ListResponse)
        for of in (User, Group)
    ]
    return [parametrize(shape, of) for shape, of in [*asked, (SearchRequest, both), (ListResponse, both)]]


SHAPES = _shapes()
