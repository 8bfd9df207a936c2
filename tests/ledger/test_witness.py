"""Witnesses cosign what continues what they saw, and nothing else, also after a crash and over HTTP."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import http.client
import importlib.util
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import checkpoint, cosignature, note, policy, signers, tree, witness_server
from gatehouse.ledger.gathering import Declined
from gatehouse.ledger.log import Log
from gatehouse.ledger.policy import parse_policy
from gatehouse.ledger.signers import Algorithm
from gatehouse.ledger.verify import verify_log
from gatehouse.ledger.witness import Witness, open_key
from gatehouse.ledger.witness_client import CarriedWitness, HttpWitness, request_body
from gatehouse.ledger.witness_server import server

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
STRANGER = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"
LOG = signers.parse_signer(signers.new_key("log.example/2026")[0])


def entries(count, salt=""):
    return [f"{salt}{n}".encode().ljust(53, b".") for n in range(count)]


def signed(size, root, signer=LOG):
    return note.sign(checkpoint.body("log.example/2026", size, root), signer).encoded


class History:
    """A log in memory that can lie."""

    def __init__(self, salt=""):
        self.hashes = [tree.leaf_hash(entry) for entry in entries(40, salt)]

    def node(self, level, index):
        return tree.range_hash(index << level, (index + 1) << level, self.node) if level else self.hashes[index]

    def read(self, level, index):
        part = self.hashes[index << level : (index + 1) << level]
        while len(part) > 1:
            part = [tree.node_hash(*part[at : at + 2]) for at in range(0, len(part), 2)]
        return part[0]

    def ask(self, old, new):
        root = tree.range_hash(0, new, self.read)
        return request_body(old, tree.consistency_proof(old, new, self.read), signed(new, root))


@pytest.fixture
def witness(tmp_path):
    made = Witness(tmp_path / "w", open_key(tmp_path / "w", "w.example/1"), [LOG.verifier], lambda: NOW)
    yield made
    made.close()


def test_growth_is_cosigned_and_everything_else_refused(witness):
    honest, forked = History(), History("fork")
    assert witness.add_checkpoint(honest.ask(0, 5)).status == 200
    assert witness.add_checkpoint(honest.ask(5, 12)).status == 200
    assert witness.add_checkpoint(honest.ask(12, 12)).status == 200
    stale = witness.add_checkpoint(honest.ask(5, 20))
    assert (stale.status, stale.body, stale.content_type) == (409, b"12\n", "text/x.tlog.size")
    assert witness.add_checkpoint(forked.ask(12, 20)).status == 422
    fork = witness.add_checkpoint(forked.ask(12, 12))
    assert (fork.status, fork.body[:4]) == (409, b"FORK")  # as the standard has it for two roots of one size
    assert witness.add_checkpoint(honest.ask(3, 7)).status == 409
    rollback = request_body(12, [], signed(7, tree.range_hash(0, 7, honest.read)))
    assert witness.add_checkpoint(rollback).status == 400
    assert witness.add_checkpoint(honest.ask(12, 13)).status == 200


def test_what_it_says_is_what_the_standard_names(witness):
    honest = History()
    root = tree.range_hash(0, 5, honest.read)
    stranger = signers.parse_signer(signers.new_key("log.example/2026")[0])
    assert witness.add_checkpoint(request_body(0, [], signed(5, root, stranger))).status == 403
    other = note.sign(checkpoint.body("other.example", 5, root), LOG).encoded
    assert witness.add_checkpoint(request_body(0, [], other)).status == 404
    assert witness.add_checkpoint(request_body(0, [root], signed(5, root))).status == 422
    assert witness.add_checkpoint(request_body(0, [], signed(0, root))).status == 409
    assert witness.add_checkpoint(request_body(0, [root] * 64, signed(5, root))).status == 400
    for body in [b"", b"old 0", b"old 00\n\n", b"old -1\n\nx", b"\xff\n\n", b"x" * (1 << 18)]:
        assert witness.add_checkpoint(body).status == 400


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 600))
def test_no_request_brings_it_down(tmp_path_factory, noise, at):
    made = Witness(folder := tmp_path_factory.mktemp("w"), open_key(folder, "w"), [LOG.verifier], lambda: NOW)
    good = History().ask(0, 5)
    assert made.add_checkpoint(noise).status == 400
    mixed = good[:at] + noise + good[at + len(noise) :]
    assert made.add_checkpoint(mixed).status in ({200} if mixed == good else {200, 400, 403, 404, 422, 409})
    made.close()


def test_it_remembers_after_a_restart(tmp_path):
    honest, forked = History(), History("fork")
    state = tmp_path / "w"
    first = Witness(state, open_key(state, "w"), [LOG.verifier], lambda: NOW)
    assert first.add_checkpoint(honest.ask(0, 9)).status == 200
    with pytest.raises(MachineFailed, match="another process"):
        Witness(state, open_key(state, "w"), [LOG.verifier], lambda: NOW)
    first.close()
    second = Witness(state, open_key(state, None), [LOG.verifier], lambda: NOW)
    assert second.add_checkpoint(forked.ask(0, 9)).status == 409
    assert second.add_checkpoint(honest.ask(9, 10)).status == 200
    second.close()
    with pytest.raises(WrongInput, match="a different name"):
        open_key(state, "other")


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519_COSIGNATURE, Algorithm.MLDSA44_COSIGNATURE])
def test_cosignatures_cover_checkpoint_and_time(tmp_path, algorithm):
    signer = open_key(tmp_path, "w.example/1", algorithm)
    text = checkpoint.body("log.example/2026", 5, bytes(32))
    line = note.SignatureLine.parse(cosignature.cosign(signer, text, 1_700_000_000))
    assert cosignature.timestamp(line.signature) == 1_700_000_000
    assert cosignature.accepts(signer.verifier, text, line.signature)
    assert not cosignature.accepts(signer.verifier, checkpoint.body("log.example/2026", 6, bytes(32)), line.signature)
    later = (1_700_000_001).to_bytes(8, "big") + line.signature[8:]
    assert not cosignature.accepts(signer.verifier, text, later)


def test_the_example_of_the_standard_is_parsed():
    example = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
        "zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
        "X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    ).encode()
    parsed = checkpoint.parse(example)
    assert (parsed.size, parsed.encoded) == (20852163, example)
    assert cosignature.timestamp(parsed.note.lines[1].signature) == 1679315147


class Crowd:
    """Witnesses that listen, each in a thread."""

    def __init__(self, folder, count):
        self.made = []
        lines = [f"log {LOG.key_text}"]
        for number in range(count):
            state = folder / f"w{number}"
            signer = open_key(state, f"w.example/{number}")
            one = Witness(state, signer, [LOG.verifier], lambda: NOW)
            listening = server(one, "127.0.0.1", 0)
            threading.Thread(target=listening.serve_forever, daemon=True).start()
            self.made.append((one, listening))
            lines.append(f"witness w{number} {signer.key_text} http://127.0.0.1:{listening.server_address[1]}/")
        names = " ".join(f"w{n}" for n in range(count))
        self.policy = parse_policy(
            "\n".join([*lines, f"group all-w {min(2, count)} {names}", "quorum all-w", ""]).encode()
        )
        self.clients = [HttpWitness(one, seconds=5) for one in self.policy.witnesses]

    def stop(self, number):
        one, listening = self.made[number]
        listening.shutdown()
        listening.server_close()
        one.close()


def test_publishing_over_http_needs_the_quorum(tmp_path):
    crowd = Crowd(tmp_path, 3)
    with Log.create(tmp_path / "ledger", LOG, state=tmp_path / "state") as log:
        for number, size in enumerate([1, 4, 300]):
            log.append(str(number), entries(size, str(number)))
            published = log.publish(NOW, policy=crowd.policy, witnesses=crowd.clients)
            assert len(published.note.lines) == 4
        crowd.stop(0)
        log.append("one away", entries(1, "x"))
        assert len(log.publish(NOW, policy=crowd.policy, witnesses=crowd.clients).note.lines) == 3
        crowd.stop(1)
        log.append("two away", entries(1, "y"))
        with pytest.raises(MachineFailed, match="quorum is not met"):
            log.publish(NOW, policy=crowd.policy, witnesses=crowd.clients)
        assert checkpoint.parse((tmp_path / "ledger/checkpoint").read_bytes()).size == 306
    crowd.stop(2)
    verified = verify_log(tmp_path / "ledger", crowd.policy)
    assert (verified.checkpoint.size, verified.ahead > 0) == (306, True)
    with pytest.raises(AnswerIsNo, match="quorum"):
        bare = note.Note(verified.checkpoint.note.text, verified.checkpoint.note.lines[:1])
        crowd.policy.accept(bare.encoded)


def test_a_split_view_never_reaches_two_quorums(tmp_path):
    """Two histories shown to disjoint pairs of three witnesses: the one in both pairs signs only the first."""
    honest, forked = History(), History("fork")
    states = [tmp_path / str(n) for n in range(3)]
    made = [Witness(state, open_key(state, f"w/{n}"), [LOG.verifier], lambda: NOW) for n, state in enumerate(states)]
    first = [one.add_checkpoint(honest.ask(0, 8)).status for one in made[:2]]
    second = [one.add_checkpoint(forked.ask(0, 8)).status for one in made[1:]]
    assert (first, second) == ([200, 200], [409, 200])
    assert made[1].add_checkpoint(forked.ask(8, 8)).status == 409
    for one in made:
        one.close()


def test_a_witness_without_a_network(tmp_path):
    state = tmp_path / "w"
    signer = open_key(state, "w.example/1")
    believed = parse_policy(f"log {LOG.key_text}\nwitness w {signer.key_text}\nquorum w\n".encode())
    away = Witness(state, signer, [LOG.verifier], lambda: NOW)
    with Log.create(tmp_path / "ledger", LOG, state=tmp_path / "state") as log:
        seen = 0
        for number, size in enumerate([2, 9]):
            log.append(str(number), entries(size, str(number)))
            carried = CarriedWitness(believed.witnesses[0], tmp_path / "disk", seen)
            with pytest.raises(MachineFailed, match="not published"):
                log.publish(NOW, policy=believed, witnesses=[carried])
            answer = away.add_checkpoint((tmp_path / f"disk/{log.size}.request").read_bytes())
            assert answer.status == 200
            (tmp_path / f"disk/{log.size}.cosignature").write_bytes(answer.body)
            seen = log.publish(NOW, policy=believed, witnesses=[carried]).size
    away.close()
    assert verify_log(tmp_path / "ledger", believed).checkpoints == 2


def test_http_bodies_are_bounded_and_the_newest_checkpoint_is_served(tmp_path):
    crowd = Crowd(tmp_path, 1)
    port = crowd.made[0][1].server_address[1]

    def ask(method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()

    assert ask("POST", "/add-checkpoint", b"", {"Content-Length": "999999999"})[0] == 400
    assert ask("POST", "/add-checkpoint", b"", {"Content-Length": "-1"})[0] == 400
    assert ask("POST", "/elsewhere", b"x")[0] == 404
    assert ask("GET", "/../witness.key/checkpoint")[0] == 404
    origin = hashlib.sha256(b"log.example/2026").hexdigest()
    assert ask("GET", f"/{origin}/checkpoint")[0] == 404
    assert ask("POST", "/add-checkpoint", History().ask(0, 5))[0] == 200
    status, data = ask("GET", f"/{origin}/checkpoint")
    assert status == 200
    signed_by = checkpoint.parse(data).note.signed_by([LOG.verifier, crowd.policy.witnesses[0].verifier])
    assert len(signed_by) == 2
    crowd.stop(0)


def test_a_refusal_is_told_as_what_it_is(tmp_path):
    """Stale, fork, unknown key, unknown log, out of reach: what the operator must do differs for each."""
    crowd = Crowd(tmp_path, 1)
    [client], [(witness, _)] = crowd.clients, crowd.made
    honest, forked = History(), History("fork")

    def said(history, size, signer=LOG, name="log.example/2026"):
        text = checkpoint.body(name, size, tree.range_hash(0, size, history.read))
        offered = checkpoint.parse(note.sign(text, signer).encoded)
        with pytest.raises(Declined) as declined:
            client.cosign(offered, lambda old: tree.consistency_proof(old, size, history.read))
        return str(declined.value)

    assert witness.add_checkpoint(honest.ask(0, 12)).status == 200
    assert "w0 has cosigned 12 entries already: this checkpoint of 9 is stale" in said(honest, 9)
    assert "another root of this size of 12: THE LEDGER IS FORKED" in said(forked, 12)
    assert "does not continue the 12 entries it cosigned: THE LEDGER IS FORKED" in said(forked, 20)
    stranger = signers.parse_signer(signers.new_key("log.example/2026")[0])
    assert "knows no key that signed this checkpoint" in said(honest, 20, stranger)
    other = signers.parse_signer(signers.new_key("other.example")[0])
    assert "does not watch this log" in said(honest, 20, other, "other.example")
    crowd.stop(0)
    assert "w0 cannot be reached" in said(honest, 20)


def test_128_ask_at_once_and_as_many_more_wait(tmp_path):
    """Two hundred who connect in one instant are all answered, and none is turned away."""
    crowd = Crowd(tmp_path, 1)
    port, body = crowd.made[0][1].server_address[1], History().ask(0, 5)
    statuses = []

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/add-checkpoint", body)
        statuses.append(connection.getresponse().status)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(witness_server.AT_ONCE + 72)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(statuses)) == [200, 409]
    assert len(statuses) == len(threads)
    crowd.stop(0)


def test_a_request_that_comes_byte_by_byte_ends_at_the_deadline(tmp_path, monkeypatch):
    monkeypatch.setattr(witness_server, "PATIENCE", 0.5)
    crowd = Crowd(tmp_path, 1)
    with socket.create_connection(("127.0.0.1", crowd.made[0][1].server_address[1])) as slow:
        with contextlib.suppress(OSError):
            for _ in range(600):
                slow.sendall(b"x")
                slow.settimeout(0.02)
                with contextlib.suppress(TimeoutError):
                    if slow.recv(1) == b"":
                        break
        slow.settimeout(5)
        with contextlib.suppress(ConnectionError):
            assert slow.recv(1) == b""
    crowd.stop(0)


@pytest.mark.parametrize("time", [0, 2**53 + 1, 2**63])
def test_a_cosignature_is_of_no_impossible_time(tmp_path, time):
    """The raw signature is right; only the time that it states cannot be."""
    signer = open_key(tmp_path, "w.example/1")
    text = checkpoint.body("log.example/2026", 5, bytes(32))
    raw = signer.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    assert not cosignature.accepts(signer.verifier, text, time.to_bytes(8, "big") + raw)
    spec = importlib.util.spec_from_file_location("verify_ledger", STRANGER)
    spec.loader.exec_module(stranger := importlib.util.module_from_spec(spec))
    with pytest.raises(stranger.Failure, match="impossible time"):
        stranger.Key(signer.key_text).check(text.encode(), time.to_bytes(8, "big") + raw)


W = [signers.new_key(f"w/{n}", Algorithm.ED25519_COSIGNATURE)[1] for n in range(6)]
LINES = "\n".join(f"witness {name} {key}" for name, key in zip(["x1", "x2", "x3", "y1", "y2", "y3"], W, strict=True))
GROUPS = "group x 2 x1 x2 x3\n\tgroup y any y1 y2 y3 \n\ngroup both all x y\nquorum both\n"
EXAMPLE = f"# two groups\nlog {LOG.key_text}\n{LINES}\n{GROUPS}"


@pytest.mark.parametrize(
    ("present", "met"),
    [((0, 1, 3), True), ((0, 1), False), ((0, 3, 4, 5), False), ((0, 2, 5), True), ((), False)],
)
def test_quorums_of_groups(present, met):
    believed = parse_policy(EXAMPLE.encode())
    keys = [witness.verifier for witness in believed.witnesses]
    assert believed.is_met({keys[n] for n in present}) is met


@pytest.mark.parametrize(
    "text",
    [
        "", "quorum x\n", "quorum none\nquorum none\n", f"witness none {W[0]}\nquorum none\n",
        f"witness a {W[0]}\nwitness a {W[1]}\nquorum a\n", f"witness a {W[0]}\nwitness b {W[0]}\nquorum a\n",
        f"witness a {W[0]}\ngroup g 2 a\nquorum g\n", f"witness a {W[0]}\ngroup g any a a\nquorum g\n",
        f"witness a {W[0]}\ngroup g 0 a\nquorum g\n", "group g any h\nquorum g\n", "group g any none\nquorum g\n",
        f"log {W[0]}\nquorum none\n", f"witness a {LOG.key_text}\nquorum a\n", "quorum none\r\n",
        f"witness a {W[0]}\ngroup g any a\ngroup h any a\nquorum g\n", "believe everybody\nquorum none\n",
        f"log {LOG.key_text}\nlog {LOG.key_text}\nquorum none\n",
    ],
    ids=lambda text: text.replace(LOG.key_text, "LOG").replace(W[0], "W0").replace(W[1], "W1"),  # keys differ each run
)  # fmt: skip
def test_policies_that_break_the_standard_are_refused(text):
    with pytest.raises(WrongInput):
        parse_policy(text.encode())


def test_without_witnesses_only_the_log_counts():
    assert policy.without_witnesses(LOG.verifier).accept(signed(0, tree.EMPTY_ROOT)).size == 0


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text().map(lambda text: f"quorum none\n{text}".encode()))
def test_no_policy_brings_the_reader_down(data):
    with contextlib.suppress(WrongInput):
        assert parse_policy(data).quorum
