"""An agency's side of the API in one file of standard Python: hand in a submission, wait, read answers, fetch releases.

export GATEHOUSE_KEY=gk_…            # made by the custodian's administrator
python agency_client.py https://gateway.example/api/v1 submission.zip packages/
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

State = Literal["checking", "checked", "deciding", "received", "refused", "failed"]
Outcome = Literal["pending", "answered", "not_answered"]


class Problem(Exception):  # noqa: N818 - the name of RFC 9457
    """What the custodian answered instead: a problem detail (RFC 9457)."""

    def __init__(self, type: str, title: str, status: int, detail: str = "") -> None:  # noqa: A002
        super().__init__(f"{status} {title}. {detail}")
        self.kind, self.status, self.detail = type.rpartition("/")[2], status, detail


@dataclass(frozen=True)
class Submission:
    """Where a submission is on its way; `submission` is its own id once it is read."""

    id: str
    state: State
    submission: str
    requests: int
    message: str


@dataclass(frozen=True)
class Answer:
    """What may be said about one request now."""

    request_id: str
    outcome: Outcome
    codes: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Package:
    """A sealed release for one officer, who opens it with `gatehouse open`."""

    id: str
    officer: str
    digest: str
    recalled: bool


class Client:
    """The API of one custodian, with one key."""

    def __init__(self, base: str, key: str, *, patience: float = 60) -> None:
        self._base, self._key, self._patience = base.rstrip("/"), key, patience

    def hand_in(self, zipped: Path) -> Submission:
        """Send a zip to be checked for form. The same file is taken once, however often this is called."""
        data = zipped.read_bytes()
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="submission.zip"\r\n\r\n'
        once = hashlib.sha256(data).hexdigest()
        body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
        return _submission(
            self._json("submissions", body, kind=f"multipart/form-data; boundary={edge}", once=f"in-{once}")
        )

    def send(self, identifier: str) -> Submission:
        """Have a checked submission decided."""
        return _submission(self._json(f"submissions/{identifier}/send", b"", once=f"send-{identifier}"))

    def look(self, identifier: str) -> Submission:
        """Where it is now."""
        return _submission(self._json(f"submissions/{identifier}"))

    def wait(self, identifier: str, *, until: set[State], seconds: float = 3600) -> Submission:
        """Look until it is in one of some states. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while (found := self.look(identifier)).state not in until:
            if time.monotonic() > end:
                raise TimeoutError(f"{identifier} is still {found.state}")
            time.sleep(2)
        return found

    def answers(self, identifier: str) -> Iterator[Answer]:
        """All answers as they stand, page by page."""
        after: str | None = ""
        while after is not None:
            page = self._json(f"submissions/{identifier}/answers", query={"after": after, "limit": "1000"})
            for item in page["items"]:
                yield Answer(item["request_id"], item["outcome"], tuple(item["codes"]), item["text"])
            after = page["next"]

    def packages(self, identifier: str) -> list[Package]:
        """The sealed releases."""
        items = self._json(f"submissions/{identifier}/releases")["items"]
        return [Package(item["id"], item["officer"], item["digest"], item["recalled"]) for item in items]

    def fetch(self, identifier: str, package: Package, folder: Path) -> Path:
        """One package into a folder, checked against the digest that the custodian names."""
        data = self._bytes(f"submissions/{identifier}/releases/{package.id}")
        if hashlib.sha256(data).hexdigest() != package.digest:
            raise ValueError(f"{package.id} arrived damaged; fetch it again")
        path = folder / f"{package.id}.age"
        path.write_bytes(data)
        return path

    def _json(
        self,
        path: str,
        body: bytes | None = None,
        *,
        kind: str = "",
        once: str = "",
        query: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        found = self._bytes(path, body, kind=kind, once=once, query=query)
        return cast("dict[str, Any]", json.loads(found))

    def _bytes(
        self,
        path: str,
        body: bytes | None = None,
        *,
        kind: str = "",
        once: str = "",
        query: dict[str, str] | None = None,
    ) -> bytes:
        address = f"{self._base}/{urllib.parse.quote(path)}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self._key}"}
        headers |= {"Idempotency-Key": once} if once else {}
        headers |= {"Content-Type": kind} if kind else {}
        request = urllib.request.Request(address, body, headers, method="GET" if body is None else "POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self._patience) as answer:  # noqa: S310
                return cast("bytes", answer.read())
        except urllib.error.HTTPError as error:
            if error.code in {429, 503}:  # both say when to come back
                time.sleep(min(float(error.headers.get("Retry-After", "5")), self._patience))
                return self._bytes(path, body, kind=kind, once=once, query=query)
            raise Problem(**json.loads(error.read())) from None


def _submission(found: dict[str, Any]) -> Submission:
    return Submission(found["id"], found["state"], found["submission"], found["requests"], found["message"])


def main() -> None:
    """Carry one submission from the zip to the packages."""
    base, zipped, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(exist_ok=True)
    client = Client(base, os.environ["GATEHOUSE_KEY"])
    checked = client.wait(client.hand_in(zipped).id, until={"checked", "refused", "failed", "received"})
    if checked.state in {"refused", "failed"}:
        sys.exit(checked.message)
    if checked.state == "checked":
        client.send(checked.id)
    received = client.wait(checked.id, until={"received", "refused", "failed"})
    if received.state != "received":
        sys.exit(received.message)
    counts: dict[str, int] = {}
    for answer in client.answers(received.id):
        counts[answer.outcome] = counts.get(answer.outcome, 0) + 1
    for package in client.packages(received.id):
        if not package.recalled:
            client.fetch(received.id, package, folder)
    print(json.dumps({"submission": received.submission, "answers": counts}))


if __name__ == "__main__":
    main()
