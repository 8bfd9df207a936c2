"""Law, oversight and reports for programs, with the permissions that the console asks of the same account.

Here is what overseers and counsel read, have derived again, verified and counted; what they sign is in `api.signing`.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from ninja import Form, Path, Query

from gatehouse.api import schemas
from gatehouse.api.casework import Named
from gatehouse.api.endpoints import PROBLEMS, Name, api, conflicting, may
from gatehouse.console import access as acts
from gatehouse.console import desk, halting, reporting, spotcheck, tasks, words
from gatehouse.console.models import Task
from gatehouse.console.permissions import Permission
from gatehouse.console.views.officer import law_of
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.kernel.progress import Progress
from gatehouse.law.pack import Pack
from gatehouse.ledger import policy as policies
from gatehouse.ledger.docket_proof import verify_docket
from gatehouse.ledger.verify import verify_log

Asked = Annotated[str, Path(max_length=256, pattern=r"^[^\x00/]+$")]


@api.get("/law", response={200: schemas.Packs, **PROBLEMS}, summary="The law in force here")
def law(request: HttpRequest) -> schemas.Packs:
    """Every pack, whether its proof and both offices' signatures hold, and why not."""
    may(request, Permission.CUSTODIAN_LAW_READ)
    return schemas.Packs(items=[schemas.Pack(**_pack(one)) for one in desk.packs()], broken=desk.broken_packs())


@api.get("/law/{pack}", response={200: schemas.PackRules, **PROBLEMS}, summary="One pack as of a day")
def pack(
    request: HttpRequest, pack: Name, as_of: Annotated[dt.date | None, Query(description="An ISO date.")] = None
) -> schemas.PackRules:
    """Its rules with the dates between which each holds, and which hold on that day (today, if none is given)."""
    may(request, Permission.CUSTODIAN_LAW_READ)
    found = desk.pack(pack)
    if found is None:
        raise Http404
    day = as_of or clock.today()
    rules = [
        schemas.LawRule(
            id=rule.id, title=words.rule(rule.id), effect=str(rule.effect), code=str(rule.code), citation=rule.cite,
            begins=rule.begins, until=rule.until, in_force=rule.in_force(day),
        )
        for rule in found.rules
    ]  # fmt: skip
    return schemas.PackRules(**_pack(found), as_of=day, rules=rules)


def _pack(found: Pack) -> dict[str, Any]:
    proof = desk.proof(found)
    return {
        "id": found.id, "version": found.version, "digest": found.digest, "holds": proof.holds,
        "problem": proof.problem, "signers": list(proof.signers),
    }  # fmt: skip


@api.get("/halts", response={200: schemas.Halts, **PROBLEMS}, summary="The halts in force")
def halts(request: HttpRequest) -> schemas.Halts:
    """As the ledger orders them."""
    may(request, Permission.OVERSIGHT_DOCKET_COUNT)
    board = halting.board()
    items = [
        schemas.Halt(scope=str(one.scope), since=one.at, by=list(one.signers), reason=one.reason)
        for one in board.standing
    ]
    return schemas.Halts(items=items, problem=board.problem)


@api.get(
    "/dockets/{docket}/replay/{asked}", response={200: schemas.Replayed, **PROBLEMS},
    summary="One determination derived again",
)  # fmt: skip
def replay(request: HttpRequest, docket: Named, asked: Asked) -> schemas.Replayed:
    """From the facts and the law that the docket keeps, compared part by part; `asked` is the request's id."""
    may(request, Permission.OVERSIGHT_CASE_REPLAY)
    reader = desk.docket(docket)
    seq = reader.find(asked)
    found, kept_law = (reader.decided(seq) if seq is not None else None), law_of(reader)
    if found is None or kept_law is None:
        raise Http404
    derived = spotcheck.derive_one(found, kept_law)
    parts = {
        part: schemas.Part(
            kept=(kept := found.determination[part]), derived=derived.get(part), same=kept == derived.get(part)
        )
        for part in spotcheck.PARTS
    }
    return schemas.Replayed(
        request_id=asked,
        same_law=kept_law.digest == found.determination["pack_digest"],
        same=all(part.same for part in parts.values()),
        parts=parts,
    )


