"""Requests to identity providers: over TLS, to addresses that may be asked, with an end in time and in size, no redirects.

An administrator of any organisation names the address, so what comes back is never shown, and a machine's own inner
addresses are never asked. Without TLS only in a demonstration or test, whose own address is on loopback without TLS too.
"""

from __future__ import annotations

import ipaddress
import socket
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from flask import current_app
from requests.adapters import HTTPAdapter

from hub.config import bound_to_loopback

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 3.0, 5.0, 10.0
MOST_BYTES = 256 * 1024
MOST_URL = 500
S = TypeVar("S", bound=requests.Session)


class Unreachable(Exception):
    """The provider did not answer as it should: not in time, not with JSON, too long, or from a forbidden address."""


def may_be_asked(address: str) -> bool:
    """https, without a user, query or fragment; http only between a demonstration on loopback and loopback."""
    if len(address) > MOST_URL or not address.isascii() or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment or "\\" in address:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and bound_to_loopback(host) and _is_local_hub())


def origin_of(address: str) -> str:
    """Scheme, host and port as a content policy names them."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()


def fetch_json(address: str) -> dict[str, Any]:
    """The JSON object at an address. `Unreachable` for anything else."""
    with bounded(requests.Session()) as session:
        try:
            answer = session.get(address, allow_redirects=False, headers={"Accept": "application/json"})
            found = answer.json() if answer.status_code == requests.codes.ok else None
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise Unreachable(str(type(error).__name__)) from None
    if not isinstance(found, dict):
        raise Unreachable("not an object")
    return found


def bounded(session: S) -> S:
    """The session, held to the limits above. Settings of the machine (proxies, stored passwords) are left aside."""
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Bounded())
    return session


class _Bounded(HTTPAdapter):
    def send(self, request: requests.PreparedRequest, *args: Any, **given: Any) -> requests.Response:
        address = request.url or ""
        if not may_be_asked(address) or not _leads_outside(address):
            raise requests.ConnectionError("this address may not be asked")
        ends = monotonic() + WHOLE_SECONDS
        given |= {"stream": True, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        response = super().send(request, *args, **given)
        parts, size = [], 0
        for part in response.iter_content(16 * 1024):
            size += len(part)
            if size > MOST_BYTES or monotonic() > ends:
                response.close()
                raise requests.ConnectionError("the answer is too long")
            parts.append(part)
        # as requests itself does once a body is read
        response._content = b"".join(parts)
        return response


def _leads_outside(address: str) -> bool:
    """No address of this machine or its link. Inner networks may be: many organisations' providers live there."""
    if _is_local_hub():
        return True
    parts = urlsplit(address)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    return bool(addresses) and not any(
        one.is_loopback or one.is_link_local or one.is_multicast or one.is_unspecified for one in addresses
    )


def _is_local_hub() -> bool:
    """Is this a demonstration or a test, which its own user reaches without TLS on this machine alone?"""
    own = urlsplit(current_app.config["HUB_SETTINGS"].public_url)
    return own.scheme == "http" and bound_to_loopback(own.hostname or "")
