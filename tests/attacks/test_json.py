"""A fuzzer on everything that is taken or answered as JSON: no failure, JSON where JSON is said, no trace of the machinery, and
nothing of what was sent.

The document that it goes by is `json_routes`; each answer is judged where it leaves the application, whatever was asked.
"""

from __future__ import annotations

import itertools
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from hub.accounts import throttle
from hub.accounts.cookies import STEP
from hub.directories import serving
from hub.directories.actions import make_token
from hub.extensions import db
from hub.web.identity import COOKIE
from tests.attacks.arena import Arena
from tests.attacks.checks import MACHINERY, told
from tests.attacks.json_routes import CANARY, FORMS, document, scim_document, speak_json
from tests.conftest import settings_for
from tests.fixtures.applications import application_for
from tests.fixtures.site import Client, Site
from tests.fixtures.store import Bucket
from tests.fixtures.world import World, act_as

BASE = "/scim/v2"
EXAMPLES = 6
# the worker does not run here, and 503 is how that is said
MAY_BE_DOWN = frozenset({"/health"})
# what a directory asks for that is not there (RFC 7644 3.12)
NOT_IMPLEMENTED = 501
# who adds a passkey is told to the own device
OWN_NAME = frozenset({"/account/passkeys/begin"})
# what a device answers is refused unread where nothing has begun
BEGUN_AT = {
    "/sign-in/passkey": "/sign-in/passkey/begin",
    "/session/confirm/passkey": "/session/confirm/passkey/begin",
    "/account/passkeys/add": "/account/passkeys/begin",
}


