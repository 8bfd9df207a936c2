"""The witness's door: the two calls of c2sp.org/tlog-witness over HTTP, with bounded bodies and bounded patience."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gatehouse.ledger.witness import MAX_REQUEST, Answer, Witness

_PATIENCE = 15.0  # seconds that a silent connection is kept


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server for a witness, bound and not yet serving; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "witness"
        sys_version = ""
        timeout = _PATIENCE

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
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            if last:  # an unread body would be taken for the next request
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing: whoever operates the witness sees what it cosigned in its folder."""

    made = ThreadingHTTPServer((host, port), Handler)
    made.daemon_threads = True
    return made
