"""Asking witnesses for their cosignature, over HTTP or by files carried by hand (c2sp.org/tlog-witness).

A witness that cannot be reached, declines or answers nonsense contributes nothing, and what it said is told; whether
enough others did is the policy's question, not this module's.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import asking, cosignature
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.gathering import Declined, Prove
from gatehouse.ledger.note import SignatureLine
from gatehouse.ledger.policy import Witness

_MAX_ANSWER = 1 << 16
_SECONDS = 10.0


def request_body(old: int, proof: list[bytes], checkpoint: bytes) -> bytes:
    """The body of add-checkpoint: old size, consistency proof, empty line, checkpoint."""
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in proof)]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint


@dataclass(frozen=True)
class HttpWitness:
    """A witness that answers at the address that the policy gives for it, within so many seconds for each question."""

    witness: Witness
    seconds: float = _SECONDS

    def cosign(self, checkpoint: Checkpoint, prove: Prove) -> list[str]:
        """The witness's cosignature line. Raises Declined with what the witness said or failed to say."""
        status, answer = self._ask(request_body(0, [], checkpoint.encoded))
        seen = answer.strip()
        asked = 0
        if status == 409 and seen.isdigit() and len(seen) < 20 and 0 < int(seen) <= checkpoint.size:
            asked = int(seen)
            status, answer = self._ask(request_body(asked, prove(asked), checkpoint.encoded))
        found = _genuine(answer, self.witness, checkpoint) if status == 200 else []
        if not found:
            raise Declined(f"{self.witness.name} {_refusal(status, answer, asked, checkpoint.size)}")
        return found

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        url = (self.witness.url or "").rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise WrongInput("a witness's address must begin with http:// or https://", where=self.witness.name)
        try:
            return asking.post(f"{url}/add-checkpoint", body, seconds=self.seconds, most=_MAX_ANSWER)
        except OSError:
            raise Declined(f"{self.witness.name} cannot be reached") from None


def _refusal(status: int, answer: bytes, asked: int, size: int) -> str:
    """What a witness's refusal means, told of the witness (c2sp.org/tlog-witness)."""
    seen = answer.strip()
    if status == 409 and seen.isdigit() and len(seen) < 20:
        if int(seen) > size:
            return f"has cosigned {int(seen)} entries already: this checkpoint of {size} is stale"
        return f"was asked by another at the same time and has now cosigned {int(seen)} entries"
    told = {
        200: "answered without a cosignature of its key over this checkpoint",
        400: "did not understand the request",
        403: "knows no key that signed this checkpoint: it needs the log's present key",
        404: "does not watch this log: it needs the log's key",
        409: f"has cosigned another root of this size of {size}: THE LEDGER IS FORKED",
        422: f"finds that this checkpoint does not continue the {asked} entries it cosigned: THE LEDGER IS FORKED",
    }
    return told.get(status, f"answered with status {status}")


@dataclass(frozen=True)
class CarriedWitness:
    """A witness without a network: a request file goes out to it, a cosignature file comes back.

    `folder` holds `<size>.request` (written here) and `<size>.cosignature` (what `gatehouse witness cosign` wrote);
    `seen` is the size it last cosigned, known from the answer before.
    """

    witness: Witness
    folder: Path
    seen: int = 0

    def cosign(self, checkpoint: Checkpoint, prove: Prove) -> list[str]:
        """The line that came back for this size. When none did yet, lays the request out and raises Declined."""
        found = self.returned(checkpoint)
        if found:
            return found
        proof = prove(self.seen) if self.seen else []
        request = self.folder / f"{checkpoint.size}.request"
        files.write(request, request_body(self.seen, proof, checkpoint.encoded))
        raise Declined(f"{self.witness.name} has no network, and its answer to {request.name} did not come back yet")

    def returned(self, checkpoint: Checkpoint) -> list[str]:
        """The line that came back for a checkpoint of any size that was once laid out, if it did."""
        answer = self.folder / f"{checkpoint.size}.cosignature"
        if not answer.is_file():
            return []
        with answer.open("rb") as stream:
            return _genuine(stream.read(_MAX_ANSWER), self.witness, checkpoint)


def _genuine(answer: bytes, witness: Witness, checkpoint: Checkpoint) -> list[str]:
    found = []
    for line in answer.decode(errors="replace").split("\n"):
        try:
            signature = SignatureLine.parse(line)
        except WrongInput:
            continue
        known = signature.is_by(witness.verifier)
        if known and cosignature.accepts(witness.verifier, checkpoint.note.text, signature.signature):
            found.append(line)
    return found[:1]
