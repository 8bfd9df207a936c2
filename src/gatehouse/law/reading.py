"""Read a pack's folder: TOML files to a checked `Pack`, each fault with its file, line and remedy."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from gatehouse.kernel import digests
from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import WrongInput
from gatehouse.law import tables, texts, wording
from gatehouse.law.folder import pack_files
from gatehouse.law.language import Expression, Kind, Vocabulary, field_names, parse, parse_condition
from gatehouse.law.pack import (
    NO_GRANT,
    SEVERITY,
    Certainty,
    Code,
    Declared,
    Effect,
    Example,
    Instrument,
    NamedList,
    Otherwise,
    Pack,
    Proof,
    Property,
    Rule,
)
from gatehouse.law.tables import IDENTIFIER, PACK_ID, read_document

KINDS = ("statute", "regulation", "agreement", "policy", "order", "opinion")
MOST_RULES = 400
MOST_ENTRIES = 1_000
MOST_FIELDS = 300
LONGEST_ID = 100
DERIVED = "items_permitted"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def _changes(document: Table) -> Iterator[tuple[str, str]]:
    """What changed from version to version, in words."""
    for entry in document.entries("change"):
        entry.only("version", "says")
        yield entry.text("version"), entry.text("says")


_Part = TypeVar("_Part", Instrument, Rule, NamedList, Example, Property, texts.Text)
_KEPT: dict[str, Pack] = {}
"""The packs read last, by digest: a site asks for the same law at every door."""
_MOST_KEPT = 16
_KEEPING = threading.Lock()


def load(folder: Path) -> Pack:
    """Read and check a pack. Raises WrongInput with file, line and remedy for the first thing that is wrong.

    The folder's bytes are read and hashed each time; what they say is worked out once for the same bytes.
    """
    files = pack_files(folder)
    digest = digests.of_files(folder, files)
    kept = _KEPT.get(digest)
    if kept is None:
        kept = _read(folder, files, digest)
        if digests.of_files(folder, files) == digest:  # nobody wrote between the digest and the reading
            _keep(kept)
    return kept if kept.folder == folder else _found_at(kept, folder)


def _keep(pack: Pack) -> None:
    """Keep what a pack says under its digest; the oldest goes. Threads of one server may ask at once."""
    with _KEEPING:
        _KEPT[pack.digest] = pack
        while len(_KEPT) > _MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]


def _found_at(pack: Pack, folder: Path) -> Pack:
    """The same pack in another folder: only the places that messages name are others."""
    before = len(str(pack.folder))

    def there(part: _Part) -> _Part:
        return dataclasses.replace(part, file=f"{folder}{part.file[before:]}")

    instruments = {each.id: there(each) for each in pack.instruments}
    rules = (dataclasses.replace(there(rule), instrument=instruments[rule.instrument.id]) for rule in pack.rules)
    return dataclasses.replace(
        pack, folder=folder, lists={name: there(each) for name, each in pack.lists.items()},
        instruments=tuple(instruments.values()), rules=tuple(rules), examples=tuple(map(there, pack.examples)),
        properties=tuple(map(there, pack.properties)), texts=tuple(map(there, pack.texts)),
    )  # fmt: skip


def _read(folder: Path, files: list[Path], digest: str) -> Pack:
    """What the files say, checked."""
    document = read_document(folder / "pack.toml")
    document.only(
        "id", "version", "title", "says", "basis", "default", "items", "fields", "facts", "assume", "change", "wording",
        "awaits",
    )  # fmt: skip
    if not PACK_ID.fullmatch(document.text("id")) or len(document.text("id")) > LONGEST_ID:
        raise document.wrong("id", "this cannot be a pack's id", "Use lower-case letters, digits, dots and hyphens")
    fields = dict(_fields(document.entry("fields", required=True)))
    lists = dict(_lists(folder, files))
    items = dict(document.entry("items", required=True).texts())
    vocabulary = Vocabulary(
        kinds={name: declared.kind for name, declared in fields.items()} | {DERIVED: Kind.INT},
        values={name: declared.values for name, declared in fields.items()},
        terms={},
        lists={name: tuple(listed.entries) for name, listed in lists.items()},
    )
    vocabulary, terms = _terms(document.entry("facts"), vocabulary)
    instruments, rules = _law(folder, files, vocabulary, items)
    default = document.entry("default", required=True)
    awaits_facts, awaits_items = _awaited(document.entry("awaits"), fields, items)
    return Pack(
        id=document.text("id"),
        version=document.text("version"),
        title=document.text("title"),
        says=document.text("says"),
        basis=document.text("basis"),
        digest=digest,
        folder=folder,
        default_say=default.text("say"),
        default_note=default.text("note"),
        fields=fields,
        items=items,
        lists=lists,
        vocabulary=vocabulary,
        terms=terms,
        assumptions=tuple(_assumptions(document, vocabulary)),
        instruments=instruments,
        rules=rules,
        examples=tuple(_examples(folder, files, fields, rules)),
        properties=tuple(_properties(folder, property_vocabulary(vocabulary, items))),
        changes=tuple(_changes(document)),
        texts=tuple(_texts(folder, files)),
        wording=wording.read(document.entry("wording")),
        awaits_facts=awaits_facts,
        awaits_items=awaits_items,
    )


def _awaited(
    entry: Table, fields: Mapping[str, Declared], items: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the pack says is not there yet, by names that it declares."""
    entry.only("facts", "items")
    found = {"facts": entry.text_list("facts"), "items": entry.text_list("items")}
    for key, known in (("facts", fields), ("items", items)):
        for name in found[key]:
            if name not in known:
                raise entry.wrong(
                    key, f"{name!r} is not among the pack's {key}", f"Declare it, or leave it out of {key}"
                )
    return found["facts"], found["items"]


