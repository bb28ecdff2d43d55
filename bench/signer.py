"""A provider that only signs: for measuring the hub and not the provider. `python -m bench.signer PORT`.

Nobody is asked for a password: whoever comes to /auth?login=NAME goes back as NAME. The code holds what the token is to say.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt

from hub.launcher.ports import LOOPBACK
from tests.providers.hostile import CLIENT, Hostile, key_named


class Signer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Hostile

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: given[0] for name, given in parse_qs(parts.query).items()}
        if parts.path == "/auth":
            said = json.dumps({"nonce": asked["nonce"], "sub": asked["login"]}).encode()
            back = {"code": base64.urlsafe_b64encode(said).decode(), "state": asked["state"]}
            self._say(303, b"", Location=f"{asked['redirect_uri']}?{urlencode(back)}")
        elif parts.path == "/jwks":
            self._json({"keys": [key_named(self.provider.kid).as_dict(private=False)]})
        else:
            self._json(self.provider.document())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = json.loads(base64.urlsafe_b64decode(parse_qs(body)["code"][0]))
        now = int(time.time())
        claims = {
            "iss": self.provider.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "auth_time": now,
            "amr": ["pwd", "otp"], **said,
        }  # fmt: skip
        token = jwt.encode(
            {"alg": "RS256", "kid": self.provider.kid},
            claims,
            key_named(self.provider.kid),
            algorithms=["RS256"],
        )
        self._json({"access_token": "access", "token_type": "Bearer", "id_token": token})

    def _json(self, what: Any) -> None:
        self._say(200, json.dumps(what).encode(), **{"Content-Type": "application/json"})

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    Signer.provider = Hostile(int(sys.argv[1]), "first")
    key_named("first")
    ThreadingHTTPServer((LOOPBACK, int(sys.argv[1])), Signer).serve_forever()
