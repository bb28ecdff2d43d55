"""A sign-in at a provider in two halves: the address that the browser is sent to, and what its answer is worth.

State, nonce and verifier are derived from the one secret of the ceremony, whose token lies in the browser that began it:
nothing of them is kept anywhere else, and an answer is worth something once, in that browser, for five minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote_plus

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from flask import current_app
from joserfc.jwk import KeySet

from hub.accounts.models import Ceremony
from hub.accounts.sessions import ABSOLUTE
from hub.accounts.vocabulary import CeremonyKind
from hub.core.errors import Unavailable
from hub.crypto.errors import Unsealable
from hub.providers import metadata
from hub.providers.fetching import Unreachable, bounded
from hub.providers.metadata import Metadata
from hub.providers.models import IdentityProvider
from hub.providers.sealing import open_secret
from hub.providers.tokens import BadToken, Pinned, Vouched, Wanted, read_id_token
from hub.providers.vocabulary import Why

RETURN = "/sign-in/return"
LOGOUT = "/sign-in/provider-logout"
AFTERWARDS = "/sign-in"
# who proved to the provider longer ago than a session lasts here proves it again
MAX_AGE = ABSOLUTE
# re-authentication: now, which is told by the ceremony's own time
AGAIN = frozenset({CeremonyKind.PROVIDER_CONFIRM.value, CeremonyKind.PROVIDER_LINK.value})
MOST_ANSWER = 4096


@dataclass(frozen=True)
class Secrets:
    """What must come back, and what must not be known before."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


def secrets_of(ceremony: Ceremony) -> Secrets:
    def derive(what: bytes) -> str:
        code = hmac.new(ceremony.challenge, b"hub/provider/v1/" + what, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(code).rstrip(b"=").decode()

    return Secrets(derive(b"state"), derive(b"nonce"), derive(b"verifier"))


def address_to(path: str) -> str:
    """An address of the hub as the provider has it on its list."""
    return str(current_app.config["HUB_SETTINGS"].public_url) + path


def metadata_of(provider: IdentityProvider) -> Metadata:
    """`Unreachable` where it cannot be had."""
    return metadata.metadata_of(provider.id, provider.issuer, provider.algorithms)


def pinned_of(provider: IdentityProvider) -> Pinned:
    def keys(kid: str | None) -> KeySet:
        return metadata.keys_of(provider.id, provider.issuer, provider.algorithms, kid)

    return Pinned(provider.issuer, provider.client_id, tuple(provider.algorithms), keys)


def leading_out(provider: IdentityProvider, ceremony: Ceremony) -> str:
    """Where the browser goes to sign in. `Unreachable` where the provider's metadata cannot be had."""
    found, secrets = metadata_of(provider), secrets_of(ceremony)
    more = {"acr_values": " ".join(provider.accepted_acr)} if provider.accepted_acr else {}
    if ceremony.kind in AGAIN:
        more |= {"prompt": "login", "max_age": "0"}
    else:
        more["max_age"] = str(int(MAX_AGE.total_seconds()))
    client = OAuth2Session(
        client_id=provider.client_id,
        scope="openid",
        redirect_uri=address_to(RETURN),
        code_challenge_method="S256",
    )
    address, _ = client.create_authorization_url(
        found.authorization_endpoint,
        state=secrets.state,
        code_verifier=secrets.verifier,
        nonce=secrets.nonce,
        response_mode="query",
        **more,
    )
    return str(address)


def is_answer_to(ceremony: Ceremony, answer: Mapping[str, str]) -> bool:
    """Bytes are compared: the text may be anything."""
    state = answer.get("state", "").encode("utf-8", "replace")
    return hmac.compare_digest(state, secrets_of(ceremony).state.encode())


def vouched_for(provider: IdentityProvider, ceremony: Ceremony, answer: Mapping[str, str]) -> Vouched:
    """Whom the provider vouches for. `BadToken` with the reason, `Unreachable` where it does not answer."""
    found, secrets = metadata_of(provider), secrets_of(ceremony)
    named = answer.get("iss")
    if (named is not None or found.says_issuer) and named != provider.issuer:
        raise BadToken(Why.MIXED_UP)
    if "error" in answer:
        raise BadToken(Why.DECLINED)
    code = answer.get("code", "")
    if not code or len(code) > MOST_ANSWER:
        raise BadToken(Why.CODE)
    given = _exchange(provider, found, code, secrets.verifier)
    access = given.get("access_token")
    wanted = Wanted(
        nonce=secrets.nonce,
        access_token=access if isinstance(access, str) else "",
        proved_since=ceremony.created_at - (timedelta() if ceremony.kind in AGAIN else MAX_AGE),
        accepted_acr=tuple(provider.accepted_acr),
        accepted_amr=tuple(provider.accepted_amr),
    )
    return read_id_token(given.get("id_token"), pinned_of(provider), wanted)


def _exchange(provider: IdentityProvider, found: Metadata, code: str, verifier: str) -> Mapping[str, object]:
    """The answer of the token endpoint to the code."""
    try:
        secret = open_secret(provider)
    except (Unavailable, Unsealable):
        raise Unreachable("no secret") from None
    client = OAuth2Session(
        client_id=provider.client_id,
        client_secret=secret,
        redirect_uri=address_to(RETURN),
        token_endpoint_auth_method=found.secret_by,
    )
    client.register_client_auth_method(("client_secret_basic", _basic))
    with bounded(client):
        try:
            return dict(
                client.fetch_token(
                    found.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    allow_redirects=False,
                )
            )
        except requests.RequestException:
            raise Unreachable("token endpoint") from None
        # the library reads what came as a token, whatever it is
        except (AuthlibBaseError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
            raise BadToken(Why.CODE) from None


def _basic(
    client: OAuth2Session, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """Name and secret encoded as RFC 6749 2.3.1 has it, which the library leaves out."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return uri, headers, body
