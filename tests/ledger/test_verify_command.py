"""`gatehouse verify` and `gatehouse witness` as a person calls them: statuses, one line on failure, nothing shown."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from gatehouse.kernel import digests
from gatehouse.ledger import docket_files, entries, note, proof, signers
from gatehouse.ledger.commitments import DETERMINATION, commit, commit_event, open_record
from gatehouse.ledger.log import Log
from gatehouse.ledger.policy import parse_policy
from gatehouse.ledger.witness_client import HttpWitness

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
SOURCE = Path(__file__).parents[2] / "src"


def gatehouse(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "gatehouse", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site's ledger with one docket of forty requests, after some other entries."""
    root = tmp_path_factory.mktemp("site")
    docket = root / "dockets" / "D-1"
    docket.mkdir(parents=True)
    signer = signers.parse_signer(signers.new_key("log.example/2026")[0])
    (root / "my.policy").write_text(f"log {signer.key_text}\nquorum none\n")
    connection = duckdb.connect()
    connection.execute(
        """CREATE TABLE determinations AS SELECT range AS seq, 'R-' || range AS request_id, 'refused' AS outcome,
        ['FORM'] AS codes, ['us.a'] AS fired, ['us.a'] AS unknown, NULL::VARCHAR[] AS items, NULL::BIGINT AS person_id,
        DATE '2025-08-07' AS as_of, repeat('ab', 32) AS pack_digest, NULL::BIGINT AS ledger_index FROM range(40)"""
    )
    made = commit(connection, "determinations", DETERMINATION, docket / "vault.parquet")
    with Log.create(root / "ledger", signer, state=root / "state") as log:
        log.append("before", [bytes([n]) * 53 for n in range(2)])
        first = log.size + 1
        connection.execute(f"UPDATE determinations SET ledger_index = {first} + seq")
        connection.execute(f"COPY determinations TO '{docket}/determinations.parquet'")
        connection.execute(f"COPY (SELECT seq, request_id FROM determinations) TO '{docket}/requests.parquet'")
        lay_down(log, docket, made)
        log.append("after", [n.to_bytes(53) for n in range(299)])
        published = log.publish(NOW)
        opened = open_record(
            connection, "determinations", DETERMINATION, docket / "vault.parquet", seq=7, show=["request", "answer"]
        )
        data = proof.prove_inclusion(log.reader(), first + 7, published, opened)
    (root / "case.tlog-proof").write_bytes(data)
    return root


def lay_down(log, docket, made):
    """Commit a docket as `pipeline.commit` does: what was received, the determinations, then every file."""
    agency = signers.parse_signer(signers.new_key("agency.example")[0])
    rows = len(made.entries)
    manifest = {"id": "D-1", "agency": "agency.example", "tables": [{"rows": rows - 1}, {"rows": 1}]}
    (docket / "submission.json").write_text(json.dumps(manifest))
    signed = note.sign_detached((docket / "submission.json").read_bytes(), agency)
    (docket / "submission.json.sig").write_text(signed)
    digest = {name: digests.of_file(docket / name) for name in ("submission.json", "submission.json.sig")}
    receipt = {"submission": "D-1", "digest": digest["submission.json"], "requests": rows,
               "received_at": "2025-08-07T12:00:00Z"}  # fmt: skip
    (docket / "receipt.json").write_text(json.dumps(receipt))
    (docket.parents[1] / "agency.vkey").write_text(f"{agency.key_text}\n")
    (docket / "events").mkdir()
    received = entries.Received(
        "D-1", "agency.example", "D-1", digest["submission.json"], digest["submission.json.sig"],
        digests.of_file(docket / "receipt.json"), rows, made.batch, log.size + 1, "ab" * 32, "2025-08-07",
    )  # fmt: skip
    entry, opening = commit_event(received.fields())
    (docket / "events" / "received.json").write_bytes(opening.encode())
    log.append("D-1/received", [entry, *made.entries])
    docketed = entries.Docketed("D-1", received.first - 1, docket_files.listing(docket), None)
    entry, opening = commit_event(docketed.fields())
    (docket / "events" / "docket.json").write_bytes(opening.encode())
    log.append("D-1/docket", [entry])


def test_verify_ledger_proof_and_docket(site):
    policy = ["--policy", site / "my.policy"]
    done = gatehouse("verify", site / "ledger", *policy)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("verified: log.example/2026, 343 entries\nroot: ")
    answer = json.loads(gatehouse("verify", "ledger", site / "ledger", *policy, "--json").stdout)
    assert answer["size"] == 343
    done = gatehouse("verify", "proof", site / "case.tlog-proof", *policy)
    assert done.returncode == 0
    assert 'request: "R-7"' in done.stdout
    assert "person" not in done.stdout
    done = gatehouse("verify", "docket", site / "dockets/D-1", *policy, "--agency-key", site / "agency.vkey")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("verified: 40 requests, one determination each, in order\nentries 3 to 42 of")
    assert "\nthe receipt, 2025-08-07T12:00:00Z: no witness says when\n" in done.stdout


