"""Changes of law on their way into force: handed in as a zip, shown with their effect, signed by two offices.

A draft is a folder `drafts/<id>/` of the site: what was handed in, and `shown.json`, what the look at it found. Whether
it is signed or in force is read from the packs themselves. A draft is either a new version of one pack, or an order
(packs in force with one order added, and the court's text), which then goes the way of `gatehouse order`.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.casework.records import Attempt
from gatehouse.console import desk, signatures, words
from gatehouse.console.arrivals import Upload
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import canonical, clock, files, ids
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.kernel.progress import Progress
from gatehouse.law import adoption, compare, signing
from gatehouse.law.check import Report, check
from gatehouse.law.impact import impact
from gatehouse.law.pack import Declared, Pack, Rule, load
from gatehouse.law.words import of_facts
from gatehouse.ledger import note
from gatehouse.ledger.signers import Verifier
from gatehouse.pipeline import offices, orders
from gatehouse.pipeline import packs as gate
from gatehouse.store.casebook import Casebook

FOLDER, SHOWN, HANDED_IN, PARCEL = "drafts", "shown.json", "handed-in", "parcel"
MOST_FILES, MOST_BYTES, DEEPEST = 300, 32 << 20, 4
ASKED = ("Is anything newly permitted?", "Is anything no longer permitted?")
"""The two questions of `compare.diff`, in its order."""
_TEXTS = frozenset({".pdf", ".txt", ".md", ".html"})


@dataclass(frozen=True)
class Draft:
    """One draft, with what the look at it found; `shown` is empty until then."""

    id: str
    folder: Path
    shown: Mapping[str, Any]

    @property
    def is_order(self) -> bool:
        """Whether it is a court's order."""
        return bool(self.shown.get("order"))

    @property
    def packs(self) -> list[Path]:
        """The folders of the packs that are signed."""
        inside = self.folder / (f"{PARCEL}/{orders.PACKS}" if self.is_order else HANDED_IN)
        return sorted(path.parent for path in inside.rglob("pack.toml"))


@dataclass(frozen=True)
class Exact:
    """One text that an office signs, and whose signatures it has."""

    name: str
    text: str
    counsel: str
    custodian: str


def keep(upload: Upload, text: Upload | None, text_name: str) -> Draft:
    """Keep a handed-in zip, unpacked, and the court's text beside it. Raises WrongInput for what cannot be a pack."""
    identifier = ids.fresh("draft")
    folder = desk.site().root / FOLDER / identifier
    folder.mkdir(parents=True)
    with files.replacing(folder / "handed-in.zip") as temporary, temporary.open("wb") as stream:
        stream.writelines(upload.chunks())
    _unpack(folder / "handed-in.zip", folder / HANDED_IN)
    if text is not None:
        suffix = Path(text_name).suffix.lower()
        if suffix not in _TEXTS:
            raise WrongInput("the order's text is no document", remedy=f"Hand in one of {', '.join(sorted(_TEXTS))}")
        with files.replacing(folder / f"text{suffix}") as temporary, temporary.open("wb") as stream:
            stream.writelines(text.chunks())
    return Draft(identifier, folder, {})


def _unpack(source: Path, target: Path) -> None:
    """Unpack a small zip of plain files in plainly named folders; anything else is refused."""
    try:
        with zipfile.ZipFile(source) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            plain = len(infos) <= MOST_FILES and all(_is_plain(info) for info in infos)
            if not plain or sum(info.file_size for info in infos) > MOST_BYTES:
                raise WrongInput("the zip holds more, or other things, than packs of law", remedy="Zip the pack alone")
            for info in infos:
                data = archive.read(info)
                if len(data) != info.file_size:
                    raise WrongInput("the zip is damaged", remedy="Zip it again")
                files.write(target / info.filename, data)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise WrongInput("this is no zip that can be read", remedy="Zip the folder of the pack") from None


