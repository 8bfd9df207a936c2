"""The files of deploy/ at work: TLS at nginx, two web processes, a worker of its own, PostgreSQL behind them."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import server

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.tools, pytest.mark.nginx]
NAME = "gateway.agency.example"
PASSWORD = "seven quiet herons"

_ACCOUNTS = """
import sys
from pathlib import Path
from gatehouse.cli import web
from gatehouse.pipeline.site import open_site
web.configure(open_site(Path(sys.argv[1])))
from gatehouse.console import accounts
accounts.create("administrator", name="A", role="administrator", password=sys.argv[2])
accounts.create("agency", name="R", role="requester", agency="us.dhs.ice", password=sys.argv[2])
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gatehouse(*arguments: object, log: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "gatehouse", *map(str, arguments)]
    with log.open("wb") as stream:
        return subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)


@dataclass
class Deployment:
    """What runs: the ports of TLS and of the web processes, and where each writes its log."""

    tls: int
    plain: int
    webs: dict[int, subprocess.Popen[bytes]]
    folder: Path

    def open(self, path: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """One request through nginx, with the cookies of the ones before; gives status and body."""
        request = urllib.request.Request(f"https://localhost:{self.tls}{path}", data, headers or {})
        request.add_header("Host", NAME)
        request.add_header("Referer", f"https://{NAME}/")
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def __post_init__(self) -> None:
        trusting = ssl.create_default_context(cafile=str(self.folder / "tls.pem"))
        trusting.check_hostname = False
        self.jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(secure_protocols=("https",)))
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=trusting), urllib.request.HTTPCookieProcessor(self.jar), _Stay()
        )


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at, not followed: they name the public host."""

    def redirect_request(self, *_: object) -> None:
        return None


def token(page: str) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    site = folder / "site"
    with server.postgres() as address, contextlib.ExitStack() as running:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        run = [sys.executable, "-m", "gatehouse", "init", str(site), "--name", "gateway.agency.example/disclosures"]
        subprocess.run(run, env=environment, check=True, capture_output=True)
        configuration = site / "gatehouse.toml"
        text = configuration.read_text().replace("sqlite:///gatehouse.sqlite3", address)
        configuration.write_text(text)
        subprocess.run([sys.executable, "-c", _ACCOUNTS, site, PASSWORD], env=environment, check=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={NAME}", "-keyout", folder / "tls.key", "-out", folder / "tls.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        webs = {}
        for number in (1, 2):
            port = free_port()
            options = ("--site", site, "--port", port, "--https", "--name", NAME, "--leave-work", "--log")
            webs[port] = gatehouse("serve", *options, "--no-browser", log=folder / f"web{number}.log")
        worker = gatehouse("work", "--site", site, log=folder / "work.log")
        tls, plain = free_port(), free_port()
        (folder / "nginx.conf").write_text(_nginx(folder, tls, plain, list(webs)))
        nginx = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "nginx.err"])
        for process in (*webs.values(), worker, nginx):
            running.callback(process.wait)
            running.callback(process.terminate)
        for port in (*webs, tls):
            _listening(port)
        yield Deployment(tls, plain, webs, folder)


def _nginx(folder: Path, tls: int, plain: int, webs: list[int]) -> str:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{tls} ssl"), ("listen 80", f"listen 127.0.0.1:{plain}"),
        ("/etc/gatehouse/tls/fullchain.pem", str(folder / "tls.pem")),
        ("/etc/gatehouse/tls/privkey.pem", str(folder / "tls.key")),
        ("/var/log/nginx/error.log", str(folder / "nginx.err")),
        ("127.0.0.1:8001", f"127.0.0.1:{webs[0]}"), ("127.0.0.1:8002", f"127.0.0.1:{webs[1]}"),
    ):  # fmt: skip
        assert old in text, old
        text = text.replace(old, new)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"daemon off;\nuser root;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{temporary}{text}\n}}\n"


def _listening(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on {port}")


def _in(deployment: Deployment) -> None:
    _, page = deployment.open("/sign-in/")
    form = {"username": "agency", "password": PASSWORD, "csrfmiddlewaretoken": token(page)}
    status, _ = deployment.open("/sign-in/", urllib.parse.urlencode(form).encode())
    assert status == 302


def told(deployment: Deployment) -> list[list[dict[str, object]]]:
    """What each web process told of requests."""
    logs = [(deployment.folder / f"web{number}.log").read_text() for number in (1, 2)]
    lines = [[json.loads(line) for line in log.splitlines() if line.startswith("{")] for log in logs]
    return [[line for line in found if line["event"] == "gatehouse.requests"] for found in lines]


def test_it_is_served_over_tls_only_and_keeps_its_readiness_to_itself(deployment: Deployment) -> None:
    assert deployment.open("/health/")[0] == 200
    assert deployment.open("/ready/")[0] == 403
    port = next(iter(deployment.webs))
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/ready/")
    with pytest.raises(urllib.error.HTTPError) as not_ready:  # this site has no register yet, and says so
        urllib.request.build_opener(_Stay()).open(asked, timeout=30)
    checks = json.loads(not_ready.value.read())["checks"]
    assert checks == {"database": True, "ledger": True, "law": True, "register": False, "disk": True}
    with pytest.raises(urllib.error.HTTPError) as moved:
        plain = urllib.request.Request(f"http://127.0.0.1:{deployment.plain}/", headers={"Host": NAME})
        urllib.request.build_opener(_Stay()).open(plain, timeout=30)
    assert (moved.value.code, moved.value.headers["Location"]) == (308, f"https://{NAME}/")


def test_a_session_holds_at_both_processes_and_neither_tells_where_it_went(deployment: Deployment) -> None:
    _in(deployment)
    for _ in range(30):
        assert deployment.open("/submissions/")[0] == 200
    routes = [{str(line["route"]) for line in lines} for lines in told(deployment)]
    assert all("console:submissions" in found for found in routes)
    assert all(cookie.secure and cookie.has_nonstandard_attr("HttpOnly") for cookie in deployment.jar)


def test_what_is_handed_in_is_carried_on_by_the_worker(deployment: Deployment) -> None:
    _in(deployment)
    _, page = deployment.open("/submissions/new/")
    mark = "a-boundary-of-this-test"
    fields = f'--{mark}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token(page)}\r\n'
    part = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x.zip"\r\n\r\nno zip\r\n--{mark}--\r\n'
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    status, _ = deployment.open("/submissions/new/", (fields + part).encode(), kind)
    assert status == 302
    for _ in range(100):
        page = deployment.open("/submissions/")[1]
        if "Refused whole" in page:
            return
        time.sleep(0.2)
    raise AssertionError("no worker took it up")


def test_one_process_may_die(deployment: Deployment) -> None:
    _in(deployment)
    process = next(iter(deployment.webs.values()))
    process.kill()
    process.wait()
    assert {deployment.open("/submissions/")[0] for _ in range(10)} == {200}
