"""What a provider says of itself, and its keys: checked against what is pinned, kept for minutes.

Every address comes from the metadata of the pinned issuer, fetched from the issuer's own address; pages that a browser is
sent to must be on the issuer's own origin, which the content policy names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from hub.core.errors import Invalid
from hub.providers.fetching import Unreachable, fetch_json, may_be_asked, origin_of

WELL_KNOWN = "/.well-known/openid-configuration"
KEPT_SECONDS = 600.0
# a token that names a key we have not got makes us look again, at most so often
AGAIN_SECONDS = 30.0
MOST_KEYS = 50
SHORTEST_RSA = 2048
_KEY_TYPES: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


@dataclass(frozen=True)
class Metadata:
    """The part of OpenID Connect Discovery that the hub relies on."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    # `client_secret_basic` or `client_secret_post`
    secret_by: str
    algorithms: tuple[str, ...]
    # False where it does not say: the verifier is sent all the same
    says_s256: bool
    # RFC 9207: it promises to name itself in the answer
    says_issuer: bool
    tells_of_logout: bool


@dataclass
class _Known:
    metadata: Metadata
    until: float
    keys: KeySet | None = field(default=None, repr=False)
    keys_until: float = 0.0
    asked_again: float = float("-inf")


_known: dict[UUID, _Known] = {}
_lock = Lock()


def fetch_metadata(issuer: str, algorithms: Sequence[str]) -> Metadata:
    """Fetched now and checked. `Invalid` with a sentence for the field `issuer` where something is not as it must be."""
    try:
        given = fetch_json(issuer.rstrip("/") + WELL_KNOWN)
    except Unreachable:
        raise _not_as_it_must(
            "There is no readable description of a provider at this address, or it cannot be reached"
        ) from None
    return parse_metadata(given, issuer, algorithms)


def parse_metadata(given: dict[str, Any], issuer: str, algorithms: Sequence[str]) -> Metadata:
    """`Invalid` (bad_provider) with what is wrong, as an error of the field `issuer`."""
    if given.get("issuer") != issuer:
        raise _not_as_it_must("The provider calls itself by another name. Enter its issuer to the letter")
    addresses = {name: given.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    end = given.get("end_session_endpoint")
    for name, address in {**addresses, **({"end_session_endpoint": end} if end else {})}.items():
        if not isinstance(address, str) or not may_be_asked(address):
            raise _not_as_it_must(f"The provider names no usable {name}")
        if name in ("authorization_endpoint", "end_session_endpoint") and origin_of(address) != origin_of(
            issuer
        ):
            raise _not_as_it_must(f"The provider’s {name} is not on the issuer’s own address")
    methods = given.get("code_challenge_methods_supported")
    if methods is not None and "S256" not in _texts(methods):
        raise _not_as_it_must("The provider does not support PKCE with S256")
    if "code" not in _texts(given.get("response_types_supported", ["code"])):
        raise _not_as_it_must("The provider does not support the authorisation code flow")
    signs = tuple(_texts(given.get("id_token_signing_alg_values_supported", ["RS256"])))
    if not set(signs) & set(algorithms):
        raise _not_as_it_must("The provider signs with none of the algorithms that are ticked")
    return Metadata(
        authorization_endpoint=str(addresses["authorization_endpoint"]),
        token_endpoint=str(addresses["token_endpoint"]),
        jwks_uri=str(addresses["jwks_uri"]),
        end_session_endpoint=end or None,
        secret_by=_secret_by(given),
        algorithms=signs,
        says_s256=methods is not None,
        says_issuer=given.get("authorization_response_iss_parameter_supported") is True,
        tells_of_logout=given.get("backchannel_logout_supported") is True,
    )


def _secret_by(given: dict[str, Any]) -> str:
    methods = _texts(given.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]))
    for method in ("client_secret_basic", "client_secret_post"):
        if method in methods:
            return method
    raise _not_as_it_must("The provider takes no client secret")


def _texts(given: Any) -> list[str]:
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _not_as_it_must(sentence: str) -> Invalid:
    return Invalid("bad_provider", errors={"issuer": sentence})


def fetch_keys(metadata: Metadata) -> KeySet:
    """The provider's public keys for signatures. What is unknown, too short or for something else is left out."""
    given = fetch_json(metadata.jwks_uri).get("keys")
    found = [_key(one) for one in given[:MOST_KEYS]] if isinstance(given, list) else []
    usable = [key for key in found if key is not None]
    if not usable:
        raise Unreachable("no keys")
    return KeySet(list(usable))


def _key(given: Any) -> RSAKey | ECKey | OKPKey | None:
    if not isinstance(given, dict) or given.get("use", "sig") != "sig":
        return None
    kind = _KEY_TYPES.get(str(given.get("kty")))
    # a short RSA key makes the library warn, so it is not even read
    if kind is None or (kind is RSAKey and len(str(given.get("n"))) < SHORTEST_RSA // 6):
        return None
    try:
        key = kind.import_key(given)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None if isinstance(key, RSAKey) and key.raw_value.key_size < SHORTEST_RSA else key


def metadata_of(provider_id: UUID, issuer: str, algorithms: Sequence[str]) -> Metadata:
    """As kept, or fetched. `Unreachable` where it cannot be had or is not as it must be."""
    return _find(provider_id, issuer, algorithms).metadata


def keys_of(provider_id: UUID, issuer: str, algorithms: Sequence[str], kid: str | None) -> KeySet:
    """The keys, fetched again (not more than every half minute) where none bears the name that a token gives."""
    known = _find(provider_id, issuer, algorithms)
    now = monotonic()
    keys = known.keys if known.keys_until > now else None
    if keys is not None and kid is not None and kid not in {key.kid for key in keys}:
        if now - known.asked_again < AGAIN_SECONDS:
            return keys
        known.asked_again, keys = now, None
    if keys is None:
        keys = fetch_keys(known.metadata)
        known.keys, known.keys_until = keys, now + KEPT_SECONDS
    return keys


def forget(provider_id: UUID) -> None:
    """What is kept of a provider, when its settings have changed."""
    with _lock:
        _known.pop(provider_id, None)


def _find(provider_id: UUID, issuer: str, algorithms: Sequence[str]) -> _Known:
    known = _known.get(provider_id)
    if known is None or known.until < monotonic():
        try:
            metadata = fetch_metadata(issuer, algorithms)
        except Invalid:
            raise Unreachable("not as it must be") from None
        known = _Known(metadata, monotonic() + KEPT_SECONDS)
        with _lock:
            _known[provider_id] = known
    return known