@dataclass
class Watched:
    """The application, asked as somebody, from another source each time; what is wrong with any answer is noted."""

    app: Any
    cookie: str = ""
    csrf: str = ""
    token: str = ""
    faults: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    # (address, status) → how often
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    sources: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        self._as_somebody(environ)
        if path in BEGUN_AT:
            environ["HTTP_COOKIE"] = f"{self.cookie}; {self._begun(BEGUN_AT[path])}"
        body, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        whole = b"".join(body)
        asked, code = f"{environ['REQUEST_METHOD']} {path}", int(status.split(" ")[0])
        self.statuses[code] += 1
        self.answers[path, code] += 1
        fault = self._fault(asked, code, headers.get("Content-Type", ""), whole.decode("utf-8", "replace"))
        if fault:
            self.faults.append(f"{asked[:120]!r}: {fault}")
        start_response(status, list(headers))
        return [whole]

    def _as_somebody(self, environ: dict[str, Any]) -> None:
        number = next(self.sources)
        environ["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        environ["HTTP_ACCEPT"] = "application/json"
        if self.cookie:
            environ["HTTP_COOKIE"] = self.cookie
        if self.csrf:
            environ["HTTP_X_CSRF_TOKEN"] = self.csrf
        if self.token and number % 20:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"

    def _begun(self, address: str) -> str:
        """The cookie of a proof that has begun."""
        environ = create_environ(address, method="POST", data={"label": "A key"})
        self._as_somebody(environ)
        _, _, headers = run_wsgi_app(self.app, environ, buffered=True)
        return next((one.partition(";")[0] for one in headers.getlist("Set-Cookie") if STEP in one), "none=1")

    def _fault(self, asked: str, code: int, kind: str, text: str) -> str | None:
        path = asked.partition(" ")[2]
        if code >= 500 and not (path in MAY_BE_DOWN and code == 503) and code != NOT_IMPLEMENTED:
            return f"status {code}: {text[:200]}"
        found = MACHINERY.search(text)
        if found:
            return f"shows {found.group(0)!r}"
        scim = path.startswith(BASE)
        if scim and text and not kind.startswith("application/scim+json"):
            return f"a directory is answered as {kind}"
        if "json" not in kind:
            return None
        if text:
            try:
                json.loads(text)
            except ValueError:
                return f"{kind} that is none: {text[:100]!r}"
        if not scim and (CANARY in text or ("@example.org" in text and path not in OWN_NAME)):
            return f"says again what was sent, or who somebody is: {text[:200]!r}"
        return None


def fuzz(watched: Watched, described: dict[str, Any], *, examples: int = EXAMPLES) -> None:
    """All phases of the fuzzer, the same each time. Its own judgement is left out: the answers are judged above."""
    with warnings.catch_warnings():
        # deprecations within its own libraries are none of ours
        warnings.simplefilter("ignore")
        import schemathesis
        from schemathesis.engine import events, from_schema

        config = schemathesis.Config.from_dict(
            {
                "seed": 20261129,
                "generation": {
                    "max-examples": examples,
                    "deterministic": True,
                    "no-shrink": True,
                    "database": "none",
                },
                "checks": {"enabled": False},
                "suppress-health-check": ["all"],
            }
        )
        schema = schemathesis.openapi.from_dict(described, config=config)
        schema.app = watched
        schema.hook("map_body")(_credential_as_text)
        errors = []
        for event in from_schema(schema).execute():
            if isinstance(event, events.FatalError):
                raise event.exception
            if isinstance(event, events.NonFatalError):
                errors.append(f"{event.label}: {event.value!r}")
        assert not errors, told(errors)


def _credential_as_text(_context: Any, body: Any) -> Any:
    """As the script sends it: JSON in a field of a form."""
    if isinstance(body, dict) and isinstance(body.get("credential"), dict):
        return {**body, "credential": json.dumps(body["credential"])}
    return body


@pytest.fixture
def stored(
    arena: Arena, database: SimpleNamespace, root_key_file: Any, world: World, bucket: Bucket
) -> Iterator[Site]:
    """The planted site with a store, so that files are taken in earnest."""
    app = application_for(settings_for(database.app, root_key_file, demo=True, **bucket.settings()))
    yield Site(app, world)
    with app.app_context():
        db.engine.dispose()


def test_whatever_speaks_json_is_fuzzed_here(arena: Arena) -> None:
    assert speak_json(arena.site.app) == set(FORMS)
    described = document(arena.site.app, {})
    assert sum(len(methods) for methods in described["paths"].values()) == len(FORMS)


def test_every_resource_of_a_directory_is_fuzzed_here(stored: Site) -> None:
    answer = stored.app.test_client().get(
        f"{BASE}/ResourceTypes", headers={"Authorization": f"Bearer {_token(stored)}"}
    )
    described = scim_document(BASE, {"Users": "x", "Groups": "x"})
    kinds = {one["endpoint"] for one in answer.json["Resources"]}
    assert kinds and {f"{BASE}{kind}/{{id}}" for kind in kinds} <= set(described["paths"])


@pytest.mark.slow
@pytest.mark.parametrize("user", ["nobody", "officer", "spoc", "auditor"])
def test_no_json_breaks_a_route(
    stored: Site, arena: Arena, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # so many tries a minute are refused otherwise, before anything is read
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 10**6)
    client = stored.visitor() if user == "nobody" else stored.as_user(user)
    watched = Watched(stored.app.wsgi_app, _cookies(client), client.csrf)
    fuzz(watched, document(stored.app, {"case_id": str(arena.mine.case_id), "key": "cases.new"}))
    assert not watched.faults, told(watched.faults)
    assert sum(watched.statuses.values()) > 150
    # it got past the door: answers that were refused for their form alone would prove nothing
    assert watched.statuses[200] > 20, watched.statuses


@pytest.mark.slow
def test_no_json_of_a_directory_breaks_anything(stored: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # so many requests a minute are refused otherwise, and prove nothing
    monkeypatch.setattr(serving, "PER_TOKEN", 10**6)
    watched = Watched(stored.app.wsgi_app, token=_token(stored))
    users = {"Users": str(stored.world.users["reader"]), "Groups": str(stored.world.teams["safety"])}
    fuzz(watched, scim_document(BASE, users), examples=4)
    assert not watched.faults, told(watched.faults)
    assert watched.statuses[200] > 20 and watched.statuses[400] > 20, watched.statuses


def _cookies(client: Client) -> str:
    names = (COOKIE, "__Host-hub-notes")
    _ = client.csrf
    found = {name: client.http.get_cookie(name) for name in names}
    return "; ".join(f"{name}={one.value}" for name, one in found.items() if one is not None)


def _token(site: Site) -> str:
    with site.inside():
        _, token = make_token(act_as(site.world, "spoc"), timedelta(days=90))
        db.session.commit()
    return token
