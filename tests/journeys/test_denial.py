"""Anonymous denial of service through the nginx of deploy/, and without it: who may send nothing takes no room."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import test_deployment as deploying
from test_deployment import NAME, PASSWORD, ROOT, Deployment, deployment, token  # noqa: F401 - a fixture among them

pytestmark = pytest.mark.slow

MB = 1 << 20
SLOW = 110


def line_to(deployed: Deployment, address: str = "127.0.0.1") -> ssl.SSLSocket:
    """A connection through nginx that comes from an address."""
    trusting = ssl.create_default_context(cafile=str(deployed.folder / "tls.pem"))
    trusting.check_hostname = False
    plain = socket.create_connection(("127.0.0.1", deployed.tls), timeout=20, source_address=(address, 0))
    return trusting.wrap_socket(plain, server_hostname=NAME)


def head(path: str, length: int, *more: str, host: str = NAME) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {length}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answered(line: socket.socket) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(line)
    answer.begin()
    return answer


def behind_nginx(test: Callable[..., None]) -> Callable[..., None]:
    """A test that wants nginx, and PostgreSQL behind it."""
    return pytest.mark.postgres(pytest.mark.tools(pytest.mark.nginx(test)))


@behind_nginx
def test_slow_posts_of_one_address_stop_nobody_else(deployment: Deployment) -> None:  # noqa: F811
    with contextlib.ExitStack() as held:
        for _ in range(SLOW):
            line = held.enter_context(line_to(deployment, "127.0.0.9"))
            with contextlib.suppress(OSError):  # those above the limit are answered at once, and closed
                line.sendall(head("/sign-in/", 1000, "Content-Type: application/x-www-form-urlencoded") + b"a")
        asked = held.enter_context(line_to(deployment))
        asked.sendall(f"GET /statistics/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        assert answered(asked).status == 200


@behind_nginx
def test_idle_connections_stop_nobody(deployment: Deployment) -> None:  # noqa: F811
    with contextlib.ExitStack() as held:
        for _ in range(SLOW):
            held.enter_context(socket.create_connection(("127.0.0.1", deployment.tls), timeout=10))
        assert deployment.open("/statistics/")[0] == 200


@behind_nginx
@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/api/v1/submissions", 400 * MB, 401),
        ("/submissions/new/", 400 * MB, 303),
        ("/law/drafts/", 40 * MB, 303),
        ("/submissions/ICE-1/returns/", 40 * MB, 303),
        ("/sign-in/", 65 * 1024, 413),
        ("/statistics/", 5 * MB, 413),
        ("/accounts/", 5 * MB, 413),
        ("/api/v1/ledger", 5 * MB, 413),
    ],
)
def test_a_strangers_body_is_answered_before_it_is_taken(deployment, path, length, status) -> None:  # noqa: F811
    """Nothing but the head and a first byte is ever sent: whoever waited for more would not answer."""
    with line_to(deployment) as line:
        line.sendall(head(path, length, "Content-Type: multipart/form-data; boundary=x") + b"-")
        answer = answered(line)
        assert answer.status == status
        if status == 401:
            assert json.loads(answer.read())["status"] == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@behind_nginx
def test_nobody_asks_from_outside_who_may_send(deployment: Deployment) -> None:  # noqa: F811
    assert deployment.open("/may-send/")[0] == 404


@behind_nginx
def test_signing_in_works_off_port_443(deployment: Deployment) -> None:  # noqa: F811
    """The browser names the port in Host, Origin and Referer; a proxy must not drop it from the first."""
    host = f"{NAME}:{deployment.tls}"

    def ask(method: str, path: str, cookies: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        asking = http.client.HTTPSConnection("127.0.0.1", timeout=20)
        asking.sock = line_to(deployment)
        body = urllib.parse.urlencode(form) if form else None
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        headers = {"Host": host, "Origin": f"https://{host}", "Referer": f"https://{host}{path}", "Cookie": cookies}
        asking.request(method, path, body, headers | kind)
        answer = asking.getresponse()
        set_cookies = "; ".join(each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie", []))
        return answer.status, answer.read().decode(), set_cookies

    _, page, cookies = ask("GET", "/sign-in/", "")
    form = {"username": "agency", "password": PASSWORD, "csrfmiddlewaretoken": token(page)}
    assert ask("POST", "/sign-in/", cookies, form)[0] == 302


# --- the embedded server, with nothing before it ---


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    import os
    import subprocess

    folder = tmp_path_factory.mktemp("embedded")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = [sys.executable, "-m", "gatehouse", "init", str(folder / "site"), "--name", "example.org/log"]
    subprocess.run(run, env=environment, check=True, capture_output=True)
    port = deploying.free_port()
    options = ("--site", folder / "site", "--port", port, "--leave-work", "--no-browser")
    process = deploying.gatehouse("serve", *options, log=folder / "log")
    try:
        deploying._listening(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def page(port: int) -> int:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    asking.request("GET", "/health/")
    return asking.getresponse().status


def test_idle_connections_make_room_without_nginx(embedded: int) -> None:
    from gatehouse.cli.web_server import CONNECTIONS

    with contextlib.ExitStack() as held:
        for _ in range(CONNECTIONS + 20):
            held.enter_context(socket.create_connection(("127.0.0.1", embedded), timeout=10))
        assert page(embedded) == 200


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/api/v1/submissions", 400 * MB, 401),
        ("/submissions/new/", 400 * MB, 401),
        ("/accounts/", 5 * MB, 413),
        ("/nothing/", 5 * MB, 413),
    ],
)
def test_a_strangers_body_is_answered_before_it_is_taken_without_nginx(embedded: int, path, length, status) -> None:
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", embedded), timeout=20) as line:
        line.sendall(head(path, length, "Content-Type: multipart/form-data; boundary=x", host="localhost") + b"-")
        assert answered(line).status == status
    assert page(embedded) == 200
    assert time.monotonic() - begun < 20


def test_a_chunked_body_of_a_stranger_is_not_taken_either(embedded: int) -> None:
    with socket.create_connection(("127.0.0.1", embedded), timeout=20) as line:
        line.sendall(
            b"POST /submissions/new/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        )
        assert answered(line).status == 401
