"""Tokens of a provider: what must hold before one word of them is believed (OpenID Connect Core 3.1.3.7, Back-Channel Logout 2.6).

Issuer, audience and algorithms are those pinned in the hub; the token names at most the key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
    MissingClaimError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import KeySet

from hub.core import clock
from hub.providers.vocabulary import BY_PHONE, Why

LEEWAY = timedelta(seconds=60)
LOGOUT_LASTS = timedelta(minutes=5)
MOST_CHARACTERS = 32 * 1024
MOST_SUBJECT = 255
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_HALF_HASHES = {
    "RS256": hashlib.sha256,
    "PS256": hashlib.sha256,
    "ES256": hashlib.sha256,
    "EdDSA": hashlib.sha512,
}
_CLAIMS = {"iss": Why.ISSUER, "aud": Why.AUDIENCE, "iat": Why.FUTURE, "nbf": Why.FUTURE, "sub": Why.SUBJECT}


class BadToken(Exception):
    """A token that is not believed, and why."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why.value)


@dataclass(frozen=True)
class Pinned:
    """What a token must say, whatever it says."""

    issuer: str
    client_id: str
    algorithms: Sequence[str]
    # the public keys, looked for again where the named one is not among them
    keys: Callable[[str | None], KeySet] = field(repr=False)


@dataclass(frozen=True)
class Wanted:
    """What the sign-in in hand asked for."""

    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    # the user must have proved who they are at the provider since then
    proved_since: datetime
    accepted_acr: Sequence[str]
    accepted_amr: Sequence[str]


@dataclass(frozen=True)
class Vouched:
    """Whom the provider vouches for, since when, and what it calls its session."""

    subject: str
    session: str | None
    proved_at: datetime


@dataclass(frozen=True)
class LoggedOut:
    """Whose sessions a provider has ended: of a subject, or one of its own sessions. `token_id` comes once."""

    subject: str | None
    session: str | None
    token_id: str


class _Registry(jws.JWSRegistry):
    """The library's, without its warning of a name (`EdDSA`) that providers will go on using for years."""

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()) or name not in self.algorithms:
            raise UnsupportedAlgorithmError("this algorithm is not on the list")
        return self.algorithms[name]


def read_id_token(raw: object, pinned: Pinned, wanted: Wanted) -> Vouched:
    """Whom an ID token vouches for. `BadToken` for every other; `Unreachable` where its keys cannot be had."""
    header, claims = _decode(raw, pinned)
    _check_claims(claims, pinned, sub={"essential": True}, exp={"essential": True})
    _check_nonce(claims.get("nonce"), wanted.nonce)
    if "at_hash" in claims and not _same(claims["at_hash"], _half_hash(header["alg"], wanted.access_token)):
        raise BadToken(Why.CLAIMS)
    proved_at = _proved_at(claims.get("auth_time"), wanted.proved_since)
    _check_factors(claims.get("acr"), claims.get("amr"), wanted)
    return Vouched(_subject(claims["sub"]), _session(claims.get("sid")), proved_at)


def read_logout_token(raw: object, pinned: Pinned) -> LoggedOut:
    """Whose sessions end. `BadToken` for what is not a logout token of this provider to us."""
    _, claims = _decode(raw, pinned)
    _check_claims(claims, pinned, jti={"essential": True})
    events = claims.get("events")
    if "nonce" in claims or not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise BadToken(Why.CLAIMS)
    if claims["iat"] < (clock.now() - LOGOUT_LASTS).timestamp():
        raise BadToken(Why.EXPIRED)
    subject = _subject(claims["sub"]) if "sub" in claims else None
    session = _session(claims.get("sid"))
    if subject is None and session is None:
        raise BadToken(Why.SUBJECT)
    return LoggedOut(subject, session, str(claims["jti"]))


