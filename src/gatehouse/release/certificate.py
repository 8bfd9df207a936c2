"""The certificate: everything that must be true before a record may leave, in one file that anyone can check.

It carries entries of the ledger, opened, with the path of each to one checkpoint; the submission as the agency signed
it; the decisions as the officers signed them. This module knows its form (docs/release.md has it byte by byte), and
`binding` what it must prove. Nothing in it is believed for the custodian's saying so.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatehouse.casework import statement
from gatehouse.casework.records import Decision
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import tree
from gatehouse.ledger.opening import Opening

FORM = "gatehouse-certificate/2"
ALGORITHMS = {
    "digest": "SHA-256", "tree": "RFC 6962 with SHA-256", "opening": "gatehouse-opening/1",
    "signature": "C2SP signed note", "sealing": "age-encryption.org/v1",
}  # fmt: skip
"""By name, so that another suite is another value and never a guess."""
_FIELDS = {
    "format", "algorithms", "checkpoint", "earlier", "nodes", "manifest", "manifest_signature", "receipt", "received",
    "docket", "adopted", "roster", "decisions", "release", "records",
}  # fmt: skip
_EVENT = {"index", "batch", "digests", "shown", "proof"}
_RECORD = {"seq", "items", "digests", "shown", "proof"}
_MOST_BYTES = 1 << 30
_MOST_EVENTS = 4096


@dataclass(frozen=True)
class Placed:
    """An entry with its opening, and the numbers of the nodes on its path to the checkpoint."""

    index: int
    opening: Opening
    proof: tuple[int, ...]

    def document(self) -> dict[str, Any]:
        """The same as JSON; an event is alone in its batch."""
        return {
            "index": self.index, "batch": self.opening.batch, "digests": list(self.opening.digests),
            "shown": list(self.opening.shown), "proof": list(self.proof),
        }  # fmt: skip


@dataclass(frozen=True)
class Earlier:
    """A checkpoint published earlier, and the numbers of the nodes that show that the newest one continues it."""

    checkpoint: bytes
    proof: tuple[int, ...]


@dataclass(frozen=True)
class Taken:
    """A decision as its officer signed it, what it is about, and its entry."""

    statement: Statement
    selection: Selection
    entry: Placed


@dataclass(frozen=True)
class Record:
    """One determination: request and answer opened. Its place follows from its row."""

    seq: int
    items: tuple[str, ...]
    digests: tuple[str, ...]
    shown: tuple[str, ...]
    proof: tuple[int, ...]

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "seq": self.seq, "items": list(self.items), "digests": list(self.digests), "shown": list(self.shown),
            "proof": list(self.proof),
        }  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """A certificate in its parts, unchecked."""

    checkpoint: bytes
    earlier: tuple[Earlier, ...]
    nodes: tuple[bytes, ...]
    manifest: bytes
    """submission.json, to the byte."""
    manifest_signature: bytes
    receipt: bytes
    """receipt.json, to the byte."""
    received: Placed
    docket: Placed
    adopted: tuple[Placed, ...]
    """The adoption of the pack that determined, and of the one in force on the day, where that is another."""
    roster: Placed
    """Who may decide, as the ledger had it before the release."""
    decisions: tuple[Taken, ...]
    release: Placed
    records: tuple[Record, ...]

    def path(self, proof: Sequence[int], *, where: str) -> list[bytes]:
        """The nodes of a proof. Raises WrongInput for a number that names none."""
        if any(not 0 <= number < len(self.nodes) for number in proof):
            raise WrongInput("a proof of the certificate names a missing node", where=where)
        return [self.nodes[number] for number in proof]

    def encode(self) -> bytes:
        """The certificate's bytes."""
        return encode(
            {
                "format": FORM,
                "algorithms": ALGORITHMS,
                "checkpoint": self.checkpoint.decode(),
                "earlier": [
                    {"checkpoint": one.checkpoint.decode(), "proof": list(one.proof)} for one in self.earlier
                ],
                "nodes": base64.b64encode(b"".join(self.nodes)).decode("ascii"),
                "manifest": self.manifest.decode(),
                "manifest_signature": self.manifest_signature.decode(),
                "receipt": self.receipt.decode(),
                "received": self.received.document(),
                "docket": self.docket.document(),
                "adopted": [one.document() for one in self.adopted],
                "roster": self.roster.document(),
                "decisions": [
                    {"statement": one.statement.document(), "selection": one.selection.text(),
                     "entry": one.entry.document()} for one in self.decisions
                ],
                "release": self.release.document(),
                "records": [one.document() for one in self.records],
            }
        )  # fmt: skip


