"""The official text a pack rests on: provisions by identifier, as the Code's publisher names them, and quotes in them.

The text travels with the pack, only the provisions it cites, with the digest of the file they were taken from. A quote
stands where its words are those of the provision; white space and the shape of quotation marks are the printer's.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel import digests
from gatehouse.kernel.errors import WrongInput

IDENTIFIER = re.compile(r"(/[A-Za-z0-9._-]+){2,20}", re.ASCII)
LARGEST = 64 << 20
_CITED = re.compile(
    r"(\d+) (?:U\.S\.C\.|USC) (?:§+ ?)?(\d+[A-Za-z]*(?:-\d+[A-Za-z]*)?)((?:\([A-Za-z0-9]+\))*)", re.ASCII
)
_ASIDE = frozenset({"note", "notes", "sourceCredit", "toc", "footnote"})
_BLOCKS = frozenset({"p", "tr", "td", "li", "div"})
_MARKS = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "\u2010": "-", "\u2011": "-"})


@dataclass(frozen=True)
class Segment:
    """A run of one provision's own words: its number, heading and text, without the provisions below it."""

    identifier: str
    words: str


@dataclass(frozen=True)
class Text:
    """The provisions of one section that a pack cites, in the order of the section.

    `sha256` is of the publisher's file `source`, as `published` names its edition.
    """

    identifier: str
    title: str
    published: str
    source: str
    sha256: str
    segments: tuple[Segment, ...]
    file: str


def within(identifier: str, provision: str) -> bool:
    """Whether a provision is another, or lies below it."""
    return identifier == provision or identifier.startswith(provision + "/")


def below(segments: Iterable[Segment], provision: str) -> tuple[Segment, ...]:
    """The words of a provision with all below it, in order; none where there is no such provision."""
    return tuple(segment for segment in segments if within(segment.identifier, provision))


def joined(segments: Iterable[Segment]) -> str:
    """Segments as one text."""
    return " ".join(segment.words for segment in segments)


def stands(quote: str, words: str) -> bool:
    """Whether a quote stands in a text, word for word."""
    return bool(quote) and _plain(quote) in _plain(words)


def _plain(text: str) -> str:
    """The same number of characters, so that a place in one is a place in the other."""
    return text.translate(_MARKS)


Line = tuple[int, tuple[tuple[str, bool], ...]]


def marked(segments: Sequence[Segment], quote: str) -> list[Line]:
    """A provision line by line for a page: how deep each line stands, and its pieces, with the quote's marked."""
    whole = joined(segments)
    start = _plain(whole).find(_plain(quote)) if quote else -1
    end = start + len(quote) if start >= 0 else -1
    lines: list[Line] = []
    at = 0
    top = min((segment.identifier.count("/") for segment in segments), default=0)
    for segment in segments:
        low, high = (min(max(edge - at, 0), len(segment.words)) for edge in (start, end))
        pieces = ((segment.words[:low], False), (segment.words[low:high], True), (segment.words[high:], False))
        lines.append((segment.identifier.count("/") - top, tuple(piece for piece in pieces if piece[0])))
        at += len(segment.words) + 1
    return lines


def identifier_of(cite: str) -> str | None:
    """The identifier of the first provision of the United States Code that a citation names; None without any.

    `26 U.S.C. § 6103(i)(2)(B)(iv)` and `26 USC 6103(i)(2)(B)(iv)` are `/us/usc/t26/s6103/i/2/B/iv`.
    """
    found = _CITED.search(cite)
    if found is None:
        return None
    return f"/us/usc/t{found[1]}/s{found[2]}" + found[3].replace("(", "/").replace(")", "")


def read_code(path: Path) -> dict[str, tuple[Segment, ...]]:
    """The sections of a file, or of a folder's files, in United States Legislative Markup: section → its segments.

    Raises WrongInput for what is no such markup, is larger than 64 MiB, or declares a document type.
    """
    files = sorted(path.glob("*.xml")) if path.is_dir() else [path]
    found: dict[str, tuple[Segment, ...]] = {}
    for file in files:
        found |= _sections(file)
    if not found:
        raise WrongInput(
            "this path contains no section of the United States Code",
            where=str(path),
            remedy="Name a file, or a folder of files, in United States Legislative Markup (uscode.house.gov)",
        )
    return found


