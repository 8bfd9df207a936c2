"""What people sign, for their own programs: bulk decisions, recalls, halts and their ends, drafts of law, orders.

A step is begun here, its exact texts are signed wherever the key is (`gatehouse key sign`), and what was signed is
handed in: the same steps, permissions and rules of two people as on the console's pages, by the same code. No operation
takes a key.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from django.urls import reverse
from ninja import File, Form
from ninja.errors import HttpError
from ninja.files import UploadedFile

from gatehouse.api import signing_schemas as schemas
from gatehouse.api.casework import Named, Text
from gatehouse.api.endpoints import PROBLEMS, Name, api, conflicting, may
from gatehouse.api.oversight import work_of
from gatehouse.casework import reasons
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.console import deciding, desk, drafting, enacting, halting, recalling, signatures, steps, tasks
from gatehouse.console.drafting import Draft
from gatehouse.console.models import Account, Step, Task
from gatehouse.console.permissions import Permission
from gatehouse.kernel import digests, extras
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

Texts = Annotated[list[Text], Form(min_length=1, max_length=enacting.MOST_TEXTS, description="As `texts` shows them.")]
Lines = Annotated[
    list[Annotated[str, Form(max_length=1024)]],
    Form(min_length=1, max_length=enacting.MOST_TEXTS, description="Signature lines, as `gatehouse key sign` writes."),
]
NEEDS = {
    Step.Kind.DECISION: Permission.CUSTODIAN_CASE_DECIDE,
    Step.Kind.RECALL: Permission.CUSTODIAN_CASE_DECIDE,
    Step.Kind.ORDER: Permission.CUSTODIAN_CASE_DECIDE,
    Step.Kind.HALT: Permission.OVERSIGHT_HALT_SIGN,
}
"""What each kind of step takes, as on its page."""


@api.post("/dockets/{docket}/decisions/bulk", response={201: schemas.Step, **PROBLEMS}, summary="Begin a bulk decision")
def begin_bulk(
    request: HttpRequest, docket: Named, given: Annotated[schemas.BulkWanted, Form()]
) -> tuple[int, schemas.Step]:
    """All cases of a queue, or those that one rule stopped. Where many go towards release, a sample is drawn first."""
    account = may(request, Permission.CUSTODIAN_CASE_DECIDE)
    reader, board = desk.docket(docket), deciding.board(docket)
    if board is None:
        raise Http404
    selection = deciding.selected(reader, board, State(given.state), given.rule or None)
    told = {"state": given.state, "rule": given.rule, "reason": reasons.tidy(given.reason)}
    with conflicting():
        reasons.check(told["reason"])
        return 201, _about_some(deciding.begin(account, docket, Action(given.action), told, selection))


@api.post("/dockets/{docket}/recalls", response={201: schemas.Step, **PROBLEMS}, summary="Begin a recall")
def begin_recall(
    request: HttpRequest, docket: Named, given: Annotated[schemas.RecallWanted, Form()]
) -> tuple[int, schemas.Step]:
    """Released cases by their ids, by a rule that stops them, or by today's law; shows the packages taken back."""
    account = may(request, Permission.CUSTODIAN_CASE_DECIDE)
    desk.docket(docket)
    if deciding.board(docket) is None:
        raise Http404
    told = {"kind": given.kind, "requests": "\n".join(given.requests), "rule": given.rule, "reason": given.reason}
    with conflicting():
        reasons.check(reasons.tidy(given.reason))
        return 201, _about_some(recalling.begin(account, docket, told))


@api.post("/halts", response={201: schemas.Step, **PROBLEMS}, summary="Begin a halt, or the end of one")
def begin_halt(request: HttpRequest, given: Annotated[schemas.HaltWanted, Form()]) -> tuple[int, schemas.Step]:
    """A new statement (`action`, `scope`, `reason`), or by the name of one that waits for more overseers."""
    account = may(request, Permission.OVERSIGHT_HALT_SIGN)
    with conflicting():
        step = halting.begin(account, given.model_dump())
    if step is None:
        raise Http404
    return 201, _shown(step)


@api.get("/halts/waiting", response={200: schemas.WaitingHalts, **PROBLEMS}, summary="What waits for more overseers")
def waiting(request: HttpRequest) -> schemas.WaitingHalts:
    """Statements that too few overseers have signed so far."""
    may(request, Permission.OVERSIGHT_DOCKET_COUNT)
    items = [
        schemas.WaitingHalt(name=one.name, text=one.text, signed=list(one.said.signers), needed=one.needed)
        for one in halting.board().waiting
    ]
    return schemas.WaitingHalts(items=items)


@api.get("/drafts", response={200: schemas.Drafts, **PROBLEMS}, summary="Changes of law on their way")
def drafts(request: HttpRequest) -> schemas.Drafts:
    """Newest first, those in force among them."""
    may(request, Permission.CUSTODIAN_LAW_SIGN)
    return schemas.Drafts(items=[_draft(one) for one in drafting.all_drafts()])


