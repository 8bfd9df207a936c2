"""What follows a release, and what an agency checks it with: returns, recall notices, the trust folder, signatures."""

from __future__ import annotations

from typing import Annotated

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from ninja import File, Query
from ninja.files import UploadedFile

from gatehouse.api import repeats
from gatehouse.api.endpoints import PROBLEMS, Limit, Name, Once, api, arrival_of, conflicting, docket_of, may
from gatehouse.api.schemas import Fault, Faults, Notices, Returned, Signature, Trust, Withdrawn
from gatehouse.console import arrivals, desk
from gatehouse.console.models import Arrival
from gatehouse.console.permissions import Permission
from gatehouse.kernel import clock, digests, scratch
from gatehouse.kernel.errors import WrongInput
from gatehouse.pipeline import returns as taking
from gatehouse.pipeline import withdrawal
from gatehouse.release.trust import NOTICES
from gatehouse.store.models import Release

LARGEST_STATEMENT = 1 << 20
"""Bytes of a receipt, use report or disposal certificate; a year of logged uses is far less."""


@api.post("/submissions/{name}/returns", response={201: Returned, **PROBLEMS}, summary="Hand in what comes back")
def hand_back(request: HttpRequest, name: Name, file: Annotated[UploadedFile, File()]) -> tuple[int, Returned]:
    """A receipt, use report or disposal certificate, signed with the key from inside the package. Twice is once."""
    reader = docket_of(request, name, Permission.AGENCY_RELEASE_FETCH)
    with conflicting(), scratch.folder() as folder:
        if not file.size or file.size > LARGEST_STATEMENT:
            raise WrongInput(
                "this is not a signed statement", where="file", remedy="Upload the file that `gatehouse use` wrote"
            )
        path = folder / "statement.json"
        path.write_bytes(file.read())
        taken = taking.take(desk.office(), reader.folder.name, path, clock.now(), where="file")
    return 201, Returned(kind=str(taken.kind), release=taken.statement.text("release"))


@api.get("/submissions/{name}/answers/file", response={200: bytes, **PROBLEMS}, summary="The answers as one file")
def answers_file(request: HttpRequest, name: Name) -> HttpResponseBase:
    """answers.csv exactly as it was signed once the docket had closed; before that as it stands."""
    reader = docket_of(request, name, Permission.AGENCY_SUBMISSION_READ)
    path = reader.folder / "answers.csv"
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), content_type="application/octet-stream")


@api.get("/submissions/{name}/answers/signature", response={200: Signature, **PROBLEMS}, summary="Its signature")
def answers_signature(request: HttpRequest, name: Name) -> Signature:
    """The custodian's signature line over the bytes of the answers' file; there is one once the docket has closed."""
    reader = docket_of(request, name, Permission.AGENCY_SUBMISSION_READ)
    answers, signature = reader.folder / "answers.csv", reader.folder / "answers.csv.sig"
    if not signature.is_file():
        raise Http404
    return Signature(sha256=digests.of_file(answers), signature=signature.read_text(encoding="utf-8"))


@api.get("/trust", response={200: Trust, **PROBLEMS}, summary="What releases are checked with")
def trust(request: HttpRequest) -> Trust:
    """Each file's text: the log's, custodian's and agencies' keys, the witnesses' policy, officers who may approve."""
    may(request, Permission.AGENCY_RELEASE_FETCH)
    folder = desk.site().root / "trust"
    names = {"log_vkey": "log.vkey", "witnesses_policy": "witnesses.policy", "custodian_vkey": "custodian.vkey",
             "officers": "officers.json", "agencies": "agencies.json"}  # fmt: skip
    if not all((folder / name).is_file() for name in names.values()):
        raise Http404
    return Trust(**{key: (folder / name).read_text(encoding="utf-8") for key, name in names.items()})


@api.get("/notices", response={200: Notices, **PROBLEMS}, summary="Recall notices of the agency's releases")
def notices(request: HttpRequest) -> Notices:
    """Every signed notice there is: use stops at once. Lay the text of each into `notices/` of the trust folder."""
    account = may(request, Permission.AGENCY_RELEASE_FETCH)
    folder = desk.site().root / "trust" / NOTICES
    recalled = Release.objects.filter(file__agency=account.agency, recalled_at__isnull=False).order_by("identifier")
    called = {name: identifier for identifier, name in desk.own_ids(account.agency).items()}
    items = [
        {
            "release": one.identifier,
            "submission": called.get(one.file.docket, ""),
            "notice": path.read_text(encoding="utf-8"),
        }
        for one in recalled.select_related("file")
        if (path := folder / f"{one.identifier}.json").is_file()
    ]
    return Notices.model_validate({"items": items})


@api.get("/submissions/{name}/faults", response={200: Faults, **PROBLEMS}, summary="Faults of form, by row")
def faults(
    request: HttpRequest, name: Name, after: Annotated[int, Query(ge=0, lt=1 << 31)] = 0, limit: Limit = 100
) -> Faults:
    """What the form check found in a submission that is not received yet, in the order of its rows."""
    items, total = arrivals.faults_after(_arrival(request, name), after, limit)
    shown = [Fault.model_validate({"at": at, **line}) for at, line in enumerate(items, start=after + 1)]
    return Faults(total=total, items=shown, next=shown[-1].at if shown and shown[-1].at < total else None)


@api.get("/submissions/{name}/faults/file", response={200: bytes, **PROBLEMS}, summary="All faults of form as CSV")
def faults_file(request: HttpRequest, name: Name) -> HttpResponseBase:
    """The same as one file: row, request_id, column, problem."""
    path = arrivals.faults(_arrival(request, name))
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), content_type="application/octet-stream")


def _arrival(request: HttpRequest, name: str) -> Arrival:
    found = arrival_of(may(request, Permission.AGENCY_SUBMISSION_READ), name)
    if found is None:
        raise Http404
    return found


@api.post("/submissions/{name}/withdraw", response={200: Withdrawn, 202: Withdrawn, **PROBLEMS},
          summary="Withdraw a submission")  # fmt: skip
def withdraw(request: HttpRequest, name: Name, key: Once) -> HttpResponse:
    """Take back a submission, whatever is being done with it. What was not sent is removed with its bytes. What was
    sent is withdrawn on record, at once or (202) as soon as the step ends that it is at; nothing more of it is released
    from then on, and its open cases are answered as withdrawn. A release stays a release.
    """
    account = may(request, Permission.AGENCY_SUBMISSION_SEND)

    def act() -> tuple[int, str]:
        found = arrival_of(account, name)
        if found is None or found.state == Arrival.State.DONE:
            identifier = found.submission if found is not None else name
            desk.own(account.agency, identifier)  # 404 for any other
            entry, sent = arrivals.withdraw_docket(account.agency, identifier, account.username), True
        else:
            entry = arrivals.withdraw(found, account.username)
            sent = withdrawal.waits(account.agency, found.submission)
        waits = sent and entry is None
        said = Withdrawn(id=name, entry=entry, waits=waits).model_dump_json(exclude_defaults=True)
        return 202 if waits else 200, said

    return repeats.once(account, key, f"withdraw {name}", act)
