"""The operations: hand in, send, follow, read answers, fetch releases; and the public log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

from django.db import Error as DatabaseFailed
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from ninja import File, Header, NinjaAPI, Path, Query
from ninja.errors import HttpError
from ninja.files import UploadedFile
from ninja.openapi.schema import OpenAPISchema
from ninja.security import HttpBearer

from gatehouse.api import problems, repeats
from gatehouse.api.problems import Problem
from gatehouse.api.schemas import (
    Answers,
    Checkpoint,
    Packages,
    Receipt,
    Submission,
    Submissions,
    Witness,
    Witnesses,
)
from gatehouse.console import arrivals, desk, figures, limits, log, tokens
from gatehouse.console.models import Account, Arrival
from gatehouse.console.permissions import Permission
from gatehouse.console.reading import Reader
from gatehouse.console.tokens import Bearer
from gatehouse.determine.docket import Docket
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, CustodianFault, MachineFailed, WrongInput, own
from gatehouse.ledger import policy
from gatehouse.ledger.checkpoint import parse
from gatehouse.pipeline import withdrawal
from gatehouse.store.models import Release, Return


class Key(HttpBearer):
    """A key of an account, sent as a bearer token (RFC 6750)."""

    def authenticate(self, request: HttpRequest, token: str) -> Bearer | None:
        """Who calls and what the key may do, or nobody.

        Raises TooMany for who calls too often, and MachineFailed while nobody can say who calls or how often.
        """
        try:
            found = tokens.bearer(token)
            if found is None:
                limits.called_in_vain(limits.address(request))
            else:
                limits.called(found.account)
        except DatabaseFailed:
            raise MachineFailed("the database does not answer", remedy="Try again later") from None
        return found


class Described(NinjaAPI):
    """An API whose document names the media types it really sends."""

    def get_openapi_schema(self, **given: Any) -> OpenAPISchema:  # noqa: ANN401 - as ninja has it
        """The document, with problems as application/problem+json and packages as bytes."""
        document = super().get_openapi_schema(**given)
        for operations in document["paths"].values():
            for operation in operations.values():
                sent = operation.get("requestBody", {}).get("content", {})
                if _ENCODED in sent:  # every body is taken as multipart/form-data
                    sent["multipart/form-data"] = sent.pop(_ENCODED)
                for status, response in operation["responses"].items():
                    _name_media_type(str(status), response)
        return document


_ENCODED = "application/x-www-form-urlencoded"


def _name_media_type(status: str, response: dict[str, Any]) -> None:
    content = response.get("content", {})
    if status >= "400" and "application/json" in content:
        response["content"] = {problems.MEDIA_TYPE: content["application/json"]}
    elif content.get("application/json", {}).get("schema", {}).get("format") == "binary":
        response["content"] = {"application/octet-stream": content["application/json"]}


api = Described(
    title="Gatehouse",
    version="1",
    description="Hand in submissions, read answers, fetch sealed releases, mirror the log.",
    docs_url=None,
    auth=Key(),
    urls_namespace="api-1",
)
problems.register(api)

PROBLEMS: dict[Any, Any] = dict.fromkeys((400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503), Problem)
Name = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
After = Annotated[str, Query(max_length=256, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Once = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=repeats.MOST_KEY, pattern=r"^[!-~]+$")]


def may(request: HttpRequest, permission: Permission) -> Account:
    """The account that calls, where both it and its key hold a permission; raises HttpError 403."""
    bearer: Bearer = request.auth  # type: ignore[attr-defined]
    if not bearer.may(permission):
        raise HttpError(
            403, f"This key does not have the permission {permission}, or its account's role does not allow it."
        )
    return bearer.account


@contextlib.contextmanager
def conflicting() -> Iterator[None]:
    """What is wrong in here with a form of the right shape is told as a conflict with how things stand: 409."""
    try:
        yield
    except CustodianFault:
        raise
    except WrongInput as wrong:
        raise AnswerIsNo(wrong.what, where=wrong.where, remedy=wrong.remedy) from wrong


def docket_of(request: HttpRequest, name: str, permission: Permission) -> Reader:
    """A received docket of the caller's own agency; raises Http404 for any other, 409 for one on its way."""
    account = may(request, permission)
    arrival = arrival_of(account, name)
    if arrival is not None and arrival.state != Arrival.State.DONE:
        raise HttpError(409, "This submission has not been received yet.")
    return desk.own(account.agency, arrival.submission if arrival is not None else name)


