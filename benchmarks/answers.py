"""The benchmark of answers about one person: build both maps, give an answer, verify it; and how long its file is.

The floor is calling `hashlib` as often as the maps need it: eight times a person (index, salts, and in each map the
commitment, the leaf and a node). An answer is measured over many persons, and verified under a policy
with three witnesses, against a ledger of 1.28 million entries, whose inclusion path it carries.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ledger import Spent, timed
from benchmarks.measure import Measure, measure, table
from gatehouse.ledger import dictionary, epoch
from gatehouse.ledger.witness_client import request_body

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from gatehouse.ledger.answer import Map
    from gatehouse.ledger.checkpoint import Checkpoint
    from gatehouse.ledger.epoch import Epoch
    from gatehouse.ledger.gathering import Prove
    from gatehouse.ledger.witness import Witness

_NOW = dt.datetime(2025, 8, 7, 14, tzinfo=dt.UTC)
_CALLS = 8
_COUNTED = 4_000_000
_LISTS = 200  # one person in so many has a list
_ENTRIES = 1_280_000
_ASKED = 200


def bench_answers(persons: int, folder: Path, say: Callable[[str], None] = lambda _: None) -> str:
    """Measure each step in a process of its own; returns the table in Markdown."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows, sizes = [], ""
    for step in (floor, build, answer):
        say(f"{step.__name__} …")
        one: Measure = measure(step, folder, persons)
        for name, spent in one.result.items():
            if isinstance(spent, Spent):
                rows.append((name, f"{spent.wall:.4g}", f"{spent.processor:.4g}", one.peak_mib))
            else:
                sizes = spent
    return table(("step", "seconds", "processor", "peak MiB"), rows) + f"\n{sizes}\n"


def floor(_folder: Path, persons: int) -> dict[str, Spent]:
    """As many calls of hashlib as both maps need, reckoned from some millions of them."""
    sha256, text = hashlib.sha256, bytes(65)
    some = min(persons * _CALLS, _COUNTED)

    def calls() -> None:
        for _ in range(some):
            sha256(text).digest()

    one, times = timed(calls), persons * _CALLS / some
    return {"floor: hashlib calls": Spent(one.wall * times, one.processor * times)}


def build(folder: Path, persons: int) -> dict[str, Spent]:
    """Both maps over everybody; one person in two hundred has a list."""
    from gatehouse.intake.workspace import open_workspace

    with open_workspace("3GB") as connection:
        connection.execute(f"CREATE TABLE persons AS SELECT 3 * range AS person_id FROM range({persons})")
        connection.execute(
            f"CREATE TABLE disclosures AS SELECT 3 * range * {_LISTS} AS person_id, range AS entry, "
            "DATE '2025-08-07' AS released_on, 'us.dhs.ice' AS agency, 'last_known_address' AS items, "
            f"CASE WHEN range % 2 = 0 THEN DATE '2025-08-07' END AS told_from FROM range({persons // _LISTS})"
        )
        return {
            "build both maps": timed(
                lambda: epoch.build(connection, "persons", "disclosures", _NOW.date(), folder / "epoch")
            )
        }


def answer(folder: Path, _persons: int) -> dict[str, Spent | str]:
    """Find, write and verify answers, with a ledger and three witnesses of this run."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.ledger import policy
    from gatehouse.ledger.answer import Map, verify

    known = epoch.read(folder / "epoch")
    trusted, publish = _site(folder, known)
    with open_workspace() as connection:
        made: list[bytes] = []
        asked = [3 * number * max(1, known.persons // _ASKED // _LISTS) * _LISTS // 2 for number in range(_ASKED)]
        giving = timed(lambda: made.extend(publish(connection, person, Map.NOTICE) for person in asked))
    checking = timed(lambda: [verify(one, policy.parse_policy(trusted)) for one in made])
    lengths = {len(one) for one in made}
    told = (
        f"An answer has {max(lengths):,} bytes, for everybody. Giving and verifying are means over {len(made)} "
        "persons; verifying reads the policy each time."
    )
    return {"give one answer": _mean(giving), "verify one answer": _mean(checking), "size": told}


def _mean(spent: Spent) -> Spent:
    return Spent(spent.wall / _ASKED, spent.processor / _ASKED)


def _site(folder: Path, known: Epoch) -> tuple[bytes, Callable[..., bytes]]:
    """A ledger with the epoch's entry and three witnesses: the policy to believe, and what gives answers from it."""
    from gatehouse.ledger import commitments, policy, signers, tiles, tree
    from gatehouse.ledger.answer import Answer, Map, Stated
    from gatehouse.ledger.log import Log
    from gatehouse.ledger.witness import Witness, open_key

    signer = signers.parse_signer(signers.new_key("gateway.example/disclosures/2026")[0])
    keys = [open_key(folder / f"w{number}", f"witness.example/{number}") for number in range(3)]
    lines = [f"log {signer.key_text}", *(f"witness w{number} {key.key_text}" for number, key in enumerate(keys))]
    trusted = "\n".join([*lines, "group outside 2 w0 w1 w2", "quorum outside", ""]).encode()
    witnesses = [
        _Beside(Witness(folder / f"w{number}", key, [signer.verifier], lambda: _NOW)) for number, key in enumerate(keys)
    ]
    stated = {str(which): Stated(known.as_of, _ENTRIES, known.nonce, known.root(which)).document() for which in Map}
    entry, opening = commitments.commit_event({"event": "answers", **stated})
    with Log.create(folder / "ledger", signer, state=folder / "state") as log:
        log.append("determinations", [number.to_bytes(53, "big") for number in range(_ENTRIES)])
        earlier = log.publish(_NOW, policy=policy.parse_policy(trusted), witnesses=witnesses)
        index = log.append("answers", [entry])
        shown = log.publish(_NOW, policy=policy.parse_policy(trusted), witnesses=witnesses)
    reader = tiles.TileReader(folder / "ledger", shown.size)

    def publish(connection: DuckDBPyConnection, person: int, which: Map) -> bytes:
        found = epoch.find(connection, known, person, which)
        proof = b"".join(tree.inclusion_proof(index, shown.size, reader.node))
        return Answer(
            which, person, opening.only([str(which)]), index, proof, earlier.encoded.decode(), shown.encoded.decode(),
            found.path, found.leaf, found.salt, dictionary.page_digests(found.pages), 1, found.pages[0],
        ).encode()  # fmt: skip

    return trusted, publish


@dataclass(frozen=True)
class _Beside:
    """A witness in this process, asked as one behind HTTP would be."""

    witness: Witness

    def cosign(self, checkpoint: Checkpoint, prove: Prove) -> list[str]:
        """The witness's line for the first checkpoint, or for the one after it."""
        old = 0 if checkpoint.size == _ENTRIES else _ENTRIES
        answer = self.witness.add_checkpoint(request_body(old, prove(old) if old else [], checkpoint.encoded))
        return answer.body.decode().splitlines() if answer.status == 200 else []
