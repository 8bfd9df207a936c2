"""From a submission to a docket: receive, match, gather facts, apply the law, write what was decided.

The docket is built in a private folder beside its place and renamed into it, so that it is there whole or not at all,
and whoever makes one of the same name meanwhile shares nothing with it. A submission that is refused leaves its own
record and nothing else. Nothing here can release anything.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.determine import answers, batch, determinations, engaged, facts, probing, summary
from gatehouse.determine.docket import TABLES, Docket
from gatehouse.intake import parcel, reader
from gatehouse.intake.parties import Parties
from gatehouse.intake.receipt import NAME as RECEIPT
from gatehouse.intake.receipt import Receipt
from gatehouse.intake.receipt import write as write_receipt
from gatehouse.intake.submission import Received, receive
from gatehouse.intake.workspace import BY_ROW, WIDE_BY_ROW, quoted, write_parquet
from gatehouse.kernel import files, scratch
from gatehouse.kernel.errors import CustodianFault, MachineFailed, WrongInput, own
from gatehouse.kernel.progress import Progress, silent
from gatehouse.law.evaluate import evaluate, keep_promises
from gatehouse.law.pack import Pack
from gatehouse.ledger.signers import Signer
from gatehouse.match import Index, build, match, open_register
from gatehouse.pipeline.engines import open_engines
from gatehouse.site.settings import Choice

MAKING = ".making-"
"""How the private folder begins, beside a docket's place, in which one run makes it."""


class Taken(MachineFailed):
    """Another run laid a docket down at this place meanwhile: it was not touched, and nothing of this one stays."""


@dataclass(frozen=True)
class Law:
    """Under which law to decide: a pack and a date."""

    pack: Pack
    folder: Path
    as_of: dt.date


@dataclass(frozen=True)
class Records:
    """Which register to search: its address and the folder of its index."""

    register: str
    index: Path
    memory: str = "3GB"
    engine: Choice = field(default_factory=Choice)


@dataclass(frozen=True)
class Standing:
    """What the custodian knows of the requester beyond the submission. Without a signer receipts are unsigned."""

    parties: Parties | None
    signer: Signer | None = None
    unsigned: bool = False
    halted: bool = False
    reports_overdue: int | None = None
    history: tuple[probing.Earlier, ...] = ()
    """The agency's earlier dockets."""
    receiver: str | None = None
    """Who hands the submission in."""


@dataclass
class _Timed:
    """Seconds per stage, reported to whoever watches."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.progress(name, 0, 1)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)
        self.progress(name, 1, 1)


def determine(
    connection: duckdb.DuckDBPyConnection,
    submission: Path,
    out: Path,
    *,
    law: Law,
    records: Records,
    standing: Standing,
    now: dt.datetime,
    mapping: Path | None = None,
    progress: Progress = silent,
) -> tuple[Docket, dict[str, float]]:
    """Decide every request of a submission into the docket `out`; returns it and the seconds each stage took.

    Raises WrongInput when the submission is refused whole (its refusal is then on record beside `out`) or when the
    docket exists; Taken when another run made it meanwhile; CustodianFault when register, law or engine cannot be used;
    MachineFailed when nothing could be decided.
    """
    if out.exists():
        raise WrongInput(
            "a docket with that name already exists",
            where=str(out),
            remedy="Choose another name, or remove that docket",
        )
    timed = _Timed(progress)
    received = _receive(connection, submission, out, standing=standing, now=now, mapping=mapping, timed=timed)
    with own(), scratch.folder(out.parent, MAKING) as making:
        docket = _decide(
            connection, received, making, law=law, records=records, standing=standing, now=now, timed=timed
        )
        try:
            docket.root.rename(out)
        except OSError as failed:
            if out.exists():
                raise Taken("another run made a docket with that name in the meantime", where=str(out)) from None
            raise failed
        files.sync_folder(out.parent)
    return Docket(out), timed.seconds


def _decide(
    connection: duckdb.DuckDBPyConnection,
    received: Received,
    making: Path,
    *,
    law: Law,
    records: Records,
    standing: Standing,
    now: dt.datetime,
    timed: _Timed,
) -> Docket:
    """From the tables of a submission to its docket, in a folder of `making`; what is wrong from here on is our own."""
    progress = timed.progress
    with open_engines(records.engine, folder=making / "cluster", memory=records.memory) as engines:
        with timed.stage("index"):
            index = build(open_register(records.register), records.index, engine=engines.match, progress=progress)
        with timed.stage("match"):
            match(connection, "requests", index, as_of=law.as_of, progress=progress, engine=engines.match)
        with timed.stage("facts"):
            _gather(connection, received, standing, law.as_of)
        with timed.stage("law"):
            keep_promises(connection, law.pack, "facts", law.as_of)
            masks = engines.masks(law.pack, law.as_of)
            evaluate(connection, law.pack, "facts", "decided", law.as_of, masks=masks)
    with timed.stage("determinations"):
        determinations.assemble(
            connection,
            requests="requests",
            decided="decided",
            matches="matches",
            target="determinations",
            as_of=law.as_of,
            pack_digest=law.pack.digest,
        )
    provenance = _provenance(received, standing, index, law.as_of)
    with timed.stage("write"):
        docket = _write(connection, making / "docket", law=law, received=received, provenance=provenance)
        if standing.parties is not None:
            files.write(docket.parties, standing.parties.original)
        _write_receipt(docket, received, standing, now)
    return docket


def _receive(
    connection: duckdb.DuckDBPyConnection,
    submission: Path,
    out: Path,
    *,
    standing: Standing,
    now: dt.datetime,
    mapping: Path | None,
    timed: _Timed,
) -> Received:
    try:
        with timed.stage("intake"):
            return receive(
                connection,
                submission,
                standing.parties,
                mapping=mapping,
                unsigned=standing.unsigned,
                for_docket=True,
                progress=timed.progress,
            )
    except CustodianFault:
        raise  # no refusal of the submission: nothing is decided about it
    except WrongInput as refused:
        _record_refusal(submission, out, refused, standing.signer, now)
        raise


def _record_refusal(submission: Path, out: Path, refused: WrongInput, signer: Signer | None, now: dt.datetime) -> None:
    """Leave the refusal's own record, signed, beside where the docket would have been (design §5.2)."""
    try:
        name = reader.describe(submission).manifest.id if submission.is_dir() else None
    except WrongInput:
        name = None
    digest = parcel.digest(submission)
    record = Receipt(name, digest, 0, now, signer.name if signer else None, refusal=str(refused))
    write_receipt(record, _refusal_of(out, digest), signer)


