"""For which address passkeys are made and believed: the public one, by its name (WebAuthn: the relying party)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from hub.config import Settings, bound_to_loopback
from hub.core.errors import Conflict

NOT_HERE = "Passkeys do not work at this address of the hub. Whoever runs it must give it a name over HTTPS."


@dataclass(frozen=True)
class Party:
    """`id` is a host's name without a port, `origin` what a browser says of the page that asked."""

    id: str
    origin: str


def party_of(settings: Settings) -> Party | None:
    """None where browsers make none: without HTTPS, or at an IP address.

    On this machine alone the name is localhost, whatever the loopback address: there it may be without HTTPS.
    """
    parts = urlsplit(settings.public_url)
    host = parts.hostname or ""
    if bound_to_loopback(host):
        port = f":{parts.port}" if parts.port else ""
        return Party("localhost", f"{parts.scheme}://localhost{port}")
    if parts.scheme != "https" or not host or _is_address(host):
        return None
    # browsers leave the usual port out of an origin
    port = f":{parts.port}" if parts.port not in (None, 443) else ""
    return Party(host, f"https://{host}{port}")


def required_party(settings: Settings) -> Party:
    """`Conflict` where there is none."""
    party = party_of(settings)
    if party is None:
        raise Conflict("no_passkeys_here", NOT_HERE)
    return party


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
