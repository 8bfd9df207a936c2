"""What an agency received, against what the custodian's docket says that it gave.

A release is planned in the ledger before it is sealed. A custodian could hand a package over and enter that it was
withdrawn, and no account of it would follow. Whoever opened it has its certificate, and that one must be accounted for.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.opening import Opening
from gatehouse.release import certificate


def compare(docket: Path, certificates: Iterable[Path]) -> None:
    """See that a docket, verified against its ledger, accounts for each of these releases as sealed.

    Raises AnswerIsNo naming the certificate for which it does not, WrongInput where it is none.
    """
    for path in certificates:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WrongInput(f"the certificate cannot be read ({error.strerror})", where=path.name) from None
        opening = certificate.parse(data, where=path.name).release.opening
        release = str(opening.fields().get("release"))
        planned, sealed = (_opening(docket, f"{kind}-{release}") for kind in ("release", "sealed"))
        kept = planned is not None and planned.entry == opening.entry
        if not kept or sealed is None or sealed.fields().get("certificate") != digests.of_bytes(data):
            raise AnswerIsNo(
                "the docket does not account for this release as sealed", where=path.name,
                remedy="Keep the certificate and the package: together with the docket they are a finding",
            )  # fmt: skip


def _opening(docket: Path, name: str) -> Opening | None:
    path = docket / "events" / f"{name}.json"
    return Opening.parse(path.read_bytes(), where=f"{docket.name}, events/{path.name}") if path.is_file() else None
