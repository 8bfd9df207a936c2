"""A first pack to change: small, complete, and passing its check as soon as its id and texts are real."""

from __future__ import annotations

from pathlib import Path

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.law.folder import pack_files
from gatehouse.law.tables import PACK_ID

_PACK = """\
# A first pack. docs/law.md says what each key means.
id = "{id}"
version = "0.1.0"
title = "An invented statute, section 1"
says = "The head of an agency may ask in writing for a person's address, for a criminal investigation."
basis = "{id}"

[default]
say = "No provision of law permits this disclosure on this date."
note = "No grant in this pack applies."

[items]
last_known_address = "The last known address on file"

[fields]
basis = {{ type = "text", about = "submission", says = "the basis in law that the submission states" }}
signature_valid = {{ type = "bool", about = "submission", says = "the signature is valid" }}
persons_agreeing = {{ type = "int", least = 0, about = "register", says = "records that agree by name and address" }}
items_requested = {{ type = "text[]", about = "request", says = "the items asked for" }}
items_agreed = {{ type = "text[]", about = "custodian", says = "the items the agreement allows" }}

[fields.proceeding]
type = "text"
about = "request"
says = "the kind of proceeding"
values = ["investigation", "preparation", "grand_jury", "civil_removal", "other"]
"""

_LAW = """\
[source]
id = "statute"
title = "An invented statute"
kind = "statute"
cite = "Invented Statute § 1"
made = 2025-01-01
from = 2025-01-01
certainty = "uncertain"

[[rule]]
id = "may-disclose"
effect = "grant"
code = "AUTHORITY"
when = "basis = '{id}'"
items = ["last_known_address"]
cite = "Invented Statute § 1(a)"
paraphrase = "The custodian may give the last known address on a written request."
say = "A valid request may be answered."
note = "The grant."

[[rule]]
id = "in-writing"
effect = "require"
otherwise = "refuse"
code = "AUTHORITY"
when = "signature_valid"
cite = "Invented Statute § 1(a)"
paraphrase = "The request is in writing."
say = "The request carries no valid signature."
note = "A signed manifest is the writing."

[[rule]]
id = "criminal-only"
effect = "require"
otherwise = "refuse"
code = "AUTHORITY"
when = "proceeding = 'investigation'"
cite = "Invented Statute § 1(b)"
paraphrase = "For a criminal investigation only."
say = "The statute serves criminal investigations only."
note = "Proceeding: {{proceeding}}."

[[rule]]
id = "one-person"
effect = "require"
otherwise = "refuse"
code = "SUBJECT"
when = "persons_agreeing = 1"
cite = "Invented Statute § 1(a)"
paraphrase = "The person named, and no other."
say = "No information can be given about this request."
note = "Records that agree: {{persons_agreeing}}."
"""

_EXAMPLES = """\
[base]
basis = "{id}"
signature_valid = true
proceeding = "investigation"
persons_agreeing = 1
items_requested = ["last_known_address"]
items_agreed = ["last_known_address"]

[[example]]
title = "A valid request"
as_of = 2025-06-01
outcome = "cleared"
fired = []

[[example]]
title = "Another basis in law"
as_of = 2025-06-01
outcome = "refused"
fired = ["no-grant"]
with = {{ basis = "something.else" }}

[[example]]
title = "The signature is wrong"
as_of = 2025-06-01
outcome = "refused"
fired = ["in-writing"]
with = {{ signature_valid = false }}

[[example]]
title = "Civil removal"
as_of = 2025-06-01
outcome = "refused"
fired = ["criminal-only"]
with = {{ proceeding = "civil_removal" }}

[[example]]
title = "Two records agree"
as_of = 2025-06-01
outcome = "refused"
fired = ["one-person"]
with = {{ persons_agreeing = 2 }}
"""

_PROPERTIES = """\
[[property]]
id = "never-civil"
kind = "safety"
says = "Nothing clears for anything but a criminal investigation, in writing, about exactly one person."
holds = "proceeding = 'investigation' AND signature_valid AND persons_agreeing = 1"

[[property]]
id = "can-be-answered"
kind = "liveness"
says = "On every day from 2025 on, a valid request clears."
from = 2025-01-01
holds = "gives_last_known_address"
"""


def write_template(folder: Path, pack_id: str) -> None:
    """Write a first pack into a folder that is empty or does not exist. Raises WrongInput where it is not."""
    _empty(folder)
    if not PACK_ID.fullmatch(pack_id):
        raise WrongInput(
            "a pack's id may contain only lower-case letters, digits, dots and hyphens",
            where="--id",
            remedy="Write it like us.irs.6103-i-2",
        )
    texts = {
        "pack.toml": _PACK,
        "law/statute.toml": _LAW,
        "examples/requests.toml": _EXAMPLES,
        "properties.toml": _PROPERTIES,
    }
    for name, text in texts.items():
        _write(folder / name, text.format(id=pack_id).encode())


def write_copy(folder: Path, like: Path) -> None:
    """Copy a pack's law, examples and properties, without lock, signatures and proof, as a draft to change.

    Raises WrongInput where the folder is not empty or `like` is no pack.
    """
    _empty(folder)
    for path in pack_files(like):
        _write(folder / path.relative_to(like), path.read_bytes())


def _empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongInput("the folder is not empty", where=str(folder), remedy="Name a new folder")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, data)