def _is_plain(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.split("/")
    link = (info.external_attr >> 16) & 0o170000 == 0o120000
    return not link and len(parts) <= DEEPEST and all(ids.is_name(part) for part in parts)


def all_drafts() -> list[Draft]:
    """Every draft, newest first."""
    folders = sorted((desk.site().root / FOLDER).glob("draft-*"), key=lambda path: -path.stat().st_mtime)
    return [draft for path in folders if (draft := find(path.name)) is not None]


def find(identifier: str) -> Draft | None:
    """One draft by its id."""
    folder = desk.site().root / FOLDER / identifier
    if not ids.is_name(identifier) or not folder.is_dir():
        return None
    path = folder / SHOWN
    return Draft(identifier, folder, json.loads(path.read_bytes()) if path.is_file() else {})


def look(draft: Draft, progress: Progress) -> str:
    """Check, prove and compare a draft, and find what it would do to every docket. Nothing changes at the site.

    Raises WrongInput or AnswerIsNo where it is no law that could be put in force.
    """
    handed_in = sorted(path.parent for path in (draft.folder / HANDED_IN).rglob("pack.toml"))
    texts = sorted(path for path in draft.folder.glob("text.*"))
    if not handed_in:
        raise WrongInput("the zip holds no pack.toml", remedy="Zip the folder of the pack")
    shown = _look_at_order(draft, handed_in, texts[0], progress) if texts else _look_at_pack(handed_in, progress)
    files.write(draft.folder / SHOWN, canonical.encode(shown) + b"\n")
    return "It was checked, proved and compared. Nothing has changed yet."


def _look_at_pack(handed_in: Sequence[Path], progress: Progress) -> dict[str, Any]:
    if len(handed_in) > 1:
        raise WrongInput("the zip holds more than one pack", remedy="Hand in one pack at a time, or an order's text")
    draft = load(handed_in[0])
    standing = desk.pack(draft.id)
    if standing is not None and standing.digest == draft.digest:
        raise AnswerIsNo("this is the law in force, unchanged", remedy="Change it, and raise its version")
    report = _checked(draft, progress)
    progress("effect on dockets", 0, 1)
    dockets = [_effect(name, standing, draft) for name in _dockets(draft.id)] if standing else []
    return {"order": None, "packs": [_described(standing, report)], "dockets": dockets}


def _look_at_order(draft: Draft, handed_in: Sequence[Path], text: Path, progress: Progress) -> dict[str, Any]:
    with open_workspace(memory="2GB", threads=2) as connection:
        progress("effect on dockets", 0, 1)
        parcel, effect = orders.preview(
            connection, desk.office(), handed_in, text=text, out=draft.folder / PARCEL, now=clock.now()
        )
    described = [_described(desk.pack(str(one["pack"])), _checked(load(folder), progress))
                 for folder, one in parcel.drafts()]  # fmt: skip
    record = {key: parcel.record[key] for key in ("order", "title", "cite", "made", "from")}
    return {"order": record, "packs": described, "dockets": effect["dockets"]}


def _checked(draft: Pack, progress: Progress) -> Report:
    report = check(draft, progress)
    signing.record(report)
    return report


def _described(standing: Pack | None, report: Report) -> dict[str, Any]:
    draft = report.pack
    fields = {**(standing.fields if standing else {}), **draft.fields}
    answers = [] if standing is None else compare.diff(compare.Body(standing, ()), compare.Body(draft, ()))
    return {
        "pack": draft.id, "title": draft.title, "version": draft.version, "digest": draft.digest,
        "before": standing.version if standing else "",
        "properties": len(report.verdicts), "examples": len(draft.examples), "mutations": report.mutants,
        "warnings": [f"{each.where}: {each.says}" for each in report.findings],
        "rules": list(_rules(standing, draft)),
        "answers": [_answer(each, asked, fields) for each, asked in zip(answers, ASKED, strict=False)],
    }  # fmt: skip


def _answer(answer: compare.Answer, asked: str, fields: Mapping[str, Declared]) -> dict[str, Any]:
    seen = answer.witness
    return {
        "question": asked, "status": answer.status,
        "witness": seen and {"as_of": str(seen.as_of), "because": list(seen.because),
                             "differs": {name: {"says": says, "value": value}
                                         for name, says, value in of_facts(seen.differs, fields)}},
    }  # fmt: skip


def _rules(standing: Pack | None, draft: Pack) -> Iterator[dict[str, str]]:
    """Each rule that was added, changed or taken out, before and after, in its own words."""
    before: Mapping[str, Rule] = standing.by_id if standing else {}
    for identifier in dict.fromkeys([*before, *draft.by_id]):
        old, new = before.get(identifier), draft.by_id.get(identifier)
        if old is None or new is None or _words(old) != _words(new):
            change = "added" if old is None else "taken out" if new is None else "changed"
            yield {"rule": identifier, "change": change, "before": _words(old), "after": _words(new)}


def _words(rule: Rule | None) -> str:
    if rule is None:
        return ""
    ends = f" until {rule.until}" if rule.until else ""
    say = f" The requester is told: {rule.say}" if rule.say else ""
    follows = f" {words.consequence(rule.effect, rule.otherwise)}".rstrip()
    says = f" {rule.quote.rstrip('.')}." if rule.quote else ""
    means = f"{words.EFFECTS[rule.effect]}: {rule.text}.{follows}"
    return f"{rule.cite}.{says} {means} In force from {rule.begins}{ends}.{say}"


def _dockets(basis: str) -> list[str]:
    return [name for name in desk.dockets().names() if desk.docket(name).summary.get("basis") == basis]


def _effect(name: str, standing: Pack, draft: Pack) -> dict[str, Any]:
    with open_workspace(memory="2GB", threads=2) as connection:
        changes = impact(connection, standing, draft, [desk.docket(name).folder], clock.today())
    changed = [one for one in changes if one.old != one.new]
    return {
        "docket": name,
        "changes": [{"old": one.old, "new": one.new, "requests": one.requests, "rules": [*one.begun, *one.ended]}
                    for one in changed],
    }  # fmt: skip


def exact(draft: Draft) -> list[Exact]:
    """Every text that both offices sign for a draft, with whose signatures it has. Raises AnswerIsNo if not proved."""
    trusted = offices.read(desk.site())
    texts = []
    if draft.is_order:
        parcel = draft.folder / PARCEL
        data = (parcel / orders.RECORD).read_bytes()
        texts.append(_exact(orders.RECORD, data, parcel / orders.SIGNATURES, trusted))
    for folder in draft.packs:
        pack = load(folder)
        texts.append(_exact(f"{pack.id} {pack.version}", signing.to_sign(pack), folder / signing.SIGNATURES, trusted))
    return texts


def _exact(name: str, data: bytes, signatures: Path, trusted: signing.Offices) -> Exact:
    lines = signatures.read_text(encoding="utf-8").splitlines() if signatures.is_file() else []
    counsel, custodian = (_signer(data, lines, keys) for keys in (trusted.counsel, trusted.custodian))
    return Exact(name, data.decode(), counsel, custodian)


def _signer(data: bytes, lines: Sequence[str], keys: Sequence[Verifier]) -> str:
    for line in lines:
        try:
            return note.verify_detached(data, line, keys).name
        except GatehouseError:
            continue
    return ""


def sign(draft: Draft, lines: Sequence[str]) -> str:
    """Take in one office's signatures, one for each text; gives who signed.

    Raises AnswerIsNo when a signature is no office's, or not over exactly what is to be signed; then none is kept.
    """
    trusted = offices.read(desk.site())
    keys = [*trusted.counsel, *trusted.custodian]
    fitted = signatures.fitted([text.text for text in exact(draft)], lines, keys)
    names = {key.name for _, key in fitted}
    if len(names) != 1:
        raise AnswerIsNo("the texts were signed with different keys", remedy="Sign all of them with your office's key")
    for (line, _), folder in zip(fitted[len(fitted) - len(draft.packs) :], draft.packs, strict=True):
        signing.add(load(folder), line)
    if draft.is_order:
        orders.add(draft.folder / PARCEL, fitted[0][0])
    return names.pop()


def attempts(draft: Draft) -> list[Attempt]:
    """Signatures and entries that were refused, oldest first."""
    casebook = Casebook()
    refused = list(casebook.attempts(draft.id))
    if draft.is_order:
        refused += casebook.attempts(str(draft.shown["order"]["order"]))
    return sorted(refused, key=lambda attempt: attempt.at)


def in_force(draft: Draft) -> bool:
    """Whether every pack of a draft is in force now."""
    pins = adoption.pinned(desk.site().packs)
    digests = {str(one["pack"]): one["digest"] for one in draft.shown.get("packs", ())}
    return bool(digests) and all(
        (pin := pins.get(pack)) is not None and pin.digest == digest for pack, digest in digests.items()
    )


def adopt(draft: Draft) -> Pack:
    """Put a pack that both offices signed in force. Raises as `law adopt` does; then nothing has changed."""
    [folder] = draft.packs
    return gate.adopt(desk.site(), folder, clock.now())
