"""What a reader sees when something is not there, not allowed, wrong or broken; never a detail of the machine."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gatehouse.console.limits import TooMany
from gatehouse.console.models import Account
from gatehouse.console.permissions import Permission
from gatehouse.kernel.errors import CustodianFault, GatehouseError

NOT_YOURS = "Nothing was done, and nothing is wrong with what you sent."
_log = logging.getLogger("gatehouse.site")


def show(request: HttpRequest, heading: str, text: str, status: int) -> HttpResponse:
    """One page for every error."""
    return render(request, "console/error.html", {"heading": heading, "text": _sentence(text)}, status=status)


def _sentence(text: str) -> str:
    """With a capital, unless it begins with the name of a file or the id of a thing."""
    return text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text


def refused(request: HttpRequest, error: GatehouseError, status: int = 400) -> HttpResponse:
    """The page for an error of the rooms, which names no personal data by contract.

    A fault of the custodian's own files is told in full to whoever decides its cases, and to nobody else.
    """
    if isinstance(error, TooMany):
        answer = show(request, "Too often", f"{error.outside}.", 429)
        answer.headers["Retry-After"] = str(error.wait)
        return answer
    if isinstance(error, CustodianFault):
        note(error)
        if not _decides(request):
            return show(request, "The service is temporarily unavailable", f"{NOT_YOURS} Try again later.", 503)
    return show(request, "The request was not carried out", f"{error.outside}.", status)


def note(error: CustodianFault) -> None:
    """Tell the log which file of the site is at fault, and where in it."""
    _log.error("a file of the site cannot be used", exc_info=error)


def _decides(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return isinstance(user, Account) and user.may(Permission.CUSTODIAN_CASE_DECIDE)


def too_large(request: HttpRequest, most: int) -> HttpResponse:
    """413: more bytes than this page takes; nothing of it was read."""
    return show(request, "That is too large", f"This page takes at most {most >> 20} MiB. Nothing was kept.", 413)


def wrong(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the browser sent something that cannot be used."""
    return show(
        request, "That cannot be used", "Your browser sent something this site cannot use. Go back and try again.", 400
    )


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: signed in, but this role may not."""
    return show(request, "Your role does not allow this", "You are signed in, but this page is for another role.", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: there is nothing here, or nothing for this reader."""
    return show(request, "Not found", "The page does not exist, or it is not for you.", 404)


def form_only(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """405: the address takes a form and shows nothing."""
    text = "This address only takes a form. Nothing was done. Go back to the page before, or to the front page."
    answer = show(request, "There is no page here", text, 405)
    answer.headers["Allow"] = response.headers.get("Allow", "")
    return answer


def failed(request: HttpRequest) -> HttpResponse:
    """500: the machine failed; trying again is safe."""
    return show(request, "An internal error occurred", "Nothing was left half-done. It is safe to try again.", 500)


def no_token(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form was old or came from elsewhere."""
    return show(request, "This form has expired", "Go back, load the page again and send the form once more.", 403)
