"""Errors as RFC 9457 problem details: a stable type, a title, what happened and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from gatehouse.console.limits import TooMany
from gatehouse.console.views import errors
from gatehouse.kernel.errors import AnswerIsNo, CustodianFault, GatehouseError, WrongInput

TYPE = "https://gatehouse.example/problems/"
MEDIA_TYPE = "application/problem+json"


class Problem(Schema):
    """A problem detail (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""


_STATUS = {WrongInput: 422, AnswerIsNo: 409}

_PLAIN: dict[int, tuple[str, str, str]] = {
    400: ("malformed", "The request cannot be read", "Its body, its headers or its address are damaged."),
    401: ("no-key", "A valid key is needed", "Send it as: Authorization: Bearer gk_…"),
    403: ("refused", "That is not allowed", ""),
    404: ("not-found", "Not found", "It does not exist, or it is not your agency's."),
    405: (
        "no-such-method",
        "This address does not take that method",
        "The Allow header lists the methods that it accepts.",
    ),
    413: ("too-large", "The body is too large", "None of it was kept."),
    415: ("wrong-kind", "The body's media type is not accepted", "Send a form: multipart/form-data."),
    429: ("too-often", "Too many requests", "The Retry-After header says how long to wait."),
    500: ("machine-failed", "An internal error occurred", "Nothing was left half-done. It is safe to try again."),
    503: ("not-ready", "The service is temporarily unavailable", f"{errors.NOT_YOURS} Try again later."),
}
_KINDS = ("multipart/form-data",)
_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")


def everywhere(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Below /api/ answer every error with a problem, also those that no operation was reached for."""

    def answered(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return respond(request)
        if _has_body(request) and request.content_type not in _KINDS:
            return answer(415, *_PLAIN[415])
        found = respond(request)
        if found.status_code < 400 or found.headers.get("Content-Type") == MEDIA_TYPE:
            return found
        problem = answer(
            found.status_code, *_PLAIN.get(found.status_code, ("refused", "The request was not carried out", ""))
        )
        for name in _KEPT:
            if name in found.headers:
                problem.headers[name] = found.headers[name]
        return problem

    return answered


def _has_body(request: HttpRequest) -> bool:
    return request.META.get("CONTENT_LENGTH") not in {None, "", "0"}


def answer(status: int, kind: str, title: str, detail: str = "") -> HttpResponse:
    """One problem as a response; a 401 says how to sign in, a 503 when to come back."""
    body = {"type": TYPE + kind, "title": title, "status": status, "detail": detail}
    response = HttpResponse(
        json.dumps(body), status=status, content_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"}
    )
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="gatehouse"'
    if status == 503:
        response.headers["Retry-After"] = "30"
    return response


def register(api: NinjaAPI) -> None:
    """Answer every error of this API with a problem detail."""

    @api.exception_handler(TooMany)
    def too_often(request: HttpRequest, error: TooMany) -> HttpResponse:
        response = answer(429, "too-often", "Too many requests", f"{error.outside}.")
        response.headers["Retry-After"] = str(error.wait)
        return response

    @api.exception_handler(CustodianFault)
    def ours(request: HttpRequest, error: CustodianFault) -> HttpResponse:
        errors.note(error)
        return answer(503, *_PLAIN[503])

    @api.exception_handler(GatehouseError)
    def rooms(request: HttpRequest, error: GatehouseError) -> HttpResponse:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
        return answer(
            status,
            "refused" if status != 503 else "machine-failed",
            "The request was not carried out",
            f"{error.outside}.",
        )

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(401, "no-key", "A valid key is needed", "Send it as: Authorization: Bearer gk_…")

    @api.exception_handler(ValidationError)
    def malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
        places = ", ".join(sorted({".".join(str(part) for part in fault["loc"]) for fault in _faults(error)}))
        return answer(422, "malformed", "The request does not match its schema", f"Look at: {places}")

    @api.exception_handler(Http404)
    def nothing(request: HttpRequest, error: Http404) -> HttpResponse:
        return answer(404, "not-found", "Not found", "It does not exist, or it is not your agency's.")

    @api.exception_handler(HttpError)
    def other(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(error.status_code, "refused", str(error))


def _faults(error: ValidationError) -> list[dict[str, Any]]:
    return [fault for fault in error.errors if isinstance(fault, dict) and "loc" in fault]
