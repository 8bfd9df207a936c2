"""A submission as it arrives: a folder, or a zip of one that is opened into a private place and cleaned up.

A zip may hold a few plain files, in one folder at most. Whatever could surprise (paths that climb, links, passwords,
the same name twice, more bytes than allowed) is refused before or while it is read.
"""

from __future__ import annotations

import contextlib
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from gatehouse.intake import manifest
from gatehouse.kernel import digests, ids
from gatehouse.kernel.errors import WrongInput

MAX_FILES = 64
MAX_BYTES = 16 << 30
"""Bytes of a zip's content, unpacked: ten times the largest batch on record."""
MAX_RATIO = 200
"""Unpacked to packed, for a file above a megabyte; text of requests packs to a tenth."""
_CHUNK = 1 << 20


@contextlib.contextmanager
def opened(source: Path, temporary: Path | None = None) -> Iterator[Path]:
    """Give the folder of a submission. Raises WrongInput when `source` is neither a folder nor a zip that is safe."""
    if source.is_dir():
        yield source
        return
    if not zipfile.is_zipfile(source):
        remedy = "Name the folder that holds submission.json, or a zip of it"
        raise WrongInput("is neither a folder nor a zip", where=str(source), remedy=remedy)
    with tempfile.TemporaryDirectory(prefix="gatehouse-", dir=temporary) as private:
        _unpack(source, Path(private))
        yield Path(private)


def digest(source: Path) -> str:
    """One digest of what arrived: of submission.json where it is, of the zip, or of the plain files of the folder."""
    if source.is_file():
        return digests.of_file(source)
    described = source / manifest.NAME
    if _is_plain(described):
        return digests.of_file(described)
    plain = [path for path in source.iterdir() if _is_plain(path)] if source.is_dir() else []
    return digests.of_files(source, plain)


def member(folder: Path, name: str) -> Path:
    """A plain file of the submission, no link. Raises WrongInput when it is missing."""
    path = folder / name
    if not _is_plain(path):
        raise WrongInput("is missing", where=name, remedy="A submission holds it beside the others, as a plain file")
    return path


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _unpack(source: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            files = _checked(archive, source.name)
            room = MAX_BYTES
            for name, info in files.items():
                room -= _copy(archive, info, folder / name, room, source.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise WrongInput("the zip is damaged or of an unusual kind", where=source.name, remedy="Zip it again") from None


def _checked(archive: zipfile.ZipFile, where: str) -> dict[str, zipfile.ZipInfo]:
    """The archive's files by plain name; raises WrongInput for anything else."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MAX_FILES:
        raise WrongInput(f"the zip holds more than {MAX_FILES} files", where=where, remedy="Send the submission alone")
    files: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for info in infos:
        folder, _, name = info.filename.rpartition("/")
        folders.add(folder)
        link = stat.S_ISLNK(info.external_attr >> 16)
        if not ids.is_name(name) or (folder and not ids.is_name(folder)) or link:
            problem, remedy = "the zip holds a path, a link or an unusual file name", "Zip plain files only"
            raise WrongInput(problem, where=where, remedy=remedy)
        if name in files or len(folders) > 1:
            raise WrongInput("the zip holds one name twice, or two folders", where=where, remedy="Zip one folder")
        if info.flag_bits & 0x1:
            raise WrongInput("the zip has a password", where=where, remedy="Zip without; the channel encrypts")
        files[name] = info
    return files


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, room: int, where: str) -> int:
    """Unpack one file, counting the bytes that really come out, whatever the archive says of itself."""
    allowed = min(room, max(_CHUNK, info.compress_size * MAX_RATIO))
    written = 0
    with archive.open(info) as stream, path.open("xb") as out:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > allowed:
                raise WrongInput("the zip unpacks to far more than its size", where=where, remedy="Send the folder")
            out.write(chunk)
    return written
