"""What the hub takes or answers as JSON, as an OpenAPI document: data of tests, so that a fuzzer knows where to aim.

Which routes these are is read off the code (`speak_json`): a route that answers by `jsonify` stands in `FORMS` or the test fails.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from typing import Any

import flask
from flask import Flask
from werkzeug.routing import Rule

from hub.web.routes import DECLARED

Schema = dict[str, Any]
# planted in what is sent, and never to come back but to who may see what is stored
CANARY = "Qzcanary"
TEXT: Schema = {"type": "string", "examples": [f"{CANARY} Bridgeman", "", "/cases?a=b"]}
ID: Schema = {"type": "string", "format": "uuid"}
# a credential is JSON within a field of a form
CREDENTIAL: Schema = {
    "type": "object",
    "properties": {
        "id": TEXT,
        "rawId": TEXT,
        "type": {"enum": ["public-key", CANARY]},
        "authenticatorAttachment": TEXT,
        "response": {
            "type": "object",
            "properties": dict.fromkeys(("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle", "transports"), TEXT),
        },
    },
}  # fmt: skip
FORM, MULTIPART, JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"
SCIM_JSON = "application/scim+json"
_REPORT = {
    "type": "object",
    "properties": {
        "csp-report": {
            "type": "object",
            "properties": {"effective-directive": TEXT, "blocked-uri": TEXT},
        },
        "body": {"type": "object", "properties": {"blockedURL": TEXT}},
    },
}
# endpoint → kind of the body, and what stands in it
FORMS: dict[str, tuple[str, Schema]] = {
    "accounts.stay": (FORM, {}),
    "case_files.upload": (
        MULTIPART,
        {
            "form_key": ID,
            "kind": {"type": "string", "examples": ["report"]},
            "description": TEXT,
            "alone": {"enum": ["", "1"]},
            "file": {"type": "string", "format": "binary"},
        },
    ),
    "drafts.keep": (FORM, {"title": TEXT, "summary": TEXT, "draft_key": TEXT}),
    "health.health": ("", {}),
    "passkey_door.begin_confirming": (FORM, {"next": TEXT}),
    "passkey_door.begin_sign_in": (FORM, {"next": TEXT}),
    "passkey_door.confirm": (FORM, {"credential": CREDENTIAL}),
    "passkey_door.sign_in": (FORM, {"credential": CREDENTIAL}),
    "passkeys.add": (FORM, {"credential": CREDENTIAL, "label": TEXT}),
    "passkeys.begin": (FORM, {"label": TEXT}),
    "providers.provider_logout": (FORM, {"logout_token": TEXT}),
    "reports.policy_report": (JSON, {}),
}


def _of(*urns: str) -> Schema:
    return {"type": "array", "items": {"enum": list(urns)}, "minItems": 1, "maxItems": 1}


_USER: Schema = {
    "type": "object",
    "required": ["schemas", "userName"],
    "properties": {
        "schemas": _of("urn:ietf:params:scim:schemas:core:2.0:User"),
        "userName": {"type": "string", "format": "email", "examples": ["fuzz@example.org"]},
        "displayName": TEXT,
        "externalId": TEXT,
        "active": {"type": "boolean"},
        "name": {"type": "object", "properties": {"givenName": TEXT}},
    },
}
_GROUP: Schema = {
    "type": "object",
    "properties": {
        "schemas": _of("urn:ietf:params:scim:schemas:core:2.0:Group"),
        "displayName": TEXT,
        "members": {"type": "array", "items": {"type": "object", "properties": {"value": ID, "type": TEXT}}},
    },
}
_PATCH: Schema = {
    "type": "object",
    "required": ["schemas", "Operations"],
    "properties": {
        "schemas": _of("urn:ietf:params:scim:api:messages:2.0:PatchOp"),
        "Operations": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["op", "path", "value"],
                "properties": {
                    "op": {"enum": ["add", "replace", "remove", "Replace"]},
                    "path": {"enum": ["active", "displayName", "members", "name.givenName", "emails[primary eq true]", CANARY]},
                    "value": {"anyOf": [{"type": "boolean"}, TEXT, {"type": "array", "items": {"type": "object"}}]},
                },
            },
        },
    },
}  # fmt: skip
_SEARCH: Schema = {
    "type": "object",
    "properties": {
        "schemas": _of("urn:ietf:params:scim:api:messages:2.0:SearchRequest"),
        "filter": {"type": "string", "examples": ['userName eq "a"', "active pr", "not (title co 1)"]},
        "startIndex": {"type": "integer"},
        "attributes": {"type": "array", "items": TEXT},
    },
}
_QUERY = ("filter", "startIndex", "count", "attributes", "excludedAttributes", "sortBy", "sortOrder")
_RESOURCES = {"Users": _USER, "Groups": _GROUP}


def speak_json(app: Flask) -> set[str]:
    """The endpoints of the map that answer by `jsonify`, however far down, or read JSON in their own module."""
    return {
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint in DECLARED and _reaches(view, view.__module__, set())
    }


def _reaches(function: Any, home: str, seen: set[Any]) -> bool:
    if not isinstance(function, types.FunctionType) or function in seen:
        return False
    seen.add(function)
    names, known = set(_names(function.__code__)), function.__globals__
    found = [known.get(name) for name in names]
    if flask.jsonify in found or (json in found and function.__module__ == home):
        return True
    for module in (one for one in found if isinstance(one, types.ModuleType)):
        if module.__name__.startswith("hub."):
            found = [*found, *(getattr(module, name, None) for name in names)]
    inner = [one for one in found if getattr(one, "__module__", "").startswith("hub.")]
    return any(_reaches(one, home, seen) for one in [*inner, getattr(function, "__wrapped__", None)])


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner)


def document(app: Flask, ids: dict[str, str]) -> Schema:
    """The pages' part of it, by the map. `ids` are values of the addresses that lead somewhere."""
    paths: Schema = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in FORMS:
            path = rule.rule
            for name in rule.arguments:
                path = path.replace(next(part for part in _parts(rule) if name in part), f"{{{name}}}")
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                arguments = [
                    _parameter("path", name, _known(ids.get(name))) for name in sorted(rule.arguments)
                ]
                paths.setdefault(path, {})[method.lower()] = _operation(
                    f"{rule.endpoint} {method}", arguments, *FORMS[rule.endpoint]
                )
    return {"openapi": "3.1.0", "info": {"title": "Hub", "version": "1"}, "paths": paths}