@api.post("/submissions", response={202: Submission, **PROBLEMS}, summary="Hand in a zip; its form is checked")
def hand_in(request: HttpRequest, key: Once, file: Annotated[UploadedFile, File()]) -> HttpResponse:
    """Keep the zip and check its form in the background. No record is searched and nothing is sent yet."""
    account = may(request, Permission.AGENCY_SUBMISSION_SEND)
    digest = digests.of_bytes(b"") if not file.size else _digest(file)

    def act() -> tuple[int, str]:
        arrival = arrivals.keep(file, account)
        arrivals.check(arrival)
        return 202, _of_arrival(arrival).model_dump_json()

    return repeats.once(account, key, f"hand_in {digest}", act)


def _digest(file: UploadedFile) -> str:
    import hashlib

    found = hashlib.sha256()
    for chunk in file.chunks():
        found.update(chunk)
    file.seek(0)
    return found.hexdigest()


@api.post("/submissions/{name}/send", response={202: Submission, **PROBLEMS}, summary="Send a checked submission")
def send(request: HttpRequest, name: Name, key: Once) -> HttpResponse:
    """Have every request decided. Sending again changes nothing."""
    account = may(request, Permission.AGENCY_SUBMISSION_SEND)
    arrival = arrival_of(account, name)
    if arrival is None:
        raise Http404
    if arrival.state in {Arrival.State.CHECKING, Arrival.State.REFUSED, Arrival.State.FAILED}:
        raise HttpError(409, "You can send a submission only after its form has been checked and found complete.")

    def act() -> tuple[int, str]:
        arrivals.send(arrival)
        arrival.refresh_from_db()
        return 202, _of_arrival(arrival).model_dump_json()

    return repeats.once(account, key, f"send {name}", act)


@api.get("/submissions", response={200: Submissions, **PROBLEMS}, summary="The agency's submissions")
def submissions(request: HttpRequest, after: After = "", limit: Limit = 100) -> Submissions:
    """Received dockets and what is on its way, by id."""
    account = may(request, Permission.AGENCY_SUBMISSION_READ)
    found = [_of_arrival(arrival) for arrival in arrivals.waiting(account.agency)]
    found += [_of_docket(identifier, desk.docket(name)) for identifier, name in desk.own_ids(account.agency).items()]
    later = sorted((entry for entry in found if entry.id > after), key=lambda entry: entry.id)
    return Submissions(items=later[:limit], next=later[limit - 1].id if len(later) > limit else None)


@api.get("/submissions/{name}", response={200: Submission, **PROBLEMS}, summary="One submission")
def submission(request: HttpRequest, name: Name) -> Submission:
    """Where it is on its way, by the id from handing in or by the submission's own id."""
    account = may(request, Permission.AGENCY_SUBMISSION_READ)
    arrival = arrival_of(account, name)
    if arrival is not None:
        return _of_arrival(arrival)
    return _of_docket(name, docket_of(request, name, Permission.AGENCY_SUBMISSION_READ))


@api.get("/submissions/{name}/receipt", response={200: Receipt, **PROBLEMS}, summary="The signed receipt")
def receipt(request: HttpRequest, name: Name) -> Receipt:
    """The receipt's exact text and its signature line; check it with the custodian's public key."""
    folder = docket_of(request, name, Permission.AGENCY_SUBMISSION_READ).folder
    text, signature = folder / "receipt.json", folder / "receipt.json.sig"
    if not text.is_file():
        raise Http404
    signed = signature.read_text(encoding="utf-8") if signature.is_file() else None
    return Receipt(receipt=text.read_text(encoding="utf-8"), signature=signed)


@api.get("/submissions/{name}/answers", response={200: Answers, **PROBLEMS}, summary="Answers as they stand now")
def answers(request: HttpRequest, name: Name, after: After = "", limit: Limit = 100) -> Answers:
    """Pending requests are all answered together when the docket closes."""
    reader = docket_of(request, name, Permission.AGENCY_SUBMISSION_READ)
    rows = reader.answer_page(after, limit + 1)
    items = [
        {
            "request_id": row["request_id"],
            "outcome": row["outcome"],
            "codes": [code for code in str(row["codes"] or "").split(";") if code],
            "text": row["text"] or "",
        }
        for row in rows[:limit]
    ]
    return Answers.model_validate({"items": items, "next": items[-1]["request_id"] if len(rows) > limit else None})


