"""The files of a docket, against the listing that the ledger's entry `docket` holds of them.

What grows later has entries of its own, or signatures, and is left out here; every other file must be listed, and be
the one that was listed. Links and anything else that is no plain file do not belong into a docket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger.opening import Opening

GROWING = ("events", "releases", "certificates", "persons", "disclosures", "recalls", "reconciliations")
"""Folders whose files come later; an entry or a signature of its own binds each."""
_LATER = ("vault.parquet", "answers.csv.sig", "disclosures.parquet")
"""Files beside them that are made or changed later: keys that open commitments or do not, and signed texts."""
_GOES = (*(f"{name}.parquet" for name in ("requests", "facts", "evidence", "determinations", "queue")), "answers.csv")
"""Files that are gone when a docket was destroyed on record."""
_REMEDY = "Restore the docket from a backup; what changed is a finding"
_known: dict[tuple[str, int, int, int, int], str] = {}


def listing(root: Path) -> dict[str, str]:
    """The SHA-256 of every file of a docket that must never change again, by its path below the docket.

    Raises AnswerIsNo on a link or anything else that is no plain file.
    """
    return {path.relative_to(root).as_posix(): digest_of(path) for path in _lasting(root)}


def compare(root: Path, files: Mapping[str, str]) -> None:
    """Compare a docket's files with a listing. Raises AnswerIsNo naming the file that differs, lacks or is too many."""
    expected, found = _expected(root, files), {path.relative_to(root).as_posix(): path for path in _lasting(root)}
    gone = _GOES if (root / "events" / "destroyed.json").is_file() else ()
    for name in sorted(expected.keys() | found.keys()):
        where = f"{root.name}, {name}"
        if name in gone and name not in found:
            continue
        if name not in found:
            raise AnswerIsNo("a file of the docket is missing", where=where, remedy=_REMEDY)
        if name not in expected:
            raise AnswerIsNo("the docket's entry does not list this file", where=where, remedy="Move it elsewhere")
        if digest_of(found[name]) != expected[name]:
            raise AnswerIsNo("the file differs from the one that was committed", where=where, remedy=_REMEDY)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file; one that did not change is read once in a process.

    It changed when its inode, its size or either of its times did; the time at which its status last changed cannot be
    set by whoever may only write files.
    """
    found = path.stat()
    key = (str(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if key not in _known:
        _known[key] = digests.of_file(path)
    return _known[key]


def _expected(root: Path, files: Mapping[str, str]) -> dict[str, str]:
    """The listing as it must stand now: once the answers are told, an entry of their own names them."""
    told = root / "events" / "answered.json"
    if not told.is_file():
        return dict(files)
    answers = Opening.parse(told.read_bytes(), where=f"{root.name}, events/answered.json").fields().get("answers")
    return {**files, "answers.csv": str(answers)}


def _lasting(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if not (path.name.startswith(".") or path.name in _LATER or path.name in GROWING):
            yield from _plain(path, root)


def _plain(path: Path, root: Path) -> Iterator[Path]:
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        where = f"{root.name}, {path.relative_to(root).as_posix()}"
        raise AnswerIsNo("a docket may contain only regular files", where=where, remedy=_REMEDY)
    if path.is_file():
        yield path
        return
    for each in sorted(path.iterdir()):
        yield from _plain(each, root)
