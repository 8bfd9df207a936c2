"""Time-stamps: an outside authority's word that a checkpoint existed at some time (RFC 3161).

A token covers the exact bytes of `checkpoints/<size>` and lies beside it as `<size>.tsr`, so that
`openssl ts -verify -data <size> -in <size>.tsr -CAfile roots.pem` checks it without any of this code. Needs the
`timestamps` extra; without it nothing is stamped and nothing pretends to be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from gatehouse.kernel import extras
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import asking

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

_MAX_TOKEN = 1 << 16
DEADLINE = 20.0
"""Seconds after which no further authority is asked; one that was asked by then has its own seconds to answer."""

Authority = Callable[[bytes], bytes]
"""A time-stamping authority: DER query in, DER answer out; raises OSError when it cannot be reached."""


@dataclass(frozen=True)
class HttpAuthority:
    """An authority that answers at an address (RFC 3161 §3.4)."""

    url: str
    seconds: float = 10.0

    def __call__(self, query: bytes) -> bytes:
        """Send one query and return the answer; raises OSError when none comes within `seconds` in all."""
        if not self.url.startswith(("http://", "https://")):
            raise WrongInput("an authority's address must begin with http:// or https://")
        kind = "application/timestamp-query"
        status, answer = asking.post(self.url, query, seconds=self.seconds, most=_MAX_TOKEN, content_type=kind)
        if status != 200:
            raise OSError(f"status {status}")
        return answer


def stamp(data: bytes, authorities: Sequence[Authority], roots: Sequence[Certificate] = ()) -> bytes:
    """A token over these bytes from the first authority that gives one; raises MachineFailed when none does.

    The answer's form, status, digest and nonce are checked, and its signature where `roots` are given; whom else to
    believe is the verifier's question. No further authority is asked after `DEADLINE` seconds.
    """
    library, until, doubted = _library(), time.monotonic() + DEADLINE, False
    for authority in authorities:
        if time.monotonic() > until:
            break
        query = library.TimestampRequestBuilder().data(data).nonce(nonce=True).build()
        try:
            token = authority(query.as_bytes())
            answer = library.decode_timestamp_response(token)
        except Exception:  # noqa: BLE001, S112 - unreachable or nonsense, the next authority is asked
            continue
        if _answers(answer, query.message_imprint.message, query.nonce):
            if _believed(data, token, roots):
                return token
            doubted = True
    if doubted:
        raise MachineFailed(
            "a time-stamping authority answered, but none of the given certificates is its root",
            remedy="Compare the authority's root with [timestamps] roots",
        )
    raise MachineFailed("no time-stamping authority answered", remedy="Try again, or name another authority")


def verify(data: bytes, token: bytes, roots: list[Certificate], *, where: str = "time-stamp") -> datetime:
    """When these bytes existed, by the word of an authority under one of the roots; raises AnswerIsNo otherwise."""
    library = _library()
    try:
        answer = library.decode_timestamp_response(token)
        builder = library.VerifierBuilder(roots=list(roots))
        builder.build().verify_message(answer, data)
    except Exception:  # noqa: BLE001 - whatever a parser of hostile bytes raises, the answer is no
        raise AnswerIsNo(
            "the time-stamp does not cover the checkpoint, or none of the given certificates is its authority's root",
            where=where,
        ) from None
    instant: datetime = answer.tst_info.gen_time
    return instant


def roots(certificates: Path) -> list[Certificate]:
    """The certificates under which an authority's word counts, from a PEM file."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(certificates.read_bytes())
    except (OSError, ValueError):
        raise WrongInput("the certificates must be a PEM file", where=certificates.name) from None


def verify_all(ledger: Path, certificates: Path) -> int:
    """Check every time-stamp of a ledger; returns how many there are. Raises AnswerIsNo where there is none."""
    trusted = roots(certificates)
    found = sorted((ledger / "checkpoints").glob("*.tsr"))
    if not found:
        raise AnswerIsNo("no checkpoint of this ledger is time-stamped", where=ledger.name)
    for path in found:
        verify(path.with_suffix("").read_bytes(), _token(path), trusted, where=f"checkpoints/{path.name}")
    return len(found)


@dataclass(frozen=True)
class Stamped:
    """How a ledger stands with its time-stamps; one that does not verify counts as none."""

    newest: bool
    """Whether the newest published checkpoint is stamped."""
    at: datetime | None
    """The time of the newest stamp there is."""
    doubted: int
    """How many newer ones do not verify under the certificates."""


def last(ledger: Path, trusted: list[Certificate]) -> Stamped:
    """How a ledger stands with its time-stamps, looking back from the newest checkpoint to the first good one."""
    doubted = 0
    sizes = sorted(
        (int(path.name) for path in (ledger / "checkpoints").glob("*") if path.name.isdecimal()), reverse=True
    )
    for size in sizes:
        path = ledger / "checkpoints" / f"{size}.tsr"
        if not path.is_file():
            continue
        try:
            at = verify(path.with_suffix("").read_bytes(), _token(path), trusted)
        except AnswerIsNo:
            doubted += 1
            continue
        return Stamped(newest=size == sizes[0], at=at, doubted=doubted)
    return Stamped(newest=False, at=None, doubted=doubted)


def _token(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_MAX_TOKEN + 1)


def _believed(data: bytes, token: bytes, trusted: Sequence[Certificate]) -> bool:
    if not trusted:
        return True
    try:
        verify(data, token, list(trusted))
    except AnswerIsNo:
        return False
    return True


def _answers(answer: TimeStampResponse, digest: bytes, nonce: int | None) -> bool:
    try:
        info = answer.tst_info
        return answer.status == 0 and info.message_imprint.message == digest and info.nonce == nonce
    except ValueError:
        return False


def _library() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError:
        raise MachineFailed("time-stamps need the extra timestamps", remedy=extras.remedy("timestamps")) from None
    return rfc3161_client
