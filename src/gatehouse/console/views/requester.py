"""The requesting agency's pages: hand in, check the form, see receipts, answers and releases. Nothing else.

Whatever these pages show comes from the receipt, the answers and the sealed releases; never from determinations, so
no page tells an agency more, or sooner, than its answers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.console import arrivals, charts, chronicle, desk, figures, notices, words
from gatehouse.console.guard import account, needs, own, whole
from gatehouse.console.models import Arrival, Key
from gatehouse.console.permissions import Permission
from gatehouse.console.reading import Reader
from gatehouse.console.views import errors
from gatehouse.determine.docket import Docket
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError
from gatehouse.pipeline import returns as taking_back
from gatehouse.pipeline import withdrawal
from gatehouse.release import returns
from gatehouse.store.models import Release
from gatehouse.store.shelf import Shelf

PACKAGES_A_PAGE = 20
MOST_RETURNS = 100
FAULTS_SHOWN = 50
_DESCRIPTION = "/api/v1/openapi.json"
TONES = {"answered": "good", "pending": "wait", "not_answered": "quiet"}


@dataclass(frozen=True)
class Line:
    """One submission of the agency."""

    name: str
    received: object
    requests: int
    segments: list[charts.Segment]


@needs(Permission.AGENCY_SUBMISSION_READ)
@require_GET
def submissions(request: HttpRequest) -> HttpResponse:
    """The agency's own submissions and what is on its way."""
    agency = account(request).agency
    own_ids = desk.own_ids(agency)
    lines = [_line(identifier, desk.docket(name)) for identifier, name in own_ids.items()]
    context = {
        "lines": lines,
        "arrivals": arrivals.waiting(agency),
        "agency": agency,
        "notices": notices.of_agency(own_ids, agency),
    }
    return render(request, "console/submissions.html", context)


def _line(name: str, reader: Reader) -> Line:
    counts = reader.answered()
    requests = int(reader.receipt.get("requests") or sum(counts.values()))
    return Line(name, figures.received_at(reader), requests, _segments(counts))


def _segments(counts: dict[str, int]) -> list[charts.Segment]:
    return charts.stacked([(words.plain(outcome), tone, counts.get(outcome, 0)) for outcome, tone in TONES.items()])


@needs(Permission.AGENCY_SUBMISSION_SEND)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Hand in a zip: its form is checked first, and nothing is sent until the agency says so."""
    if request.method == "GET":
        return render(request, "console/submission_new.html", {})
    upload = request.FILES.get("file")
    if upload is None or not upload.size:
        problem = "Choose the zip file of the submission."
        return render(request, "console/submission_new.html", {"error": problem}, status=400)
    try:
        arrival = arrivals.keep(upload, account(request))
    except GatehouseError as error:
        return errors.refused(request, error)
    arrivals.check(arrival)
    return redirect("console:submission", name=arrival.identifier)


@needs(Permission.AGENCY_SUBMISSION_READ)
@require_http_methods(["GET", "POST"])
def submission(request: HttpRequest, name: str) -> HttpResponseBase:
    """One submission: on its way, or received with its receipt, answers and releases."""
    arrival = Arrival.objects.filter(identifier=name).first()
    if arrival is not None:
        own(arrival.agency, request)
        return _arrival(request, arrival)
    reader = _own_docket(request, name)
    if request.method == "POST":
        return _withdraw(request, name, None)
    counts = reader.answered()
    wanted = request.GET.get("find", "").strip()
    context = {
        "name": name,
        "notices": notices.of_agency({name: reader.folder.name}, account(request).agency),
        "receipt": reader.receipt,
        "received": figures.received_at(reader),
        "segments": _segments(counts),
        "total": sum(counts.values()),
        "codes": [(words.plain(code, words.CODES), count) for code, count in reader.answer_codes()],
        "wanted": wanted,
        "answer": reader.answer(wanted) if wanted else None,
        "withdrawn": withdrawal.is_withdrawn(Docket(reader.folder)),
        "withdrawing": "withdraw" in request.GET,
        "pending": counts.get("pending", 0),
        **_packages(request, reader.folder.name),
    }
    return render(request, "console/submission.html", context)


def _withdraw(request: HttpRequest, name: str, arrival: Arrival | None) -> HttpResponseBase:
    """Take a submission back once the agency says so a second time, or lead to where it is asked."""
    person = account(request)
    if request.POST.get("act") != "withdraw" or not person.may(Permission.AGENCY_SUBMISSION_SEND):
        raise Http404
    if request.POST.get("sure") != "yes":
        return redirect(f"{resolve_url('console:submission', name=name)}?withdraw#withdraw")
    try:
        entry = (
            arrivals.withdraw_docket(person.agency, name, person.username)
            if arrival is None
            else arrivals.withdraw(arrival, person.username)
        )
    except GatehouseError as error:
        return errors.refused(request, error)
    kept = Arrival.objects.filter(pk=arrival.pk).exists() if arrival is not None else True
    if not kept:
        messages.success(request, "It is withdrawn, and what was handed in is removed.")
        return redirect("console:submissions")
    said = "It is on record." if entry is not None else "It goes on record as soon as the step ends that it is at."
    messages.success(request, f"It is withdrawn. Nothing more of it is released. {said}")
    return redirect("console:submission", name=name)


@dataclass(frozen=True)
class Package:
    """One sealed package and what its recipient owes."""

    release: Release
    owed: tuple[returns.Due, ...]
    late: int


def _packages(request: HttpRequest, name: str) -> dict[str, object]:
    """Some of the packages of a submission, those with something overdue first, and how many there are."""
    now, shelf = clock.now(), Shelf()
    rows = Release.objects.filter(file__docket=name, published_at__isnull=False)
    officer = request.GET.get("officer", "").strip()
    if officer:
        rows = rows.filter(officer=officer)
    all_of_them = {row.identifier: row for row in rows.order_by("sealed_at", "id")}
    back = shelf.returned_by_release(name)
    packages = []
    for record in shelf.releases(name):
        if record.id in all_of_them:
            owed = returns.due(record, back.get(record.id, []), now)
            packages.append(Package(all_of_them[record.id], owed, sum(one.late for one in owed)))
    packages.sort(key=lambda package: -package.late)
    start = whole(request.GET.get("from"))
    return {
        "packages": packages[start : start + PACKAGES_A_PAGE],
        "released": len(packages),
        "late": sum(package.late for package in packages),
        "officer": officer,
        "next": start + PACKAGES_A_PAGE if start + PACKAGES_A_PAGE < len(packages) else None,
    }


@needs(Permission.AGENCY_SUBMISSION_SEND)
@require_POST
def give_back(request: HttpRequest, name: str) -> HttpResponseBase:
    """Take in what officers' programs made: receipts, use reports and disposal certificates, each signed."""
    docket = _own_docket(request, name).folder.name
    taken = 0
    try:
        for upload in request.FILES.getlist("file")[:MOST_RETURNS]:
            path = Path(cast("TemporaryUploadedFile", upload).temporary_file_path())
            taking_back.take(desk.office(), docket, path, clock.now(), where=Path(upload.name or "file").name)
            taken += 1
    except GatehouseError as error:
        return errors.refused(request, error)
    if not taken:
        return errors.show(request, "The request was not carried out", "Choose at least one file.", 400)
    messages.success(request, f"{taken} statement{'s' if taken != 1 else ''} taken in.")
    return redirect("console:submission", name=name)


