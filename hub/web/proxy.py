"""What a proxy forwards of its client: believed from the proxies that are named, and from nobody else (SECURITY W5)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# taken away whoever sent them, so that nothing behind can believe them either
FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
SCHEMES = frozenset({"http", "https"})


def install(app: Flask) -> None:
    inner = app.wsgi_app

    def believed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        read(environ, app.config["HUB_SETTINGS"].trusted_proxies)
        return inner(environ, start_response)

    app.wsgi_app = believed  # type: ignore[method-assign]


def read(environ: dict[str, Any], trusted: tuple[Network, ...]) -> None:
    """Puts the client's address and scheme in their places where the peer is a named proxy."""
    given = {name: str(environ.pop(name, "")) for name in FORWARDED}
    if not _is_one_of(environ.get("REMOTE_ADDR", ""), trusted):
        return
    # from the right: each proxy of ours added who spoke to it; the first that is none of ours is the client
    for address in reversed([part.strip() for part in given["HTTP_X_FORWARDED_FOR"].split(",")]):
        if not _is_address(address):
            break
        environ["REMOTE_ADDR"] = address
        if not _is_one_of(address, trusted):
            break
    scheme = given["HTTP_X_FORWARDED_PROTO"].split(",")[-1].strip().lower()
    if scheme in SCHEMES:
        environ["wsgi.url_scheme"] = scheme


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_one_of(text: str, networks: tuple[Network, ...]) -> bool:
    return _is_address(text) and any(ipaddress.ip_address(text) in network for network in networks)
