"""A provider on loopback that can be told to lie: real HTTP, real keys, and an ID token of any shape."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "hub", "the-secret+of/the=hub"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
Claims = dict[str, Any]
_KEYS: dict[str, RSAKey] = {}


def key_named(kid: str) -> RSAKey:
    """A key takes a while to make, so one of each name serves the whole run."""
    if kid not in _KEYS:
        _KEYS[kid] = RSAKey.generate_key(2048, parameters={"kid": kid, "use": "sig", "alg": "RS256"})
    return _KEYS[kid]


class Hostile:
    """`lie` changes the claims before they are signed, `sign` how, `answer` what the token endpoint says."""

    def __init__(self, port: int, kid: str) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.kid = kid
        self.published = [kid]
        self.subject = "subject-1"
        self.metadata: Claims = {}
        self.lie: Callable[[Claims], Claims] = dict
        self.sign: Callable[[Hostile, Claims], str] = lambda provider, claims: provider.signed(claims)
        self.answer: Callable[[Claims], Any] = dict
        self.asked: list[str] = []
        self.began: dict[str, str] = {}
        self.codes: set[str] = set()

    def begin(self, location: str) -> dict[str, str]:
        """What a browser that was sent here would bring."""
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}" == self.issuer, location
        self.began = {name: given[0] for name, given in parse_qs(parts.query).items()}
        return self.began

    def signed(self, claims: Claims, *, kid: str | None = None, header: Claims | None = None) -> str:
        name = kid or self.kid
        return jwt.encode(
            {"alg": "RS256", "kid": name, **(header or {})}, claims, key_named(name), algorithms=["RS256"]
        )

    def claims(self) -> Claims:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": self.began.get("nonce", ""),
            "amr": ["pwd", "otp"],
            "sid": "their-session",
        }

    def logout_claims(self, **changes: Any) -> Claims:
        now = int(time.time())
        made = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": f"jti-{time.monotonic_ns()}",
            "events": {LOGOUT_EVENT: {}}, "sub": self.subject, "sid": "their-session",
        }  # fmt: skip
        return {name: value for name, value in {**made, **changes}.items() if value is not None}

    def document(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
            "code_challenge_methods_supported": ["S256"],
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.metadata,
        }

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """As a provider must: the client, the verifier and a code that is good once."""
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        client, _, secret = pair.partition(":")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        code = form.get("code", "")
        right = (
            (unquote_plus(client), unquote_plus(secret)) == (CLIENT, SECRET)
            and challenge.rstrip(b"=").decode() == self.began.get("code_challenge")
            and code not in self.codes
        )
        self.codes.add(code)
        if not right:
            return 400, {"error": "invalid_grant"}
        token = self.sign(self, self.lie(self.claims()))
        return 200, self.answer({"access_token": "access", "token_type": "Bearer", "id_token": token})


def unsigned(claims: Claims) -> str:
    parts = [json.dumps({"alg": "none"}), json.dumps(claims)]
    return ".".join(base64.urlsafe_b64encode(one.encode()).rstrip(b"=").decode() for one in parts) + "."


def signed_with_the_public_key(provider: Hostile, claims: Claims) -> str:
    """HS256 with what everybody knows for a secret."""
    public = key_named(provider.kid).as_pem(private=False)
    header = {"alg": "HS256", "kid": provider.kid, "typ": "JWT"}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    code = hmac.new(public, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(code).rstrip(b"=")]).decode()


@contextmanager
def hostile(kid: str = "first") -> Iterator[Hostile]:
    """One of them, listening on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            if self.path == "/jwks":
                keys = [key_named(one).as_dict(private=False) for one in provider.published]
                self._say(200, {"keys": keys})
            elif self.path == "/.well-known/openid-configuration":
                self._say(200, provider.document())
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            provider.asked.append(self.path)
            form = {name: given[0] for name, given in parse_qs(body).items()}
            self._say(*provider.exchange(form, self.headers.get("Authorization", "")))

        def _say(self, status: int, what: Any) -> None:
            body = what if isinstance(what, bytes) else json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Hostile(server.server_address[1], kid)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
