"""Casework for the custodian's own programs, with the permissions that the console asks of the same account.

A program reads queues and cases, and hands in decisions that an officer's own key has signed; it never signs. What is
decided about many cases at once goes by a step of `api.signing`, sample and all.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from ninja import Form, Path, Query
from ninja.errors import HttpError

from gatehouse.api import schemas
from gatehouse.api.endpoints import PROBLEMS, After, Limit, api, conflicting, may
from gatehouse.casework import reasons
from gatehouse.casework.approval import Proposal
from gatehouse.casework.sampling import SINGLE_LIMIT
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.console import deciding, desk, figures
from gatehouse.console.models import Opening
from gatehouse.console.permissions import Permission
from gatehouse.console.reading import Reader
from gatehouse.determine.docket import Docket
from gatehouse.kernel import digests
from gatehouse.pipeline import withdrawal

Named = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]*$")]
Seq = Annotated[int, Path(ge=0, lt=1 << 31)]
Decision = Literal["clear", "approve", "return", "refuse", "reopen", "hold", "withdraw"]
Requests = Annotated[list[str], Form(min_length=1, max_length=SINGLE_LIMIT, description="Ids of requests.")]
Reason = Annotated[str, Form(max_length=reasons.LONGEST)]
Text = Annotated[str, Form(max_length=1 << 20)]


@api.get("/dockets", response={200: schemas.Dockets, **PROBLEMS}, summary="Every docket in numbers")
def dockets(request: HttpRequest, after: After = "", limit: Limit = 100) -> schemas.Dockets:
    """By name: outcomes as determined, and states as people left them."""
    may(request, Permission.CUSTODIAN_DOCKET_READ)
    names = sorted(name for name in desk.dockets().names() if name > after)
    items = [schemas.Docket(**_docket(name, desk.docket(name))) for name in names[:limit]]
    return schemas.Dockets(items=items, next=items[-1].docket if len(names) > limit else None)


@api.get("/dockets/{docket}", response={200: schemas.DocketRules, **PROBLEMS}, summary="One docket in numbers")
def docket(request: HttpRequest, docket: Named) -> schemas.DocketRules:
    """The docket's counts, with its reason codes and how many requests each rule stopped."""
    may(request, Permission.CUSTODIAN_DOCKET_READ)
    reader = desk.docket(docket)
    counts = reader.counts
    return schemas.DocketRules(**_docket(docket, reader), codes=dict(counts.codes), rules=counts.stopping())


def _docket(name: str, reader: Reader) -> dict[str, Any]:
    line, board = figures.line(name, reader), deciding.board(name)
    states = {str(state): count for state, count in board.counts().items()} if board else {}
    return {
        "docket": name, "agency": line.agency, "submission": str(reader.summary.get("submission", name)),
        "received_at": line.received, "requests": line.requests, "outcomes": dict(line.outcomes), "states": states,
        "withdrawn": withdrawal.is_withdrawn(Docket(reader.folder)),
    }  # fmt: skip


@api.get("/dockets/{docket}/queue", response={200: schemas.Queue, **PROBLEMS}, summary="Cases that wait for a person")
def queue(request: HttpRequest, docket: Named, given: Annotated[schemas.QueueWanted, Query()]) -> schemas.Queue:
    """By why they stopped; `rule` leaves only those that it stopped."""
    may(request, Permission.CUSTODIAN_CASE_READ)
    reader, board = desk.docket(docket), deciding.board(docket)
    members = deciding.members(board, State(given.state))
    outcome = None if board else given.state
    page = reader.page(outcome=outcome, rule=given.rule or None, members=members, after=given.after, limit=given.limit)
    items = [schemas.Waiting(**{key: row[key] for key in schemas.Waiting.model_fields}) for row in page.rows]
    return schemas.Queue(items=items, next=page.after)


@api.get("/dockets/{docket}/cases/{seq}", response={200: schemas.Case, **PROBLEMS}, summary="One case")
def case(request: HttpRequest, docket: Named, seq: Seq) -> schemas.Case:
    """What was asked, found and decided, without the record on file. That the account looked at it is kept."""
    account = may(request, Permission.CUSTODIAN_CASE_READ)
    found = desk.docket(docket).case(seq)
    if found is None:
        raise Http404
    Opening.objects.create(account=account, docket=docket, seq=seq)
    board = deciding.board(docket)
    state = board.state_of(seq) if board else None
    return schemas.Case(
        seq=seq,
        state=str(state or found.determination["outcome"]),
        request=dict(found.request),
        determination=dict(found.determination),
        facts=dict(found.facts),
        candidates=[dict(one) for one in found.candidates],
        acts=[schemas.Act(**vars(one)) for one in (deciding.acts(docket, seq) if board else [])],
    )


@api.post(
    "/dockets/{docket}/decisions/draft", response={200: schemas.ToSign, **PROBLEMS}, summary="What an officer signs"
)
def draft(
    request: HttpRequest, docket: Named, action: Annotated[Decision, Form()], requests: Requests, reason: Reason
) -> schemas.ToSign:
    """The exact text of a decision about a few requests, as they stand now. Nothing changes."""
    account = may(request, Permission.CUSTODIAN_CASE_DECIDE)
    selection = _selection(desk.docket(docket), requests)
    proposal = Proposal(docket, Action(action), selection, reasons.tidy(reason))
    with conflicting():
        reasons.check(proposal.reason)
        text = deciding.exact(deciding.statement_body(account.officer, proposal))
    return schemas.ToSign(
        text=text, sha256=digests.of_bytes(text.encode()), cases=list(selection), warning=reasons.warning(reason) or ""
    )


@api.post("/dockets/{docket}/decisions", response={200: schemas.Decided, **PROBLEMS}, summary="Hand in a decision")
def decide(
    request: HttpRequest, docket: Named, text: Text, signature: Annotated[str, Form(max_length=1024)],
    requests: Requests,
) -> schemas.Decided:  # fmt: skip
    """A text from `draft` with the signature line of the officer's own key; refused where a case has moved on since."""
    account = may(request, Permission.CUSTODIAN_CASE_DECIDE)
    selection = _selection(desk.docket(docket), requests)
    with conflicting():
        signed = Statement(deciding.read_body(text, account.officer, docket), signature.strip())
        deciding.hand_in(docket, signed, selection)
    return schemas.Decided(action=signed.text("action"), cases=len(selection))


def _selection(reader: Reader, requests: list[str]) -> Selection:
    found = [reader.find(one) for one in requests]
    known = [seq for seq in found if seq is not None]
    if len(known) != len(requests):
        raise HttpError(404, f"{len(found) - len(known)} of the requests are not in this docket.")
    return Selection.of(known)