def _fields(entry: Table) -> Iterator[tuple[str, Declared]]:
    if len(list(entry)) > MOST_FIELDS:
        raise entry.wrong("", f"a pack declares {MOST_FIELDS} facts at most", "Split the pack into several")
    for name in entry:
        if not IDENTIFIER.fullmatch(name) or name in ("as_of", "seq", DERIVED):
            raise entry.wrong(name, f"{name!r} cannot name a fact", "Use lower-case letters, digits and _")
        inner = entry.inner(name)
        inner.only("type", "says", "values", "about", "least")
        kind = inner.choice("type", [kind.value for kind in Kind])
        about = inner.choice("about", ["request", "submission", "custodian", "batch", "register"])
        yield (
            name,
            Declared(
                name=name,
                kind=Kind(kind),
                says=inner.text("says"),
                values=inner.text_list("values"),
                reveals=about == "register",
                repeats=about in ("submission", "custodian"),
                least=inner.number("least"),
            ),
        )


def _lists(folder: Path, files: list[Path]) -> Iterator[tuple[str, NamedList]]:
    taken: set[str] = set()
    for path in _in(folder, files, "lists"):
        entry = read_document(path).entry("list", required=True)
        entry.only("name", "source", "certainty", "entries", "proofs")
        name = entry.text("name")
        if not IDENTIFIER.fullmatch(name):
            raise entry.wrong("name", f"{name!r} cannot name a list", "Use lower-case letters, digits and _")
        if name in taken:
            raise entry.wrong("name", f"there is a list {name!r} already", "Names are given once")
        taken.add(name)
        if len(list(entry.inner("entries"))) > MOST_ENTRIES:
            raise entry.wrong(
                "entries", f"a list has {MOST_ENTRIES:,} entries at most", "Decide this before the law does"
            )
        certainty = Certainty(entry.choice("certainty", list(Certainty)))
        entries = dict(entry.inner("entries").texts())
        proofs = dict(_proofs(entry.inner("proofs", required=False), entries))
        yield name, NamedList(name, entry.text("source"), certainty, entries, proofs, str(path))


def _proofs(entry: Table, entries: Mapping[str, str]) -> Iterator[tuple[str, Proof]]:
    for name in entry:
        if name not in entries:
            raise entry.wrong(name, f"the list has no entry {name!r}", "Prove entries of this list only")
        inner = entry.inner(name)
        inner.only("provision", "quote")
        yield name, Proof(_provision(inner, inner.text("provision")), inner.text("quote"))