@api.get("/dockets/{docket}/accounted", response={200: schemas.Accounted, **PROBLEMS}, summary="A docket and the log")
def accounted(request: HttpRequest, docket: Named) -> schemas.Accounted:
    """Whether every request has one determination, in order, and each is the one that was committed."""
    may(request, Permission.OVERSIGHT_LEDGER_VERIFY)
    reader, site = desk.docket(docket), desk.site()
    checkpoint = policies.read(site.policy).accept((site.ledger / "checkpoint").read_bytes())
    with open_workspace(memory="2GB", threads=2) as connection:
        found = verify_docket(connection, reader.folder, site.ledger, checkpoint)
    last = found.first + found.requests - 1
    return schemas.Accounted(docket=docket, requests=found.requests, first=found.first, last=last)


@api.get("/ledger/verification", response={200: schemas.Verification, **PROBLEMS}, summary="The whole log verified now")
def verification(request: HttpRequest) -> schemas.Verification:
    """On the custodian's machine, for convenience: whoever does not trust it verifies a mirror."""
    may(request, Permission.OVERSIGHT_LEDGER_VERIFY)
    site = desk.site()
    found = verify_log(site.ledger, policies.read(site.policy)).checkpoint
    return schemas.Verification(origin=found.origin, size=found.size, root=found.root.hex())


@api.get("/access", response={200: schemas.Access, **PROBLEMS}, summary="Who was let in, and who looked at records")
def access(request: HttpRequest) -> schemas.Access:
    """The administrative record, newest first, and the openings of cases by account."""
    may(request, Permission.OVERSIGHT_ACCESS_READ)
    listed = [
        schemas.AccessAct(at=one.at, what=one.what, account=one.account, by=one.by, more=dict(one.more))
        for one in acts.acts()
    ]
    return schemas.Access(acts=listed, openings={one.account.username: one.openings for one in acts.lookers()})


@api.get("/reports", response={200: schemas.Reports, **PROBLEMS}, summary="Reports that can be made, or fetched")
def reports(request: HttpRequest) -> schemas.Reports:
    """Only reports without personal data are made here; the others are commands of the custodian's own."""
    may(request, Permission.OVERSIGHT_DOCKET_COUNT)
    kinds = [
        schemas.ReportKind(name=one.name, title=one.title, needs=list(one.needs), takes=list(one.takes))
        for one in reporting.kinds()
    ]
    made = [schemas.ReportMade(id=one.id, title=one.title, file=one.file.name) for one in reporting.made()]
    return schemas.Reports(kinds=kinds, made=made)


@api.post("/reports", response={202: schemas.Work, **PROBLEMS}, summary="Have a report made")
def make_report(request: HttpRequest, given: Annotated[schemas.ReportWanted, Form()]) -> tuple[int, schemas.Work]:
    """In the background, after every docket was verified against the ledger; ask for the work, then for the reports."""
    account = may(request, Permission.OVERSIGHT_DOCKET_COUNT)
    with conflicting():
        kind = reporting.check(given.report, given.year, given.form)
    told = given.model_dump(include=set(reporting.DETAILS))

    def work(progress: Progress) -> str:
        return reporting.make(kind, given.year, given.form, told, progress)

    return 202, work_of(tasks.start(account, kind.title, "", work))


@api.get("/work/{name}", response={200: schemas.Work, **PROBLEMS}, summary="Work that was begun")
def work(request: HttpRequest, name: Name) -> schemas.Work:
    """How far it is; done, `message` is the id of the report that it made. Only one's own."""
    account = may(request, Permission.OVERSIGHT_DOCKET_COUNT)
    found = tasks.find(account, name)
    if found is None:
        raise Http404
    return work_of(found)


def work_of(found: Task) -> schemas.Work:
    """Longer work as it stands."""
    return schemas.Work.model_validate(
        {"id": found.identifier, "state": str(found.state), "stage": found.stage, "message": found.message}
    )


@api.get("/reports/{name}", response={200: bytes, **PROBLEMS}, summary="One report as a file")
def report(request: HttpRequest, name: Name) -> HttpResponseBase:
    """The bytes of a report that was made."""
    may(request, Permission.OVERSIGHT_DOCKET_COUNT)
    found = reporting.find(name)
    if found is None:
        raise Http404
    return FileResponse(found.file.open("rb"), content_type="application/octet-stream")
