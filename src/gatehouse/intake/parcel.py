"""A submission as it arrives: a folder, or a zip of one, of which the files that are wanted are taken out.

A zip may hold a few plain files, in one folder at most, stored or deflated. Whatever could surprise (paths that climb,
links, passwords, the same name twice, more names or bytes than allowed) is refused before anything is unpacked, from
the zip's own end record and list of names, and the bytes are counted again while they come out.
"""

from __future__ import annotations

import contextlib
import errno
import io
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from gatehouse.intake import manifest
from gatehouse.intake.limits import LIMITS, Limits
from gatehouse.kernel import digests, ids
from gatehouse.kernel.errors import MachineFailed, WrongInput

_CHUNK = 1 << 20
_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_BYTES, _LOCATOR_BYTES, _END64_BYTES, _COMMENT = 22, 20, 56, 0xFFFF
_FOLDERS = 64
"""Names of folders that may stand beside the files, as some programs write them."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def members(source: Path, names: Sequence[str], into: Path, limits: Limits = LIMITS) -> list[Path]:
    """The wanted files of a submission: those of the folder, or unpacked from the zip to the new folder `into`.

    Which of them are there is asked by `plain`. Raises WrongInput when `source` is neither a folder nor a
    zip that is safe; MachineFailed when there is no room to unpack it.
    """
    if not source.is_dir():
        into.mkdir()
        _unpack(source, names, into, limits)
        source = into
    return [source / name for name in names]


def digest(source: Path) -> str:
    """One digest of what arrived: of submission.json where it is, of the zip, or of the plain files of the folder."""
    if source.is_file():
        return digests.of_file(source)
    described = source / manifest.NAME
    if _is_plain(described):
        return digests.of_file(described)
    found = [path for path in source.iterdir() if _is_plain(path)] if source.is_dir() else []
    return digests.of_files(source, found)


def plain(path: Path) -> Path:
    """The same path, of a plain file and no link. Raises WrongInput when there is none."""
    if not _is_plain(path):
        remedy = "A submission holds it beside the others, as a plain file"
        raise WrongInput("the file is missing", where=path.name, remedy=remedy)
    return path


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _neither(where: str) -> WrongInput:
    remedy = "Name the folder that holds submission.json, or a zip of it"
    return WrongInput("the submission is neither a folder nor a zip file", where=where, remedy=remedy)


def _unpack(source: Path, names: Sequence[str], folder: Path, limits: Limits) -> None:
    if source.exists() and not source.is_file():
        raise _neither(source.name)  # a pipe or a device would keep its reader waiting
    with source.open("rb") as stream:
        check_end(stream, source.name, limits)
        with theirs(source.name):
            archive = zipfile.ZipFile(stream)
        with archive:
            files = _checked(archive, source.name, limits)
            wanted = {name: files[name] for name in names if name in files}
            if shutil.disk_usage(folder).free < 2 * sum(info.file_size for info in wanted.values()):
                raise MachineFailed(
                    "there is not enough disk space to unpack a submission",
                    remedy="Free some space. It is safe to try again",
                )
            for name, info in wanted.items():
                with (folder / name).open("xb") as out:
                    for chunk in _content(archive, info, source.name, limits):
                        out.write(chunk)


@contextlib.contextmanager
def theirs(where: str) -> Iterator[None]:
    """What goes wrong in here the zip's own bytes bring about, unless the system says that it is the disk's fault."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError):
        raise _damaged(where) from None
    except (ValueError, OverflowError, LookupError):  # names that are no text, places that cannot be
        raise _damaged(where) from None
    except OSError as failed:
        if failed.errno not in (None, errno.EINVAL):
            raise
        raise _damaged(where) from None


def _damaged(where: str) -> WrongInput:
    return WrongInput("the zip is damaged or of an unsupported kind", where=where, remedy="Zip it again")


def check_end(stream: BinaryIO, where: str, limits: Limits) -> None:
    """Look at a zip's end record before its list of names is read; raises WrongInput when the list is too long."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _END_BYTES - _COMMENT - _LOCATOR_BYTES))
    tail = stream.read()
    # The last record counts, first of all one that ends the file: what reads the names looks for it in the same way.
    at = len(tail) - _END_BYTES
    if at < 0 or tail[at : at + 4] != _END or tail[-2:] != b"\0\0":
        at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise _neither(where)
    entries, names = struct.unpack_from("<HI", tail, at + 10)
    if tail[max(0, at - _LOCATOR_BYTES) : at][:4] == _LOCATOR64:
        place = size - len(tail) + at - _LOCATOR_BYTES - _END64_BYTES  # directly before its locator, and nowhere else
        if place < 0 or struct.unpack_from("<Q", tail, at - _LOCATOR_BYTES + 8)[0] != place:
            raise _damaged(where)
        stream.seek(place)
        record = stream.read(_END64_BYTES)
        if record[:4] != _END64:
            raise _damaged(where)
        entries, names = struct.unpack_from("<QQ", record, 32)
    if entries > limits.files + _FOLDERS:
        raise _too_many(where, limits)
    if names > limits.names:
        raise WrongInput("the zip's list of names is too long", where=where, remedy="Send only the submission")
    stream.seek(0)


def _too_many(where: str, limits: Limits) -> WrongInput:
    problem = f"the zip holds more than {limits.files} files"
    return WrongInput(problem, where=where, remedy="Send only the submission")


def _checked(archive: zipfile.ZipFile, where: str, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """The archive's files by plain name; raises WrongInput for anything else."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > limits.files:
        raise _too_many(where, limits)
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
            raise WrongInput(
                "the zip contains a duplicate name, or two folders", where=where, remedy="Zip only one folder"
            )
        if info.flag_bits & 0x1:
            raise WrongInput(
                "the zip has a password", where=where, remedy="Send an unencrypted zip; the connection is encrypted"
            )
        if info.compress_type not in METHODS:
            raise WrongInput(
                "the zip uses an unsupported compression method",
                where=where,
                remedy="Zip it with the method stored or deflate",
            )
        if info.file_size > max(_CHUNK, info.compress_size * limits.ratio):
            raise _swollen(where)
        files[name] = info
    if sum(info.file_size for info in infos) > limits.content:
        raise _swollen(where)
    return files


def _swollen(where: str) -> WrongInput:
    return WrongInput("the zip unpacks to far more than its size", where=where, remedy="Send the folder")


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, limits: Limits) -> Iterator[bytes]:
    """Unpack one file, counting the bytes that really come out, whatever the archive says of itself.

    Only what the packed bytes themselves bring about is the sender's fault; an error of the disk stays an OSError.
    """
    allowed = min(limits.content, max(_CHUNK, info.compress_size * limits.ratio))
    with theirs(where):
        stream = archive.open(info)
    with stream:
        while True:
            with theirs(where):
                chunk = stream.read(_CHUNK)
            if not chunk:
                return
            allowed -= len(chunk)
            if allowed < 0:
                raise _swollen(where)
            yield chunk
