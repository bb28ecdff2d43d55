"""The witness's HTTP server, of the standard library alone: `POST /add-checkpoint`, and `GET /` for people.

Every request has one deadline for all of its bytes, connections are limited in number, and answers are a line or two. The
journal on standard error names logs that are known here and sizes: no addresses, nothing that a stranger can write.
"""

from __future__ import annotations

import io
import json
import re
import socket
import socketserver
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hub.witness.deciding import Clock, Refusal, add_checkpoint
from hub.witness.state import StateError, StateFile
from hub.witness.telling import status_text
from hub.witness.wire import MOST_BYTES, PATH, SIZE_TYPE

REQUEST_SECONDS = 10.0
LINGER_SECONDS = 1.0
MOST_CONNECTIONS = 64
_DRAINED = 4 * MOST_BYTES  # of a body that is too long, so that the client, still sending, gets to read why
_LENGTH = re.compile(r"[0-9]{1,12}")


class WitnessServer(ThreadingHTTPServer):
    """Serves one state file; several servers may share one."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        file: StateFile,
        *,
        seconds: float = REQUEST_SECONDS,
        connections: int = MOST_CONNECTIONS,
        clock: Clock = time.time,
    ) -> None:
        file.read()  # a damaged file is told now, not to the first who asks
        self.file, self.seconds, self.clock = file, seconds, clock
        self._free = threading.BoundedSemaphore(connections)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Without asking a name server who we are, as the parent does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; anything else is a fault of ours and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Until(io.RawIOBase):
    """A connection's bytes, until a moment: a client that sends one byte now and then gains no time by it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.until = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept open from request to request where the client wishes so."""

    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "hub-witness"
    sys_version = ""
    _lingers = False

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rfile.close()
        self._bytes = _Until(self.connection)
        self.rfile = io.BufferedReader(self._bytes)

    def finish(self) -> None:
        """Closing on unread bytes would reset the connection, and with it the answer: some are read away first."""
        if self._lingers:
            left, self._bytes.until = _DRAINED, time.monotonic() + min(LINGER_SECONDS, self.server.seconds)
            try:
                self.connection.shutdown(socket.SHUT_WR)
                while left > 0 and (got := self.rfile.read1(left)):
                    left -= len(got)
            except OSError:
                pass
        super().finish()

    def handle_one_request(self) -> None:
        self._bytes.until = time.monotonic() + self.server.seconds
        super().handle_one_request()

    def do_POST(self) -> None:
        if self.path != PATH:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing at this address")
            return
        body = self._body()
        if body is None:
            return
        try:
            found = add_checkpoint(self.server.file, body, clock=self.server.clock)
        except Refusal as refused:
            self._refused(refused)
        except StateError as error:
            _journal(f"503 {error}")
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the witness can't use its state")
        else:
            _journal(f"200 {found.origin} size {found.size}")
            self._answer(HTTPStatus.OK, found.line)

    def do_GET(self) -> None:
        if self.path == PATH:
            self._not_allowed()
        elif self.path != "/":
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing at this address")
        else:
            self.close_connection |= self._has_body()
            try:
                self._answer(HTTPStatus.OK, status_text(self.server.file.read()))
            except StateError as error:
                _journal(f"503 {error}")
                self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the witness can't use its state")

    do_HEAD = do_GET  # noqa: N815  the parent finds methods by these names

    def _not_allowed(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "this address has another method")

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _not_allowed  # noqa: N815

    def _has_body(self) -> bool:
        return self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers

    def _body(self) -> bytes | None:
        """The request's body; where there is none to be had it has been answered."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or not lengths:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a request needs a Content-Length")
            return None
        if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
            self._refuse(HTTPStatus.BAD_REQUEST, "the Content-Length is no number")
            return None
        length = int(lengths[0])
        if length > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request is {MOST_BYTES} bytes at most")
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            self._refuse(HTTPStatus.BAD_REQUEST, "the request broke off")
            return None
        return body

    def _refused(self, refused: Refusal) -> None:
        if refused.origin is not None:
            here = "" if refused.size is None else f"; size here {refused.size}"
            _journal(f"{refused.status.value} {refused.origin}: {refused.why}{here}")
        if refused.evidence is not None:
            _journal(f"FORK {refused.origin} signed both: {json.dumps(refused.evidence)}")
        if refused.status is HTTPStatus.CONFLICT:
            self._answer(refused.status, f"{refused.size}\n", SIZE_TYPE)
        else:
            self._answer(refused.status, f"{refused.why}\n")

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        """Of requests whose body was not read: the connection can't go on."""
        self.close_connection = self._lingers = True
        self._answer(status, f"{why}\n")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The parent's own refusals of what is not HTTP, without its page that repeats the request."""
        self._refuse(HTTPStatus(code), HTTPStatus(code).phrase.lower())

    def _answer(self, status: HTTPStatus, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        data = text.encode()
        self.connection.settimeout(self.server.seconds)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST" if self.path == PATH else "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are told by `_journal`, without the client's address."""


def _journal(line: str) -> None:
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        pass  # nobody reads it any more, which is no reason to keep a log waiting
