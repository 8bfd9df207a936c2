"""What operators see of a request: its route, status and time; never an id, a path or a person. And when not ready."""

from __future__ import annotations

import http.server
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from doors import SITE

from gatehouse.console.observation import JsonLines
from gatehouse.ledger import policy as policies

SOURCE = Path(__file__).parents[2] / "src"
SECRET = "ICE-1"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [JsonLines().format(record) for record in caplog.records if record.name.startswith("gatehouse")]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(logging.getLogger("gatehouse"), "propagate", True)
    caplog.set_level(logging.INFO, "gatehouse")
    return caplog


def test_a_line_a_request_without_any_id(signed_in, heard: pytest.LogCaptureFixture) -> None:
    answer = signed_in("officer1").get(f"/dockets/{SECRET}/cases/8/?rule=SECRET-RULE")
    [line] = lines(heard)
    told = json.loads(line)
    assert (told["route"], told["status"], told["method"]) == ("console:case", 200, "GET")
    assert told["request"] == answer.headers["X-Request-Id"]
    assert SECRET not in line
    assert "SECRET-RULE" not in line
    assert "officer1" not in line


def test_an_address_that_is_none_is_not_repeated(anyone, heard: pytest.LogCaptureFixture) -> None:
    anyone.get("/jane-doe-123-45-6789/")
    [line] = lines(heard)
    assert "jane" not in line
    assert json.loads(line)["route"] == "none"


def test_a_failure_says_where_and_nothing_of_what(heard: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("Jane Doe")
    except ValueError:
        logging.getLogger("gatehouse.test").exception("Jane Doe")
    [line] = lines(heard)
    assert "Jane" not in line
    assert json.loads(line)["failed"].startswith("ValueError in test_a_failure_says_where")


def test_ready_says_which_part_is_not(anyone, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = anyone.get("/ready/").json()["checks"]
    assert {name for name, holds in checks.items() if holds} >= {"database", "ledger", "law", "disk"}

    def lost(*_: object) -> None:
        raise OSError(2, "gone")

    monkeypatch.setattr(policies, "read", lost)
    answer = anyone.get("/ready/")
    assert answer.status_code == 503
    assert answer.json()["checks"]["ledger"] is False


class Collector(http.server.BaseHTTPRequestHandler):
    """An OTLP collector that keeps what it is sent."""

    kept: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        self.kept.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


_ONE_REQUEST = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from gatehouse.cli import web
from gatehouse.pipeline.site import open_site
web.configure(open_site(Path(sys.argv[1])))
from django.test import Client
Client(SERVER_NAME="localhost").get("/statistics/?who=jane-doe")
from opentelemetry import trace, metrics
from gatehouse.console import observation
observation.flush()
"""


def test_spans_and_metrics_reach_a_collector_and_name_nobody(site) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    handler = type("Kept", (Collector,), {"kept": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "PYTHONPATH": str(SOURCE)}
    subprocess.run([sys.executable, "-c", _ONE_REQUEST, SITE.root, SOURCE], env=environment, check=True, timeout=120)
    server.shutdown()
    assert {path for path, _ in handler.kept} == {"/v1/traces", "/v1/metrics"}
    sent = b"".join(data for _, data in handler.kept)
    assert b"console:statistics" in sent
    assert b"jane-doe" not in sent