def _provision(entry: Table, identifier: str) -> str:
    if not texts.IDENTIFIER.fullmatch(identifier):
        remedy = "Write it as the publisher does: /us/usc/t26/s6103/i/2/B/iv"
        raise entry.wrong("provision", f"{identifier!r} cannot name a provision", remedy)
    return identifier


def _texts(folder: Path, files: list[Path]) -> Iterator[texts.Text]:
    taken: set[str] = set()
    for path in _in(folder, files, "texts"):
        document = read_document(path)
        document.only("text", "provision")
        head = document.entry("text", required=True)
        head.only("id", "title", "published", "source", "sha256")
        identifier = _provision(head, head.text("id"))
        if identifier in taken:
            raise head.wrong("id", f"the text of {identifier} is here twice", "Keep only one of them")
        taken.add(identifier)
        if not _SHA256.fullmatch(head.text("sha256")):
            raise head.wrong("sha256", "this is no SHA-256 digest", "Take the text again: gatehouse law watch --write")
        segments = []
        for entry in document.entries("provision"):
            entry.only("id", "words")
            segments.append(texts.Segment(_provision(entry, entry.text("id")), entry.text("words")))
            if not texts.within(segments[-1].identifier, identifier):
                raise entry.wrong(
                    "id", f"{segments[-1].identifier} is no part of {identifier}", "Keep it in its own file"
                )
        yield texts.Text(
            identifier, head.text("title"), head.text("published"), head.text("source"), head.text("sha256"),
            tuple(segments), str(path),
        )  # fmt: skip


def _terms(entry: Table, vocabulary: Vocabulary) -> tuple[Vocabulary, dict[str, str]]:
    """Read defined terms, each after those it uses; a term that needs itself is refused."""
    texts = dict(entry.texts())
    for name in texts:
        if not IDENTIFIER.fullmatch(name) or name in vocabulary.kinds or name in vocabulary.lists:
            raise entry.wrong(name, f"{name!r} cannot name a term", "Choose a name that is not taken")
    needs = {name: {other for other in texts if other in _words(text)} for name, text in texts.items()}
    done: dict[str, Expression] = {}
    while len(done) < len(texts):
        ready = [name for name in texts if name not in done and needs[name] <= done.keys()]
        if not ready:
            circle = ", ".join(name for name in texts if name not in done)
            first = next(name for name in texts if name not in done)
            raise entry.wrong(first, f"terms are defined in a circle: {circle}", "Define one of them by facts alone")
        for name in ready:
            known = dataclasses.replace(vocabulary, terms=dict(done))
            done[name] = parse(texts[name], known, entry.place(name))
    return dataclasses.replace(vocabulary, terms=done), texts


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


def _assumptions(document: Table, vocabulary: Vocabulary) -> Iterator[tuple[str, Expression]]:
    for entry in document.entries("assume"):
        entry.only("says", "holds")
        yield entry.text("says"), parse_condition(entry.text("holds"), vocabulary, entry.place("holds"))


def _law(
    folder: Path, files: list[Path], vocabulary: Vocabulary, items: Mapping[str, str]
) -> tuple[tuple[Instrument, ...], tuple[Rule, ...]]:
    instruments: dict[str, Instrument] = {}
    rules: dict[str, Rule] = {}
    for path in [*_in(folder, files, "law"), *_in(folder, files, "orders")]:
        document = read_document(path)
        document.only("source", "rule")
        instrument = _instrument(document.entry("source", required=True), path, path.parent.name == "orders")
        if instrument.id in instruments:
            raise document.wrong("source", f"the id {instrument.id!r} is taken", "Ids are given once and for ever")
        instruments[instrument.id] = instrument
        for entry in document.entries("rule"):
            rule = _rule(entry, instrument, vocabulary, items)
            if rule.id in rules or rule.id == NO_GRANT:
                raise entry.wrong("id", f"the rule id {rule.id!r} is taken", "Ids are given once and for ever")
            rules[rule.id] = rule
    if len(rules) > MOST_RULES:
        raise WrongInput(
            f"a pack may have at most {MOST_RULES} rules", where=str(folder), remedy="Split the pack into several"
        )
    ended = _ended(instruments)
    finished = (
        dataclasses.replace(rule, until=_earlier(rule.until, ended.get(rule.instrument.id))) for rule in rules.values()
    )
    return tuple(instruments.values()), tuple(sorted(finished, key=lambda rule: rule.id))


