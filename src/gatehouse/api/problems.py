"""Errors as RFC 9457 problem details: a stable type, a title, what happened and what to do."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput

TYPE = "https://gatehouse.example/problems/"
MEDIA_TYPE = "application/problem+json"


class Problem(Schema):
    """A problem detail (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""


_STATUS = {WrongInput: 422, AnswerIsNo: 409}


def answer(status: int, kind: str, title: str, detail: str = "") -> HttpResponse:
    """One problem as a response; a 401 says how to sign in, a 503 when to come back."""
    body = {"type": TYPE + kind, "title": title, "status": status, "detail": detail}
    response = HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="gatehouse"'
    if status == 503:
        response.headers["Retry-After"] = "30"
    return response


def register(api: NinjaAPI) -> None:
    """Answer every error of this API with a problem detail."""

    @api.exception_handler(GatehouseError)
    def rooms(request: HttpRequest, error: GatehouseError) -> HttpResponse:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
        return answer(status, "refused" if status != 503 else "machine-failed", "That was not done", f"{error}.")

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(401, "no-key", "A valid key is needed", "Send it as: Authorization: Bearer gk_…")

    @api.exception_handler(ValidationError)
    def malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
        places = ", ".join(sorted({".".join(str(part) for part in fault["loc"]) for fault in _faults(error)}))
        return answer(422, "malformed", "The request does not fit its description", f"Look at: {places}")

    @api.exception_handler(Http404)
    def nothing(request: HttpRequest, error: Http404) -> HttpResponse:
        return answer(404, "not-found", "There is nothing here", "It does not exist, or it is not your agency's.")

    @api.exception_handler(HttpError)
    def other(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(error.status_code, "refused", str(error))


def _faults(error: ValidationError) -> list[dict[str, Any]]:
    return [fault for fault in error.errors if isinstance(fault, dict) and "loc" in fault]
