"""The witness's door: the two calls of c2sp.org/tlog-witness over HTTP, with bounded bodies and bounded patience.

At most `AT_ONCE` connections are served at a time; as many more wait in the system's backlog as it grants. Each request
has one deadline for all its bytes, so that whoever sends them one by one frees its place as soon as whoever is silent.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gatehouse.ledger.witness import MAX_REQUEST, Answer, Witness

AT_ONCE = 128
BACKLOG = 1024
PATIENCE = 15.0  # seconds for the bytes of one request, and for taking its answer


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server for a witness, bound and not yet serving; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "witness"
        sys_version = ""

        def setup(self) -> None:
            super().setup()
            self._timed = _Timed(self.connection)
            self.rfile = io.BufferedReader(self._timed)

        def handle_one_request(self) -> None:
            self._timed.begin()
            super().handle_one_request()

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint":
                self._send(Answer(404, b"there is nothing here\n"), last=True)
            elif not (length.isascii() and length.isdigit() and int(length[:9]) <= MAX_REQUEST and len(length) < 10):
                self._send(Answer(400, b"the request has no acceptable length\n"), last=True)
            else:
                self._send(witness.add_checkpoint(self.rfile.read(int(length))))

        def do_GET(self) -> None:
            parts = self.path.split("/")
            found = witness.latest(parts[1]) if len(parts) == 3 and parts[2] == "checkpoint" else None
            self._send(Answer(404, b"no checkpoint of this log\n") if found is None else Answer(200, found))

        def _send(self, answer: Answer, *, last: bool = False) -> None:
            self.connection.settimeout(PATIENCE)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            if last:  # an unread body would be taken for the next request
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing: whoever operates the witness sees what it cosigned in its folder."""

    return _Server((host, port), Handler)


class _Server(ThreadingHTTPServer):
    """Threads, but no more of them than are stated."""

    daemon_threads = True
    request_queue_size = BACKLOG

    def __init__(self, *given: Any) -> None:  # noqa: ANN401 - as its base
        super().__init__(*given)
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as its base
        self._places.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as its base
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, *_: object) -> None:
        """Say nothing of a caller that went away."""


class _Timed(io.RawIOBase):
    """What a connection sends, until the deadline of the request that is being read."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """From now on counts the patience for one request."""
        self._until = time.monotonic() + PATIENCE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
