"""Addresses that came with a request and are to be gone to: only those of this service."""

from __future__ import annotations

from urllib.parse import urlsplit


def inside(address: str | None) -> str:
    """The address where it is a path of this service; anything else leads to My work."""
    given = address or "/"
    try:
        parts = urlsplit(given)
    except ValueError:  # such as brackets that close nothing
        return "/"
    outside = (
        parts.scheme or parts.netloc or not given.startswith("/") or given.startswith("//") or "\\" in given
    )
    return "/" if outside else given
