"""What the API sends: names and states after ETSI TS 103 120 where they fit (docs/interop.md maps them)."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from ninja import Schema
from pydantic import Field


class Submission(Schema):
    """One submission of the agency, from its first byte to its answers."""

    id: str
    state: Literal["checking", "checked", "deciding", "received", "refused", "failed"]
    submission: str = ""
    requests: int = 0
    received_at: dt.datetime | None = None
    message: str = ""
    form: dict[str, dict[str, int]] = Field(default_factory=dict)


class Submissions(Schema):
    """One page of submissions; `next` is the `after` of the next page, absent on the last."""

    items: list[Submission]
    next: str | None = None


class Receipt(Schema):
    """The custodian's receipt and its detached signature over the receipt's exact bytes."""

    receipt: str
    signature: str | None = None


class Answer(Schema):
    """What may be said about one request now."""

    request_id: str
    outcome: Literal["pending", "answered", "not_answered"]
    codes: list[str]
    text: str


class Answers(Schema):
    """One page of answers in the order of request ids."""

    items: list[Answer]
    next: str | None = None


class Package(Schema):
    """One sealed release for one officer."""

    id: str
    officer: str
    digest: str
    sealed_at: dt.datetime
    expires_on: dt.date
    recalled: bool
    returned: list[str]


class Packages(Schema):
    """All sealed releases of a submission."""

    items: list[Package]


class Checkpoint(Schema):
    """The newest checkpoint of the log, as signed and taken apart."""

    origin: str
    size: int
    root: str
    note: str


class Witness(Schema):
    """One witness of the policy, and whether it cosigned the newest checkpoint."""

    name: str
    vkey: str
    cosigned: bool


class Witnesses(Schema):
    """The policy (C2SP tlog-policy) that the newest checkpoint was published under."""

    policy: str
    size: int
    quorum_met: bool
    items: list[Witness]
