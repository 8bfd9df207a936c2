"""How large a body each address takes, and from whom: said once, for whichever server stands in front.

Bytes are counted and callers are known before anything of a body is read, parsed or written to a disk: in nginx, which
asks `may-send/` before it takes an upload; in the embedded server, which asks the same; and before Django's own parser.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from gatehouse.console import guard, limits, tokens
from gatehouse.console.permissions import Permission

FORM = 4 << 20
"""Bytes of a form of somebody who is signed in, signature files included."""
STRANGER = 64 << 10
"""Bytes of a form that anybody may send, such as the one to sign in."""
STATEMENTS = 64 << 20
"""Bytes of the statements that officers' programs made, and of a change of law."""
SUBMISSION = "/submissions/new/"
API = "/api/v1/submissions"
_STATEMENTS = re.compile(r"/submissions/[^/]+/returns/|/law/drafts/")


def most(path: str) -> int:
    """The bytes that an address takes at most."""
    if path in {SUBMISSION, API}:
        return int(settings.GATEHOUSE_UPLOAD_LIMIT)
    return STATEMENTS if _STATEMENTS.fullmatch(path) else FORM


def takes_uploads(path: str) -> bool:
    """Whether an address takes more than a form, so that its caller is asked for before a byte of the body is taken."""
    return most(path) > FORM


def may_send(request: HttpRequest, path: str) -> int:
    """Whether this caller may send a body to an address: 204, 401 for nobody known, 403 for somebody else's page.

    Raises limits.TooMany for an address from which too many wrong keys came.
    """
    if path == API:
        return _key_may_send(request)
    try:
        permission = getattr(resolve(path).func, "permission", None)
    except Resolver404:
        return 403
    if permission is None:
        return 204
    if not request.user.is_authenticated:
        return 401
    return 204 if permission == guard.OWN or guard.account(request).may(permission) else 403


def _key_may_send(request: HttpRequest) -> int:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    found = tokens.bearer(key.strip()) if scheme.lower() == "bearer" and key.strip() else None
    if found is None:
        limits.called_in_vain(limits.address(request))
        return 401
    return 204 if found.may(Permission.AGENCY_SUBMISSION_SEND) else 403
