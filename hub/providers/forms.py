"""The form by which an administrator connects the organisation's identity provider."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.core.errors import Invalid
from hub.core.text import clean
from hub.providers.fetching import may_be_asked
from hub.providers.metadata import WELL_KNOWN
from hub.providers.vocabulary import ALGORITHMS, AMR

MAX_NAME = 80
MAX_DOMAINS = 20
MAX_ACR = 10
FIELDS = ("name", "issuer", "client_id", "client_secret", "domains", "acr")
LISTS = ("algorithms", "amr")
_DOMAIN = re.compile(
    r"(?=.{4,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
)
_VISIBLE = re.compile(r"[\x21-\x7e]{1,512}")


@dataclass(frozen=True)
class ProviderForm:
    name: str
    issuer: str
    client_id: str
    # empty where the one that is kept stays
    client_secret: str = field(repr=False)
    domains: tuple[str, ...]
    algorithms: tuple[str, ...]
    acr: tuple[str, ...]
    amr: tuple[str, ...]


def parse_provider(
    given: Mapping[str, str], lists: Mapping[str, Sequence[str]], *, issuer: str | None = None
) -> ProviderForm:
    """Raises `Invalid` with every field that is wrong. `issuer` is that of a provider which is there already, and stays."""
    errors: dict[str, str] = {}
    name = clean(given.get("name", ""))
    if not 0 < len(name) <= MAX_NAME or "\n" in name:
        errors["name"] = f"Enter a name that your people know, in {MAX_NAME} characters or fewer"
    address = issuer or clean(given.get("issuer", "")).removesuffix(WELL_KNOWN)
    if not may_be_asked(address) or "?" in address:
        errors["issuer"] = "Enter the issuer as your provider states it: an address that starts with https://"
    client, secret = clean(given.get("client_id", "")), given.get("client_secret", "").strip()
    if not _VISIBLE.fullmatch(client):
        errors["client_id"] = "Enter the client ID that your provider gave this hub"
    if not (_VISIBLE.fullmatch(secret) or (issuer and not secret)):
        errors["client_secret"] = "Enter the client secret that your provider gave this hub"
    domains = _words(given.get("domains", "").lower().replace("@", " "))
    if not 0 < len(domains) <= MAX_DOMAINS or not all(_DOMAIN.fullmatch(one) for one in domains):
        errors["domains"] = (
            "Enter the domains of your email addresses, such as example.gov.uk, one on each line"
        )
    acr = _words(given.get("acr", ""))
    if len(acr) > MAX_ACR or not all(_VISIBLE.fullmatch(one) for one in acr):
        errors["acr"] = f"Enter at most {MAX_ACR} values, one on each line, or leave this empty"
    chosen = {name: tuple(dict.fromkeys(lists.get(name, ()))) for name in LISTS}
    if not chosen["algorithms"] or set(chosen["algorithms"]) - set(ALGORITHMS):
        errors["algorithms"] = "Choose at least one algorithm from the list"
    if set(chosen["amr"]) - set(AMR) or not (chosen["amr"] or acr):
        errors["amr"] = "Choose at least one sign of a second factor, or enter a value of acr"
    if errors:
        raise Invalid("bad_provider", errors=errors)
    return ProviderForm(name, address, client, secret, domains, chosen["algorithms"], acr, chosen["amr"])


def domain_of(email: str) -> str:
    """The part behind the last @, in small letters; empty where there is none that could be one."""
    domain = clean(email).lower().rpartition("@")[2]
    return domain if "@" in email and _DOMAIN.fullmatch(domain) else ""


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clean(text).replace(",", " ").split()))