def test_failures_are_one_line_and_show_nothing(site, tmp_path):
    stranger = signers.new_key("log.example/2026")[1]
    (tmp_path / "other.policy").write_text(f"log {stranger}\nquorum none\n")
    cases = [
        (1, "verify", site / "ledger", "--policy", tmp_path / "other.policy"),
        (1, "verify", "proof", site / "case.tlog-proof", "--policy", tmp_path / "other.policy"),
        (1, "verify", "docket", site / "dockets/D-1", "--policy", tmp_path / "other.policy"),
        (2, "verify", site / "ledger", "--policy", tmp_path / "absent"),
        (2, "verify", site, "--policy", site / "my.policy"),
        (2, "verify", "proof", site / "my.policy", "--policy", site / "my.policy"),
        (2, "verify", "proof", tmp_path / "absent", "--policy", site / "my.policy"),
        (2, "verify", "docket", tmp_path, "--ledger", site / "ledger", "--policy", site / "my.policy"),
    ]
    for status, *arguments in cases:
        done = gatehouse(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), arguments
        assert "R-7" not in done.stderr


CHANGES = {
    "one removed": ("DELETE FROM determinations WHERE seq = 39", "a request has no determination", "row 40"),
    "one added": (
        "INSERT INTO determinations BY NAME SELECT 40 AS seq, 'R-40' AS request_id, 43 AS ledger_index",
        "a determination answers no request", "row 41",
    ),
    "one twice": ("INSERT INTO determinations SELECT * FROM determinations WHERE seq = 5", "appears twice", ""),
    "two exchanged": (
        "UPDATE determinations SET seq = 3 - seq, ledger_index = ledger_index + 3 - 2 * seq WHERE seq IN (1, 2)",
        "determination", "row 2",
    ),
    "outcome changed": ("UPDATE determinations SET outcome = 'cleared' WHERE seq = 21", "differs from", "row 22"),
    "order changed": ("UPDATE determinations SET ledger_index = 85 - ledger_index", "order in the submission", ""),
    "moved": ("UPDATE determinations SET ledger_index = ledger_index + 1", "from the one in the ledger", "row 1"),
    "beyond": ("UPDATE determinations SET ledger_index = ledger_index + 999", "does not cover", ""),
    "never committed": ("UPDATE determinations SET ledger_index = NULL WHERE seq = 0", "was never committed", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_docket_is_named(site, tmp_path, name):
    from gatehouse.kernel.errors import AnswerIsNo
    from gatehouse.ledger import policy
    from gatehouse.ledger.docket_proof import verify_docket
    from gatehouse.ledger.verify import verify_log

    change, what, where = CHANGES[name]
    docket = tmp_path / "D-1"
    shutil.copytree(site / "dockets/D-1", docket)
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE determinations AS FROM '{site}/dockets/D-1/determinations.parquet'")
    connection.execute(change)
    connection.execute(f"COPY determinations TO '{docket}/determinations.parquet'")
    checkpoint = verify_log(site / "ledger", policy.read(site / "my.policy")).checkpoint
    with pytest.raises(AnswerIsNo, match=what) as caught:
        verify_docket(connection, docket, site / "ledger", checkpoint)
    assert where in str(caught.value)


def written(sql: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(sql)


EXCHANGES = {
    "a request dropped": (
        "requests.parquet", lambda path: written(f"COPY (FROM '{path}' WHERE seq < 35) TO '{path}'"),
        "a determination answers no request",
    ),
    "the manifest says another number": (
        "submission.json", lambda path: path.write_text(path.read_text().replace("39", "44")), "as the manifest says",
    ),
    "the receipt says another number": (
        "receipt.json", lambda path: path.write_text(path.read_text().replace("40", "45")), "as the receipt says",
    ),
    "the manifest is another": (
        "submission.json", lambda path: path.write_text(path.read_text() + " "), "in the manifest",
    ),
    "the signature is another": (
        "submission.json.sig", lambda path: path.write_text(path.read_text() + "x"), "in the signature",
    ),
    "the receipt is another": ("receipt.json", lambda path: path.write_text(path.read_text() + " "), "in the receipt"),
    "a file too many": ("extra.txt", lambda path: path.write_text("?"), "does not list this file"),
    "columns added": (
        "requests.parquet",
        lambda path: written(f"COPY (SELECT *, 1 AS officer_list FROM '{path}') TO '{path}'"),
        "differs from the one that was committed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCHANGES)
def test_an_exchanged_file_of_a_docket_is_named(site, tmp_path, name):
    """What was received counts: requests left out before or after the commitment do not pass."""
    from gatehouse.kernel.errors import AnswerIsNo
    from gatehouse.ledger import policy
    from gatehouse.ledger.docket_proof import verify_docket
    from gatehouse.ledger.verify import verify_log

    file, change, what = EXCHANGES[name]
    docket = tmp_path / "D-1"
    shutil.copytree(site / "dockets/D-1", docket)
    checkpoint = verify_log(site / "ledger", policy.read(site / "my.policy")).checkpoint
    key = signers.read_verifier(site / "agency.vkey")
    found = verify_docket(duckdb.connect(), docket, site / "ledger", checkpoint, agency=[key])
    assert (found.requests, found.received.requests, found.signed_by) == (40, 40, "agency.example")
    change(docket / file)
    with pytest.raises(AnswerIsNo, match=what):
        verify_docket(duckdb.connect(), docket, site / "ledger", checkpoint, agency=[key])


def test_a_submission_that_another_agency_signed_is_refused(site):
    from gatehouse.kernel.errors import AnswerIsNo
    from gatehouse.ledger import policy
    from gatehouse.ledger.docket_proof import verify_docket
    from gatehouse.ledger.verify import verify_log

    checkpoint = verify_log(site / "ledger", policy.read(site / "my.policy")).checkpoint
    other = signers.parse_signer(signers.new_key("agency.example")[0]).verifier
    with pytest.raises(AnswerIsNo):
        verify_docket(duckdb.connect(), site / "dockets/D-1", site / "ledger", checkpoint, agency=[other])


def test_an_entry_of_the_batch_that_the_docket_does_not_show_is_found(tmp_path):
    """A determination made twice, one kept out of the docket."""
    from gatehouse.kernel.errors import AnswerIsNo
    from gatehouse.ledger.docket_proof import verify_docket

    signer = signers.parse_signer(signers.new_key("log.example/2026")[0])
    connection = duckdb.connect()
    connection.execute(
        """CREATE TABLE determinations AS SELECT range AS seq, 'R-' || range AS request_id, 'refused' AS outcome,
        [] AS codes, [] AS fired, [] AS unknown, [] AS items, 1 AS person_id, '' AS as_of, '' AS pack_digest,
        range AS ledger_index FROM range(4)"""
    )
    made = commit(connection, "determinations", DETERMINATION, tmp_path / "vault.parquet")
    hidden = made.entries[3][:17] + (4).to_bytes(4, "big") + bytes(32)
    with Log.create(tmp_path / "ledger", signer, state=tmp_path / "state") as log:
        log.append("docket", [*made.entries, hidden])
        published = log.publish(NOW)
    for table in ("requests", "determinations"):
        connection.execute(f"COPY determinations TO '{tmp_path}/{table}.parquet'")
    with pytest.raises(AnswerIsNo, match="more entries of this batch"):
        verify_docket(connection, tmp_path, tmp_path / "ledger", published)


def test_a_witness_process_serves_and_cosigns_by_file(tmp_path):
    signer = signers.parse_signer(signers.new_key("log.example/2026")[0])
    (tmp_path / "log.vkey").write_text(signer.key_text + "\n")
    common = ["--state", tmp_path / "w", "--log-vkey", tmp_path / "log.vkey"]
    serving = subprocess.Popen(
        [sys.executable, "-m", "gatehouse", "witness", "serve", "--port", "0", "--name", "w.example/1"]
        + [str(part) for part in common],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"},
    )
    address = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", serving.stdout.readline())[1]
    key = (tmp_path / "w/witness.vkey").read_text().strip()
    believed = parse_policy(f"log {signer.key_text}\nwitness w {key} {address}\nquorum w\n".encode())
    with Log.create(tmp_path / "ledger", signer, state=tmp_path / "state") as log:
        log.append("a", [bytes(53)])
        assert log.publish(NOW, policy=believed, witnesses=[HttpWitness(believed.witnesses[0])]).size == 1
    busy = gatehouse("witness", "cosign", tmp_path / "log.vkey", *common, "--out", tmp_path / "x")
    assert (busy.returncode, "another process" in busy.stderr) == (3, True)
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(10) == 0
    serving.stdout.close()
    wrong = gatehouse("witness", "cosign", tmp_path / "log.vkey", *common, "--out", tmp_path / "x")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    (tmp_path / "request").write_bytes(b"old 0\n\n" + (tmp_path / "ledger/checkpoint").read_bytes())
    stale = gatehouse("witness", "cosign", tmp_path / "request", *common, "--out", tmp_path / "x")
    assert (stale.returncode, "has seen size 1" in stale.stderr) == (1, True)
    (tmp_path / "request").write_bytes(b"old 1\n\n" + (tmp_path / "ledger/checkpoint").read_bytes())
    assert gatehouse("witness", "cosign", tmp_path / "request", *common, "--out", tmp_path / "x").returncode == 0
    assert (tmp_path / "x").read_text().startswith("— w.example/1 ")