@api.post("/drafts", response={202: schemas.Drafted, **PROBLEMS}, summary="Hand in a change of law, or an order")
def hand_in_draft(
    request: HttpRequest, file: Annotated[UploadedFile, File()], text: Annotated[UploadedFile | None, File()] = None
) -> tuple[int, schemas.Drafted]:
    """The pack as a zip, and the order's text where it is one. It is checked, proved and compared in the background."""
    account = may(request, Permission.CUSTODIAN_LAW_SIGN)
    with conflicting():
        if not drafting.solver_installed():
            raise WrongInput("a change cannot be looked at here", remedy=extras.remedy("prove"))
        if not file.size:
            raise WrongInput("the file is empty", where="file", remedy="Hand in the zip of the pack")
        draft = drafting.keep(file, text, (text.name or "") if text else "")
    back = reverse("console:draft", kwargs={"identifier": draft.id})
    task = tasks.start(account, "A look at a change of law", back, lambda told: drafting.look(draft, told))
    return 202, schemas.Drafted(draft=draft.id, work=work_of(task))


@api.get("/drafts/{draft}", response={200: schemas.DraftShown, **PROBLEMS}, summary="One change of law and its effect")
def draft(request: HttpRequest, draft: Name) -> schemas.DraftShown:
    """What changes in words, what is newly permitted or refused, what stands against it, and what both offices sign."""
    may(request, Permission.CUSTODIAN_LAW_SIGN)
    found = _found(draft)
    with conflicting():
        texts = drafting.exact(found) if found.shown else []
    return schemas.DraftShown(
        **_draft(found).model_dump(), failures=drafting.failures(found), effect=dict(found.shown),
        texts=[schemas.OfficeText(name=one.name, text=one.text, sha256=digests.of_bytes(one.text.encode()),
                                  counsel=one.counsel, custodian=one.custodian) for one in texts],
    )  # fmt: skip


@api.post("/drafts/{draft}/signatures", response={200: schemas.SignedFor, **PROBLEMS}, summary="Sign for an office")
def sign_draft(request: HttpRequest, draft: Name, signatures: Lines) -> schemas.SignedFor:
    """One line for each of the draft's texts, by the key of the caller's office. One person signs for one office."""
    account = may(request, Permission.CUSTODIAN_LAW_SIGN)
    found = _found(draft)
    if not found.shown:
        raise HttpError(409, "This change was not looked at yet, or it fails its check.")
    with conflicting():
        return schemas.SignedFor(signed_by=drafting.sign(found, _lines(signatures), account))


@api.post("/drafts/{draft}/adoption", response={200: schemas.Adopted, **PROBLEMS}, summary="Put a pack in force")
def adopt(request: HttpRequest, draft: Name) -> schemas.Adopted:
    """A pack that both offices signed. An order is entered by an officer instead."""
    may(request, Permission.CUSTODIAN_LAW_SIGN)
    found = _found(draft)
    if not found.shown or found.is_order:
        raise Http404
    with conflicting():
        pack = enacting.adopt(found)
    return schemas.Adopted(pack=pack.id, version=pack.version, digest=pack.digest)


@api.post("/drafts/{draft}/entry", response={201: schemas.Step, **PROBLEMS}, summary="Begin to enter an order")
def begin_entry(
    request: HttpRequest, draft: Name, reason: Annotated[str, Form(max_length=enacting.MOST_ADDED)] = ""
) -> tuple[int, schemas.Step]:
    """Its entry and each decision that it brings are the texts to sign; `reason` is added to the order's title."""
    account = may(request, Permission.CUSTODIAN_CASE_DECIDE)
    found = _found(draft)
    if not found.is_order:
        raise Http404
    with conflicting():
        return 201, _shown(enacting.begin(account, found, reason))


@api.get("/steps/{step}", response={200: schemas.Step, **PROBLEMS}, summary="What waits for a signature")
def step(request: HttpRequest, step: Name) -> schemas.Step:
    """One's own step: its exact texts as of now, and the sample that comes before them. Only its account sees it."""
    found = _step(request, step)
    with conflicting():
        return _shown(found)


@api.post("/steps/{step}/marks", response={200: schemas.Step, **PROBLEMS}, summary="Mark one case of a sample")
def mark(
    request: HttpRequest, step: Name, seq: Annotated[int, Form(ge=0, lt=1 << 31)],
    finding: Annotated[Literal["right", "wrong"], Form()],
) -> schemas.Step:  # fmt: skip
    """After the case was read at `GET /dockets/{docket}/cases/{seq}`. With the last mark the text can be signed."""
    found = _step(request, step)
    drawn = deciding.sample(found.account, found.docket, found.sample) if found.sample else None
    if drawn is None or drawn.found is not None or seq not in drawn.drawn:
        raise Http404
    with conflicting():
        steps.mark(found.account, drawn.id, found.docket, seq, wrong=finding == "wrong", since=drawn.drawn_at)
        if set(steps.marks(drawn.id)) == set(drawn.drawn):
            deciding.examine(drawn)
        return _shown(found)


