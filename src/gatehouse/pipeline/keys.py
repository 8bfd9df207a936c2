"""The custodian's signature: by the key in this process's reach, or by the sealer, which alone has it."""

from __future__ import annotations

from gatehouse.kernel.line import Call
from gatehouse.ledger.signers import KeySigner, Signer, read_signer, read_verifier
from gatehouse.pipeline.parts import Part, messages
from gatehouse.pipeline.site import Site

_MOST = 1 << 16


def custodian(site: Site) -> Signer:
    """What signs receipts, answers, notices, reports and the lists of the trust folder for the custodian."""
    sealer = site.parts.of(Part.SEALER) if site.parts else None
    if sealer is None:
        return read_signer(site.custodian_key)

    def signed(message: bytes) -> bytes:
        with Call(sealer, messages.FROM_SEALER, most=_MOST) as call:
            said, _ = call.ask(messages.Sign(), message)
        assert isinstance(said, messages.Signature)  # noqa: S101 - the sealer's answer to this question
        return bytes.fromhex(said.hex)

    return KeySigner(read_verifier(site.root / "custodian.vkey"), signed)
