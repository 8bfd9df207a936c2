"""Changes of law on their way into force: handed in as a zip, shown with their effect, signed by two offices.

A draft is a folder `drafts/<id>/` of the site: what was handed in, and `shown.json`, what the look at it found. Whether
it is signed or in force is read from the packs themselves. A draft is either a new version of one pack, or an order
(packs in force with one order added, and the court's text), which then goes the way of `gatehouse order`.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gatehouse.casework.records import Attempt
from gatehouse.casework.roster import marks
from gatehouse.console import accounts, desk, signatures, words
from gatehouse.console.arrivals import Upload
from gatehouse.console.models import Account
from gatehouse.intake import parcel
from gatehouse.intake.limits import LIMITS
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import canonical, clock, files, ids
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.kernel.progress import Progress
from gatehouse.law import adoption, compare, signing
from gatehouse.law.check import Report, check
from gatehouse.law.impact import impact
from gatehouse.law.pack import Declared, Pack, Rule
from gatehouse.law.prove import Status
from gatehouse.law.reading import load
from gatehouse.law.words import of_facts
from gatehouse.ledger import note
from gatehouse.ledger.signers import Verifier
from gatehouse.pipeline import orders
from gatehouse.site.roles import Role
from gatehouse.store.casebook import Casebook

FOLDER, SHOWN, HANDED_IN, PARCEL, SIGNED = "drafts", "shown.json", "handed-in", "parcel", "signed-by.json"
FAILED = "failed.json"
COUNSEL, CUSTODIAN = "counsel", "custodian"
MOST_FILES, MOST_BYTES, DEEPEST = 300, 32 << 20, 4
ASKED = ("Is anything newly permitted?", "Is anything no longer permitted?")
"""The two questions of `compare.diff`, in its order."""
_BOUNDS = replace(LIMITS, files=MOST_FILES, content=MOST_BYTES)
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
    """Keep a handed-in zip, unpacked, and the court's text. Raises WrongInput for what is no pack: nothing is kept."""
    identifier = ids.fresh("draft")
    folder = desk.site().root / FOLDER / identifier
    folder.mkdir(parents=True)
    try:
        _fill(folder, upload, text, text_name)
    except Exception:
        shutil.rmtree(folder)
        raise
    return Draft(identifier, folder, {})


def _fill(folder: Path, upload: Upload, text: Upload | None, text_name: str) -> None:
    with files.replacing(folder / "handed-in.zip") as temporary, temporary.open("wb") as stream:
        stream.writelines(upload.chunks())
    _unpack(folder / "handed-in.zip", folder / HANDED_IN)
    if text is not None:
        suffix = Path(text_name).suffix.lower()
        if suffix not in _TEXTS:
            raise WrongInput(
                "the order's text is not a document of a known type",
                remedy=f"Hand in one of {', '.join(sorted(_TEXTS))}",
            )
        with files.replacing(folder / f"text{suffix}") as temporary, temporary.open("wb") as stream:
            stream.writelines(text.chunks())


def _unpack(source: Path, target: Path) -> None:
    """Unpack a small zip of plain files in plainly named folders; anything else is refused."""
    with source.open("rb") as stream:
        try:
            parcel.check_end(stream, source.name, _BOUNDS)
            with parcel.theirs(source.name):
                archive = zipfile.ZipFile(stream)
                infos = [info for info in archive.infolist() if not info.is_dir()]
                held = {info.filename: archive.read(info) for info in infos} if _are_plain(infos) else {}
        except WrongInput:
            raise WrongInput("this is not a readable zip file", remedy="Zip the folder of the pack") from None
    if not held:
        raise WrongInput(
            "the zip contains too many files, or files that are not part of a pack of law", remedy="Zip only the pack"
        )
    for name, data in held.items():
        files.write(target / name, data)