@api.get("/submissions/{name}/releases", response={200: Packages, **PROBLEMS}, summary="Sealed releases")
def releases(request: HttpRequest, name: Name) -> Packages:
    """One package for each officer, and what has come back about it."""
    docket = docket_of(request, name, Permission.AGENCY_RELEASE_FETCH).folder.name
    found = Release.objects.filter(file__docket=docket, published_at__isnull=False)
    items = [
        {
            "id": row.identifier,
            "officer": row.officer,
            "digest": row.digest,
            "sealed_at": row.sealed_at,
            "expires_on": row.expires_on,
            "recalled": row.recalled_at is not None,
            "returned": list(Return.objects.filter(release=row).values_list("kind", flat=True)),
        }
        for row in found.order_by("sealed_at", "identifier")
    ]
    return Packages.model_validate({"items": items})


@api.get("/submissions/{name}/releases/{release}", summary="One sealed package", response={200: bytes, **PROBLEMS})
def release(request: HttpRequest, name: Name, release: Name) -> HttpResponseBase:
    """The bytes of one package; only the officer it names can open it. A recalled one is gone."""
    reader = docket_of(request, name, Permission.AGENCY_RELEASE_FETCH)
    path = arrivals.package(reader.folder, reader.folder.name, release)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), content_type="application/octet-stream")


@api.get("/ledger", auth=None, response={200: Checkpoint, **PROBLEMS}, summary="The newest checkpoint")
def ledger(request: HttpRequest) -> Checkpoint:
    """The log's files lie below /ledger/, named as C2SP tlog-tiles names them."""
    head = log.head(desk.site().ledger)
    if head is None:
        raise Http404
    return Checkpoint(origin=head.origin, size=head.size, root=head.root, note=head.text)


@api.get("/ledger/witnesses", auth=None, response={200: Witnesses, **PROBLEMS}, summary="Who cosigns checkpoints")
def witnesses(request: HttpRequest) -> Witnesses:
    """The policy that checkpoints are published under, and which of its witnesses cosigned the newest one."""
    site = desk.site()
    head = log.head(site.ledger)
    if head is None or not site.policy.is_file():
        raise Http404
    with own():
        trusted = policy.read(site.policy)
    signed = parse(head.text.encode()).note.signed_by((each.verifier for each in trusted.witnesses), where="checkpoint")
    items = [
        Witness(name=each.name, vkey=each.verifier.text, cosigned=each.verifier in signed) for each in trusted.witnesses
    ]
    met = trusted.is_met(set(signed))
    return Witnesses(policy=site.policy.read_text(encoding="utf-8"), size=head.size, quorum_met=met, items=items)


@api.get(
    "/ledger/files/{path:file}", auth=None, response={200: bytes, **PROBLEMS}, summary="One file of the public log"
)
def ledger_file(request: HttpRequest, file: Annotated[str, Path(max_length=64)]) -> HttpResponseBase:
    """A checkpoint, tile or bundle of entries by the name that C2SP tlog-tiles gives it, such as tile/0/000."""
    path = log.file(desk.site().ledger, file)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), content_type="application/octet-stream")


def arrival_of(account: Account, name: str) -> Arrival | None:
    """What the account's agency handed in under an id; None where there is none."""
    return Arrival.objects.filter(identifier=name, agency=account.agency).first()


def _of_arrival(arrival: Arrival) -> Submission:
    state = "received" if arrival.state == Arrival.State.DONE else str(arrival.state)
    return Submission.model_validate(
        {
            "id": arrival.identifier,
            "state": state,
            "submission": arrival.submission,
            "requests": arrival.requests,
            "withdrawn": _is_withdrawn(arrival),
            "message": arrival.message,
            "form": arrival.form,
        }
    )


def _is_withdrawn(arrival: Arrival) -> bool:
    if arrival.state == Arrival.State.DONE:
        return withdrawal.is_withdrawn(Docket(desk.own(arrival.agency, arrival.submission).folder))
    return arrival.state == Arrival.State.WITHDRAWN or withdrawal.waits(arrival.agency, arrival.submission)


def _of_docket(name: str, reader: Reader) -> Submission:
    requests = int(reader.receipt.get("requests") or 0)
    return Submission(
        id=name, state="received", submission=name, requests=requests, received_at=figures.received_at(reader),
        withdrawn=withdrawal.is_withdrawn(Docket(reader.folder)),
    )  # fmt: skip