def scim_document(base: str, ids: dict[str, str]) -> Schema:
    """The directory's part. `ids` are a user and a group that there are, by their resource."""
    query = [_parameter("query", name, TEXT) for name in _QUERY]
    paths: Schema = {}
    for name, schema in _RESOURCES.items():
        one = [_parameter("path", "id", _known(ids[name]))]
        match = [_parameter("header", "If-Match", TEXT)]
        paths[f"{base}/{name}"] = {
            "get": _operation(f"list {name}", query),
            "post": _operation(f"make {name}", [], SCIM_JSON, schema),
        }
        paths[f"{base}/{name}/{{id}}"] = {
            "get": _operation(f"read {name}", [*one, *match, *query[3:5]]),
            "put": _operation(f"put {name}", one, SCIM_JSON, schema),
            "patch": _operation(f"patch {name}", one, SCIM_JSON, _PATCH),
            "delete": _operation(f"delete {name}", [_parameter("path", "id", ID), *match]),
        }
    for name in ("ServiceProviderConfig", "ResourceTypes", "Schemas", ""):
        paths[f"{base}/{name}"] = {"get": _operation(f"about {name or 'all'}", query[:2])}
    for name in ("ResourceTypes", "Schemas"):
        paths[f"{base}/{name}/{{id}}"] = {
            "get": _operation(f"about one of {name}", [_parameter("path", "id", _known("User"))])
        }
    for place in ("", "/Users"):
        paths[f"{base}{place}/.search"] = {"post": _operation(f"search{place}", [], SCIM_JSON, _SEARCH)}
    paths[f"{base}/Bulk"] = {"post": _operation("bulk", [], SCIM_JSON, {"type": "object"})}
    return {"openapi": "3.1.0", "info": {"title": "Directory", "version": "1"}, "paths": paths}


def _parts(rule: Rule) -> list[str]:
    return [
        part for part in rule.rule.replace(">", ">\n").replace("<", "\n<").split("\n") if part.startswith("<")
    ]


def _known(value: str | None) -> Schema:
    return {"anyOf": [{"enum": [value]}, TEXT]} if value else TEXT


def _parameter(place: str, name: str, schema: Schema) -> Schema:
    return {"in": place, "name": name, "required": place == "path", "schema": schema}


def _operation(name: str, parameters: list[Schema], kind: str = "", schema: Schema | None = None) -> Schema:
    operation: Schema = {
        "operationId": name,
        "parameters": parameters,
        "responses": {"default": {"description": "any"}},
    }
    if kind:
        whole = schema or {}
        if kind in (FORM, MULTIPART):
            whole = {"type": "object", "properties": whole, "required": list(whole)}
        if kind == JSON:
            whole = {"anyOf": [_REPORT, {"type": "array", "items": _REPORT}]}
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": whole}}}
    return operation
