"""Where a person reads what was disclosed about them, in English and Spanish, and the letters that lead there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from gatehouse.console import chronicle, letters, limits
from gatehouse.console.guard import account, needs, public
from gatehouse.console.permissions import Permission
from gatehouse.kernel.errors import GatehouseError

MOST_DIGITS = 19
TEMPLATES = {"en": "console/own_record.html", "es": "console/own_record_es.html"}


@public
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def own_record(request: HttpRequest, language: str) -> HttpResponse:
    """Take the code of a letter and show the answer it opens; every code that opens none is answered alike."""
    context: dict[str, object] = {"ready": letters.ready(), "days": letters.LIFE.days}
    status = 200
    if request.method == "POST" and context["ready"]:
        address = limits.address(request)
        name = f"letter:{address[:48]}"
        attempt = limits.trying(name, address)
        if attempt is None:
            context["often"], status = True, 429
        elif (told := letters.redeem(request.POST.get("code", ""))) is None:
            context["wrong"], status = True, 403
        else:
            attempt.forgive()
            context["told"] = told
    answer = render(request, TEMPLATES[language], context, status=status)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Language"] = language
    return answer


@needs(Permission.CUSTODIAN_LETTER_ISSUE)
@require_http_methods(["GET", "POST"])
def issue(request: HttpRequest) -> HttpResponse:
    """Make the code for a letter to one person. That it was made, and by whom, is in the log; about whom is not."""
    context: dict[str, object] = {"days": letters.LIFE.days}
    if request.method == "POST":
        try:
            given = request.POST.get("person", "").strip()
            person = int(given) if given.isdecimal() and given.isascii() and len(given) <= MOST_DIGITS else -1
            letters.check(person)  # before the entry: no letter is recorded that was never made
            chronicle.enter("letter_made", {"by": account(request).username})
            context["code"] = letters.issue(account(request), person)
        except GatehouseError as error:
            context["error"] = f"{error.outside}."
    return render(request, "console/letters.html", context, status=400 if "error" in context else 200)
