"""Narrow messages between processes of one machine: typed, bounded, from a caller whom the kernel names.

A message is a frozen dataclass, and bytes may follow it. Whatever has another name, other fields, other types or more
bytes than it may is refused at the door. Who is calling says the system (SO_PEERCRED), never the caller.
"""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import struct
import sys
import threading
import time
import traceback
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gatehouse.kernel import canonical
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, MachineFailed, WrongInput

MOST_TEXT = 4 << 20
"""Bytes of one message's own text."""
MOST_AT_ONCE = 32
"""Callers whom one part serves at once; others wait to be taken."""
_HEAD = struct.Struct(">IQ")  # how long the text is, and how many bytes follow it
_PIECE = 1 << 20
_PARTING = 5.0  # seconds
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True)
class Caller:
    """Who is on the other side, as the kernel says."""

    pid: int
    uid: int
    gid: int


@dataclass(frozen=True)
class Refused:
    """What an answer says instead, when the work raised: enough to raise the same again."""

    kind: str
    what: str
    where: str
    remedy: str
    code: str


Answer = tuple[object, bytes]
Handle = Callable[[Any, bytes], Answer]


class Line:
    """One connection, and the messages that may come in by it; `most` bounds the bytes that may follow one."""

    def __init__(self, connection: socket.socket, known: Sequence[type], *, most: int) -> None:
        self._connection = connection
        self._known = {each.__name__: each for each in known}
        self._most = most

    @property
    def caller(self) -> Caller:
        """Who is on the other side."""
        raw = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return Caller(*_CREDENTIALS.unpack(raw))

    def send(self, message: object, data: bytes = b"") -> None:
        """Send one message and what follows it."""
        said = {each.name: getattr(message, each.name) for each in fields(message)}  # type: ignore[arg-type]
        text = canonical.encode({"message": type(message).__name__, "fields": said})
        if len(text) > MOST_TEXT:
            raise MachineFailed("a message between parts is too long")
        self._connection.sendall(_HEAD.pack(len(text), len(data)) + text)
        if data:
            self._connection.sendall(data)

    def receive(self) -> tuple[Any, bytes] | None:
        """The next message and what follows it; None once the other side has hung up.

        Raises WrongInput for anything that is no message known here; nothing more is read then.
        """
        head = self._read(_HEAD.size)
        if not head:
            return None
        length, following = _HEAD.unpack(head)
        if length > MOST_TEXT or following > self._most:
            raise WrongInput("a message between parts is larger than the limit")
        return self._parsed(self._read(length)), self._read(following)

    def _read(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:  # room is made for what came, not for what was announced
            piece = self._connection.recv(min(_PIECE, length - len(data)))
            if not piece:
                if data:
                    raise WrongInput("a message between parts ends early")
                return b""
            data += piece
        return bytes(data)

    def _parsed(self, text: bytes) -> object:
        wrong = WrongInput("this is an unknown message")
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise wrong from None
        if not isinstance(document, dict) or set(document) != {"message", "fields"}:
            raise wrong
        made, given = self._known.get(str(document["message"])), document["fields"]
        if made is None or not isinstance(given, dict):
            raise wrong
        hints = _hints(made)
        if set(given) != set(hints) or not all(_fits(given[name], hint) for name, hint in hints.items()):
            raise wrong
        return made(**{name: _frozen(given[name], hint) for name, hint in hints.items()})


@functools.cache
def _hints(made: type) -> Mapping[str, Any]:
    found = typing.get_type_hints(made)
    return {each.name: found[each.name] for each in fields(made)}


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401 - an annotation
    if isinstance(hint, types.UnionType):
        return any(_fits(value, one) for one in hint.__args__)
    origin = typing.get_origin(hint)
    if origin is tuple:  # tuple[X, ...]
        return isinstance(value, list) and all(_fits(each, hint.__args__[0]) for each in value)
    if origin is not None:  # Mapping[str, X], of JSON
        return isinstance(value, dict) and all(_fits(each, hint.__args__[1]) for each in value.values())
    return hint is Any or type(value) is hint or (hint is types.NoneType and value is None)


def _frozen(value: object, hint: Any) -> object:  # noqa: ANN401 - an annotation
    return tuple(value) if typing.get_origin(hint) is tuple and isinstance(value, list) else value


def answer(line: Line, handle: Handle) -> None:
    """Answer a caller's messages until it hangs up. A fault of the work is told; one of the form ends the line."""
    while True:
        try:
            came = line.receive()
        except GatehouseError as wrong:
            line.send(_refusal(wrong))
            return
        if came is None:
            return
        try:
            said, data = handle(*came)
        except GatehouseError as wrong:
            said, data = _refusal(wrong), b""
        except Exception as failed:  # noqa: BLE001 - its text may hold what nobody else should read: only its kind is told
            _say_where(failed)
            said, data = _refusal(MachineFailed(f"a part of the site failed ({type(failed).__name__})")), b""
        line.send(said, data)


def _say_where(failed: Exception) -> None:
    """Tell whoever runs this part where it failed, and nothing of what it was working on."""
    places = [f"{Path(one.filename).name}:{one.lineno}" for one in traceback.extract_tb(failed.__traceback__)[-4:]]
    sys.stderr.write(f"{type(failed).__name__} at {', '.join(places)}\n")


def turn_away(connection: socket.socket, wrong: GatehouseError) -> None:
    """Tell a caller who has no business here, whatever was said."""
    Line(connection, (), most=0).send(_refusal(wrong))


def _refusal(wrong: GatehouseError) -> Refused:
    code = getattr(wrong, "code", "")
    return Refused(type(wrong).__name__, wrong.what, wrong.where, wrong.remedy, code if isinstance(code, str) else "")


def listen(path: Path) -> socket.socket:
    """A socket to be called at; one that a process left behind makes room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(0o666)  # who may call is asked of the kernel for each caller; who may look here at all, of the folder
    listening.listen(MOST_AT_ONCE)
    return listening


def serve(listening: socket.socket, converse: Callable[[socket.socket], None], *, patience: float) -> None:
    """Serve each caller in a thread of its own, for ever. One who is silent for `patience` seconds is hung up on."""
    room = threading.BoundedSemaphore(MOST_AT_ONCE)

    def one(connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError), connection:
                connection.settimeout(patience)
                converse(connection)
        finally:
            room.release()

    try:
        while True:
            room.acquire()
            connection, _ = listening.accept()
            threading.Thread(target=one, args=(connection,), daemon=True).start()
    finally:  # asked to end: whoever is being answered is answered, for a moment
        until = time.monotonic() + _PARTING
        for _ in range(MOST_AT_ONCE - 1):
            room.acquire(timeout=max(0.0, until - time.monotonic()))


class Call:
    """A conversation with a part of the site; `known` are its answers. What it refuses is raised here, as it was there.

    Raises MachineFailed when the part does not answer.
    """

    def __init__(self, path: Path, known: Sequence[type], *, most: int, patience: float = 600.0) -> None:
        self._name = path.parent.name
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(patience)
        try:
            self._connection.connect(str(path))
        except OSError as failed:
            self._connection.close()
            raise self._away(failed) from None
        self._line = Line(self._connection, [*known, Refused], most=most)

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def ask(self, message: object, data: bytes = b"") -> tuple[Any, bytes]:
        """Say something and wait for the answer."""
        try:
            self._line.send(message, data)
            came = self._line.receive()
        except OSError as failed:
            raise self._away(failed) from None
        if came is None:
            raise MachineFailed(f"the {self._name} ended before it answered", remedy="Try again")
        if isinstance(came[0], Refused):
            raise _raised(came[0])
        return came

    def _away(self, failed: OSError) -> MachineFailed:
        why = failed.strerror or type(failed).__name__
        return MachineFailed(
            f"the {self._name} does not answer ({why})", remedy="Check that it is running: docs/deploy.md"
        )


def _raised(refused: Refused) -> GatehouseError:
    """The error that the other side raised; of a kind that is unknown here, a plain failure."""
    made = _kinds(GatehouseError).get(refused.kind, MachineFailed)
    error = made.__new__(made)
    GatehouseError.__init__(error, refused.what, where=refused.where, remedy=refused.remedy)
    if refused.code:
        error.code = refused.code  # type: ignore[attr-defined]
    return error


def _kinds(made: type[GatehouseError]) -> dict[str, type[GatehouseError]]:
    return {made.__name__: made} | {name: each for one in made.__subclasses__() for name, each in _kinds(one).items()}


def not_for(caller: str, message: object) -> AnswerIsNo:
    """The refusal of a message that this caller may not send."""
    return AnswerIsNo(f"{caller} may not ask for this ({type(message).__name__})")