class Pool:
    """Nodes of the tree, each kept once; a proof is the numbers of its nodes."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def numbers(self, path: Iterable[bytes]) -> tuple[int, ...]:
        """The numbers of these nodes; new ones are taken in."""
        return tuple(self._numbers.setdefault(node, len(self._numbers)) for node in path)

    @property
    def nodes(self) -> tuple[bytes, ...]:
        """Every node, in the order of the numbers."""
        return tuple(self._numbers)


def standing(decisions: Iterable[Decision], cases: Selection) -> list[Decision]:
    """The approvals and clearances on which any of these cases rests: those that no later reopening or hold undid.

    An approval that was taken back must not stand in the way: its officer may have lost the authority since.
    """
    found: list[Decision] = []
    reopened, held = Selection(), Selection()
    for decision in reversed(list(decisions)):
        match decision.statement.body.get("action"):
            case Action.HOLD:
                held = held | decision.selection
            case Action.REOPEN:
                reopened = reopened | decision.selection
            case Action.APPROVE if (decision.selection & cases) - reopened - held:
                found.append(decision)
            case Action.CLEAR if (decision.selection & cases) - held:
                found.append(decision)
    return found[::-1]


def encode(document: object) -> bytes:
    """Canonical JSON in one pass of the C encoder, for documents of 47,000 records: every key is ASCII, so sorting by
    code point is sorting by UTF-16, and numbers are whole.
    """
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def parse(data: bytes, *, where: str = "certificate.json") -> Certificate:
    """Read a certificate's form: exactly these fields, in canonical JSON. Raises WrongInput when it is none."""
    document = _document(data, where)
    texts = ("checkpoint", "nodes", "manifest", "manifest_signature", "receipt")
    lists = ("earlier", "adopted", "decisions", "records")
    if not all(isinstance(document[name], str) for name in texts):
        raise WrongInput("checkpoint, nodes, manifest, manifest_signature and receipt must be strings", where=where)
    if not all(isinstance(document[name], list) for name in lists):
        raise WrongInput("earlier, adopted, decisions and records must be lists", where=where)
    if len(document["earlier"]) + len(document["adopted"]) + len(document["decisions"]) > _MOST_EVENTS:
        raise WrongInput("the certificate contains more entries than one release can rely on", where=where)
    return Certificate(
        checkpoint=document["checkpoint"].encode(),
        earlier=tuple(_earlier(each, where) for each in document["earlier"]),
        nodes=_nodes(document["nodes"], where),
        manifest=document["manifest"].encode(),
        manifest_signature=document["manifest_signature"].encode(),
        receipt=document["receipt"].encode(),
        received=_placed(document["received"], where),
        docket=_placed(document["docket"], where),
        adopted=tuple(_placed(each, where) for each in document["adopted"]),
        roster=_placed(document["roster"], where),
        decisions=tuple(_taken(each, where) for each in document["decisions"]),
        release=_placed(document["release"], where),
        records=tuple(_record(each, where) for each in document["records"]),
    )


def _document(data: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(data) if len(data) <= _MOST_BYTES else {}
        whole = isinstance(document, dict) and set(document) == _FIELDS and encode(document) == data
        whole = whole and (document["format"], document["algorithms"]) == (FORM, ALGORITHMS)
    except (ValueError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise WrongInput("this is not a certificate in a supported format", where=where, remedy="Ask for a new copy")
    parsed: dict[str, Any] = document
    return parsed


def _nodes(text: str, where: str) -> tuple[bytes, ...]:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b"?"
    if len(data) % tree.HASH or base64.b64encode(data).decode("ascii") != text:
        raise WrongInput("the nodes of the certificate cannot be read", where=where)
    nodes = tuple(data[at : at + tree.HASH] for at in range(0, len(data), tree.HASH))
    if len(set(nodes)) != len(nodes):
        raise WrongInput("a node of the certificate appears twice", where=where)
    return nodes


def _earlier(value: object, where: str) -> Earlier:
    if not isinstance(value, dict) or set(value) != {"checkpoint", "proof"} or not isinstance(value["checkpoint"], str):
        raise WrongInput("an earlier checkpoint of the certificate cannot be read", where=where)
    return Earlier(value["checkpoint"].encode(), _proof(value["proof"], where))


def _placed(value: object, where: str) -> Placed:
    if not isinstance(value, dict) or set(value) != _EVENT or type(value["index"]) is not int or value["index"] < 0:
        raise WrongInput("an entry of the certificate does not have the required fields", where=where)
    opening = _opening(value["batch"], 0, value, where)
    return Placed(value["index"], opening, _proof(value["proof"], where))


def _taken(value: object, where: str) -> Taken:
    names = {"statement", "selection", "entry"}
    if not isinstance(value, dict) or set(value) != names or not isinstance(value["selection"], str):
        raise WrongInput("a decision of the certificate cannot be read", where=where)
    selection = Selection.of_text(value["selection"])
    if selection.text() != value["selection"]:
        raise WrongInput("a selection of the certificate is not in the required form", where=where)
    return Taken(statement.of_document(value["statement"], where=where), selection, _placed(value["entry"], where))


def _record(value: object, where: str) -> Record:
    if not isinstance(value, dict) or set(value) != _RECORD or type(value["seq"]) is not int:
        raise WrongInput("a record of the certificate does not have the required fields", where=where)
    lists = [value[name] for name in ("items", "digests", "shown")]
    if not all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in lists):
        raise WrongInput("a record of the certificate has a field that must be a list", where=where)
    items, digests, shown = map(tuple, lists)
    return Record(value["seq"], items, digests, shown, _proof(value["proof"], where))


def opened(batch: str, record: Record, *, where: str) -> Opening:
    """The opening of a record, whose batch and place the receipt's entry says. Raises WrongInput on its form."""
    document = {"batch": batch, "digests": list(record.digests), "shown": list(record.shown)}
    return _opening(batch, record.seq, document, where)


def _opening(batch: object, seq: int, value: Mapping[str, Any], where: str) -> Opening:
    document = {
        "format": "gatehouse-opening/1", "batch": batch, "seq": seq, "digests": value["digests"],
        "shown": value["shown"],
    }  # fmt: skip
    return Opening.parse(encode(document), where=where)


def _proof(value: object, where: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(number) is int for number in value):
        raise WrongInput("a proof of the certificate must be a list of numbers", where=where)
    return tuple(value)