def issuer_named_by(raw: object) -> str:
    """The issuer that a token names, believed in nothing else than whose keys to look for. `BadToken` where none is."""
    try:
        claims = json.loads(jws.extract_compact(_text(raw).encode()).payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise BadToken(Why.SIGNATURE) from None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str):
        raise BadToken(Why.ISSUER)
    return issuer


def _text(raw: object) -> str:
    if not isinstance(raw, str) or not raw or not raw.isascii():
        raise BadToken(Why.NO_TOKEN)
    if len(raw) > MOST_CHARACTERS:
        raise BadToken(Why.SIGNATURE)
    return raw


def _decode(raw: object, pinned: Pinned) -> tuple[dict[str, Any], dict[str, Any]]:
    text = _text(raw)
    try:
        header = jws.extract_compact(text.encode()).headers()
        if header.get("alg") not in pinned.algorithms:
            raise BadToken(Why.ALGORITHM)
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise BadToken(Why.KEY)
        registry = _Registry(algorithms=list(pinned.algorithms), strict_check_header=False)
        token = jwt.decode(text, pinned.keys(kid), registry=registry)
    except UnsupportedAlgorithmError:
        raise BadToken(Why.ALGORITHM) from None
    except InvalidKeyIdError:
        raise BadToken(Why.KEY) from None
    except BadSignatureError:
        raise BadToken(Why.SIGNATURE) from None
    except (JoseError, ValueError, TypeError, RecursionError):
        raise BadToken(Why.SIGNATURE) from None
    return token.header, token.claims


def _check_claims(claims: dict[str, Any], pinned: Pinned, **more: Any) -> None:
    checks = jwt.JWTClaimsRegistry(
        now=int(clock.now().timestamp()),
        leeway=int(LEEWAY.total_seconds()),
        iss={"essential": True, "value": pinned.issuer},
        aud={"essential": True, "value": pinned.client_id},
        iat={"essential": True},
        **more,
    )
    try:
        checks.validate(claims)
    except ExpiredTokenError:
        raise BadToken(Why.EXPIRED) from None
    except ClaimError as error:
        why = _CLAIMS.get(error.claim, Why.CLAIMS)
        missing_time = why is Why.FUTURE and isinstance(error, MissingClaimError)
        raise BadToken(Why.CLAIMS if missing_time else why) from None
    audience, party = claims["aud"], claims.get("azp")
    several = isinstance(audience, list) and len(audience) > 1
    if (several or party is not None) and party != pinned.client_id:
        raise BadToken(Why.AUDIENCE)


def _check_nonce(given: object, right: str) -> None:
    if not _same(given, right):
        raise BadToken(Why.NONCE)


def _same(given: object, right: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _half_hash(algorithm: str, text: str) -> str:
    digest = _HALF_HASHES[algorithm](text.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _subject(given: object) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= MOST_SUBJECT or not given.isprintable():
        raise BadToken(Why.SUBJECT)
    return given


def _session(given: object) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not 0 < len(given) <= MOST_SUBJECT or not given.isprintable():
        raise BadToken(Why.CLAIMS)
    return given


def _proved_at(given: object, since: datetime) -> datetime:
    """When the user last proved who they are. A provider that was asked for a `max_age` must say it."""
    now = clock.now()
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= now.timestamp() + 86_400:
        raise BadToken(Why.TOO_OLD)
    proved_at = datetime.fromtimestamp(given, UTC)
    if proved_at > now + LEEWAY:
        raise BadToken(Why.FUTURE)
    if proved_at < since - LEEWAY:
        raise BadToken(Why.TOO_OLD)
    return min(proved_at, now)


def _check_factors(acr: object, amr: object, wanted: Wanted) -> None:
    if isinstance(acr, str) and acr in wanted.accepted_acr:
        return
    used = {one for one in amr if isinstance(one, str)} if isinstance(amr, list) else set()
    enough = used & set(wanted.accepted_amr)
    if used & BY_PHONE:
        enough -= {"mfa"}
    if not enough:
        raise BadToken(Why.ONE_FACTOR)