def _are_plain(infos: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether a zip's files are few, small, stored or deflated, each of one plain name, and none also a folder."""
    names = {info.filename for info in infos}
    folders = {name.rpartition("/")[0] for name in names}
    return (
        len(names) == len(infos) <= MOST_FILES
        and names.isdisjoint(parent for folder in folders for parent in (folder, *_above(folder)))
        and all(_is_plain(info) for info in infos)
        and sum(info.file_size for info in infos) <= MOST_BYTES
    )


def _above(folder: str) -> list[str]:
    return [str(parent) for parent in Path(folder).parents]


def _is_plain(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.split("/")
    link = (info.external_attr >> 16) & 0o170000 == 0o120000
    packed = info.compress_type in parcel.METHODS
    return packed and not link and len(parts) <= DEEPEST and all(ids.is_name(part) for part in parts)


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
        raise WrongInput("the zip contains no pack.toml", remedy="Zip the folder of the pack")
    shown = _look_at_order(draft, handed_in, texts[0], progress) if texts else _look_at_pack(draft, handed_in, progress)
    files.write(draft.folder / SHOWN, canonical.encode(shown) + b"\n")
    return "It was checked, proved and compared. Nothing has changed yet."


def _look_at_pack(kept: Draft, handed_in: Sequence[Path], progress: Progress) -> dict[str, Any]:
    if len(handed_in) > 1:
        raise WrongInput("the zip contains more than one pack", remedy="Hand in one pack at a time, or an order's text")
    draft = load(handed_in[0])
    standing = desk.pack(draft.id)
    if standing is not None and standing.digest == draft.digest:
        raise AnswerIsNo("this is the law in force, unchanged", remedy="Change it, and raise its version")
    report = _checked(kept, draft, progress)
    progress("effect on dockets", 0, 1)
    dockets = [_effect(name, standing, draft) for name in _dockets(draft.id)] if standing else []
    return {"order": None, "packs": [_described(standing, report)], "dockets": dockets}


def _look_at_order(draft: Draft, handed_in: Sequence[Path], text: Path, progress: Progress) -> dict[str, Any]:
    with open_workspace(memory="2GB", threads=2) as connection:
        progress("effect on dockets", 0, 1)
        parcel, effect = orders.preview(
            connection, desk.office(), handed_in, text=text, out=draft.folder / PARCEL, now=clock.now()
        )
    described = [_described(desk.pack(str(one["pack"])), _checked(draft, load(folder), progress))
                 for folder, one in parcel.drafts()]  # fmt: skip
    record = {key: parcel.record[key] for key in ("order", "title", "cite", "made", "from")}
    return {"order": record, "packs": described, "dockets": effect["dockets"]}


def _checked(kept: Draft, pack: Pack, progress: Progress) -> Report:
    """Check and prove a pack; what stands against it is kept for the draft's page before AnswerIsNo is raised."""
    report = check(pack, progress)
    if not report.passed:
        files.write(kept.folder / FAILED, canonical.encode(_failures(report)) + b"\n")
        raise AnswerIsNo(
            f"{pack.id} {pack.version} does not pass its check",
            remedy="See the page of this change for what fails, and where",
        )
    signing.record(report)
    return report


def _failures(report: Report) -> list[dict[str, Any]]:
    """What stands against a pack, as its page shows it: where, what, and the request that shows it."""
    fields = report.pack.fields
    found: list[dict[str, Any]] = [
        {"where": _file(each.where), "what": each.says, "do": each.remedy, "shown": []}
        for each in report.findings
        if each.severity == "error"
    ]
    for failure in report.failures:
        example = failure.example
        where = f"{_file(example.file)}, line {example.line}, example “{example.title}”, as of {example.as_of}"
        found.append({"where": where, "what": failure.says, "do": "", "shown": _shown(example.facts, fields)})
    for verdict in report.verdicts:
        if verdict.status is not Status.PROVED:
            seen = verdict.counterexample
            what = f"{verdict.says} This is {verdict.status}{f': {verdict.why}' if verdict.why else ''}."
            facts = _shown(seen.facts, fields) if seen else []
            day = f", counter-example as of {seen.as_of}" if seen else ""
            found.append({"where": f"property {verdict.id}{day}", "what": what, "do": "", "shown": facts})
    for each in report.survivors:
        where = f"{each.rule.file}, line {each.rule.line}, rule {each.rule.id}"
        what = f"Nothing notices when this rule is changed by mistake: {each.mutation}"
        found.append({"where": where, "what": what, "do": "Add an example that does", "shown": []})
    return found


def _shown(facts: Mapping[str, Any], fields: Mapping[str, Declared]) -> list[dict[str, str]]:
    return [{"name": name, "says": says, "value": str(value)} for name, says, value in of_facts(facts, fields)]


def _file(where: str) -> str:
    return where.rpartition("/")[2]


def failures(draft: Draft) -> list[dict[str, Any]]:
    """What stands against a draft that did not pass its check; nothing where it passed, or is still looked at."""
    path = draft.folder / FAILED
    return json.loads(path.read_bytes()) if path.is_file() else []


def solver_installed() -> bool:
    """Whether this installation can prove, so that a change can be looked at."""
    return find_spec("z3") is not None


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
    trusted = desk.site().configuration.offices
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


def sign(draft: Draft, lines: Sequence[str], person: Account) -> str:
    """Take in one office's signatures, one for each text; gives who signed.

    Counsel signs for counsel, and who decides for the custodian's office; one person never signs for both. Raises
    AnswerIsNo when a signature is not that office's, or not over exactly what is to be signed; then none is kept, and
    the attempt is on record.
    """
    try:
        return _sign(draft, lines, person)
    except GatehouseError:
        Casebook().block(Attempt(draft.id, person.officer or person.username, "sign_law", "signature", clock.now()))
        raise


def _sign(draft: Draft, lines: Sequence[str], person: Account) -> str:
    office, other = _offices_of(person)
    trusted = desk.site().configuration.offices
    keys = {COUNSEL: trusted.counsel, CUSTODIAN: trusted.custodian}
    _refuse_other_office(office, person, lines, keys[other])
    signed = signers_of(draft)
    if (before := signed.get(other)) is not None and accounts.same_person(before, person):
        raise AnswerIsNo(
            f"you already signed this for the office of {other}", remedy="Another person must sign for this office"
        )
    fitted = signatures.fitted([text.text for text in exact(draft)], lines, keys[office])
    names = {key.name for _, key in fitted}
    if len(names) != 1:
        raise AnswerIsNo("the texts were signed with different keys", remedy="Sign all of them with your office's key")
    named = {name: account.username for name, account in signed.items()} | {office: person.username}
    files.write(draft.folder / SIGNED, canonical.encode(named))
    for (line, _), folder in zip(fitted[len(fitted) - len(draft.packs) :], draft.packs, strict=True):
        signing.add(load(folder), line)
    if draft.is_order:
        orders.add(draft.folder / PARCEL, fitted[0][0])
    return names.pop()


def _offices_of(person: Account) -> tuple[str, str]:
    """The office that an account signs for, and the other one."""
    return (COUNSEL, CUSTODIAN) if person.role == Role.COUNSEL else (CUSTODIAN, COUNSEL)


def _refuse_other_office(office: str, person: Account, lines: Sequence[str], others: Sequence[Verifier]) -> None:
    known = accounts.marks(person) & marks(*(key.name for key in others), keys=others)
    if known or any(note.SignatureLine.parse(line).is_by(key) for line in lines for key in others):
        raise AnswerIsNo(
            f"{'you hold' if known else 'this is'} a key of the other office, and your account signs for {office}",
            remedy="The holder of that key must sign with their own account",
        )


def signers_of(draft: Draft) -> dict[str, Account]:
    """Whose accounts have signed, by office."""
    path = draft.folder / SIGNED
    named = json.loads(path.read_bytes()) if path.is_file() else {}
    found = {office: Account.objects.filter(username=username).first() for office, username in named.items()}
    return {office: account for office, account in found.items() if account is not None}


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
