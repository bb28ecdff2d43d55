"""The served hub against `scim2-tester`: discovery, all that is done to users and teams, filters, patches, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import Required, ScimProvider, Uniqueness
from scim2_tester import Status, check_server

from hub.directories import resources
from tests.conftest import settings_for
from tests.directories.conftest import BASE
from tests.fixtures.server import serving


class Fresh(list[str]):
    """Examples that are never the same: the tester would write any text into `userName`, where ours is an address."""

    def __init__(self) -> None:
        super().__init__(["person0@example.org"])
        self._next = count(1)

    def __getitem__(self, _: Any) -> Any:
        return f"person{next(self._next)}@example.org"


class User(resources.User):
    user_name: Annotated[str | None, Required.true, Uniqueness.server] = Field(None, examples=Fresh())


def forwarded(port: int) -> Callable[..., Iterable[bytes]]:
    """The tester's client calls an application; this one asks the served hub over its socket."""

    def ask(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        sent = {
            name[5:].replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_") and name != "HTTP_HOST"
        }
        if environ.get("CONTENT_TYPE"):
            sent["Content-Type"] = environ["CONTENT_TYPE"]
        asked = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            body = environ["wsgi.input"].read() or None
            connection.request(
                environ["REQUEST_METHOD"], environ["PATH_INFO"] + asked, body=body, headers=sent
            )
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        start_response(f"{answer.status} {answer.reason}", answer.getheaders())
        return [told]

    return ask


@pytest.fixture
def port(database: SimpleNamespace, root_key_file: Path, tmp_path: Path) -> Iterable[int]:
    with serving(settings_for(database.app, root_key_file), tmp_path) as running:
        yield running.port


def test_the_tester_finds_no_error(token_of: Callable[[str], tuple[UUID, str]], port: int) -> None:
    client = WSGISCIMClient(
        forwarded(port),  # type: ignore[arg-type]
        base_url=f"http://127.0.0.1:{port}{BASE}",
        headers={"Authorization": f"Bearer {token_of('spoc')[1]}"},
        provider=ScimProvider(models=[User, resources.Group]),
    )
    results = check_server(client)
    by_status = {status: [one for one in results if one.status is status] for status in Status}
    for one in results:
        if one.status is not Status.SUCCESS:
            print(one.status, one.title, one.resource_type, one.reason)
    assert len(by_status[Status.SUCCESS]) > 40
    assert {status for status, found in by_status.items() if found} == {Status.SUCCESS}
