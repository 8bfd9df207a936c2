"""The API of a site as `gatehouse serve` serves it: schemathesis against its own description, and the typed client."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import serving

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "agency_client.py"
LIMITS = "\n[limits]\nrequests_a_minute = 100000\nfailures_a_minute = 100000\nuploads_an_hour = 100000\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A real site with one docket received, served in a process of its own, and a key with every scope."""
    import journey_site

    from gatehouse.cli import web
    from gatehouse.console import accounts, tokens
    from gatehouse.pipeline.site import open_site

    root = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
        site = journey_site.build(root, persons=1500, requests=120)
        site.configuration.write_text(site.configuration.read_text() + LIMITS)
        site = open_site(site.root)
        web.configure(site)
        account, _ = accounts.create("programs", name="Programs", role="requester", agency="us.dhs.ice")
        key = tokens.make(account, "tests", tokens.possible(account), 1, account)
        docket = journey_site.carry(site, root / "first.zip")
        with serving.gatehouse(site.root, serving.free_port()) as address:
            yield SimpleNamespace(base=f"{address}/api/v1", key=key, root=root, docket=docket, site=site)


def test_every_operation_does_what_its_description_says(served):
    """All checks of schemathesis in its phases coverage, fuzzing and stateful; bounded by examples, never by the clock.

    A busy machine used up a budget of seconds before anything was tested.
    """
    run = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{served.base}/openapi.json"),
            *("--header", f"Authorization: Bearer {served.key}"),
            *("--max-examples", "10", "--seed", "7", "--no-color", "--request-timeout", "30"),
            *("--generation-database", "none"),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
        cwd=served.root,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "Time limit" not in run.stdout
    for phase in ("Coverage", "Fuzzing", "Stateful"):
        assert re.search(rf"✅  {phase} \(in", run.stdout), run.stdout[-6000:]


def test_the_typed_client_carries_a_submission_from_zip_to_answers(served):
    folder = served.root / "packages"
    run = subprocess.run(
        [sys.executable, str(EXAMPLE), served.base, str(served.root / "second.zip"), str(folder)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "GATEHOUSE_KEY": served.key},
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["submission"] != served.docket
    assert sum(told["answers"].values()) == 120


def test_the_typed_client_is_typed():
    pytest.importorskip("mypy")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, str(EXAMPLE)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout


def test_a_mirror_reads_the_log_and_its_witnesses_through_the_api(served):
    head = requests.get(f"{served.base}/ledger", timeout=10).json()
    assert requests.get(f"{served.base}/ledger/files/checkpoint", timeout=10).text == head["note"]
    width = head["size"] % 256
    tile = requests.get(f"{served.base}/ledger/files/tile/0/000.p/{width}", timeout=10)
    assert len(tile.content) == 32 * width
    witnesses = requests.get(f"{served.base}/ledger/witnesses", timeout=10).json()
    assert witnesses["policy"] == served.site.policy.read_text()
    assert witnesses["quorum_met"]
    assert witnesses["items"] == []
