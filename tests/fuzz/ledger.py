"""Every reader of hostile bytes in the ledger, of certificates, receipts and a docket's entries, and in the verifiers
beside it: what each may answer, and good inputs.

Run under atheris (coverage-guided) by `.ci/run`, and under hypothesis by tests/ledger/test_fuzz.py. A reader may refuse
with an error of its own and nothing else; what it accepts must be what was signed.

Usage: python ledger.py [atheris options]
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

CHECKOUT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
RELEASE = CHECKOUT / "tests" / "hostile" / "releases" / "format-2"
"""A certificate of release format 2 with its trust folder, and the receipt and entries of its docket: invented data."""
LONGEST = 400
"""Characters of a refusal, which is one line."""


@functools.cache
def stranger(name):
    """A tool of verifier/, which shares no code with Gatehouse nor with another tool."""
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "verifier" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class World:
    """One small ledger with a proof and an answer about one person, and every reader bound to its policy."""

    def __init__(self, folder):
        import duckdb

        from gatehouse.ledger import answer, commitments, dictionary, epoch, proof, signers, tiles, tree
        from gatehouse.ledger.log import Log
        from gatehouse.ledger.policy import parse_policy
        from gatehouse.ledger.witness import Witness, open_key
        from gatehouse.ledger.witness_client import request_body

        signer = signers.parse_signer(signers.new_key("log.example/2026")[0])
        text = f"log {signer.key_text}\nquorum none\n".encode()
        (folder / "my.policy").write_bytes(text)
        self.policy = parse_policy(text)
        connection = duckdb.connect()
        connection.execute("CREATE TABLE p AS SELECT range AS person_id FROM range(40)")
        connection.execute(
            "CREATE TABLE d AS SELECT 5 AS person_id, 1 AS entry, DATE '2026-01-01' AS released_on, 'a.b' AS agency, "
            "'last_known_address' AS items, DATE '2026-01-02' AS told_from"
        )
        built = epoch.build(connection, "p", "d", NOW.date(), folder / "epoch")
        stated = {
            str(which): answer.Stated(built.as_of, 5, built.nonce, built.root(which)).document() for which in answer.Map
        }
        entry, opening = commitments.commit_event({"event": "answers", **stated})
        with Log.create(folder / "ledger", signer, state=folder / "state") as log:
            log.append("some", [hashlib.sha512(bytes([n])).digest()[:53] for n in range(5)])
            earlier = log.publish(NOW)
            index = log.append("answers", [entry])
            shown = log.publish(NOW)
            reader = log.reader()
            found = epoch.find(connection, built, 5, answer.Map.NOTICE)
            path = b"".join(tree.inclusion_proof(index, shown.size, reader.node))
            self.proof = proof.prove_inclusion(reader, index, shown, opening)
        self.answer = answer.Answer(
            answer.Map.NOTICE, 5, opening.only(["notice"]), index, path, earlier.encoded.decode(),
            shown.encoded.decode(), found.path, found.leaf, found.salt, dictionary.page_digests(found.pages), 1,
            found.pages[0],
        ).encode()  # fmt: skip
        self.witness = Witness(folder / "w", open_key(folder / "w", "witness.example"), [signer.verifier], lambda: NOW)
        self.folder = folder
        self.trust = self._trusted()
        received = json.loads((RELEASE / "received.json").read_bytes())
        fields = {name: value for _, name, value in map(json.loads, received["shown"])}
        self.seeds = {
            "certificate": (RELEASE / "certificate.json").read_bytes(),
            "received": (RELEASE / "received.json").read_bytes(),
            "docket": (RELEASE / "docket.json").read_bytes(),
            "receipt": (RELEASE / "receipt.json").read_bytes(),
            "entry": json.dumps(fields).encode(),
            "checkpoint": shown.encoded,
            "proof": self.proof,
            "opening": opening.encode(),
            "answer": self.answer,
            "bundle": (folder / "ledger" / tiles.entries_name(0, shown.size)).read_bytes(),
            "policy": text,
            "halt": _halt(),
            "stamp": b"\x30\x03\x02\x01\x00",
            "request": request_body(0, [], shown.encoded),
            "key": signer.key_text.encode(),
        }

    def _trusted(self):
        from gatehouse.release import trust

        release, folder = stranger("verify_release"), RELEASE / "trust"
        name = trust.read(folder).policy.logs[0].name
        return (
            trust.read(folder), release,
            (release.Policy(str(folder / "witnesses.policy")), release.Trust(str(folder), name), None),
        )  # fmt: skip

    def read(self, name, data):
        """Let one reader, and the stranger's where there is one, read bytes. Only refusals of one line may come out."""
        from gatehouse.kernel.errors import GatehouseError

        ours, theirs = self.readers()[name]
        said, refused = None, ""
        try:
            said = ours(data)
        except GatehouseError as error:
            refused = str(error)
        assert "\n" not in refused, f"{name}: a refusal of several lines"
        assert len(refused) < LONGEST, f"{name}: a refusal that repeats what it was given"
        if theirs is None:
            return said
        failures = [stranger(name).Failure for name in ("verify_ledger", "verify_answer", "verify_release")]
        try:
            told = theirs(data)
        except (*failures, *MALFORMED):
            told = None
        assert (said is None) == (told is None), f"{name}: one accepts what the other refuses"
        return said

    def readers(self):
        """For each kind of input: our reader, and the stranger's or None."""
        from gatehouse.ledger import answer, entries, halt, proof, signers, tiles
        from gatehouse.ledger import policy as policies
        from gatehouse.ledger.opening import Opening
        from gatehouse.release import binding

        ledger, answers = stranger("verify_ledger"), stranger("verify_answer")
        of_log, of_answers = (_stranger_policy(tool, self.policy) for tool in (ledger, answers))
        believed, release, known = self.trust
        return {
            "certificate": (
                lambda data: binding.verify(data, believed).header,
                lambda data: release.check(data, *known),
            ),
            "received": (lambda data: entries.Received.of(Opening.parse(data).fields(), where="received"), None),
            "docket": (lambda data: entries.Docketed.of(Opening.parse(data).fields(), where="docket"), None),
            "receipt": (self._receipt, None),
            "entry": (_entry, None),
            "checkpoint": (self.policy.accept, lambda data: of_log.accept(data, "checkpoint")),
            "proof": (lambda data: proof.verify_proof(data, self.policy), None),
            "opening": (lambda data: Opening.parse(data).fields(), None),
            "answer": (
                lambda data: answer.verify(data, self.policy),
                lambda data: answers.check_answer(data, of_answers),
            ),
            "bundle": (lambda data: tiles.decode_bundle(data, 6), None),
            "policy": (policies.parse_policy, None),
            "halt": (lambda data: halt.Oversight((), 1, 1).accept(data), None),
            "stamp": (_stamp, None),
            "request": (self._request, None),
            "key": (lambda data: signers.Verifier.parse(data.decode("latin-1")), None),
        }

    def _receipt(self, data):
        """The receipt of a docket, as `verify docket` reads it."""
        from gatehouse.ledger import docket_proof

        (self.folder / "receipt.json").write_bytes(data)
        found = SimpleNamespace(first=1, received=SimpleNamespace(as_of="2026-01-02"))
        return docket_proof.dated(self.folder, self.folder / "ledger", found, self.policy)

    def _request(self, data):
        status = self.witness.add_checkpoint(data).status
        assert status in {200, 400, 403, 404, 409, 422}
        return status


