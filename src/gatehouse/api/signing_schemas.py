"""What the API sends and takes about steps: what is to be signed, and what became of it."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from gatehouse.api.casework import Decision
from gatehouse.api.schemas import Work
from gatehouse.casework import reasons


class BulkWanted(Schema):
    """All cases of a docket in one state, or those of them that one `rule` stopped."""

    action: Decision
    state: Literal["held", "cleared", "approved_once", "approved_twice"]
    rule: str = Field("", max_length=128, pattern=r"^[^\x00]*$")
    reason: str = Field(max_length=reasons.LONGEST)


class RecallWanted(Schema):
    """Which released cases: `requests` by id, all that a `rule` stops, or all that `today`'s law stops; and why."""

    kind: Literal["requests", "rule", "today"]
    requests: list[str] = Field(default_factory=list, max_length=100_000)
    rule: str = Field("", max_length=128, pattern=r"^[^\x00]*$")
    reason: str = Field(max_length=reasons.LONGEST)


class HaltWanted(Schema):
    """A statement: `halt` or `resume`, of `everything`, `agency NAME` or `docket NAME`, and why. Or one that waits."""

    action: str = Field("", max_length=16)
    scope: str = Field("", max_length=256)
    reason: str = Field("", max_length=reasons.LONGEST)
    waiting: str = Field("", max_length=128)


class Exact(Schema):
    """One exact text to sign, in UTF-8, and its digest to compare with what the signing machine says."""

    text: str
    sha256: str


class Sample(Schema):
    """Cases to read before a decision about many: `marks` says of each that was looked at whether it was wrong."""

    drawn: list[int]
    marks: dict[str, bool]


class Step(Schema):
    """What waits for a signature: first its sample, where it has one, then its texts."""

    id: str
    kind: Literal["decision", "recall", "halt", "order"]
    docket: str
    state: Literal["sample", "sign", "done"]
    texts: list[Exact]
    cases: int
    sample: Sample | None
    packages: list[str]
    warning: str


class Done(Schema):
    """What became of what was signed; with `work` it is being carried out."""

    id: str
    state: Literal["done", "begun", "in_force", "complete", "waits"]
    work: Work | None = None


class WaitingHalt(Schema):
    """A statement that too few overseers signed so far."""

    name: str
    text: str
    signed: list[str]
    needed: int


class WaitingHalts(Schema):
    """Every statement that waits for more overseers."""

    items: list[WaitingHalt]


class Draft(Schema):
    """A change of law: what it is of, whether it passed its check, and whether it is in force."""

    id: str
    looked_at: bool
    packs: list[str]
    order: str
    in_force: bool


class Drafts(Schema):
    """Every change of law that was handed in."""

    items: list[Draft]


class Drafted(Schema):
    """A change of law that was handed in, and the look at it, which is under way."""

    draft: str
    work: Work


class OfficeText(Exact):
    """One text that both offices sign, and the keys that signed it so far."""

    name: str
    counsel: str
    custodian: str


class DraftShown(Draft):
    """A change of law as its page shows it: what stands against it, its effect, and what is to be signed."""

    failures: list[dict[str, Any]]
    effect: dict[str, Any]
    texts: list[OfficeText]


class SignedFor(Schema):
    """The key that signed."""

    signed_by: str


class Adopted(Schema):
    """A pack that is in force now."""

    pack: str
    version: str
    digest: str