def _arrival(request: HttpRequest, arrival: Arrival) -> HttpResponseBase:
    if request.method == "POST":
        if not account(request).may(Permission.AGENCY_SUBMISSION_SEND):
            raise Http404
        if "act" in request.POST:
            if arrival.state == Arrival.State.DONE:
                return _withdraw(request, arrival.submission, None)
            return _withdraw(request, arrival.identifier, arrival)
        arrivals.send(arrival)
        return redirect("console:submission", name=arrival.identifier)
    if arrival.state == Arrival.State.DONE:
        onward = redirect("console:submission", name=arrival.submission)
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": onward.url})  # the whole page changes, not a part of it
        return onward
    running = arrival.state in {Arrival.State.CHECKING, Arrival.State.DECIDING}
    shown, count = arrivals.first_faults(arrival, FAULTS_SHOWN)
    context = {
        "arrival": arrival,
        "running": running,
        "faults": shown,
        "count": count,
        "sent": arrival.state in {Arrival.State.DECIDING, Arrival.State.FAILED},
        "withdrawn": withdrawal.waits(arrival.agency, arrival.submission),
        "ended": arrival.state in {Arrival.State.REFUSED, Arrival.State.WITHDRAWN},
        "withdrawing": "withdraw" in request.GET,
    }
    return render(request, "console/arrival.html", context)


@needs(Permission.AGENCY_SUBMISSION_READ)
@require_GET
def faults(request: HttpRequest, name: str) -> HttpResponseBase:
    """Every fault of form of a submission on its way, by row and column, as CSV."""
    arrival = Arrival.objects.filter(identifier=name).first()
    if arrival is None:
        raise Http404
    own(arrival.agency, request)
    path = arrivals.faults(arrival)
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{arrival.submission}-faults.csv")


def _own_docket(request: HttpRequest, name: str) -> Reader:
    return desk.own(account(request).agency, name)


@needs(Permission.AGENCY_SUBMISSION_READ)
@require_GET
def answers(request: HttpRequest, name: str) -> HttpResponseBase:
    """The answers as they stand now."""
    return _file(_own_docket(request, name), "answers.csv", f"{name}-answers.csv")


@needs(Permission.AGENCY_SUBMISSION_READ)
@require_GET
def receipt(request: HttpRequest, name: str) -> HttpResponseBase:
    """The custodian's receipt."""
    return _file(_own_docket(request, name), "receipt.json", f"{name}-receipt.json")


def _file(reader: Reader, file: str, shown: str) -> FileResponse:
    path = reader.folder / file
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=shown)


@needs(Permission.AGENCY_RELEASE_FETCH)
@require_GET
def release(request: HttpRequest, name: str, release: str) -> HttpResponseBase:
    """One sealed package; only the officer it names can open it."""
    reader = _own_docket(request, name)
    path = arrivals.package(reader.folder, reader.folder.name, release)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)


@needs(Permission.AGENCY_SUBMISSION_SEND)
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponseBase:
    """Keys of the agency's programs, as the administrator made them; a lost one is ended here at once."""
    person = account(request)
    if request.method == "POST":
        found = Key.objects.filter(account=person, pk=whole(request.POST.get("end"))).first()
        if found is None:
            raise Http404
        fields = {"account": person.username, "agency": person.agency, "name": found.name, "by": person.username}
        try:
            chronicle.enter("key_ended", fields)
        except GatehouseError as error:
            return errors.refused(request, error, 503)
        found.delete()
        return redirect("console:keys")
    context = {"keys": Key.objects.filter(account=person).order_by("-created_at"), "described_at": _described_at()}
    return render(request, "console/keys.html", context)


def _described_at() -> str:
    """Where the API describes itself; empty where this site serves none."""
    try:
        resolve(_DESCRIPTION)
    except Resolver404:
        return ""
    return _DESCRIPTION