@api.post("/steps/{step}/signatures", response={200: schemas.Done, 202: schemas.Done, **PROBLEMS},
          summary="Hand in what was signed")  # fmt: skip
def sign(request: HttpRequest, step: Name, texts: Texts, signatures: Lines) -> tuple[int, schemas.Done]:
    """The texts exactly as they were shown, with a line of the signer's own key for each; twice is once.

    Recalls and orders are carried out in the background: 202, and the work to ask for.
    """
    found = _step(request, step)
    if found.done_at is not None:
        return 200, schemas.Done(id=found.identifier, state="done")
    with conflicting():
        state, work = _ACTS[Step.Kind(found.kind)](found, texts, _lines(signatures))
    told = {"id": found.identifier, "state": state, "work": work_of(work) if work else None}
    return (202 if work else 200), schemas.Done.model_validate(told)


def _decide(step: Step, texts: list[str], lines: list[str]) -> tuple[str, Task | None]:
    deciding.sign(step, _statement(step, texts, lines))
    return "done", None


def _recall(step: Step, texts: list[str], lines: list[str]) -> tuple[str, Task | None]:
    back = reverse("console:docket", kwargs={"name": step.docket})
    return "begun", recalling.sign(step, _statement(step, texts, lines), back)


def _halt(step: Step, texts: list[str], lines: list[str]) -> tuple[str, Task | None]:
    taken = halting.sign(step, _one(texts), _one(lines))
    return ("in_force" if taken.in_force else "complete" if taken.complete else "waits"), None


def _enter(step: Step, texts: list[str], lines: list[str]) -> tuple[str, Task | None]:
    found = _found(step.told["draft"])
    return "begun", enacting.enter(step, found, texts, lines, reverse("console:draft", kwargs={"identifier": found.id}))


_ACTS = {Step.Kind.DECISION: _decide, Step.Kind.RECALL: _recall, Step.Kind.HALT: _halt, Step.Kind.ORDER: _enter}


def _statement(step: Step, texts: list[str], lines: list[str]) -> Statement:
    return Statement(deciding.read_body(_one(texts), step.account.officer, step.docket), _one(lines))


def _one(given: list[str]) -> str:
    if len(given) != 1:
        raise WrongInput("this step has one text and one signature", remedy="Hand in each once")
    return given[0]


def _lines(given: list[str]) -> list[str]:
    return [signatures.read_line(line) for line in given]


def _step(request: HttpRequest, identifier: str) -> Step:
    """A step of the caller's own, where account and key hold what its kind takes."""
    account: Account = request.auth.account  # type: ignore[attr-defined]
    found = Step.objects.filter(account=account, identifier=identifier).first()
    if found is None:
        raise Http404
    may(request, NEEDS[Step.Kind(found.kind)])
    return found


def _about_some(begun: Step) -> schemas.Step:
    """A step that has just begun, unless it is about no case: then there is nothing to sign."""
    if not steps.selection(begun):
        begun.delete()
        raise AnswerIsNo("no case is meant by this", remedy="Look at the queue, or name other cases")
    return _shown(begun)


def _shown(found: Step) -> schemas.Step:
    """A step as it stands; no text while its sample is not worked through, or once it is done."""
    drawn = deciding.sample(found.account, found.docket, found.sample) if found.sample else None
    ready = found.done_at is None and (drawn is None or drawn.found is not None)
    texts = _texts(found) if ready else []
    marks = steps.marks(drawn.id) if drawn is not None else {}
    sample = (
        None if drawn is None else {"drawn": list(drawn.drawn), "marks": {str(seq): one for seq, one in marks.items()}}
    )
    packages = recalling.packages(found.docket, steps.selection(found)) if found.kind == Step.Kind.RECALL else []
    return schemas.Step.model_validate(
        {
            "id": found.identifier,
            "kind": str(found.kind),
            "docket": found.docket,
            "state": "done" if found.done_at else "sign" if ready else "sample",
            "texts": [{"text": text, "sha256": digests.of_bytes(text.encode())} for text in texts],
            "cases": len(steps.selection(found)),
            "sample": sample,
            "packages": [one.id for one in packages],
            "warning": reasons.warning(found.told.get("reason", "")) or "",
        }
    )


def _texts(found: Step) -> list[str]:
    if found.kind == Step.Kind.ORDER:
        return enacting.exact(found, _found(found.told["draft"]))
    make: Any = {Step.Kind.DECISION: deciding.text, Step.Kind.RECALL: recalling.text, Step.Kind.HALT: halting.shown}
    return [make[Step.Kind(found.kind)](found)]


def _found(identifier: str) -> Draft:
    found = drafting.find(identifier)
    if found is None:
        raise Http404
    return found


def _draft(found: Draft) -> schemas.Draft:
    packs = [f"{one['pack']} {one['version']}" for one in found.shown.get("packs", ())]
    order = str(found.shown["order"]["order"]) if found.is_order else ""
    return schemas.Draft(
        id=found.id, looked_at=bool(found.shown), packs=packs, order=order, in_force=drafting.in_force(found)
    )
