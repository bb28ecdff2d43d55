"""A line to the object store that lies at times: another object, an older version, changed or fewer bytes, or slowly."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hub.launcher.ports import LOOPBACK
from tests.fixtures.store import Bucket

# The true bytes of an object to what is answered in their place
Lie = Callable[[bytes], bytes]
PAUSE_SECONDS = 0.05


@dataclass
class Between:
    """What stands between the hub and its store."""

    bucket: Bucket
    lie: Lie | None = None
    slow: bool = False
    # after so many bytes of an answer the line is cut
    cut_after: int | None = None

    def __enter__(self) -> Between:
        target = int(self.bucket.address.endpoint.rpartition(":")[2])
        handler = type("Handler", (_Handler,), {"between": self, "target": target})
        self.server = ThreadingHTTPServer((LOOPBACK, 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.server.server_port}"

    def honest(self) -> None:
        self.lie, self.slow, self.cut_after = None, False, None


class _Handler(BaseHTTPRequestHandler):
    between: Between
    target: int
    protocol_version = "HTTP/1.1"
    # small writes are not held back
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        pass

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Expect") == "100-continue":
            del self.headers["Expect"]
        if self.between.slow:
            time.sleep(PAUSE_SECONDS)
        connection = HTTPConnection(LOOPBACK, self.target, timeout=30)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read())
        except OSError:
            self.close_connection = True
        finally:
            connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if self.between.lie and self.command == "GET" and found and status == 206:
            key = self.path.partition("?")[0].split("/", 2)[2]
            version = re.search(r"versionId=([^&]+)", self.path)
            whole = self.between.lie(self.between.bucket.read(key, version.group(1) if version else None))
            first, last = int(found.group(1)), int(found.group(2))
            body = whole[first : last + 1]
            given = {"content-length", "content-range"}
            headers = [pair for pair in headers if pair[0].lower() not in given]
            headers += [("Content-Length", str(len(body)))]
            headers += [("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(whole)}")]
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._write(body)

    def _write(self, body: bytes) -> None:
        cut = self.between.cut_after
        if cut is not None and self.command == "GET" and len(body) > cut:
            self.wfile.write(body[:cut])
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        step = 64 * 1024 if self.between.slow else len(body) or 1
        for at in range(0, len(body), step):
            self.wfile.write(body[at : at + step])
            if self.between.slow:
                time.sleep(PAUSE_SECONDS)