def _ended(instruments: Mapping[str, Instrument]) -> dict[str, dt.date]:
    """The day on which later orders end earlier ones; only orders can be ended, and only by later ones."""
    ended: dict[str, dt.date] = {}
    for order in instruments.values():
        for name in order.ends:
            target = instruments.get(name)
            if target is None or target.kind != "order":
                raise WrongInput(
                    f"{order.id} ends {name!r}, which is not an order in this pack",
                    where=order.file,
                    remedy="An order can end only earlier orders. Statutes and agreements end on their own dates",
                )
            if target is order:
                raise WrongInput(
                    f"{order.id} ends itself", where=order.file, remedy="Only a later order can end an order"
                )
            if order.begins < target.begins:
                raise WrongInput(
                    f"{order.id} ends {name} before it began", where=order.file, remedy="Check the dates of both"
                )
            if order.id in target.ends:
                raise WrongInput(
                    f"{order.id} and {name} end each other",
                    where=order.file,
                    remedy="Only the later order can end the earlier",
                )
            ended[name] = min(order.begins, ended.get(name, order.begins))
    return ended


def _earlier(first: dt.date | None, second: dt.date | None) -> dt.date | None:
    days = [day for day in (first, second) if day is not None]
    return min(days) if days else None


def _instrument(entry: Table, path: Path, is_order: bool) -> Instrument:  # noqa: FBT001
    entry.only("id", "title", "kind", "cite", "made", "from", "until", "known", "url", "certainty", "note", "ends")
    kind = entry.choice("kind", KINDS)
    if is_order != (kind in ("order", "opinion")):
        raise entry.wrong("kind", f"a {kind} does not belong in {path.parent.name}/", "Orders go in orders/")
    begins, until = entry.date("from", required=True), entry.date("until")
    assert begins is not None  # noqa: S101 - required above
    if until is not None and until <= begins:
        raise entry.wrong("until", "the instrument ends before it begins", "until is the first day not in force")
    ends = entry.text_list("ends")
    if ends and kind != "order":
        raise entry.wrong("ends", "only an order ends another order", "Make it an order, or leave ends out")
    return Instrument(
        id=entry.text("id"),
        title=entry.text("title"),
        kind=kind,
        cite=entry.text("cite"),
        made=entry.date("made", required=True) or begins,
        begins=begins,
        until=until,
        known=entry.date("known"),
        url=entry.text("url", required=False),
        certainty=Certainty(entry.choice("certainty", list(Certainty))),
        note=entry.text("note", required=False),
        ends=ends,
        file=str(path),
    )


def _rule(entry: Table, instrument: Instrument, vocabulary: Vocabulary, items: Mapping[str, str]) -> Rule:
    entry.only(
        "id", "effect", "otherwise", "code", "when", "cite", "quote", "paraphrase", "certainty", "say", "note",
        "from", "until", "items", "ignores", "provision",
    )  # fmt: skip
    effect = Effect(entry.choice("effect", list(Effect)))
    if instrument.kind == "opinion":
        raise entry.wrong("id", "an opinion changes no rule", "Record the ruling as an order, or leave the rule out")
    if instrument.kind == "order" and effect is Effect.GRANT:
        raise entry.wrong("effect", "an order only tightens, it grants nothing", "Use bar, require or limit")
    stops = effect in (Effect.REQUIRE, Effect.BAR)
    otherwise = entry.choice("otherwise", list(Otherwise)) if stops else Otherwise.REFUSE
    named = entry.text_list("items")
    if bool(named) == stops:
        raise entry.wrong("items", "a grant or limit names items; other rules do not", "List items, or drop them")
    for item in named:
        if item not in items:
            raise entry.wrong("items", f"unknown item {item!r}", f"Items of this pack: {', '.join(items)}")
    when = parse_condition(entry.text("when"), vocabulary, entry.place("when"))
    if not stops and DERIVED in field_names(when):
        raise entry.wrong("when", f"{DERIVED} follows from grants and limits", "Use it in require or bar")
    quote, paraphrase = entry.text("quote", required=False), entry.text("paraphrase", required=False)
    if bool(quote) == bool(paraphrase):
        raise entry.wrong("quote", "a rule has a quote or a paraphrase", "Quote exactly, or say it in other words")
    begins = entry.date("from") or instrument.begins
    if begins < instrument.begins:
        raise entry.wrong("from", "the rule begins before its source is in force", f"Not before {instrument.begins}")
    return Rule(
        id=tables.identifier(entry, "id"),
        instrument=instrument,
        effect=effect,
        otherwise=Otherwise(otherwise),
        code=Code(entry.choice("code", list(Code))),
        text=entry.text("when"),
        when=when,
        cite=entry.text("cite"),
        quote=quote or paraphrase,
        exact=bool(quote),
        certainty=Certainty(entry.choice("certainty", list(Certainty), default=instrument.certainty)),
        say=entry.text("say"),
        note=entry.text("note"),
        begins=begins,
        until=_earlier(instrument.until, entry.date("until")),
        items=named,
        ignores=dict(entry.inner("ignores", required=False).texts()),
        file=entry.file,
        line=entry.line("id"),
        provisions=_provisions(entry),
    )


