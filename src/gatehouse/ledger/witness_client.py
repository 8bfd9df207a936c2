"""Asking witnesses for their cosignature, over HTTP or by files carried by hand (c2sp.org/tlog-witness).

A witness that cannot be reached, declines or answers nonsense contributes nothing; whether enough others did is the
policy's question, not this module's.
"""

from __future__ import annotations

import base64
import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import cosignature
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.log import Prove
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
    """A witness that answers at the address that the policy gives for it."""

    witness: Witness
    seconds: float = _SECONDS

    def cosign(self, checkpoint: Checkpoint, prove: Prove) -> list[str]:
        """The witness's cosignature lines; empty when it cannot be reached, declines or answers nonsense."""
        try:
            status, answer = self._ask(request_body(0, [], checkpoint.encoded))
            seen = answer.strip()
            if status == 409 and seen.isdigit() and len(seen) < 20 and 0 < int(seen) <= checkpoint.size:
                status, answer = self._ask(request_body(int(seen), prove(int(seen)), checkpoint.encoded))
        except (OSError, http.client.HTTPException, ValueError):
            return []
        return _genuine(answer, self.witness, checkpoint) if status == 200 else []

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        url = (self.witness.url or "").rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise WrongInput("a witness's address begins with http:// or https://", where=self.witness.name)
        request = urllib.request.Request(f"{url}/add-checkpoint", data=body, method="POST")  # noqa: S310 - checked
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:  # noqa: S310 - checked above
                return answer.status, answer.read(_MAX_ANSWER)
        except urllib.error.HTTPError as declined:
            with declined:
                return declined.code, declined.read(_MAX_ANSWER)


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
        """The lines that came back for this size; when none did yet, the request is laid out and the answer is none."""
        answer = self.folder / f"{checkpoint.size}.cosignature"
        if answer.is_file():
            return _genuine(answer.read_bytes()[:_MAX_ANSWER], self.witness, checkpoint)
        proof = prove(self.seen) if self.seen else []
        files.write(self.folder / f"{checkpoint.size}.request", request_body(self.seen, proof, checkpoint.encoded))
        return []


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
