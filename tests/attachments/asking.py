"""A reader on a real line: what of an answer truly arrives, and whether it was cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, IncompleteRead
from typing import Any
from uuid import uuid4

from hub.launcher.ports import LOOPBACK
from hub.web.identity import COOKIE
from tests.attachments.conftest import multipart


@dataclass(frozen=True)
class Heard:
    """An answer as far as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


@dataclass(frozen=True)
class Line:
    """A port and a session."""

    port: int
    token: str
    csrf: str = ""

    def get(self, path: str, *, method: str = "GET", **headers: str) -> Heard:
        with self._asked(method, path, None, headers) as answer:
            try:
                body, cut = answer.read(), False
            except IncompleteRead as short:
                body, cut = short.partial, True
            except ConnectionError:
                body, cut = b"", True
            return Heard(answer.status, dict(answer.getheaders()), body, cut)

    def upload(self, path: str, name: str, content: bytes) -> Heard:
        body, content_type = self.form(name, content)
        with self._asked("POST", path, body, {"Content-Type": content_type}) as answer:
            return Heard(answer.status, dict(answer.getheaders()), answer.read())

    def form(self, name: str, content: bytes) -> tuple[bytes, str]:
        form = {"csrf_token": self.csrf, "form_key": str(uuid4()), "kind": "report", "description": ""}
        return multipart(form, name, content)

    @contextmanager
    def _asked(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Iterator[Any]:
        connection = HTTPConnection(LOOPBACK, self.port, timeout=90)
        try:
            connection.request(method, path, body, {"Cookie": f"{COOKIE}={self.token}", **headers})
            yield connection.getresponse()
        finally:
            connection.close()
