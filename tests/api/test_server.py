"""The embedded server on a socket: whom it believes, and what it answers to what is no request at all."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator

import pytest


def told(environ, start):
    body = json.dumps(
        [environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ.get("HTTP_X_FORWARDED_FOR")]
    ).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(params=[None, "127.0.0.1", "192.0.2.1"], ids=["no proxy", "this proxy", "another proxy"])
def served(request) -> Iterator[tuple[int, str | None]]:
    from gatehouse.cli import web_server

    server = web_server.create(told, "127.0.0.1", 0, proxy=request.param, most=lambda _: 1 << 20, form=1 << 20)
    threading.Thread(target=server.run, daemon=True).start()
    yield server.effective_port, request.param
    server.close()


def test_only_the_named_proxy_is_believed_about_who_asks(served):
    port, proxy = served
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    asking.request("GET", "/", headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.5", "X-Forwarded-Proto": "https"})
    address, scheme, _ = json.loads(asking.getresponse().read())
    believed = proxy == "127.0.0.1"
    assert address == ("203.0.113.5" if believed else "127.0.0.1")  # the last hop: the first one anybody may write
    assert scheme == ("https" if believed else "http")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /api/v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST /api/v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400),
    ],
    ids=["too large", "a length that is none"],
)
def test_what_never_reaches_the_application_is_a_problem_too(served, sent, status):
    with socket.create_connection(("127.0.0.1", served[0]), timeout=10) as line:
        line.sendall(sent)
        line.settimeout(10)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.read())["status"] == status


@pytest.mark.parametrize("header", [b"X: a\0b", b"X y: z", b"X: a\rb"], ids=["NUL", "space", "bare CR"])
def test_a_header_that_is_none_is_answered_and_the_line_closed(served, header):
    """Refused before its address is known; unanswered, such a caller would hold a line for as long as it likes."""
    with socket.create_connection(("127.0.0.1", served[0]), timeout=10) as line:
        line.sendall(b"GET /api/v1/ledger HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")
        line.settimeout(10)
        answer = b""
        while piece := line.recv(4096):
            answer += piece
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400")), answer[:200]


def test_a_port_in_use_is_said_and_not_called_a_failure_of_the_machine():
    from gatehouse.cli import web_server
    from gatehouse.kernel.errors import WrongInput

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(WrongInput, match=f"port {port} is already in use"):
            web_server.create(told, "127.0.0.1", port, proxy=None, most=lambda _: 0)


def test_the_bounds_of_one_server_are_not_those_of_another_in_its_process():
    from waitress.channel import HTTPChannel

    from gatehouse.cli import web_server

    before = HTTPChannel.parser_class, HTTPChannel.error_task_class
    server = web_server.create(told, "127.0.0.1", 0, proxy=None, most=lambda _: 0)
    try:
        assert (HTTPChannel.parser_class, HTTPChannel.error_task_class) == before
        assert server.channel_class.parser_class is not before[0]
    finally:
        server.close()