def extract(source: Path, provisions: Iterable[str], published: str) -> list[Text]:
    """The texts of some provisions, taken from the publisher's files. Raises WrongInput where one is not there."""
    files = sorted(source.glob("*.xml")) if source.is_dir() else [source]
    wanted, taken = sorted(set(provisions)), []
    for file in files:
        for section, segments in _sections(file).items():
            asked = [each for each in wanted if within(each, section)]
            kept = tuple(each for each in segments if any(within(each.identifier, one) for one in asked))
            missing = [one for one in asked if not below(segments, one)]
            if missing:
                raise WrongInput(f"there is no provision {missing[0]}", where=str(file), remedy="Check the identifier")
            if kept:
                digest = digests.of_file(file)
                taken.append(Text(section, _title(section), published, file.name, digest, kept, ""))
    lost = [one for one in wanted if not any(within(one, text.identifier) for text in taken)]
    if lost:
        raise WrongInput(f"no section contains {lost[0]}", where=str(source), remedy="Add the file of its section")
    return taken


def written(text: Text) -> str:
    """A text as the file of a pack's `texts/`."""
    lines = ["# Taken from the publisher's file by `gatehouse law watch --write`; do not edit.", "[text]"]
    named = {"id": text.identifier, "title": text.title, "published": text.published, "source": text.source,
             "sha256": text.sha256}  # fmt: skip
    lines += [f"{key} = {_quoted(value)}" for key, value in named.items()]
    for segment in text.segments:
        lines += ["", "[[provision]]", f"id = {_quoted(segment.identifier)}", f"words = {_quoted(segment.words)}"]
    return "\n".join(lines) + "\n"


def file_name(text: Text) -> str:
    """The file of a text: `/us/usc/t26/s6103` → `usc-26-6103.toml`."""
    _, _, code, title, section = text.identifier.split("/")
    return f"{code}-{title.removeprefix('t')}-{section.removeprefix('s')}.toml"


def _title(section: str) -> str:
    """`/us/usc/t26/s6103` → `26 U.S.C. § 6103`."""
    title, number = section.rsplit("/", 2)[1:]
    return f"{title.removeprefix('t')} U.S.C. § {number.removeprefix('s')}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _sections(file: Path) -> dict[str, tuple[Segment, ...]]:
    if not file.is_file():
        raise WrongInput("there is no such file", where=str(file), remedy="Name the newer text of the Code")
    data = file.read_bytes()
    if len(data) > LARGEST or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise WrongInput(
            "this is not a file of the Code: it is larger than 64 MiB or declares a document type", where=str(file),
            remedy="Download it again from uscode.house.gov",
        )  # fmt: skip
    try:
        root = ET.fromstring(data)  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, RecursionError):
        raise WrongInput("this is not XML", where=str(file), remedy="Download it again") from None
    found: dict[str, tuple[Segment, ...]] = {}
    for element in root.iter():
        identifier = _identifier(element)
        if _tag(element) == "section" and IDENTIFIER.fullmatch(identifier) and identifier not in found:
            found[identifier] = tuple(_segments(element, identifier))
    return found


def _segments(element: ET.Element, identifier: str) -> Iterator[Segment]:
    """The provision's own words, and in their place those of the provisions below it."""
    own: list[str] = []
    for child in element:
        named = _identifier(child)
        if _tag(child) in _ASIDE:
            continue
        if within(named, identifier) and named != identifier:
            yield from _flush(identifier, own)
            yield from _segments(child, named)
        else:
            own += _words(child)
            own.append(" ")
    yield from _flush(identifier, own)


def _flush(identifier: str, own: list[str]) -> Iterator[Segment]:
    seen = (character for character in "".join(own) if character.isprintable() or character.isspace())
    words = " ".join("".join(seen).split())
    own.clear()
    if words:
        yield Segment(identifier, words)


def _words(element: ET.Element) -> Iterator[str]:
    if _tag(element) in _ASIDE or "footnoteRef" in element.get("class", ""):
        return
    block = _tag(element) in _BLOCKS
    yield " " if block else ""
    yield element.text or ""
    for child in element:
        yield from _words(child)
        yield child.tail or ""
    yield " " if block else ""


def _identifier(element: ET.Element) -> str:
    return element.get("identifier", "").replace("\u2013", "-")


def _tag(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]