def _entry(data):
    """The fields of an entry, as one of the kinds that a certificate rests on; what is taken is all that was given."""
    from gatehouse.kernel.errors import WrongInput
    from gatehouse.ledger import entries

    kinds = (entries.Received, entries.Docketed, entries.Decided, entries.Adopted, entries.Released)
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        raise WrongInput("no JSON") from None
    if not isinstance(fields, dict):
        raise WrongInput("no fields")
    kind = next((one for one in kinds if fields.get("event") == one.EVENT), entries.Received)
    taken = kind.of(fields, where="entry")
    assert taken.fields() == fields
    return taken


def edited(seed, data):
    """A document of JSON with a few members left out, swapped, doubled or of another type, as the bytes say."""
    document = json.loads(seed)
    for at in range(0, min(len(data), 16) - 3, 4):
        places = list(_places(document))
        if not places:
            break
        number, how, other = data[at] << 8 | data[at + 1], data[at + 2] % 4, data[at + 3]
        inside, key = places[number % len(places)]
        if how == 0:
            del inside[key]
        elif how == 1:
            whence, name = places[other * 257 % len(places)]
            inside[key] = json.loads(json.dumps(whence[name]))
        elif how == 2 and isinstance(inside, list):
            inside.insert(key, json.loads(json.dumps(inside[key])))
        else:
            inside[key] = (None, True, 0, -1, 1 << 63, "", "A", [], {}, [[]])[other % 10]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _places(value):
    steps = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for step in steps:
        yield value, step
        yield from _places(value[step])


MALFORMED = (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError)
"""What the stranger's tools answer as malformed, in one line, where they begin."""
DOCUMENTS = ("certificate", "received", "docket", "receipt", "entry")
"""Kinds that are JSON, of which `edited` makes inputs that come further than spliced bytes do."""


def _stranger_policy(tool, policy):
    trusted = tool.Policy.__new__(tool.Policy)
    trusted.logs, trusted.witnesses, trusted.groups, trusted.quorum = [], {}, {}, "none"
    trusted.logs = [tool.Key(one.text) for one in policy.logs]
    return trusted


def _halt():
    from gatehouse.ledger import halt, signers

    key = signers.parse_signer(signers.new_key("inspector")[0])
    return halt.write(halt.Action.HALT, halt.Scope.parse("everything"), NOW, "Why", key)


def _stamp(data):
    from gatehouse.ledger import timestamps

    return timestamps.verify(b"checkpoint", data, [])


def main():
    """Fuzz every reader for as long as the options say.

    The first byte of an input chooses the reader, and whether the rest is its input or edits of a good one.
    """
    import atheris

    rooms = [f"gatehouse.{room}" for room in ("ledger", "kernel", "release", "casework", "intake.manifest")]
    with atheris.instrument_imports(include=rooms):
        import gatehouse.ledger.answer
        import gatehouse.ledger.docket_proof
        import gatehouse.ledger.halt
        import gatehouse.ledger.proof
        import gatehouse.ledger.timestamps
        import gatehouse.ledger.witness
        import gatehouse.release.binding  # noqa: F401 - instrumented by being imported here

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = World(folder)
        names = sorted(world.seeds)
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, kind in enumerate(names):
            (corpus / kind).write_bytes(bytes([number]) + world.seeds[kind])
        for kind in DOCUMENTS:
            first = next(byte for byte in range(128, 256) if DOCUMENTS[byte % len(DOCUMENTS)] == kind)
            (corpus / f"{kind}-edited").write_bytes(bytes([first, 0, 9, 3, 4]))

        def once(data):
            if data and data[0] >= 128:
                kind = DOCUMENTS[data[0] % len(DOCUMENTS)]
                world.read(kind, edited(world.seeds[kind], bytes(data[1:])))
            elif data:
                world.read(names[data[0] % len(names)], bytes(data[1:]))

        atheris.Setup([sys.argv[0], *sys.argv[1:], str(corpus)], once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
