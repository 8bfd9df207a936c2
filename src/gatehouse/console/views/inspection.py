"""Pages of inspection: the log verified now and explained, a docket accounted for, cases sampled and derived again."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.console import desk, explorer, log, recalling, reporting, spotcheck, tasks, words
from gatehouse.console.guard import account, needs, whole
from gatehouse.console.law import why
from gatehouse.console.permissions import Permission
from gatehouse.console.views import errors
from gatehouse.console.views.officer import law_of
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError
from gatehouse.kernel.progress import Progress
from gatehouse.ledger import policy as policies
from gatehouse.ledger.docket_proof import verify_docket
from gatehouse.ledger.verify import Verified, verify_log

SHOWN = 100
BATCHES = 25


@needs(Permission.OVERSIGHT_LEDGER_VERIFY)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Verify the whole log now, on the custodian's machine, and say what was checked."""
    site = desk.site()
    began = time.monotonic()
    verified: Verified | None = None
    problem = ""
    try:
        trusted = policies.read(site.policy)
        verified = verify_log(site.ledger, trusted)
    except GatehouseError as error:
        problem = f"{error.outside}."
    except OSError:
        problem = "The log or the policy cannot be read."
    context = {
        "verified": verified,
        "policy": policies.read(site.policy) if verified else None,
        "root": verified.checkpoint.root.hex() if verified else "",
        "problem": problem,
        "seconds": f"{max(time.monotonic() - began, 0.1):.1f}",
    }
    return render(request, "console/verified.html", context, status=200 if verified else 409)


@dataclass(frozen=True)
class Compared:
    """One part of a determination, as kept and as derived again."""

    name: str
    kept: str
    derived: str
    same: bool


@needs(Permission.OVERSIGHT_CASE_REPLAY)
@require_GET
def replay(request: HttpRequest, name: str) -> HttpResponse:
    """Derive one determination again from the facts and the pack kept in the docket, and compare it part by part."""
    reader = desk.docket(name)
    wanted = request.GET.get("request", "").strip()
    seq = reader.find(wanted) if wanted else None
    if seq is None:
        return render(request, "console/replay.html", {"name": name, "wanted": wanted, "missing": bool(wanted)})
    found = reader.decided(seq)
    law = law_of(reader)
    if found is None or law is None:
        raise Http404
    derived = spotcheck.derive_one(found, law)
    compared = [_compare(part, found.determination[part], derived.get(part)) for part in spotcheck.PARTS]
    context = {
        "name": name,
        "wanted": wanted,
        "case": found,
        "pack": law,
        "same_pack": law.digest == found.determination["pack_digest"],
        "compared": compared,
        "same": bool(derived) and all(part.same for part in compared),
        "why": why(law, found.determination, found.facts),
    }
    return render(request, "console/replay.html", context)


def _compare(part: str, kept: object, derived: object) -> Compared:
    def show(value: object) -> str:
        if isinstance(value, list):
            return ", ".join(str(entry) for entry in value) or "none"
        return words.plain(value) if value is not None else "could not be derived"

    return Compared(words.plain(part, {}), show(kept), show(derived), kept == derived)


@needs(Permission.OVERSIGHT_LEDGER_VERIFY)
@require_POST
def accounted(request: HttpRequest, name: str) -> HttpResponseBase:
    """Check a docket against the log: one determination for each request, in order, and each the one committed."""
    reader = desk.docket(name)

    def work(_: Progress) -> str:
        site = desk.site()
        checkpoint = policies.read(site.policy).accept((site.ledger / "checkpoint").read_bytes())
        with open_workspace(memory="2GB", threads=2) as connection:
            found = verify_docket(connection, reader.folder, site.ledger, checkpoint)
        last = found.first + found.requests - 1
        return (
            f"{found.requests:,} requests have one determination each, in the order of the submission, and each is "
            f"the one that was committed: entries {found.first:,} to {last:,} of the log."
        )

    back = resolve_url("console:shape", name=name)
    task = tasks.start(account(request), f"{name} against the log", back, work)
    return redirect("console:task", identifier=task.identifier)


@needs(Permission.OVERSIGHT_CASE_REPLAY)
@require_GET
def spot_check(request: HttpRequest, name: str) -> HttpResponse:
    """A sampling plan for one docket, the cases it draws by the log's own root, and all of them derived again."""
    reader = desk.docket(name)
    head = log.head(desk.site().ledger)
    law = law_of(reader)
    try:
        plan = spotcheck.plan(reader, request.GET, head.root if head else "")
    except GatehouseError as error:
        return errors.refused(request, error)
    derived = plan.derive_all(law) if law is not None and request.GET.get("derive") else None
    context = {
        "name": name,
        "plan": plan,
        "outcomes": [("", "All requests"), *((each, words.plain(each)) for each in spotcheck.OUTCOMES)],
        "rows": reader.lines(plan.drawn[:SHOWN]),
        "more": max(0, len(plan.drawn) - SHOWN),
        "derived": derived,
        "head": head,
    }
    return render(request, "console/spot_check.html", context)


@needs(Permission.OVERSIGHT_LEDGER_VERIFY)
@require_GET
def explore(request: HttpRequest) -> HttpResponse:
    """What the entries of the log are: batch by batch, newest first, and one entry with what it commits to."""
    index = whole(request.GET.get("entry"), 0, -1) if request.GET.get("entry") else None
    kept = explorer.batches()
    start = whole(request.GET.get("from"))
    context = {
        "index": index,
        "found": explorer.entry(index) if index is not None else None,
        "batches": kept[start : start + BATCHES],
        "next": start + BATCHES if start + BATCHES < len(kept) else None,
        "total": kept[0].last + 1 if kept else 0,
        "head": log.head(desk.site().ledger),
    }
    return render(request, "console/explore.html", context)


@needs(Permission.OVERSIGHT_DOCKET_COUNT)
@require_http_methods(["GET", "POST"])
def reports(request: HttpRequest) -> HttpResponseBase:
    """The statutory reports: make one in the background, fetch those that were made."""
    given, problem = request.POST, ""
    if request.method == "POST":
        try:
            year, form = given.get("year", "").strip(), given.get("format", "")
            kind = reporting.check(given.get("report", ""), year, form)
            told = {key: given.get(key, "").strip() for key in reporting.DETAILS}

            def work(progress: Progress) -> str:
                reporting.make(kind, year, form, told, progress)
                return "Every docket agrees with the log. The report is made and can be fetched."

            task = tasks.start(account(request), kind.title, resolve_url("console:reports"), work)
            return redirect("console:task", identifier=task.identifier)
        except GatehouseError as error:
            problem = f"{error.outside}."
    context = {
        "kinds": reporting.kinds(),
        "formats": reporting.formats().items(),
        "recalls": recalling.made(desk.dockets().names(), clock.now()),
        "details": [(key, says) for key, says in reporting.DETAILS.items() if key != "recall"],
        "made": reporting.made(),
        "given": given,
        "error": problem,
    }
    return render(request, "console/reports.html", context, status=400 if problem else 200)


@needs(Permission.OVERSIGHT_DOCKET_COUNT)
@require_GET
def report(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """One report as a file."""
    found = reporting.find(identifier)
    if found is None:
        raise Http404
    return FileResponse(found.file.open("rb"), as_attachment=True, filename=found.file.name)
