"""The embedded web server: how much it takes, whom it believes about addresses, and what it says of what it refuses.

What the server itself refuses (a body above the limit, a request that is none) never reaches the application; below
/api/ it is answered with a problem (RFC 9457) all the same.
"""

from __future__ import annotations

import json
from typing import Any

from waitress import create_server  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]

from gatehouse.cli.web import UPLOAD_LIMIT

THREADS = 8
_KINDS = {400: "malformed", 413: "too-large", 431: "too-large", 500: "machine-failed", 501: "refused"}


class _Refusal(ErrorTask):  # type: ignore[misc]
    """A refusal of the server, in the form that its address promises."""

    def execute(self) -> None:
        """Write the answer and close. What was refused before its first line was read has no address."""
        if not str(getattr(self.request, "path", "")).startswith("/api/"):
            super().execute()
            return
        error = self.request.error
        kind = f"https://gatehouse.example/problems/{_KINDS.get(error.code, 'refused')}"
        problem = {"type": kind, "title": error.reason, "status": error.code, "detail": "Nothing of it was kept."}
        body = json.dumps(problem).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/problem+json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


def create(application: Any, host: str, port: int, *, proxy: str | None) -> Any:  # noqa: ANN401 - waitress has no types
    """A server of an application.

    `proxy` is the one peer that is believed about who asks and whether by https (X-Forwarded-For, -Proto); from
    everybody else these headers are taken away.
    """
    HTTPChannel.error_task_class = _Refusal
    trusted = (
        {"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"}} if proxy else {}
    )
    return create_server(
        application,
        host=host,
        port=port,
        threads=THREADS,
        ident=None,
        max_request_body_size=UPLOAD_LIMIT + (1 << 20),  # the application itself refuses what is little above
        clear_untrusted_proxy_headers=True,
        **trusted,
    )
