"""The embedded web server: how much it takes, from whom, and what it says of what it refuses.

What the server itself refuses (a body above its address's limit or of a stranger, a request that is none) never reaches
the application; below /api/ it is answered with a problem (RFC 9457) all the same. Connections that bring no request
make room for those that do.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from waitress import create_server  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]
from waitress.utilities import Error  # type: ignore[import-untyped]

from gatehouse.kernel.errors import WrongInput

THREADS = 8
CONNECTIONS = 400
IDLE = 60
"""Seconds that a connection may bring nothing."""
_KINDS = {400: "malformed", 401: "no-key", 403: "refused", 413: "too-large", 431: "too-large", 500: "machine-failed"}

_REASONS = {401: "Unauthorized", 503: "Service Unavailable"}

Most = Callable[[str], int]
Application = Any


class _NotTaken(Error):  # type: ignore[misc]  # noqa: N818 - an answer, like its siblings
    """A body that is not taken because of who sends it."""

    def __init__(self, status: int) -> None:
        super().__init__("None of it was kept.")
        self.code, self.reason = status, _REASONS.get(status, "Forbidden")


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """A request whose body is bounded by its address, and for an upload asked about before it is taken."""

    most: Most
    form: int
    application: Application
    adj: Any
    error: Any
    refused = 0

    def parse_header(self, header_plus: bytes) -> None:
        """Read the header, then bound what may follow it."""
        super().parse_header(header_plus)
        self.adj = copy.copy(self.adj)
        self.adj.max_request_body_size = self.most(self.path) + 1
        if self.adj.max_request_body_size > self.form + 1 and (self.content_length or self.chunked):
            status = self._asked()
            if status != 204:
                self.refused = status if status in _REASONS else 403
                self.adj.max_request_body_size = 0

    def received(self, data: bytes) -> int:
        """Take in some bytes; those of a body that is refused are not kept."""
        taken = int(super().received(data))
        if self.refused and self.headers_finished and not isinstance(self.error, _NotTaken):
            self.error = _NotTaken(self.refused)
            self.completed = True
        return taken

    def _asked(self) -> int:
        """The application's own answer to whether this caller may send this, from the same headers."""
        answered = [503]
        environ = {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/may-send/", "QUERY_STRING": "",
            "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "embedded", "SERVER_PORT": "80",
            "HTTP_X_ORIGINAL_URI": self.path, "wsgi.url_scheme": self.url_scheme, "wsgi.input": io.BytesIO(),
            **{f"HTTP_{name}": value for name, value in self.headers.items() if name in _ASKED},
        }  # fmt: skip
        with contextlib.suppress(Exception):  # it has told its own log; the server's loop must go on
            parts = self.application(environ, lambda status, *_: answered.append(int(status.split()[0])))
            parts.close()
        return answered[-1]


_ASKED = {"HOST", "COOKIE", "AUTHORIZATION", "X_FORWARDED_PROTO"}


class _Refusal(ErrorTask):  # type: ignore[misc]
    """A refusal of the server, in the form that its address promises."""

    def execute(self) -> None:
        """Write the answer and close. What was refused before its first line was read has no address."""
        if not str(getattr(self.request, "path", "")).startswith("/api/"):
            super().execute()
            return
        error = self.request.error
        kind = f"https://gatehouse.example/problems/{_KINDS.get(error.code, 'refused')}"
        problem = {"type": kind, "title": error.reason, "status": error.code, "detail": "None of it was kept."}
        body = json.dumps(problem).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/problem+json"))
        if error.code == 401:
            self.response_headers.append(("WWW-Authenticate", 'Bearer realm="gatehouse"'))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Server(TcpWSGIServer):  # type: ignore[misc]
    """A server that never stops listening: when it is full, it closes a connection that has brought no request."""

    def readable(self) -> bool:
        """Whether to accept the next connection."""
        if len(self._map) >= self.adj.connection_limit:
            self._make_room()
        return bool(super().readable())

    def _make_room(self) -> None:
        """Close the longest idle connection of the address that has most of them."""
        idle = [each for each in self.active_channels.values() if not (each.requests or each.will_close)]
        if not idle:
            return
        held = Counter(channel.addr[0] for channel in idle)
        longest = min(idle, key=lambda channel: (-held[channel.addr[0]], channel.creation_time))
        longest.will_close = True  # in its own turn: a number closed now might be the next connection's in this one


def create(
    application: Application, host: str, port: int, *, proxy: str | None, most: Most | None = None, form: int = 0
) -> Any:  # noqa: ANN401 - waitress has no types
    """A server of an application.

    `proxy` is the one peer that is believed about who asks and whether by https (X-Forwarded-For, -Proto); from
    everybody else these headers are taken away. `most` says how large a body an address takes, the console's own table
    unless another is given; where it is more than a `form`, the application is asked first who sends it.
    Raises WrongInput where the port is in use.
    """
    if most is None:
        from gatehouse.console import bodies

        most, form = bodies.most, bodies.FORM
    trusted = (
        {"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"}} if proxy else {}
    )
    bound = {"most": staticmethod(most), "form": form, "application": staticmethod(application)}
    parser = type("Parser", (_Parser,), bound)
    channel = type("Channel", (HTTPChannel,), {"error_task_class": _Refusal, "parser_class": parser})
    held: dict[int, Any] = {}
    try:
        server = create_server(
            application,
            map=held,
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
            **trusted,
        )
    except OSError as failed:
        if failed.errno != errno.EADDRINUSE:
            raise
        raise WrongInput(f"port {port} is already in use", where="--port", remedy="Name another port") from None
    for each in held.values():
        if isinstance(each, TcpWSGIServer):
            # Waitress makes its servers itself, and lets nobody say of which kind. Another server of this process
            # keeps its own bounds.
            each.__class__ = type("Server", (_Server,), {"channel_class": channel})
    return server