def _refusal_of(out: Path, digest: str) -> Path:
    """The folder of a refusal's receipt: `OUT.refused`, unless that is another submission's, or was a docket's.

    Making it is what takes it, so that of two refusals at one instant one has it.
    """
    folder = out.with_name(f"{out.name}.refused")
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        pass
    else:
        return folder
    try:
        kept = json.loads((folder / RECEIPT).read_bytes())
        same = kept["digest"] == digest and kept["refusal"] is not None
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        folder = out.with_name(f"{out.name}~{digest[:16]}.refused")
        folder.mkdir(exist_ok=True)
    return folder


def _gather(connection: duckdb.DuckDBPyConnection, received: Received, standing: Standing, as_of: dt.date) -> None:
    earlier = None
    dockets = [one.docket for one in standing.history]
    if dockets:
        kept = ", ".join(quoted(docket.table("requests")) for docket in dockets)
        connection.execute(
            "CREATE OR REPLACE VIEW earlier_requests AS SELECT *, parse_dirpath(filename) AS docket "
            f"FROM read_parquet([{kept}], filename = true, union_by_name = true)"
        )
        earlier = "earlier_requests"
    engaged.join(connection, "officers_engaged", received.manifest, dockets)
    batch.count(connection, "requests", "batch", earlier, officers="officers_engaged")
    probing.count(connection, "probing", standing.history, as_of, officers="officers_engaged")
    known = facts.Standing(received.signature_valid, standing.halted, standing.reports_overdue)
    facts.gather(
        connection,
        requests="requests",
        batch="batch",
        probing="probing",
        matches="matches",
        target="facts",
        manifest=received.manifest,
        parties=standing.parties,
        standing=known,
        as_of=as_of,
    )


def _provenance(received: Received, standing: Standing, index: Index, as_of: dt.date) -> dict[str, Any]:
    manifest = received.manifest
    return {
        "submission": manifest.id,
        "submission_digest": received.digest,
        "agency": manifest.agency,
        "basis": manifest.basis,
        "agreement": manifest.agreement,
        "signature_valid": received.signature_valid,
        "parties_digest": standing.parties.digest if standing.parties else None,
        "register_digest": index.register.digest,
        "register": asdict(index.census),
        "as_of": as_of.isoformat(),
    }


def _write(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    law: Law,
    received: Received,
    provenance: dict[str, Any],
) -> Docket:
    """Write all but the receipt into a new folder."""
    docket = Docket(folder)
    docket.releases.mkdir(parents=True)
    docket.certificates.mkdir()
    for table in TABLES:
        if table == "requests" and received.file is not None:
            files.move(received.file, docket.table(table))
            continue
        group = WIDE_BY_ROW if table == "requests" else BY_ROW  # a page of one case waits for each of them
        write_parquet(connection, f"SELECT * FROM {table} ORDER BY seq", docket.table(table), group=group)
    shutil.copytree(law.folder, docket.pack)
    counted = summary.count(connection, determinations="determinations", pack=law.pack, provenance=provenance)
    files.write(docket.summary, json.dumps(counted, indent=2).encode() + b"\n")
    answers.publish(connection, determinations="determinations", pack=law.pack, path=docket.answers)
    files.write(docket.manifest, received.original)
    if received.signature:
        files.write(docket.signature, received.signature)
    return docket


def _write_receipt(docket: Docket, received: Received, standing: Standing, now: dt.datetime) -> None:
    signer = standing.signer
    signed_by = signer.name if signer else None
    manifest = received.manifest
    accepted = Receipt(manifest.id, received.digest, received.requests, now, signed_by, None, standing.receiver)
    write_receipt(accepted, docket.root, signer)