def _provisions(entry: Table) -> tuple[str, ...]:
    """One identifier, or a list of them."""
    given = entry.data.get("provision")
    named = (entry.text("provision"),) if isinstance(given, str) else entry.text_list("provision")
    return tuple(_provision(entry, identifier) for identifier in named)


def _examples(
    folder: Path, files: list[Path], fields: Mapping[str, Declared], rules: tuple[Rule, ...]
) -> Iterator[Example]:
    known = {rule.id for rule in rules} | {NO_GRANT}
    for path in _in(folder, files, "examples"):
        document = read_document(path)
        document.only("base", "example")
        base = dict(tables.facts(document.entry("base"), fields))
        for entry in document.entries("example"):
            entry.only("title", "as_of", "with", "absent", "outcome", "fired", "items")
            facts = base | dict(tables.facts(entry.inner("with", required=False), fields))
            for name in entry.text_list("absent"):
                if name not in fields:
                    raise entry.wrong("absent", f"unknown fact {name!r}", "Name a declared fact")
                facts[name] = None
            fired = entry.text_list("fired") if "fired" in entry else None
            for rule in fired or ():
                if rule not in known:
                    raise entry.wrong("fired", f"unknown rule {rule!r}", "Name rules of this pack")
            as_of = entry.date("as_of", required=True)
            assert as_of is not None  # noqa: S101 - required above
            yield Example(
                title=entry.text("title"),
                as_of=as_of,
                facts=facts,
                outcome=entry.choice("outcome", list(SEVERITY)),
                fired=fired,
                items=entry.text_list("items") if "items" in entry else None,
                file=entry.file,
                line=entry.line("title"),
            )


def _properties(folder: Path, vocabulary: Vocabulary) -> Iterator[Property]:
    path = folder / "properties.toml"
    if not path.is_file():
        return
    document = read_document(path)
    document.only("property")
    taken: set[str] = set()
    for entry in document.entries("property"):
        entry.only("id", "says", "kind", "holds", "from", "until")
        if tables.identifier(entry, "id") in taken:
            raise entry.wrong("id", f"the property id {entry.text('id')!r} is taken", "Ids are given once")
        taken.add(tables.identifier(entry, "id"))
        yield Property(
            id=tables.identifier(entry, "id"),
            says=entry.text("says"),
            safety=entry.choice("kind", ["safety", "liveness"]) == "safety",
            holds=parse_condition(entry.text("holds"), vocabulary, entry.place("holds")),
            text=entry.text("holds"),
            begins=entry.date("from"),
            until=entry.date("until"),
            file=entry.file,
            line=entry.line("id"),
        )


def property_vocabulary(vocabulary: Vocabulary, items: Iterable[str]) -> Vocabulary:
    """The words of properties: those of conditions, and for each item `gives_…`, `asks_…` and `agreed_…`."""
    kinds = {f"{verb}_{item}": Kind.BOOL for verb in ("gives", "asks", "agreed") for item in items}
    return dataclasses.replace(vocabulary, kinds={**vocabulary.kinds, **kinds})


def _in(folder: Path, files: list[Path], name: str) -> list[Path]:
    return [path for path in files if path.parent == folder / name]
